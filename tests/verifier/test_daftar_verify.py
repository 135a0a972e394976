"""The verifier of one file against the program it checks: two implementations that share no line must agree."""

import ast
import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import AlarmRaised, Body, JournalClosed, JournalOpened
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import (
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.export import verify_export
from shared.journal.export_format import FORMAT, RangeHeader, write_export, write_range
from shared.journal.note import NoteKey, format_note, parse_key, sign_note
from shared.journal.rotation import rotated
from shared.journal.tree import grown, inclusion_proof, root
from verifier import daftar_verify

ROOT = Path(__file__).parents[2]
FILE = ROOT / "verifier" / "daftar_verify.py"
GOLDEN = ROOT / "tests" / "golden"
NAME = "daftar.journal/72101001/box-7/1"
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 5)]
CENTRAL = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
WITNESS = witness_key("central/witness", CENTRAL.public_key().public_bytes_raw())
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32).public_key().public_bytes_raw()


def public_of(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


class Journal:
    """A journal with rotations where they are wanted."""

    def __init__(self, size: int, rotations: set[int], *, closed: bool = False) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.rotations: list[int] = []
        self.key = KEYS[0]
        opening = JournalOpened(
            office="72101001", box="box-7", public_key=public_of(self.key).hex(), signer="file", software="test"
        )
        self.add(opening)
        while len(self.pairs) < size:
            at = len(self.pairs)
            if at in rotations and len(self.rotations) < len(KEYS) - 1:
                new = KEYS[len(self.rotations) + 1]
                body = rotated(NAME, at, old_key=public_of(self.key), new_key=public_of(new), sign=new.sign)
                self.rotations.append(at)
                self.add(body)
                self.key = new
            elif closed and at == size - 1:
                self.add(JournalClosed(reason="retired"))
            else:
                self.add(AlarmRaised(kind="test", detail=f"ثبت {at}"))

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def add(self, body: Body) -> None:
        index = len(self.pairs)
        entry = Entry(
            v=VERSION,
            journal=NAME,
            index=index,
            prev=leaf_hash(self.pairs[-1][0]).hex() if self.pairs else GENESIS_PREV,
            boot="boot",
            at="2026-11-22T08:00:00.000Z",
            monotonic_ms=index,
            clock="ntp",
            type=body.type,
            body=encode_body(body),
        )
        data = encode_entry(entry)
        self.pairs.append((data, self.key.sign(pre_authentication(JOURNAL_PAYLOAD, data))))
        for level, position, digest in grown(index, leaf_hash(data), self.node):
            self.nodes[level, position] = digest

    def note(self, size: int, *, cosigned: bool = False) -> str:
        text = checkpoint_text(Checkpoint(NAME, size, root(size, self.node)))
        note = sign_note(text, NoteKey(NAME, public_of(self.key)), self.key.sign)
        return format_note(cosign(note, WITNESS, CENTRAL.sign, time_s=1_795_331_400) if cosigned else note)

    def export(self, cosigned_size: int | None, first: int = 0, end: int | None = None) -> list[str]:
        size = len(self.pairs)
        cosigned = None if cosigned_size is None else self.note(cosigned_size, cosigned=True)
        if first == 0 and end is None:
            lines = write_export(
                origin=NAME, size=size, checkpoint=self.note(size), entries=self.pairs, cosigned=cosigned
            )
            return list(lines)
        end = size if end is None else end
        header = RangeHeader(
            format=FORMAT,
            v=1,
            origin=NAME,
            size=size,
            checkpoint=self.note(size),
            cosigned=cosigned,
            first=first,
            end=end,
        )
        lines = write_range(
            header=header,
            around=[(index, *self.pairs[index]) for index in (0, *self.rotations)],
            entries=self.pairs[first:end],
            cosigned_size=cosigned_size or 0,
            prove=lambda index, of: inclusion_proof(index, of, self.node),
        )
        return list(lines)


def findings(lines: list[str], key: bytes, witness: NoteKey | None = WITNESS) -> list[daftar_verify.Finding]:
    box = daftar_verify.Key("", key, 1)
    given = None if witness is None else daftar_verify.Key(witness.name, witness.public_key, 4)
    return daftar_verify.check_bytes([line.encode() for line in lines], box, given)


def both(lines: list[str], key: bytes, witness: NoteKey | None = WITNESS) -> bool:
    """Return whether the file holds, by both; they must say the same."""
    theirs = verify_export(lines, key, witness)
    found = findings(lines, key, witness)
    ours = all(finding.holds is not False for finding in found)
    assert ours == theirs.holds, (found, theirs.findings)
    return ours


JOURNALS = st.builds(
    Journal,
    st.integers(1, 24),
    st.sets(st.integers(1, 23), max_size=3),
    closed=st.booleans(),
)


@pytest.mark.parametrize("name", ["journal_v1", "journal_rotation_v1"])
def test_both_take_the_golden_journals(name: str):
    lines = (GOLDEN / f"{name}.export.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    said = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    keys: Any = said.get("keys", said)
    boxes = keys["box"] if isinstance(keys["box"], list) else [keys["box"]]
    for text in boxes:
        assert both(lines, parse_key(text).public_key, parse_key(keys["witness"]))
        assert both(lines, parse_key(text).public_key, None)
    assert not both(lines, STRANGER, parse_key(keys["witness"]))
    assert not both(lines, parse_key(boxes[0]).public_key, WITNESS)


@given(journal=JOURNALS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_both_take_any_journal_and_any_range_of_it(journal: Journal, data: st.DataObject):
    size = len(journal.pairs)
    first = data.draw(st.integers(0, size - 1))
    end = data.draw(st.one_of(st.none(), st.integers(first + 1, size)))
    cosigned = data.draw(st.one_of(st.none(), st.integers(0, size)))
    key = data.draw(st.sampled_from(KEYS[: len(journal.rotations) + 1]))
    lines = journal.export(cosigned, first, end)
    assert both(lines, public_of(key), WITNESS if cosigned is not None else None)
    assert not both(lines, STRANGER, None)


@given(journal=JOURNALS, data=st.data())
@settings(max_examples=120, deadline=None)
def test_both_refuse_what_was_changed(journal: Journal, data: st.DataObject):
    size = len(journal.pairs)
    first = data.draw(st.integers(0, size - 1))
    lines = journal.export(data.draw(st.integers(0, size)), first)
    where = data.draw(st.integers(0, len(lines) - 1))
    line = json.loads(lines[where])
    kind = data.draw(st.sampled_from(["drop", "twice", "member"]))
    if kind == "drop":
        changed = lines[:where] + lines[where + 1 :]
    elif kind == "twice":
        changed = [*lines[: where + 1], *lines[where:]]
    else:
        name = data.draw(st.sampled_from(sorted(line.keys() - {"cosigned"})))
        line[name] = _other(line[name], data)
        changed = [*lines[:where], json.dumps(line) + "\n", *lines[where + 1 :]]
    assert not both(changed, public_of(KEYS[0]))


def _other(value: Any, data: st.DataObject) -> Any:
    """Return something else of the same kind."""
    if isinstance(value, int):
        return value + data.draw(st.sampled_from([-1, 1, 7]))
    if isinstance(value, str):
        # The letter before "=" has bits of no meaning.
        places = [place for place in range(len(value)) if value[place + 1 : place + 2] != "="] or [0]
        at = data.draw(st.sampled_from(places))
        return value[:at] + ("B" if value[at : at + 1] != "B" else "C") + value[at + 1 :]
    return value[:-1]


def test_a_middle_entry_of_a_range_is_fixed_by_what_follows_it():
    journal, other = Journal(12, set()), Journal(12, {5})
    lines = journal.export(12, 3, 9)
    lines[4] = other.export(12, 3, 9)[4]
    assert not both(lines, public_of(KEYS[0]))


def test_nothing_stands_after_the_close():
    journal = Journal(5, {2}, closed=True)
    assert both(journal.export(5), public_of(KEYS[0]))
    journal.add(AlarmRaised(kind="late"))
    assert not both(journal.export(5), public_of(KEYS[0]))


def test_a_cut_end_shows_by_the_witness_alone():
    journal = Journal(9, {2})
    older = Journal(6, {2})
    cut = older.export(None)
    header = json.loads(cut[0]) | {"cosigned": journal.note(9, cosigned=True)}
    assert both(cut, public_of(KEYS[0]), None)
    assert not both([json.dumps(header) + "\n", *cut[1:]], public_of(KEYS[0]))


LINES = (GOLDEN / "journal_rotation_v1.export.jsonl").read_bytes().splitlines(keepends=True)


@given(st.lists(st.binary(max_size=200), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_answered_in_words(lines: list[bytes]):
    key = daftar_verify.Key("", STRANGER, 1)
    for given_lines in (lines, [LINES[0], *lines], [b"c2sp.org/tlog-proof@v1\n", *lines]):
        found = daftar_verify.check_bytes(given_lines, key, None)
        assert not all(finding.holds for finding in found)
        daftar_verify.report(found, "both").encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_member_of_any_line_may_be_anything(data: st.DataObject):
    """Also inside the signed bytes, as an enemy who holds the box's key would write them."""
    where = data.draw(st.integers(0, len(LINES) - 1))
    line = json.loads(LINES[where])
    inner = json.loads(base64.b64decode(line["d"])) if "d" in line and data.draw(st.booleans()) else None
    target = inner["body"] if inner and data.draw(st.booleans()) else inner or line
    target[data.draw(st.sampled_from(sorted(target) or ["x"]))] = data.draw(_JSON)
    if inner is not None:
        line["d"] = base64.b64encode(json.dumps(inner).encode()).decode()
    lines = [*LINES[:where], json.dumps(line).encode() + b"\n", *LINES[where + 1 :]]
    key = daftar_verify.Key("", public_of(KEYS[0]), 1)
    found = daftar_verify.check_bytes(lines, key, daftar_verify.Key("w", STRANGER, 4))
    daftar_verify.report(found, "both").encode()


@pytest.mark.parametrize("nested", [b"[" * 60_000, b'{"a":' * 20_000, b'{"size":' + b"9" * 60_000 + b"}"])
def test_nests_and_numbers_without_end_are_refused(nested: bytes):
    key = daftar_verify.Key("", STRANGER, 1)
    assert [finding.holds for finding in daftar_verify.check_bytes([nested], key, None)] == [False]
    assert not all(finding.holds for finding in daftar_verify.check_bytes([LINES[0], nested], key, None))


def test_it_stands_alone(tmp_path: Path):
    """It is copied away from here, and imports nothing but the standard library and `cryptography`."""
    named = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8")))
        for alias in (node.names if isinstance(node, ast.Import) else [])
    } | {
        str(node.module).split(".")[0]
        for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert named - set(sys.stdlib_module_names) == {"cryptography"}
    shutil.copy(FILE, tmp_path / "check.py")
    said = json.loads((GOLDEN / "journal_rotation_v1.json").read_text())
    shutil.copy(GOLDEN / "journal_rotation_v1.export.jsonl", tmp_path / "journal.jsonl")
    program = [sys.executable, "-I", "check.py", "journal.jsonl", "--key", said["box"][0], "--witness", said["witness"]]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    words = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Everything that was checked holds." in words
    assert "هر چه بررسی شد درست است." in words
    (tmp_path / "journal.jsonl").write_bytes(b"".join(LINES[:-1]))
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["journal.jsonl", "--key", "nonsense"],
        ["journal.jsonl", "--key", "++"],
        ["journal.jsonl", "--witness", "ab" * 32],
        [],
    ],
)
def test_a_wrong_call_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        daftar_verify.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
