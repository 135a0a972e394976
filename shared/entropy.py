"""Chance as an argument. The one place in the project that asks the system for randomness."""

import os
from typing import Protocol


class Entropy(Protocol):
    """A source of random bytes."""

    def token_bytes(self, size_bytes: int) -> bytes:
        """Return that many unpredictable bytes."""


class SystemEntropy:
    """The operating system's generator."""

    def token_bytes(self, size_bytes: int) -> bytes:
        """Return bytes from the kernel."""
        return os.urandom(size_bytes)


def random_digits(entropy: Entropy, count: int) -> str:
    """Return `count` decimal digits, each value equally likely (no modulo bias)."""
    digits: list[str] = []
    while len(digits) < count:
        # Bytes of 250 and above would make 0-5 likelier than 6-9.
        digits += [str(byte % 10) for byte in entropy.token_bytes(count) if byte < 250]  # noqa: PLR2004
    return "".join(digits[:count])


_BASE32 = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 letters that cannot be mistaken for one another when read aloud or off paper."""


def random_name(entropy: Entropy, prefix: str) -> str:
    """Return `prefix` + 20 letters of 5 bits each: unique without asking anybody, readable over a telephone."""
    return prefix + "".join(_BASE32[byte & 31] for byte in entropy.token_bytes(20))
