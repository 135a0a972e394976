"""Offices, their journals as central witnesses them, alarms, and the feeds central signs for them."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from central.web.fact_reads import office_facts
from central.web.guards import signed_in
from central.web.lists import before_of, older_query
from central.web.office_reads import alarms, entries, feed_entries, feeds, journal_of, journals, offices
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page
from shared.errors import OperatorError


def _indented(raw: str | None) -> str:
    """Return JSON as people read it; other text as it is."""
    return "" if raw is None else msgspec.json.format(raw, indent=2)


def office_pages(web: Web) -> list[Any]:
    """Return the handlers of offices."""

    @get("/offices", guards=[signed_in], sync_to_thread=True)
    def show_offices(request: AnyRequest) -> Response[str]:
        with web.engine.connect() as connection:
            return page(
                web,
                request,
                "offices.html",
                offices=offices(connection, now=web.clock.now()),
                alarms=alarms(connection),
            )

    @get("/offices/{office_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_office(request: AnyRequest, office_id: FromPath[str]) -> Response[str]:
        with web.engine.connect() as connection:
            rows = offices(connection, now=web.clock.now())
            found = next((row for row in rows if row.office_id == office_id), None)
            if found is None:
                raise OperatorError("web.not_found")
            return page(
                web,
                request,
                "office.html",
                office=found,
                journals=journals(connection, office_id),
                alarms=alarms(connection, office_id=office_id),
                facts=office_facts(connection, office_id),
                indented=_indented,
            )

    return [show_offices, show_office]


def log_pages(web: Web) -> list[Any]:
    """Return the handlers of journals and feeds: what the two sides signed."""

    @get("/journal", guards=[signed_in], sync_to_thread=True)
    def show_journal(request: AnyRequest) -> Response[str]:
        journal_id = request.query_params.get("journal", "")
        with web.engine.connect() as connection:
            journal = journal_of(connection, journal_id)
            if journal is None:
                raise OperatorError("web.not_found")
            rows = entries(connection, journal_id, before=before_of(request), limit=PAGE_ROWS)
        return page(
            web,
            request,
            "journal.html",
            journal=journal,
            entries=rows,
            indented=_indented,
            older=older_query(request, [row.entry_index for row in rows]),
        )

    @get("/feeds", guards=[signed_in], sync_to_thread=True)
    def show_feeds(request: AnyRequest) -> Response[str]:
        with web.engine.connect() as connection:
            known = feeds(connection)
            wanted = request.query_params.get("feed") or (known[0].feed_id if known else "")
            rows = feed_entries(connection, wanted, before=before_of(request), limit=PAGE_ROWS)
        return page(
            web,
            request,
            "feeds.html",
            feeds=known,
            wanted=wanted,
            entries=rows,
            indented=_indented,
            older=older_query(request, [row.entry_index for row in rows]),
        )

    return [show_journal, show_feeds]
