"""Requests for services of the built-in catalogue, their fees and orders, against the sandbox provider."""

from typing import Any

import msgspec
from sqlalchemy import Engine, select

from central.fleet.keys import CentralKeys
from central.providers.breaker import CircuitBreaker
from central.providers.connector import ProviderConnector
from central.providers.gateway import GatewayConnector
from central.providers.rahvar import RahvarConnector
from central.providers.worker import WorkReport, work_provider_tasks
from central.store.services import service_request
from shared.answer_document import AnswerDocument, Payable
from shared.catalogue import Service
from shared.catalogue_files import built_in_catalogue
from shared.clock import SystemClock
from shared.events import (
    FULFILMENT_PURPOSE,
    SERVICE_ANSWER_PURPOSE,
    SERVICE_FIELDS_PURPOSE,
    SERVICE_IMAGE_PURPOSE,
    Body,
    Evidence,
    PaymentApproved,
    PaymentRequested,
    PaymentSent,
    ServiceAnswered,
    ServiceRequested,
    Split,
)
from shared.sealed import Sealed, seal, unseal
from tests.central.providers.worlds import OFFICE, World

CAR = "992728388"
OTHER_CAR = "673034110"
OWNER = {"national_code": "0499370899", "mobile": "09123456789"}


class ServiceWorld(World):
    """A world with the routes of services."""

    def __init__(self, engine: Engine, provider_url: str, keys: CentralKeys) -> None:
        super().__init__(engine, provider_url, keys)
        # A deadline that a busy machine keeps: what is slow on purpose is slower.
        self.deadline_ms = 4_000
        url, clock = provider_url, SystemClock()
        self.gateway = GatewayConnector(url, clock=clock, name="gateway", deadline_ms=self.deadline_ms)
        self.rahvar = RahvarConnector(url, clock=self.clock, deadline_ms=self.deadline_ms)
        self.desks = {
            name: msgspec.structs.replace(self.desk, route=name, connector=connector, breaker=self._breaker())
            for name, connector in self._connectors().items()
        }

    def _connectors(self) -> dict[str, ProviderConnector]:
        return {"billing": self.connector, "gateway": self.gateway, "rahvar": self.rahvar}

    def _breaker(self) -> CircuitBreaker:
        return CircuitBreaker(self.clock, failures_max=3, open_for_ms=30_000)

    def close(self) -> None:
        self.gateway.close()
        self.rahvar.close()
        super().close()

    def service(self, code: str) -> Service:
        found = built_in_catalogue().service(code)
        assert found is not None
        return found

    def ask(self, inquiry_id: str, code: str, *, catalogue_id: str = "builtin", **fields: str) -> ServiceRequested:
        service = built_in_catalogue().service(code)
        public = self._data_key.public_key().public_bytes_raw()
        plaintext = msgspec.json.encode(fields)
        return ServiceRequested(
            inquiry_id=inquiry_id,
            ticket=7,
            service=code,
            catalogue_id=catalogue_id,
            fields=seal(plaintext, key_id="k1", public_key=public, purpose=SERVICE_FIELDS_PURPOSE),
            applicant_tail="388",
            search_key="0" * 64,
            fee_rial=0 if service is None else service.tariff.fee_rial,
            gate="answer_first" if service is None else service.gate,
            print_first=False if service is None else service.print_first,
            rules_accepted=True,
            operator="op",
        )

    def fee(self, inquiry_id: str, code: str = "car_fines_detail") -> tuple[Body, ...]:
        """The entries of a fee that is charged."""
        tariff = self.service(code).tariff
        split = Split(
            gross_rial=tariff.fee_rial,
            company_rial=tariff.company_rial,
            provider_rial=tariff.provider_rial,
            office_rial=tariff.office_rial,
            vat_rial=tariff.vat_rial,
        )
        request = PaymentRequested(
            payment_id=f"fee-{inquiry_id}",
            obligation=f"fee:{inquiry_id}",
            purpose="inquiry_fee",
            amount_rial=tariff.fee_rial,
            split=split,
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            inquiry_id=inquiry_id,
            service=code,
        )
        return (request, *_charged(request))

    def pay_order(self, payment_id: str, inquiry_id: str | None, code: str, payable: Payable, **changes: Any) -> None:
        request = PaymentRequested(
            payment_id=payment_id,
            obligation=f"order:{payable.order_id}" if payable.order_id else f"bill:{payable.bill_id}",
            purpose="order" if payable.order_id else "bill",
            amount_rial=payable.amount_rial,
            split=Split(gross_rial=payable.amount_rial, company_rial=payable.amount_rial),
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            bill_id=payable.bill_id,
            bill_payment_id=payable.bill_payment_id,
            inquiry_id=inquiry_id,
            service=code,
            payable=payable.key,
        )
        request = msgspec.structs.replace(request, **changes)
        self.post(request, *_charged(request))

    def work_all(self) -> WorkReport:
        """Work what is due on every route."""
        reports = [work_provider_tasks(self.engine, desk) for desk in self.desks.values()]
        return WorkReport(
            done=sum(report.done for report in reports),
            waiting=sum(report.waiting for report in reports),
            troubled=sum(report.troubled for report in reports),
        )

    def opened(self, sealed: Sealed | None, purpose: str) -> bytes:
        assert sealed is not None
        return unseal(sealed, private_key=self._data_key.private_bytes_raw(), purpose=purpose)

    def document(self, answered: ServiceAnswered) -> AnswerDocument:
        return msgspec.json.decode(self.opened(answered.document, SERVICE_ANSWER_PURPOSE), type=AnswerDocument)

    def picture(self, sealed: Sealed | None) -> bytes:
        return self.opened(sealed, SERVICE_IMAGE_PURPOSE)

    def bought(self, sealed: Sealed | None) -> dict[str, str]:
        return msgspec.json.decode(self.opened(sealed, FULFILMENT_PURPOSE), type=dict[str, str])

    def answer(self) -> ServiceAnswered:
        """The one answer that was told."""
        (told,) = [body for body in self.told() if isinstance(body, ServiceAnswered)]
        return told

    def kept(self, inquiry_id: str) -> Any:
        table = service_request
        with self.engine.connect() as connection:
            return connection.execute(
                select(table).where(table.c.office_id == OFFICE, table.c.inquiry_id == inquiry_id)
            ).one()

    def heard(self, call: str) -> int:
        return int(self.control.get("/control/state").json()["calls"].get(call, 0))


def _charged(request: PaymentRequested) -> tuple[Body, ...]:
    evidence = Evidence(
        source="answer",
        response_code="00",
        amount_rial=request.amount_rial,
        stan="000123",
        rrn="123456789012",
        terminal_number="11223344",
    )
    return (
        PaymentSent(payment_id=request.payment_id, terminal_number="11223344"),
        PaymentApproved(payment_id=request.payment_id, evidence=evidence),
    )
