import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.journal.note import (
    NOTE_SIZE_MAX_BYTES,
    SIGNATURES_MAX,
    Note,
    NoteKey,
    check_note,
    find_signature,
    format_note,
    parse_key,
    parse_note,
    sign_note,
)

# The example of the reference implementation's documentation (Go, sumdb/note).
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PETER_NOTE = f"{PETER_TEXT}\n{PETER_LINE}"

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = NoteKey("daftar.journal/1/box/1", PRIVATE.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
OTHER_KEY = NoteKey(KEY.name, OTHER.public_key().public_bytes_raw())

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n"), max_size=60).map(
    lambda text: text + "\n"
)


def refused(code: str, call, *arguments: object) -> None:
    with pytest.raises(IntegrityError) as caught:
        call(*arguments)
    assert caught.value.code == code


def test_the_reference_note_is_right():
    key = parse_key(PETER_KEY)
    note = parse_note(PETER_NOTE)
    check_note(note, key)
    assert (note.text, format_note(note), key.text()) == (PETER_TEXT, PETER_NOTE, PETER_KEY)


def test_any_change_of_the_reference_note_is_refused():
    key = parse_key(PETER_KEY)
    for place in range(len(PETER_NOTE)):
        changed = PETER_NOTE[:place] + chr(ord(PETER_NOTE[place]) ^ 1) + PETER_NOTE[place + 1 :]
        with pytest.raises(IntegrityError):
            check_note(parse_note(changed), key)


def test_a_cut_note_is_refused():
    key = parse_key(PETER_KEY)
    for end in range(len(PETER_NOTE)):
        with pytest.raises(IntegrityError):
            check_note(parse_note(PETER_NOTE[:end]), key)


def test_a_piece_of_a_key_is_no_key():
    for start in range(len(PETER_KEY)):
        for end in range(start + 1, len(PETER_KEY) + 1):
            if (start, end) != (0, len(PETER_KEY)):
                refused("note.bad_key", parse_key, PETER_KEY[start:end])
    for place in range(len(PETER_KEY)):
        refused("note.bad_key", parse_key, PETER_KEY[:place] + chr(ord(PETER_KEY[place]) + 1) + PETER_KEY[place + 1 :])


@given(texts)
def test_a_signed_note_reads_back_and_is_its_signer_s(text):
    note = sign_note(text, KEY, PRIVATE.sign)
    read = parse_note(format_note(note))
    assert read == note
    check_note(read, KEY)
    refused("note.unsigned", check_note, read, OTHER_KEY)


@given(texts, texts)
def test_a_signature_is_of_one_text(text, other):
    moved = Note(other, sign_note(text, KEY, PRIVATE.sign).signatures)
    if other == text:
        check_note(moved, KEY)
    else:
        refused("signature.wrong", check_note, moved, KEY)


def test_a_line_under_a_wrong_key_id_is_nobody_s():
    line = sign_note("a\n", KEY, PRIVATE.sign).signatures[0]
    forged = base64.b64encode(bytes(4) + line.signature).decode()
    refused("note.unsigned", check_note, parse_note(f"a\n\n— {KEY.name} {forged}\n"), KEY)


def test_lines_of_unknown_keys_are_carried_and_ignored():
    note = sign_note("a\n", KEY, PRIVATE.sign)
    strange = f"— someone.else {base64.b64encode(bytes(40)).decode()}\n"
    read = parse_note(f"a\n\n{strange}" + format_note(note).split("\n\n", 1)[1])
    check_note(read, KEY)
    assert format_note(read).count("— ") == 2
    assert find_signature(read, OTHER_KEY) is None


@pytest.mark.parametrize("text", ["no newline at the end", "a\tb\n", "a\rb\n", "a\x00\n", "\ud800\n", ""])
def test_what_cannot_be_a_note_is_not_signed(text):
    with pytest.raises(ValueError, match="note's text"):
        sign_note(text, KEY, PRIVATE.sign)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\tname", "\u00a0"])
def test_a_name_that_would_break_a_line_signs_nothing(name):
    with pytest.raises(ValueError, match="name"):
        sign_note("a\n", NoteKey(name, KEY.public_key), PRIVATE.sign)


GOOD = base64.b64encode(bytes(68)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        f"text\n— name {GOOD}\n",  # no empty line between
        f"text\n\n— name {GOOD}",  # no last newline
        f"text\n\n- name {GOOD}\n",
        f"text\n\n—name {GOOD}\n",
        f"text\n\n—  {GOOD}\n",
        f"text\n\n— na+me {GOOD}\n",
        f"text\n\n— name  {GOOD}\n",
        "text\n\n— name !!!!\n",
        "text\n\n— name AAAA\n",  # a key id would be all of it
        "text\n\n— name \n",
        f"text\n\n— name {GOOD}\n\n",
        f"text\n\n— name {GOOD}\n\n\n",
        f"te\x00xt\n\n— name {GOOD}\n",
        f"te\rxt\n\n— name {GOOD}\r\n",
        f"text\n\n— name\u2028 {GOOD}\n",
        f"\ud800\n\n— name {GOOD}\n",
        "text\n\n" + f"— name {GOOD}\n" * (SIGNATURES_MAX + 1),
        "a" * NOTE_SIZE_MAX_BYTES + f"\n\n— name {GOOD}\n",
    ],
)
def test_what_is_no_note_is_refused(text):
    refused("note.malformed", parse_note, text)


@given(st.text())
def test_nothing_read_escapes_as_another_error(text):
    for parse in (parse_note, parse_key):
        for hostile in (text, f"text\n\n— {text} {GOOD}\n", f"{text}+{text}+{GOOD}"):
            try:
                parse(hostile)
            except IntegrityError:
                continue
