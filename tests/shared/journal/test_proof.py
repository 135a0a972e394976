import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import leaf_hash
from shared.journal.note import NoteKey, format_note, sign_note
from shared.journal.proof import proof_file_name, receipt_proof
from shared.journal.tree import grown, root
from verifier import daftar_verify

NAME = "daftar.journal/72101001/1/1"
BOX = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
CENTRAL = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
WITNESS = witness_key("central/witness", CENTRAL.public_key().public_bytes_raw())
GIVEN = daftar_verify.Key(WITNESS.name, WITNESS.public_key, 4)


class Log:
    """A tree of leaves, and its cosigned note."""

    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(str(number).encode()) for number in range(size)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        for number, leaf in enumerate(self.leaves):
            for level, position, digest in grown(number, leaf, self.node):
                self.nodes[level, position] = digest

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def note(self, size: int) -> str:
        text = checkpoint_text(Checkpoint(NAME, size, root(size, self.node)))
        note = sign_note(text, NoteKey(NAME, BOX.public_key().public_bytes_raw()), BOX.sign)
        return format_note(cosign(note, WITNESS, CENTRAL.sign, time_s=1_795_331_400))


def check(text: str, leaf: str = "", witness: daftar_verify.Key | None = GIVEN) -> list[bool | None]:
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    return [finding.holds for finding in daftar_verify.check_bytes(lines, None, witness, leaf)]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_verifier_of_one_file_takes_every_proof_and_no_changed_one(data: st.DataObject):
    log = Log(data.draw(st.integers(1, 40)))
    cosigned = data.draw(st.integers(1, len(log.leaves)))
    index = data.draw(st.integers(0, cosigned - 1))
    text = receipt_proof(log.note(cosigned), index, log.leaves[index], log.node)
    assert text is not None
    digits = log.leaves[index].hex()[:16]
    assert check(text, digits) == [True, True, True]
    assert check(text, digits, None) == [True, True, None]
    assert check(text, "0" * 16)[0] is False
    # The line of the box's signature is the witness's business no more; the letter before "=" has bits of no meaning.
    lines = text.split("\n")
    box_line = next(number for number, line in enumerate(lines) if line.startswith("— " + NAME))
    at = data.draw(st.integers(0, sum(map(len, lines[:box_line])) + box_line - 2))
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    assert text[at + 1] == "=" or False in check(changed, digits)


def test_what_is_not_cosigned_yet_has_no_proof():
    log = Log(5)
    assert receipt_proof("", 0, log.leaves[0], log.node) is None
    assert receipt_proof(log.note(3), 3, log.leaves[3], log.node) is None


def test_a_tree_that_is_not_the_cosigned_one_gives_none_either():
    log, other = Log(5), Log(4)
    other.nodes[0, 1] = leaf_hash(b"other")
    with pytest.raises(IntegrityError, match=r"tree\.not_included"):
        receipt_proof(log.note(4), 0, log.leaves[0], other.node)


def test_the_text_is_that_of_c2sp():
    log = Log(3)
    text = receipt_proof(log.note(3), 2, log.leaves[2], log.node)
    assert text is not None
    lines = text.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 2"
    assert lines[4] == ""
    assert lines[5:7] == [NAME, "3"]
    assert proof_file_name(NAME, 2) == "daftar-journal-72101001-1-1-2.tlog-proof"
