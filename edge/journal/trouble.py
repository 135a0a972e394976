"""What the writer knows while its medium is at fault: since when, what nobody can say yet, when it looks again."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol

import msgspec

from edge.journal.ports import Head
from shared.errors import DaftarError, DeviceError, IntegrityError

PAUSES_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Pauses before the attempts to open the file anew; the last one again and again."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why the journal takes nothing now, for pages."""

    code: str
    why: str
    since: str
    """Wall time of the box, as an instant."""
    clears: bool
    """Whether the writer tries again by itself; else a person has to."""
    attempts: int = 0


class Asker(Protocol):
    """Whoever waits for the answer of a commit."""

    @property
    def answer(self) -> "Future[Any]":
        """Where the answer goes."""


class Uncertain(msgspec.Struct, frozen=True):
    """A transaction whose commit failed: it stands, or it does not."""

    written: Sequence[tuple[Any, list[Any]]]
    """Its askers and the entries that each would have."""
    head: Head
    """Where the journal ends if it stands."""
    mark: int | None
    """The mark of the file if it stands; None where its entries tell."""


def pause_s(attempts: int) -> float:
    """Return the pause before the next attempt."""
    return PAUSES_S[min(attempts, len(PAUSES_S) - 1)]


def refusal(failure: DaftarError | None) -> DaftarError:
    """Return what callers are told who come after a failure."""
    if isinstance(failure, IntegrityError):
        return IntegrityError("journal.unsound", why=str(failure))
    return DeviceError("journal.stopped", why=str(failure))


def unsaid(stands: bool | None, failure: DaftarError | None) -> DaftarError:  # noqa: FBT001 - three answers, not a switch
    """Return what callers of a failed commit are told that does not stand, or of which nobody can say (None)."""
    if stands is None:
        return DeviceError("journal.uncertain", why=str(failure))
    return DeviceError("journal.not_written", why="the medium failed")
