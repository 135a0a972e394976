"""The one writer of the journal: decisions in, durable entries out.

One thread takes decisions from a queue. Those that wait at the same moment share one transaction and one fsync (group
commit); each runs in a part of its own, so a decision that raises undoes only itself. A caller hears of its entries
only after the commit has reached the medium.

When the medium or the file is at fault nobody can say what stands on it: every decision of the group fails, the writer
stops, and only a restart through recovery (`edge.journal.recovery`) goes on.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Self

import msgspec
import structlog

from edge.journal.ports import Decide, Head, JournalStore, Recorded, StoreView
from edge.journal.signer import Signer
from shared.clock import Clock, instant_text
from shared.entropy import Entropy, random_name
from shared.errors import BugError, DaftarError, DeviceError, IntegrityError
from shared.events import Body
from shared.journal.entry import (
    ENTRY_SIZE_MAX_BYTES,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)

__all__ = ["Decide", "Head", "JournalStore", "JournalWriter", "Listener", "Recorded", "StoreView"]

GROUP_MAX: Final = 64
"""Decisions in one transaction: bounds how long the first of a group waits for the last."""
BEGIN_ATTEMPTS_MAX: Final = 6
"""How often a file that somebody else writes is tried before a group is refused; each waits the store's own time."""

Listener = Callable[[Sequence[Recorded]], None]
"""Told of each commit's entries, on the writer's thread: it hands them on and returns at once."""

_log = structlog.get_logger(__name__)


class _Request(msgspec.Struct, frozen=True):
    """A decision in the queue and where its answer goes."""

    decide: Decide
    answer: "Future[list[Recorded]]"


class JournalWriter:
    """Journals what decisions decide. Make it, `start` it, `close` it (or use it as a context manager)."""

    def __init__(self, store: JournalStore, signer: Signer, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self.boot = random_name(entropy, "boot-")
        """Names this run of the program in every entry it writes; monotonic times compare only within it."""
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._listeners: list[Listener] = []
        self._gate = threading.Lock()
        self._closed = False
        self._failure: DaftarError | None = None
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    @property
    def failure(self) -> DaftarError | None:
        """Why the writer stopped by itself, None while it has not."""
        return self._failure

    def subscribe(self, listener: Listener) -> None:
        """Tell `listener` of every commit from now on. What it raises is logged and changes nothing."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to take decisions."""
        self._thread.start()

    def close(self) -> None:
        """Finish what was handed in, take no more, and wait for the thread. Safe to call twice."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def commit(self, decide: Decide) -> list[Recorded]:
        """Journal what `decide` returns; return the entries once they are durable.

        Raises what `decide` raises (nothing was written then), DeviceError `journal.not_written` when the medium
        failed (whether the entries stand is known only after a restart), `journal.stopped` when it had before,
        `journal.busy` when another program kept the file (nothing was written).
        A caller that is cancelled while waiting may find its entries written.
        """
        return await asyncio.wrap_future(self._hand_in(decide))

    def commit_blocking(self, decide: Decide) -> list[Recorded]:
        """Do as `commit` does, for start-up, recovery and the command line: blocks the calling thread."""
        return self._hand_in(decide).result()

    def _hand_in(self, decide: Decide) -> "Future[list[Recorded]]":
        request = _Request(decide, Future())
        with self._gate:
            if self._failure is not None:
                raise DeviceError("journal.stopped", why=str(self._failure)) from self._failure
            if self._closed:
                raise BugError("journal.closed")
            self._queue.put(request)
        return request.answer

    def _run(self) -> None:
        """Work until closed or failed. The thread's own function: it never ends without saying why."""
        try:
            self._take_groups()
        except BaseException as error:  # noqa: BLE001 - a writer that is dead must not look alive
            self._fail(error, [])
            self._refuse_rest(DeviceError("journal.not_written", why=str(error)))

    def _take_groups(self) -> None:
        while self._failure is None:
            first = self._queue.get()
            if first is None:
                return
            group, last = self._drain(first)
            wanted = [request for request in group if request.answer.set_running_or_notify_cancel()]
            if wanted:
                self._commit_group(wanted)
            if last:
                return
        self._refuse_rest(self._failure)

    def _drain(self, first: _Request) -> tuple[list[_Request], bool]:
        """Return what waits now, `first` included, and whether the writer was asked to close behind it."""
        group = [first]
        while len(group) < GROUP_MAX:
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                break
            if request is None:
                return group, True
            group.append(request)
        return group, False

    def _refuse_rest(self, failure: DaftarError) -> None:
        """Answer what was handed in before the failure was known."""
        with self._gate:
            while True:
                try:
                    request = self._queue.get_nowait()
                except queue.Empty:
                    return
                if request is not None and request.answer.set_running_or_notify_cancel():
                    request.answer.set_exception(DeviceError("journal.stopped", why=str(failure)))

    def _commit_group(self, group: list[_Request]) -> None:
        """Write a group in one transaction and answer each of its callers."""
        written: list[tuple[_Request, list[Recorded]]] = []
        refused: list[tuple[_Request, Exception]] = []
        try:
            view = self._begin()
            if view is None:
                for request in group:
                    request.answer.set_exception(DeviceError("journal.busy"))
                return
            for request in group:
                try:
                    written.append((request, self._write_part(request.decide, view)))
                except _Refused as refusal:
                    refused.append((request, refusal.cause))
            # The fsync. Before it returns nothing above has happened for anybody; after it, all of it has.
            self._store.commit()
        except Exception as error:  # noqa: BLE001 - whatever it was, the file's state is unknown: stop, tell everybody
            self._fail(error, group)
            return
        for request, cause in refused:
            request.answer.set_exception(cause)
        for request, records in written:
            request.answer.set_result(records)
        records = [recorded for _, part in written for recorded in part]
        if records:
            self._notify(records)

    def _begin(self) -> StoreView | None:
        """Begin a transaction; return None when somebody else kept the file all the time: nothing was written then."""
        for _ in range(BEGIN_ATTEMPTS_MAX):
            try:
                return self._store.begin()
            except Exception as error:
                if not self._store.is_busy(error):
                    raise
        return None

    def _write_part(self, decide: Decide, view: StoreView) -> list[Recorded]:
        """Run one decision and append what it decided. Raises _Refused when only this decision is at fault."""
        self._store.begin_part()
        try:
            bodies = decide(view)
        except Exception as error:
            # An integrity error of a decision is about what it was given (a feed, say), not about this file.
            if self._store.is_storage_failure(error):
                raise
            self._store.undo_part()
            raise _Refused(error) from error
        try:
            records = [self._append(body) for body in bodies]
        except Exception as error:
            # Here it is about this file: facts that are on it do not agree.
            if isinstance(error, IntegrityError) or self._store.is_storage_failure(error):
                raise
            self._store.undo_part()
            raise _Refused(error) from error
        self._store.keep_part()
        return records

    def _append(self, body: Body) -> Recorded:
        """Make, sign and store the entry of one fact."""
        head = self._store.head()
        entry = Entry(
            v=VERSION,
            journal=self._store.journal_id,
            index=head.size,
            prev=GENESIS_PREV if head.leaf is None else head.leaf.hex(),
            boot=self.boot,
            at=instant_text(self._clock.now()),
            monotonic_ms=self._clock.monotonic_ms(),
            clock=self._clock.quality(),
            type=body.type,
            body=encode_body(body),
        )
        data = encode_entry(entry)
        if len(data) > ENTRY_SIZE_MAX_BYTES:
            raise BugError("journal.entry_too_large", type=body.type, size_bytes=len(data))
        signature = self._signer.sign(pre_authentication(JOURNAL_PAYLOAD, data))
        recorded = Recorded(index=head.size, leaf=leaf_hash(data), entry=entry, body=body)
        self._store.append(data, signature, recorded)
        return recorded

    def _fail(self, error: BaseException, group: list[_Request]) -> None:
        """Stop for good: nobody is told that anything was written."""
        self._store.rollback()
        failure = error if isinstance(error, IntegrityError) else DeviceError("journal.not_written", why=str(error))
        if failure is not error:
            failure.__cause__ = error
        with self._gate:
            self._failure = failure
        # The callers first: where the medium is full, the log may be on it too.
        for request in group:
            if not request.answer.done():
                request.answer.set_exception(failure)
        with contextlib.suppress(Exception):
            _log.critical("journal writer stopped", code=failure.code, why=str(error))

    def _notify(self, records: Sequence[Recorded]) -> None:
        for listener in self._listeners:
            try:
                listener(records)
            except Exception:  # noqa: BLE001 - whoever listens, the entries stand; the writer goes on
                with contextlib.suppress(Exception):
                    _log.exception("a listener of the journal failed")


class _Refused(Exception):  # noqa: N818 - never leaves this module; carries another's error
    """One decision was undone; the others of its group go on."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause
