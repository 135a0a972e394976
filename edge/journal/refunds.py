"""What became of a charge afterwards, as frozen structs: the acquirer's word about it, and requests to give it back."""

from typing import Final, Literal

import msgspec

RefundMeans = Literal["reversal", "void", "central"]
"""Who gives the money back: the terminal undoes its newest sale, it undoes one before settlement, finance refunds."""

RefundState = Literal["proposed", "agreed", "dropped", "sent", "in_doubt", "done", "refused"]
"""Of a request to give back. `agreed`: with `central` finance's case, else the terminal is told next; `sent`,
`in_doubt`: told; `done`: the sale is undone; `refused`: the sale stands."""

OPEN_REFUND: Final[frozenset[RefundState]] = frozenset({"proposed", "agreed", "sent", "in_doubt"})
"""States in which somebody still has something to do about a request."""

TOLD_REFUND: Final[frozenset[RefundState]] = frozenset({"sent", "in_doubt", "done", "refused"})
"""States of a request whose terminal was told."""


class AcquirerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the acquirer's records say of a payment, in the order central told it."""

    number: int
    payment_id: str
    charged: bool
    about: Literal["sale", "reversal"] = "sale"
    """With `reversal`, `charged` says that the sale stands and was not undone."""
    refund_id: str | None = None
    """The request whose reversal it is about."""
    source: Literal["settlement", "acquirer"]
    acquirer: str
    amount_rial: int | None = None
    rrn: str | None = None
    stan: str | None = None
    terminal_number: str | None = None
    file_sha256: str | None = None
    file_row: int | None = None
    received_index: int
    """Index of the `feed.received` that brought it."""


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A request to give a payment back, as the journal has it now."""

    refund_id: str
    payment_id: str
    means: RefundMeans
    amount_rial: int
    operator: str
    reason: str
    state: RefundState
    proposed_at: str
    proposed_index: int
    proposed_leaf: str
    decided_by: str | None = None
    """Who agreed, or dropped it."""
    decided_at: str | None = None
    outcome_reason: str = ""
    """Why it was dropped, refused, or is in doubt."""
