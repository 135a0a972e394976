"""The page a ticket's QR code opens: how a request stands. Public, for phones; needs no sign-in and names nobody.

Whoever asks must know the request's name, a hundred random bits that only its ticket shows. Whole cities share one
address of a mobile carrier, so who holds a ticket is answered whatever others do there: a ticket is looked at so often
a minute, and an address is slowed by names only that nobody has.
"""

import re
from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath

from central.fleet.catalogues import Catalogues
from central.web.rate import RateLimit, network_of
from central.web.rendering import AnyRequest, Web, page
from central.web.status_reads import PublicStatus, public_status
from shared.errors import OperatorError

LOOKS_MAX: Final = 60
"""Looks at one ticket in a minute: a waiting customer looks again and again, nobody looks this often."""
GUESSES_MAX: Final = 120
"""Names that nobody has, of one address in a minute: tickets that are still on their way, or guesses."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{10,80}")


def status_pages(web: Web) -> list[Any]:
    """Return the handler of the status page."""
    looks, guesses = RateLimit(web.clock, most=LOOKS_MAX), RateLimit(web.clock, most=GUESSES_MAX)
    catalogues = Catalogues()

    @get("/status/{inquiry_id:str}", sync_to_thread=True)
    def show_status(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        asker = network_of(request.client.host if request.client else "")
        if not _NAME.fullmatch(inquiry_id):
            guesses.check(asker)
            raise OperatorError("web.not_found")
        found: PublicStatus | None
        with web.engine.connect() as connection:
            found = public_status(connection, catalogues, inquiry_id)
        if found is None:
            guesses.check(asker)
        else:
            looks.check(inquiry_id)
        answer = page(web, request, "status.html", status=found)
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return [show_status]
