"""Pages of the day: what stands open, closing it (بستن روز), and the days before with their slips."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.error_pages import status_of
from edge.web.found import find_day
from edge.web.guards import ACT, own_form, signed_in
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name
from edge.web.payment_view import paper_text
from edge.web.ports.counter import ClosedDay
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from edge.web.schemas.day import batches_of
from shared.day import summed
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.events import TerminalBatch
from shared.money import parse_rial
from shared.text import fold_number, is_digits

DAYS_SHOWN: Final = 14
_COUNT_DIGITS_MAX: Final = 6


def _open_facts(web: Web) -> dict[str, Any]:
    day = web.counter.queries.open_day()
    return {
        "day": day,
        "sums": {name: summed(getattr(day.totals, name)) for name in day.totals.__struct_fields__},
    }


def _terminals(web: Web) -> list[str]:
    return [terminal.name for terminal in web.counter.terminals() if terminal.state != "removed"]


def _report(terminal: str, place: int, typed: Mapping[str, str]) -> TerminalBatch | None:
    """Return what was typed from the paper of the terminal at this place, None where nothing was.

    Raises OperatorError `day.half_report`, or what `parse_rial` raises.
    """
    of_count, of_total = f"count-{place}", f"total-{place}"
    count, total = fold_number(typed[of_count]), typed[of_total].strip()
    if not count and not total:
        return None
    if not is_digits(count) or len(count) > _COUNT_DIGITS_MAX:
        raise OperatorError("day.half_report", field=of_count)
    if not total:
        raise OperatorError("day.half_report", field=of_total)
    return TerminalBatch(terminal=terminal, count=int(count), amount_rial=parse_rial(total, field=of_total))


def _today(web: Web, request: AnyRequest, **more: Any) -> Response[str]:
    before = _number(request.query_params.get("before"))
    days = web.counter.queries.closed_days(before, DAYS_SHOWN + 1)
    return page(
        web,
        request,
        "day.html",
        live_part="day_live.html",
        days=[(row, summed(row.body.totals), summed(row.body.undone)) for row in days[:DAYS_SHOWN]],
        older=days[DAYS_SHOWN - 1].number if len(days) > DAYS_SHOWN else None,
        **{"terminals": _terminals(web), "values": {}, "problem_of": None, **_open_facts(web), **more},
    )


def _closed_facts(web: Web, day: ClosedDay) -> dict[str, Any]:
    body = day.body
    jobs = web.counter.queries.print_jobs_for(body.close_id)
    return {
        "closed": day,
        "day": body,
        "sums": {name: summed(getattr(body, name)) for name in ("totals", "undone", "overridden", "replaced")},
        "batches": batches_of(body),
        "paper": paper_text(jobs, day.printed),
        "printed_before": any(job.state in ("printed", "uncertain") for job in jobs) or day.printed > 0,
    }


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 16 else None  # noqa: PLR2004 - fits SQLite's integers


def day_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/day", guards=[signed_in])
    async def today(request: AnyRequest) -> Response[str]:
        return _today(web, request)

    @get("/day/live", guards=[signed_in])
    async def today_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "day_live.html", **_open_facts(web))

    @post("/day", guards=[signed_in, own_form], opt={ACT: "day_close"})
    async def close(request: AnyRequest) -> Response[Any]:
        form = await request.form()
        operator = operator_name(request)
        terminals = _terminals(web)
        # By place: a name may hold what no field's may. Terminals change with a restart only, and pages end with it.
        fields = [f"{what}-{place}" for place in range(len(terminals)) for what in ("count", "total")]
        typed = {field: str(form.get(field, "")) for field in fields}
        try:
            found = [_report(terminal, place, typed) for place, terminal in enumerate(terminals)]
            reports = [one for one in found if one is not None]
        except OperatorError as error:
            said = {"error": error, "said": describe(error, language_of(request))}
            return _today(web, request, status_code=status_of(error), values=typed, problem_of=said)

        async def run(name: str) -> bytes:
            return (await web.counter.close_day(operator=operator, name=name, reports=reports)).encode()

        key = one_time_key(str(form.get("key", "")))
        digest = form_digest("day", *typed.values())
        close_id = (await web.counter.idempotent(key, digest, f"page:{operator}", run)).decode()
        return Redirect(f"/days/{close_id}", status_code=303)

    @get("/days/{close_id:str}", guards=[signed_in])
    async def closed(request: AnyRequest, close_id: FromPath[str]) -> Response[str]:
        facts = _closed_facts(web, find_day(web, close_id))
        return page(web, request, "day_closed.html", live_part="day_closed_live.html", **facts)

    @get("/days/{close_id:str}/live", guards=[signed_in])
    async def closed_live(request: AnyRequest, close_id: FromPath[str]) -> Response[str]:
        return part(web, request, "day_closed_live.html", **_closed_facts(web, find_day(web, close_id)))

    @post("/days/{close_id:str}/print", guards=[signed_in, own_form])
    async def print_slip(close_id: FromPath[str]) -> Redirect:
        await web.counter.print_slip(find_day(web, close_id).body.close_id)
        return Redirect(f"/days/{close_id}", status_code=303)

    return [today, today_live, close, closed, closed_live, print_slip]
