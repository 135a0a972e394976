"""What matching compares: payments as the journals tell them, lines as acquirers' files do; and their hashes."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

import msgspec

from shared.payment import CERTAINLY_UNCHARGED, PaymentState

LineType = Literal["SALE", "BILL", "REVERSAL", "REFUND", "ADVICE"]
LineStatus = Literal["SUCCESS", "FAILED", "REVERSED"]

PaymentKey = tuple[str, str]
"""Office, payment id."""
LineKey = tuple[str, int]
"""File id, line number."""

SAID_NOT_CHARGED: Final = (CERTAINLY_UNCHARGED | {PaymentState.REQUESTED}) - {PaymentState.REVERSED}
"""States in which the office says that no money was taken."""


class PaymentInput(msgspec.Struct, frozen=True, kw_only=True):
    """A payment. `local_date` is the day in Iran by the box's claim, or by arrival when it claims nothing usable."""

    office_id: str
    payment_id: str
    amount_rial: int
    state: PaymentState
    local_date: date
    terminal_number: str | None = None
    rrn: str | None = None
    stan: str | None = None
    slip_number: str | None = None
    ordinal: int = 0
    """Its place among all payments in the order central heard of them."""
    pays_bill: bool = False
    """Whether its terminal was told to pay the bill by its ids."""
    covered_to: date | None = None
    """The last financial date that the files of its terminal's acquirer reach; None: nobody knows whose it is."""

    @property
    def key(self) -> PaymentKey:
        """Return its name."""
        return self.office_id, self.payment_id

    @property
    def value_rial(self) -> int:
        """Return what the office says was taken; money in doubt counts in full."""
        not_taken = self.state in SAID_NOT_CHARGED or self.state is PaymentState.REVERSED
        return 0 if not_taken else self.amount_rial


class LineInput(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a settlement file."""

    file_id: str
    line_number: int
    terminal_id: str
    rrn: str
    stan: str
    amount_rial: int
    local_date: date
    financial_date: date
    type: LineType
    status: LineStatus
    original_rrn: str = ""
    share_of: str = ""

    @property
    def key(self) -> LineKey:
        """Return its name."""
        return self.file_id, self.line_number

    @property
    def value_rial(self) -> int:
        """Return the money it moved towards us: minus for a reversal or refund, nothing for a row without effect."""
        if self.status != "SUCCESS" or self.type == "ADVICE":
            return 0
        return -self.amount_rial if self.type in ("REVERSAL", "REFUND") else self.amount_rial


def number_key(text: str | None) -> str | None:
    """Return a number as it is compared: without leading zeros; all zeros and nothing are no number."""
    return (text or "").strip().lstrip("0") or None


def inputs_sha256(inputs: Iterable[PaymentInput] | Iterable[LineInput]) -> bytes:
    """Return the hash of inputs, whatever order they come in: SHA-256 of their deterministic JSON, a line each."""
    encoder = msgspec.json.Encoder(order="deterministic")
    digest = hashlib.sha256()
    for given in sorted(inputs, key=lambda each: each.key):
        digest.update(encoder.encode(given) + b"\n")
    return digest.digest()
