"""Long lists: paging by cursor, and the same rows as a file that spreadsheets open."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from litestar import Response

from central.web.rendering import PAGE_ROWS, AnyRequest, query_text

FILE_ROWS_MAX: Final = 50_000
"""A file holds no more rows than this; a narrower filter gives the rest."""
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def _number_of(request: AnyRequest, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - fits bigint


def before_of(request: AnyRequest) -> int | None:
    """Return the cursor of a list read backwards, or None for its start."""
    return _number_of(request, "before")


def after_of(request: AnyRequest) -> int:
    """Return the cursor of a list read forwards; 0 for its start."""
    return _number_of(request, "after") or 0


def older_query(request: AnyRequest, cursors: Sequence[int], *, name: str = "before", rows: int = PAGE_ROWS) -> str:
    """Return the query of the next page of a list, keeping its filter; empty when there is none."""
    if len(cursors) < rows:
        return ""
    kept = {key: value for key, value in request.query_params.items() if key != name}
    return query_text(**kept, **{name: cursors[-1]})


def wants_file(request: AnyRequest) -> bool:
    """Return whether the list is asked for as a file."""
    return request.query_params.get("as") == "csv"


def as_file(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response[bytes]:
    """Return rows as CSV that Excel opens: UTF-8 with a byte order mark, and nothing in it acts as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return Response(
        b"\xef\xbb\xbf" + text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
