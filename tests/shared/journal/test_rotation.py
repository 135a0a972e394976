import base64
import json
from pathlib import Path

import msgspec
import pytest

from shared.errors import IntegrityError
from shared.events import KeyRotated
from shared.journal.entry import decode_entry, encode_body, leaf_hash
from shared.journal.export import ExportReport, verify_export
from shared.journal.note import parse_key
from shared.journal.rotation import KeyChain, key_after, rotation_claim

FOLDER = Path(__file__).parents[2] / "golden"
LINES = (FOLDER / "journal_rotation_v1.export.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
KEYS = json.loads((FOLDER / "journal_rotation_v1.json").read_text())
BOX = [parse_key(text) for text in KEYS["box"]]
WITNESS = parse_key(KEYS["witness"])
PAIRS = [tuple(base64.b64decode(json.loads(line)[name]) for name in ("d", "s")) for line in LINES[1:]]
FIRST_ROTATION = 2


def verify(lines: list[str], key: bytes) -> ExportReport:
    return verify_export(lines, key, WITNESS, origin=BOX[0].name)


def wrong(report: ExportReport) -> list[str]:
    return [finding.text for finding in report.findings if finding.holds is False]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_whoever_trusts_one_key_of_the_journal_can_check_all_of_it(number: int):
    report = verify(LINES, BOX[number].public_key)
    assert [finding.holds for finding in report.findings] == [True] * 6
    assert (report.size, report.cosigned_size) == (8, 6)


def test_a_key_that_never_was_the_journal_s_does_not_pass():
    report = verify(LINES, WITNESS.public_key)
    assert not report.holds
    assert "the journal was opened with another key than this" in wrong(report)


def test_the_claim_is_these_bytes():
    old, new = BOX[0].public_key, BOX[1].public_key
    expected = f"daftar.journal/72101001/box-2/1\n2\n{old.hex()}\n{new.hex()}\n"
    assert rotation_claim(BOX[0].name, FIRST_ROTATION, old, new) == expected.encode()


def rotation() -> KeyRotated:
    return msgspec.json.decode(decode_entry(PAIRS[FIRST_ROTATION][0]).body, type=KeyRotated)


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": BOX[2].public_key.hex()},
        {"public_key": BOX[0].public_key.hex()},
        {"public_key": BOX[1].public_key.hex().upper()},
        {"public_key": "no hex"},
        {"public_key": "ab"},
        {"proof": ""},
        {"proof": "no base64"},
        {"proof": "é"},
        {"proof": "AA" * 43 + "=="},
    ],
)
def test_what_does_not_prove_the_new_key_changes_no_key(changes: dict[str, str]):
    entry = decode_entry(PAIRS[FIRST_ROTATION][0])
    bad = msgspec.structs.replace(entry, body=encode_body(msgspec.structs.replace(rotation(), **changes)))
    with pytest.raises(IntegrityError, match=r"journal\.bad_rotation"):
        key_after(bad, BOX[0].name, FIRST_ROTATION, BOX[0].public_key)


@pytest.mark.parametrize(
    ("journal", "index", "key"),
    [("daftar.journal/72101001/box-2/2", 2, BOX[0]), (BOX[0].name, 3, BOX[0]), (BOX[0].name, 2, BOX[2])],
)
def test_a_proof_is_of_one_journal_one_place_and_one_old_key(journal: str, index: int, key):
    with pytest.raises(IntegrityError, match=r"journal\.bad_rotation"):
        key_after(decode_entry(PAIRS[FIRST_ROTATION][0]), journal, index, key.public_key)


def test_each_entry_is_signed_by_the_key_of_its_place():
    chain = KeyChain(BOX[0].name, BOX[0].public_key)
    for index, (data, _) in enumerate(PAIRS):
        chain.follow(decode_entry(data), index, leaf_hash(data))
    numbers = [BOX.index(next(key for key in BOX if key.public_key == chain.at(index))) for index in range(8)]
    assert numbers == [0, 0, 0, 1, 1, 1, 2, 2]


def test_nothing_stands_after_the_close():
    header = json.loads(LINES[0]) | {"size": 9}
    report = verify([json.dumps(header) + "\n", *LINES[1:], LINES[7]], BOX[0].public_key)
    assert any("stands where 8 should" in text for text in wrong(report))
