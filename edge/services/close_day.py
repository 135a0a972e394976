"""Close the day (بستن روز): say in one signed entry what was taken since the close before, and print it.

The totals are read inside the transaction that writes the entry, so nothing can come in between: a payment that is
charged while somebody closes falls into this day or the next one by the order of entries, into exactly one. Nothing has
to stop for it, and payments in doubt do not keep it from being done: it names them.

Whoever closes may type what a terminal's own paper says it took: no protocol that is spoken here tells it. Where its
figures and ours differ, the close is written all the same and an alarm with it.
"""

from collections.abc import Sequence
from typing import Final

from edge.journal.ports import JournalReader
from edge.journal.standing import ClosedDay, OpenDay
from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import DAY_SLIP, spool
from edge.store.queries import Queries
from shared.day import card_net
from shared.entropy import Entropy, random_name
from shared.errors import IntegrityError, OperatorError
from shared.events import AlarmRaised, Body, DayClosed, TerminalBatch
from shared.journal import tree

BATCH_DIFFERS: Final = "batch_differs"
"""Alarm: a terminal's own report of its batch and the journal's figures for it differ."""


class CloseDay:
    """Closes days and prints their slips."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        entropy: Entropy,
        terminals: Sequence[str] = (),
    ) -> None:
        """Take the parts. `terminals` are all that are set up."""
        self._writer = writer
        self._queries = queries
        self._entropy = entropy
        self._terminals = tuple(terminals)

    async def close(self, *, operator: str, close_id: str | None = None, reports: Sequence[TerminalBatch] = ()) -> str:
        """Close the day and spool its slip; return the close's name.

        A `close_id` of the caller's own makes a repeated request the same close: it closes nothing again. `reports` is
        what terminals say they took since the last close, sales less what they undid. Raises OperatorError
        `payment.unknown_terminal`.
        """
        said = {report.terminal: report for report in reports}
        if strangers := said.keys() - set(self._terminals):
            raise OperatorError("payment.unknown_terminal", terminal=min(strangers))
        name = close_id or random_name(self._entropy, "d")
        if self._queries.closed_day(name) is not None:
            return name
        batches = tuple(said.get(terminal, TerminalBatch(terminal=terminal)) for terminal in sorted(self._terminals))

        def decide(view: StoreView) -> Sequence[Body]:
            if view.closed_day(name) is not None:
                return []
            day = view.open_day()
            spool(view, self._entropy, document=DAY_SLIP, about=name, copy=False)
            root = tree.root(day.size, view.node)
            body = _close(day, close_id=name, root=root, operator=operator, batches=batches)
            return [body, *_differences(body)]

        await self._writer.commit(decide)
        return name

    def closed(self, close_id: str) -> ClosedDay:
        """Return a closed day. Raises OperatorError `day.unknown`."""
        day = self._queries.closed_day(close_id)
        if day is None:
            raise OperatorError("day.unknown", close_id=close_id)
        return day


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


def _differences(body: DayClosed) -> list[Body]:
    """Return an alarm for each terminal's report that is not what the journal has of it."""
    alarms: list[Body] = []
    for batch in body.batches:
        ours = card_net(body, batch.terminal)
        if batch.count is not None and (batch.count, batch.amount_rial) != ours:
            detail = f"{batch.terminal}: its own {batch.count} {batch.amount_rial}, ours {ours[0]} {ours[1]}"
            alarms.append(AlarmRaised(kind=BATCH_DIFFERS, detail=detail))
    return alarms
