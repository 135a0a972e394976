"""«کارکنان»: a manager sees who works here and what each may do. Every change takes the manager's own password."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.error_pages import status_of
from edge.web.guards import manager_only, own_form
from edge.web.permission_list import permission_list
from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.acts import EVERYTHING
from shared.error_texts import describe
from shared.errors import OperatorError

Change = Callable[[FormMultiDict, str, str], Awaitable[object]]
"""Changes somebody by a form, in the name of a manager, who gives their own password."""
_GUARDS = [manager_only, own_form]
_DONE: Final = {
    "added": "people.done_added",
    "permissions": "people.done_permissions",
    "name": "people.done_name",
    "password": "people.done_password",
    "access": "people.done_access",
    "sign-out": "people.done_sign_out",
}
"""What is said of each form that was done."""


def _manager_of(request: AnyRequest) -> str:
    return str(request.scope["state"]["operator"].username)


def person_path(username: str) -> str:
    """Return the address of a person's page."""
    return f"/people/{quote(username, safe='')}"


def _problem(error: OperatorError, request: AnyRequest, of: str) -> dict[str, Any]:
    """Return an error as a page shows it, at the form that it is about."""
    return {"said": describe(error, language_of(request)), "error": error, "of": of}


def _people_page(
    web: Web,
    request: AnyRequest,
    *,
    status_code: int = 200,
    problem_of: Any = None,
    values: dict[str, str] | None = None,
) -> Response[str]:
    people = web.counter.people
    everybody = people.everybody()
    rows = [{"person": person, "last": people.last_sign_in(person.username)} for person in everybody]
    managers = sum(person.role == "manager" and not person.disabled for person in everybody)
    return page(
        web,
        request,
        "people.html",
        status_code=status_code,
        rows=rows,
        managers=managers,
        problem_of=problem_of,
        values=values or {},
    )


def _person_page(
    web: Web, request: AnyRequest, username: str, *, status_code: int = 200, problem_of: Any = None
) -> Response[str]:
    people = web.counter.people
    person = people.person(username)
    permitted = people.permitted(username)
    return page(
        web,
        request,
        "person.html",
        status_code=status_code,
        person=person,
        groups=permission_list(web, permitted, language_of(request)),
        new_services=permitted.may(EVERYTHING),
        sign_ins=people.sign_ins(username),
        sessions=people.sessions_of(username),
        problem_of=problem_of,
        done=_DONE.get(request.query_params.get("done", "")),
    )


def people_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/people", guards=[manager_only])
    async def everybody(request: AnyRequest) -> Response[str]:
        return _people_page(web, request)

    @post("/people", guards=_GUARDS)
    async def add(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        values = {name: str(form.get(name, "")) for name in ("username", "name", "role")}
        try:
            username = await web.counter.people.add(
                **values,
                password=str(form.get("first_password", "")),
                operator=_manager_of(request),
                own_password=str(form.get("own_password", "")),
            )
        except OperatorError as error:
            said = _problem(error, request, "add")
            return _people_page(web, request, status_code=status_of(error), problem_of=said, values=values)
        return Redirect(f"{person_path(username)}?done=added", status_code=303)

    @get("/people/{username:str}", guards=[manager_only])
    async def person(request: AnyRequest, username: FromPath[str]) -> Response[str]:
        return _person_page(web, request, username)

    return [everybody, add, person, *_what_they_are(web), *_how_they_come(web)]


async def _answered(web: Web, request: AnyRequest, username: str, of: str, change: Change) -> Response[str] | Redirect:
    """Make a change and come back to the person's page; what was wrong is said at its form."""
    form = await request.form()
    try:
        await change(form, _manager_of(request), str(form.get("own_password", "")))
    except OperatorError as error:
        if error.code == "people.unknown":
            raise
        problem_of = _problem(error, request, of)
        return _person_page(web, request, username, status_code=status_of(error), problem_of=problem_of)
    return Redirect(f"{person_path(username)}?done={of}", status_code=303)


def _what_they_are(web: Web) -> list[Any]:
    """Return the handlers of what a person may do and is called."""

    @post("/people/{username:str}/permissions", guards=_GUARDS)
    async def permit(request: AnyRequest, username: FromPath[str]) -> Response[str] | Redirect:
        async def change(form: FormMultiDict, operator: str, own_password: str) -> None:
            shown, ticked = (frozenset(map(str, form.getall(name, []))) for name in ("shown", "act"))
            new_services = form.get("new_services") == "yes"
            await web.counter.people.permit(
                username,
                shown=shown,
                ticked=ticked,
                new_services=new_services,
                operator=operator,
                own_password=own_password,
            )

        return await _answered(web, request, username, "permissions", change)

    @post("/people/{username:str}/name", guards=_GUARDS)
    async def rename(request: AnyRequest, username: FromPath[str]) -> Response[str] | Redirect:
        async def change(form: FormMultiDict, operator: str, own_password: str) -> None:
            name, role = str(form.get("name", "")), str(form.get("role", ""))
            await web.counter.people.change(
                username, name=name, role=role, operator=operator, own_password=own_password
            )

        return await _answered(web, request, username, "name", change)

    return [permit, rename]


def _how_they_come(web: Web) -> list[Any]:
    """Return the handlers of a person's password, denial and sign-ins."""

    @post("/people/{username:str}/password", guards=_GUARDS)
    async def reset(request: AnyRequest, username: FromPath[str]) -> Response[str] | Redirect:
        async def change(form: FormMultiDict, operator: str, own_password: str) -> None:
            given = str(form.get("first_password", ""))
            await web.counter.people.reset_password(username, given, operator=operator, own_password=own_password)

        return await _answered(web, request, username, "password", change)

    @post("/people/{username:str}/access", guards=_GUARDS)
    async def access(request: AnyRequest, username: FromPath[str]) -> Response[str] | Redirect:
        async def change(form: FormMultiDict, operator: str, own_password: str) -> None:
            disabled = form.get("disabled") == "yes"
            await web.counter.people.set_disabled(
                username, disabled=disabled, operator=operator, own_password=own_password
            )

        return await _answered(web, request, username, "access", change)

    @post("/people/{username:str}/sign-out", guards=_GUARDS)
    async def sign_out(request: AnyRequest, username: FromPath[str]) -> Response[str] | Redirect:
        async def change(_: FormMultiDict, operator: str, own_password: str) -> None:
            await web.counter.people.end_sessions(username, operator=operator, own_password=own_password)

        return await _answered(web, request, username, "sign-out", change)

    return [reset, access, sign_out]
