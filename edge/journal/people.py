"""Who works at the counter, as frozen structs: what decisions read and what pages show. None holds a password."""

from typing import Final, Literal

import msgspec

OPERATOR: Final = "operator"
MANAGER: Final = "manager"
ROLES: Final = (OPERATOR, MANAGER)
"""Who works here. A manager, the office's supervisor, also decides doubts and agrees to giving money back."""
Role = Literal["operator", "manager"]


class OperatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A person who works at the counter."""

    username: str
    name: str
    role: str
    disabled: bool = False
    must_change: bool = False
    """Whether the password is one that somebody else chose: it opens one page only, that of the password."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody sat: the computer's address, and what its browser calls itself."""

    address: str = ""
    browser: str = ""


NOWHERE: Final = Place()


class SignInView(msgspec.Struct, frozen=True, kw_only=True):
    """A password that was given for a name, right or wrong. `at` is what the box's clock said."""

    at: str
    place: Place
    right: bool


class LastSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is told when they sign in: when and where they were in last, and who tried since."""

    last: SignInView | None
    """None: never before."""
    failed_count: int = 0
    failed: SignInView | None = None
    """The newest wrong attempt since."""


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that goes on. `key` names it; nobody can sign in with it."""

    key: str
    opened_at: str
    place: Place
