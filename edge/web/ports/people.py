"""What pages ask about people: who is at a page, and who works here; a part of `edge.web.ports.counter`."""

from collections.abc import Sequence
from typing import Protocol

from edge.journal.people import LastSignIn, OpenSession, OperatorView, SignInView


class Permitted(Protocol):
    """What one person may do, as it stands now."""

    def may(self, act: str) -> bool:
        """Return whether they may do an act of `shared.acts`."""

    def may_sell(self, code: str) -> bool:
        """Return whether they may sell a service of the catalogue."""

    def __hash__(self) -> int:
        """Return the same for all who may do the same."""


class Permissions(Protocol):
    """Who may do what; `operator` is a name as entries carry it. Asked each time anew: a denial acts at once."""

    def of(self, operator: str) -> Permitted:
        """Return what somebody may do now."""

    def may(self, operator: str, act: str) -> bool:
        """Return whether somebody may do an act of `shared.acts`."""

    def check(self, operator: str, act: str) -> None:
        """Let pass who may do an act. Raises OperatorError `auth.not_permitted`."""

    def may_sell(self, operator: str, code: str) -> bool:
        """Return whether somebody may sell a service of the catalogue."""

    def check_sell(self, operator: str, code: str) -> None:
        """Let pass who may sell a service. Raises OperatorError `auth.not_permitted`."""


class Visitor(Protocol):
    """Who a session belongs to."""

    @property
    def operator(self) -> OperatorView:
        """The person."""

    @property
    def locked(self) -> bool:
        """Whether nobody may use it until the person gives the password."""

    @property
    def left_ms(self) -> int | None:
        """How long until it locks by itself if nothing is done; None: it never does."""


class PeopleDesk(Protocol):
    """The people of the office. What changes somebody takes the own password of the manager who is signed in."""

    def visitor(self, session_token: str, *, active: bool) -> Visitor | None:
        """Return whose session this is; `active`: the person did something just now."""

    def greeting(self, session_token: str) -> LastSignIn | None:
        """Return what a person is told after signing in; once."""

    def lock(self, session_token: str) -> None:
        """Lock a session."""

    async def unlock(self, session_token: str, password: str) -> None:
        """Open a locked session with its person's password."""

    async def change_password(self, session_token: str, old: str, new: str, again: str) -> None:
        """Give oneself another password."""

    async def sign_out_everywhere(self, username: str) -> None:
        """End one's own sessions, all of them."""

    def everybody(self) -> Sequence[OperatorView]:
        """Return everybody."""

    def person(self, username: str) -> OperatorView:
        """Return a person. Raises OperatorError `people.unknown`."""

    def permitted(self, username: str) -> Permitted:
        """Return what was set for a person."""

    def last_sign_in(self, username: str) -> LastSignIn:
        """Return when and where a person was in last, and who tried since."""

    def sign_ins(self, username: str) -> Sequence[SignInView]:
        """Return the newest passwords given for a name, right and wrong."""

    def sessions_of(self, username: str) -> Sequence[OpenSession]:
        """Return where a person is signed in now."""

    async def add(self, username: str, *, name: str, role: str, password: str, operator: str, own_password: str) -> str:
        """Add a person; return the user name."""

    async def change(self, username: str, *, name: str, role: str, operator: str, own_password: str) -> None:
        """Change name and role."""

    async def set_disabled(self, username: str, *, disabled: bool, operator: str, own_password: str) -> None:
        """Deny a person, or let them in again."""

    async def reset_password(self, username: str, password: str, *, operator: str, own_password: str) -> None:
        """Give a person another password."""

    async def permit(
        self,
        username: str,
        *,
        shown: frozenset[str],
        ticked: frozenset[str],
        new_services: bool,
        operator: str,
        own_password: str,
    ) -> None:
        """Set what a person may do: of the acts shown, those ticked, and services to come or not."""

    async def end_sessions(self, username: str, *, operator: str, own_password: str) -> None:
        """Sign a person out everywhere."""
