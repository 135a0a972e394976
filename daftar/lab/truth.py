"""What really happened in a workload, each thing with the I/O before which it had happened: what a cut must respect."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "acknowledged",  # key: entry index; value: its leaf. A caller was told that it stands.
    "handed_over",  # key: payment. The amount left for the terminal.
    "charged",  # key: payment. The terminal took the money.
    "told_late",  # key: payment. A terminal that had said no said that it had charged.
    "settled_late",  # key: payment. ... and the box acknowledged that.
    "printed",  # key: payment or inquiry; value: the leaf that stands on the paper, or None.
    "spooled",  # key: print job; value: its state. Acknowledged.
    "operator",  # key: user name; value: name. Acknowledged.
    "session",  # value: the token's digest. Acknowledged.
    "answered",  # key: idempotency key; value: the answer. Acknowledged.
    "cosigned",  # value: a size. A settled exchange was acknowledged.
    "witness",  # value: central as it was after a request.
]


class Happening(NamedTuple):
    """One thing. `at` is the number of I/Os before it: a cut after fewer came before it."""

    at: int
    kind: Kind
    key: str
    value: Any


class Truth:
    """All that happened, in order."""

    def __init__(self) -> None:
        self._happenings: list[Happening] = []

    def note(self, at: int, kind: Kind, key: str = "", value: Any = None) -> None:
        """Keep a happening."""
        self._happenings.append(Happening(at, kind, key, value))

    def all(self, at: int) -> list[Happening]:
        """Return everything that had happened when the power was cut after `at` I/Os."""
        return [one for one in self._happenings if one.at <= at]

    def until(self, at: int, kind: Kind) -> Iterator[Happening]:
        """Yield those of a kind that had happened when the power was cut after `at` I/Os."""
        return (one for one in self._happenings if one.kind == kind and one.at <= at)

    def last(self, at: int, kind: Kind) -> Any:
        """Return the value of the newest of a kind, None when there was none."""
        value = None
        for one in self.until(at, kind):
            value = one.value
        return value
