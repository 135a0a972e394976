"""Finding devices: a search with an end, and trials of what was found, never of what is in use."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.scan import FoundDevice
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.devices import find_devices
from edge.services.devices.find_devices import FindDevices, Search
from edge.services.events import EventHub
from edge.settings import PrinterSettings, Settings, TerminalSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError, OperatorError


@pytest.fixture
async def finding() -> AsyncIterator[FindDevices]:
    settings = Settings(
        office_name="دفتر",
        verify_base="https://central.example",
        terminals=(
            TerminalSettings(name="terminal-3", host="192.168.1.20", port=1024, profile="sadad/pax"),
            TerminalSettings(name="terminal-2", address="serial:///dev/serial/by-id/a?baud=9600", profile="pna/pcpos"),
        ),
        printer=PrinterSettings(host="192.168.1.22", profile="generic/escpos_80mm"),
    )
    made = FindDevices(
        settings=settings, registry=load_catalogue(), clock=SystemClock(), entropy=SystemEntropy(), hub=EventHub()
    )
    yield made
    await made.finish()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the search tells pages only
            await asyncio.sleep(0.01)


async def test_a_search_ends_and_another_may_follow(finding: FindDevices, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(find_devices, "LISTEN_S", 0.01)
    for _ in range(2):
        await finding.start(network=False)
        assert finding.search.running
        await finding.start(network=True)  # One goes on: this one is no other.
        await until(lambda: not finding.search.running)
        assert finding.search.step == "done"
        assert finding.search.networks == ()


@pytest.mark.faults("the search for devices failed")
async def test_a_search_that_hangs_or_fails_is_said_to_have_failed(
    finding: FindDevices, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: object) -> list[FoundDevice]:
        raise OSError("the bus is gone")

    monkeypatch.setattr(find_devices, "plugged_in", fail)
    await finding.start(network=False)
    await until(lambda: finding.search.step == "failed")


def test_what_is_set_up_is_in_use_by_whatever_name(finding: FindDevices):
    for address in ("tcp://192.168.1.20:1024", "serial:///dev/serial/by-id/a", "tcp://192.168.1.22:9100"):
        assert finding.is_in_use(address), address
    free = FoundDevice(kind="terminal", address="tcp://192.168.1.21:1024", models=("sadad/pax",))
    finding._search = Search(step="done", found=(free,))
    assert not finding.is_in_use(free.address)
    assert 'name = "terminal-1"' in finding.lines(free.address), "the only name that is free again"


async def test_a_found_terminal_and_a_found_printer_are_tried(finding: FindDevices):
    terminal, printer = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy()), VirtualPrinter()
    await printer.start()
    at, paper = f"tcp://127.0.0.1:{await terminal.start()}", f"tcp://127.0.0.1:{printer.port}"
    finding._search = Search(
        step="done",
        found=(FoundDevice(kind="terminal", address=at), FoundDevice(kind="printer", address=paper)),
    )
    await finding.try_found(at, "daftar/virtual")
    await finding.try_found(paper, "daftar/virtual_80mm")
    await until(lambda: all(test is not None and test.state != "running" for test in map(finding.test_of, (at, paper))))
    tests = [finding.test_of(at), finding.test_of(paper)]
    assert [test.state for test in tests if test is not None] == ["good", "good"]
    assert terminal.charges == ()

    with pytest.raises(OperatorError, match="not_found"):
        await finding.try_found("tcp://127.0.0.1:1", "daftar/virtual")
    with pytest.raises(DeviceError, match=r"profile\.unknown"):
        await finding.try_found(at, "nobody/nothing")
    await finding.try_found(at, "epson/tm_t20ii")
    await until(lambda: (test := finding.test_of(at)) is not None and test.state != "running")
    tried = finding.test_of(at)
    assert tried is not None
    await terminal.stop()
    await printer.close()
