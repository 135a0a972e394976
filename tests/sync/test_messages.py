"""Hostile bytes to the decoders: each answer is a code, never an exception nobody expects."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PeerError
from sync.enrolment import decode_enrolment_request
from sync.messages import decode_request, decode_response

DECODERS = (decode_request, decode_response, decode_enrolment_request)
A_NEST_TOO_DEEP = b"\x91" * 100_000
NOT_UTF_8 = b"\x81\xa1v\xa2\xff\xfe"


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("payload", [b"", A_NEST_TOO_DEEP, b"\x81\xa1v" + A_NEST_TOO_DEEP, NOT_UTF_8, b"\xc1"])
def test_hostile_bytes_are_malformed(decode: Callable[[bytes], object], payload: bytes) -> None:
    with pytest.raises(PeerError) as refused:
        decode(payload)
    assert refused.value.code == "exchange.malformed"


@pytest.mark.parametrize("decode", DECODERS)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_peers_error(decode: Callable[[bytes], object], payload: bytes) -> None:
    with suppress(PeerError):
        decode(payload)
