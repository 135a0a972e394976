"""Nobody may take a demonstration for the counter."""

import pytest
from litestar.testing import TestClient

from edge.web.router import create_app
from tests.edge.web.fake_counter import FakeClock, FakeCounter, FakeEntropy


@pytest.mark.parametrize("demo", [True, False])
def test_every_page_of_a_demonstration_says_so_and_no_other_does(demo: bool):  # noqa: FBT001 - a case
    app = create_app(FakeCounter(), clock=FakeClock(), entropy=FakeEntropy(), version="1", demo=demo)
    with TestClient(app) as client:
        for path in ("/sign-in", "/nowhere"):
            assert ("پول واقعی جابه‌جا نمی‌شود" in client.get(path).text) is demo
