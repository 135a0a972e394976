"""A terminal on a cable that is pulled out and plugged in again, at the same path."""

import asyncio
from pathlib import Path

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.driver import TerminalDriver
from edge.devices.terminals.outcome import TerminalState
from edge.devices.virtual.lines import Cable
from edge.devices.virtual.simulators import make_simulator
from firmware_profiles.addresses import SerialAddress, TcpAddress
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError

PROFILE = load_catalogue().terminal("behpardakht/pax")


class Watch:
    """Waits for what the driver shows."""

    def __init__(self, driver: TerminalDriver) -> None:
        self._driver = driver
        self._changed = asyncio.Event()
        driver.on_change = self._note

    def _note(self, _: TerminalState) -> None:
        self._changed.set()

    async def until_connected(self, *, connected: bool) -> None:
        async with asyncio.timeout(30):
            while self._driver.state.connected != connected:
                self._changed.clear()
                await self._changed.wait()


async def test_a_cable_that_is_plugged_in_again_is_the_same_terminal(tmp_path: Path) -> None:
    terminal = make_simulator(PROFILE, SystemClock(), SystemEntropy())
    terminal.set_auto("approve")
    port = await terminal.start()
    path = tmp_path / "usb-terminal"
    driver = TerminalDriver(
        name="counter",
        profile=PROFILE,
        address=SerialAddress(str(path)),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    watch = Watch(driver)
    with pytest.raises(DeviceError, match=r"terminal\.unreachable"):
        await driver.prepare()
    assert driver.state.last_error == "terminal.unreachable"
    for number in range(2):
        cable = Cable("127.0.0.1", port)
        path.symlink_to(cable.plug_in())
        await watch.until_connected(connected=True)
        await driver.prepare()
        outcome = await driver.sale(amount_rial=1_000 + number, reference=f"{number:018d}")
        assert outcome.kind == "approved"
        path.unlink()
        await cable.unplug()
        await watch.until_connected(connected=False)
        assert driver.state.last_error == "terminal.link_lost"
    assert [charge.amount_rial for charge in terminal.charges] == [1_000, 1_001]
    await driver.close()
    await terminal.stop()


async def test_a_model_that_has_no_such_line_is_refused_at_once() -> None:
    virtual = load_catalogue().terminal("daftar/virtual")
    with pytest.raises(DeviceError, match=r"terminal\.no_such_way") as caught:
        TerminalDriver(
            name="counter",
            profile=virtual,
            address=SerialAddress("/dev/ttyUSB0"),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
    assert caught.value.data["ways"] == "tcp"


async def test_an_amount_outside_the_models_limits_is_refused_before_it_is_journaled() -> None:
    driver = TerminalDriver(
        name="counter",
        profile=PROFILE,
        address=TcpAddress("127.0.0.1", 9),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    with pytest.raises(DeviceError, match=r"terminal\.amount"):
        await driver.prepare(PROFILE.limits.amount_max_rial + 1)
    await driver.close()
