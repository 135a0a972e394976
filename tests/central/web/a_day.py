"""A day at central: an office with a real box, payments of every kind, a settlement file with differences, people."""

import copy
import functools
import itertools
from datetime import timedelta
from typing import Any, cast

import httpx
import msgspec
from argon2 import PasswordHasher
from litestar import Litestar
from sqlalchemy import Engine

from central.fleet import feed
from central.fleet.enrolment import add_office
from central.ledger.receive import post_entries
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS
from central.web.people import People
from central.web.rendering import Web
from central.web.router import create_pages, open_web, page_errors
from shared.calendar import TEHRAN
from shared.events import (
    Body,
    BootStarted,
    DataKeyMade,
    Evidence,
    InquiryRequested,
    JournalOpened,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentRequested,
    PaymentSent,
    ReceiptPrinted,
    ServiceRequested,
    Split,
)
from shared.ids import OfficeId
from shared.sealed import Sealed
from tests.central.databases import Rows
from tests.central.ingest.offices import OFFICE, Centre, exchange
from tests.sync.models import BoxModel, private_key, public_bytes

TERMINAL = "21009543"
PASSWORD = "a-password-for-tests"
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Hashes in no time; the form of its verifiers is the real one."""


class Day(msgspec.Struct):
    """The parts of one day."""

    centre: Centre
    box: BoxModel
    web: Web
    app: Litestar
    numbers: "itertools.count[int]" = msgspec.field(default_factory=lambda: itertools.count(1))

    def pay(self, *bodies: Body) -> None:
        """Put facts into the box's journal."""
        for body in bodies:
            self.box.log.append(body)

    def charge(self, amount_rial: int, *, outcome: str = "approved") -> str:
        """Journal a whole payment; return its id. RRN and STAN follow from its number."""
        number = next(self.numbers)
        payment_id = f"p-{number:04}"
        evidence = Evidence(
            source="answer",
            response_code={"approved": "00", "declined": "51", "cancelled": "17"}.get(outcome, "FF"),
            amount_rial=amount_rial,
            reference=f"{number:018}",
            stan=f"{number:06}" if outcome == "approved" else None,
            rrn=f"7000{number:08}" if outcome == "approved" else None,
            terminal_number=TERMINAL,
            merchant_number="12404580",
            pan="603769******4321",
        )
        ends: dict[str, Body] = {
            "approved": PaymentApproved(payment_id=payment_id, evidence=evidence),
            "declined": PaymentDeclined(payment_id=payment_id, evidence=evidence),
            "cancelled": PaymentCancelled(payment_id=payment_id, evidence=evidence),
            "in_doubt": PaymentInDoubt(payment_id=payment_id, reason="no_answer"),
        }
        self.pay(
            PaymentRequested(
                payment_id=payment_id,
                obligation=f"bill:7748317800142:{number}",
                purpose="bill",
                amount_rial=amount_rial,
                split=Split(gross_rial=amount_rial, company_rial=amount_rial),
                method="pcpos",
                terminal="counter-1",
                reference=f"{number:018}",
                operator="maryam",
                bill_id="7748317800142",
                bill_payment_id=str(1770160 + number),
            ),
            PaymentSent(payment_id=payment_id, terminal_number=TERMINAL),
            ends[outcome],
        )
        if outcome == "approved":
            self.pay(ReceiptPrinted(job_id=f"j-{number}", document="bill", about=payment_id, copy=False))
        return payment_id

    def sync(self) -> None:
        """Let the box exchange with central, books and all."""
        exchange(self.box, self.centre.receiver(post_entries))

    def client(self) -> httpx.AsyncClient:
        """Return a browser without script."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast("Any", self.app)),
            base_url="http://central.test",
            follow_redirects=False,
        )


class PresentWeb:
    """Stands for the `Web` of the running test, so that one application serves all: building it takes longer."""

    current: Web

    def __getattr__(self, name: str) -> Any:
        return getattr(self.current, name)


class SharedApp:
    """One application for the days of many tests, one after the other."""

    def __init__(self) -> None:
        self._web = PresentWeb()
        self._app: Litestar | None = None

    def of(self, web: Web) -> Litestar:
        """Return the application, at work for this day."""
        self._web.current = web
        if self._app is None:
            self._app = _app_of(cast("Web", self._web))
        return self._app


def _app_of(web: Web) -> Litestar:
    return Litestar(create_pages(web), exception_handlers=page_errors(web), openapi_config=None, logging_config=None)


def web_of(centre: Centre) -> Web:
    """Return what the pages work with."""
    return open_web(
        engine=centre.engine,
        clock=centre.clock,
        entropy=centre.entropy,
        version="0.1.0",
        people=People(centre.engine, centre.clock, centre.entropy, hasher=QUICK),
        append_feed=functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed),
    )


def open_day(centre: Centre, shared: SharedApp) -> Day:
    """Return a day with an enrolled box and two people: `mina` (finance) and `reza` (auditor)."""
    web = web_of(centre)
    web.people.add("mina", name="مینا رضایی", password=PASSWORD)
    web.people.add("reza", name="رضا کریمی", password=PASSWORD, role="auditor")
    day = Day(centre=centre, box=centre.box(), web=web, app=shared.of(web))
    day.pay(
        JournalOpened(
            office=OFFICE,
            box="1",
            public_key=public_bytes(private_key("box")).hex(),
            signer="file",
            software="daftar 0.1.0",
        ),
        BootStarted(found_size=1, cosigned_size=0, software="daftar 0.1.0"),
        DataKeyMade(key_id="k-1405-09", month="1405-09", public_key="ab" * 32, wrapped="AA=="),
    )
    return day


class FilledDay(msgspec.Struct):
    """What a filled day left: rows at central, and what box and centre have in memory."""

    rows: Rows
    day: Day

    def again(self, engine: Engine, shared: SharedApp) -> Day:
        """Return the same day at another database that has the rows."""
        clock, entropy = copy.deepcopy((self.day.centre.clock, self.day.centre.entropy))
        centre = Centre(engine, self.day.centre.keys, clock, entropy)
        web = web_of(centre)
        box, numbers = copy.deepcopy((self.day.box, self.day.numbers))
        return Day(centre=centre, box=box, web=web, app=shared.of(web), numbers=numbers)


def fill(day: Day) -> None:
    """Four approved payments, one declined, one cancelled, one in doubt, one inquiry; all at central."""
    for amount_rial in (17_000, 1_250_000, 430_000, 2_810_000):
        day.charge(amount_rial)
    day.charge(90_000, outcome="declined")
    day.charge(510_000, outcome="cancelled")
    day.charge(770_000, outcome="in_doubt")
    day.pay(
        InquiryRequested(
            inquiry_id="q-0001",
            ticket=12,
            service="bill",
            kind="electricity",
            parameter=Sealed(key_id="k-1405-09", ciphertext="AA=="),
            parameter_tail="142",
            operator="maryam",
        ),
        ServiceRequested(
            inquiry_id="q-0002",
            ticket=13,
            service="top_up",
            catalogue_id="builtin",
            fields=Sealed(key_id="k-1405-09", ciphertext="AA=="),
            applicant_tail="789",
            search_key="0" * 64,
            fee_rial=0,
            gate="answer_first",
            print_first=False,
            rules_accepted=True,
            operator="maryam",
        ),
    )
    day.sync()


def settlement(day: Day, *rows: dict[str, object]) -> bytes:
    """Return a settlement file of these rows; each needs `number` (of the payment) and `amount`."""
    today = (day.centre.clock.now() + timedelta(hours=1)).astimezone(TEHRAN).date()
    lines = [",".join(COLUMNS)]
    for row in rows:
        number = int(str(row["number"]))
        cells: dict[str, object] = {
            "psp": "behpardakht",
            "rrn": f"7000{number:08}",
            "stan": f"{number:06}",
            "terminal_id": TERMINAL,
            "merchant_id": "12404580",
            "pan_masked": "603769******4321",
            "currency": "IRR",
            "local_date": str(today),
            "local_time": "11:30:00",
            "financial_date": str(today + timedelta(days=1)),
            "type": "SALE",
            "status": "SUCCESS",
            **{name: value for name, value in row.items() if name != "number"},
        }
        lines.append(",".join(str(cells.get(name, "")) for name in COLUMNS))
    return "\r\n".join(lines).encode()


def with_differences(day: Day) -> bytes:
    """Return a file that agrees on one, differs on one amount, misses two, and holds one of nobody."""
    return settlement(
        day,
        {"number": 1, "amount": 17_000},
        {"number": 2, "amount": 1_251_000},
        {"number": 99, "amount": 420_000},
    )


def other_office(day: Day, office: str, name: str) -> OfficeId:
    """Add an office that nobody has heard of."""
    add_office(day.web.engine, OfficeId(office), name, clock=day.centre.clock)
    return OfficeId(office)
