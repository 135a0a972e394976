"""Closes of the day of all offices, and one close beside central's own sums."""

from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath

from central.web.day_reads import TALLIES, DayRow, day, days
from central.web.guards import signed_in
from central.web.lists import FILE_ROWS_MAX, as_file, before_of, older_query, wants_file
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page
from shared.errors import OperatorError

_OFFICE_MAX: Final = 40
DAY_COLUMNS: Final = (
    "office_id",
    "journal_id",
    "entry_index",
    "closed_at_claim",
    "received_at",
    "operator",
    *(f"{tally}_{unit}" for tally in TALLIES for unit in ("count", "rial")),
    "in_doubt_count",
    "in_doubt_rial",
    "unsent_count",
    "unsent_rial",
    "unconfirmed_count",
    "unconfirmed_rial",
    "terminal_batches",
    "differs_from_central",
)


def day_cells(row: DayRow) -> list[object]:
    """Return a close as cells of a file."""
    body = row.body
    return [
        row.office_id,
        row.journal_id,
        row.entry_index,
        row.at_claim,
        row.received_at.isoformat(),
        body.operator,
        *(amount for tally in TALLIES for amount in (row.count(tally), row.rial(tally))),
        body.in_doubt_count,
        body.in_doubt_rial,
        body.unsent_count,
        body.unsent_rial,
        body.unconfirmed_count,
        body.unconfirmed_rial,
        row.batch,
        row.differs,
    ]


def day_pages(web: Web) -> list[Any]:
    """Return the handlers of closes."""

    @get("/days", guards=[signed_in], sync_to_thread=True)
    def show_days(request: AnyRequest) -> Response[Any]:
        office_id = request.query_params.get("office", "")[:_OFFICE_MAX]
        as_csv = wants_file(request)
        with web.engine.connect() as connection:
            rows = days(
                connection,
                office_id=office_id or None,
                before=before_of(request),
                limit=FILE_ROWS_MAX if as_csv else PAGE_ROWS,
            )
        if as_csv:
            return as_file("days", DAY_COLUMNS, [day_cells(row) for row in rows])
        return page(
            web,
            request,
            "days.html",
            days=rows,
            office_id=office_id,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/days/{ordinal:int}", guards=[signed_in], sync_to_thread=True)
    def show_day(request: AnyRequest, ordinal: FromPath[int]) -> Response[str]:
        with web.engine.connect() as connection:
            found = day(connection, ordinal)
        if found is None:
            raise OperatorError("web.not_found")
        return page(web, request, "day.html", view=found)

    return [show_days, show_day]
