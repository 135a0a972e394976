"""Known-bad boxes whose fault lies in how payments, papers and exchanges are handled: simulated days must show each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from daftar.lab.box import FILE
from daftar.lab.mutants import named as crash_mutant
from daftar.lab.patching import patched
from daftar.lab.simulate import DayTally, simulate
from edge.app import Box
from edge.devices.terminals.outcome import OrderAnswer
from edge.journal import recovery
from edge.journal.ports import StoreView
from edge.services.counter import Counter
from edge.services.papers import documents, print_documents
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments import judge_outcome, terminal_worker
from edge.services.payments.give_back import GiveBack
from edge.services.payments.keep_sale import KeepSale
from edge.services.payments.record_outcome import RecordOutcome
from edge.services.payments.resolve_in_doubt import ResolveInDoubt
from edge.services.payments.terminal_worker import TerminalWorker
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.payment_rows import PaymentRows
from edge.uplink.client import Uplink
from shared.events import Evidence, PaymentDeclined, PaymentNotSent, PaymentSent

DAYS_MAX: Final = 60
"""Days after which a mutant counts as having survived."""


class ServiceMutant(msgspec.Struct, frozen=True):
    """One way to be wrong."""

    name: str
    what: str
    apply: Callable[[], AbstractContextManager[None]]
    seed: int = 0
    """Where a hunt begins: a day that has shown it, to save time."""


def _swapped(owner: Any, name: str, value: object) -> Callable[[], AbstractContextManager[None]]:
    return lambda: patched(owner, name, value)


@contextmanager
def _new_id_on_retry() -> Iterator[None]:
    pay_bill = Counter.pay_bill

    async def forgetful(counter: Counter, *arguments: Any, name: str | None = None, **named: Any) -> str:  # noqa: ARG001
        return await pay_bill(counter, *arguments, **named)

    with patched(Counter, "pay_bill", forgetful):
        yield


@contextmanager
def _dropped_on_refusal() -> Iterator[None]:
    note_failure = SqliteExchangeStore.note_failure

    async def careless(store: Any, code: str) -> None:
        await note_failure(store, code)

        def decide(view: StoreView) -> list[Any]:
            view.keep_exchange_pending(None)
            return []

        await store._writer.commit(decide)  # noqa: SLF001 - a mutant changes what nobody else may

    with patched(SqliteExchangeStore, "note_failure", careless):
        yield


@contextmanager
def _never_tried_again() -> Iterator[None]:
    wait = Uplink._wait  # noqa: SLF001 - a mutant changes what nobody else may

    async def waits_for_news(uplink: Any, result: Any) -> None:
        if result.kind == "failed":
            await uplink._wake.wait()  # noqa: SLF001 - as above
        else:
            await wait(uplink, result)

    with patched(Uplink, "_wait", waits_for_news):
        yield


@contextmanager
def _amount_first() -> Iterator[None]:
    at_terminal = TerminalWorker._at_terminal  # noqa: SLF001 - a mutant changes what nobody else may

    async def hasty(worker: Any, wanted: Any) -> None:
        writer = worker._writer  # noqa: SLF001 - as above

        class Hasty:
            async def commit(self, decide: Any) -> Any:
                # Hand it in and do not wait for it to be durable.
                answer = writer._hand_in(decide)  # noqa: SLF001 - as above
                return answer.result(0) if answer.done() else [_Believed(wanted)]

        worker._writer = Hasty()  # noqa: SLF001 - as above
        try:
            await at_terminal(worker, wanted)
        finally:
            worker._writer = writer  # noqa: SLF001 - as above

    with patched(TerminalWorker, "_at_terminal", hasty):
        yield


class _Believed:
    """What a box that does not wait takes for written."""

    def __init__(self, wanted: Any) -> None:
        self.body = PaymentSent(payment_id=wanted.payment_id)


def _decline(payment_id: str, *_: Any, **__: Any) -> list[Any]:
    return [PaymentDeclined(payment_id=payment_id, evidence=Evidence(source="answer", response_code="no"))]


@contextmanager
def _never_a_copy() -> Iterator[None]:
    spool = documents.spool

    def unmarked(view: StoreView, entropy: Any, *, document: str, about: str, copy: bool) -> str:  # noqa: ARG001
        return spool(view, entropy, document=document, about=about, copy=False)

    with patched(print_documents, "spool", unmarked):
        yield


@contextmanager
def _printed_again() -> Iterator[None]:
    mark = PrintDocuments._mark  # noqa: SLF001 - a mutant changes what nobody else may

    async def hopeful(documents: Any, job: Any, state: str, status: str | None) -> None:
        await mark(documents, job, "waiting" if state == "uncertain" else state, status)  # type: ignore[arg-type]

    with patched(PrintDocuments, "_mark", hopeful):
        yield


async def _taken_for_kept(*_: Any) -> OrderAnswer:
    return OrderAnswer(kind="done")


@contextmanager
def _undone_first() -> Iterator[None]:
    at_terminal = GiveBack._at_terminal  # noqa: SLF001 - a mutant changes what nobody else may

    async def hasty(giving: Any, refund: Any, worker: Any) -> None:
        payment = giving._queries.payment(refund.payment_id)  # noqa: SLF001 - as above
        await worker.terminal.reverse(
            amount_rial=payment.amount_rial, stan=payment.stan, terminal_number=payment.terminal_number
        )
        await at_terminal(giving, refund, worker)

    with patched(GiveBack, "_at_terminal", hasty):
        yield


async def _nothing(*_: Any, **__: Any) -> None:
    return None


class _ToldAsSale(type):
    """Makes every `payment.sent` that of a sale."""

    def __call__(cls, **named: Any) -> PaymentSent:
        return PaymentSent(**named | {"pays_bill": False})

    def __instancecheck__(cls, body: object) -> bool:
        return isinstance(body, PaymentSent)


class _Sale(metaclass=_ToldAsSale):
    """In the place of PaymentSent."""


@contextmanager
def _part_after_whole() -> Iterator[None]:
    with patched(PaymentRows, "whole_of", lambda *_: None), patched(PaymentRows, "wholes_of", lambda *_: []):
        yield


@contextmanager
def _request_forgotten() -> Iterator[None]:
    begin = Box.__init__

    def forgetful(box: Any, folder: Path, *arguments: Any) -> None:
        connection = apsw.Connection(str(folder / FILE))
        connection.execute("DELETE FROM service_request WHERE outcome IS NULL")
        connection.close()
        begin(box, folder, *arguments)

    with patched(Box, "__init__", forgetful):
        yield


SERVICE_MUTANTS: Final = (
    ServiceMutant(
        "answer_before_commit",
        "callers hear of their entries before the fsync",
        crash_mutant("answer_before_commit").apply,
        9,
    ),
    ServiceMutant("synchronous_normal", "commits are not synced", crash_mutant("synchronous_normal").apply, 4),
    ServiceMutant("new_id_on_retry", "a repeated request is a new payment", _new_id_on_retry, 4),
    ServiceMutant("dropped_on_refusal", "a request that failed is given up, a new one made", _dropped_on_refusal, 3),
    ServiceMutant(
        "never_tried_again", "after a failed exchange nothing is sent until there is news", _never_tried_again, 8
    ),
    ServiceMutant("amount_first", "the amount leaves while `payment.sent` is being written", _amount_first),
    ServiceMutant(
        "failed_not_in_doubt", "no answer counts as declined", _swapped(judge_outcome, "_doubt", _decline), 3
    ),
    ServiceMutant(
        "restart_frees",
        "a start takes what was sent for not sent",
        _swapped(recovery, "PaymentInDoubt", PaymentNotSent),
        1,
    ),
    ServiceMutant(
        "not_found_too_early",
        "a not-found counts at once",
        _swapped(RecordOutcome, "waited_ms", lambda *_: 1_000_000_000),
        22,
    ),
    ServiceMutant(
        "acknowledged_unheard",
        "a sale counts as kept before the terminal said so",
        _swapped(KeepSale, "_tell", _taken_for_kept),
    ),
    ServiceMutant("undone_first", "a terminal is told to undo a sale before that is journaled", _undone_first, 4),
    ServiceMutant(
        "doubt_never_asked", "nobody asks about payments in doubt", _swapped(ResolveInDoubt, "ask_all", _nothing)
    ),
    ServiceMutant("never_a_copy", "a second paper carries no mark", _never_a_copy),
    ServiceMutant("printed_again", "a paper that may be out is printed again", _printed_again, 2),
    ServiceMutant(
        "part_after_whole",
        "who paid the whole of a debt is charged for a part of it",
        _part_after_whole,
        80,
    ),
    ServiceMutant("request_forgotten", "a start forgets requests that wait, paid or not", _request_forgotten, 1),
    ServiceMutant(
        "bill_paid_twice",
        "a bill that its terminal pays is journaled as a sale, so that central has it paid again",
        _swapped(terminal_worker, "PaymentSent", _Sale),
    ),
)


def hunt_in_days(mutant: ServiceMutant, *, seed: int = 0, days_max: int = DAYS_MAX) -> DayTally:
    """Simulate days of a mutant until it is caught. No violation: it survived."""
    with mutant.apply():
        return simulate(days_max, mutant.seed + seed, stop_at_first=True)
