"""Services of the catalogue at the counter's port in memory: requests as a test sets them."""

from collections.abc import Mapping, Sequence

import msgspec

from edge.journal.services import Picture, ServiceRequestView, ServiceView
from edge.journal.views import PaymentView
from shared.answer_document import AnswerDocument, Item, Payable
from shared.catalogue import Catalogue
from shared.catalogue_files import built_in_catalogue
from shared.errors import OperatorError
from shared.payment import PaymentState
from shared.service_fields import applicant_of, check_fields
from shared.service_state import ServiceState

AT = "2026-11-22T10:41:05.000Z"
OWNER = {"plate": "992728388", "national_code": "0499370899", "mobile": "09123456789"}
"""Of the guide's own sample: 99 ل 283 ایران 88."""
TOTAL = AnswerDocument(
    values={"total": "20094000", "bill_id": "5555555511094", "payment_id": "2009413062", "complaint": "ندارد"},
    payable=Payable(key="total", amount_rial=20_094_000, bill_id="5555555511094", bill_payment_id="2009413062"),
)
FINES = AnswerDocument(
    values={"total": "1420000"},
    items=(
        Item(
            key="s1",
            values={
                "type": "توقف در محل ایستادن ممنوع (توقف مطلقاً ممنوع)",
                "place": "تهران خ چهل و هفتم",
                "amount": "800000",
                "date": "1401/05/12",
                "recorded_as": "الصاقی",
                "serial": "8812044",
            },
            payable=Payable(key="s1", amount_rial=800_000, bill_id="1234567800193", bill_payment_id="80010574"),
            image_count=2,
        ),
        Item(
            key="s2",
            values={
                "type": "سرعت غیرمجاز",
                "place": "تهران بزرگراه رسالت غرب قبل رودخانه",
                "amount": "420000",
                "date": "1401/12/02",
                "recorded_as": "دوربین",
                "serial": "8812045",
            },
            payable=Payable(key="s2", amount_rial=420_000, bill_id="8765432123192", bill_payment_id="42011241"),
            image_count=-1,
        ),
        Item(
            key="s3",
            values={"type": "نداشتن معاینه فنی", "place": "تهران", "amount": "200000", "date": "1401/07/07"},
            payable=Payable(key="s3", amount_rial=200_000, bill_id="2468135732094", bill_payment_id="20010711"),
        ),
    ),
)


class FakeServiceReads:
    """Requests as they stand sealed: `edge.web.ports.services.ServiceReads` over a list, newest first."""

    def __init__(self) -> None:
        self.rows: list[ServiceRequestView] = []

    def request(self, inquiry_id: str) -> ServiceRequestView | None:
        return next((row for row in self.rows if row.inquiry_id == inquiry_id), None)

    def requests(self, before_index: int | None, limit: int) -> list[ServiceRequestView]:
        return [row for row in self.rows if before_index is None or row.requested_index < before_index][:limit]


class FakeServices:
    """A part of `FakeCounter`."""

    asked: list[tuple[str, str]]
    service_views: dict[str, ServiceView]
    service_error: OperatorError | None = None
    published: Catalogue | None = None
    """What central published, in place of the built-in one."""
    pictures: dict[tuple[str, int], Picture]

    def next_index(self) -> int:
        raise NotImplementedError

    def publish(self, kind: str, about: str | None = None) -> None:
        raise NotImplementedError

    def catalogue(self) -> Catalogue:
        return self.published or built_in_catalogue()

    def add_request(self, code: str, fields: Mapping[str, str], **members: object) -> ServiceView:
        service = self.catalogue().service(code)
        assert service
        index = self.next_index()
        view = ServiceView(
            inquiry_id=f"q{index}",
            ticket=len(self.service_views) + 1,
            service=service,
            fields=dict(fields),
            applicant=applicant_of(service, fields),
            requested_at=AT,
            requested_index=index,
            operator="reza",
            state=ServiceState.FEE_DUE if service.tariff.fee_rial else ServiceState.WAITING,
            fee_rial=service.tariff.fee_rial,
        )
        self.service_views[view.inquiry_id] = msgspec.structs.replace(view, **members)
        return self.service_views[view.inquiry_id]

    def change_request(self, inquiry_id: str, **members: object) -> None:
        self.service_views[inquiry_id] = msgspec.structs.replace(self.service_views[inquiry_id], **members)
        self.publish("inquiry", inquiry_id)

    def answer(self, inquiry_id: str, document: AnswerDocument, **members: object) -> None:
        """Let the answer be seen, with all of it payable."""
        given: dict[str, object] = {
            "state": ServiceState.SHOWN,
            "outcome": "done",
            "answered_at": AT,
            "document": document,
            "document_state": "open",
            "payable": frozenset(payable.key for payable in document.payables()),
        }
        self.change_request(inquiry_id, **{**given, **members})

    def service_payment(self, amount_rial: int, state: PaymentState, **members: object) -> PaymentView:
        index = self.next_index()
        view = PaymentView(
            payment_id=f"p{index}",
            obligation=f"fee:{index}",
            purpose="inquiry_fee",
            amount_rial=amount_rial,
            state=state,
            method="pcpos",
            terminal="counter-1",
            reference="100200300400500600",
            operator="reza",
            bill_id=None,
            bill_payment_id=None,
            requested_at=AT,
            requested_index=index,
        )
        view = msgspec.structs.replace(view, **members)
        vars(self)["queries"].all_payments[view.payment_id] = view
        return view

    # --- the port ---------------------------------------------------------------------------------------------------

    async def request_service(
        self,
        code: str,
        fields: Mapping[str, str],
        *,
        rules_accepted: bool,
        operator: str,
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        if self.service_error:
            raise self.service_error
        service = self.catalogue().service(code)
        assert service
        assert rules_accepted or not service.rules
        view = self.add_request(code, check_fields(service, fields), operator=operator)
        self.asked.append(("request", view.inquiry_id))
        return view.inquiry_id

    def service_view(self, inquiry_id: str) -> ServiceView:
        if inquiry_id not in self.service_views:
            raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
        return self.service_views[inquiry_id]

    async def pay_fee(
        self,
        inquiry_id: str,
        *,
        operator: str,  # noqa: ARG002 - the port's
        terminal: str | None = None,  # noqa: ARG002 - the port's
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        if self.service_error:
            raise self.service_error
        view = self.service_view(inquiry_id)
        payment = self.service_payment(view.fee_rial, PaymentState.SENT, inquiry_id=inquiry_id)
        self.change_request(inquiry_id, state=ServiceState.FEE_UNDER_WAY, fee=payment)
        self.asked.append(("fee", inquiry_id))
        return payment.payment_id

    async def pay_answer(
        self,
        inquiry_id: str,
        keys: Sequence[str],
        *,
        operator: str,  # noqa: ARG002 - the port's
        terminal: str | None = None,  # noqa: ARG002 - the port's
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        if self.service_error:
            raise self.service_error
        document = self.service_view(inquiry_id).document
        assert document
        amounts = {payable.key: payable.amount_rial for payable in document.payables()}
        payment = self.service_payment(
            sum(amounts[key] for key in keys), PaymentState.SENT, inquiry_id=inquiry_id, purpose="bill"
        )
        self.change_request(
            inquiry_id, payments={**self.service_view(inquiry_id).payments, **dict.fromkeys(keys, payment)}
        )
        self.asked.append(("pay answer", ",".join(keys)))
        return payment.payment_id

    async def retry_service(self, inquiry_id: str, *, operator: str) -> None:  # noqa: ARG002 - the port's
        self.asked.append(("ask again", inquiry_id))

    async def release_service(self, inquiry_id: str, *, reason: str, username: str, password: str) -> None:
        if not reason:
            raise OperatorError("override.reason_missing", field="reason")
        if password != "let the operator in":
            raise OperatorError("auth.wrong", field="password")
        self.asked.append(("release", f"{inquiry_id} {username}"))

    async def show_service(self, inquiry_id: str, *, operator: str) -> None:  # noqa: ARG002 - the port's
        self.asked.append(("show", inquiry_id))

    async def ask_image(self, inquiry_id: str, item: str, *, operator: str) -> None:  # noqa: ARG002 - the port's
        self.asked.append(("image", f"{inquiry_id} {item}"))

    def image(self, inquiry_id: str, item: str, number: int) -> Picture | None:
        self.service_view(inquiry_id)
        return self.pictures.get((item, number))

    async def print_service_receipt(self, inquiry_id: str, *, operator: str) -> str:  # noqa: ARG002 - the port's
        self.asked.append(("service receipt", inquiry_id))
        return "j9"
