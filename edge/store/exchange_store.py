"""The state of the exchange, kept beside the journal: the uplink's `ExchangeStore` over the journal's own transactions.

A settlement - cosignature, ratchet token, feed entries with their effects, alarms, the answered request - is one
transaction: after a cut, either all of it happened or the same request is sent again and gets the same answer.
"""

from collections.abc import Sequence
from typing import Any

from edge.journal.ports import StoreView
from edge.journal.writer import JournalWriter
from edge.store.queries import Queries
from edge.store.rows import Rows
from edge.uplink.ports import ExchangeState, FeedCursor, Settlement
from shared.errors import BugError, IntegrityError
from shared.events import Body


class SqliteExchangeStore:
    """`edge.uplink.ports.ExchangeStore` in the box's file."""

    def __init__(self, queries: Queries, writer: JournalWriter) -> None:
        self._queries = queries
        self._writer = writer

    def load(self) -> ExchangeState:
        """Return the state as of the newest commit."""
        columns, cursors = self._queries.at_one_moment(_state)
        if None in (columns["cosigned_size"], columns["cosigned_note"], columns["next_index"]):
            raise IntegrityError("store.corrupt", why="exchange_state")
        columns["quarantined"] = bool(columns["quarantined"])
        return ExchangeState(
            **columns, feeds=tuple(FeedCursor(feed=feed, next=index, head=head) for feed, index, head in cursors)
        )

    def pending(self) -> bytes | None:
        """Return the wire bytes of the request that has no answer yet."""
        return self._queries.exchange_pending()

    async def save_pending(self, request: bytes) -> None:
        """Store the wire bytes of a request. Raises BugError `exchange.pending` while another has no answer."""

        def decide(view: StoreView) -> Sequence[Body]:
            if view.exchange_pending() is not None:
                raise BugError("exchange.pending")
            view.keep_exchange_pending(request)
            return []

        await self._writer.commit(decide)

    async def settle(self, settlement: Settlement) -> None:
        """Apply the settlement and delete the pending request in one transaction.

        Raises IntegrityError as `StoreView.store_feed_entries` does, BugError `exchange.shrank`; nothing changed then.
        """

        def decide(view: StoreView) -> Sequence[Body]:
            closed = view.closed_at() is not None
            received = [
                view.store_feed_entries(piece.feed, [(entry.data, entry.signature) for entry in piece.entries])
                for piece in (() if closed else settlement.feeds)
            ]
            if settlement.token is not None:
                view.update_exchange(token=settlement.token)
            if settlement.cosigned_size is not None:
                view.update_exchange(
                    cosigned_size=settlement.cosigned_size, cosigned_note=settlement.cosigned_note or ""
                )
            view.update_exchange(
                next_index=settlement.next_index,
                quarantined=int(settlement.quarantined),
                last_exchange_at=settlement.answered_at,
                last_error=None,
            )
            view.keep_exchange_pending(None)
            return [] if closed else [*(body for body in received if body is not None), *settlement.alarms]

        await self._writer.commit(decide)

    async def note_failure(self, code: str) -> None:
        """Store the code of a failed attempt. The pending request stays."""

        def decide(view: StoreView) -> Sequence[Body]:
            view.update_exchange(last_error=code)
            return []

        await self._writer.commit(decide)


def _state(rows: Rows) -> tuple[dict[str, Any], list[tuple[str, int, str]]]:
    """Return the columns of the exchange's state, and where each feed stands."""
    central = rows.identity().central
    # A closed journal takes nothing that comes down: it is only handed over.
    feeds = () if central is None or rows.closed_at() is not None else central.feeds
    return rows.exchange_columns(), [(feed, *rows.feed_cursor(feed)) for feed in feeds]
