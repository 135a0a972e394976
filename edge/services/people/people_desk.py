"""What pages ask about the people of the office: who is at this page, who may come, and a manager's changes of them.

Every change takes the manager's own password, whoever left the page open: see `ManagePeople` for what it then does.
"""

from edge.journal.people import LastSignIn, OpenSession, OperatorView, SignInView
from edge.services.people.manage_people import ManagePeople, Wish
from edge.services.people.permissions import ALL_PERMITTED, Permitted
from edge.services.people.sign_in import SignIn, Visitor
from edge.store.people import People
from edge.store.queries import Queries
from shared.errors import OperatorError


class PeopleDesk:
    """Joins what is known of people with what may be done about them. `operator` is the manager who is signed in."""

    def __init__(self, people: People, queries: Queries, sign_in: SignIn, managing: ManagePeople) -> None:
        self._people = people
        self._queries = queries
        self._sign_in = sign_in
        self._managing = managing

    # --- who is at this page ---

    def visitor(self, session_token: str, *, active: bool) -> Visitor | None:
        """See `SignIn.visitor`."""
        return self._sign_in.visitor(session_token, active=active)

    def greeting(self, session_token: str) -> LastSignIn | None:
        """See `SignIn.greeting`."""
        return self._sign_in.greeting(session_token)

    def lock(self, session_token: str) -> None:
        """See `SignIn.lock`."""
        self._sign_in.lock(session_token)

    async def unlock(self, session_token: str, password: str) -> None:
        """See `SignIn.unlock`."""
        await self._sign_in.unlock(session_token, password)

    async def change_password(self, session_token: str, old: str, new: str, again: str) -> None:
        """See `ManagePeople.change_password`."""
        await self._managing.change_password(session_token, old, new, again)

    async def sign_out_everywhere(self, username: str) -> None:
        """Sign oneself out wherever one is signed in."""
        await self._managing.end_sessions(username, operator=username)

    # --- who works here ---

    def everybody(self) -> list[OperatorView]:
        """Return the people of the office by user name, those who left as well."""
        return self._people.operators()

    def person(self, username: str) -> OperatorView:
        """Return a person. Raises OperatorError `people.unknown`."""
        person = self._people.operator(username)
        if person is None:
            raise OperatorError("people.unknown", username=username)
        return person

    def permitted(self, username: str) -> Permitted:
        """Return what a manager set for a person: everything where nobody ever set it. A manager's role counts not."""
        row = self._queries.permitted(username)
        return ALL_PERMITTED if row is None else Permitted(*row)

    def last_sign_in(self, username: str) -> LastSignIn:
        """Return when and where a person was in last, and who tried since."""
        return self._people.last_sign_in(username)

    def sign_ins(self, username: str) -> list[SignInView]:
        """See `SignIn.sign_ins`."""
        return self._sign_in.sign_ins(username)

    def sessions_of(self, username: str) -> list[OpenSession]:
        """See `SignIn.sessions_of`."""
        return self._sign_in.sessions_of(username)

    # --- a manager's changes; each raises also what `SignIn.manager` raises ---

    async def add(self, username: str, *, name: str, role: str, password: str, operator: str, own_password: str) -> str:
        """See `ManagePeople.add`."""
        await self._sign_in.manager(operator, own_password)
        return await self._managing.add(username, name=name, role=role, password=password, operator=operator)

    async def change(self, username: str, *, name: str, role: str, operator: str, own_password: str) -> None:
        """See `ManagePeople.change`."""
        await self._sign_in.manager(operator, own_password)
        await self._managing.change(username, name=name, role=role, operator=operator)

    async def set_disabled(self, username: str, *, disabled: bool, operator: str, own_password: str) -> None:
        """See `ManagePeople.deny` and `ManagePeople.allow`."""
        await self._sign_in.manager(operator, own_password)
        if disabled:
            await self._managing.deny(username, operator=operator)
        else:
            await self._managing.allow(username, operator=operator)

    async def reset_password(self, username: str, password: str, *, operator: str, own_password: str) -> None:
        """See `ManagePeople.reset_password`."""
        await self._sign_in.manager(operator, own_password)
        await self._managing.reset_password(username, password, operator=operator)

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
        """See `ManagePeople.permit`."""
        await self._sign_in.manager(operator, own_password)
        wish = Wish(shown=shown, ticked=ticked, new_services=new_services)
        await self._managing.permit(username, wish, operator=operator)

    async def end_sessions(self, username: str, *, operator: str, own_password: str) -> None:
        """See `ManagePeople.end_sessions`."""
        await self._sign_in.manager(operator, own_password)
        await self._managing.end_sessions(username, operator=operator)
