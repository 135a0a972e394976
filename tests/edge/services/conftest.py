from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.services.office import Office


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
