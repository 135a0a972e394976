"""Settlement files of the acquirers, and the reconciliations that compare them with what the offices recorded."""

from datetime import date
from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from central.reconciliation import queries
from central.reconciliation.acquirer_files.importing import import_settlement
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS, FILE_SIZE_MAX_BYTES
from central.reconciliation.breaks import BUCKET_TEXTS, Bucket
from central.reconciliation.corrections import corrections_of
from central.reconciliation.running import reconcile
from central.reconciliation.selecting import Scope
from central.web.guards import may_change, own_form, signed_in
from central.web.lists import FILE_ROWS_MAX, after_of, as_file, before_of, older_query, wants_file
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page, person_of, said, see_other
from shared.calendar import parse_jalali_date
from shared.errors import OperatorError

UPLOAD_SIZE_MAX_BYTES: Final = FILE_SIZE_MAX_BYTES + 64 * 1024
"""The file and the form round it."""
NAME_MAX: Final = 120
DECISIONS_ON_PAGE: Final = 50
STATUS_OF: Final = {
    "settlement.same_file": 409,
    "settlement.overlaps": 409,
    "settlement.not_in_force": 409,
    "settlement.too_large": 413,
}


def username_of(request: AnyRequest) -> str:
    """Return who signed in, for the books to name."""
    person = person_of(request)
    if person is None:
        raise OperatorError("auth.sign_in_needed")
    return person.username


def shown_name(name: str) -> str:
    """Return the name of an uploaded file as it may be kept: without folders and without control characters."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in plain if letter.isprintable())[:NAME_MAX] or "settlement.csv"


def _day_of(form: Any, name: str) -> date | None:
    """Return a typed Jalali date, or None where nothing was typed. Raises OperatorError `calendar.not_a_date`."""
    typed = str(form.get(name, "")).strip()
    try:
        return parse_jalali_date(typed) if typed else None
    except OperatorError as error:
        raise OperatorError(error.code, field=name, **error.data) from error


def files_page(web: Web, request: AnyRequest, *, status_code: int = 200, **context: Any) -> Response[str]:
    """Return the page of all files, with what is to be said about the one just sent."""
    with web.engine.connect() as connection:
        rows = queries.files(connection, before=before_of(request), limit=PAGE_ROWS)
        corrections = corrections_of(connection, [row.file_id for row in rows])
    older = older_query(request, [row.ordinal for row in rows])
    everything = {"told": None, "same": None, "overlaps": None, **context}
    return page(
        web,
        request,
        "files.html",
        status_code=status_code,
        files=rows,
        corrections=corrections,
        columns=COLUMNS,
        older=older,
        **everything,
    )


def file_page(web: Web, request: AnyRequest, file_id: str, *, status_code: int = 200, **context: Any) -> Response[str]:
    """Return the page of one file, with what corrects it and what it corrects. Raises OperatorError `web.not_found`."""
    with web.engine.connect() as connection:
        found = queries.file(connection, file_id)
        if found is None:
            raise OperatorError("web.not_found")
        lines = queries.file_lines(connection, file_id, after=after_of(request), limit=PAGE_ROWS)
        corrections = corrections_of(connection, [file_id])
    everything = {"told": None, "wrong": None, "typed": "", **context}
    return page(
        web,
        request,
        "file.html",
        status_code=status_code,
        file=found,
        lines=lines,
        corrected=next((one for one in corrections if one.file_id == file_id), None),
        corrects=next((one for one in corrections if one.by_file_id == file_id), None),
        is_new=request.query_params.get("new") == "yes",
        older=older_query(request, [line.line_number for line in lines], name="after"),
        **everything,
    )


def file_pages(web: Web) -> list[Any]:
    """Return the handlers of settlement files."""

    @get("/files", guards=[signed_in], sync_to_thread=True)
    def show_files(request: AnyRequest) -> Response[str]:
        return files_page(web, request)

    @post("/files", guards=[may_change, own_form], request_max_body_size=UPLOAD_SIZE_MAX_BYTES)
    async def upload(request: AnyRequest) -> Response[str]:
        form = await request.form()
        sent = form.get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            return files_page(web, request, status_code=422, told=said(OperatorError("settlement.no_file"), request))
        name, data, by = shown_name(sent.filename), await sent.read(), username_of(request)
        adds = form.get("adds") == "yes"

        def take() -> str:
            return import_settlement(
                web.engine, name=name, data=data, imported_by=by, clock=web.clock, adds=adds
            ).file_id

        try:
            file_id = await anyio.to_thread.run_sync(take)
        except OperatorError as error:
            return files_page(
                web,
                request,
                status_code=STATUS_OF.get(error.code, 422),
                told=said(error, request),
                same=error.data.get("file_id") if error.code == "settlement.same_file" else None,
                overlaps=error.data.get("file_id") if error.code == "settlement.overlaps" else None,
            )
        return see_other(f"/files/{file_id}?new=yes")

    @get("/files/{file_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_file(request: AnyRequest, file_id: FromPath[str]) -> Response[str]:
        return file_page(web, request, file_id)

    return [show_files, upload, show_file]


def runs_page(web: Web, request: AnyRequest, *, status_code: int = 200, **context: Any) -> Response[str]:
    """Return the page of all runs, with what is to be said about the one just asked for."""
    with web.engine.connect() as connection:
        rows = queries.runs(connection, before=before_of(request), limit=PAGE_ROWS)
        any_file = bool(queries.files(connection, limit=1))
    older = older_query(request, [row.run_id for row in rows])
    everything = {"told": None, "typed": {}, "wrong_field": None, **context}
    return page(
        web, request, "runs.html", status_code=status_code, runs=rows, any_file=any_file, older=older, **everything
    )


def run_pages(web: Web) -> list[Any]:
    """Return the handlers of reconciliations."""

    @get("/runs", guards=[signed_in], sync_to_thread=True)
    def show_runs(request: AnyRequest) -> Response[str]:
        return runs_page(web, request)

    @post("/runs", guards=[may_change, own_form])
    async def start(request: AnyRequest) -> Response[str]:
        form = await request.form()
        by = username_of(request)
        typed = {name: str(form.get(name, "")) for name in ("financial_from", "financial_to")}

        def work() -> int:
            scope = Scope(financial_from=_day_of(form, "financial_from"), financial_to=_day_of(form, "financial_to"))
            return reconcile(web.engine, scope, started_by=by, clock=web.clock).run.run_id

        try:
            run_id = await anyio.to_thread.run_sync(work)
        except OperatorError as error:
            return runs_page(
                web, request, status_code=422, told=said(error, request), typed=typed, wrong_field=error.field
            )
        return see_other(f"/runs/{run_id}")

    @get("/runs/{run_id:int}", guards=[signed_in], sync_to_thread=True)
    def show_run(request: AnyRequest, run_id: FromPath[int]) -> Response[Any]:
        asked = request.query_params.get("bucket", "")
        bucket = asked if asked in list(Bucket) else None
        as_csv = wants_file(request)
        with web.engine.connect() as connection:
            found = queries.run(connection, run_id)
            if found is None:
                raise OperatorError("web.not_found")
            rows = queries.decisions(
                connection,
                run_id,
                bucket=bucket,
                only_breaks=bucket is None and asked != "all",
                after=0 if as_csv else after_of(request),
                limit=FILE_ROWS_MAX if as_csv else DECISIONS_ON_PAGE,
            )
        if as_csv:
            return as_file(f"run-{run_id}", DECISION_COLUMNS, [decision_cells(row) for row in rows])
        return page(
            web,
            request,
            "run.html",
            view=found,
            decisions=rows,
            bucket=bucket,
            asked=asked,
            bucket_text=None if bucket is None else BUCKET_TEXTS[Bucket(bucket)],
            older=older_query(request, [row.number for row in rows], name="after", rows=DECISIONS_ON_PAGE),
        )

    return [show_runs, start, show_run]


DECISION_COLUMNS: Final = (
    "number",
    "bucket",
    "rule",
    "office_rial",
    "acquirer_rial",
    "difference_rial",
    "payments",
    "lines",
    "rrn",
    "case_id",
)


def decision_cells(row: queries.DecisionView) -> list[object]:
    """Return a decision as cells of a file."""
    rrn = {one.rrn for one in row.payments if one.rrn} | {one.rrn for one in row.lines if one.rrn}
    return [
        row.number,
        row.bucket,
        row.rule,
        row.office_rial,
        row.acquirer_rial,
        row.difference_rial,
        " ".join(f"{one.office_id}/{one.payment_id}" for one in row.payments),
        " ".join(f"{one.file_id}#{one.line_number}" for one in row.lines),
        " ".join(sorted(rrn)),
        row.case_id,
    ]
