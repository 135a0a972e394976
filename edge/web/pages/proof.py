"""The proof of a receipt, as a file: that its entry stands in the log that central cosigned."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from edge.web.guards import signed_in
from edge.web.rendering import Web
from shared.errors import OperatorError
from shared.journal.proof import proof_file_name


def proof_pages(web: Web) -> list[Any]:
    """Return the handler."""

    @get("/payments/{payment_id:str}/proof", guards=[signed_in])
    async def proof(payment_id: FromPath[str]) -> Response[str]:
        payment = web.counter.queries.payment(payment_id)
        index = None if payment is None else payment.outcome_index
        text = None if index is None else web.counter.queries.receipt_proof(index)
        if text is None or index is None:
            raise OperatorError("web.not_found")
        name = proof_file_name(web.counter.queries.status().journal_id, index)
        return Response(
            text,
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
        )

    return [proof]
