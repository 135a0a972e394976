"""Verifiers that cost nothing to make and to check: the program's own cost a quarter of a second each time."""

from functools import cache
from typing import Final

from argon2 import PasswordHasher

from edge.services.people.sign_in import new_verifier

QUICK_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@cache
def verifier_of(password: str) -> str:
    """Return a verifier as the program makes it, for a box that is given no other hasher."""
    return new_verifier(password)


@cache
def quick_verifier_of(password: str) -> str:
    """Return a verifier for a `SignIn` that is given `QUICK_HASHER`."""
    return new_verifier(password, hasher=QUICK_HASHER)
