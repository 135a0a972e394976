import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.journal.export import export_journal, sign_checkpoint
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
