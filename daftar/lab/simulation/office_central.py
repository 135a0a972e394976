"""Central of the simulation: the product's `sync.central_session` and books without their database.

What an entry means is `central.ledger.posting`'s to say, whether a fee stands `central.ledger.services`'s. Done here,
as `central.ledger` and `central.providers` do with PostgreSQL: keeping the books, and questions that wait their turn.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from central.ledger.booking import Fact, NotPostable, PaymentBook
from central.ledger.giving_back import agreed_for_finance
from central.ledger.items import with_words, words_of
from central.ledger.obligations import paid_by
from central.ledger.posting import PAYMENT_FACTS, book
from central.ledger.services import HAS_RESULT, NO_RESULT, stands
from central.providers.connector import Served
from central.reconciliation.doubts import CONTRADICTABLE
from daftar.lab.simulation.cheap_keys import PUBLIC_KEY, cheap_open, cheap_seal
from daftar.lab.simulation.providers import FINES, SOLD, Providers
from daftar.lab.witness import OFFICE, OFFICE_FEED, Witness
from shared.catalogue import Catalogue, Tariff
from shared.catalogue_files import built_in_catalogue
from shared.events import (
    FULFILMENT_PURPOSE,
    JOURNAL_BODIES,
    SERVICE_ANSWER_PURPOSE,
    SERVICE_FIELDS_PURPOSE,
    AcquirerAnswered,
    AlarmRaised,
    Body,
    CataloguePublished,
    DataKeyMade,
    InquiryAnswered,
    InquiryRequested,
    PaymentConfirmed,
    PaymentInDoubt,
    PaymentOverridden,
    PaymentRefused,
    ServiceAnswered,
    ServiceRequested,
    ServiceRetried,
    decode_body,
)
from shared.payment import CERTAINLY_UNCHARGED, PaymentState
from sync.central_session import Verdict
from sync.checked_request import Checked

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

SETTLES_AFTER_S: Final = 4_000.0
"""How long after it heard of a doubt at a confirming terminal central has the acquirer's file."""
_EVIDENCE_AFTER_S: Final = 900.0
"""How long after a supervisor's word central has what the acquirer's file says of it."""
_STATES_AFTER_S: Final = 1_800.0
"""How long after it heard that its answer agrees with no payment finance has asked the acquirer about it."""
_NOT_NOW_S: Final = 120.0
"""After how long a question that could not be put is tried again."""
_OWN_CATALOGUE: Final = "lab-catalogue"


class Request(msgspec.Struct):
    """A request for a service, as the books have it."""

    body: ServiceRequested
    outcome: str | None = None
    """Of the newest answer."""
    asked: Literal["no", "waits", "never"] = "no"
    """Whether its provider is being asked: never is one that will not answer."""
    round: int = 0
    case_id: str | None = None


class OfficeCentral(Witness):
    """The lab's central; it books what it accepts, and asks providers."""

    def __init__(self, office: "Office") -> None:
        super().__init__(PUBLIC_KEY)
        self._office = office
        self.providers = Providers(office.seed, office.clock)
        self.books: dict[str, PaymentBook] = {}
        self.requests: dict[str, Request] = {}
        self._keys_made: dict[str, bytes] = {}
        self._catalogues = {one.catalogue_id: one for one in (built_in_catalogue(), _own_catalogue())}
        if self.providers.coin(0.5):
            own = self._catalogues[_OWN_CATALOGUE]
            self.publish(OFFICE_FEED, CataloguePublished(catalogue_id=own.catalogue_id, services=own.services))

    def _keep(self, verdict: Verdict) -> None:
        super()._keep(verdict)
        for checked in verdict.main:
            entry = checked.entry
            body = None if entry is None else decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
            if body is not None:
                self._hear(checked, body)
        if verdict.alarms or verdict.quarantine:
            self._office.truth.wrong(f"central raises an alarm: {[alarm.kind for alarm in verdict.alarms]}")
        if verdict.status == "ok":
            self._office.truth.central_cosigned(verdict.size)

    def _hear(self, checked: Checked, body: Body) -> None:
        match body:
            case DataKeyMade():
                self._keys_made[body.key_id] = bytes.fromhex(body.public_key)
            case InquiryRequested():
                self._in(self.providers.delay_s(), self._answer_inquiry, body)
            case ServiceRequested():
                self.requests[body.inquiry_id] = Request(body)
                self._ask(self.requests[body.inquiry_id])
            case ServiceRetried():
                self._ask_anew(self.requests[body.inquiry_id])
            case AlarmRaised(kind="charge_mismatch", payment_id=str(payment_id), detail=detail):
                if detail.startswith("acquirer:"):
                    self._in(_STATES_AFTER_S, self._state, payment_id)
            case _ if isinstance(body, PAYMENT_FACTS):
                self._book(checked, body)

    def _in(self, wait_s: float, what: Any, *about: Any) -> None:
        # Not in the context of the box that asked: a provider answers whatever becomes of it.
        self._office.loop.call_later(wait_s, what, *about, context=self._office.outside)

    # --- payments ----------------------------------------------------------------------------------------------------

    def _book(self, checked: Checked, body: Any) -> None:
        entry, before = checked.entry, self.books.get(body.payment_id)
        if entry is None:
            return
        fact = Fact(
            office_id=str(OFFICE),
            journal_id=entry.journal,
            index=entry.index,
            leaf=checked.leaf,
            at_claim=entry.at,
            body=body,
        )
        try:
            booking = book(before, fact)
        except NotPostable as error:
            self._office.truth.wrong(f"central cannot book {body.type} of {body.payment_id}: {error.code}")
            return
        after = self.books[body.payment_id] = booking.payment
        for item in booking.asks:
            self._in(self.providers.delay_s(), self._confirm, after.payment_id, item)
        if after.pays_bill and words_of(after)[None] == "confirmed":
            self.providers.paid(after.bill_id, after.bill_payment_id)
        if isinstance(body, PaymentInDoubt) and after.confirming:
            # What a terminal that can be asked by reference did, the box has to find out without this.
            self._in(SETTLES_AFTER_S, self._settle, after)
        if isinstance(body, PaymentOverridden) and body.charged:
            self._in(_EVIDENCE_AFTER_S, self._settle, after)
        if after.purpose == "inquiry_fee" and stands(after) and (request := self.requests.get(after.inquiry_id or "")):
            self._ask(request)

    def _settle(self, payment: PaymentBook) -> None:
        """Say what the acquirer's file says of a payment, once its terminal is at rest."""
        terminal = self._office.terminal_of(payment.terminal)
        if not terminal.is_at_rest(payment.reference):
            self._in(600, self._settle, payment)
            return
        took = next((one for one in terminal.kept if one.reference == payment.reference), None)
        self.publish(
            OFFICE_FEED,
            AcquirerAnswered(
                payment_id=payment.payment_id,
                charged=took is not None,
                source="settlement",
                acquirer="lab",
                amount_rial=None if took is None else took.amount_rial,
                rrn=None if took is None else took.rrn,
                stan=None if took is None else took.stan,
                terminal_number=None if took is None else took.terminal_number,
                answered_at="",
            ),
        )

    def _state(self, payment_id: str) -> None:
        """Have two people of finance say what the acquirer's file meant, where nothing else settled it."""
        payment = self.books[payment_id]
        terminal = self._office.terminal_of(payment.terminal)
        took = next((one for one in terminal.kept if one.reference == payment.reference), None)
        if took is None or payment.state not in CONTRADICTABLE | {PaymentState.IN_DOUBT}:
            return
        self.publish(
            OFFICE_FEED,
            AcquirerAnswered(
                payment_id=payment_id,
                charged=True,
                source="acquirer",
                acquirer="lab",
                amount_rial=payment.amount_rial,
                rrn=took.rrn,
                stan=None,
                terminal_number=payment.terminal_number,
                answered_at="",
            ),
        )

    def _confirm(self, payment_id: str, item: int | None) -> None:
        """Put the question whether a payment's provider takes it, as `central.providers.holding` lets it be put."""
        payment = self.books[payment_id]
        if payment.state in CERTAINLY_UNCHARGED:
            # Charged after all it is asked about again.
            self.books[payment_id] = with_words(payment, {item: "none"})
            return
        if payment.state not in (PaymentState.APPROVED, PaymentState.ACKNOWLEDGED) or payment.unacknowledged:
            self._in(_NOT_NOW_S, self._confirm, payment_id, item)
            return
        obligation = paid_by(payment)[item]
        takes = not agreed_for_finance(payment) and self._office.truth.provider_asked(payment_id, obligation)
        takes = takes and self.providers.coin(0.9)
        self.books[payment_id] = with_words(payment, {item: "confirmed" if takes else "refused"})
        about: dict[str, Any] = {"payment_id": payment_id, "provider": "lab", "track_id": "t", "item": item}
        if not takes:
            self._office.truth.provider_refused(payment_id, obligation)
            self.publish(OFFICE_FEED, PaymentRefused(**about, reason="expired", case_id="c"))
            return
        self._office.truth.provider_took(obligation)
        paid = payment if item is None else payment.items[item]
        self.providers.paid(paid.bill_id, paid.bill_payment_id)
        handed = self._fulfilment(payment)
        self.publish(OFFICE_FEED, PaymentConfirmed(**about, provider_reference="r", confirmed_at="", fulfilment=handed))

    def _fulfilment(self, payment: PaymentBook) -> Any:
        request = self.requests.get(payment.inquiry_id or "")
        if payment.purpose != "order" or request is None:
            return None
        return self._sealed(request, {"pin": "0000", "serial": "lab"}, FULFILMENT_PURPOSE)

    # --- what is asked for -------------------------------------------------------------------------------------------

    def _answer_inquiry(self, asked: InquiryRequested) -> None:
        self.publish(OFFICE_FEED, InquiryAnswered(inquiry_id=asked.inquiry_id, outcome="nothing_owed", provider="lab"))

    def fee_of(self, request: Request) -> PaymentBook | None:
        """Return the payment by which a request's fee stands."""
        asked = request.body.inquiry_id
        fees = (one for one in self.books.values() if one.purpose == "inquiry_fee" and one.inquiry_id == asked)
        return next((one for one in fees if stands(one)), None)

    def may_ask(self, request: Request) -> bool:
        """Return whether a request's provider may be asked: by its gate and its fee."""
        asked = request.body
        return asked.gate == "answer_first" or asked.fee_rial == 0 or self.fee_of(request) is not None

    def _ask(self, request: Request) -> None:
        if request.outcome is None and request.asked == "no" and self.may_ask(request):
            request.asked = "waits"
            self._in(self.providers.service_delay_s(), self._serve, request)

    def _ask_anew(self, request: Request) -> None:
        if request.outcome in NO_RESULT and self.may_ask(request):
            request.round += 1
            request.outcome = None
        self._ask(request)

    def _serve(self, request: Request) -> None:
        """Put a request to its provider, unless its fee went back meanwhile."""
        request.asked = "no"
        if not self.may_ask(request):
            return
        asked = request.body
        service = self._catalogues[asked.catalogue_id].service(asked.service)
        if service is None:
            self._office.truth.wrong(f"central does not know {asked.service} of {asked.catalogue_id}")
            return
        public = self._keys_made[asked.fields.key_id]
        fields = msgspec.json.decode(
            cheap_open(asked.fields, public_key=public, purpose=SERVICE_FIELDS_PURPOSE), type=dict[str, str]
        )
        served = self.providers.serve(service, fields, f"{asked.inquiry_id}{request.round}")
        if served is None:
            request.asked = "never"
            return
        self._served(request, served)

    def _served(self, request: Request, served: Served) -> None:
        fee = self.fee_of(request)
        request.outcome = served.outcome
        request.case_id = f"refund/{fee.payment_id}" if fee is not None and served.outcome == "refused" else None
        for debt in served.debts:
            self._office.truth.debt_named(debt.obligation, debt.names)
        document = None
        if served.outcome in HAS_RESULT:
            document = self._sealed(request, served.document, SERVICE_ANSWER_PURPOSE)
        self.publish(
            OFFICE_FEED,
            ServiceAnswered(
                inquiry_id=request.body.inquiry_id,
                outcome=served.outcome,
                document=document,
                provider="lab",
                track_id="t",
                reason=served.reason,
                case_id=request.case_id,
            ),
        )

    def _sealed(self, request: Request, said: Any, purpose: str) -> Any:
        key_id = request.body.fields.key_id
        return cheap_seal(
            msgspec.json.encode(said, order="deterministic"),
            key_id=key_id,
            public_key=self._keys_made[key_id],
            purpose=purpose,
        )


@cache
def _own_catalogue() -> Catalogue:
    """Return what is asked for here of the built-in one, but that all is answered first, and fines cost no fee."""
    built_in = built_in_catalogue()
    services = [one for code in SOLD if (one := built_in.service(code)) is not None]
    own = [msgspec.structs.replace(one, gate="answer_first") for one in services]
    return Catalogue.checked(
        _OWN_CATALOGUE,
        [msgspec.structs.replace(one, tariff=Tariff(), print_first=False) if one.code == FINES else one for one in own],
    )
