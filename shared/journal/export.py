"""A whole journal as one file that anybody can check with nothing but public keys: JSON Lines, format 1, for ever.

    {"format":"daftar-journal-export","v":1,"origin":…,"size":N,"checkpoint":"<note>","cosigned":"<note>" or null}
    {"d":"<base64 of an entry's exact bytes>","s":"<base64 of its signature>"}          N times, in order

`checkpoint` is signed by the box over all N entries. `cosigned` is the newest checkpoint a witness has cosigned, which
may be smaller: what came after it, only the box has seen. A reader holds one line and O(log N) hashes at a time.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from shared.errors import IntegrityError
from shared.events import JOURNAL_BODIES, JournalOpened, decode_body
from shared.journal.checkpoint import Checkpoint, parse_checkpoint
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import (
    ENTRY_SIZE_MAX_BYTES,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    Entry,
    check_signature,
    decode_entry,
    leaf_hash,
)
from shared.journal.note import Note, NoteKey, check_note, parse_note
from shared.journal.tree import Frontier

FORMAT: Final = "daftar-journal-export"
VERSION: Final = 1
LINE_SIZE_MAX_BYTES: Final = 2 * ENTRY_SIZE_MAX_BYTES
"""Base64 of the largest entry and of a signature, with room; a longer line is damage."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: str
    v: int
    origin: str
    size: int
    checkpoint: str
    cosigned: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One entry: base64 of its bytes and of its signature."""

    d: str
    s: str


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked. `holds` is None when it could not be or was not asked to be checked."""

    holds: bool | None
    text: str
    line: int | None = None
    """The line of the file it is about, counted from 1."""


class ExportReport(msgspec.Struct, frozen=True):
    """What a file is worth. `findings` are in the order a reader wants them."""

    origin: str
    size: int
    findings: tuple[Finding, ...]
    cosigned_size: int = 0
    cosigned_at_s: int | None = None

    @property
    def holds(self) -> bool:
        """Return whether nothing that was checked is wrong."""
        return all(finding.holds is not False for finding in self.findings)

    @property
    def first_bad_line(self) -> int | None:
        """Return the first line of the file about which something does not hold."""
        return min((found.line for found in self.findings if found.holds is False and found.line), default=None)


def write_export(
    *, origin: str, size: int, checkpoint: str, entries: Iterable[tuple[bytes, bytes]], cosigned: str | None = None
) -> Iterator[str]:
    """Yield the file's lines, each with its newline. `entries` are (exact bytes, signature) of 0 to `size` - 1."""
    header = Header(format=FORMAT, v=VERSION, origin=origin, size=size, checkpoint=checkpoint, cosigned=cosigned)
    yield msgspec.json.encode(header).decode() + "\n"
    for data, signature in entries:
        line = Line(base64.b64encode(data).decode(), base64.b64encode(signature).decode())
        yield msgspec.json.encode(line).decode() + "\n"


def _read(line: str | bytes, kind: type[Any]) -> Any:
    """Return the decoded line. Raises ValueError for anything else than the JSON it should be."""
    if len(line) > LINE_SIZE_MAX_BYTES:
        raise ValueError(line)
    try:
        return msgspec.json.decode(line, type=kind)
    except RecursionError as error:
        raise ValueError(line) from error


class _Walk:
    """The entries as they pass: what was first wrong with each property, and the tree they make."""

    def __init__(self, header: Header, box_key: bytes) -> None:
        self._header = header
        self._box_key = box_key
        self._prev = GENESIS_PREV
        self.tree = Frontier()
        self.unreadable: Finding | None = None
        self.unsigned: Finding | None = None
        self.unchained: Finding | None = None
        self.other_key: Finding | None = None

    def step(self, number: int, line: str | bytes) -> None:
        """Check one line. After an unreadable one nothing more can be said, so the caller stops."""
        index = self.tree.size
        try:
            read: Line = _read(line, Line)
            data, signature = base64.b64decode(read.d, validate=True), base64.b64decode(read.s, validate=True)
            entry = decode_entry(data)
        except IntegrityError as error:
            why = f"line {number} holds an entry that cannot be read ({error.data['why']})"
            self.unreadable = Finding(holds=False, text=why, line=number)
            return
        except (ValueError, binascii.Error):
            self.unreadable = Finding(holds=False, text=f"line {number} is cut or damaged", line=number)
            return
        try:
            check_signature(self._box_key, JOURNAL_PAYLOAD, data, signature)
        except IntegrityError:
            wrong = Finding(holds=False, text=f"entry {index} (line {number}) is not signed by this key", line=number)
            self.unsigned = self.unsigned or wrong
        broken = self._broken(entry, index)
        if broken:
            self.unchained = self.unchained or Finding(holds=False, text=f"line {number}: {broken}", line=number)
        if index == 0:
            self._check_opening(entry)
        leaf = leaf_hash(data)
        self.tree.append(leaf)
        self._prev = leaf.hex()

    def _broken(self, entry: Entry, index: int) -> str | None:
        """Return how the entry does not follow the one before, if so."""
        if entry.journal != self._header.origin:
            return f"this entry is of another journal ({entry.journal})"
        if entry.index != index:
            return f"entry {entry.index} stands where {index} should"
        if entry.prev != self._prev:
            return f"entry {index} does not continue the entry before it"
        return None

    def _check_opening(self, entry: Entry) -> None:
        """Check that the journal's first entry names the key, so that a file cannot be signed anew by another."""
        try:
            opening = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        except msgspec.ValidationError:
            opening = None
        if not isinstance(opening, JournalOpened):
            self.other_key = Finding(holds=False, text="the first entry does not open a journal", line=2)
        elif opening.public_key != self._box_key.hex():
            self.other_key = Finding(holds=False, text="the journal was opened with another key than this", line=2)


def _check_box_checkpoint(header: Header, text: str, key: NoteKey) -> tuple[Note, Checkpoint]:
    """Return a checkpoint that the box signed for this journal. Raises IntegrityError."""
    note = parse_note(text)
    check_note(note, key)
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != header.origin:
        raise IntegrityError("journal.other_origin", origin=checkpoint.origin)
    return note, checkpoint


class _Witnessed:
    """What a witness said of the journal, to be compared when the entries have passed."""

    def __init__(self, header: Header, box: NoteKey, witness: NoteKey | None) -> None:
        self.size = 0
        self.at_s: int | None = None
        self.root: bytes | None = None
        self.finding: Finding | None = None
        self._name = witness.name if witness else ""
        if witness is None:
            self.finding = Finding(None, "no witness's key was given, so cosignatures were not checked")
            return
        text = header.cosigned or header.checkpoint
        try:
            note, checkpoint = _check_box_checkpoint(header, text, box)
            self.at_s = check_cosignature(note, witness)
        except IntegrityError as error:
            not_there = error.code == "note.unsigned" and not header.cosigned
            said = "has not cosigned this journal" if not_there else "did not cosign what the file says it did"
            self.finding = Finding(holds=False, text=f"the witness {witness.name} {said}", line=1)
            return
        self.size, self.root = checkpoint.size, checkpoint.root

    def compare(self, root_at: bytes | None, size: int) -> Finding:
        """Return whether the entries are those the witness saw; `root_at` is their root at the witness's size."""
        if self.finding:
            return self.finding
        if root_at is None:
            return Finding(holds=False, text=f"the witness {self._name} saw {self.size} entries; the file has fewer")
        if root_at != self.root:
            return Finding(holds=False, text=f"the witness {self._name} saw other entries than these")
        rest = size - self.size
        later = f"; the {rest} after them only the box has seen" if rest else ""
        return Finding(holds=True, text=f"the witness {self._name} saw the first {self.size} entries{later}")


def verify_export(
    lines: Iterable[str | bytes], box_key: bytes, witness_key: NoteKey | None, *, origin: str | None = None
) -> ExportReport:
    """Return what holds and what does not of an exported journal.

    `box_key` is the 32-byte Ed25519 key the journal must be signed with; with `origin` the file must be of that
    journal. Lines are taken one at a time. Raises nothing for any content.
    """
    stream = enumerate(lines, start=1)
    header, problem = _read_header(next(stream, (1, ""))[1], origin)
    if header is None or problem:
        return ExportReport(header.origin if header else "", 0, (problem,) if problem else ())
    key = NoteKey(header.origin, box_key)
    witnessed = _Witnessed(header, key, witness_key)
    walk = _Walk(header, box_key)
    root_at = walk.tree.root() if witnessed.size == 0 else None
    surplus: Finding | None = None
    for number, line in stream:
        if walk.tree.size == header.size:
            if line.strip():
                surplus = Finding(holds=False, text=f"line {number} stands after the last entry", line=number)
                break
            continue
        walk.step(number, line)
        if walk.unreadable:
            break
        if walk.tree.size == witnessed.size:
            root_at = walk.tree.root()
    size = walk.tree.size
    complete = walk.unreadable or _all_there(size, header, surplus)
    findings = (
        complete,
        walk.unsigned or Finding(holds=True, text=f"all {size} entries read are signed by the box's key"),
        walk.unchained or Finding(holds=True, text="each entry continues the one before it"),
        walk.other_key or Finding(holds=bool(size) or None, text="the journal was opened with this key"),
        _compare_checkpoint(header, key, walk.tree) if complete.holds else _NOT_COMPARED,
        witnessed.compare(root_at, size),
    )
    return ExportReport(header.origin, size, findings, witnessed.size, witnessed.at_s)


def _read_header(line: str | bytes, origin: str | None) -> tuple[Header | None, Finding | None]:
    try:
        header: Header = _read(line, Header)
    except ValueError:
        return None, Finding(holds=False, text="line 1 is not the first line of an exported journal", line=1)
    if header.format != FORMAT or header.v != VERSION or header.size < 0:
        said = f"the file says it is {header.format!r}, version {header.v}; this reads {FORMAT!r}, version {VERSION}"
        return None, Finding(holds=False, text=said, line=1)
    if origin is not None and header.origin != origin:
        said = f"the file is of the journal {header.origin}, the key is of {origin}"
        return header, Finding(holds=False, text=said, line=1)
    return header, None


_NOT_COMPARED: Final = Finding(None, "the box's checkpoint was not compared, as not all entries could be read")


def _all_there(size: int, header: Header, surplus: Finding | None) -> Finding:
    if surplus:
        return surplus
    if size != header.size:
        return Finding(holds=False, text=f"the file ends after {size} of {header.size} entries", line=size + 2)
    return Finding(holds=True, text=f"all {header.size} entries are there and can be read")


def _compare_checkpoint(header: Header, key: NoteKey, tree: Frontier) -> Finding:
    """Return whether the box signed exactly these entries as one tree."""
    try:
        _, checkpoint = _check_box_checkpoint(header, header.checkpoint, key)
    except IntegrityError:
        return Finding(holds=False, text="the checkpoint is not signed by the box's key for this journal", line=1)
    if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
        return Finding(holds=False, text="the checkpoint is of other entries than these")
    return Finding(holds=True, text=f"the box's checkpoint is of exactly these {tree.size} entries")
