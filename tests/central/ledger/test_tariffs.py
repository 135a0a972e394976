"""What customers were charged, held against tariff, order and bill; on PostgreSQL."""

import functools

import msgspec
import pytest
from sqlalchemy import Engine

from central.fleet import feed
from central.fleet.keys import CentralKeys
from central.fleet.publishing import publish
from central.ledger.receive import post_entries
from central.ledger.tariffs import STILL_NAMED
from central.reconciliation.queries import cases
from central.reconciliation.views import CaseRow
from shared.catalogue import Service, Tariff
from shared.catalogue_files import built_in_catalogue
from shared.clock import SystemClock
from shared.events import (
    AlarmRaised,
    Body,
    CataloguePublished,
    FeedReceived,
    PaymentRequested,
    ServiceRequested,
    Split,
)
from shared.ids import OfficeId, office_feed
from shared.sealed import Sealed
from tests.central.ingest.offices import Centre
from tests.central.ledger.test_receive import Journal, approved, sent

pytestmark = pytest.mark.postgres

OFFICE = "72101001"
CODE = "licence_negative_score"
FEED = office_feed(OfficeId(OFFICE))
SERVICE = built_in_catalogue().service(CODE)
assert SERVICE is not None
FEE = SERVICE.tariff.fee_rial


def request(inquiry_id: str = "q1", *, fee_rial: int = FEE, catalogue_id: str = "builtin") -> ServiceRequested:
    return ServiceRequested(
        inquiry_id=inquiry_id,
        ticket=1,
        service=CODE,
        catalogue_id=catalogue_id,
        fields=Sealed(key_id="k", ciphertext="AAAA"),
        applicant_tail="388",
        search_key="5c" * 32,
        fee_rial=fee_rial,
        gate="fee_first",
        print_first=False,
        rules_accepted=True,
        operator="sara",
    )


def fee(inquiry_id: str = "q1", *, amount_rial: int = FEE, split: Split | None = None) -> tuple[Body, ...]:
    tariff = SERVICE.tariff if SERVICE else Tariff()
    shares = {name: getattr(tariff, name) for name in ("company_rial", "provider_rial", "office_rial", "vat_rial")}
    asked = PaymentRequested(
        payment_id=f"fee-{inquiry_id}",
        obligation=f"fee:{inquiry_id}",
        purpose="inquiry_fee",
        amount_rial=amount_rial,
        split=split or Split(gross_rial=amount_rial, **shares),
        method="pcpos",
        terminal="counter-1",
        reference="1",
        operator="sara",
        inquiry_id=inquiry_id,
        service=CODE,
    )
    return asked, sent(asked.payment_id), approved(asked.payment_id, amount_rial=amount_rial)


class Books:
    def __init__(self, engine: Engine, keys: CentralKeys) -> None:
        self.engine = engine
        self._append = functools.partial(feed.append, clock=SystemClock(), signer=keys.feed)
        self._journal = Journal(OFFICE)

    def post(self, *bodies: Body) -> None:
        with self.engine.begin() as connection:
            post_entries(connection, object(), self._journal.entries(*bodies))

    def publish(self, name: str, fee_rial: int) -> FeedReceived:
        """Sign a catalogue onto the office's feed; return what its box writes when it has it."""
        assert SERVICE is not None
        tariff = Tariff(fee_rial=fee_rial, company_rial=fee_rial)
        services: tuple[Service, ...] = (msgspec.structs.replace(SERVICE, tariff=tariff),)
        with self.engine.begin() as connection:
            publish(connection, OFFICE, CataloguePublished(catalogue_id=name, services=services), self._append)
            index = len(feed.read(connection, FEED, 0, 100)) - 1
        return FeedReceived(feed=FEED, first=index, last=index, head="00" * 32)

    def cases(self) -> list[CaseRow]:
        with self.engine.connect() as connection:
            return [case for case in cases(connection) if case.kind == "tariff_differs"]


@pytest.fixture
def books(centre: Centre) -> Books:
    return Books(centre.engine, centre.keys)


def test_a_fee_by_the_tariff_is_nobodys_concern(books: Books) -> None:
    books.post(request(), *fee())
    assert books.cases() == []


def test_a_fee_that_is_not_the_tariffs_is_a_case_of_its_payment(books: Books) -> None:
    books.post(request(fee_rial=FEE + 7))
    (asked,) = books.cases()
    assert (asked.facts["differs"], asked.amount_rial, asked.payment_id, asked.state) == ("fee", 0, None, "open")
    books.post(*fee(amount_rial=FEE + 7))
    charged, asked = sorted(books.cases(), key=lambda case: case.payment_id is None)
    assert (charged.payment_id, charged.amount_rial, charged.state, asked.state) == ("fee-q1", 7, "open", "closed")
    assert (charged.facts["expected_rial"], charged.facts["charged_rial"]) == (FEE, FEE + 7)


def test_a_request_that_comes_after_its_fee_is_compared_too(books: Books) -> None:
    books.post(*fee(amount_rial=FEE - 5))
    books.post(request())
    (case,) = books.cases()
    # Too little is nothing that the customer is owed.
    assert (case.payment_id, case.facts["differs"], case.amount_rial) == ("fee-q1", "fee", 0)


def test_shares_that_are_not_the_tariffs_are_a_case(books: Books) -> None:
    books.post(request(), *fee(split=Split(gross_rial=FEE, company_rial=0, office_rial=FEE)))
    assert [case.facts["differs"] for case in books.cases()] == ["shares"]


def test_a_box_sells_by_what_its_own_journal_says_it_has(books: Books) -> None:
    heard = books.publish("catalogue-new", FEE + 1)
    # Published, and not there yet: the office sells by the old one.
    books.post(request("q1"))
    books.post(heard, request("q2", fee_rial=FEE + 1, catalogue_id="catalogue-new"))
    # Typed while it came.
    books.post(request("q3"))
    assert books.cases() == []
    later = (AlarmRaised(kind="any", detail=str(n)) for n in range(STILL_NAMED))
    books.post(*later, request("q4"))
    (case,) = books.cases()
    assert (case.facts["differs"], case.facts["inquiry"], case.facts["in_force"]) == (
        "catalogue",
        "q4",
        "catalogue-new",
    )


def test_a_catalogue_that_a_box_refused_with_an_alarm_is_not_what_it_sells_by(books: Books) -> None:
    books.post(
        books.publish("catalogue-odd", FEE + 1), AlarmRaised(kind="catalogue_refused", detail="catalogue-odd: x")
    )
    books.post(*(AlarmRaised(kind="any", detail=str(n)) for n in range(STILL_NAMED + 1)), request())
    assert books.cases() == []


def test_a_catalogue_that_nobody_signed_is_a_case(books: Books) -> None:
    books.post(request(catalogue_id="catalogue-of-nobody"))
    assert [case.facts["differs"] for case in books.cases()] == ["unknown_catalogue"]


def test_a_bill_charged_with_another_amount_than_its_own_is_a_case(books: Books) -> None:
    asked = PaymentRequested(
        payment_id="pay-1",
        obligation="bill:7748317800142:1770160",
        purpose="bill",
        amount_rial=18_000,
        split=Split(gross_rial=18_000, company_rial=18_000),
        method="pcpos",
        terminal="counter-1",
        reference="1",
        operator="sara",
        bill_id="7748317800142",
        bill_payment_id="1770160",
    )
    books.post(asked, sent(), approved(amount_rial=18_000))
    (case,) = books.cases()
    assert (case.facts["differs"], case.facts["expected_rial"], case.amount_rial) == ("bill", 17_000, 1_000)
