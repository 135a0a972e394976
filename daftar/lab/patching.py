"""Changing the product for a while, at run time: how mutants are made, and chance is taken out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def patched(owner: Any, name: str, value: object) -> Iterator[None]:
    """Give a module's or class's own attribute another value until the end."""
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
