"""What the routes of the API read of a request: who calls, how far back, how many; and doing it once for its key."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.params import HeaderParameter, QueryParameter

from edge.web.ports.counter import Caller
from edge.web.rendering import Web
from shared.errors import OperatorError

PAGE_ROWS_MAX: Final = 200
INDEX_MAX: Final = 2**53
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")

ApiRequest = Request[Any, Any, State]
Work = Callable[[str], Awaitable[str]]
"""Does what is asked and returns the name of what was made; it is given a name for it."""
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


async def once(web: Web, request: ApiRequest, key: str | None, body: msgspec.Struct | None, work: Work) -> str:
    """Do what is asked, once however often it is sent under its key; return the name of what was made.

    Raises OperatorError `api.idempotency_key_needed`, `api.idempotency_conflict`, or what `work` raises.
    """

    async def run(name: str) -> bytes:
        return (await work(name)).encode()

    made = await web.counter.idempotent(_checked(key), _digest(request, body), operator_of(request), run)
    return made.decode()


def _digest(request: ApiRequest, body: msgspec.Struct | None) -> bytes:
    """Return what tells two requests of one key apart: what was asked, not how its JSON was spaced."""
    asked = b"" if body is None else msgspec.json.encode(body, order="deterministic")
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + asked).digest()


def _checked(key: str | None) -> str:
    if key is None or not _KEY.fullmatch(key):
        raise OperatorError("api.idempotency_key_needed")
    return key
