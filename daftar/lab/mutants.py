"""Known-bad boxes: the product changed at run time in one way each that loses or invents money. The lab must see each.

A harness that finds nothing says nothing until it has been seen to find these.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from daftar import small_central
from daftar.lab.crash import DiskKind, Plan, Tally, crash
from daftar.lab.patching import patched
from daftar.lab.workload import Habits
from edge.journal import recovery
from edge.journal.ports import Head, Recorded
from edge.journal.writer import JournalWriter
from edge.store import database, journal_store, people, projections
from edge.store.journal_store import SqliteJournalStore
from edge.store.people import People
from shared.events import Body, BootStarted, Evidence, PaymentDeclined, PaymentInDoubt, PaymentNotSent, ReceiptPrinted
from shared.journal import trusted
from shared.journal.tree import grown
from sync.central_session import Held, Verdict
from sync.checked_request import CheckedRequest

RUNS_MAX: Final = 200
"""Runs after which a mutant counts as having survived."""


class Mutant(msgspec.Struct, frozen=True):
    """One way to be wrong."""

    name: str
    what: str
    apply: Callable[[], AbstractContextManager[None]]
    disk: DiskKind = "honest"
    habits: Habits = Habits()
    seed: int = 0
    """Where a hunt begins: a workload that has shown it, to save time."""


@contextmanager
def _nothing() -> Iterator[None]:
    yield


# --- settings of the file -------------------------------------------------------------------------------------------


def _synchronous(word: str, number: int) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def apply() -> Iterator[None]:
        settings = tuple(
            f"PRAGMA synchronous = {word}" if "synchronous" in setting else setting
            for setting in database._SETTINGS  # noqa: SLF001 - a mutant changes what nobody else may
        )
        required = database._REQUIRED | {"synchronous": number}  # noqa: SLF001 - as above
        with patched(database, "_SETTINGS", settings), patched(database, "_REQUIRED", required):
            yield

    return apply


@contextmanager
def _people_unsynced() -> Iterator[None]:
    open_for_writing = database.open_for_writing

    def careless(path: Path) -> apsw.Connection:
        connection = open_for_writing(path)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    with patched(people, "open_for_writing", careless):
        yield


@contextmanager
def _wal_removed() -> Iterator[None]:
    open_for_writing = database.open_for_writing

    def tidy(path: Path) -> apsw.Connection:
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        return open_for_writing(path)

    with patched(journal_store, "open_for_writing", tidy):
        yield


# --- the write path -------------------------------------------------------------------------------------------------


@contextmanager
def _answer_before_commit() -> Iterator[None]:
    def commit_group(writer: Any, group: Sequence[Any]) -> None:
        try:
            view = writer._store.begin()  # noqa: SLF001 - a mutant changes what nobody else may
            for request in group:
                try:
                    request.answer.set_result(writer._write_part(request.decide, view))  # noqa: SLF001 - as above
                except Exception as refusal:  # noqa: BLE001 - as the product does, but for storage failures
                    request.answer.set_exception(getattr(refusal, "cause", refusal))
            writer._store.commit()  # noqa: SLF001 - as above
        except BaseException:
            # Others who write to the file must not find it locked for ever.
            writer._store.rollback()  # noqa: SLF001 - as above
            raise

    with patched(JournalWriter, "_commit_group", commit_group):
        yield


@contextmanager
def _two_transactions() -> Iterator[None]:
    def append(store: Any, data: bytes, signature: bytes, recorded: Recorded) -> None:
        connection = store._connection  # noqa: SLF001 - a mutant changes what nobody else may
        completed = grown(recorded.index, recorded.leaf, store._view.node)  # noqa: SLF001 - as above
        nodes = b"".join(digest for _, _, digest in completed)
        connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (recorded.index, nodes, signature, data))
        store._head = Head(recorded.index + 1, recorded.leaf)  # noqa: SLF001 - as above
        for statement in ("COMMIT", "BEGIN IMMEDIATE", "SAVEPOINT part"):
            connection.execute(statement)
        projections.apply(connection, recorded)

    with patched(SqliteJournalStore, "append", append):
        yield


@contextmanager
def _projection_skipped() -> Iterator[None]:
    class Forgetful:
        """The projections, without one kind of entry."""

        @staticmethod
        def apply(connection: apsw.Connection, recorded: Recorded) -> None:
            if not isinstance(recorded.body, ReceiptPrinted | PaymentInDoubt):
                projections.apply(connection, recorded)

    with patched(journal_store, "projections", Forgetful):
        yield


@contextmanager
def _answer_not_kept() -> Iterator[None]:
    """Keep an answer to a program in memory only."""
    with patched(People, "finish_request", lambda *_: None):
        yield


# --- recovery -------------------------------------------------------------------------------------------------------


def _recovers(name: str, make: Callable[..., Body]) -> Callable[[], AbstractContextManager[None]]:
    return lambda: patched(recovery, name, make)


def _declined(*, payment_id: str, reason: str) -> Body:
    return PaymentDeclined(payment_id=payment_id, evidence=Evidence(source="answer", response_code=reason))


@contextmanager
def _nothing_recovered() -> Iterator[None]:
    def only_boot(writer: Any, reader: Any, *_: object, software: str) -> recovery.Recovered:
        started = BootStarted(found_size=reader.size(), cosigned_size=0, software=software)
        writer.commit_blocking(lambda _: [started])
        return recovery.Recovered(found_size=reader.size(), cosigned_size=0, not_sent=(), in_doubt=())

    with patched(recovery, "recover", only_boot):
        yield


@contextmanager
def _tail_dropped() -> Iterator[None]:
    """Throw away the newest entry at a start, as one that may have been cut off."""
    open_store = SqliteJournalStore.__dict__["open"].__func__

    def dropping(cls: type[SqliteJournalStore], path: Path, *rest: Any) -> SqliteJournalStore:
        connection = database.open_for_writing(path)
        connection.execute("DROP TRIGGER IF EXISTS entry_no_delete")
        (size,) = next(connection.execute("SELECT max(entry_index) FROM entry"))
        if size:
            connection.execute("DELETE FROM entry WHERE entry_index = ?", (size,))
        connection.close()
        store: SqliteJournalStore = open_store(cls, path, *rest)
        return store

    with patched(SqliteJournalStore, "open", classmethod(dropping)):
        yield


# --- who looks after the fact ---------------------------------------------------------------------------------------


@contextmanager
def _consistency_unchecked() -> Iterator[None]:
    with patched(trusted, "check_consistency", lambda *_: None):
        yield


@contextmanager
def _central_believes() -> Iterator[None]:
    """Have central cosign whatever a box signed, whichever token it shows."""

    def believe(checked: CheckedRequest, held: Held, *_: object) -> Verdict:
        return Verdict(
            status="ok",
            next=checked.checkpoint.size,
            main=tuple(entry for entry in checked.entries if entry.index >= held.size),
            size=checked.checkpoint.size,
            root=checked.checkpoint.root,
            renew_token=True,
        )

    with patched(small_central, "judge", believe):
        yield


MUTANTS: Final = (
    Mutant("synchronous_normal", "`synchronous=NORMAL`: commits are not synced", _synchronous("NORMAL", 1)),
    Mutant("synchronous_off", "`synchronous=OFF`: nothing is synced", _synchronous("OFF", 0)),
    Mutant("people_unsynced", "operators and idempotency answers are not synced", _people_unsynced),
    Mutant("wal_removed", "a start tidies the `-wal` file away", _wal_removed),
    Mutant("answer_before_commit", "callers hear of their entries before the fsync", _answer_before_commit),
    Mutant("two_transactions", "an entry and its projection are two transactions", _two_transactions),
    Mutant("projection_skipped", "a kind of entry does not change the projections", _projection_skipped),
    Mutant("answer_not_kept", "the answer to an idempotency key is not stored", _answer_not_kept),
    Mutant("failed_not_in_doubt", "a sent payment comes back *declined*", _recovers("PaymentInDoubt", _declined)),
    Mutant(
        "not_sent_not_in_doubt", "a sent payment comes back *not sent*", _recovers("PaymentInDoubt", PaymentNotSent)
    ),
    Mutant("nothing_recovered", "open payments are left open at a start", _nothing_recovered),
    Mutant("tail_dropped", "a start throws the newest entry away", _tail_dropped),
    Mutant(
        "wire_first", "the amount leaves before `payment.sent` is durable", _nothing, habits=Habits(wire_first=True)
    ),
    Mutant(
        "print_first",
        "the paper is out before the approval is durable",
        _nothing,
        habits=Habits(print_first=True),
        seed=1,
    ),
    Mutant(
        "consistency_unchecked",
        "a checkpoint's consistency proof is not checked",
        _consistency_unchecked,
        "deaf",
        seed=2,
    ),
    Mutant("central_believes", "central cosigns any history, by any token", _central_believes, "deaf", seed=2),
)


def named(name: str) -> Mutant:
    """Return a mutant. Raises KeyError."""
    return {mutant.name: mutant for mutant in MUTANTS}[name]


def hunt(mutant: Mutant, *, seed: int = 0, runs_max: int = RUNS_MAX) -> Tally:
    """Cut the power under a mutant until it is caught; return what was done. No violation: it survived."""
    plan = Plan(
        runs=runs_max,
        seed=mutant.seed + seed,
        disk=mutant.disk,
        habits=mutant.habits,
        stop_at_first=True,
        share=False,
    )
    with mutant.apply():
        return crash(plan)
