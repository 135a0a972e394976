"""What pages and the API ask of the box about bills that are paid together, and about bills that were paid."""

from collections.abc import Sequence
from typing import Protocol

from edge.journal.bill_groups import GroupLine, GroupView
from edge.journal.views import PaymentView
from shared.identifiers import Bill

__all__ = ["BillQueries", "GroupLine", "GroupView", "Groups"]


class BillQueries(Protocol):
    """What the journal says of bills by what stands on their papers."""

    def payments_by_paper(self, digits: Sequence[str], before_index: int | None, limit: int) -> list[PaymentView]:
        """Return payments of bills that carry one of these numbers as bill id or payment id, newest first."""


class Groups(Protocol):
    """Bills that are paid together."""

    def view(self, group_id: str) -> GroupView:
        """Return how a group stands. Raises OperatorError `bill.no_group`."""

    async def pay(
        self, bills: Sequence[Bill], *, one_charge: bool, operator: str, terminal: str | None = None, name: str
    ) -> str:
        """Begin to pay bills together; return the group's id, which follows from `name`."""

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
        """Begin to pay those bills of a group that are certainly not charged, or those of them that are named."""

    async def stop(self, group_id: str) -> None:
        """Drop the payments of a group that still wait for their terminal."""

    def may_stop(self, group: GroupView) -> bool:
        """Return whether a payment of a group still waits for its terminal."""

    async def print_slip(self, group_id: str) -> str:
        """Queue the slip of a group; a second one says that it is a copy. Return the print job."""

    async def print_receipts(self, group_id: str) -> None:
        """Queue a receipt of its own for each paid bill of a group."""
