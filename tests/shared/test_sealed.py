import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.sealed import Sealed, seal, unseal

PRIVATE = bytes(range(32))
PUBLIC = X25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()


def sealed(plaintext: bytes = b"0499370899") -> Sealed:
    return seal(plaintext, key_id="k", public_key=PUBLIC, purpose="test")


def cannot_open(one: Sealed, *, private_key: bytes = PRIVATE, purpose: str = "test") -> None:
    with pytest.raises(IntegrityError) as caught:
        unseal(one, private_key=private_key, purpose=purpose)
    assert (caught.value.code, caught.value.data) == ("sealed.cannot_open", {"key_id": "k"})


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_with_the_key_and_the_purpose(plaintext):
    assert unseal(sealed(plaintext), private_key=PRIVATE, purpose="test") == plaintext


def test_it_shows_nothing_and_is_never_the_same_twice():
    one, other = sealed(), sealed()
    assert one.ciphertext != other.ciphertext
    assert b"0499370899" not in base64.b64decode(one.ciphertext)


def test_another_key_or_purpose_opens_nothing():
    cannot_open(sealed(), private_key=bytes(range(1, 33)))
    cannot_open(sealed(), purpose="other")


@settings(max_examples=100)
@given(st.data())
def test_any_changed_or_missing_byte_opens_nothing(data):
    raw = bytearray(base64.b64decode(sealed().ciphertext))
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        # The top bit of an X25519 public key is ignored by its definition, so it says nothing.
        raw[place] ^= 1 << data.draw(st.integers(0, 6))
    else:
        del raw[place:]
    cannot_open(Sealed(key_id="k", ciphertext=base64.b64encode(raw).decode()))


@pytest.mark.parametrize("ciphertext", ["", "!", "é", "AAAA", base64.b64encode(bytes(60)).decode()])
def test_garbage_is_one_kind_of_error(ciphertext):
    cannot_open(Sealed(key_id="k", ciphertext=ciphertext))
