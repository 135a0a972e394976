"""Close the day (بستن روز): say in one signed entry what was taken since the close before, and print it.

The totals are read inside the transaction that writes the entry, so nothing can come in between: a payment that is
charged while somebody closes falls into this day or the next one by the order of entries, into exactly one. Nothing has
to stop for it, and payments in doubt do not keep it from being done: it names them.

A terminal that keeps a report of its own batch is asked for it first; where its figures and ours differ, the close is
written all the same and an alarm with it.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
import structlog

from edge.journal.ports import JournalReader
from edge.journal.standing import ClosedDay, OpenDay
from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import DAY_SLIP, spool
from edge.store.queries import Queries
from shared.day import card_net
from shared.entropy import Entropy, random_name
from shared.errors import DeviceError, IntegrityError, OperatorError
from shared.events import AlarmRaised, Body, DayClosed, TerminalBatch
from shared.journal import tree

BATCH_DIFFERS: Final = "batch_differs"
"""Alarm: a terminal's own report of its batch and the journal's figures for it differ."""
BATCH_TIMEOUT_S: Final = 20.0
"""How long terminals may take for their reports before the day is closed without them."""

_log = structlog.get_logger()


class Batch(msgspec.Struct, frozen=True):
    """What a terminal says it took since its last batch: sales less what it undid, in rial."""

    count: int
    amount_rial: int


class BatchSource(Protocol):
    """A terminal, as far as closing the day asks of it."""

    @property
    def name(self) -> str:
        """Our own name of it."""

    async def batch(self) -> Batch | None:
        """Return its own report, None where the model has none. Raises DeviceError."""


class CloseDay:
    """Closes days and prints their slips."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        entropy: Entropy,
        terminals: Sequence[str] = (),
        sources: Sequence[BatchSource] = (),
    ) -> None:
        """Take the parts. `terminals` are all that are set up; `sources` those of them that may have a report."""
        self._writer = writer
        self._queries = queries
        self._entropy = entropy
        self._terminals = tuple(terminals)
        self._sources = tuple(sources)

    async def close(self, *, operator: str, close_id: str | None = None) -> str:
        """Close the day and spool its slip; return the close's name.

        A `close_id` of the caller's own makes a repeated request the same close: it closes nothing again.
        """
        name = close_id or random_name(self._entropy, "d")
        if self._queries.closed_day(name) is not None:
            return name
        before = self._queries.open_day()
        reports = await self._reports()
        names = sorted({*self._terminals, *reports})
        batches = tuple(_terminal_batch(terminal, reports.get(terminal)) for terminal in names)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.closed_day(name) is not None:
                return []
            day = view.open_day()
            spool(view, self._entropy, document=DAY_SLIP, about=name, copy=False)
            root = tree.root(day.size, view.node)
            body = _close(day, close_id=name, root=root, operator=operator, batches=batches)
            return [body, *_differences(before, body, reports)]

        await self._writer.commit(decide)
        return name

    def closed(self, close_id: str) -> ClosedDay:
        """Return a closed day. Raises OperatorError `day.unknown`."""
        day = self._queries.closed_day(close_id)
        if day is None:
            raise OperatorError("day.unknown", close_id=close_id)
        return day

    async def _reports(self) -> dict[str, Batch | None]:
        found = await asyncio.gather(*(self._report(source) for source in self._sources))
        return dict(zip((source.name for source in self._sources), found, strict=True))

    async def _report(self, source: BatchSource) -> Batch | None:
        try:
            async with asyncio.timeout(BATCH_TIMEOUT_S):
                return await source.batch()
        except (DeviceError, TimeoutError) as error:
            # The office goes home; a terminal that does not answer must not keep it.
            _log.warning("no batch report", terminal=source.name, why=str(error))
            return None


def check_last_close(reader: JournalReader, day: ClosedDay | None) -> None:
    """Check that the journal still is what its newest close testified.

    Raises IntegrityError `journal.close_differs`, or what reading raises.
    """
    if day is None:
        return
    body = day.body
    whole = body.size == day.index < reader.size()
    if not whole or tree.root(body.size, reader.node).hex() != body.root:
        raise IntegrityError("journal.close_differs", index=day.index)


def _close(day: OpenDay, *, close_id: str, root: bytes, operator: str, batches: tuple[TerminalBatch, ...]) -> DayClosed:
    totals = day.totals
    return DayClosed(
        close_id=close_id,
        first=day.first,
        size=day.size,
        root=root.hex(),
        totals=totals.totals,
        undone=totals.undone,
        overridden=totals.overridden,
        replaced=totals.replaced,
        in_doubt_count=day.in_doubt_count,
        in_doubt_rial=day.in_doubt_rial,
        unsent_count=day.unsent_count,
        unsent_rial=day.unsent_rial,
        unconfirmed_count=day.unconfirmed_count,
        unconfirmed_rial=day.unconfirmed_rial,
        batches=batches,
        operator=operator,
    )


def _terminal_batch(name: str, batch: Batch | None) -> TerminalBatch:
    if batch is None:
        return TerminalBatch(terminal=name)
    return TerminalBatch(terminal=name, count=batch.count, amount_rial=batch.amount_rial)


def _differences(before: OpenDay, now: DayClosed, reports: dict[str, Batch | None]) -> list[Body]:
    """Return an alarm for each report that fits our figures neither of before it was asked for nor of now."""
    alarms: list[Body] = []
    for name, batch in sorted(reports.items()):
        ours = Batch(*card_net(now, name))
        if batch is not None and batch not in (ours, Batch(*card_net(before.totals, name))):
            detail = f"{name}: its own {batch.count} {batch.amount_rial}, ours {ours.count} {ours.amount_rial}"
            alarms.append(AlarmRaised(kind=BATCH_DIFFERS, detail=detail))
    return alarms
