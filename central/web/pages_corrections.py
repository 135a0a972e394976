"""Sending the corrected version of a settlement file, from the page of the file that it corrects."""

from typing import Any

import anyio.to_thread
from litestar import Response, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from central.reconciliation.correcting import correct_settlement
from central.web.guards import may_change, own_form
from central.web.pages_settlement import STATUS_OF, UPLOAD_SIZE_MAX_BYTES, file_page, shown_name, username_of
from central.web.rendering import AnyRequest, Web, said, see_other
from shared.errors import OperatorError


def correction_forms(web: Web) -> list[Any]:
    """Return the handler of corrections."""

    @post("/files/{file_id:str}/correction", guards=[may_change, own_form], request_max_body_size=UPLOAD_SIZE_MAX_BYTES)
    async def correct(request: AnyRequest, file_id: FromPath[str]) -> Response[str]:
        form = await request.form()
        reason, by = str(form.get("reason", "")), username_of(request)
        name, data = await _sent(form.get("file"))

        def take() -> Response[str]:
            try:
                done = correct_settlement(
                    web.engine, corrects=file_id, reason=reason, name=name, data=data, by=by, clock=web.clock
                )
            except OperatorError as error:
                told = {"told": said(error, request), "wrong": error.field, "typed": reason}
                return file_page(web, request, file_id, status_code=STATUS_OF.get(error.code, 422), **told)
            return see_other(f"/files/{done.file.file_id}")

        return await anyio.to_thread.run_sync(take)

    return [correct]


async def _sent(file: object) -> tuple[str, bytes]:
    """Return the name and bytes of an uploaded file; of none, no bytes, which no settlement file has."""
    if isinstance(file, UploadFile) and file.filename:
        return shown_name(file.filename), await file.read()
    return "", b""
