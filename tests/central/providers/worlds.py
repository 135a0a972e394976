"""Central's books, one office, and a sandbox provider: what tests of the provider worker stand on."""

import functools
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine

from central.fleet import feed
from central.fleet.keys import CentralKeys
from central.ingest.accepted import Accepted
from central.ledger.queries import trial_balance
from central.ledger.receive import post_entries
from central.providers.breaker import CircuitBreaker
from central.providers.data_keys import DataKeys
from central.providers.desk import ProviderDesk, Timing
from central.providers.gateway import GatewayConnector
from central.providers.queries import tasks
from central.providers.worker import WorkReport, work_provider_tasks
from shared.clock import ClockQuality, SystemClock
from shared.entropy import SystemEntropy
from shared.events import (
    DATA_KEY_PURPOSE,
    FEED_BODIES,
    INQUIRY_CUSTOMER_PURPOSE,
    INQUIRY_PARAMETER_PURPOSE,
    Body,
    DataKeyMade,
    Evidence,
    InquiryRequested,
    PaymentApproved,
    PaymentRequested,
    PaymentSent,
    Split,
    decode_body,
)
from shared.identifiers import parse_bill
from shared.ids import OfficeId, office_feed
from shared.journal.entry import Entry, decode_entry, encode_body, encode_entry, leaf_hash
from shared.sealed import Sealed, seal, unseal

OFFICE = "72101001"
BILL = ("7748317800142", "1770160")
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.elapsed_ms = 0

    def now(self) -> datetime:
        return START + timedelta(milliseconds=self.elapsed_ms)

    def monotonic_ms(self) -> int:
        return self.elapsed_ms

    def quality(self) -> ClockQuality:
        return "ntp"

    def wait(self, seconds: float) -> None:
        self.elapsed_ms += int(seconds * 1000)


class World:
    """Central's books, one office, and the provider."""

    def __init__(self, engine: Engine, provider_url: str, keys: CentralKeys) -> None:
        self.engine = engine
        self.clock = HandClock()
        self.keys = keys
        self.control = httpx.Client(base_url=provider_url, trust_env=False)
        self.connector = GatewayConnector(provider_url, clock=SystemClock(), deadline_ms=400)
        self._indexes = itertools.count()
        self._data_key = X25519PrivateKey.generate()
        self.desk = ProviderDesk(
            connector=self.connector,
            breaker=CircuitBreaker(self.clock, failures_max=3, open_for_ms=30_000),
            append_feed=functools.partial(feed.append, clock=self.clock, signer=keys.feed),
            data_keys=DataKeys(keys.wrapping_private),
            clock=self.clock,
            entropy=SystemEntropy(),
            timing=Timing(unheard_after_ms=30_000),
        )

    def close(self) -> None:
        self.connector.close()
        self.control.close()

    def post(self, *bodies: Body) -> None:
        accepted = []
        for body in bodies:
            index = next(self._indexes)
            entry = Entry(
                v=1,
                journal=f"daftar.journal/{OFFICE}/box-1/1",
                index=index,
                prev="0" * 64,
                boot="b",
                at="2026-11-22T09:59:00.000Z",
                monotonic_ms=index,
                clock="ntp",
                type=body.type,
                body=encode_body(body),
            )
            accepted.append(
                Accepted(
                    office=OFFICE,
                    journal=entry.journal,
                    index=index,
                    leaf=leaf_hash(encode_entry(entry)),
                    entry=entry,
                    body=body,
                    received_at=self.clock.now(),
                )
            )
        with self.engine.begin() as connection:
            post_entries(connection, object(), accepted)

    def request(
        self, payment_id: str, bill: tuple[str, str] = BILL, *, obligation: str | None = None
    ) -> PaymentRequested:
        amount_rial = parse_bill(*bill).amount_rial
        return PaymentRequested(
            payment_id=payment_id,
            obligation=obligation or f"bill:{payment_id}",
            purpose="bill",
            amount_rial=amount_rial,
            split=Split(gross_rial=amount_rial, company_rial=amount_rial),
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            bill_id=bill[0],
            bill_payment_id=bill[1],
        )

    def pay(self, payment_id: str, bill: tuple[str, str] = BILL, *, obligation: str | None = None) -> None:
        amount_rial = parse_bill(*bill).amount_rial
        evidence = Evidence(
            source="answer",
            response_code="00",
            amount_rial=amount_rial,
            stan="000123",
            rrn="123456789012",
            terminal_number="11223344",
        )
        self.post(
            self.request(payment_id, bill, obligation=obligation),
            PaymentSent(payment_id=payment_id, terminal_number="11223344"),
            PaymentApproved(payment_id=payment_id, evidence=evidence),
        )

    def data_key(self) -> DataKeyMade:
        wrapped = seal(
            self._data_key.private_bytes_raw(),
            key_id="k1",
            public_key=self.keys.wrapping_public,
            purpose=DATA_KEY_PURPOSE,
        )
        public = self._data_key.public_key().public_bytes_raw().hex()
        return DataKeyMade(key_id="k1", month="1405-09", public_key=public, wrapped=wrapped.ciphertext)

    def inquiry(self, inquiry_id: str, parameter: str, sealed: Sealed | None = None) -> InquiryRequested:
        public = self._data_key.public_key().public_bytes_raw()
        return InquiryRequested(
            inquiry_id=inquiry_id,
            ticket=1,
            service="bill_inquiry",
            kind="electricity",
            parameter=sealed
            or seal(parameter.encode(), key_id="k1", public_key=public, purpose=INQUIRY_PARAMETER_PURPOSE),
            parameter_tail=parameter[-3:],
            operator="op",
        )

    def open_customer(self, sealed: Sealed) -> Any:
        private = self._data_key.private_bytes_raw()
        return msgspec.json.decode(unseal(sealed, private_key=private, purpose=INQUIRY_CUSTOMER_PURPOSE))

    def work(self) -> WorkReport:
        return work_provider_tasks(self.engine, self.desk)

    def bad_day(self, kind: str, **how: object) -> None:
        self.control.post("/control/bad-day", json={"kind": kind, **how}).raise_for_status()

    def told(self) -> list[Body]:
        """What the office's feed says, its opening left out."""
        with self.engine.connect() as connection:
            signed = feed.read(connection, office_feed(OfficeId(OFFICE)), 1, 100)
        entries = [decode_entry(each.data) for each in signed]
        bodies = [decode_body(entry.type, entry.body, FEED_BODIES) for entry in entries]
        return [body for body in bodies if body is not None]

    def balances(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            trial = trial_balance(connection)
        assert trial.debits_rial == trial.credits_rial
        return {account.code: account.balance_rial for account in trial.accounts if account.balance_rial}

    def calls(self, call: str) -> int:
        """How often the provider heard this call about the one task there is."""
        with self.engine.connect() as connection:
            (task,) = tasks(connection)
        return int(self.control.get("/control/state").json()["calls"].get(f"{call}:{task.track_id}", 0))
