"""What the journal says of days and of exposure, as frozen structs: for decisions in the transaction and for pages.

No SQL and no I/O here. Amounts are whole rials, running times milliseconds.
"""

import msgspec

from edge.journal.views import PaymentView
from shared.day import DayTotals
from shared.events import DayClosed


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What the box holds that central has not cosigned, at one moment."""

    charged_count: int = 0
    charged_rial: int = 0
    """Charged payments whose newest move central has not cosigned."""
    open_count: int = 0
    open_rial: int = 0
    """Payments under way, and those in doubt of which central has not cosigned that they are."""
    running_ms: int = 0
    """Running time since central last cosigned; since the journal began where it never did."""

    @property
    def count(self) -> int:
        """Return how many payments limits are held against."""
        return self.charged_count + self.open_count

    @property
    def amount_rial(self) -> int:
        """Return the sum that limits are held against."""
        return self.charged_rial + self.open_rial


class ExposurePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy in force: the newest of the office's own feed, else the newest of the network's. None is no limit."""

    policy_id: str
    feed: str
    payment_max_rial: int | None
    total_max_rial: int | None
    count_max: int | None
    running_hours_max: int | None
    received_at: str


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says to whoever looks at any page, of one moment. Members are named as in `BoxStatus`."""

    office: str
    unsent_count: int
    unconfirmed_count: int
    unconfirmed_rial: int
    last_exchange_at: str | None
    last_exchange_error: str | None
    in_doubt: tuple[PaymentView, ...]
    """Oldest first."""
    is_under_way: bool
    """Whether a payment is requested or sent."""
    waiting_papers: int
    policy: ExposurePolicy | None
    exposure: Exposure


class OpenDay(msgspec.Struct, frozen=True, kw_only=True):
    """The day that is not closed yet, as it stands: what a close would say now."""

    first: int
    """Index of its first entry."""
    size: int
    totals: DayTotals
    in_doubt_count: int
    in_doubt_rial: int
    under_way_count: int
    """Payments that the day's close would leave to the next day, should they be charged."""
    unsent_count: int
    unsent_rial: int
    unconfirmed_count: int
    unconfirmed_rial: int


class ClosedDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day that was closed, and where its entry stands."""

    number: int
    """Days of this journal are counted from 1."""
    index: int
    leaf: str
    closed_at: str
    clock: str
    """What the box knew of its wall clock then."""
    body: DayClosed
    printed: int = 0
    """Slips the printer said it printed."""
