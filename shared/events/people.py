"""Facts of the people who work at the counter: what a manager changes of them. Never a password, nor anything of one.

`operator` is who changed it: a manager, the person themselves, or `box:` where it was done at the box's command line.
"""

from typing import Final, Literal

from shared.events.body import Body

Role = Literal["operator", "manager"]


class PersonAdded(Body, frozen=True, kw_only=True):
    """Somebody may sign in from now on."""

    type = "person.added"
    person: str
    """The user name, which entries carry."""
    name: str
    role: Role
    operator: str


class PersonChanged(Body, frozen=True, kw_only=True):
    """A person is called, or works, otherwise from now on."""

    type = "person.changed"
    person: str
    name: str
    role: Role
    operator: str


class PersonDenied(Body, frozen=True, kw_only=True):
    """A person may not sign in any more; their sessions ended."""

    type = "person.denied"
    person: str
    operator: str


class PersonAllowed(Body, frozen=True, kw_only=True):
    """A person who was denied may sign in again."""

    type = "person.allowed"
    person: str
    operator: str


class PasswordSet(Body, frozen=True, kw_only=True):
    """A person has another password: their own choice, or a manager's, which they change when they sign in."""

    type = "person.password_set"
    person: str
    operator: str


class PersonPermitted(Body, frozen=True, kw_only=True):
    """What a person may do, in place of what was said before. A denial wins over what is allowed."""

    type = "person.permitted"
    person: str
    allowed: tuple[str, ...]
    """Acts of `shared.acts`; `*`: everything, services to come as well."""
    denied: tuple[str, ...] = ()
    operator: str


class SessionsEnded(Body, frozen=True, kw_only=True):
    """All sign-ins of a person ended, wherever they were."""

    type = "person.sessions_ended"
    person: str
    operator: str


PEOPLE_FACTS: Final[tuple[type[Body], ...]] = (
    PersonAdded,
    PersonChanged,
    PersonDenied,
    PersonAllowed,
    PasswordSet,
    PersonPermitted,
    SessionsEnded,
)
"""All of them."""
