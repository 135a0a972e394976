"""Read the whole journal again in the background: every signature, link and node, and every table made from it.

It runs on a thread of its own over connections of its own, resting as long as it works, so that pages and the writer
keep theirs. Pauses are running time. A journal that passed is said to have (`journal.verified`); one that did not takes
nothing more, in this run and the next ones: a mark in the folder keeps it so until a whole check passes.
"""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from edge.journal.health_view import VerifyView
from edge.journal.verify import verify_journal
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.store.database import sync_folder
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from shared.clock import Clock, instant_text
from shared.errors import DaftarError, DeviceError, IntegrityError
from shared.events import JournalVerified
from shared.journal.tree import root

MARK_NAME: Final = "box.unsound"
FIRST_AFTER_S: Final = 600.0
"""Running time before the first check of a start: a box that is switched on each morning is checked each day."""
EVERY_S: Final = 86_400.0
REST_EVERY: Final = 200
"""Entries between two rests."""

_log = structlog.get_logger()


class _Mark(msgspec.Struct, frozen=True):
    """What stands in the mark: the code of what did not hold, and all that was known of it."""

    code: str
    why: str


class _Stopped(Exception):  # noqa: N818 - never leaves this module: the box is closing
    pass


class VerifyWhole:
    """Checks one box's journal. `start` its thread, `stop` it; or call `verify_now`."""

    def __init__(self, path: Path, identity: Identity, writer: JournalWriter, clock: Clock) -> None:
        self._path = path
        self._identity = identity
        self._writer = writer
        self._clock = clock
        self._mark = path.with_name(MARK_NAME)
        self._view = VerifyView()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verify", daemon=True)
        self._worked_since_ms = 0
        self.on_sound: Callable[[], None] = lambda: None
        """Called when a journal that had been set aside passed after all."""

    def view(self) -> VerifyView:
        """Return where the check stands."""
        return self._view

    def set_aside(self) -> IntegrityError | None:
        """Return why an earlier run set this journal aside; None when none did, or it has passed since."""
        try:
            mark = msgspec.json.decode(self._mark.read_bytes(), type=_Mark)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError):
            mark = _Mark("store.corrupt", "the mark of an earlier check cannot be read")
        self._view = msgspec.structs.replace(self._view, state="failed", why=mark.code)
        return IntegrityError("journal.unsound", why=mark.why)

    def start(self) -> None:
        """Begin to check, in its time."""
        self._thread.start()

    def stop(self) -> None:
        """End a check that runs, and wait for the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        # One that was set aside is checked at once: until it passes no money is taken.
        pause_s = 0.0 if self._view.state == "failed" else FIRST_AFTER_S
        while not self._stop.wait(pause_s):
            self.verify_now()
            pause_s = EVERY_S

    def verify_now(self) -> None:
        """Check the whole journal; journal that it passed, or have the writer take nothing more."""
        try:
            size, head = self._check()
        except _Stopped:
            return
        except DeviceError as error:
            # A medium that does not read is no verdict about what stands on it.
            _log.warning("the journal could not be read for its check", code=error.code)
            self._view = msgspec.structs.replace(self._view, state="unreadable", why=error.code)
            return
        except DaftarError as error:
            self._did_not_pass(error)
            return
        except Exception as error:  # noqa: BLE001 - from a damaged file anything may come
            self._did_not_pass(IntegrityError("store.corrupt", why=f"{type(error).__name__}: {error}"))
            return
        self._passed(size, head)

    def _check(self) -> tuple[int, bytes]:
        """Return size and root of what was read again."""
        queries = Queries(self._path)
        try:
            self._worked_since_ms = self._clock.monotonic_ms()
            opening_key = bytes.fromhex(self._identity.public_key)
            size = verify_journal(queries, self._identity.journal_id, opening_key, after_batch=self._rest)
            head = root(size, queries.node)
        finally:
            queries.close()
        differences = rebuild_projections(self._path, self._rest_sometimes)
        if differences:
            first = differences[0]
            raise IntegrityError("store.projection_differs", table=first.table, key=first.key, count=len(differences))
        return size, head

    def _rest(self, done: int, size: int) -> None:
        """Say how far it is; pause as long as the work since the last pause took."""
        self._view = msgspec.structs.replace(self._view, state="running", done=done, size=size)
        worked_ms = self._clock.monotonic_ms() - self._worked_since_ms
        if self._stop.wait(max(0, worked_ms) / 1000):
            raise _Stopped
        self._worked_since_ms = self._clock.monotonic_ms()

    def _rest_sometimes(self, index: int) -> None:
        if index % REST_EVERY == 0:
            self._rest(self._view.size, self._view.size)

    def _did_not_pass(self, error: DaftarError) -> None:
        unsound = error if isinstance(error, IntegrityError) else IntegrityError("store.corrupt", why=str(error))
        self._writer.seal(unsound)
        self._view = msgspec.structs.replace(self._view, state="failed", why=unsound.code)
        with contextlib.suppress(OSError):
            self._mark.write_bytes(msgspec.json.encode(_Mark(unsound.code, str(unsound))))
            sync_folder(self._mark.parent)
        _log.critical("the journal did not pass its check: nothing more is taken", code=unsound.code, why=str(unsound))

    def _passed(self, size: int, head: bytes) -> None:
        was_set_aside = self._mark.exists()
        with contextlib.suppress(OSError):
            self._mark.unlink(missing_ok=True)
            sync_folder(self._mark.parent)
        self._view = VerifyView(
            state="passed", done=size, size=size, passed_at=instant_text(self._clock.now()), passed_size=size
        )
        if was_set_aside:
            _log.warning("the journal was set aside and has passed its check now", size=size)
            self._writer.unseal()
            self.on_sound()
        with contextlib.suppress(DaftarError):
            self._writer.commit_blocking(lambda _: [JournalVerified(size=size, root=head.hex())])
