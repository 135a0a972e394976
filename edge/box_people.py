"""The people of the box put together: who may sign in, who may do what, and a manager's changes of both."""

import msgspec

from edge.journal.writer import JournalWriter
from edge.services.manage_people import ManagePeople
from edge.services.people_desk import PeopleDesk
from edge.services.permissions import Permissions
from edge.services.presence import MINUTE_MS
from edge.services.sign_in import SignIn
from edge.settings import Settings
from edge.store.people import People
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy


class PeopleParts(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases of people."""

    sign_in: SignIn
    permissions: Permissions
    managing: ManagePeople
    desk: PeopleDesk


def make_people(
    people: People, queries: Queries, writer: JournalWriter, settings: Settings, *, clock: Clock, entropy: Entropy
) -> PeopleParts:
    """Return the use cases of people."""
    lock_after_ms = settings.lock_after_minutes * MINUTE_MS or None
    sign_in = SignIn(people, clock, entropy, writer.boot, lock_after_ms=lock_after_ms)
    managing = ManagePeople(writer, people, sign_in, queries.identity().office)
    return PeopleParts(
        sign_in=sign_in,
        permissions=Permissions(queries, people),
        managing=managing,
        desk=PeopleDesk(people, queries, sign_in, managing),
    )
