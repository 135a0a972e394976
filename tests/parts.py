"""Parts of the real world that tests need. A missing one fails the test unless it is waived by name."""

import os
from typing import Final

import pytest

WAIVED: Final = frozenset(os.environ.get("DAFTAR_TEST_WITHOUT", "").split())
"""Names of parts a person does without on this machine, for example `chromium postgres`. CI waives nothing."""


def need(name: str, *, present: bool) -> None:
    """Fail when a part is missing; skip only when `DAFTAR_TEST_WITHOUT` names it, present or not."""
    if name in WAIVED:
        pytest.skip(f"waived: {name}")
    if not present:
        pytest.fail(f"{name} is missing; install it, or waive it by name in DAFTAR_TEST_WITHOUT")
