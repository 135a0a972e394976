"""What every test may ask for."""

import shutil

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import need

settings.register_profile(
    "daftar", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("daftar")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium")
    need("chromium", present=path is not None)
    assert path
    return path
