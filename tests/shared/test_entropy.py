from collections import Counter
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.entropy import SystemEntropy, random_digits, random_name


class Scripted:
    """Gives the bytes of a script, over and over."""

    def __init__(self, script: bytes) -> None:
        self._bytes = cycle(script)

    def token_bytes(self, size_bytes: int) -> bytes:
        return bytes(next(self._bytes) for _ in range(size_bytes))


@given(st.integers(1, 40))
def test_digits_are_as_many_as_asked(count):
    digits = random_digits(SystemEntropy(), count)
    assert len(digits) == count
    assert digits.isascii()
    assert digits.isdecimal()


def test_each_digit_is_equally_likely():
    counted = Counter(random_digits(Scripted(bytes(range(256))), 250))
    assert set(counted.values()) == {25}


def test_names_are_made_of_letters_no_one_mistakes():
    name = random_name(Scripted(bytes(range(256))), "pay-")
    assert name.startswith("pay-")
    assert len(name) == len("pay-") + 20
    letters = set("".join(random_name(Scripted(bytes([byte])), "") for byte in range(256)))
    assert len(letters) == 32
    assert not letters & set("l1o0")


def test_two_names_differ():
    entropy = SystemEntropy()
    assert len({random_name(entropy, "") for _ in range(100)}) == 100


@pytest.mark.parametrize("size", [0, 1, 32])
def test_the_system_gives_what_is_asked(size):
    assert len(SystemEntropy().token_bytes(size)) == size
