"""The page on which a manager takes a copy of the journal away, for an auditor."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Stream

from edge.web.error_pages import status_of
from edge.web.guards import own_form, signed_in
from edge.web.ports.counter import MANAGER, Operator
from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.text import fold_number, is_digits

_HERE: Final = frozenset({"auth.wrong", "auth.too_many", "auth.manager_needed", "export.no_such_range"})
"""Codes that are said on the form itself."""
_DIGITS_MAX: Final = 15
_NO_INDEX: Final = 10**_DIGITS_MAX


def _index(given: str, when_empty: int | None) -> int | None:
    """Return a place in the journal; what is none is one that no journal has."""
    digits = fold_number(given)
    if not digits:
        return when_empty
    return int(digits) if is_digits(digits) and len(digits) <= _DIGITS_MAX else _NO_INDEX


def _ask(web: Web, request: AnyRequest, values: dict[str, str], **more: Any) -> Response[str]:
    operator: Operator = request.scope["state"]["operator"]
    username = values.get("username") or (operator.username if operator.role == MANAGER else "")
    wanted = {"problem_of": None, **more}
    box = web.counter.queries.status()
    return page(web, request, "journal.html", box=box, values=values, username=username, **wanted)


def journal_pages(web: Web) -> list[Any]:
    """Return the handlers."""

    @get("/journal", guards=[signed_in])
    async def journal(request: AnyRequest) -> Response[str]:
        return _ask(web, request, {})

    @post("/journal", guards=[signed_in, own_form], status_code=200)
    async def export(request: AnyRequest) -> Response[Any]:
        form = await request.form()
        values = {name: str(form.get(name, "")) for name in ("first", "last", "username")}
        try:
            copy = await web.counter.export_journal(
                _index(values["first"], 0) or 0,
                _index(values["last"], None),
                username=values["username"],
                password=str(form.get("password", "")),
            )
        except OperatorError as error:
            if error.code not in _HERE:
                raise
            said = {"error": error, "said": describe(error, language_of(request))}
            return _ask(web, request, values, status_code=status_of(error), problem_of=said)
        return Stream(
            copy.pieces,
            media_type="application/zip",
            headers={"content-disposition": f'attachment; filename="{copy.name}"', "cache-control": "no-store"},
        )

    return [journal, export]
