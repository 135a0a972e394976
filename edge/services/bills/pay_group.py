"""Pay bills that were put together: one charge for all, or one charge each, and again those that were not charged.

All intents of a press are journaled in one commit, or none: nobody has to remember what was left when the power fails
after the second of five. Charges of one each wait for the same terminal, one after another, and what becomes of one
does not touch those behind it; a person may drop those that still wait.
"""

from collections.abc import Callable, Sequence

from edge.journal.bill_groups import GroupLine, GroupView
from edge.services.bills.bill_group import group_view
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.wanted import Wanted, bill_wanted, bills_wanted, check_bills
from edge.store.queries import Queries
from shared.errors import OperatorError
from shared.identifiers import Bill
from shared.payment import PaymentState


class PayGroup:
    """Takes groups of bills. `name` is that of `Idempotent.run`: what is made follows from it."""

    def __init__(
        self,
        *,
        queries: Queries,
        payments: TakePayment,
        documents: PrintDocuments,
        may_begin: Callable[[str], None],
    ) -> None:
        """`may_begin` raises where an operator may begin no payment of bills now."""
        self._queries = queries
        self._payments = payments
        self._documents = documents
        self._may_begin = may_begin

    # --- what can be seen --------------------------------------------------------------------------------------------

    def view(self, group_id: str) -> GroupView:
        """See `edge.services.bills.bill_group.group_view`."""
        return group_view(self._queries, group_id)

    # --- asked by people and programs --------------------------------------------------------------------------------

    async def pay(
        self,
        bills: Sequence[Bill],
        *,
        one_charge: bool,
        operator: str,
        terminal: str | None = None,
        name: str,
    ) -> str:
        """Begin to pay bills together; return the group's id.

        Raises what `check_bills`, `may_begin` and `TakePayment.request_all` raise; nothing was sent then.
        """
        check_bills(bills)
        group_id = f"g{name}"
        await self._begin(bills, group_id, name, one_charge=one_charge, operator=operator, terminal=terminal)
        return group_id

    async def pay_again(
        self,
        group_id: str,
        *,
        one_charge: bool,
        operator: str,
        obligations: Sequence[str] = (),
        terminal: str | None = None,
        name: str,
    ) -> None:
        """Begin to pay those bills of a group that are certainly not charged; some of them where `obligations` say so.

        Raises OperatorError `bill.no_group`, `bill.nothing_left`, or as `pay` does.
        """
        group = self.view(group_id)
        if any(payment.payment_id in _names(name, len(group.lines)) for payment in group.payments):
            return
        left = [line.bill for line in group.free if not obligations or line.obligation in obligations]
        if not left:
            raise OperatorError("bill.nothing_left", group_id=group_id)
        await self._begin(left, group_id, name, one_charge=one_charge, operator=operator, terminal=terminal)

    async def _begin(
        self,
        bills: Sequence[Bill],
        group_id: str,
        name: str,
        *,
        one_charge: bool,
        operator: str,
        terminal: str | None,
    ) -> None:
        self._may_begin(operator)
        charges: list[Wanted] = (
            [bills_wanted(bills, group_id=group_id)]
            if one_charge
            else [bill_wanted(bill, group_id=group_id) for bill in bills]
        )
        wanted = dict(zip(_names(name, len(charges)), charges, strict=True))
        await self._payments.request_all(wanted, operator=operator, terminal=terminal)

    async def stop(self, group_id: str) -> None:
        """Drop the payments of a group that still wait for their terminal, the last one first. Raises as `view`."""
        waiting = [
            line.payment.payment_id
            for line in self.view(group_id).lines
            if line.payment.group_id == group_id and self._is_waiting(line)
        ]
        for payment_id in dict.fromkeys(reversed(waiting)):
            try:
                await self._payments.cancel(payment_id)
            except OperatorError as error:
                # Its turn came or it ended while the button was on its way.
                if error.code != "payment.not_waiting":
                    raise

    def _is_waiting(self, line: GroupLine) -> bool:
        payment = line.payment
        return payment.state is PaymentState.REQUESTED and self._payments.progress(payment.payment_id) == "queued"

    def may_stop(self, group: GroupView) -> bool:
        """Return whether a payment of a group still waits for its terminal."""
        return any(self._is_waiting(line) for line in group.lines if line.payment.group_id == group.group_id)

    async def print_slip(self, group_id: str) -> str:
        """Spool the slip of a group and return the job. Raises as `view`, or OperatorError `bill.nothing_paid`."""
        group = self.view(group_id)
        if not any(line.state in ("paid", "confirmed", "refused", "in_doubt") for line in group.lines):
            raise OperatorError("bill.nothing_paid", group_id=group_id)
        return await self._documents.request_group_slip(group.slip_about)

    async def print_receipts(self, group_id: str) -> None:
        """Spool a receipt of its own for each paid bill of a group. Raises as `view`."""
        for line in self.view(group_id).lines:
            if line.is_paid:
                await self._documents.request_receipt(line.payment.payment_id, line.item)


def _names(name: str, count: int) -> list[str]:
    """Return our ids of the payments of a press, by which a repeated one is the same."""
    return [f"p{name}", *(f"p{name}{number}" for number in range(2, count + 1))]
