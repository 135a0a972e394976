"""Page of what everybody did: every journaled act, newest first, by person, kind and day."""

from typing import Any

from litestar import Response, get

from edge.web.act_words import TYPES_OF_KIND, Teller
from edge.web.guards import ACT, signed_in
from edge.web.history import find_page, number_of
from edge.web.history_filters import filters_of, form_of, known_of, page_facts, with_kinds
from edge.web.history_search import asked_of
from edge.web.rendering import AnyRequest, Web, catalogue_of, language_of, page
from edge.web.transaction_names import naming
from shared.acts import COMMAND_LINE


def act_history_pages(web: Web) -> list[Any]:
    """Return the handlers of this page."""

    @get("/history/acts", guards=[signed_in], opt={ACT: "every_act"})
    async def acts(request: AnyRequest) -> Response[str]:
        filters, history = filters_of(web, request), web.counter.history
        asked = asked_of(filters, "act", known_of(web, (), TYPES_OF_KIND))
        found = find_page(
            history,
            asked.sought,
            history.acts_at,
            before_index=number_of(request.query_params.get("before", "")),
            first_row=number_of(request.query_params.get("row", "")) or 1,
        )
        teller = Teller(web.counter.queries, naming(catalogue_of(web)), language_of(request))
        form = with_kinds(request, form_of(web, request, filters, asked.wrong))
        return page(
            web,
            request,
            "history_acts.html",
            rows=[teller.tell(act) for act in found.rows],
            called=dict(history.people()),
            command_line=COMMAND_LINE,
            **page_facts(form, found),
        )

    return [acts]
