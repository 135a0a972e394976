"""Look for what is connected, on a technician's press, and try what was found before it is written into the settings.

One search at a time, beside the pages, with an end however the machine's ports behave. The office's network is tried
only when that was asked for, and never where a device that is set up listens: most take one connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import msgspec
import structlog

from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.places import place_of
from edge.devices.printers.status import CAN_PRINT
from edge.devices.scan import (
    VIRTUAL_MAKER,
    FoundDevice,
    heard,
    own_networks,
    plugged_in,
    ports_of,
    settings_lines,
    sweep,
)
from edge.devices.terminals.driver import TerminalDriver
from edge.services.devices.try_devices import LONGEST_S, SEEN_AT_ONCE_S, DeviceTest
from edge.services.events import BoxEvent, EventHub
from edge.settings import Settings
from firmware_profiles.addresses import TcpAddress, parse_address
from firmware_profiles.printer_address import parse_printer_address
from firmware_profiles.registry import ProfileRegistry
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import DaftarError, DeviceError, OperatorError

_log = structlog.get_logger()

LISTEN_S: Final = 4.0
"""Terminals that call out do so once a second."""
SEARCH_LONGEST_S: Final = 120
_TOLD_EVERY: Final = 10
"""Pages are told of every tenth part of a network."""

Step = Literal["never", "ports", "calls", "network", "done", "failed"]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How the newest search stands."""

    step: Step = "never"
    at: str | None = None
    """When it began."""
    percent: int = 0
    """Of the network, in that step."""
    found: tuple[FoundDevice, ...] = ()
    unheard: tuple[int, ...] = ()
    """UDP ports that could not be listened on."""
    networks: tuple[str, ...] = ()
    """Networks that were tried."""

    @property
    def running(self) -> bool:
        """Return whether it goes on."""
        return self.step in ("ports", "calls", "network")


class FindDevices:
    """Owner of the search, and of the trials of what it found."""

    def __init__(
        self, *, settings: Settings, registry: ProfileRegistry, clock: Clock, entropy: Entropy, hub: EventHub
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._clock = clock
        self._entropy = entropy
        self._hub = hub
        self._search = Search()
        self._tests: dict[str, DeviceTest] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def search(self) -> Search:
        """Return how the newest search stands."""
        return self._search

    @property
    def terminal_models(self) -> list[str]:
        """Return the names of the models of terminals that an office can have."""
        return [one.name for one in self._registry.terminals if self._is_real(one.identity.maker)]

    @property
    def printer_models(self) -> list[str]:
        """Return the names of the models of printers that an office can have."""
        return [one.name for one in self._registry.printers if self._is_real(one.identity.maker)]

    def _is_real(self, maker: str) -> bool:
        return maker != VIRTUAL_MAKER or self._settings.demo or self._settings.training

    def networks(self) -> list[str]:
        """Return the office's own networks, as a search would try them."""
        return [str(network) for network in own_networks(self._hosts())]

    def test_of(self, address: str) -> DeviceTest | None:
        """Return the newest trial of what was found at an address."""
        return self._tests.get(address)

    def lines(self, address: str) -> str:
        """Return what to write into box.toml for what was found at an address. Raises OperatorError as `try_found`."""
        found = self._at(address)
        names = {terminal.name for terminal in self._settings.terminals}
        name = next(name for place in range(1, len(names) + 2) if (name := f"terminal-{place}") not in names)
        return settings_lines(found, name=name)

    def is_in_use(self, address: str) -> bool:
        """Return whether a device that is set up is there."""
        return address in self._in_use()

    def _at(self, address: str) -> FoundDevice:
        found = next((one for one in self._search.found if one.address == address), None)
        if found is None:
            raise OperatorError("device.not_found", address=address)
        return found

    async def start(self, *, network: bool) -> None:
        """Begin a search unless one goes on."""
        if "search" not in self._tasks:
            self._search = Search(step="ports", at=instant_text(self._clock.now()))
            self._tests.clear()
            self._spawn("search", self._look(network=network))
            self._changed()

    async def try_found(self, address: str, model: str) -> None:
        """Ask what was found whether it is there and idle, as a terminal or printer of a model; the result is kept.

        Raises OperatorError `device.not_found`, `device.in_use`; DeviceError `profile.unknown`.
        """
        self._at(address)
        if self.is_in_use(address):
            raise OperatorError("device.in_use", address=address)
        printer = any(model == one.name for one in self._registry.printers)
        if not printer:
            self._registry.terminal(model)
        if address not in self._tasks:
            self._tests[address] = DeviceTest(what="status", state="running", at=instant_text(self._clock.now()))
            work = self._ask_printer if printer else self._ask_terminal
            self._spawn(address, self._try(address, lambda: work(address, model)))
        await asyncio.wait({self._tasks[address]}, timeout=SEEN_AT_ONCE_S)

    async def finish(self) -> None:
        """End what runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- the search --------------------------------------------------------------------------------------------------

    def _spawn(self, key: str, work: Awaitable[None]) -> None:
        async def run() -> None:
            try:
                await work
            finally:
                self._tasks.pop(key, None)

        self._tasks[key] = asyncio.create_task(run(), name=f"find {key}")

    async def _look(self, *, network: bool) -> None:
        try:
            async with asyncio.timeout(SEARCH_LONGEST_S):
                self._found(await asyncio.to_thread(plugged_in, self._registry), "calls")
                calling, unheard = await heard(self._registry, LISTEN_S)
                self._found(calling, "network" if network else "done", unheard=unheard)
                if network:
                    await self._sweep()
        except Exception:  # noqa: BLE001 - whatever a port of the machine did, the page says that the search is over
            _log.exception("the search for devices failed")
            self._search = msgspec.structs.replace(self._search, step="failed")
            self._changed()

    async def _sweep(self) -> None:
        networks = own_networks(self._hosts())
        hosts = [str(host) for one, own in networks.items() for host in one.hosts() if str(host) != own]
        known = {one.address for one in self._search.found}
        open_ports = await sweep(
            hosts, ports_of(self._registry), leave_out=self._listening(), on_progress=self._progress
        )
        self._search = msgspec.structs.replace(self._search, networks=tuple(map(str, networks)), percent=100)
        self._found([one for one in open_ports if one.address not in known], "done")

    def _found(self, found: Sequence[FoundDevice], step: Step, *, unheard: tuple[int, ...] | None = None) -> None:
        self._search = msgspec.structs.replace(
            self._search,
            found=(*self._search.found, *found),
            step=step,
            unheard=self._search.unheard if unheard is None else unheard,
        )
        self._changed()

    def _progress(self, done: int, everything: int) -> None:
        percent = 100 * done // everything
        if percent // _TOLD_EVERY != self._search.percent // _TOLD_EVERY:
            self._search = msgspec.structs.replace(self._search, percent=percent)
            self._changed()

    def _changed(self) -> None:
        self._hub.publish(BoxEvent("terminal"))

    # --- what is set up ----------------------------------------------------------------------------------------------

    def _listening(self) -> set[tuple[str, int]]:
        places = [place for one in self._settings.terminals if isinstance(place := one.place, TcpAddress)]
        listening = {(place.host, place.port) for place in places}
        printer = self._settings.printer.place
        return listening | {(printer.name, printer.port)} if printer.way == "tcp" else listening

    def _hosts(self) -> list[str]:
        return [host for host, _ in self._listening()]

    def _in_use(self) -> set[str]:
        written = {one.address.partition("?")[0] for one in self._settings.terminals if one.address}
        printer = {self._settings.printer.address.partition("?")[0]} - {""}
        return written | printer | {f"tcp://{host}:{port}" for host, port in self._listening()}

    # --- trials ------------------------------------------------------------------------------------------------------

    async def _try(self, address: str, work: Callable[[], Awaitable[str]]) -> None:
        begun_ms, error, status = self._clock.monotonic_ms(), None, ""
        self._changed()
        try:
            async with asyncio.timeout(LONGEST_S):
                status = await work()
        except DaftarError as found:
            error = found
        except TimeoutError:
            error = DeviceError("device.test_too_long")
        except (OSError, ValueError) as found:
            error = DeviceError("device.no_way", address=address, why=str(found))
        self._tests[address] = msgspec.structs.replace(
            self._tests[address],
            state="bad" if error or (status and status not in CAN_PRINT) else "good",
            took_ms=self._clock.monotonic_ms() - begun_ms,
            error=error,
            printer_status=status,
        )
        self._changed()

    async def _ask_terminal(self, address: str, model: str) -> str:
        driver = TerminalDriver(
            name="found",
            profile=self._registry.terminal(model),
            address=parse_address(address),
            clock=self._clock,
            entropy=self._entropy,
        )
        try:
            await driver.probe()
        finally:
            await driver.close()
        return ""

    async def _ask_printer(self, address: str, model: str) -> str:
        profile = self._registry.printer(model)
        place = place_of(parse_printer_address(address), profile)
        return (await PrinterDriver(place=place, profile=profile).status()).value
