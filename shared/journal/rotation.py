"""A log's key and those that follow it: what `key.rotated` must prove, and who signs at which index.

The old key signs the entry, so the old key says who goes on; the new key signs a claim that names the log, the place
and both keys, so nobody's key is claimed by another. A `key.rotated` that does not prove that changes no key.

    claim = journal LF index LF old key (hex) LF new key (hex) LF         index in decimal, LF a line feed
    proof = Ed25519(new key, DSSE PAE(KEY_ROTATION, claim))
"""

import base64
import binascii
from typing import Final

import msgspec

from shared.errors import IntegrityError
from shared.events import KeyRotated
from shared.journal.entry import Entry, check_signature, pre_authentication
from shared.journal.note import Note, NoteKey, Sign, check_note

KEY_ROTATION: Final = "application/vnd.daftar.key-rotation.v1"
"""Payload type of the claim: a signature over it is never one over an entry or a message."""
ROTATIONS_MAX: Final = 64
"""Rotations of one journal, so that whoever has to show all of them can. After the last one a new journal is opened."""

_KEY_SIZE_BYTES: Final = 32


class Rotation(msgspec.Struct, frozen=True):
    """The entry at `index` is `key.rotated`: what stands after it is signed by `public_key`."""

    index: int
    leaf: bytes
    public_key: bytes


def rotation_claim(journal: str, index: int, old_key: bytes, new_key: bytes) -> bytes:
    """Return the bytes whose signature proves that the holder of the new key takes over here."""
    return f"{journal}\n{index}\n{old_key.hex()}\n{new_key.hex()}\n".encode()


def rotated(journal: str, index: int, *, old_key: bytes, new_key: bytes, sign: Sign, operator: str = "") -> KeyRotated:
    """Return the body of the entry at `index` by which the new key takes over; `sign` is the new key's."""
    claim = rotation_claim(journal, index, old_key, new_key)
    proof = sign(pre_authentication(KEY_ROTATION, claim))
    return KeyRotated(
        public_key=new_key.hex(), proof=base64.b64encode(proof).decode(), signer="file", operator=operator
    )


def key_after(entry: Entry, journal: str, index: int, public_key: bytes) -> bytes:
    """Return the key that signs what follows the entry at `index` of a journal, which `public_key` has signed.

    Raises IntegrityError `journal.bad_rotation` for a `key.rotated` that proves nothing.
    """
    if entry.type != KeyRotated.type:
        return public_key
    wrong = IntegrityError("journal.bad_rotation", index=index)
    try:
        body = msgspec.json.decode(entry.body, type=KeyRotated)
        new_key, proof = bytes.fromhex(body.public_key), base64.b64decode(body.proof, validate=True)
    except (msgspec.MsgspecError, ValueError, binascii.Error, RecursionError) as error:
        raise wrong from error
    if len(new_key) != _KEY_SIZE_BYTES or body.public_key != new_key.hex() or new_key == public_key:
        raise wrong
    try:
        check_signature(new_key, KEY_ROTATION, rotation_claim(journal, index, public_key, new_key), proof)
    except IntegrityError as error:
        raise wrong from error
    return new_key


class KeyChain:
    """Who signs a log at which index: the key it was opened with, and its rotations in order."""

    def __init__(self, journal: str, opening_key: bytes) -> None:
        self._journal = journal
        self.opening_key = opening_key
        self.rotations: list[Rotation] = []

    @property
    def current(self) -> bytes:
        """Return the newest key."""
        return self.rotations[-1].public_key if self.rotations else self.opening_key

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return all keys, the oldest first."""
        return (self.opening_key, *(rotation.public_key for rotation in self.rotations))

    def at(self, index: int) -> bytes:
        """Return the key that signs the entry at `index`."""
        key = self.opening_key
        for rotation in self.rotations:
            if rotation.index >= index:
                break
            key = rotation.public_key
        return key

    def follow(self, entry: Entry, index: int, leaf: bytes) -> None:
        """Take the entry at `index`, after all before it, whose signature was checked with `current`.

        Raises IntegrityError `journal.bad_rotation`; the key stays the same then.
        """
        new_key = key_after(entry, self._journal, index, self.current)
        if new_key != self.current:
            self.rotations.append(Rotation(index, leaf, new_key))

    def check_note(self, note: Note) -> None:
        """Check that one of the keys signed a note of this log. Raises IntegrityError as `check_note` does."""
        error = IntegrityError("note.unsigned", name=self._journal)
        for key in reversed(self.keys):
            try:
                check_note(note, NoteKey(self._journal, key))
            except IntegrityError as found:
                error = error if found.code == "note.unsigned" else found
            else:
                return
        raise error
