"""Pages of the office's ATMs (مدیریت خودپردازها): the list, a machine, and the form it is registered with."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.atm_view import form_choices, list_facts, machine_facts, words_of
from edge.web.found import find_atm
from edge.web.guards import ACT, manager_only, own_form, signed_in
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name, seen_other
from edge.web.ports.atms import AtmView
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.atm import CASSETTES_MAX
from shared.atm_typed import DENOMINATION_MAX_RIAL, AtmDraft, chosen, parse_notes
from shared.atm_words import ATM_STATES
from shared.error_texts import describe
from shared.errors import OperatorError

ROWS_SHOWN: Final = 4
"""Rows of cassettes in the form: what machines have. A machine with more has its own as well."""


def told(request: AnyRequest, error: OperatorError) -> dict[str, Any]:
    """Return a refusal in words, to stand at its field."""
    return {"error": error, "said": describe(error, language_of(request))}


async def typed_form(request: AnyRequest) -> dict[str, str]:
    """Return what a form holds."""
    form = await request.form()
    return {name: str(value) for name, value in form.items()}


async def once(web: Web, request: AnyRequest, form: dict[str, str], work: Any) -> str:
    """Do what a form asks for, once however often it is sent; return the name of what was made."""
    key = one_time_key(form.get("key", ""))
    values = [f"{name}={form[name]}" for name in sorted(form) if name not in ("csrf", "key")]

    async def run(name: str) -> bytes:
        made: str = await work(name)
        return made.encode()

    digest = form_digest(request.url.path, *values)
    return (await web.counter.idempotent(key, digest, f"page:{operator_name(request)}", run)).decode()


async def done(
    request: AnyRequest, work: Callable[[], Awaitable[str]], again: Callable[[dict[str, Any]], Response[str]]
) -> Response[str] | Redirect:
    """Do what a form asks for and go to the page it leads to; what is wrong with a field is said there, `again`."""
    try:
        return seen_other(await work())
    except OperatorError as error:
        if error.field is None:
            raise
        return again(told(request, error))


def _rows(atm: AtmView | None) -> list[dict[str, str]]:
    """Return the form's rows of cassettes as texts: those of a machine, and empty ones."""
    rows = [
        {"denomination": str(one.denomination_rial), "capacity": str(one.capacity or "")}
        for one in (atm.cassettes if atm is not None else ())
    ]
    empty = {"denomination": "", "capacity": ""}
    return rows + [empty] * max(0, min(CASSETTES_MAX, ROWS_SHOWN) - len(rows))


def _values(atm: AtmView | None, bank: str) -> dict[str, str]:
    values = {"bank": bank, "number": "", "place": ""}
    if atm is not None:
        values = {"bank": atm.bank, "number": atm.number, "place": atm.place}
    for place, row in enumerate(_rows(atm), start=1):
        values |= {f"{name}-{place}": text for name, text in row.items()}
    return values


def _draft(form: dict[str, str]) -> AtmDraft:
    """Return what a form says of a machine; rows without banknotes are left out. Raises OperatorError at its field."""
    cassettes = []
    for place in range(1, CASSETTES_MAX + 1):
        denomination = form.get(f"denomination-{place}", "")
        if denomination:
            worth = parse_notes(denomination, field=f"denomination-{place}", most=DENOMINATION_MAX_RIAL) or 0
            capacity = parse_notes(form.get(f"capacity-{place}", ""), field=f"capacity-{place}")
            cassettes.append((worth, capacity or 0))
    return AtmDraft(
        bank=form.get("bank", ""),
        number=form.get("number", ""),
        place=form.get("place", ""),
        cassettes=tuple(cassettes),
    )


def machine_page(
    web: Web, request: AnyRequest, atm: AtmView, *, problem: Any = None, values: dict[str, str] | None = None
) -> Response[str]:
    """Return a machine's page, with what is wrong with its forms."""
    return page(
        web,
        request,
        "atm.html",
        live_part="atm_live.html",
        status_code=422 if problem else 200,
        problem_of=problem,
        values=values or {},
        **words_of(language_of(request)),
        **machine_facts(web.counter.queries.atms, atm),
    )


def atm_pages(web: Web) -> list[Any]:
    """Return the handlers that show machines and take how they stand."""

    def words(request: AnyRequest) -> dict[str, Any]:
        return words_of(language_of(request))

    @get("/atms", guards=[signed_in], opt={ACT: "atm"})
    async def show_all(request: AnyRequest) -> Response[str]:
        facts = list_facts(web.counter.queries.atms)
        return page(web, request, "atms.html", live_part="atms_live.html", **words(request), **facts)

    @get("/atms/live", guards=[signed_in], opt={ACT: "atm"})
    async def all_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "atms_live.html", **words(request), **list_facts(web.counter.queries.atms))

    def again(request: AnyRequest, atm_id: str, problem: Any, form: dict[str, str]) -> Response[str]:
        return machine_page(web, request, find_atm(web, atm_id), problem=problem, values=form)

    @get("/atms/{atm_id:str}", guards=[signed_in], opt={ACT: "atm"})
    async def show_one(request: AnyRequest, atm_id: FromPath[str]) -> Response[str]:
        return machine_page(web, request, find_atm(web, atm_id))

    @get("/atms/{atm_id:str}/live", guards=[signed_in], opt={ACT: "atm"})
    async def one_live(request: AnyRequest, atm_id: FromPath[str]) -> Response[str]:
        facts = machine_facts(web.counter.queries.atms, find_atm(web, atm_id))
        return part(web, request, "atm_live.html", **words(request), **facts)

    @post("/atms/{atm_id:str}/state", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def report_state(request: AnyRequest, atm_id: FromPath[str]) -> Response[str] | Redirect:
        form = await typed_form(request)

        async def work() -> str:
            state = chosen(form.get("state", ""), list(ATM_STATES), field="state")
            note, operator = form.get("note", ""), operator_name(request)

            async def report(name: str) -> str:
                return await web.counter.atms.report_state(atm_id, state, note=note, operator=operator, name=name)

            await once(web, request, form, report)
            return f"/atms/{atm_id}"

        return await done(request, work, lambda problem: again(request, atm_id, problem, form))

    return [show_all, all_live, show_one, one_live, report_state]


def _form_page(
    web: Web, request: AnyRequest, atm: AtmView | None, values: dict[str, str], problem: Any = None
) -> Response[str]:
    """Return the form of a machine, with what is wrong with it."""
    return page(
        web,
        request,
        "atm_form.html",
        status_code=422 if problem else 200,
        atm=atm,
        values=values,
        rows=len(_rows(atm)),
        problem_of=problem,
        **form_choices(),
        **words_of(language_of(request)),
    )


def atm_forms(web: Web) -> list[Any]:
    """Return the handlers by which a manager registers machines and changes what is said of them."""

    @get("/atms/new", guards=[manager_only])
    async def new(request: AnyRequest) -> Response[str]:
        known = web.counter.queries.atms.atms()
        return _form_page(web, request, None, _values(None, known[-1].bank if known else ""))

    @post("/atms", guards=[manager_only, own_form])
    async def register(request: AnyRequest) -> Response[str] | Redirect:
        form = await typed_form(request)

        async def work() -> str:
            async def made(name: str) -> str:
                return await web.counter.atms.register(_draft(form), operator=operator_name(request), name=name)

            return f"/atms/{await once(web, request, form, made)}"

        return await done(request, work, lambda problem: _form_page(web, request, None, form, problem))

    @get("/atms/{atm_id:str}/edit", guards=[manager_only])
    async def edit(request: AnyRequest, atm_id: FromPath[str]) -> Response[str]:
        atm = find_atm(web, atm_id)
        return _form_page(web, request, atm, _values(atm, ""))

    @post("/atms/{atm_id:str}/edit", guards=[manager_only, own_form])
    async def change(request: AnyRequest, atm_id: FromPath[str]) -> Response[str] | Redirect:
        form, atm = await typed_form(request), find_atm(web, atm_id)

        async def work() -> str:
            await web.counter.atms.change(atm_id, _draft(form), operator=operator_name(request))
            return f"/atms/{atm_id}"

        return await done(request, work, lambda problem: _form_page(web, request, atm, form, problem))

    return [new, register, edit, change]


def atm_removal(web: Web) -> list[Any]:
    """Return the handler by which a manager says that a machine is gone."""

    @post("/atms/{atm_id:str}/remove", guards=[manager_only, own_form])
    async def remove(request: AnyRequest, atm_id: FromPath[str]) -> Response[str] | Redirect:
        form, atm = await typed_form(request), find_atm(web, atm_id)

        async def work() -> str:
            await web.counter.atms.remove(atm_id, reason=form.get("reason", ""), operator=operator_name(request))
            return "/atms"

        return await done(
            request, work, lambda problem: _form_page(web, request, atm, _values(atm, "") | form, problem)
        )

    return [remove]
