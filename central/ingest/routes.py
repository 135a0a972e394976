"""The addresses boxes speak to: POST /exchange, POST /enrol, GET /health. Messages sign themselves: no sessions.

An error is JSON `{"code": …}` with a status that says whose fault it is; it is not signed, so no box draws a conclusion
from it but "ask again".
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import RawBody
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_400_BAD_REQUEST,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_409_CONFLICT,
    HTTP_410_GONE,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_422_UNPROCESSABLE_ENTITY,
)

from shared.errors import DaftarError, PeerError
from sync.envelope import REQUEST_SIZE_MAX_BYTES, WIRE_MEDIA_TYPE

STATUS_OF: Final[Mapping[str, int]] = {
    "exchange.too_large": HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "exchange.malformed": HTTP_400_BAD_REQUEST,
    "exchange.other_version": HTTP_400_BAD_REQUEST,
    "exchange.no_token": HTTP_400_BAD_REQUEST,
    "exchange.wrong_signature": HTTP_403_FORBIDDEN,
    "exchange.unknown_journal": HTTP_404_NOT_FOUND,
    "exchange.bad_rotation": HTTP_422_UNPROCESSABLE_ENTITY,
    "exchange.bad_checkpoint": HTTP_422_UNPROCESSABLE_ENTITY,
    "exchange.bad_window": HTTP_422_UNPROCESSABLE_ENTITY,
    "exchange.bad_entry_signature": HTTP_422_UNPROCESSABLE_ENTITY,
    "exchange.bad_proof": HTTP_422_UNPROCESSABLE_ENTITY,
    "exchange.repeated_entry": HTTP_422_UNPROCESSABLE_ENTITY,
    "enrolment.code_unknown": HTTP_404_NOT_FOUND,
    "enrolment.code_used": HTTP_409_CONFLICT,
    "enrolment.key_bound": HTTP_409_CONFLICT,
    "enrolment.code_expired": HTTP_410_GONE,
}


def _refuse(_: Request[Any, Any, Any], error: DaftarError) -> Response[dict[str, str]]:
    status = STATUS_OF.get(error.code, HTTP_400_BAD_REQUEST)
    return Response({"code": error.code}, status_code=status, media_type=MediaType.JSON)


def _refuse_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
    too_large = error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE
    code = "exchange.too_large" if too_large else "exchange.malformed"
    return Response({"code": code}, status_code=error.status_code, media_type=MediaType.JSON)


def _read(work: Callable[[bytes], bytes], wire: bytes) -> bytes:
    """Return the answer to a message. Raises PeerError `exchange.malformed` for one that decoders give up on."""
    try:
        return work(wire)
    except (RecursionError, UnicodeDecodeError) as error:
        raise PeerError("exchange.malformed", why=type(error).__name__) from error


def box_router(
    *, receive: Callable[[bytes], bytes], enrol: Callable[[bytes], bytes], is_well: Callable[[], bool]
) -> Router:
    """Return the routes for boxes. The three callables may block: each request runs in a thread."""

    @post(
        "/exchange",
        status_code=HTTP_200_OK,
        media_type=WIRE_MEDIA_TYPE,
        request_max_body_size=REQUEST_SIZE_MAX_BYTES,
        sync_to_thread=True,
    )
    def exchange(body: RawBody) -> bytes:
        return _read(receive, body)

    @post(
        "/enrol",
        status_code=HTTP_200_OK,
        media_type=WIRE_MEDIA_TYPE,
        request_max_body_size=REQUEST_SIZE_MAX_BYTES,
        sync_to_thread=True,
    )
    def enrol_box(body: RawBody) -> bytes:
        return _read(enrol, body)

    @get("/health", sync_to_thread=True, media_type=MediaType.JSON)
    def health() -> Response[dict[str, str]]:
        well = is_well()
        return Response({"status": "ok" if well else "no database"}, status_code=HTTP_200_OK if well else 503)

    return Router(
        "/",
        route_handlers=[exchange, enrol_box, health],
        exception_handlers={PeerError: _refuse, HTTPException: _refuse_http},
    )
