"""Make the golden journal with two rotations, once. Run by hand; never by a test. It refuses to change a file.

python -m tests.golden.write_rotation_v1
"""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import events
from shared.events import Body
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
from shared.journal.export_format import write_export
from shared.journal.note import NoteKey, format_note, sign_note
from shared.journal.rotation import rotated
from shared.journal.tree import Frontier

HERE = Path(__file__).parent
EXPORT = HERE / "journal_rotation_v1.export.jsonl"
KEYS = HERE / "journal_rotation_v1.json"

JOURNAL = "daftar.journal/72101001/box-2/1"
WITNESS = "central.daftar.example/witness"
BOX = [Ed25519PrivateKey.from_private_bytes(bytes(range(start, start + 32))) for start in (128, 160, 192)]
CENTRAL = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
COSIGNED = 6


def public_of(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


class Journal:
    """The journal as it grows, with the key of the moment."""

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.tree = Frontier()
        self._prev = GENESIS_PREV

    def add(self, key: Ed25519PrivateKey, body: Body) -> None:
        index = len(self.pairs)
        entry = Entry(
            v=VERSION,
            journal=JOURNAL,
            index=index,
            prev=self._prev,
            boot="boot-q2w3e4r5t6y7u8i9p2a3",
            at=f"2026-11-22T06:{index:02}:30.125Z",
            monotonic_ms=60_000 * index + 125,
            clock="ntp",
            type=body.type,
            body=encode_body(body),
        )
        data = encode_entry(entry)
        self.pairs.append((data, key.sign(pre_authentication(JOURNAL_PAYLOAD, data))))
        self.tree.append(leaf_hash(data))
        self._prev = leaf_hash(data).hex()

    def rotate(self, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> None:
        body = rotated(
            JOURNAL,
            len(self.pairs),
            old_key=public_of(old),
            new_key=public_of(new),
            sign=new.sign,
            operator="maryam",
        )
        self.add(old, body)

    def note(self, key: Ed25519PrivateKey) -> str:
        text = checkpoint_text(Checkpoint(JOURNAL, self.tree.size, self.tree.root()))
        return format_note(sign_note(text, NoteKey(JOURNAL, public_of(key)), key.sign))


def main() -> None:
    if EXPORT.exists() or KEYS.exists():
        raise SystemExit("the golden files are there and stay as they are")
    journal = Journal()
    journal.add(
        BOX[0],
        events.JournalOpened(
            office="72101001", box="box-2", public_key=public_of(BOX[0]).hex(), signer="file", software="0.1.0"
        ),
    )
    journal.add(BOX[0], events.BootStarted(found_size=1, cosigned_size=0, software="0.1.0"))
    journal.rotate(BOX[0], BOX[1])
    journal.add(BOX[1], events.BootStarted(found_size=3, cosigned_size=0, software="0.1.0", signer="file"))
    journal.add(BOX[1], events.AlarmRaised(kind="storage_failed", detail="کلید در میانهٔ دفتر عوض شد"))
    journal.rotate(BOX[1], BOX[2])
    witness = witness_key(WITNESS, public_of(CENTRAL))
    text = checkpoint_text(Checkpoint(JOURNAL, COSIGNED, journal.tree.root()))
    seen = sign_note(text, NoteKey(JOURNAL, public_of(BOX[2])), BOX[2].sign)
    cosigned = format_note(cosign(seen, witness, CENTRAL.sign, time_s=1_795_331_400))
    journal.add(BOX[2], events.BootStarted(found_size=6, cosigned_size=6, software="0.1.0"))
    journal.add(BOX[2], events.JournalClosed(reason="retired", operator="maryam"))
    lines = write_export(
        origin=JOURNAL,
        size=journal.tree.size,
        checkpoint=journal.note(BOX[2]),
        entries=journal.pairs,
        cosigned=cosigned,
    )
    EXPORT.write_text("".join(lines), encoding="utf-8")
    keys = {"box": [NoteKey(JOURNAL, public_of(key)).text() for key in BOX], "witness": witness.text()}
    KEYS.write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
