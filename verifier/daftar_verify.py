"""Check an exported Daftar journal, or the proof of one receipt, with nothing but public keys.

    python3 daftar_verify.py FILE --key KEY [--witness KEY] [--leaf DIGITS] [--language en|fa|both]

Needs Python 3.11 and the package `cryptography`; no network, no Daftar. The format is docs/spec/journal.md, written
down there for exactly this: a second opinion that shares no code with the program it checks. Ends with 0 when all that
was checked holds, 1 when something does not, 2 when it was called wrongly.

این برنامه دفتر روزنامهٔ صادرشده یا گواهی یک رسید را تنها با کلیدهای عمومی بررسی می‌کند.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY_TYPE = b"application/vnd.daftar.entry.v1+json"
ROTATION_TYPE = b"application/vnd.daftar.key-rotation.v1"
LINE_MAX_BYTES = 131_072
ENTRY_MAX_BYTES = 65_536
NOTE_MAX_BYTES = 16_384
ROTATIONS_MAX = 64
NUMBER_MAX = 2**63 - 1
PROOF_HEAD = "c2sp.org/tlog-proof@v1"
PROOF_MAX_BYTES = 65_536
NO_LONGER_CHARGED = {f"payment.{what}" for what in ("reversed", "in_doubt", "declined", "cancelled", "not_charged")}
HEX_64 = re.compile(r"[0-9a-f]{64}")
ASCII_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Bad(Exception):
    """Something cannot be read."""


class Finding(NamedTuple):
    """One thing that was checked: whether it holds (None: it was not checked), in English and in Persian."""

    holds: bool | None
    en: str
    fa: str


# --- bytes ----------------------------------------------------------------------------------------------------------


def unbase64(text: object, size: int | None = None) -> bytes:
    if not isinstance(text, str) or not text.isascii():
        raise Bad
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad from None
    if size is not None and len(raw) != size:
        raise Bad
    return raw


def unjson(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise Bad from None
    if not isinstance(value, dict):
        raise Bad
    return value


def number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= NUMBER_MAX:
        raise Bad
    return value


def text_of(value: object) -> str:
    if not isinstance(value, str):
        raise Bad
    return value


def shown(value: object) -> str:
    """Return what a file says as it may be shown: no control characters, no half letters, not for ever."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))[:200]


def signed(key: bytes, kind: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `key` signed DSSE's encoding of the data under this type."""
    return right(key, b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(data), data), signature)


def right(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# --- the tree of RFC 6962 -------------------------------------------------------------------------------------------


def leaf_of(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def parent(left: bytes, right_side: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right_side).digest()


class Tree:
    """Roots of a growing tree."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            leaf = parent(self.peaks.pop()[1], leaf)
            height += 1
        self.peaks.append((height, leaf))
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        digest = self.peaks[-1][1]
        for _, peak in self.peaks[-2::-1]:
            digest = parent(peak, digest)
        return digest


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion path leads to: down from the top, so the other way round than the program's own."""
    if not 0 <= index < size:
        raise Bad
    turns, start, end = [], 0, size
    while end - start > 1:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        turns.append(index >= split)
        start, end = (split, end) if index >= split else (start, split)
    if len(turns) != len(path):
        raise Bad
    for is_right, step in zip(reversed(turns), path, strict=True):
        leaf = parent(step, leaf) if is_right else parent(leaf, step)
    return leaf


# --- signed notes ---------------------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A public key; `name` is empty for one given as bare digits."""

    name: str
    raw: bytes
    kind: int


def read_key(text: str) -> Key:
    text = text.strip()
    if HEX_64.fullmatch(text.lower()):
        return Key("", bytes.fromhex(text), 1)
    name, _, rest = text.partition("+")
    digest, _, encoded = rest.partition("+")
    raw = unbase64(encoded, 33)
    if not name or key_id(name, raw[0], raw[1:]).hex() != digest:
        raise Bad
    return Key(name, raw[1:], raw[0])


def key_id(name: str, kind: int, raw: bytes) -> bytes:
    return hashlib.sha256(name.encode(errors="replace") + b"\n" + bytes([kind]) + raw).digest()[:4]


class Note(NamedTuple):
    """A checkpoint with its signatures."""

    text: bytes
    origin: str
    size: int
    root: bytes
    lines: list[tuple[str, bytes]]

    def by(self, name: str, kind: int, raw: bytes) -> bytes | None:
        """The signature that claims to be by this key."""
        wanted = key_id(name, kind, raw)
        return next((line[4:] for who, line in self.lines if who == name and line[:4] == wanted), None)

    def signed_by(self, raw: bytes) -> bool:
        found = self.by(self.origin, 1, raw)
        return found is not None and right(raw, self.text, found)

    def cosigned_by(self, key: Key) -> int | None:
        """The second at which the witness cosigned, None if it did not."""
        found = self.by(key.name, 4, key.raw)
        if found is None or len(found) != 72:
            return None
        at_s = int.from_bytes(found[:8], "big")
        return at_s if right(key.raw, b"cosignature/v1\ntime %d\n%s" % (at_s, self.text), found[8:]) else None


def read_note(value: object) -> Note:
    text = text_of(value)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Bad from None
    body, gap, tail = text.rpartition("\n\n")
    lines, heads = tail.split("\n"), body.split("\n")
    if size > NOTE_MAX_BYTES or not gap or lines[-1] or len(lines) > 101 or len(heads) < 3:
        raise Bad
    if any(letter < " " and letter != "\n" for letter in text) or not ASCII_NUMBER.fullmatch(heads[1]) or not heads[0]:
        raise Bad
    found = []
    for line in lines[:-1]:
        dash, name, encoded, *more = [*line.split(" "), "", ""]
        raw = unbase64(encoded)
        if dash != "—" or not name or any(more) or len(raw) < 5:
            raise Bad
        found.append((name, raw))
    return Note((body + "\n").encode(), heads[0], number(int(heads[1])), unbase64(heads[2], 32), found)


# --- journals -------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One entry as its line gives it."""

    data: bytes
    signature: bytes
    facts: dict[str, Any]


def read_line(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_MAX_BYTES:
        raise Bad
    return unjson(line)


def read_entry(line: dict[str, Any]) -> Entry:
    data, signature = unbase64(line.get("d")), unbase64(line.get("s"))
    facts = unjson(data)
    names = (facts.get(name) for name in ("journal", "boot", "at", "clock", "type"))
    if len(data) > ENTRY_MAX_BYTES or facts.get("v") != 1 or not all(isinstance(name, str) for name in names):
        raise Bad
    number(facts.get("index"))
    number(facts.get("monotonic_ms"))
    if not HEX_64.fullmatch(text_of(facts.get("prev"))) or not isinstance(facts.get("body"), dict):
        raise Bad
    return Entry(data, signature, facts)


class Days:
    """What the closes of days say, held against the entries: only where all entries are there."""

    def __init__(self) -> None:
        self.closes = 0
        self.wrong: int | None = None
        self.asked: dict[str, tuple[tuple[str, str, str], int]] = {}
        self.charged: set[str] = set()
        self.taken: dict[tuple[str, str, str], list[int]] = {}

    def take(self, index: int, facts: dict[str, Any], tree: Tree) -> None:
        kind, body = facts["type"], facts["body"]
        payment = str(body.get("payment_id"))
        if kind == "payment.requested":
            place = (str(body.get("method")), str(body.get("purpose")), str(body.get("terminal")))
            self.asked[payment] = (place, number(body.get("amount_rial")))
        elif kind == "payment.approved" and payment in self.asked and payment not in self.charged:
            self.charged.add(payment)
            place, amount = self.asked[payment]
            sums = self.taken.setdefault(place, [0, 0])
            sums[0], sums[1] = sums[0] + 1, sums[1] + amount
        elif kind in NO_LONGER_CHARGED or (kind == "payment.reversal_decided" and body.get("undone") is True):
            self.charged.discard(payment)
        elif kind == "day.closed":
            self.closes += 1
            said = {
                (str(total["method"]), str(total["purpose"]), str(total["terminal"])): [
                    number(total["count"]),
                    number(total["amount_rial"]),
                ]
                for total in body["totals"]
                if total["count"]
            }
            if (body["size"], body["root"]) != (index, tree.root().hex()) or said != self.taken:
                self.wrong = index if self.wrong is None else self.wrong
            self.taken = {}

    def finding(self, *, whole: bool) -> Finding | None:
        if not whole:
            return None
        if self.wrong is not None:
            return Finding(
                False,
                f"the close of the day in entry {self.wrong} is not of the entries before it: size, root or totals",
                f"بستن روز در ثبت {self.wrong} با اندازه، ریشه یا جمع ثبت‌های پیش از خود نمی‌خواند",
            )
        if not self.closes:
            return None
        return Finding(
            True,
            f"{self.closes} closes of days tell the size, root and totals of what stands before them",
            f"{self.closes} بستن روز با اندازه، ریشه و جمع ثبت‌های پیش از خود می‌خواند",
        )


class Header(NamedTuple):
    """The first line."""

    origin: str
    size: int
    first: int
    end: int
    before: int
    after: int
    checkpoint: object
    cosigned: object
    proofs: list[dict[str, Any]]
    whole: bool


def read_header(line: bytes) -> Header:
    said = read_line(line)
    size = number(said.get("size"))
    ends = said.get("end") is not None
    first, end = number(said.get("first", 0)), number(said["end"]) if ends else size
    before, after, proofs = number(said.get("before", 0)), number(said.get("after", 0)), said.get("proofs", [])
    if said.get("format") != "daftar-journal-export" or said.get("v") != 1 or not isinstance(proofs, list):
        raise Bad
    in_order = first < end <= size if first or ends else not before and not after
    if not in_order or not (first > 0) <= before <= 1 + ROTATIONS_MAX or after > ROTATIONS_MAX:
        raise Bad
    if not all(isinstance(proof, dict) for proof in proofs):
        raise Bad
    whole = first == 0 and end == size
    return Header(
        text_of(said.get("origin")),
        size,
        first,
        end,
        before,
        after,
        said.get("checkpoint"),
        said.get("cosigned"),
        proofs,
        whole,
    )


class Journal:
    """One export as it is read: a line at a time, and what was first found wrong with each property."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.keys: list[bytes] = []
        self.index = header.first
        self.prev: str | None = "0" * 64 if header.first == 0 else None
        self.closed = False
        self.tree = Tree()
        self.days = Days()
        self.roots: dict[int, bytes] = {0: self.tree.root()}
        self.wanted: set[int] = set()
        self.proved: dict[tuple[int, int], bytes] = {}
        self.faults: dict[str, Finding] = {}

    def fault(self, about: str, en: str, fa: str) -> None:
        self.faults.setdefault(about, Finding(False, en, fa))

    def take_around(self, line: bytes, *, opens: bool) -> None:
        """An entry before or after a range: the opening, or a rotation."""
        said = read_line(line)
        entry, index = read_entry(said), number(said.get("i"))
        belongs = (entry.facts["journal"], entry.facts["index"]) == (self.header.origin, index)
        outside = index < self.header.first if self.index == self.header.first else index >= self.index
        if not belongs or not outside or opens != (index == 0):
            en = f"entry {index} does not belong beside this range"
            self.fault("chain", en, f"جای ثبت {index} در کنار این بازه نیست")
        self.check(index, entry, opens=opens)
        self.prove(index, self.header.size, leaf_of(entry.data), said.get("p"))

    def take(self, line: bytes) -> None:
        entry, index = read_entry(read_line(line)), self.index
        facts = entry.facts
        if self.closed or (facts["journal"], facts["index"]) != (self.header.origin, index):
            self.fault("chain", f"entry {index} is not in its place", f"ثبت {index} سر جای خود نیست")
        elif self.prev is not None and facts["prev"] != self.prev:
            en, fa = f"entry {index} does not continue the entry before it", f"ثبت {index} دنبالهٔ ثبت پیش از خود نیست"
            self.fault("chain", en, fa)
        self.check(index, entry, opens=index == 0)
        leaf = leaf_of(entry.data)
        if self.header.whole:
            self.take_day(index, facts)
        for proof in self.header.proofs:
            if proof.get("i") == index:
                self.prove(index, number(proof.get("n")), leaf, proof.get("p"))
        self.closed = self.closed or facts["type"] == "journal.closed"
        self.prev = leaf.hex()
        self.tree.add(leaf)
        self.index += 1
        if self.index in self.wanted:
            self.roots[self.index] = self.tree.root()

    def take_day(self, index: int, facts: dict[str, Any]) -> None:
        try:
            self.days.take(index, facts, self.tree)
        except (Bad, KeyError, TypeError):
            self.days.wrong = index if self.days.wrong is None else self.days.wrong

    def check(self, index: int, entry: Entry, *, opens: bool) -> None:
        """Check the signature by the key of the place, and follow the keys."""
        body = entry.facts["body"]
        if opens:
            named = body.get("public_key")
            if entry.facts["type"] != "journal.opened" or not isinstance(named, str) or not HEX_64.fullmatch(named):
                self.fault("keys", "the first entry does not open a journal", "ثبت نخست، دفتر روزنامه‌ای را باز نمی‌کند")
                self.keys = [bytes(32)]
            else:
                self.keys = [bytes.fromhex(named)]
        if not signed(self.keys[-1], ENTRY_TYPE, entry.data, entry.signature):
            en, fa = (
                f"entry {index} is not signed by the key of its place",
                f"ثبت {index} با کلیدِ جای خود امضا نشده است",
            )
            self.fault("signatures", en, fa)
        if entry.facts["type"] == "key.rotated":
            self.rotate(index, body)

    def rotate(self, index: int, body: dict[str, Any]) -> None:
        old, named = self.keys[-1], body.get("public_key")
        try:
            proof = unbase64(body.get("proof"))
            if not isinstance(named, str) or not HEX_64.fullmatch(named) or named == old.hex():
                raise Bad
            claim = f"{self.header.origin}\n{index}\n{old.hex()}\n{named}\n".encode(errors="replace")
            if not signed(bytes.fromhex(named), ROTATION_TYPE, claim, proof):
                raise Bad
        except Bad:
            en, fa = f"entry {index} names a new key and does not prove it", f"ثبت {index} کلید تازه را ثابت نمی‌کند"
            self.fault("keys", en, fa)
            return
        self.keys.append(bytes.fromhex(named))

    def prove(self, index: int, size: int, leaf: bytes, path: object) -> None:
        try:
            if not isinstance(path, list):
                raise Bad
            self.proved[index, size] = root_by_path(leaf, index, size, [unbase64(step, 32) for step in path])
        except Bad:
            en, fa = f"the proof about entry {index} cannot be read", f"گواهیِ ثبت {index} خوانا نیست"
            self.fault("chain", en, fa)

    def has_root(self, note: Note) -> bool:
        """Whether the note's tree has the entries that were read."""
        first, last = self.header.first, min(self.index, note.size) - 1
        if first == 0 and note.size <= self.index:
            return self.roots.get(note.size) == note.root
        if not {(first, note.size), (last, note.size)} <= self.proved.keys():
            return False
        return {root for (_, size), root in self.proved.items() if size == note.size} == {note.root}


class Counted:
    """Lines, and how many of them were taken."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = next(self.lines)
        self.count += 1
        return line


def read_journal(lines: Iterator[bytes], box: Key, witness: Key | None) -> list[Finding]:
    """Return what holds and what does not of an exported journal or range."""
    try:
        header = read_header(next(lines, b""))
    except Bad:
        return [
            Finding(False, "line 1 is not the first line of an exported journal", "سطر ۱ آغاز یک دفتر صادرشده نیست")
        ]
    if box.name and box.name != header.origin:
        en = f"the file is of the journal {shown(header.origin)}, the key is of {shown(box.name)}"
        return [Finding(False, en, f"پرونده از دفتر {shown(header.origin)} است و کلید از {shown(box.name)}")]
    journal = Journal(header)
    notes: list[Note | None] = []
    for text in (header.checkpoint, header.cosigned if header.cosigned is not None else header.checkpoint):
        try:
            note = read_note(text)
            notes.append(note)
            journal.wanted.add(note.size)
        except Bad:
            notes.append(None)
    count = header.end - header.first
    complete = Finding(
        True,
        f"{count} entries are there and can be read ({header.first} to {header.end - 1} of {header.size})",
        f"{count} ثبت هست و خواناست ({header.first} تا {header.end - 1} از {header.size})",
    )
    passed = Counted(lines)
    try:
        for place in range(header.before):
            journal.take_around(next(passed, b""), opens=place == 0)
        for _ in range(count):
            journal.take(next(passed, b""))
        for _ in range(header.after):
            journal.take_around(next(passed, b""), opens=False)
        if any(line.strip() for line in passed):
            raise Bad
    except Bad:
        line_number = max(passed.count + 1, 2)
        en, fa = f"line {line_number} is cut, damaged or too much", f"سطر {line_number} ناقص، خراب یا اضافه است"
        complete = Finding(False, en, fa)
    return [complete, *judge(journal, box, witness, notes)]


def judge(journal: Journal, box: Key, witness: Key | None, notes: list[Note | None]) -> list[Finding]:
    """Return what holds of a journal whose lines have passed."""
    faults, count = journal.faults, journal.index - journal.header.first
    if box.raw not in journal.keys:
        journal.fault("keys", "the key that was given is none of this journal's", "کلیدِ داده‌شده از آنِ این دفتر نیست")
    found = [
        faults.get("signatures")
        or Finding(
            True,
            f"all {count} entries are signed by the box ({len(journal.keys)} keys, each in its place)",
            f"همهٔ {count} ثبت را دستگاه امضا کرده است ({len(journal.keys)} کلید، هر یک در جای خود)",
        ),
        faults.get("chain")
        or Finding(True, "each entry continues the one before it", "هر ثبت دنبالهٔ ثبت پیش از خود است"),
        faults.get("keys")
        or Finding(
            True,
            "the key that was given is this journal's, and each rotation proves its new key",
            "کلیدِ داده‌شده از آنِ همین دفتر است و هر تعویض، کلید تازه را ثابت می‌کند",
        ),
        boxes_word(journal, notes[0]),
        witness_word(journal, witness, notes[1]),
    ]
    closes = journal.days.finding(whole=journal.header.whole)
    return [*found, closes] if closes else found


def box_signed(journal: Journal, note: Note | None) -> bool:
    return note is not None and note.origin == journal.header.origin and any(map(note.signed_by, journal.keys))


def boxes_word(journal: Journal, note: Note | None) -> Finding:
    size = journal.header.size
    if note is None or not box_signed(journal, note) or note.size != size or not journal.has_root(note):
        en = "the box's checkpoint is not signed by it, or is of other entries than these"
        return Finding(False, en, "مُهر دستگاه از خود آن نیست، یا بر ثبت‌های دیگری است")
    en = f"the box's checkpoint of {size} entries has exactly these in it"
    return Finding(True, en, f"مُهر دستگاه بر {size} ثبت، همین‌ها را در بر دارد")


def witness_word(journal: Journal, witness: Key | None, note: Note | None) -> Finding:
    if witness is None:
        en = "no witness's key was given: whether entries were cut off the end was not checked"
        return Finding(None, en, "کلید گواه داده نشد: بریده‌شدن ثبت از انتهای دفتر بررسی نشد")
    at_s = note.cosigned_by(witness) if note is not None else None
    if note is None or at_s is None or not box_signed(journal, note):
        en = f"the witness {shown(witness.name)} did not cosign this journal"
        return Finding(False, en, f"گواه {shown(witness.name)} این دفتر را امضا نکرده است")
    if 0 < journal.header.first >= note.size:
        en = f"the witness saw only the first {note.size} entries, none of these"
        return Finding(None, en, f"گواه تنها {note.size} ثبت نخست را دیده است و هیچ‌یک از این‌ها را نه")
    if not journal.has_root(note):
        en = f"the witness saw other entries than these, or more ({note.size})"
        return Finding(False, en, f"گواه ثبت‌های دیگری یا بیشتری دیده است ({note.size})")
    later = max(0, journal.index - note.size)
    en = f"the witness saw the first {note.size} entries {when(at_s)}; {later} of these came later"
    return Finding(True, en, f"گواه {note.size} ثبت نخست را دیده است ({when(at_s, 'در')})؛ {later} ثبت پس از آن است")


def when(at_s: int, at: str = "at") -> str:
    try:
        return f"{at} {datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at} {at_s} s"


# --- the proof of one receipt ---------------------------------------------------------------------------------------


class Proof(NamedTuple):
    """A `.tlog-proof`: one entry's place in a cosigned tree."""

    place: int
    leaf: bytes | None
    path: list[bytes]
    note: Note


def read_proof(raw: bytes) -> Proof:
    try:
        head, _, note = raw.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Bad from None
    first, *lines = head.split("\n")
    extra = lines.pop(0).removeprefix("extra ") if lines and lines[0].startswith("extra ") else None
    if first != PROOF_HEAD or not lines or not lines[0].startswith("index "):
        raise Bad
    index = lines[0].removeprefix("index ")
    if not ASCII_NUMBER.fullmatch(index) or len(lines) > 65:
        raise Bad
    path = [unbase64(line, 32) for line in lines[1:]]
    return Proof(number(int(index)), unbase64(extra, 32) if extra is not None else None, path, read_note(note))


def judge_proof(raw: bytes, box: Key | None, witness: Key | None, digits: str) -> list[Finding]:
    """Return what holds of a receipt's proof. `digits` are those of the leaf that the paper shows."""
    try:
        proof = read_proof(raw)
    except Bad:
        return [Finding(False, "the proof cannot be read", "گواهی خوانا نیست")]
    note, leaf = proof.note, proof.leaf
    if not digits:
        en = "compare the leaf with the paper's, or give its digits by --leaf"
        paper = Finding(None, en, "برگ را با شمارهٔ روی رسید بسنجید، یا آن را با --leaf بدهید")
    elif leaf is not None and leaf.hex().startswith(digits.lower()):
        paper = Finding(True, "the leaf is that of the paper", "برگ همان است که روی رسید است")
    else:
        paper = Finding(False, "the leaf is not that of the paper", "برگ همان نیست که روی رسید است")
    try:
        inside = leaf is not None and root_by_path(leaf, proof.place, note.size, proof.path) == note.root
    except Bad:
        inside = False
    place = f"{proof.place} of {note.size} in {shown(note.origin)}"
    if leaf is None:
        tree = Finding(False, "the proof names no leaf", "گواهی برگی را نام نمی‌برد")
    elif inside:
        en = f"the leaf {leaf.hex()} is entry {place}"
        tree = Finding(True, en, f"برگ {leaf.hex()} ثبت {proof.place} از {note.size} در دفتر {shown(note.origin)} است")
    else:
        tree = Finding(False, f"the leaf is not entry {place}", "این برگ در این دفتر نیست")
    return [paper, tree, *(word for word in (proof_by_box(note, box), proof_by_witness(note, witness)) if word)]


def proof_by_box(note: Note, box: Key | None) -> Finding | None:
    if box is None:
        return None
    if box.name in ("", note.origin) and note.signed_by(box.raw):
        return Finding(
            True, "the box signed this tree with the key that was given", "دستگاه با کلیدِ داده‌شده امضا کرده است"
        )
    en = "the box did not sign this tree with the key that was given (it may have another key since)"
    return Finding(False, en, "دستگاه با کلیدِ داده‌شده امضا نکرده است (شاید کلیدش عوض شده باشد)")


def proof_by_witness(note: Note, witness: Key | None) -> Finding:
    at_s = note.cosigned_by(witness) if witness else None
    if witness is None:
        en = "no witness's key was given: who vouches for this tree was not checked"
        return Finding(None, en, "کلید گواه داده نشد: بررسی نشد چه کسی بر این درخت گواه است")
    if at_s is None:
        en = f"the witness {shown(witness.name)} did not cosign this tree"
        return Finding(False, en, f"گواه {shown(witness.name)} این درخت را امضا نکرده است")
    en = f"the witness {shown(witness.name)} cosigned this tree {when(at_s)}"
    return Finding(True, en, f"گواه {shown(witness.name)} این درخت را امضا کرده است ({when(at_s, 'در')})")


# --- the command ----------------------------------------------------------------------------------------------------


def check_bytes(stream: Iterable[bytes], box: Key | None, witness: Key | None, leaf: str = "") -> list[Finding]:
    """Return what holds of a journal, or of the proof of a receipt; the first line says which it is."""
    lines = iter(stream)
    first = next(lines, b"")
    if first.rstrip(b"\r\n") == PROOF_HEAD.encode():
        raw = first
        for line in lines:
            raw += line
            if len(raw) > PROOF_MAX_BYTES:
                break
        return judge_proof(raw, box, witness, leaf)
    if box is None:
        return [Finding(False, "a journal is checked with its box's key: give --key", "کلید دستگاه را با --key بدهید")]

    def again() -> Iterator[bytes]:
        yield first
        yield from lines

    return read_journal(again(), box, witness)


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the file's lines; one that is too long comes cut, and is then refused."""
    with path.open("rb") as stream:
        while line := stream.readline(LINE_MAX_BYTES + 1):
            yield line


def report(findings: list[Finding], language: str) -> str:
    """Return the findings and the verdict as text."""
    marks = {True: ("holds", "درست"), False: ("DOES NOT HOLD", "نادرست"), None: ("not checked", "بررسی‌نشده")}
    verdict = Finding(
        all(finding.holds is not False for finding in findings) and any(finding.holds for finding in findings),
        "Everything that was checked holds.",
        "هر چه بررسی شد درست است.",
    )
    if not verdict.holds:
        verdict = Finding(
            False, "This does not hold. Keep the file as it is.", "این درست نیست. پرونده را همان‌گونه نگه دارید."
        )
    said = []
    if language in ("en", "both"):
        said += [*(f"{marks[finding.holds][0]:14} {finding.en}" for finding in findings), verdict.en, ""]
    if language in ("fa", "both"):
        said += [*(f"{marks[finding.holds][1]}: {finding.fa}" for finding in findings), verdict.fa, ""]
    return "\n".join(said)


def a_key(kind: int) -> Any:
    def read(text: str) -> Key:
        try:
            key = read_key(text)
        except (Bad, IndexError):
            raise argparse.ArgumentTypeError("give name+hash+key in one word, or 64 hex digits") from None
        if key.kind != kind or (kind == 4 and not key.name):
            raise argparse.ArgumentTypeError("this key is not of that kind")
        return key

    return read


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an exported Daftar journal or the proof of a receipt.")
    parser.add_argument("file", type=Path, help="the exported journal (.jsonl) or the proof (.tlog-proof)")
    parser.add_argument("--key", type=a_key(1), help="one of the box's public keys: name+hash+key or 64 hex digits")
    parser.add_argument("--witness", type=a_key(4), help="central's cosigning key: name+hash+key")
    parser.add_argument("--leaf", default="", help="the digits of the leaf that the receipt shows")
    parser.add_argument("--language", choices=("en", "fa", "both"), default="both")
    given = parser.parse_args(arguments)
    try:
        findings = check_bytes(pieces(given.file), given.key, given.witness, given.leaf.strip())
    except OSError as error:
        findings = [Finding(False, f"the file cannot be read ({error.strerror})", "پرونده خوانده نمی‌شود")]
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(report(findings, given.language))
    holds = all(finding.holds is not False for finding in findings) and any(finding.holds for finding in findings)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
