"""The people of the box put together: who may sign in, who may do what, and a manager's changes of both."""

import msgspec

from edge.box_parts import BoxParts
from edge.services.people.manage_people import ManagePeople
from edge.services.people.people_desk import PeopleDesk
from edge.services.people.permissions import Permissions
from edge.services.people.presence import MINUTE_MS
from edge.services.people.sign_in import SignIn
from edge.store.people import People


class PeopleParts(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases of people."""

    sign_in: SignIn
    permissions: Permissions
    managing: ManagePeople
    desk: PeopleDesk


def make_people(parts: BoxParts, people: People) -> PeopleParts:
    """Return the use cases of people."""
    lock_after_ms = parts.settings.lock_after_minutes * MINUTE_MS or None
    sign_in = SignIn(
        people,
        parts.clock,
        parts.entropy,
        parts.writer.boot,
        sessions=parts.queries,
        lock_after_ms=lock_after_ms,
    )
    managing = ManagePeople(parts.writer, people, sign_in, parts.identity.office)
    return PeopleParts(
        sign_in=sign_in,
        permissions=Permissions(parts.queries, parts.queries),
        managing=managing,
        desk=PeopleDesk(people, parts.queries, sign_in, managing),
    )
