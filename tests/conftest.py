"""What every test may ask for. A missing part of the real world fails a test unless it is waived by name."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "daftar", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("daftar")

WAIVED = frozenset(os.environ.get("DAFTAR_TEST_WITHOUT", "").split())


def need(name: str, *, present: bool) -> None:
    """Fail when a part is missing; skip only when `DAFTAR_TEST_WITHOUT` names it."""
    if present:
        return
    if name in WAIVED:
        pytest.skip(f"waived: {name}")
    pytest.fail(f"{name} is missing; install it, or waive it by name in DAFTAR_TEST_WITHOUT")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium")
    need("chromium", present=path is not None)
    assert path
    return path
