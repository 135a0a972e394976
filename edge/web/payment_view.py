"""A payment as its page shows it: one status, one sentence, where it stands, what may be pressed. Decides nothing."""

from functools import cache
from typing import Final, Literal

import msgspec

from edge.journal.views import ItemView, ListedPayment
from edge.web.ports.counter import AlarmView, Counter, PaymentView, PrintJob, PrintState, RefundView
from edge.web.transaction_names import naming
from shared.catalogue import Catalogue, Words
from shared.display import STATUSES, Status, StatusKey, payment_status_key
from shared.identifiers import BillType
from shared.ids import item_name
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

StepState = Literal["done", "now", "queued", "todo"]

_S: Final = PaymentState
_STEP_NAMES: Final = ("step.recorded", "step.terminal", "step.card", "step.paid", "step.confirmed")
_AT_PROVIDER: Final = len(_STEP_NAMES) - 1
_AT_STEP: Final[dict[StatusKey, int]] = {
    "waiting_for_terminal": 1,
    "preparing": 1,
    "waiting_for_card": 2,
    "in_doubt": 2,
    "approved": _AT_PROVIDER,
    "stated_charged": _AT_PROVIDER,
    "confirmed": len(_STEP_NAMES),
}
"""Which step is `now`; statuses that are not on the way have none."""

_SENTENCES: Final[dict[StatusKey, str]] = {
    "waiting_for_terminal": "say.queued",
    "preparing": "say.connecting",
    "waiting_for_card": "say.waiting_card",
    "approved": "say.approved",
    "paid": "say.fee_paid",
    "confirmed": "say.confirmed",
    "stated_charged": "say.stated_charged",
    "declined": "say.declined",
    "cancelled": "say.cancelled",
    "not_sent": "say.not_sent",
    "not_charged": "say.not_charged",
    "stated_not_charged": "say.stated_not_charged",
    "reversing": "say.reversing",
    "reversal_in_doubt": "say.reversal_in_doubt",
    "reversed": "say.reversed",
}
_PROGRESS_SENTENCES: Final = {
    "queued": "say.queued",
    "connecting": "say.connecting",
    "waiting_card": "say.waiting_card",
    "processing": "say.processing",
    "cancelling": "say.cancelling",
    "asking": "say.asking",
}
_NOT_SENT_SENTENCES: Final = {
    "restart": "say.not_sent_restart",
    "operator_cancelled": "say.not_sent_cancelled",
    "payment.terminal_locked": "say.not_sent_locked",
    "payment.obligation_held": "say.not_sent_paid",
    "payment.held_elsewhere": "say.not_sent_elsewhere",
    "payment.charge_disputed": "say.not_sent_disputed",
    "fault": "say.not_sent_fault",
}
_DOUBT_REASONS: Final = {
    "no_answer": "doubt.why_no_answer",
    "link_lost": "doubt.why_link_lost",
    "restart": "doubt.why_restart",
    "fault": "doubt.why_fault",
    "mismatch": "doubt.why_mismatch",
    "unclear_code": "doubt.why_unclear_code",
    "bad_answer": "doubt.why_bad_answer",
    "storage": "doubt.why_storage",
    "not_acknowledged": "doubt.why_not_acknowledged",
}
_REVIEW_REASONS: Final = {"already_paid": "review.already_paid", "expired": "review.expired"}
_PAPER: Final[dict[PrintState, str]] = {
    "waiting": "print.waiting",
    "printing": "print.printing",
    "printed": "print.printed",
    "uncertain": "print.uncertain",
    "failed": "print.failed",
}
_NO_CENTRE_CODE: Final = "FA"
"""The terminal's own word that it could not reach its centre: certainly not charged."""
REFUND_STATE_TEXTS: Final[dict[str, str]] = {
    "proposed": "refund.state_proposed",
    "agreed": "refund.state_agreed",
    "dropped": "refund.state_dropped",
    "sent": "refund.state_sent",
    "in_doubt": "refund.state_in_doubt",
    "done": "refund.state_done",
    "refused": "refund.state_refused",
}
OPEN_REFUND: Final = frozenset({"proposed", "agreed", "sent", "in_doubt"})
"""States in which a request stands in the way of another."""
_CANCELLABLE: Final = frozenset({"queued", "connecting", "waiting_card"})


class Step(msgspec.Struct, frozen=True):
    """A station of a payment's way; `name` is a text's key."""

    name: str
    state: StepState


class ItemShown(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a charge of several."""

    number: int
    item: ItemView
    bill_type: BillType | None
    status: Status
    printed_before: bool


class PaymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a payment shows. Members ending in `_text` are keys of texts."""

    payment: PaymentView
    name: Words
    """What it was for, as the history names it."""
    bill_type: BillType | None
    status: Status
    status_key: StatusKey
    sentence_text: str
    steps: tuple[Step, ...]
    doubt_text: str
    review_text: str
    alarms: list[AlarmView]
    refunds: list[RefundView]
    """Requests to give it back, oldest first."""
    refund_texts: dict[str, str]
    """How each state of a request is said."""
    progress: str | None
    ahead: list[PaymentView]
    """Who is before this one at its terminal, the next to be served first."""
    at_terminal: bool
    """Whether the first of those is at the terminal already."""
    paper_text: str
    may_cancel: bool
    may_check: bool
    may_override: bool
    is_disputed: bool
    """It counts as not charged, and a charge of it was spoken of."""
    may_decide_reversal: bool
    may_give_back: bool
    may_print: bool
    may_retry: bool
    items: tuple[ItemShown, ...]
    """The bills of a charge of several."""
    printed_before: bool
    live: bool
    """Whether something on this page may still change by itself."""


def bill_type_of(bill_id: str | None) -> BillType | None:
    """Return the type a bill id names, None without one. The id was checked when the payment was made."""
    return BillType(int(bill_id[-2])) if bill_id else None


def paper_text(jobs: list[PrintJob], printed: int) -> str:
    """Return the key of what is to be said about a paper: the state of its newest job."""
    if jobs:
        return _PAPER[jobs[-1].state]
    return "print.printed" if printed else "print.none"


def ahead_of(counter: Counter, payment: ListedPayment) -> int | None:
    """Return how many payments are ahead of one that waits for its terminal; None of one that does not."""
    if payment.state is not _S.REQUESTED or counter.progress(payment.payment_id) != "queued":
        return None
    return counter.queue_place(payment.payment_id)


def status_key_now(counter: Counter, payment: PaymentView) -> StatusKey:
    """Return a payment's row of the status table; one that waits for its terminal has a word of its own."""
    if ahead_of(counter, payment) is not None:
        return "waiting_for_terminal"
    return payment_status_key(payment.state, payment.confirmation, purpose=payment.purpose)


def _sentence(payment: PaymentView, key: StatusKey, progress: str | None) -> str:
    if payment.late and payment.state in CHARGED:
        return "say.doubled" if payment.doubled else "say.late"
    if payment.state in (_S.REQUESTED, _S.SENT, _S.IN_DOUBT) and progress in _PROGRESS_SENTENCES:
        return _PROGRESS_SENTENCES[progress]
    if key == "not_sent":
        return _NOT_SENT_SENTENCES.get(payment.not_sent_reason or "", "say.not_sent")
    if key == "declined" and payment.response_code == _NO_CENTRE_CODE:
        return "say.declined_no_centre"
    by_acquirer = key == "not_charged" and payment.not_charged_by == "acquirer"
    return "say.not_charged_acquirer" if by_acquirer else _SENTENCES.get(key, "")


@cache
def _steps(key: StatusKey) -> tuple[Step, ...]:
    if key not in _AT_STEP:
        return ()
    now = _AT_STEP[key]
    here: StepState = "queued" if now == _AT_PROVIDER else "now"
    states: list[StepState] = [
        "done" if number < now else here if number == now else "todo" for number in range(len(_STEP_NAMES))
    ]
    return tuple(Step(name, state) for name, state in zip(_STEP_NAMES, states, strict=True))


def review_alarms(counter: Counter, payment_id: str) -> list[AlarmView]:
    """Return the alarms about a payment, one of each kind, the newest."""
    newest = {alarm.kind: alarm for alarm in counter.queries.alarms_about(payment_id)}
    return list(newest.values())


def _may_retry(counter: Counter, payment: PaymentView) -> bool:
    """Return whether the bill may be paid again from here: this time, and any other, it was certainly not charged."""
    if payment.state not in CERTAINLY_UNCHARGED or payment.bill_id is None or payment.bill_payment_id is None:
        return False
    if counter.disputed(payment.obligation) is not None:
        return False
    return all(other.state in CERTAINLY_UNCHARGED for other in counter.queries.payments_of(payment.obligation))


def _items(counter: Counter, payment: PaymentView) -> tuple[ItemShown, ...]:
    return tuple(
        ItemShown(
            number=number,
            item=item,
            bill_type=bill_type_of(item.bill_id),
            status=STATUSES[payment_status_key(payment.state, item.confirmation)],
            printed_before=item.printed > 0
            or bool(counter.queries.print_jobs_for(item_name(payment.payment_id, number))),
        )
        for number, item in enumerate(payment.items)
    )


def _ahead(counter: Counter, payment: PaymentView) -> tuple[list[PaymentView], bool]:
    """Return the payments before this one at its terminal, and whether the first of them is being served."""
    for terminal in counter.terminals():
        if payment.payment_id in terminal.queue:
            before = terminal.queue[: terminal.queue.index(payment.payment_id)]
            found = [
                counter.queries.payment(one) for one in ((terminal.payment_id,) if terminal.payment_id else ()) + before
            ]
            return [one for one in found if one is not None], terminal.payment_id is not None
    return [], False


def payment_page(counter: Counter, payment: PaymentView, catalogue: Catalogue | None = None) -> PaymentPage:
    """Return what the page of a payment shows now; `catalogue`, where it is known already, is the one in force."""
    progress = counter.progress(payment.payment_id)
    key = status_key_now(counter, payment)
    under_way = payment.state in (_S.REQUESTED, _S.SENT)
    in_doubt = payment.state is _S.IN_DOUBT
    # What the terminal said cannot be written any more; only a restart tells.
    left_open = under_way and progress is None and counter.journal_failure() is not None
    words = counter.words_taken(payment)
    is_disputed = bool(words) and not in_doubt
    jobs = counter.queries.print_jobs_for(payment.payment_id)
    refunds = counter.queries.refunds_of(payment.payment_id)
    ahead, at_terminal = _ahead(counter, payment) if progress == "queued" else ([], False)
    return PaymentPage(
        payment=payment,
        name=naming(catalogue or counter.catalogue()).payment(payment),
        bill_type=bill_type_of(payment.bill_id),
        status=STATUSES[key],
        status_key=key,
        sentence_text="say.journal_stopped"
        if left_open
        else "say.queued_behind"
        if ahead
        else "say.disputed"
        if is_disputed
        else _sentence(payment, key, progress),
        steps=_steps(key),
        doubt_text=_DOUBT_REASONS.get(payment.in_doubt_reason or "", "doubt.why_no_answer") if in_doubt else "",
        review_text=_REVIEW_REASONS.get(payment.refusal_reason or "", "review.refused")
        if key == "needs_review"
        else "",
        alarms=review_alarms(counter, payment.payment_id),
        refunds=refunds,
        refund_texts=REFUND_STATE_TEXTS,
        progress=progress,
        ahead=ahead,
        at_terminal=at_terminal,
        paper_text=paper_text(jobs, payment.printed),
        may_cancel=under_way and progress in _CANCELLABLE,
        may_check=in_doubt or is_disputed or payment.state is _S.REVERSAL_IN_DOUBT,
        may_override=bool(words),
        is_disputed=is_disputed,
        may_decide_reversal=payment.state is _S.REVERSAL_IN_DOUBT,
        may_give_back=bool(counter.refund_means(payment))
        and not any(refund.state in OPEN_REFUND for refund in refunds),
        may_print=payment.state in CHARGED and not payment.unacknowledged,
        may_retry=_may_retry(counter, payment),
        items=_items(counter, payment),
        printed_before=bool(jobs) or payment.printed > 0,
        live=under_way or in_doubt or is_disputed or payment.state in CHARGED,
    )
