"""Opening what was sealed for a request: its fields, its answer, pictures, what was bought.

What comes out was written by a provider and carried by central: it is checked before anybody builds on it. Whatever is
wrong with it is an answer of this module, never an error of a page.
"""

from typing import Final, Literal, TypeVar

import msgspec

from edge.journal.ports import ServiceReader
from edge.journal.services import DocumentState, Picture, ServiceRequestView
from shared.answer_document import AnswerDocument
from shared.errors import IntegrityError
from shared.events import FULFILMENT_PURPOSE, SERVICE_ANSWER_PURPOSE, SERVICE_FIELDS_PURPOSE, SERVICE_IMAGE_PURPOSE
from shared.sealed import Sealed, unseal

T = TypeVar("T")

ITEMS_MAX: Final = 500
"""Items that one answer may list."""
PICTURE_MAX_BYTES: Final = 4 * 1024 * 1024
_KINDS: Final[tuple[tuple[bytes, Literal["image/jpeg", "image/png"]], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)
"""How pictures begin. Nothing else is handed to a browser."""


class OpenDocument(msgspec.Struct, frozen=True):
    """An answer's document, or why there is none."""

    state: DocumentState
    document: AnswerDocument | None = None


class _ShutError(Exception):
    """Something cannot be opened here."""

    def __init__(self, state: DocumentState) -> None:
        super().__init__(state)
        self.state = state


def open_fields(reader: ServiceReader, asked: ServiceRequestView) -> dict[str, str] | None:
    """Return the fields of a request, None where they can be read at central only."""
    try:
        return _decoded(_opened(reader, asked, asked.fields, SERVICE_FIELDS_PURPOSE), dict[str, str])
    except _ShutError:
        return None


def open_document(reader: ServiceReader, asked: ServiceRequestView) -> OpenDocument:
    """Return the document of a request's answer; whether it may be seen is not asked here."""
    if asked.outcome != "done":
        return OpenDocument("none")
    answer = reader.answer(asked)
    try:
        sealed = None if answer is None else answer.document
        document = _decoded(_opened(reader, asked, sealed, SERVICE_ANSWER_PURPOSE), AnswerDocument)
        return OpenDocument("open", _sensible(document))
    except _ShutError as shut:
        return OpenDocument(shut.state)


def open_fulfilment(reader: ServiceReader, asked: ServiceRequestView, sealed: Sealed | None) -> dict[str, str] | None:
    """Return what was bought with a payment of a request's answer, None where there is none to be read here."""
    try:
        return _decoded(_opened(reader, asked, sealed, FULFILMENT_PURPOSE), dict[str, str])
    except _ShutError:
        return None


def open_picture(reader: ServiceReader, asked: ServiceRequestView, sealed: Sealed | None) -> Picture | None:
    """Return a picture, None where there is none to be read here."""
    try:
        data = _opened(reader, asked, sealed, SERVICE_IMAGE_PURPOSE)
    except _ShutError:
        return None
    if len(data) > PICTURE_MAX_BYTES:
        return None
    return next((Picture(media_type=kind, data=data) for head, kind in _KINDS if data.startswith(head)), None)


def _opened(reader: ServiceReader, asked: ServiceRequestView, sealed: Sealed | None, purpose: str) -> bytes:
    """Return the plain bytes of what was sealed to the key of a request. Raises _ShutError."""
    if sealed is None or sealed.key_id != asked.fields.key_id:
        raise _ShutError("unreadable")
    key = reader.private_key(sealed.key_id)
    if key is None:
        raise _ShutError("forgotten")
    try:
        return unseal(sealed, private_key=key, purpose=purpose)
    except IntegrityError as error:
        raise _ShutError("unreadable") from error


def _decoded(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _ShutError("unreadable") from error


def _sensible(document: AnswerDocument) -> AnswerDocument:
    """Return a document whose items and things to pay can be named by their keys."""
    items = [item.key for item in document.items]
    keys = [payable.key for payable in document.payables()]
    if len(items) > ITEMS_MAX or len(set(items)) != len(items) or len(set(keys)) != len(keys):
        raise _ShutError("unreadable")
    return document
