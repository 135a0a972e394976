"""What an exported journal, or a range of one, is worth: checked a line at a time, with nothing but public keys.

The key that a reader trusts may be any of the journal's: the one it was opened with leads to the newest by the
rotations, and the newest has signed the checkpoint over all entries. A reader holds one line and O(log N) hashes.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from shared.errors import IntegrityError
from shared.events import JOURNAL_BODIES, JournalClosed, JournalOpened, decode_body
from shared.journal.checkpoint import Checkpoint, parse_checkpoint
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import GENESIS_PREV, JOURNAL_PAYLOAD, Entry, check_signature, decode_entry, leaf_hash
from shared.journal.export_format import FORMAT, LINE_SIZE_MAX_BYTES, VERSION, Line, ProvedLine, RangeHeader
from shared.journal.note import Note, NoteKey, parse_note
from shared.journal.rotation import ROTATIONS_MAX, KeyChain
from shared.journal.tree import Frontier, path_root

_KEY: Final = re.compile(r"[0-9a-f]{64}")


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
    """Entries read."""
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


def _read(line: str | bytes, kind: type[Any]) -> Any:
    """Return the decoded line. Raises ValueError for anything else than the JSON it should be."""
    if len(line) > LINE_SIZE_MAX_BYTES:
        raise ValueError(line)
    try:
        return msgspec.json.decode(line, type=kind)
    except RecursionError as error:
        raise ValueError(line) from error


class _Decoded(msgspec.Struct, frozen=True):
    """One line's entry."""

    entry: Entry
    data: bytes
    signature: bytes


def _decode(line: Line | ProvedLine) -> _Decoded:
    """Return a line's entry. Raises IntegrityError `journal.bad_entry`, ValueError for no base64."""
    data, signature = base64.b64decode(line.d, validate=True), base64.b64decode(line.s, validate=True)
    return _Decoded(decode_entry(data), data, signature)


class _Walk:
    """The entries as they pass: what was first wrong with each property, and the tree they make."""

    def __init__(self, header: RangeHeader, box_key: bytes) -> None:
        self._header = header
        self._box_key = box_key
        self._prev: str | None = GENESIS_PREV if header.first == 0 else None
        self._closed = False
        self.chain = KeyChain(header.origin, box_key)
        self.index = header.first
        self.tree = Frontier()
        """Of a whole journal; of a range it says nothing."""
        self.proved: dict[tuple[int, int], bytes] = {}
        """Roots that the file's proofs lead to from its entries, by (index, size)."""
        self.unreadable: Finding | None = None
        self.unsigned: Finding | None = None
        self.unchained: Finding | None = None
        self.other_key: Finding | None = None

    @property
    def count(self) -> int:
        """Return how many entries of the range were read."""
        return self.index - self._header.first

    def around(self, number: int, line: str | bytes) -> None:
        """Check a line that stands before or after a range: the opening, or a rotation."""
        read = self._readable(number, line, ProvedLine)
        if read is None:
            return
        found, proved = read
        index, follows = proved.i, number == _FIRST_LINE
        belongs = (found.entry.journal, found.entry.index) == (self._header.origin, index)
        outside = index >= self.index if self.count else index < self._header.first
        if not belongs or not outside or (follows and not self.count) != (index == 0):
            text = f"line {number}: entry {index} does not belong beside this range"
            self.unchained = self.unchained or Finding(holds=False, text=text, line=number)
        self._check(number, index, found)
        self._prove(number, index, self._header.size, leaf_hash(found.data), proved.p)

    def step(self, number: int, line: str | bytes) -> None:
        """Check one line. After an unreadable one nothing more can be said, so the caller stops."""
        read = self._readable(number, line, Line)
        if read is None:
            return
        found, index = read[0], self.index
        broken = self._broken(found.entry, index)
        if broken:
            self.unchained = self.unchained or Finding(holds=False, text=f"line {number}: {broken}", line=number)
        self._check(number, index, found)
        self._closed = self._closed or found.entry.type == JournalClosed.type
        leaf = leaf_hash(found.data)
        for proof in self._header.proofs:
            if proof.i == index:
                self._prove(number, index, proof.n, leaf, proof.p)
        self.tree.append(leaf)
        self._prev = leaf.hex()
        self.index += 1

    def _readable(self, number: int, line: str | bytes, kind: type[Any]) -> tuple[_Decoded, Any] | None:
        try:
            read = _read(line, kind)
            return _decode(read), read
        except IntegrityError as error:
            why = f"line {number} holds an entry that cannot be read ({error.data['why']})"
            self.unreadable = Finding(holds=False, text=why, line=number)
        except (ValueError, binascii.Error):
            self.unreadable = Finding(holds=False, text=f"line {number} is cut or damaged", line=number)
        return None

    def _check(self, number: int, index: int, found: _Decoded) -> None:
        """Check the signature by the key of this place, and follow the key."""
        if number == _FIRST_LINE:
            self._open(found.entry)
        try:
            check_signature(self.chain.current, JOURNAL_PAYLOAD, found.data, found.signature)
        except IntegrityError:
            self._unsigned(index, number)
        try:
            self.chain.follow(found.entry, index, leaf_hash(found.data))
        except IntegrityError:
            text = f"entry {index} (line {number}) names a new key and does not prove it"
            self.other_key = self.other_key or Finding(holds=False, text=text, line=number)

    def _unsigned(self, index: int, number: int) -> None:
        wrong = Finding(holds=False, text=f"entry {index} (line {number}) is not signed by this key", line=number)
        self.unsigned = self.unsigned or wrong

    def _broken(self, entry: Entry, index: int) -> str | None:
        """Return how the entry does not follow the one before, if so."""
        if entry.journal != self._header.origin:
            return f"this entry is of another journal ({entry.journal})"
        if entry.index != index:
            return f"entry {entry.index} stands where {index} should"
        if self._prev is not None and entry.prev != self._prev:
            return f"entry {index} does not continue the entry before it"
        if self._closed:
            return f"entry {index} stands after the journal was closed"
        return None

    def _open(self, entry: Entry) -> None:
        """Begin with the key that the journal's first entry names."""
        opening: object = None
        with contextlib.suppress(msgspec.ValidationError):
            opening = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        if isinstance(opening, JournalOpened) and _KEY.fullmatch(opening.public_key):
            self.chain = KeyChain(self._header.origin, bytes.fromhex(opening.public_key))
        else:
            self.other_key = Finding(holds=False, text="the first entry does not open a journal", line=_FIRST_LINE)

    def _prove(self, number: int, index: int, size: int, leaf: bytes, path: tuple[str, ...]) -> None:
        """Keep the root that a path leads to."""
        try:
            hashes = [base64.b64decode(text, validate=True) for text in path]
            self.proved[index, size] = path_root(leaf, index, size, hashes)
        except (ValueError, binascii.Error, IntegrityError):
            text = f"the proof that entry {index} is among {size} cannot be read"
            self.unchained = self.unchained or Finding(holds=False, text=text, line=number)

    def conclude(self) -> None:
        """Judge the key that was given, now that all the journal's keys are known."""
        if self._box_key in self.chain.keys:
            return
        text = "the journal was opened with another key than this"
        self.other_key = self.other_key or Finding(holds=False, text=text, line=_FIRST_LINE)
        self.chain = KeyChain(self._header.origin, self._box_key)
        if self.count:
            self._unsigned(self._header.first, _FIRST_LINE + self._header.before)

    def roots(self, size: int) -> set[bytes] | None:
        """Return the roots of the tree of `size` by all entries whose places in it were proved, None if it is not."""
        first, end = self._header.first, self._header.first + self.count
        wanted = {(first, size), (min(end, size) - 1, size)}
        if not wanted <= self.proved.keys():
            return None
        return {digest for (_, of), digest in self.proved.items() if of == size}


class _Witnessed:
    """What a witness said of the journal, to be compared when the entries have passed."""

    def __init__(self, header: RangeHeader, witness: NoteKey | None) -> None:
        self.size = 0
        self.at_s: int | None = None
        self._checkpoint: Checkpoint | None = None
        self._note: Note | None = None
        self._witness = witness
        self._header = header
        if witness is None:
            return
        try:
            self._note = parse_note(header.cosigned or header.checkpoint)
            self._checkpoint = parse_checkpoint(self._note)
        except IntegrityError:
            return
        self.size = self._checkpoint.size

    def finding(self, walk: _Walk, root_at: bytes | None) -> Finding:
        """Return whether the entries are those the witness saw; `root_at` is their root at the witness's size."""
        if self._witness is None:
            return Finding(None, "no witness's key was given, so cosignatures were not checked")
        name = self._witness.name
        try:
            checkpoint = self._signed(walk.chain, self._witness)
        except IntegrityError as error:
            self.size = 0
            not_there = error.code == "note.unsigned" and not self._header.cosigned
            said = "has not cosigned this journal" if not_there else "did not cosign what the file says it did"
            return Finding(holds=False, text=f"the witness {name} {said}", line=1)
        return self._compare(walk, root_at, checkpoint.root, name)

    def _compare(self, walk: _Walk, root_at: bytes | None, root: bytes, name: str) -> Finding:
        first, end = self._header.first, walk.index
        if first and self.size <= first:
            return Finding(None, f"the witness {name} saw only the first {self.size} entries, none of these")
        if first or end < self.size:
            seen, missing = walk.roots(self.size), f"nothing proves that the witness {name} saw these entries"
        else:
            seen, missing = {root_at} if root_at else None, ""
        if first == 0 and self._header.end is None and end < self.size:
            return Finding(holds=False, text=f"the witness {name} saw {self.size} entries; the file has fewer")
        if seen is None:
            return Finding(holds=False, text=missing, line=1)
        if seen != {root}:
            return Finding(holds=False, text=f"the witness {name} saw other entries than these")
        rest = max(0, end - self.size)
        later = f"; the {rest} after them only the box has seen" if rest else ""
        of = "" if self._header.end is None else " of the journal"
        return Finding(holds=True, text=f"the witness {name} saw the first {self.size} entries{of}{later}")

    def _signed(self, chain: KeyChain, witness: NoteKey) -> Checkpoint:
        """Return the checkpoint that box and witness signed for this journal. Raises IntegrityError."""
        if self._note is None or self._checkpoint is None:
            raise IntegrityError("note.malformed")
        chain.check_note(self._note)
        if self._checkpoint.origin != self._header.origin:
            raise IntegrityError("journal.other_origin", origin=self._checkpoint.origin)
        self.at_s = check_cosignature(self._note, witness)
        return self._checkpoint


def verify_export(
    lines: Iterable[str | bytes], box_key: bytes, witness_key: NoteKey | None, *, origin: str | None = None
) -> ExportReport:
    """Return what holds and what does not of an exported journal or range.

    `box_key` is one of the 32-byte Ed25519 keys of the journal; with `origin` the file must be of that journal. Lines
    are taken one at a time. Raises nothing for any content.
    """
    stream = enumerate(lines, start=1)
    header, problem = _read_header(next(stream, (1, ""))[1], origin)
    if header is None or problem:
        return ExportReport(header.origin if header else "", 0, (problem,) if problem else ())
    witnessed, walk = _Witnessed(header, witness_key), _Walk(header, box_key)
    root_at, surplus = _pass(stream, header, walk, witnessed.size)
    walk.conclude()
    complete = walk.unreadable or _all_there(walk.count, header, surplus)
    several = len(walk.chain.rotations)
    signed = "the box's key" if not several else f"the box's {several + 1} keys, each by that of its place"
    opened = "the journal was opened with this key" if not several else "this is one of the journal's keys, each proved"
    read = walk.count or header.before
    findings = (
        complete,
        walk.unsigned or Finding(holds=True, text=f"all {walk.count} entries read are signed by {signed}"),
        walk.unchained or Finding(holds=True, text="each entry continues the one before it"),
        walk.other_key or Finding(holds=bool(read) or None, text=opened),
        _compare_checkpoint(header, walk) if complete.holds else _NOT_COMPARED,
        witnessed.finding(walk, root_at),
    )
    return ExportReport(header.origin, walk.count, findings, witnessed.size, witnessed.at_s)


def _pass(
    stream: Iterator[tuple[int, str | bytes]], header: RangeHeader, walk: _Walk, witnessed: int
) -> tuple[bytes | None, Finding | None]:
    """Walk all lines; return the root at the witness's size, and what stands after the last entry."""
    root_at = walk.tree.root() if witnessed == 0 else None
    wanted = (header.size if header.end is None else header.end) - header.first
    after = 0
    for number, line in stream:
        if number < _FIRST_LINE + header.before:
            walk.around(number, line)
        elif walk.count == wanted and after < header.after:
            walk.around(number, line)
            after += 1
        elif walk.count == wanted:
            if line.strip():
                text = f"line {number} stands after the last entry"
                return root_at, Finding(holds=False, text=text, line=number)
        else:
            walk.step(number, line)
        if walk.unreadable:
            break
        if walk.tree.size == witnessed:
            root_at = walk.tree.root()
    if after < header.after:
        return root_at, Finding(holds=False, text="the file ends before its last rotation")
    return root_at, None


def _read_header(line: str | bytes, origin: str | None) -> tuple[RangeHeader | None, Finding | None]:
    try:
        header: RangeHeader = _read(line, RangeHeader)
    except ValueError:
        return None, Finding(holds=False, text="line 1 is not the first line of an exported journal", line=1)
    if header.format != FORMAT or header.v != VERSION or header.size < 0:
        said = f"the file says it is {header.format!r}, version {header.v}; this reads {FORMAT!r}, version {VERSION}"
        return None, Finding(holds=False, text=said, line=1)
    end = header.size if header.end is None else header.end
    around = (header.before, header.after)
    in_order = 0 <= header.first < end <= header.size if header.first or header.end is not None else not any(around)
    if (
        not in_order
        or not (header.first > 0) <= header.before <= 1 + ROTATIONS_MAX
        or not 0 <= header.after <= ROTATIONS_MAX
    ):
        return header, Finding(holds=False, text="the file names a range that is none", line=1)
    if origin is not None and header.origin != origin:
        said = f"the file is of the journal {header.origin}, the key is of {origin}"
        return header, Finding(holds=False, text=said, line=1)
    return header, None


_FIRST_LINE: Final = 2
"""Where the first entry stands in the file, of the journal or of what stands before a range."""
_NOT_COMPARED: Final = Finding(None, "the box's checkpoint was not compared, as not all entries could be read")


def _all_there(count: int, header: RangeHeader, surplus: Finding | None) -> Finding:
    if surplus:
        return surplus
    wanted = (header.size if header.end is None else header.end) - header.first
    if count != wanted:
        line = count + _FIRST_LINE + header.before
        return Finding(holds=False, text=f"the file ends after {count} of {wanted} entries", line=line)
    if wanted != header.size:
        text = f"entries {header.first} to {header.first + wanted - 1} of {header.size} are there and can be read"
        return Finding(holds=True, text=text)
    return Finding(holds=True, text=f"all {header.size} entries are there and can be read")


def _compare_checkpoint(header: RangeHeader, walk: _Walk) -> Finding:
    """Return whether the box signed exactly these entries as one tree, or as part of one."""
    try:
        note = parse_note(header.checkpoint)
        walk.chain.check_note(note)
        checkpoint = parse_checkpoint(note)
    except IntegrityError:
        checkpoint = None
    if checkpoint is None or checkpoint.origin != header.origin:
        return Finding(holds=False, text="the checkpoint is not signed by the box's key for this journal", line=1)
    if walk.count == header.size:
        same, what = walk.tree.root() == checkpoint.root, f"of exactly these {header.size} entries"
    else:
        same, what = walk.roots(header.size) == {checkpoint.root}, f"of {header.size} entries, these among them"
    if not same or checkpoint.size != header.size:
        return Finding(holds=False, text="the checkpoint is of other entries than these")
    return Finding(holds=True, text=f"the box's checkpoint is {what}")
