"""A fault of the box's own in driving a terminal: told, and the terminal is there again."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from structlog.testing import capture_logs

from edge.devices.catalogue import load_catalogue
from edge.devices.terminal_bench import Bench
from edge.devices.terminals.outcome import TerminalState


class Watched:
    """A bench whose driver's states are written down."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.errors: list[str | None] = []
        self._changed = asyncio.Event()
        bench.driver.on_change = self._note

    def _note(self, state: TerminalState) -> None:
        self.errors.append(state.last_error)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with Bench(load_catalogue().terminal("behpardakht/pax"), hurried=True) as bench:
        yield Watched(bench)


async def test_a_task_that_dies_is_told_and_begins_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = watched.bench.driver._wire
    run, failures = wire.run, [RuntimeError("a fault of ours")]

    async def fails_once() -> None:
        if failures:
            raise failures.pop()
        await run()

    monkeypatch.setattr(wire, "run", fails_once)
    with capture_logs() as logs:
        await watched.bench.driver.start()
        await watched.until(lambda: watched.bench.driver.state.connected)
    assert "terminal.driver_failed" in watched.errors
    assert [line["log_level"] for line in logs] == ["error"]
    watched.bench.terminal.set_auto("approve")
    assert (await watched.bench.sale()).kind == "approved"
    assert watched.bench.driver.state.last_error is None


@pytest.mark.parametrize("when", ["receive_data", "tick"])
async def test_what_a_session_cannot_stomach_is_in_doubt_and_asked_about_on_a_new_link(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    driver, session = watched.bench.driver, watched.bench.driver._session
    failures = [ValueError("what nobody thought of")]
    real = getattr(session, when)

    def fails_once(*given: object) -> None:
        if failures and session.unanswered(driver._exchange.now()) is not None:
            raise failures.pop()
        real(*given)

    watched.bench.terminal.set_auto("approve")
    if when == "tick":
        watched.bench.terminal.set_fault("answer_late")
    monkeypatch.setattr(session, when, fails_once)
    with capture_logs() as logs:
        outcome = await watched.bench.sale()
    assert (outcome.kind, outcome.reason) == ("in_doubt", "link_lost")
    assert "terminal.driver_failed" in watched.errors
    assert len(logs) == 1
    await watched.bench.settles("approved")
    assert watched.bench.charged
