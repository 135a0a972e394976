"""Format version 1 against the bytes that are for ever, and against hostile bytes."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.events import FEED_BODIES, JOURNAL_BODIES, JournalOpened, decode_body
from shared.journal.checkpoint import parse_checkpoint
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import (
    ENTRY_SIZE_MAX_BYTES,
    FEED_PAYLOAD,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    Entry,
    Signed,
    check_signature,
    decode_entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.note import check_note, parse_key, parse_note
from shared.journal.tree import Frontier
from shared.sealed import Sealed, unseal

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "journal_v1.json").read_text())
LOGS = {
    "journal": (JOURNAL_PAYLOAD, JOURNAL_BODIES, parse_key(GOLDEN["keys"]["box"])),
    "feed": (FEED_PAYLOAD, FEED_BODIES, parse_key(GOLDEN["keys"]["feed"])),
}
ROWS = [(log, row) for log in LOGS for row in GOLDEN[log]]

ENTRY: dict[str, Any] = {
    "v": 1,
    "journal": "daftar.journal/1/box/1",
    "index": 0,
    "prev": GENESIS_PREV,
    "boot": "b",
    "at": "2026-11-22T06:00:30.125Z",
    "monotonic_ms": 5,
    "clock": "ntp",
    "type": "x.happened",
    "body": {},
}


def refused(data: bytes) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        decode_entry(data)
    assert caught.value.code == "journal.bad_entry"
    return caught.value


@pytest.mark.parametrize(("log", "row"), ROWS, ids=lambda value: value["type"] if isinstance(value, dict) else value)
def test_a_golden_entry_has_its_leaf_signature_and_meaning(log, row):
    payload, types, key = LOGS[log]
    data = row["data"].encode()
    signed = Signed(data, bytes.fromhex(row["signature"]))
    assert signed.leaf.hex() == row["leaf"]
    check_signature(key.public_key, payload, data, signed.signature)
    entry = decode_entry(data)
    assert (entry.type, entry.journal) == (row["type"], key.name)
    assert encode_entry(entry) == data
    body = decode_body(entry.type, bytes(entry.body), types)
    assert body is not None
    assert_read(json.loads(bytes(entry.body)), json.loads(msgspec.json.encode(body)))


def assert_read(said: object, read: object) -> None:
    """Every member that was written is still read, at any depth; later releases may add some."""
    if isinstance(said, dict) and isinstance(read, dict):
        assert said.keys() <= read.keys()
        for name in said:
            assert_read(said[name], read[name])
    elif isinstance(said, list) and isinstance(read, list):
        assert len(said) == len(read)
        for one, other in zip(said, read, strict=True):
            assert_read(one, other)
    else:
        assert said == read


@pytest.mark.parametrize("log", LOGS)
def test_golden_entries_are_chained(log):
    prev = GENESIS_PREV
    for index, row in enumerate(GOLDEN[log]):
        entry = decode_entry(row["data"].encode())
        assert (entry.index, entry.prev) == (index, prev)
        prev = row["leaf"]


@pytest.mark.parametrize("log", LOGS)
def test_every_entry_type_has_a_golden_row(log):
    assert {row["type"] for row in GOLDEN[log]} == set(LOGS[log][1])


@pytest.mark.parametrize("name", GOLDEN["checkpoints"])
def test_a_golden_checkpoint_is_of_the_golden_entries(name):
    log, size = name.split("/")
    checkpoint = GOLDEN["checkpoints"][name]
    tree = Frontier()
    for row in GOLDEN[log][: int(size)]:
        tree.append(bytes.fromhex(row["leaf"]))
    note = parse_note(checkpoint["cosigned"])
    check_note(note, LOGS[log][2])
    assert check_cosignature(note, parse_key(GOLDEN["keys"]["witness"])) == 1_795_331_400
    seen = parse_checkpoint(note)
    assert (seen.origin, seen.size, seen.root) == (LOGS[log][2].name, int(size), tree.root())
    assert (tree.root().hex(), parse_checkpoint(parse_note(checkpoint["note"]))) == (checkpoint["root"], seen)


def test_golden_sealed_data_still_opens():
    golden = GOLDEN["sealed"]
    sealed = msgspec.convert(golden["sealed"], Sealed)
    opened = unseal(sealed, private_key=bytes.fromhex(golden["private_key"]), purpose=golden["purpose"])
    assert opened.decode() == golden["plaintext"]


def test_no_golden_row_shows_personal_data_in_clear():
    assert GOLDEN["sealed"]["plaintext"] not in json.dumps([GOLDEN["journal"], GOLDEN["feed"]])


def test_pre_authentication_is_dsse_s():
    assert (
        pre_authentication("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_signature_counts_for_one_kind_of_log_only():
    row, key = GOLDEN["journal"][0], LOGS["journal"][2]
    data, signature = row["data"].encode(), bytes.fromhex(row["signature"])
    with pytest.raises(IntegrityError, match=r"signature\.wrong"):
        check_signature(key.public_key, FEED_PAYLOAD, data, signature)


@given(st.data())
def test_any_changed_bit_of_an_entry_or_signature_shows(data):
    log, row = data.draw(st.sampled_from(ROWS))
    payload, _, key = LOGS[log]
    parts = [bytearray(row["data"].encode()), bytearray.fromhex(row["signature"])]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.integers(0, len(part) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError, match=r"signature\.wrong"):
        check_signature(key.public_key, payload, bytes(parts[0]), bytes(parts[1]))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_a_signature_of_any_length_is_only_wrong(signature):
    with pytest.raises(IntegrityError, match=r"signature\.wrong"):
        check_signature(LOGS["journal"][2].public_key, JOURNAL_PAYLOAD, b"x", signature)
    with pytest.raises(IntegrityError, match=r"signature\.wrong"):
        check_signature(b"short", JOURNAL_PAYLOAD, b"x", signature)


def test_an_entry_of_a_later_release_is_carried():
    entry = decode_entry(json.dumps(ENTRY | {"later": [1, {"a": None}]}).encode())
    assert decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES) is None


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": "1"},
        {"index": -1},
        {"index": 2**64},
        {"index": 1.0},
        {"prev": ""},
        {"prev": "A" * 64},
        {"prev": "0" * 63},
        {"prev": "0" * 64 + "\n"},
        {"monotonic_ms": -1},
        {"clock": "gps"},
        {"body": []},
        {"body": "text"},
        {"body": None},
        {"type": None},
    ],
    ids=str,
)
def test_an_envelope_outside_the_format_is_refused(change):
    assert refused(json.dumps(ENTRY | change).encode()).data["why"]


@pytest.mark.parametrize("missing", ENTRY)
def test_no_member_of_the_envelope_is_optional(missing):
    refused(json.dumps({name: value for name, value in ENTRY.items() if name != missing}).encode())


def test_hostile_bytes_are_refused_by_code_alone():
    whole = json.dumps(ENTRY).encode()
    for end in range(len(whole)):
        refused(whole[:end])
    refused(whole.replace(b"{}", b"[" * 30_000))
    refused(whole.replace(b"{}", b'{"a":' * 6_000 + b"1" + b"}" * 6_000))
    refused(whole.replace(b'"body": {}', b'"body": {"a":"\xff"}'))
    refused(whole.replace(b'"b"', b'"\\ud800"'))
    refused(b" " * ENTRY_SIZE_MAX_BYTES + whole)
    refused(whole + whole)


@given(st.binary(max_size=80))
def test_bytes_never_escape_as_another_error(data):
    for hostile in (data, json.dumps(ENTRY).encode().replace(b"{}", data)):
        try:
            decode_entry(hostile)
        except IntegrityError:
            continue


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"",
        b'{"payment_id":5}',
        b'{"payment_id":"p"}',
        b'{"payment_id":"\xff","reason":"x"}',
        b'{"payment_id":"p","reason":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
        b'{"payment_id":"p","reason":"x"',
    ],
)
def test_a_body_without_its_members_raises_one_kind_of_error(raw):
    with pytest.raises(msgspec.ValidationError):
        decode_body("payment.not_sent", raw, JOURNAL_BODIES)


@given(st.text(), st.none() | st.integers(0, 2**53))
def test_a_body_is_written_one_way(text, size):
    body = JournalOpened(
        office=text,
        box="b",
        public_key="",
        signer="file",
        software="",
        predecessor=text,
        predecessor_cosigned_size=size,
    )
    raw = encode_body(body)
    assert decode_body(body.type, bytes(raw), JOURNAL_BODIES) == body
    assert encode_body(body) == raw
    assert leaf_hash(bytes(raw)) != leaf_hash(b"\x00" + bytes(raw))


@pytest.mark.parametrize("amount", [-1, 2**53, 10**40, "1", 1.5])
def test_an_amount_no_book_can_hold_is_refused(amount):
    row = next(row for row in GOLDEN["journal"] if row["type"] == "payment.requested")
    body = json.loads(row["data"])["body"] | {"amount_rial": amount}
    with pytest.raises(msgspec.ValidationError):
        decode_body("payment.requested", json.dumps(body).encode(), JOURNAL_BODIES)


def test_bodies_say_what_happened_in_the_past_tense_and_are_known_once():
    assert not set(JOURNAL_BODIES) & set(FEED_BODIES)
    for kind in (*JOURNAL_BODIES, *FEED_BODIES):
        thing, _, happened = kind.partition(".")
        assert thing.isidentifier()
        assert happened.isidentifier()


def test_an_entry_that_is_too_large_says_so():
    entry = Entry(**(ENTRY | {"body": msgspec.Raw(b'{"a":"' + b"x" * ENTRY_SIZE_MAX_BYTES + b'"}')}))
    assert refused(encode_entry(entry)).data["why"] == "too large"
