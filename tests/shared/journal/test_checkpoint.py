import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.journal.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from shared.journal.cosignature import check_cosignature, cosign, witness_key
from shared.journal.note import Note, NoteKey, check_note, format_note, parse_note, sign_note

ROOT = base64.b64encode(bytes(32)).decode()
LOG = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG_KEY = NoteKey("daftar.journal/1/box/1", LOG.public_key().public_bytes_raw())
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
WITNESS_KEY = witness_key("central.example/witness", WITNESS.public_key().public_bytes_raw())

# The example of the C2SP text on cosignatures.
SPECIFIED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501 - one line of the example

checkpoints = st.builds(
    Checkpoint,
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)


def refused(code: str, call, *arguments: object) -> None:
    with pytest.raises(IntegrityError) as caught:
        call(*arguments)
    assert caught.value.code == code


def test_the_specified_example_reads():
    checkpoint = parse_checkpoint(parse_note(SPECIFIED))
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint_text(checkpoint) == parse_note(SPECIFIED).text


@given(checkpoints)
def test_a_checkpoint_reads_back(checkpoint):
    assert parse_checkpoint(Note(checkpoint_text(checkpoint), ())) == checkpoint


def test_lines_of_later_releases_are_carried():
    assert parse_checkpoint(Note(f"o\n5\n{ROOT}\nmore\n", ())).size == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n",
        f"o\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"o\n05\n{ROOT}\n",
        f"o\n-5\n{ROOT}\n",
        f"o\n+5\n{ROOT}\n",
        f"o\n 5\n{ROOT}\n",
        f"o\n۵\n{ROOT}\n",
        f"o\n\n{ROOT}\n",
        f"o\n{2**63}\n{ROOT}\n",
        f"o\n{'9' * 5000}\n{ROOT}\n",  # int() itself refuses so many digits
        f"o\n5\n{ROOT[:-4]}\n",
        f"o\n5\n{ROOT}AAAA\n",
        "o\n5\n!\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    refused("checkpoint.malformed", parse_checkpoint, Note(text, ()))


@given(checkpoints, st.integers(0, 2**63 - 1))
def test_a_cosigned_checkpoint_reads_back_with_its_time_and_both_signers(checkpoint, time_s):
    note = cosign(sign_note(checkpoint_text(checkpoint), LOG_KEY, LOG.sign), WITNESS_KEY, WITNESS.sign, time_s=time_s)
    read = parse_note(format_note(note))
    assert read == note
    check_note(read, LOG_KEY)
    assert check_cosignature(read, WITNESS_KEY) == time_s


def cosigned(time_s: int = 1_795_331_400) -> Note:
    note = sign_note(checkpoint_text(Checkpoint(LOG_KEY.name, 5, bytes(32))), LOG_KEY, LOG.sign)
    return cosign(note, WITNESS_KEY, WITNESS.sign, time_s=time_s)


def test_a_cosignature_is_over_the_time_too():
    note = cosigned()
    line = note.signatures[1]
    later = (int.from_bytes(line.signature[:8], "big") + 1).to_bytes(8, "big") + line.signature[8:]
    changed = Note(note.text, (note.signatures[0], type(line)(line.name, line.key_id, later)))
    refused("signature.wrong", check_cosignature, changed, WITNESS_KEY)


@given(st.integers(0, 71), st.integers(0, 7))
def test_any_bit_of_a_cosignature_counts(place, bit):
    note = cosigned()
    line = note.signatures[1]
    signature = bytearray(line.signature)
    signature[place] ^= 1 << bit
    changed = Note(note.text, (note.signatures[0], type(line)(line.name, line.key_id, bytes(signature))))
    refused("signature.wrong", check_cosignature, changed, WITNESS_KEY)


@pytest.mark.parametrize("length", [0, 8, 63, 64, 71, 73])
def test_a_cosignature_of_another_length_is_wrong(length):
    note = cosigned()
    line = note.signatures[1]
    cut = type(line)(line.name, line.key_id, (line.signature + b"x")[:length])
    refused("signature.wrong", check_cosignature, Note(note.text, (cut,)), WITNESS_KEY)


def test_a_log_s_signature_is_no_cosignature_and_the_other_way_round():
    as_witness = witness_key(LOG_KEY.name, LOG_KEY.public_key)
    refused("note.unsigned", check_cosignature, cosigned(), as_witness)
    as_log = NoteKey(WITNESS_KEY.name, WITNESS_KEY.public_key)
    refused("note.unsigned", check_note, cosigned(), as_log)
