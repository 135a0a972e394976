"""How much offices may take without central: the policies that stand, and setting one."""

from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post

from central.fleet.policies import Kind, Limits, policy_of, standing_policies
from central.fleet.publishing import publish
from central.web.guards import may_change, own_form, signed_in
from central.web.office_reads import offices
from central.web.pages_settlement import username_of
from central.web.rendering import AnyRequest, Web, page, said, see_other
from shared.errors import OperatorError
from shared.money import parse_toman
from shared.text import fold_number

ALL: Final = "all"
FIELDS: Final = ("office", "kind", "payment_max_rial", "total_max_rial", "count_max", "running_hours_max")
_KINDS: Final[dict[str, Kind]] = {"limits": "limits", "unlimited": "unlimited", "withdrawn": "withdrawn"}
_DIGITS_MAX: Final = 9


def _number(typed: str, field: str) -> int | None:
    digits = fold_number(typed)
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS_MAX):
        raise OperatorError("money.not_a_number", field=field)
    return int(digits)


def _limits(typed: dict[str, str]) -> Limits:
    """Return the limits of a form; amounts are typed in toman, empty is none. Raises OperatorError naming the field."""
    amounts = {
        field: parse_toman(typed[field], field=field) if typed[field].strip() else None
        for field in ("payment_max_rial", "total_max_rial")
    }
    numbers = {field: _number(typed[field], field) for field in ("count_max", "running_hours_max")}
    return Limits(**amounts, **numbers)


def policy_pages(web: Web) -> list[Any]:
    """Return the handlers of policies."""

    def shown(request: AnyRequest, *, status_code: int = 200, **context: Any) -> Response[str]:
        with web.engine.connect() as connection:
            standing = standing_policies(connection)
            known = offices(connection, now=web.clock.now())
        everything = {"told": None, "typed": dict.fromkeys(FIELDS, ""), "wrong": None, **context}
        return page(
            web, request, "policies.html", status_code=status_code, policies=standing, offices=known, **everything
        )

    @get("/policies", guards=[signed_in], sync_to_thread=True)
    def show_policies(request: AnyRequest) -> Response[str]:
        return shown(request)

    @post("/policies", guards=[may_change, own_form])
    async def set_one(request: AnyRequest) -> Response[str]:
        form = await request.form()
        typed = {name: str(form.get(name, "")) for name in FIELDS}
        by = username_of(request)

        def work() -> Response[str]:
            try:
                policy = policy_of(_KINDS.get(typed["kind"], "limits"), _limits(typed), by=by, entropy=web.entropy)
                with web.engine.begin() as connection:
                    publish(connection, None if typed["office"] == ALL else typed["office"], policy, web.append_feed)
            except OperatorError as error:
                return shown(request, status_code=422, told=said(error, request), typed=typed, wrong=error.field)
            return see_other("/policies")

        return await anyio.to_thread.run_sync(work)

    return [show_policies, set_one]
