"""The line of a box to central, made out of its parts. A part of `edge.app`."""

from collections.abc import Callable
from typing import Final

from edge.box_parts import BoxParts
from edge.journal.signer import Signer
from edge.journal.views import CentralLink
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.queries import Queries
from edge.uplink.client import Heard, Uplink, UplinkSettings

NEWEST_WATCHED: Final = 50
"""Newest inquiries that are looked at for one that waits; older ones are answered on the timetable."""


def make_uplink(
    parts: BoxParts,
    central: CentralLink,
    exchange: SqliteExchangeStore,
    signer: Signer,
    *,
    on_attempt: Callable[[str | None], None],
    on_central_time: Heard,
) -> Uplink:
    """Return what exchanges journal and feeds with central."""
    return Uplink(
        UplinkSettings(central_url=central.url, idle_ms=parts.settings.exchange_every_s * 1000),
        journal_id=parts.identity.journal_id,
        boot=parts.writer.boot,
        trust=central.trust,
        store=exchange,
        journal=parts.queries,
        signer=signer,
        clock=parts.clock,
        entropy=parts.entropy,
        expecting=lambda: awaits_central(parts.queries),
        on_attempt=on_attempt,
        on_central_time=on_central_time,
    )


def awaits_central(queries: Queries) -> bool:
    """Return whether an answer of central is awaited: a confirmation, one of the newest questions', or pictures."""
    return (
        any(inquiry.outcome is None for inquiry in queries.inquiries(None, NEWEST_WATCHED))
        or any(asked.is_asked for asked in queries.services.newest_waiting(NEWEST_WATCHED))
        or queries.services.awaits_images()
        or queries.status().unconfirmed_count > 0
    )
