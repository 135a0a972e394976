"""The slip of bills that were put together: each stands for itself, and only what is paid is in the sum."""

from collections.abc import Sequence
from typing import Any

from edge.journal.bill_groups import GroupLine
from edge.services.papers.documents import Letterhead
from shared.clock import parse_instant
from shared.errors import BugError
from shared.paper_facts import GroupBill, GroupSlipFacts
from shared.paper_filling import compose
from shared.receipt import Receipt, receipt_url


def group_slip_of(lines: Sequence[GroupLine], head: Letterhead, *, copy: bool) -> Receipt:
    """Return the slip of these bills. Raises BugError `print.nothing_to_print` for none."""
    if not lines:
        raise BugError("print.nothing_to_print", about="group")
    # It is proved by the newest charge; the receipt of each bill is proved by its own.
    paid = [line.payment for line in lines if line.is_paid and line.payment.outcome_leaf is not None]
    newest = max(paid or [line.payment for line in lines], key=lambda payment: payment.requested_index)
    at: dict[str, Any] = {"paid_at": parse_instant(newest.outcome_at or newest.requested_at)}
    if newest.outcome_index is not None and newest.outcome_leaf is not None:
        at["verify_url"] = receipt_url(head.verify_base, head.journal_id, newest.outcome_index, newest.outcome_leaf)
    facts = GroupSlipFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        bills=tuple(_bill(line) for line in lines),
        terminal_number=newest.terminal_number,
        operator=newest.operator,
        **at,
    )
    return compose(facts, copy=copy, training=head.demo)


def _bill(line: GroupLine) -> GroupBill:
    return GroupBill(
        bill_kind=line.bill.kind,
        bill_id=line.bill.bill_id,
        bill_payment_id=line.bill.payment_id,
        amount_rial=line.bill.amount_rial,
        state=line.state,
        stan=line.payment.stan if line.is_paid else None,
        rrn=line.payment.rrn if line.is_paid else None,
    )
