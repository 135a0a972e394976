"""What can be known of a request without any memory: whether all that it carries is signed by whom it should be."""

import msgspec

from shared.errors import IntegrityError, PeerError
from shared.journal.checkpoint import Checkpoint, parse_checkpoint
from shared.journal.entry import JOURNAL_PAYLOAD, Entry, check_signature, decode_entry, leaf_hash
from shared.journal.note import Note, NoteKey, check_note, parse_note
from shared.journal.rotation import KeyChain
from sync.envelope import EXCHANGE_REQUEST, Envelope, verify
from sync.messages import Request, SignedPair


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One well-signed entry of a request, at the place the request gives it."""

    index: int
    leaf: bytes
    data: bytes
    signature: bytes
    entry: Entry | None
    """None when the bytes are not an entry: signed all the same, so kept all the same."""


class CheckedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request all of whose signatures are right."""

    sha256: bytes
    request: Request
    note: Note
    checkpoint: Checkpoint
    entries: tuple[Checked, ...]
    keys: KeyChain
    """Who signs the journal, by the request's own `rotations`, each proved from the key it was opened with."""


def check_request(envelope: Envelope, request: Request, public_key: bytes) -> CheckedRequest:
    """Check all that needs no memory. `public_key` is the one the journal was opened with.

    Raises PeerError `exchange.wrong_signature`, `exchange.bad_rotation`, `exchange.no_token`,
    `exchange.bad_checkpoint`, `exchange.bad_window`, `exchange.bad_entry_signature`.
    """
    keys = _keys(request, public_key)
    verify(envelope, EXCHANGE_REQUEST, keys.current)
    if request.token is None:
        raise PeerError("exchange.no_token")
    try:
        note = parse_note(request.checkpoint)
        check_note(note, NoteKey(request.journal, keys.current))
        checkpoint = parse_checkpoint(note)
    except IntegrityError as error:
        raise PeerError("exchange.bad_checkpoint", why=error.code) from error
    if checkpoint.origin != request.journal:
        raise PeerError("exchange.bad_checkpoint", why="journal.other_origin")
    if checkpoint.size != request.first + len(request.entries):
        raise PeerError("exchange.bad_window", first=request.first, count=len(request.entries), size=checkpoint.size)
    entries = tuple(_check_entry(request.first + place, pair, keys) for place, pair in enumerate(request.entries))
    return CheckedRequest(
        sha256=envelope.sha256, request=request, note=note, checkpoint=checkpoint, entries=entries, keys=keys
    )


def _keys(request: Request, public_key: bytes) -> KeyChain:
    """Return who signs the journal by the request's rotations. Raises PeerError `exchange.bad_rotation`."""
    keys = KeyChain(request.journal, public_key)
    for data, signature in request.rotations:
        try:
            check_signature(keys.current, JOURNAL_PAYLOAD, data, signature)
            entry = decode_entry(data)
            keys.follow(entry, entry.index, leaf_hash(data))
        except IntegrityError as error:
            raise PeerError("exchange.bad_rotation", why=error.code) from error
    indexes = [rotation.index for rotation in keys.rotations]
    if len(indexes) != len(request.rotations) or indexes != sorted(set(indexes)):
        raise PeerError("exchange.bad_rotation", why="not in order")
    return keys


def _check_entry(index: int, pair: SignedPair, keys: KeyChain) -> Checked:
    data, signature = pair
    try:
        check_signature(keys.at(index), JOURNAL_PAYLOAD, data, signature)
    except IntegrityError as error:
        raise PeerError("exchange.bad_entry_signature", index=index) from error
    try:
        entry = decode_entry(data)
    except IntegrityError:
        entry = None
    return Checked(index=index, leaf=leaf_hash(data), data=data, signature=signature, entry=entry)
