from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.services.office import Office
from tests.edge.store.boxes import Box


@pytest.fixture
async def terminal() -> AsyncIterator[VirtualTerminal]:
    """A terminal that is on."""
    virtual = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy())
    await virtual.start()
    yield virtual
    await virtual.stop()


@pytest.fixture
async def office(tmp_path: Path, terminal: VirtualTerminal) -> AsyncIterator[Office]:
    """An office at work."""
    async with Office(tmp_path, terminal) as running:
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A running box with a new journal of one entry, for services that need no terminal."""
    with Box(tmp_path) as running:
        yield running
