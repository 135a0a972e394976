"""Terms: by what payments, inquiries and acts are found, whatever page asks.

Each entry that a page of the history lists is a document of one index (`edge.store.finding_rows`), named by the
entry's place in the journal; it holds the terms of this module and nothing that a person wrote. A question is a list of
demands that all have to be met, each by any one of its terms. Names and words are no terms: they are looked up, in the
language and catalogue of whoever asks, and give terms. So one index serves both languages, is the same whenever it is
made again, and holds no personal data: who is asked about is known to it by the sealed search key alone.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol

import msgspec

from edge.journal.services import ServiceRequestView
from edge.journal.views import Confirmation, InquiryView
from shared.calendar import jalali_parts
from shared.clock import parse_instant
from shared.events import Body, InquiryRequested, PaymentRequested, Purpose, ReceiptPrinted, ServiceRequested
from shared.identifiers import BillType
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, DOUBTFUL, PaymentState
from shared.service_state import ServiceState

Listed = Literal["payment", "inquiry", "act"]
"""What a document may be, one or more of them."""
PaymentGroup = Literal["under_way", "paid", "failed", "review", "reversed"]
"""How payments are told apart by what became of them; one may be in several."""
InquiryGroup = Literal["waiting", "answered", "unpaid", "review"]

RRN_TAIL: Final = 6
"""Digits at the end of a reference number that are enough to find it: people read them out from its end."""
_CARD_TAIL: Final = 4
_PROGRAM: Final = "api:"


class Term(msgspec.Struct, frozen=True):
    """A term that is looked for; `begins`: any that begins so."""

    text: str
    begins: bool = False


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person did, or a paper that came out, as its entry says it."""

    index: int
    at: str
    body: Body


class NamedPayment(Protocol):
    """The members of a payment by which it is named, see `edge.journal.views.ListedPayment`."""

    @property
    def purpose(self) -> Purpose:
        """What it pays."""

    @property
    def service(self) -> str:
        """The code of the catalogue's service."""

    @property
    def bill_id(self) -> str | None:
        """The bill's id."""


class PaymentFacts(NamedPayment, Protocol):
    """The members of a payment by which it is found, see `edge.journal.views.PaymentView`."""

    @property
    def amount_rial(self) -> int:
        """The amount."""

    @property
    def state(self) -> PaymentState:
        """Where it stands."""

    @property
    def confirmation(self) -> Confirmation:
        """The provider's word."""

    @property
    def late(self) -> bool:
        """Whether it was approved by evidence that came late."""

    @property
    def doubled(self) -> bool:
        """Whether another payment holds the same obligation."""

    @property
    def terminal(self) -> str:
        """Our name of its terminal."""

    @property
    def operator(self) -> str:
        """Who asked for it."""

    @property
    def requested_at(self) -> str:
        """When."""

    @property
    def bill_payment_id(self) -> str | None:
        """The other id of the bill."""

    @property
    def stan(self) -> str | None:
        """The trace number."""

    @property
    def rrn(self) -> str | None:
        """The reference number."""

    @property
    def pan(self) -> str | None:
        """The card, masked."""


Sought = tuple[tuple[Term, ...], ...]
"""Demands: each is met by any of its terms, and all have to be. A demand without terms is met by nothing."""


def met(terms: Iterable[str], sought: Sought) -> bool:
    """Return whether a document of these terms meets all demands."""
    there = frozenset(terms)

    def has(term: Term) -> bool:
        return any(one.startswith(term.text) for one in there) if term.begins else term.text in there

    return all(any(has(term) for term in demand) for demand in sought)


# --- what a term is called ------------------------------------------------------------------------------------------


def listed_term(what: Listed) -> str:
    """Return the term of everything that one page lists."""
    return f"k_{what}"


def type_term(entry_type: str) -> str:
    """Return the term of entries of a type."""
    return f"e_{entry_type.replace('.', '_')}"


def person_term(operator: str) -> str:
    """Return the term of what somebody did, by the name that entries carry."""
    return f"o_{operator.encode().hex()}"


def terminal_term(name: str) -> str:
    """Return the term of payments at a terminal."""
    return f"m_{name.encode().hex()}"


def name_term(name: str) -> str:
    """Return the term of one kind of transaction or inquiry, see `payment_name` and `inquiry_name`."""
    return f"n_{name}"


def group_term(group: PaymentGroup | InquiryGroup) -> str:
    """Return the term of what became of it."""
    return f"s_{group}"


def applicant_term(search_key: str) -> str:
    """Return the term of one applicant in one month."""
    return f"x_{search_key}"


def ticket_term(ticket: int) -> str:
    """Return the term of a ticket's number."""
    return f"t_{ticket}"


def tail_term(tail: str) -> str:
    """Return the term of the last digits of the number that is asked about."""
    return f"l_{tail}"


def amount_term(amount_rial: int) -> str:
    """Return the term of an amount."""
    return f"a_{amount_rial}"


def stan_term(stan: str) -> str:
    """Return the term of a trace number; leading zeros make no other one of it."""
    return f"i_{stan.lstrip('0')}"


def rrn_term(rrn: str) -> str:
    """Return the term of a reference number."""
    return f"r_{rrn}"


def rrn_tail_term(tail: str) -> str:
    """Return the term of the last digits of a reference number."""
    return f"z_{tail}"


def card_tail_term(tail: str) -> str:
    """Return the term of the last digits of a card."""
    return f"c_{tail}"


def bill_term(bill_id: str) -> str:
    """Return the term of a bill's id."""
    return f"b_{bill_id.lstrip('0')}"


def bill_payment_term(bill_payment_id: str) -> str:
    """Return the term of the other id of a bill."""
    return f"y_{bill_payment_id.lstrip('0')}"


def day_terms(year: int, month: int, day: int) -> tuple[str, str, str]:
    """Return the terms of a Jalali year, of its month and of a day in it."""
    return f"d_{year:04}", f"d_{year:04}{month:02}", f"d_{year:04}{month:02}{day:02}"


def _at_terms(at: str) -> tuple[str, ...]:
    try:
        return day_terms(*jalali_parts(parse_instant(at)))
    except (ValueError, OverflowError):
        # A clock that nobody vouches for may stand where no calendar reaches.
        return ()


# --- what is found by what ------------------------------------------------------------------------------------------


BILLS: Final = "bills"
"""The kind that every payment of bills is of as well, whatever their type, alone or together."""
BILL_NAMES: Final = frozenset({"group", *(f"bill_{kind.value}" for kind in BillType)})


def payment_name(payment: NamedPayment) -> str:
    """Return which kind of transaction a payment is: the history names it by this and the catalogue."""
    if payment.purpose == "inquiry_fee":
        return f"fee_{payment.service}"
    if payment.service:
        return f"pay_{payment.service}"
    return bill_name(_bill_type(payment.bill_id)) if payment.bill_id else "group"


def _bill_type(bill_id: str) -> BillType:
    """Return the type a bill's id names. An entry that names none has to find its place here all the same."""
    try:
        return BillType(int(bill_id[-2:-1]))
    except ValueError:
        return BillType.OTHER


def bill_name(kind: BillType) -> str:
    """Return the kind of transaction that pays a bill of a type."""
    return f"bill_{kind.value}"


def inquiry_name(kind: str) -> str:
    """Return which kind of inquiry it is that asks what is owed to a company."""
    return f"owed_{kind}"


def service_name(code: str) -> str:
    """Return which kind of inquiry a request for a service of the catalogue is."""
    return f"service_{code}"


def payment_groups(payment: PaymentFacts, *, alarmed: bool) -> tuple[PaymentGroup, ...]:
    """Return what became of a payment. `alarmed`: an alarm was raised about it.

    In `review` is whatever may need somebody: more than does, for what an alarm was about may be settled since.
    """
    state = payment.state
    groups: list[PaymentGroup] = []
    if state in CHARGED:
        groups.append("paid")
    elif state is PaymentState.REVERSED:
        groups.append("reversed")
    elif state in CERTAINLY_UNCHARGED:
        groups.append("failed")
    else:
        groups.append("under_way")
    if state in DOUBTFUL or alarmed or payment.late or payment.doubled or payment.confirmation == "refused":
        groups.append("review")
    return tuple(groups)


def payment_terms(
    payment: PaymentFacts, *, alarmed: bool = False, search_key: str = "", bills: Iterable[tuple[str, str]] = ()
) -> tuple[str, ...]:
    """Return the terms of a payment, which is an act as well. `bills`: both ids of each bill of a joint charge."""
    terms = [
        listed_term("payment"),
        *_act_terms(PaymentRequested.type, (payment.operator,), payment.requested_at),
        *_name_terms(payment_name(payment)),
        terminal_term(payment.terminal),
        amount_term(payment.amount_rial),
        *(group_term(group) for group in payment_groups(payment, alarmed=alarmed)),
    ]
    for bill_id, bill_payment_id in ((payment.bill_id or "", payment.bill_payment_id or ""), *bills):
        terms += [bill_term(bill_id)] if bill_id else []
        terms += [bill_payment_term(bill_payment_id)] if bill_payment_id else []
    if payment.stan:
        terms.append(stan_term(payment.stan))
    if payment.rrn:
        terms += [rrn_term(payment.rrn), rrn_tail_term(payment.rrn[-RRN_TAIL:])]
    if payment.pan:
        terms.append(card_tail_term(payment.pan[-_CARD_TAIL:]))
    if search_key:
        terms.append(applicant_term(search_key))
    return tuple(dict.fromkeys(terms))


_UNSEEN: Final = frozenset(
    {ServiceState.WAITING, ServiceState.PRINT_FIRST, ServiceState.READY, ServiceState.NEEDS_REVIEW}
)
"""States of a request that was paid for, or costs nothing, and whose answer nobody saw yet."""
_UNPAID: Final = frozenset(
    {ServiceState.FEE_DUE, ServiceState.FEE_UNDER_WAY, ServiceState.FEE_IN_DOUBT, ServiceState.FEE_FAILED}
)


def request_groups(request: ServiceRequestView) -> tuple[InquiryGroup, ...]:
    """Return how a request for a service stands. In `review`: paid for, and led to no result that was seen."""
    state = request.state
    if state in _UNPAID:
        return ("unpaid",)
    first: InquiryGroup = "waiting" if state is ServiceState.WAITING else "answered"
    paid = request.fee_rial > 0 and request.fee_state in CHARGED
    return (first, "review") if state is ServiceState.NEEDS_REVIEW or (paid and state in _UNSEEN) else (first,)


def inquiry_groups(inquiry: InquiryView) -> tuple[InquiryGroup, ...]:
    """Return how an inquiry of what is owed stands."""
    if inquiry.outcome is None:
        return ("waiting",)
    return ("answered", "review") if inquiry.outcome == "refused" else ("answered",)


def request_terms(request: ServiceRequestView) -> tuple[str, ...]:
    """Return the terms of a request for a service, which is an act as well."""
    return (
        listed_term("inquiry"),
        *_act_terms(ServiceRequested.type, (request.operator,), request.requested_at),
        name_term(service_name(request.service)),
        ticket_term(request.ticket),
        applicant_term(request.search_key),
        *(group_term(group) for group in request_groups(request)),
    )


def inquiry_terms(inquiry: InquiryView) -> tuple[str, ...]:
    """Return the terms of an inquiry of what is owed, which is an act as well."""
    bill = [bill_term(inquiry.bill_id)] if inquiry.bill_id else []
    return (
        listed_term("inquiry"),
        *_act_terms(InquiryRequested.type, (inquiry.operator,), inquiry.requested_at),
        name_term(inquiry_name(inquiry.kind)),
        ticket_term(inquiry.ticket),
        tail_term(inquiry.parameter_tail),
        *bill,
        *(group_term(group) for group in inquiry_groups(inquiry)),
    )


def _name_terms(name: str) -> tuple[str, ...]:
    return (name_term(name), name_term(BILLS)) if name in BILL_NAMES else (name_term(name),)


def actors(body: Body) -> tuple[str, ...]:
    """Return who did what an entry says; nobody where the box or central did."""
    named = (getattr(body, "operator", None), getattr(body, "agreed_by", None))
    return tuple(dict.fromkeys([name for name in named if isinstance(name, str) and name]))


def is_act(body: Body) -> bool:
    """Return whether an entry is something that a person did, or a paper that came out."""
    return isinstance(body, ReceiptPrinted) or bool(actors(body))


def act_terms(body: Body, at: str) -> tuple[str, ...]:
    """Return the terms of an act that is told by itself alone."""
    return _act_terms(body.type, actors(body), at)


def _act_terms(entry_type: str, people: Sequence[str], at: str) -> tuple[str, ...]:
    # A program that asks in a person's name: found under both.
    behind = [name.rpartition("/")[2] for name in people if name.startswith(_PROGRAM) and "/" in name]
    return (
        listed_term("act"),
        type_term(entry_type),
        *(person_term(name) for name in dict.fromkeys((*people, *behind))),
        *_at_terms(at),
    )
