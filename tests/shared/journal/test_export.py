import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.cosignature import witness_key
from shared.journal.export import ExportReport, verify_export
from shared.journal.export_format import LINE_SIZE_MAX_BYTES, write_export
from shared.journal.note import NoteKey, format_note, parse_key, sign_note
from shared.journal.tree import EMPTY_ROOT

FOLDER = Path(__file__).parents[2] / "golden"
LINES = (FOLDER / "journal_v1.export.jsonl").read_text().splitlines(keepends=True)
GOLDEN = json.loads((FOLDER / "journal_v1.json").read_text())
SIZE = len(LINES) - 1
BOX = parse_key(GOLDEN["keys"]["box"])
WITNESS = parse_key(GOLDEN["keys"]["witness"])
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


def verify(lines, *, witness: NoteKey | None = WITNESS, key: bytes = BOX.public_key) -> ExportReport:
    return verify_export(lines, key, witness, origin=BOX.name)


def wrong(report: ExportReport) -> list[str]:
    return [finding.text for finding in report.findings if finding.holds is False]


def with_header(**changes: object) -> list[str]:
    return [json.dumps(json.loads(LINES[0]) | changes) + "\n", *LINES[1:]]


def test_the_golden_export_holds_for_ever():
    report = verify(LINES)
    assert report.holds
    assert [finding.holds for finding in report.findings] == [True] * 6
    assert (report.origin, report.size, report.cosigned_size) == (BOX.name, SIZE, SIZE - 5)
    assert report.cosigned_at_s == 1_795_331_400
    assert f"the {5} after them only the box has seen" in report.findings[-1].text


def test_it_is_what_the_writer_writes():
    header = json.loads(LINES[0])
    rows = GOLDEN["journal"][:SIZE]
    entries = [(row["data"].encode(), bytes.fromhex(row["signature"])) for row in rows]
    written = write_export(
        origin=BOX.name, size=SIZE, checkpoint=header["checkpoint"], entries=entries, cosigned=header["cosigned"]
    )
    assert list(written) == LINES


def test_without_a_witness_s_key_nothing_is_said_of_the_witness():
    report = verify(LINES, witness=None)
    assert report.holds
    assert report.findings[-1].holds is None


def test_bytes_lines_and_a_missing_last_newline_are_fine():
    assert verify([line.encode() for line in LINES]).holds
    assert verify([*LINES[:-1], LINES[-1].rstrip("\n")]).holds
    assert verify([*LINES, "\n"]).holds


def test_another_key_is_not_the_box_s():
    key = STRANGER.public_key().public_bytes_raw()
    report = verify(LINES, key=key)
    assert report.first_bad_line == 1
    assert len(wrong(report)) == 4  # signatures, opening, checkpoint, what the witness cosigned


def test_another_journal_s_name_is_refused_at_once():
    report = verify_export(LINES, BOX.public_key, None, origin="daftar.journal/1/other/1")
    assert wrong(report) == [f"the file is of the journal {BOX.name}, the key is of daftar.journal/1/other/1"]


def test_a_changed_amount_shows_at_its_line():
    line = json.loads(LINES[6])
    data = base64.b64decode(line["d"])
    assert b'"amount_rial":17000' in data
    line["d"] = base64.b64encode(data.replace(b'"amount_rial":17000', b'"amount_rial":71000')).decode()
    report = verify([*LINES[:6], json.dumps(line) + "\n", *LINES[7:]])
    assert wrong(report) == [
        "entry 5 (line 7) is not signed by this key",
        "line 8: entry 6 does not continue the entry before it",
        "the checkpoint is of other entries than these",
        "the witness central.daftar.example/witness saw other entries than these",
    ]
    assert report.first_bad_line == 7


@pytest.mark.parametrize(
    ("lines", "said", "line"),
    [
        ([], "line 1 is not the first line", 1),
        (["garbage"], "line 1 is not the first line", 1),
        ([b"\xff\xfe"], "line 1 is not the first line", 1),
        (["[" * 50_000], "line 1 is not the first line", 1),
        (["x" * (LINE_SIZE_MAX_BYTES + 1)], "line 1 is not the first line", 1),
        (LINES[1:], "line 1 is not the first line", 1),
        (with_header(v=2), "version 2", 1),
        (with_header(format="other"), "'other'", 1),
        (with_header(size=-1), "version 1", 1),
        (LINES[:1], f"the file ends after 0 of {SIZE} entries", 2),
        (LINES[:5], f"the file ends after 4 of {SIZE} entries", 6),
        ([*LINES[:5], LINES[5][:40]], "line 6 is cut or damaged", 6),
        ([*LINES[:5], "\n", *LINES[5:]], "line 6 is cut or damaged", 6),
        ([*LINES[:5], '{"d":"!","s":""}\n'], "line 6 is cut or damaged", 6),
        ([*LINES[:5], '{"d":"é","s":""}\n'], "line 6 is cut or damaged", 6),
        ([*LINES[:5], '{"d":"e30=","s":""}\n'], "line 6 holds an entry that cannot be read", 6),
        ([*LINES, LINES[1]], f"line {SIZE + 2} stands after the last entry", SIZE + 2),
        ([*LINES[:5], *LINES[6:]], "line 6: entry 5 stands where 4 should", 6),
        ([LINES[0], LINES[2], LINES[1], *LINES[3:]], "line 2: entry 1 stands where 0 should", 2),
        ([LINES[0], *LINES[2:]], "the first entry does not open a journal", 2),
        (with_header(checkpoint="hello"), "the checkpoint is not signed by the box's key", 1),
        (with_header(cosigned="hello"), "did not cosign what the file says it did", 1),
        (with_header(cosigned=None), "has not cosigned this journal", 1),
        (with_header(checkpoint=json.loads(LINES[0])["cosigned"]), "the checkpoint is of other entries", None),
    ],
)
def test_what_does_not_hold_is_said_with_its_line(lines, said, line):
    report = verify(lines)
    assert not report.holds
    assert any(said in text for text in wrong(report)), wrong(report)
    assert line in {finding.line for finding in report.findings}


def test_a_journal_cut_to_an_older_checkpoint_is_shorter_than_the_witness_saw():
    older = json.loads(LINES[0])["cosigned"]
    lines = with_header(size=SIZE - 6)[: SIZE - 5]
    report = verify(lines)
    assert f"the witness {WITNESS.name} saw {SIZE - 5} entries; the file has fewer" in wrong(report)
    # Without the witness an older state, honestly signed at its time, cannot be told from today's.
    shortened = [
        json.dumps(json.loads(LINES[0]) | {"size": SIZE - 5, "checkpoint": older}) + "\n",
        *LINES[1 : SIZE - 4],
    ]
    assert verify(shortened, witness=None).holds


def test_the_checkpoint_itself_may_carry_the_cosignature():
    seen = GOLDEN["checkpoints"][f"journal/{SIZE}"]["cosigned"]
    report = verify(with_header(checkpoint=seen, cosigned=None))
    assert report.holds
    assert report.findings[-1].text == f"the witness {WITNESS.name} saw the first {SIZE} entries"


def test_another_witness_is_not_this_one():
    other = witness_key(WITNESS.name, STRANGER.public_key().public_bytes_raw())
    assert not verify(LINES, witness=other).holds


def test_a_journal_signed_anew_by_a_thief_does_not_open_with_the_box_s_key():
    thief = STRANGER.public_key().public_bytes_raw()
    note = sign_note(checkpoint_text(Checkpoint(BOX.name, SIZE, bytes(32))), NoteKey(BOX.name, thief), STRANGER.sign)
    report = verify(with_header(checkpoint=format_note(note)), key=thief)
    assert "the journal was opened with another key than this" in wrong(report)


def test_a_journal_without_entries_holds_what_there_is():
    private = STRANGER
    key = NoteKey("daftar.journal/1/box/1", private.public_key().public_bytes_raw())
    note = format_note(sign_note(checkpoint_text(Checkpoint(key.name, 0, EMPTY_ROOT)), key, private.sign))
    lines = list(write_export(origin=key.name, size=0, checkpoint=note, entries=[]))
    assert verify_export(lines, key.public_key, None).holds


def test_lines_are_taken_one_at_a_time():
    taken = []

    def stream() -> Iterator[str]:
        for number, line in enumerate(LINES):
            taken.append(number)
            yield line if number != 4 else "damage\n"

    assert not verify(stream()).holds
    assert taken == [0, 1, 2, 3, 4]


@given(st.data())
def test_any_damage_to_the_file_shows_and_nothing_escapes(data):
    text = "".join(LINES).encode()
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(start + 300, len(text))))
    damaged = text[:start] + data.draw(st.binary(max_size=20)) + text[end:]
    report = verify(damaged.splitlines(keepends=True))
    # Some changes of JSON say the same: white space, an escape, the last newline.
    same = [_meaning(line) for line in damaged.splitlines()] == [_meaning(line.encode()) for line in LINES]
    assert report.holds == same


def _meaning(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return line
