"""The page a receipt's QR code opens: whether the receipt stands in the office's signed log. Needs no sign-in.

It tells what the paper tells and whether central holds it; nothing about the card or the customer. Whoever asks must
know 16 hex digits of the entry's hash, which only the paper shows. A paper that names another entry than the one that
central holds at its place is said to: it is forged, or it is all that is left of what a box lost.
"""

import re
from typing import Any, Final

import structlog
from litestar import Response, get
from litestar.params import FromPath

from central.ledger.item_queries import ItemRow, payment_items
from central.ledger.queries import PaymentRow, payment
from central.providers.queries import InquiryRow, inquiry
from central.providers.service_queries import RequestFacts
from central.providers.service_queries import request as request_of
from central.web.office_reads import ReceiptFound, holds_place, receipt
from central.web.receipt_proofs import proof_of
from central.web.rendering import AnyRequest, Web, page
from shared.errors import OperatorError
from shared.journal.proof import proof_file_name
from shared.receipt import LEAF_DIGITS

_PATH: Final = re.compile(
    rf"/?(daftar\.journal/[0-9]+/[^/]+/[0-9]+)/([0-9]{{1,15}})/([0-9a-fA-F]{{{LEAF_DIGITS},64}})/?"
)

_log = structlog.get_logger()


def receipt_pages(web: Web) -> list[Any]:
    """Return the handler of the receipt page."""

    @get("/r/{name:path}", sync_to_thread=True)
    def show_receipt(request: AnyRequest, name: FromPath[str]) -> Response[str]:
        parts = _PATH.fullmatch(str(name))
        if parts is None:
            raise OperatorError("web.not_found")
        journal_id, index, digits = parts[1], int(parts[2]), parts[3]
        paid: PaymentRow | None = None
        asked: InquiryRow | None = None
        requested: RequestFacts | None = None
        items: tuple[ItemRow, ...] = ()
        found: ReceiptFound | None
        with web.engine.connect() as connection:
            found = receipt(connection, journal_id, index, digits)
            differs = found is None and holds_place(connection, journal_id, index)
            if found is not None and found.payment_id is not None:
                paid = payment(connection, found.office_id, found.payment_id)
                items = payment_items(connection, found.office_id, found.payment_id)
            if found is not None and found.inquiry_id is not None and paid is None:
                asked = inquiry(connection, found.office_id, found.inquiry_id)
                requested = request_of(connection, found.office_id, found.inquiry_id)
        if differs:
            _log.warning("a receipt differs from the journal", journal=journal_id, index=index, leaf=digits)
        return page(
            web,
            request,
            "receipt.html",
            found=found,
            differs=differs,
            payment=paid,
            items=items,
            inquiry=asked,
            requested=None if requested is None else requested.row,
            journal_id=journal_id,
            index=index,
            leaf_digits=digits.lower(),
        )

    @get("/proof/{name:path}", sync_to_thread=True)
    def receipt_proof(name: FromPath[str]) -> Response[str]:
        parts = _PATH.fullmatch(str(name))
        if parts is None:
            raise OperatorError("web.not_found")
        with web.engine.connect() as connection:
            found = receipt(connection, parts[1], int(parts[2]), parts[3])
            text = None if found is None else proof_of(connection, found)
        if text is None:
            raise OperatorError("web.not_found")
        file_name = proof_file_name(parts[1], int(parts[2]))
        return Response(
            text,
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{file_name}"', "cache-control": "no-store"},
        )

    return [show_receipt, receipt_proof]
