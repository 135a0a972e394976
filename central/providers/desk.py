"""What working a question to a provider takes: the desk, the question in hand, and the answers there are."""

from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from central.ledger.questions import BILLS
from central.providers.breaker import CircuitBreaker
from central.providers.connector import (
    Answered,
    NotDone,
    Pending,
    Pictured,
    ProviderConnector,
    Refused,
    Served,
    Taken,
    Trouble,
    Unreached,
)
from central.providers.data_keys import DataKeys
from central.providers.holding import Withdrawn
from shared.clock import Clock
from shared.entropy import Entropy
from shared.events import Body
from shared.ids import FeedId

Reply = Answered | Served | Pictured | Taken | Refused | Withdrawn | Pending | NotDone | Unreached | Trouble
NotYet = Pending | NotDone | Unreached | Trouble


def is_failure(reply: Reply) -> bool:
    """Return whether a reply is none: the provider is not there, or does not work. For the circuit breaker."""
    return isinstance(reply, Unreached) or (isinstance(reply, Trouble) and not reply.answered)


class AppendFeed(Protocol):
    """Append a fact to a feed in the caller's transaction; return its index."""

    def __call__(self, connection: Connection, feed_id: FeedId, body: Body) -> int:
        """Append; does not commit."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is being worked: what of its row the answer needs."""

    office_id: str
    task_id: str
    kind: str
    subject: str
    item: int | None
    """Of the payment that it is about, where that has items."""
    track_id: str
    attempts: int
    lease: str
    asked_at: datetime | None
    """When the question may last have left, or None when it never did."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is waited for. A lease outlives the calls that may be made under it."""

    lease_ms: int = 90_000
    retry_first_ms: int = 2_000
    retry_longest_ms: int = 300_000
    unheard_after_ms: int = 30_000
    """So long after a question left, the provider's not knowing it counts."""
    overdue_after_ms: int = 6 * 3_600_000
    """What was paid and has no answer after this becomes a case; the question goes on being asked."""


class ProviderDesk(msgspec.Struct, frozen=True, kw_only=True):
    """All that the worker works with for one provider, joined by the application."""

    connector: ProviderConnector
    breaker: CircuitBreaker
    append_feed: AppendFeed
    data_keys: DataKeys
    clock: Clock
    entropy: Entropy
    timing: Timing = Timing()
    route: str = BILLS
    """The questions that are asked here: those that name it."""
