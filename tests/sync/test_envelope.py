import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PeerError
from sync.envelope import EXCHANGE_REQUEST, EXCHANGE_RESPONSE, pack, unpack, verify
from tests.sync.models import private_key, public_bytes

LIMIT = 64 * 1024
KEY = private_key("box")


@given(st.binary(max_size=1000))
def test_a_payload_comes_back_as_it_went(payload: bytes) -> None:
    envelope = unpack(pack(EXCHANGE_REQUEST, payload, KEY.sign), size_max_bytes=LIMIT)
    assert envelope.payload == payload
    verify(envelope, EXCHANGE_REQUEST, public_bytes(KEY))


def test_a_signature_of_one_kind_is_none_of_another() -> None:
    envelope = unpack(pack(EXCHANGE_REQUEST, b"x", KEY.sign), size_max_bytes=LIMIT)
    with pytest.raises(PeerError, match=r"exchange\.wrong_signature"):
        verify(envelope, EXCHANGE_RESPONSE, public_bytes(KEY))


def test_squeezing_the_same_message_differently_makes_no_other_message() -> None:
    wire = pack(EXCHANGE_REQUEST, b"abc" * 100, KEY.sign)
    squeezed = zlib.compress(zlib.decompress(wire), 0)
    assert squeezed != wire
    assert unpack(squeezed, size_max_bytes=LIMIT).sha256 == unpack(wire, size_max_bytes=LIMIT).sha256


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 20_000_000, 9)
    with pytest.raises(PeerError, match=r"exchange\.too_large"):
        unpack(bomb, size_max_bytes=1024 * 1024)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"", "exchange.malformed"),
        (b"<html>", "exchange.malformed"),
        (zlib.compress(b"not msgpack"), "exchange.malformed"),
        (zlib.compress(msgspec.msgpack.encode({"payload": 1})), "exchange.malformed"),
        (pack(EXCHANGE_REQUEST, b"x", KEY.sign)[:-1], "exchange.malformed"),
        (pack(EXCHANGE_REQUEST, b"x", KEY.sign) + b"y", "exchange.malformed"),
        (b"\0" * (LIMIT + 1), "exchange.too_large"),
    ],
)
def test_what_is_no_envelope_is_refused(wire: bytes, code: str) -> None:
    with pytest.raises(PeerError, match=code.replace(".", r"\.")):
        unpack(wire, size_max_bytes=LIMIT)
