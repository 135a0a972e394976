"""Pages that ask for a service: the choice within a group, and the form, both out of the catalogue alone."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.guards import SERVICE, own_form, signed_in
from edge.web.menu import service_path
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name
from edge.web.rendering import AnyRequest, Web, catalogue_of, language_of, page, permitted_to
from shared.acts import service_act
from shared.catalogue import Field, Service
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.money import parse_toman
from shared.plates import LETTERS, parse_plate
from shared.service_fields import check_fields, field_problems, presets

ACCEPTED: Final = "rules_accepted"
PLATE_PARTS: Final = ("two", "letter", "three", "province")
"""Inputs of a plate, as it is read from the left; a part of field `plate` is `plate.two`."""
SURE: Final = "sure"
"""Beside them: somebody looked, and the plate does have a zero."""


def requests_path(inquiry_id: str) -> str:
    """Return the address of a request."""
    return f"/requests/{inquiry_id}"


def _typed(service: Service, form: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the form, part by part, as it was typed."""
    names = [ACCEPTED]
    for field in service.fields:
        names.append(field.name)
        if field.kind == "plate":
            names += [f"{field.name}.{part}" for part in (*PLATE_PARTS, SURE)]
    return {name: str(form.get(name, "")) for name in names}


def _given(field: Field, typed: Mapping[str, str]) -> str:
    """Return what was typed for a field as one text. Raises OperatorError as `shared.plates`, `shared.money` do."""
    if field.kind == "plate":
        parts = [typed[f"{field.name}.{part}"].strip() for part in PLATE_PARTS]
        text = " ".join(filter(None, parts))
        sure = bool(typed[f"{field.name}.{SURE}"])
        return parse_plate(text, field=field.name, has_zero=True) if sure and text else text
    if field.kind == "amount" and typed[field.name].strip():
        return str(parse_toman(typed[field.name], field=field.name))
    return typed[field.name]


def _read(service: Service, typed: Mapping[str, str]) -> tuple[dict[str, str], dict[str, OperatorError]]:
    """Return the fields of a form, and what is wrong with them; tell all of it at once."""
    given: dict[str, str] = {}
    problems: dict[str, OperatorError] = {}
    for field in service.fields:
        try:
            given[field.name] = _given(field, typed)
        except OperatorError as error:
            given[field.name], problems[field.name] = "", error
    return given, {**field_problems(service, given), **problems}


def _form_page(
    web: Web,
    request: AnyRequest,
    service: Service,
    typed: dict[str, str],
    problems: Mapping[str, OperatorError],
    *,
    preset: Collection[str] = (),
    status_code: int = 200,
) -> Response[str]:
    language = language_of(request)
    return page(
        web,
        request,
        "service_form.html",
        status_code=status_code,
        service=service,
        category=service.category,
        typed=typed,
        problems={name: describe(error, language) for name, error in problems.items()},
        problem_codes={name: error.code for name, error in problems.items()},
        preset=preset,
        letters=LETTERS,
        back=service_path(service) if service.group else "/",
    )


def _sold(web: Web, code: str) -> Service | None:
    """Return a service that is sold now."""
    service = catalogue_of(web).service(code)
    return service if service is not None and service.active else None


def _choice_page(web: Web, request: AnyRequest, code: str) -> Response[str]:
    """Return the page on which one chooses between the services of a group."""
    permitted = permitted_to(web, request)
    ways = [one for one in catalogue_of(web).in_group(code) if permitted.may_sell(one.code)]
    if not ways or ways[0].group is None:
        raise OperatorError("service.not_sold", service=code)
    return page(web, request, "service_choice.html", group=ways[0].group, ways=ways, category=ways[0].category)


async def _ask(web: Web, request: AnyRequest, service: Service) -> Response[str] | Redirect:
    """Take the form of a service: ask for it, or show the form again with what is wrong."""
    sent = await request.form()
    typed, operator = _typed(service, sent), operator_name(request)
    accepted = bool(typed[ACCEPTED])
    chosen = presets(service, typed)
    typed |= chosen
    given, problems = _read(service, typed)
    if service.rules and not accepted:
        problems[ACCEPTED] = OperatorError("service.rules_not_accepted", field=ACCEPTED)
    if problems or chosen:
        # What nobody chose is shown before it counts: the number may have been ported.
        return _form_page(web, request, service, typed, problems, preset=chosen, status_code=422 if problems else 200)
    fields = check_fields(service, given)
    key = one_time_key(str(sent.get("key", "")))

    async def run(name: str) -> bytes:
        asked = await web.counter.request_service(
            service.code, fields, rules_accepted=accepted, operator=operator, name=name
        )
        return asked.encode()

    digest = form_digest(service.code, *(f"{name}={value}" for name, value in fields.items()))
    try:
        asked = await web.counter.idempotent(key, digest, f"page:{operator}", run)
    except OperatorError as error:
        if error.field is None or service.field(error.field) is None:
            raise
        return _form_page(web, request, service, typed, {error.field: error}, status_code=422)
    return Redirect(requests_path(asked.decode()), status_code=303)


def service_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/services/{code:str}", guards=[signed_in])
    async def form(request: AnyRequest, code: FromPath[str]) -> Response[str]:
        service = _sold(web, code)
        if service is None:
            return _choice_page(web, request, code)
        if not permitted_to(web, request).may_sell(code):
            raise OperatorError("auth.not_permitted", act=service_act(code))
        return _form_page(web, request, service, _typed(service, {}), {})

    @post("/services/{code:str}", guards=[signed_in, own_form], opt={SERVICE: "code"})
    async def ask(request: AnyRequest, code: FromPath[str]) -> Response[str] | Redirect:
        service = _sold(web, code)
        if service is None:
            raise OperatorError("service.not_sold", service=code)
        return await _ask(web, request, service)

    return [form, ask]
