from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.store.boxes import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A running box with a new journal of one entry."""
    with Box(tmp_path) as running:
        yield running
