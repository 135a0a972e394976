"""What a database can hold of an entry's texts, and which of its refusals are the entry's own fault.

PostgreSQL's `text` and `jsonb` take no zero character (U+0000), and an indexed text has a limit. A box that writes such
must not stop its own journal, nor hide a charge: in members that only describe, a zero is shown as U+FFFD; a *name*
that holds one is left as it is, and the entry is set aside, for two names must never become one.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import IntegrityError as ConstraintError

from shared.errors import DaftarError
from shared.events import JOURNAL_BODIES, Body, decode_body
from shared.journal.entry import Entry

ZERO: Final = "\x00"
_SHOWN: Final = "\ufffd"
_ESCAPED_ZERO: Final = rb"\u0000"
_NAME_SIZE_MAX: Final = 200
_LIMIT_EXCEEDED: Final = "54"
"""SQLSTATE class of program limits: a text too long for an index, JSON nested too deep."""
_NAMES: Final = frozenset(
    {
        "payment_id",
        "obligation",
        "inquiry_id",
        "bill_id",
        "bill_payment_id",
        "reference",
        "key_id",
        "about",
        "refund_id",
        "atm_id",
        "ticket_id",
    }
)


def name_or_none(name: object) -> str | None:
    """Return a name that every column and index can hold, or None."""
    return name if isinstance(name, str) and len(name) <= _NAME_SIZE_MAX and ZERO not in name else None


def is_own_fault(error: Exception) -> bool:
    """Return whether an error while an entry is booked comes from what the entry says, and would come again.

    False for trouble with the database itself: the same entry may be booked a moment later.
    """
    if isinstance(error, DBAPIError) and not isinstance(error, DataError | ConstraintError):
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_LIMIT_EXCEEDED)
    return isinstance(error, DaftarError | DataError | ConstraintError | msgspec.MsgspecError | RecursionError)


def shown(entry: Entry, body: Body | None) -> tuple[Entry, Body | None]:
    """Return the entry and body as the books hold them: zeros replaced where they stand in no name.

    The journal's mirror keeps the exact bytes. Raises msgspec.MsgspecError, RecursionError for JSON beyond all measure.
    """
    raw = bytes(entry.body)
    if _ESCAPED_ZERO not in raw and ZERO not in entry.at:
        return entry, body
    clean = msgspec.Raw(msgspec.json.encode(_shown(msgspec.json.decode(raw), name="")))
    entry = msgspec.structs.replace(entry, at=entry.at.replace(ZERO, _SHOWN), body=clean)
    return entry, None if body is None else decode_body(body.type, bytes(clean), JOURNAL_BODIES)


def _shown(value: Any, *, name: str) -> Any:
    if isinstance(value, str):
        return value if name in _NAMES else value.replace(ZERO, _SHOWN)
    if isinstance(value, Mapping):
        return {key.replace(ZERO, _SHOWN): _shown(each, name=key) for key, each in value.items()}
    if isinstance(value, list):
        return [_shown(each, name=name) for each in value]
    return value
