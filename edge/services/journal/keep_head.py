"""Keep the copy of the journal's head on a second medium current, on a thread of its own: it may hang for ever.

After a commit the copy follows within seconds, many commits at once. A medium that is plugged in later is first held
against the journal: one that names more entries than there are says that this journal lost some.
"""

import threading
from typing import Final

import structlog

from edge.journal.head_copy import FoundHead, HeadCopy, compare
from edge.journal.health_view import HeadCopyView
from edge.journal.signer import Signer
from edge.journal.writer import JournalWriter
from edge.store.queries import Queries
from shared.clock import Clock, instant_text
from shared.errors import DaftarError, IntegrityError

EVERY_S: Final = 5.0
"""The least time between two writes: flash wears, and a burst of commits needs one copy."""
READ_WITHIN_S: Final = 5.0
"""How long a start waits for a medium to say what it holds."""

_log = structlog.get_logger()


class KeepHead:
    """Owner of the copies. `start` its thread, `stop` it; `wake` after commits, from any thread."""

    def __init__(self, copy: HeadCopy, queries: Queries, signer: Signer, writer: JournalWriter, clock: Clock) -> None:
        self._copy = copy
        self._queries = queries
        self._signer = signer
        self._writer = writer
        self._clock = clock
        self._view = HeadCopyView()
        self._known: set[str] = set()
        self._wanted, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="head-copy", daemon=True)

    def view(self) -> HeadCopyView:
        """Return where the newest copy is."""
        return self._view

    def wake(self) -> None:
        """Have the copy follow: something was journaled."""
        self._wanted.set()

    def start(self) -> None:
        """Begin to follow the journal."""
        self._wanted.set()
        self._thread.start()

    def stop(self) -> None:
        """Write the last head, if the medium takes it in time, and end."""
        self._stopping.set()
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join(READ_WITHIN_S)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            last = self._stopping.is_set()
            self._wanted.clear()
            self.write_now()
            if last or (self._stopping.wait(EVERY_S) and not self._wanted.is_set()):
                return

    def write_now(self) -> None:
        """Write the head of this moment to every medium there is. Raises nothing."""
        try:
            places = {str(place) for place in self._copy.places()}
            if places - self._known:
                compare(self._queries, self._copy.read(self._queries))
            self._known = places
            size = self._queries.size()
            written = self._copy.write(self._queries, self._signer, size)
        except IntegrityError as error:
            _log.critical("a copy of the head says that this journal is not whole", code=error.code, why=str(error))
            self._writer.seal(error)
        except (OSError, DaftarError) as error:
            self._view = HeadCopyView(places=self._view.places, size=self._view.size, at=self._view.at, failed=True)
            _log.warning("the head could not be copied", why=str(error))
        else:
            at = instant_text(self._clock.now()) if written else None
            self._view = HeadCopyView(places=tuple(str(place) for place in written), size=size, at=at)


def read_in_time(copy: HeadCopy, queries: Queries) -> list[FoundHead]:
    """Return the copies there are; a medium that hangs or fails is passed over. Raises IntegrityError."""
    found: list[FoundHead] = []
    wrong: list[IntegrityError] = []

    def read() -> None:
        try:
            found.extend(copy.read(queries))
        except IntegrityError as error:
            wrong.append(error)
        except (OSError, DaftarError) as error:
            _log.warning("the copy of the head could not be read", why=str(error))

    thread = threading.Thread(target=read, name="read-head-copy", daemon=True)
    thread.start()
    thread.join(READ_WITHIN_S)
    if wrong:
        raise wrong[0]
    return list(found)
