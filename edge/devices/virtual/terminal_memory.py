"""What the virtual terminal remembers, in a file, as a real one does in its flash: it outlives power cuts.

The file is JSON: `{"stan": last one given, "transactions": [...]}`. It is written whole, made durable and renamed
before a charge is answered, so a terminal that dies after charging still knows the charge.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec


class Transaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sale that came to an end at the terminal. `charged` is the truth about the customer's account."""

    reference: str | None
    number: str | None
    amount_rial: int
    code: str
    charged: bool
    stan: str
    rrn: str
    date: str
    """In the family's calendar, Tehran."""
    time: str
    bin6: str
    last4: str
    terminal_number: str
    merchant_number: str
    charged_at: str
    """RFC 3339, UTC."""
    acknowledged: bool = False
    """The PC said that it has the approval; where nobody has to, nobody does."""
    reversed_by: Literal["", "itself", "order"] = ""
    """Who undid it: the terminal, because nobody acknowledged it, or the PC's order."""
    receipt: str = ""
    """The receipt's number, where sales have one."""
    reversal_stan: str = ""
    """The trace of what undid it, where that has one."""


class _Content(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    stan: int
    transactions: list[Transaction] = []


class TerminalMemory:
    """The transactions, oldest first. Without a path they are kept as long as the object."""

    def __init__(self, path: Path | None, *, first_stan: int) -> None:
        """Read the file if it is there. Raises msgspec.DecodeError when it is no memory of this kind."""
        self._path = path
        self._content = _Content(stan=first_stan)
        if path is not None and path.exists():
            self._content = msgspec.json.decode(path.read_bytes(), type=_Content)

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Return all of them, oldest first."""
        return tuple(self._content.transactions)

    def next_stan(self) -> str:
        """Return a new STAN, six digits, never 000000."""
        self._content.stan = self._content.stan % 999_999 + 1
        return f"{self._content.stan:06d}"

    def add(self, transaction: Transaction) -> None:
        """Remember a transaction durably."""
        self._content.transactions.append(transaction)
        self._keep()

    def change(self, transaction: Transaction, changed: Transaction) -> None:
        """Remember durably what became of a transaction that is there."""
        at = self._content.transactions.index(transaction)
        self._content.transactions[at] = changed
        self._keep()

    def _keep(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self._content)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    def charged(self, reference: str) -> Transaction | None:
        """Return the successful sale of that reference, or None."""
        found = (one for one in self._content.transactions if one.charged and one.reference == reference)
        return next(found, None)

    def last_charged(self) -> Transaction | None:
        """Return the newest successful sale, or None."""
        return next((one for one in reversed(self._content.transactions) if one.charged), None)
