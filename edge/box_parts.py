"""What the rooms of a box are joined with: the parts that everything else is made out of. A part of `edge.app`."""

import msgspec

from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.services.events import EventHub
from edge.services.sales.service_view import ServiceViews
from edge.settings import Settings
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy


class BoxParts(msgspec.Struct, frozen=True, kw_only=True):
    """Made first, and given to each room."""

    settings: Settings
    identity: Identity
    writer: JournalWriter
    queries: Queries
    hub: EventHub
    clock: Clock
    entropy: Entropy
    service_views: ServiceViews
