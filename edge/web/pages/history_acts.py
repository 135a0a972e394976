"""Page of what everybody did: every journaled act, newest first, by person, kind and day."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from litestar import Response, get
from litestar.response import Stream

from edge.web.act_words import TYPES_OF_KIND, Teller
from edge.web.guards import ACT, signed_in
from edge.web.history import find_page, number_of, walk
from edge.web.history_filters import Given, filters_of, form_of, page_facts, sought_by, with_kinds
from edge.web.history_search import Filters
from edge.web.history_workbook import Workbooks
from edge.web.rendering import AnyRequest, Web, catalogue_of, language_of, page
from edge.web.texts import text
from edge.web.transaction_names import naming
from edge.web.workbook import Cell
from shared.acts import COMMAND_LINE
from shared.calendar import jalali_datetime_text
from shared.clock import parse_instant
from shared.text import Language

_COLUMNS: Final = (
    ("history.row", 7),
    ("history.at", 20),
    ("acts.who", 24),
    ("acts.user_name", 16),
    ("acts.what", 60),
    ("acts.entry", 12),
    ("acts.type", 24),
)


def _cells(web: Web, filters: Filters, language: Language) -> Iterator[Sequence[Cell]]:
    """Yield the rows of the workbook."""
    history = web.counter.history
    sought = sought_by(web, filters, "act", (), TYPES_OF_KIND).sought
    teller = Teller(web.counter.queries, naming(catalogue_of(web)), language)
    called = {COMMAND_LINE: text("acts.command_line", language), **dict(history.people())}
    number = 0
    for batch in walk(history, sought, history.acts_at):
        for act in batch:
            number += 1
            told = teller.tell(act)
            yield (
                number,
                jalali_datetime_text(parse_instant(act.at), "en"),
                ", ".join(called.get(name, name) for name in told.people) or text("acts.box", language),
                ", ".join(name for name in told.people if name != COMMAND_LINE),
                told.sentence,
                str(act.index),
                act.body.type,
            )


def act_history_pages(web: Web, workbooks: Workbooks) -> list[Any]:
    """Return the handlers of this page. No customer's data are searched for here: its form stays in the address."""

    @get("/history/acts", guards=[signed_in], opt={ACT: "every_act"})
    async def acts(request: AnyRequest) -> Response[str]:
        filters, history = filters_of(web, request), web.counter.history
        asked = sought_by(web, filters, "act", (), TYPES_OF_KIND)
        found = find_page(
            history,
            asked.sought,
            history.acts_at,
            before_index=number_of(request.query_params.get("before", "")),
            first_row=number_of(request.query_params.get("row", "")) or 1,
        )
        teller = Teller(web.counter.queries, naming(catalogue_of(web)), language_of(request))
        form = with_kinds(request, form_of(web, request, Given(filters, "", is_lost=False), asked.wrong))
        return page(
            web,
            request,
            "history_acts.html",
            rows=[teller.tell(act) for act in found.rows],
            called=dict(history.people()),
            command_line=COMMAND_LINE,
            **page_facts(form, found),
        )

    @get("/history/acts.xlsx", guards=[signed_in], opt={ACT: "every_act"})
    async def acts_workbook(request: AnyRequest) -> Stream:
        rows = _cells(web, filters_of(web, request), language_of(request))
        return await workbooks.answer(request, "acts", "nav.acts", _COLUMNS, rows)

    return [acts, acts_workbook]
