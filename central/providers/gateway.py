"""A provider of the first public shape: bills, inquiries, orders that are made first and carried out once paid.

One question, one track id; a question whose answer was lost is followed by its status, and only what the provider says
it did not do is asked again. An order is approved under the payment's own track id: approved twice, it is told "done
before", which is success. A package is ordered and approved in one go, the order under a name that follows from the
approval's, so that asking for it again finds the same order.
"""

from typing import Any, Final

from central.providers.billing import BillCalls
from central.providers.connector import (
    ConfirmReply,
    NotDone,
    OrderApproval,
    Pending,
    Pictured,
    PictureReply,
    Refused,
    Served,
    ServiceQuestion,
    ServiceReply,
    Taken,
    Trouble,
    Unreached,
)
from central.providers.documents import WHOLE, document
from central.providers.envelope import Credentials, Envelope, EnvelopeWire, code_of, not_done
from central.providers.gateway_answers import flat, offer, offers, order_name, served
from central.providers.gateway_calls import OPERATORS, PARAMETERS, CallShape, shape_of
from central.providers.pictures import PictureWire
from central.providers.values import camel, word
from central.providers.wire import CALL_DEADLINE_MS
from shared.clock import Clock

DEFAULT_CLIENT: Final = "daftar"
_LISTS: Final = frozenset({"pin_products", "package_offers"})
"""Calls whose answer is a list of things to buy."""
_WRONG: Final = frozenset({"VALIDATION_ERROR", "OWNER_MISMATCH"})
_NO_RECORD: Final = frozenset({"NO_RECORD", "RECORD_NOT_FOUND"})
_REFUSED: Final[dict[str, str]] = {
    "SERVICE_DISABLED": "service_disabled",
    "SERVICE_DISABLED_FOR_CUSTOMER": "refused",
    "FORBIDDEN": "not_permitted",
}
_ORDER_REFUSED: Final[dict[str, str]] = {
    "ORDER_EXPIRED": "expired",
    "ORDER_NOT_FOUND": "refused",
    "ORDER_CANCELLED": "refused",
    "AMOUNT_CHANGED": "refused",
    "PRODUCT_UNAVAILABLE": "refused",
    "ALREADY_PAID": "already_paid",
}
_FINISHED: Final = frozenset({"Confirmed"})
_NOT_BEGUN: Final = frozenset({"Requested", "Sent"})
_DEAD: Final = frozenset({"SendingError"})


class GatewayConnector(BillCalls):
    """The provider at `base_url`. Holds HTTP clients; `close` it."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        name: str = "billing",
        credentials: Credentials | None = None,
        paths: dict[str, str] | None = None,
        image_hosts: tuple[str, ...] = (),
        deadline_ms: int = CALL_DEADLINE_MS,
    ) -> None:
        self.name = name
        said = credentials or Credentials(client=DEFAULT_CLIENT)
        self._calls = EnvelopeWire(base_url, credentials=said, clock=clock, deadline_ms=deadline_ms)
        self._client = said.client
        self._paths = paths or {}
        self._pictures = PictureWire(base_url, hosts=image_hosts, clock=clock, deadline_ms=deadline_ms)
        super().__init__(self._calls, said.client)

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()
        self._pictures.close()

    def serve(self, question: ServiceQuestion) -> ServiceReply:
        """Ask for a service of the catalogue."""
        service = question.service
        shape = shape_of(service.call, self._paths)
        envelope = self._ask(shape, question.track_id, self._parameters(question, shape))
        return self._served(question, shape, envelope)

    def serve_status(self, question: ServiceQuestion) -> ServiceReply:
        """Ask what became of that."""
        shape = shape_of(question.service.call, self._paths)
        return self._served(question, shape, self.status(question.track_id))

    def approve(self, order: OrderApproval) -> ConfirmReply:
        """Tell that an order was paid and is to be carried out."""
        if order.call == "pin_products":
            body = {"productCode": order.product, "amount": order.amount_rial}
            return _bought(self._ask(self._shape("pin_charge"), order.track_id, body))
        order_id = order.product
        if order.call == "package_offers":
            made = self._order_package(order)
            if not isinstance(made, str):
                return made
            order_id = made
        call = "charge_approve" if order.call in ("charge_request", "package_offers") else f"{order.call}_approve"
        shape = self._shape(call, method="POST")
        return _carried_out(self._ask(shape, order.track_id, {"orderId": order_id, "amount": order.amount_rial}))

    def approve_status(self, order: OrderApproval) -> ConfirmReply:
        """Ask what became of an order."""
        if order.call == "pin_products":
            track_id, asked = order.track_id[:-1] + "s", {"inquiryTrackId": order.track_id}
            return _bought(self._ask(self._shape("pin_inquiry"), track_id, asked))
        if order.call != "charge_request":
            return _carried_out(self.status(order.track_id))
        # A call of its own, so under a name of its own.
        track_id = order.track_id[:-1] + "s"
        return _order_state(self._ask(self._shape("charge_inquiry"), track_id, {"orderId": order.product}))

    def pictures(self, item: str, *, track_id: str) -> PictureReply:
        """Ask for the pictures of a violation, by its id."""
        envelope = self._ask(self._shape("traffic_offense_image"), track_id, {"offenseId": item})
        if isinstance(envelope, Unreached | Trouble):
            return envelope
        if envelope.status == "FAILED" and code_of(envelope) in _NO_RECORD | _WRONG:
            return Pictured(pictures=())
        if envelope.status != "DONE":
            return not_done(envelope)
        return self._pictures.fetch_named(envelope.members, vehicle="VehicleImageUrl", plate="PlateImageUrl")

    def _shape(self, call: str, *, method: Any = None) -> CallShape:
        shape = shape_of(call, self._paths)
        return shape if method is None else CallShape(path=shape.path, method=method)

    def _ask(self, shape: CallShape, track_id: str, told: dict[str, Any]) -> Envelope | Unreached | Trouble:
        path = shape.path.format(client=self._client)
        if shape.method == "POST":
            return self._calls.call("POST", path, track_id, query={}, body={**shape.constants, **told})
        return self._calls.call("GET", path, track_id, query={**shape.constants, **told})

    @staticmethod
    def _parameters(question: ServiceQuestion, shape: CallShape) -> dict[str, Any]:
        """Return what the provider is told: every field and argument under the provider's name."""
        names = {**PARAMETERS, **shape.parameters}
        told: dict[str, Any] = {names.get(name, camel(name)): value for name, value in question.fields.items()}
        told |= {camel(name): value for name, value in question.service.arguments.items()}
        if "operator" in told:
            told["operator"] = OPERATORS.get(told["operator"], told["operator"])
        if question.service.call == "charge_request":
            told["requestorMobile"] = told.get("mobile", "")
            told["amount"] = int(told["amount"]) if str(told.get("amount", "")).isdecimal() else 0
        return told

    def _served(
        self, question: ServiceQuestion, shape: CallShape, envelope: Envelope | Unreached | Trouble
    ) -> ServiceReply:
        if isinstance(envelope, Unreached | Trouble):
            return envelope
        if envelope.status != "DONE":
            failed = _failure(code_of(envelope)) if envelope.status == "FAILED" else None
            return failed or not_done(envelope)
        result = envelope.result
        if result is None:
            return Trouble(why="no result in the answer")
        service = question.service
        if service.call in _LISTS:
            operator = question.fields.get("operator", "")
            return offers(service, shape, result, operator=operator, track_id=question.track_id)
        if service.call == "charge_request":
            return _ordered(question, envelope.members)
        return served(service, shape, result, track_id=question.track_id)

    def _order_package(self, order: OrderApproval) -> str | ConfirmReply:
        """Return the provider's order for a package, made now or before."""
        track_id = order.track_id[:-1] + "r"
        known = self.status(track_id)
        if isinstance(known, Unreached | Trouble) or known.status != "FAILED":
            return _order_id(known)
        body = {camel(name): value for name, value in order.arguments.items()}
        mobile, operator = order.fields.get("mobile", ""), order.fields.get("operator", "")
        body |= {"mobile": mobile, "requestorMobile": mobile, "operator": OPERATORS.get(operator, operator)}
        told = {**body, "productId": order.product, "amount": order.amount_rial}
        return _order_id(self._ask(self._shape("charge_request"), track_id, told))


def _failure(code: str) -> Served | None:
    """Return what a failure says of a service, or None for one that says nothing for good."""
    if code in _WRONG:
        return Served(outcome="wrong_parameter", reason=code.lower())
    if code in _NO_RECORD:
        return Served(outcome="nothing", reason="no_record")
    if code in _REFUSED:
        return Served(outcome="refused", reason=_REFUSED[code])
    return None


def _ordered(question: ServiceQuestion, members: dict[str, Any]) -> ServiceReply:
    """Return the order that a top-up's request made: it is carried out once it is paid."""
    order_id = word(members.get("orderId"))
    if members.get("completed") is not True or order_id is None:
        return Served(outcome="refused", reason=word(members.get("message")) or "not_completed")
    named = order_name(question.track_id, order_id)
    asked, expires = question.fields.get("amount"), members.get("expiresAt")
    payable, orders = offer(WHOLE, named, asked, product=order_id, expires=expires)
    if payable is None:
        return Trouble(why="no amount to pay")
    made = document(question.service, {**question.fields, **flat(members, {})}, payable=payable)
    return Served(outcome="done", document=made, orders=orders)


def _order_failure(envelope: Envelope) -> Refused | Pending | NotDone | Trouble:
    reason = _ORDER_REFUSED.get(code_of(envelope)) if envelope.status == "FAILED" else None
    if reason == "already_paid":
        return Refused(reason="already_paid")
    if reason is not None:
        return Refused(reason="expired" if reason == "expired" else "refused")
    return not_done(envelope)


def _order_id(envelope: Envelope | Unreached | Trouble) -> str | ConfirmReply:
    """Return the order that a request made, or why there is none."""
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    made = word(envelope.members.get("orderId"))
    if envelope.status == "DONE" and made is not None:
        return made
    return Trouble(why="no order in the answer") if envelope.status == "DONE" else _order_failure(envelope)


def _carried_out(envelope: Envelope | Unreached | Trouble) -> ConfirmReply:
    """Return what an approval's answer says; "done before" is success."""
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    if envelope.status != "DONE":
        return _order_failure(envelope)
    reference = word(envelope.members.get("traceNumber")) or word(envelope.members.get("orderId"))
    if envelope.members.get("completed") is not True or reference is None:
        return Trouble(why="not completed")
    return Taken(provider_reference=reference)


def _order_state(envelope: Envelope | Unreached | Trouble) -> ConfirmReply:
    """Return what an order's state says. What went wrong while it was carried out says nothing: a person looks."""
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    if envelope.status != "DONE":
        return _order_failure(envelope)
    state = word(envelope.members.get("finalStatus")) or ""
    if state in _FINISHED:
        return Taken(provider_reference=word(envelope.members.get("orderId")) or envelope.track_id)
    if state in _NOT_BEGUN:
        return NotDone(why=state)
    return Refused(reason="refused") if state in _DEAD else Pending(why=state or "no state")


def _bought(envelope: Envelope | Unreached | Trouble) -> ConfirmReply:
    """Return what the customer bought: a PIN and its serial."""
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    if envelope.status != "DONE":
        return _order_failure(envelope)
    if envelope.members.get("status") == "FAILED":
        return NotDone(why="FAILED")
    pin, serial = word(envelope.members.get("pin")), word(envelope.members.get("serial"))
    if pin is None:
        return Trouble(why="no PIN in the answer")
    return Taken(provider_reference=serial or envelope.track_id, fulfilment={"pin": pin, "serial": serial or ""})
