import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.journal.export import export_journal, export_lines, sign_checkpoint, write_durably
from shared.errors import DeviceError, OperatorError
from shared.events import AlarmRaised
from shared.journal.cosignature import cosign, witness_key
from shared.journal.export import verify_export
from shared.journal.note import format_note, parse_note
from tests.edge.store.boxes import JOURNAL, Box, approved, requested, sent


def test_an_export_is_checked_with_public_keys_alone(box: Box, tmp_path: Path):
    witness = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = witness_key("central/witness", witness.public_key().public_bytes_raw())
    box.write(requested("p1"), sent("p1"))
    note = parse_note(sign_checkpoint(box.queries, box.identity, box.signer, 3))
    cosigned = format_note(cosign(note, key, witness.sign, time_s=1_795_334_400))
    box.write(approved("p1"))
    path = tmp_path / "journal.jsonl"
    assert export_journal(path, box.queries, box.identity, box.signer, cosigned=cosigned) == 4
    with path.open() as lines:
        report = verify_export(lines, box.signer.public_key, key, origin=JOURNAL)
    assert report.holds, report.findings
    assert (report.size, report.cosigned_size) == (4, 3)


def test_an_export_replaces_the_one_before_whole(box: Box, tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    for count in range(600):
        box.writer._hand_in(lambda _, count=count: [AlarmRaised(kind=str(count))])  # type: ignore[misc]
    box.write()
    for _ in range(2):
        export_journal(path, box.queries, box.identity, box.signer)
        box.write(AlarmRaised(kind="one more"))
    lines = path.read_text().splitlines()
    assert json.loads(lines[0])["size"] == 602
    assert len(lines) == 603
    assert verify_export(lines, box.signer.public_key, None).holds
    assert [each.name for each in tmp_path.glob("journal*")] == ["journal.jsonl"]


def test_a_range_is_checked_alone(box: Box, tmp_path: Path):
    witness = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = witness_key("central/witness", witness.public_key().public_bytes_raw())
    for count in range(20):
        box.write(AlarmRaised(kind=str(count)))
    note = parse_note(sign_checkpoint(box.queries, box.identity, box.signer, 12))
    cosigned = format_note(cosign(note, key, witness.sign, time_s=1_795_334_400))
    exported = export_lines(box.queries, box.identity, box.signer, cosigned=cosigned, first=7, last=15)
    path = tmp_path / "range.jsonl"
    write_durably(path, (line.encode() for line in exported.lines))
    with path.open() as lines:
        report = verify_export(lines, box.signer.public_key, key, origin=JOURNAL)
    assert [finding.holds for finding in report.findings] == [True] * 6, report.findings
    assert (report.size, report.cosigned_size) == (9, 12)
    assert "the 4 after them only the box has seen" in report.findings[-1].text


@pytest.mark.parametrize(("first", "last"), [(0, 2), (2, 1), (5, None), (-1, 0)])
def test_a_range_that_is_none_is_refused(box: Box, first: int, last: int | None):
    box.write(AlarmRaised(kind="one"))
    with pytest.raises(OperatorError, match=r"export\.no_such_range"):
        export_lines(box.queries, box.identity, box.signer, first=first, last=last)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"the one before")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(DeviceError, match=r"export\.not_written"):
        write_durably(path, pieces())
    assert path.read_bytes() == b"the one before"
