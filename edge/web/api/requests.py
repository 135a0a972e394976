"""What the routes of the API read of a request: who calls, which key, how far back, how many."""

import hashlib
import re
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.params import HeaderParameter, QueryParameter

from edge.web.ports.counter import Caller
from shared.errors import OperatorError

PAGE_ROWS_MAX: Final = 200
INDEX_MAX: Final = 2**53
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")

ApiRequest = Request[Any, Any, State]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Unique for each intended action, at most 128 visible characters; the same one when repeating it.",
    ),
]
Before = Annotated[
    int | None, QueryParameter(description="Return those requested before this index.", ge=0, le=INDEX_MAX)
]
Limit = Annotated[int, QueryParameter(description="How many at most.", ge=1, le=PAGE_ROWS_MAX)]


def caller_of(request: ApiRequest) -> Caller:
    """Return whose token this is."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def operator_of(request: ApiRequest) -> str:
    """Return the name that entries of this request carry."""
    return caller_of(request).operator


def request_digest(request: ApiRequest, body: msgspec.Struct | None) -> bytes:
    """Return what tells two requests of one key apart: what was asked, not how its JSON was spaced."""
    asked = b"" if body is None else msgspec.json.encode(body, order="deterministic")
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + asked).digest()


def checked_key(key: str | None) -> str:
    """Return a key that can be kept. Raises OperatorError `api.idempotency_key_needed`."""
    if key is None or not _KEY.fullmatch(key):
        raise OperatorError("api.idempotency_key_needed")
    return key
