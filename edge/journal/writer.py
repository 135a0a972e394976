"""The one writer of the journal: decisions in, durable entries out.

One thread takes decisions from a queue. Those that wait at the same moment share one transaction and one fsync (group
commit); each runs in a part of its own, so a decision that raises undoes only itself. A caller hears of its entries
only after the commit has reached the medium.

When the medium is at fault nobody can say what stands on it. The group fails, everybody after it is refused, and the
writer opens the file anew, with longer and longer pauses, until it holds what it has to hold and takes an entry that
says so: then callers of the failed commit hear whether theirs stands, and the writer goes on by itself. Facts that
disagree (`IntegrityError`) are no matter of trying again: it stays stopped, and a person is called.
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

from edge.journal.making import make_entry
from edge.journal.ports import Decide, Head, JournalStore, Recorded, StoreView
from edge.journal.signer import Signer
from edge.journal.trouble import Trouble, Uncertain, pause_s, refusal, unsaid
from shared.clock import Clock, instant_text
from shared.entropy import Entropy, random_name
from shared.errors import BugError, DaftarError, DeviceError, IntegrityError
from shared.events import Body

__all__ = ["Decide", "Head", "JournalStore", "JournalWriter", "Listener", "Recorded", "StoreView"]

GROUP_MAX: Final = 64
"""Decisions in one transaction: bounds how long the first of a group waits for the last."""
GATHER_S: Final = 0.001
"""How long one more of the last group is waited for: they were answered together, and may come again together."""
BEGIN_ATTEMPTS_MAX: Final = 6
"""How often a file that somebody else writes is tried before a group is refused; each waits the store's own time."""
UNCERTAIN_ATTEMPTS_MAX: Final = 4
"""Attempts to find out what stands before the callers of a failed commit are told that nobody knows yet."""

Listener = Callable[[Sequence[Recorded]], None]
"""Told of each commit's entries, on the writer's thread: it hands them on and returns at once."""

_log = structlog.get_logger(__name__)


class _Request(msgspec.Struct, frozen=True):
    """A decision in the queue and where its answer goes."""

    decide: Decide
    answer: "Future[list[Recorded]]"


_Written = list[tuple[_Request, list[Recorded]]]


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
        self._since = ""
        self._sealed: IntegrityError | None = None
        self._uncertain: list[Uncertain] = []
        self._attempts = 0
        self._last_group = 1
        self.after_failure: Decide | None = None
        """What is journaled first once the medium is well again; None: a writer that failed once stays stopped."""
        self.on_failure: Callable[[Exception], None] = lambda _: None
        """Told on the writer's thread of what the medium raised, before it is tried again: to make room, say."""
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    @property
    def failure(self) -> DaftarError | None:
        """Why the writer takes nothing now, None while it does."""
        return self._sealed or self._failure

    @property
    def trouble(self) -> Trouble | None:
        """What pages say of `failure`, None while there is none."""
        failure = self.failure
        if failure is None:
            return None
        clears = not isinstance(failure, IntegrityError) and self.after_failure is not None
        return Trouble(code=failure.code, why=str(failure), since=self._since, clears=clears, attempts=self._attempts)

    def seal(self, error: IntegrityError) -> None:
        """Take nothing more, whatever the medium says: the journal itself did not pass a check."""
        with self._gate:
            self._sealed = error
            self._since = self._since or instant_text(self._clock.now())

    def unseal(self) -> None:
        """Take entries again: the whole journal has passed its check after all."""
        with self._gate:
            self._sealed = None
            self._since = "" if self._failure is None else self._since

    def try_again(self) -> None:
        """Have a medium that failed tried now, not when its pause is over: room was made, say. From any thread."""
        self._queue.put(_TRY_AGAIN)

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

        Raises what `decide` raises (nothing was written then); DeviceError `journal.not_written` when the medium
        failed and nothing was written, `journal.uncertain` when nobody can say yet, `journal.stopped` when it had
        failed before, `journal.busy` when another program kept the file; IntegrityError `journal.unsound` when the
        journal did not pass a check.
        A caller that is cancelled while waiting may find its entries written.
        """
        return await asyncio.wrap_future(self._hand_in(decide))

    def commit_blocking(self, decide: Decide) -> list[Recorded]:
        """Do as `commit` does, for start-up, recovery and the command line: blocks the calling thread."""
        return self._hand_in(decide).result()

    def _hand_in(self, decide: Decide) -> "Future[list[Recorded]]":
        request = _Request(decide, Future())
        with self._gate:
            if (failure := self.failure) is not None:
                raise refusal(failure) from failure
            if self._closed:
                raise BugError("journal.closed")
            self._queue.put(request)
        return request.answer

    def _run(self) -> None:
        """Work until closed or failed for good. The thread's own function: it never ends without saying why."""
        try:
            self._take_groups()
        except BaseException as error:  # noqa: BLE001 - a writer that is dead must not look alive
            self.after_failure = None
            self._fail(error)
            self._refuse_rest()
        self._answer_uncertain(None)

    def _take_groups(self) -> None:
        while True:
            waits = self._failure is not None and self.after_failure is not None and self._sealed is None
            try:
                first = self._queue.get(timeout=pause_s(self._attempts) if waits else None)
            except queue.Empty:
                first = _TRY_AGAIN
            if first is None:
                return
            if first is _TRY_AGAIN:
                if waits:
                    self._get_well()
                continue
            group, last = self._drain(first)
            wanted = [request for request in group if request.answer.set_running_or_notify_cancel()]
            if (failure := self.failure) is not None:  # Handed in before it was known.
                for request in wanted:
                    request.answer.set_exception(refusal(failure))
            elif wanted:
                self._commit_group(wanted)
            if last:
                return

    def _drain(self, first: _Request) -> tuple[list[_Request], bool]:
        """Return what waits now, `first` included, and whether the writer was asked to close behind it."""
        group = [first]
        while len(group) < GROUP_MAX:
            try:
                request = self._queue.get(timeout=GATHER_S if len(group) < self._last_group else 0)
            except queue.Empty:
                break
            if request is None:
                return group, True
            if request is not _TRY_AGAIN:
                group.append(request)
        self._last_group = len(group)
        return group, False

    def _refuse_rest(self) -> None:
        """Answer what was handed in before the thread died."""
        with self._gate:
            while not self._queue.empty():
                request = self._queue.get()
                if request is not None and request.answer.set_running_or_notify_cancel():
                    request.answer.set_exception(refusal(self.failure))

    def _commit_group(self, group: list[_Request]) -> None:
        """Write a group in one transaction and answer each of its callers."""
        try:
            view = self._begin()
            if view is None:
                for request in group:
                    request.answer.set_exception(DeviceError("journal.busy"))
                return
            written, refused = self._write_parts(group, view)
            mark = self._store.mark()
        except Exception as error:  # noqa: BLE001 - no commit was tried: nothing of this group can ever stand
            failure = self._fail(error)
            for request in group:
                request.answer.set_exception(failure)
            self._get_well_soon()
            return
        try:
            # The fsync. Before it returns nothing above has happened for anybody; after it, all of it has.
            self._store.commit()
        except Exception as error:  # noqa: BLE001 - whatever it was, what is on the file is unknown
            self._uncertain.append(Uncertain(tuple(written), self._store.head(), mark))
            self._fail(error)
        for request, cause in refused:
            request.answer.set_exception(cause)
        if self._failure is not None:
            self._get_well_soon()
            return
        for request, part in written:
            request.answer.set_result(part)
        if records := [recorded for _, part in written for recorded in part]:
            self._notify(records)

    def _write_parts(self, group: list[_Request], view: StoreView) -> tuple[_Written, list[tuple[_Request, Exception]]]:
        """Run the decisions of a group, each in a part of its own; return what they wrote, and who was refused."""
        written: _Written = []
        refused: list[tuple[_Request, Exception]] = []
        for request in group:
            try:
                written.append((request, self._write_part(request.decide, view, alone=len(group) == 1)))
            except _Refused as refusal:
                refused.append((request, refusal.cause))
        return written, refused

    # --- a medium that failed ---

    def _fail(self, error: BaseException) -> DaftarError:
        """Take nothing more for now; return what callers are told."""
        failure = self._store.in_words(error)
        self._store.rollback()
        if failure is not error:
            failure.__cause__ = error
        with self._gate:
            if self._failure is None:
                self._since = instant_text(self._clock.now())
            self._failure = failure
            if isinstance(failure, IntegrityError):
                self._sealed = failure
        return failure

    def _get_well_soon(self) -> None:
        """Say why nothing is taken, and try at once whether the medium is well: often it failed only once."""
        failure = self._failure  # The callers were told first: where the medium is full, the log may be on it too.
        with contextlib.suppress(Exception):
            _log.critical("journal writer stopped", code=failure.code if failure else "", why=str(failure))
        self._attempts = 0
        if self.after_failure is not None and self._sealed is None:
            self._get_well()
        else:
            self._answer_uncertain(None)

    def _get_well(self) -> None:
        """Open the file anew and journal that it is well. Until this succeeds nothing else is taken."""
        self._attempts += 1
        cause = None if self._failure is None else self._failure.__cause__
        with contextlib.suppress(Exception):
            self.on_failure(cause if isinstance(cause, Exception) else RuntimeError(str(self._failure)))
        try:
            self._store.reopen([one.head for one in self._uncertain])
            mark = self._store.found_mark()
            stands = [one.mark == mark if one.mark else self._store.holds(one.head) for one in self._uncertain]
            records = self._write_recovery()
        except Exception as error:  # noqa: BLE001 - the medium is as it was, or worse
            self._fail(error)
            with contextlib.suppress(Exception):
                _log.warning("the medium is not well yet", attempt=self._attempts, why=str(self._failure))
            if self._attempts >= UNCERTAIN_ATTEMPTS_MAX or self._sealed is not None:
                self._answer_uncertain(None)
            return
        with self._gate:
            self._failure, self._since, self._attempts = None, "" if self._sealed is None else self._since, 0
        self._answer_uncertain(stands)
        self._uncertain.clear()
        with contextlib.suppress(Exception):
            _log.warning("the medium is well again", size=self._store.head().size)
        self._notify(records)

    def _write_recovery(self) -> list[Recorded]:
        """Journal that the medium is well: only a durable entry behind it makes what was uncertain certain."""
        view = self._store.begin()
        self._store.begin_part(alone=True)
        bodies = () if self.after_failure is None else self.after_failure(view)
        records = [self._append(body) for body in bodies]
        self._store.keep_part()
        self._uncertain.append(Uncertain((), self._store.head(), None))
        self._store.commit()
        return records

    def _answer_uncertain(self, stands: Sequence[bool] | None) -> None:
        """Tell the callers of failed commits whether theirs stands; None: nobody can say."""
        for place, one in enumerate(self._uncertain):
            for request, records in one.written:
                it_stands = None if stands is None else stands[place]
                told_before = request.answer.done()
                if it_stands and not told_before:
                    request.answer.set_result(records)
                elif not told_before:
                    request.answer.set_exception(unsaid(it_stands, self._failure))
                if it_stands:  # Pages are to show it, also where its caller left with "nobody can say".
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

    def _write_part(self, decide: Decide, view: StoreView, *, alone: bool) -> list[Recorded]:
        """Run one decision and append what it decided. Raises _Refused when only this decision is at fault."""
        self._store.begin_part(alone=alone)
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
        head, journal_id = self._store.head(), self._store.journal_id
        data, signature, recorded = make_entry(
            body, head, journal_id=journal_id, boot=self.boot, signer=self._signer, clock=self._clock
        )
        self._store.append(data, signature, recorded)
        return recorded

    def _notify(self, records: Sequence[Recorded]) -> None:
        for listener in self._listeners:
            try:
                listener(records)
            except Exception:  # noqa: BLE001 - whoever listens, the entries stand; the writer goes on
                with contextlib.suppress(Exception):
                    _log.exception("a listener of the journal failed")


_TRY_AGAIN: Final = _Request(lambda _: [], Future())
"""In the queue: nothing to write, look whether the medium is well."""


class _Refused(Exception):  # noqa: N818 - never leaves this module; carries another's error
    """One decision was undone; the others of its group go on."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause
