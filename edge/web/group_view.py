"""A group of bills as its pages show it: what may be added to it, how each bill stands, what may be pressed."""

from collections.abc import Sequence
from typing import Final

import msgspec

from edge.web.in_the_way import InTheWay, line_status, standing_in_the_way
from edge.web.payment_view import ahead_of, paper_text
from edge.web.ports.counter import Counter, PaymentView
from edge.web.ports.groups import GroupLine, GroupView
from shared.display import STATUSES, Status, StatusKey
from shared.errors import OperatorError
from shared.identifiers import BARCODE_DIGITS, Bill
from shared.ids import bill_obligation, item_name
from shared.payment import CHARGED, DOUBTFUL, UNDER_WAY
from shared.text import fold_number

BILLS_MAX: Final = 50
"""Bills that a group takes; `edge.services.payments.wanted` says the same."""


class DraftLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bill that was put into a group and is not paid yet."""

    bill: Bill
    held: InTheWay | None
    """The payment because of which it cannot be paid here: it is left out."""
    others: tuple[str, ...]
    """The barcodes of the rest: what the group is without it."""

    @property
    def is_good(self) -> bool:
        """Return whether it can be paid."""
        return self.held is None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Bills in the order in which they were read."""

    lines: tuple[DraftLine, ...]

    @property
    def good(self) -> tuple[DraftLine, ...]:
        """Return those that can be paid."""
        return tuple(line for line in self.lines if line.is_good)

    @property
    def amount_rial(self) -> int:
        """Return the sum of those."""
        return sum(line.bill.amount_rial for line in self.good)


def read_draft(counter: Counter, barcodes: Sequence[str]) -> Draft:
    """Return the bills of these barcodes as they stand now; what is no bill's barcode, or comes twice, is dropped."""
    bills: dict[str, Bill] = {}
    for barcode in barcodes[:BILLS_MAX]:
        digits = fold_number(barcode)
        if len(digits) != BARCODE_DIGITS:
            continue
        try:
            bill = counter.read_bill(digits).bill
        except OperatorError:
            continue
        bills.setdefault(bill_obligation(bill.bill_id, bill.payment_id), bill)
    everyone = tuple(bill.barcode for bill in bills.values())
    return Draft(
        lines=tuple(
            _draft_line(counter, bill, tuple(barcode for barcode in everyone if barcode != bill.barcode))
            for bill in bills.values()
        )
    )


def _draft_line(counter: Counter, bill: Bill, others: tuple[str, ...]) -> DraftLine:
    return DraftLine(bill=bill, held=standing_in_the_way(counter, bill), others=others)


class LineShown(msgspec.Struct, frozen=True, kw_only=True):
    """A bill of a group that was begun. Members ending in `_text` are keys of texts."""

    line: GroupLine
    status: Status
    is_now: bool
    """Its payment is at the terminal."""
    may_print: bool
    printed_before: bool
    paper_text: str


class GroupShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a group shows."""

    group: GroupView
    lines: tuple[LineShown, ...]
    free: tuple[GroupLine, ...]
    free_rial: int
    paid_count: int
    doubtful: tuple[PaymentView, ...]
    """Payments in doubt or disputed, whose terminal can be asked."""
    now: LineShown | None
    """The bill whose card is waited for."""
    status: Status | None
    """How the whole stands, where one word says it: not where some are paid and some are not."""
    may_stop: bool
    may_print: bool
    slip_printed_before: bool
    live: bool


def group_shown(counter: Counter, group: GroupView) -> GroupShown:
    """Return what the page of a group shows now."""
    lines = tuple(_line(counter, line) for line in group.lines)
    in_doubt = [line.payment for line in group.lines if line.payment.state in DOUBTFUL]
    disputed = [line.disputed for line in group.lines if line.disputed is not None]
    doubtful = {payment.payment_id: payment for payment in (*in_doubt, *disputed)}
    paid = [line for line in group.lines if line.is_paid]
    under_way = any(line.payment.state in UNDER_WAY for line in group.lines)
    return GroupShown(
        group=group,
        lines=lines,
        free=group.free,
        free_rial=sum(line.bill.amount_rial for line in group.free),
        paid_count=len(paid),
        doubtful=tuple(doubtful.values()),
        now=next((line for line in lines if line.is_now), None),
        status=None if (key := _whole(group, under_way=under_way)) is None else STATUSES[key],
        may_stop=counter.groups.may_stop(group),
        may_print=bool(paid or doubtful),
        slip_printed_before=bool(counter.queries.print_jobs_for(group.slip_about)),
        live=under_way or bool(doubtful) or bool(paid),
    )


def _whole(group: GroupView, *, under_way: bool) -> StatusKey | None:
    """Return the one word for a group; None where no one word is true of all its bills."""
    states = {line.state for line in group.lines}
    if under_way:
        return "waiting_for_card"
    if "in_doubt" in states:
        return "in_doubt"
    if states <= {"paid", "confirmed"}:
        return "confirmed" if states == {"confirmed"} else "approved"
    if states <= {"declined", "not_sent"}:
        return "declined" if "declined" in states else "not_sent"
    return None if states & {"declined", "not_sent"} else "needs_review"


def _line(counter: Counter, line: GroupLine) -> LineShown:
    payment = line.payment
    about = payment.payment_id if line.item is None else item_name(payment.payment_id, line.item)
    jobs = counter.queries.print_jobs_for(about)
    printed = payment.printed if line.item is None else line.printed
    return LineShown(
        line=line,
        status=line_status(counter, payment, line.confirmation),
        is_now=payment.state in UNDER_WAY and ahead_of(counter, payment) is None,
        may_print=payment.state in CHARGED and not payment.unacknowledged,
        printed_before=bool(jobs) or printed > 0,
        paper_text=paper_text(jobs, printed),
    )
