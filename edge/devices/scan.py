"""What is connected: ports of this machine, terminals that call out, and on demand the office's own network.

Nothing is sent to anybody: a network is tried by opening a connection and closing it. What was found is matched with
the models by what it says of itself; an open port says nothing of itself, so a person chooses the model.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Literal

import msgspec

from edge.devices.discovery import Call, hear_calls
from edge.devices.printers.character_device import usb_printers
from edge.devices.serial_ports import serial_ports
from firmware_profiles.matching import DeviceClues
from firmware_profiles.registry import ProfileRegistry
from shared.errors import DeviceError

RAW_PORT: Final = 9_100
VIRTUAL_MAKER: Final = "daftar"
"""Whose models no office has."""
CONNECT_TIMEOUT_S: Final = 0.4
"""Far above what a local network takes."""
AT_A_TIME: Final = 64
_ELSEWHERE: Final = "192.0.2.1"
"""An address for documentation: asking the way to it sends nothing, and tells the machine's own address."""

Progress = Callable[[int, int], None]
"""Told (done, all) now and then."""


class FoundDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device, or a place where one may be."""

    kind: Literal["terminal", "printer", "either"]
    address: str
    """As box.toml takes it."""
    text: str = ""
    """What it says of itself."""
    models: tuple[str, ...] = ()
    """The one model that it is, or those that it can be; none where nothing tells."""
    error: DeviceError | None = None
    """Why no one model is meant: `profile.no_match`, `profile.ambiguous`; None also where only a port is open."""
    port_only: bool = False

    @property
    def model(self) -> str | None:
        """Return the one model that it is."""
        return self.models[0] if len(self.models) == 1 and not self.port_only else None


def _matched(registry: ProfileRegistry, kind: Literal["terminal", "printer"], clues: DeviceClues) -> FoundDevice:
    """Return the models that clues mean, without an address yet."""
    try:
        model = registry.match_terminal(clues) if kind == "terminal" else registry.match_printer(clues)
    except DeviceError as error:
        names = tuple(filter(None, str(error.data.get("names", "")).split(", ")))
        return FoundDevice(kind=kind, address="", text=clues.text, models=names, error=error)
    return FoundDevice(kind=kind, address="", text=clues.text, models=(model.name,))


def _at(found: FoundDevice, address: str, text: str) -> FoundDevice:
    return msgspec.structs.replace(found, address=address, text=text)


def plugged_in(registry: ProfileRegistry) -> list[FoundDevice]:
    """Return the serial ports and the printers on USB. Blocks while the system looks at its ports."""
    found: list[FoundDevice] = []
    for port in serial_ports():
        clues = DeviceClues(usb_vendor=port.usb_vendor, usb_product=port.usb_product, texts=(port.text,))
        terminal, printer = _matched(registry, "terminal", clues), _matched(registry, "printer", clues)
        best = terminal if terminal.models or not printer.models else printer
        if not best.models:
            best = msgspec.structs.replace(best, kind="either")
        found.append(_at(best, f"serial://{port.path}", clues.text))
    for one in usb_printers():
        clues = DeviceClues(usb_vendor=one.vendor, usb_product=one.product, texts=(one.words,))
        serial = f":{one.serial}" if one.serial else ""
        found.append(_at(_matched(registry, "printer", clues), f"usb://{one.vendor}:{one.product}{serial}", clues.text))
    return found


def called(registry: ProfileRegistry, calls: Iterable[Call]) -> list[FoundDevice]:
    """Return the terminals that called out."""
    return [
        _at(
            _matched(registry, "terminal", DeviceClues(protocol=call.protocol, texts=(call.text,))),
            f"tcp://{call.host}:{call.port}",
            f"{call.text} · {call.terminal_number}".strip(" ·"),
        )
        for call in calls
    ]


async def heard(registry: ProfileRegistry, seconds: float) -> tuple[list[FoundDevice], tuple[int, ...]]:
    """Listen for terminals that call out; return them, and the ports that could not be listened on."""
    ports = {port for one in registry.terminals if one.discovery is not None for port in one.discovery.ports}
    said = await hear_calls(sorted(ports), seconds)
    return called(registry, said.calls), said.refused


# --- the office's own network ----------------------------------------------------------------------------------------


def own_networks(towards: Collection[str] = ()) -> dict[ipaddress.IPv4Network, str]:
    """Return the private networks (of 256 addresses) that this machine is in, with its own address in each.

    `towards` are hosts whose network counts too: those of the devices that are set up. Sends nothing.
    """
    found: dict[ipaddress.IPv4Network, str] = {}
    for host in (_ELSEWHERE, *towards):
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((str(ipaddress.IPv4Address(host)), 9))
            own = ipaddress.IPv4Address(way.getsockname()[0])
            if own.is_private and not own.is_loopback and not own.is_link_local:
                found[ipaddress.IPv4Network(f"{own}/24", strict=False)] = str(own)
    return found


def ports_of(registry: ProfileRegistry) -> dict[int, tuple[str, ...]]:
    """Return the ports worth trying, with the models whose usual one each is."""
    ports: dict[int, list[str]] = {RAW_PORT: []}
    for one in registry.terminals:
        if one.tcp is not None and one.identity.maker != VIRTUAL_MAKER:
            ports.setdefault(one.tcp.port, []).append(one.name)
    return {port: tuple(names) for port, names in sorted(ports.items())}


async def sweep(
    hosts: Sequence[str],
    ports: dict[int, tuple[str, ...]],
    *,
    leave_out: Collection[tuple[str, int]] = (),
    on_progress: Progress = lambda _done, _all: None,
) -> list[FoundDevice]:
    """Return where one of the ports is open. `leave_out` are devices in use: most take one connection only."""
    places = [(host, port) for port in ports for host in hosts if (host, port) not in leave_out]
    turn = asyncio.Semaphore(AT_A_TIME)
    found: list[FoundDevice] = []
    done = 0

    async def look(host: str, port: int) -> None:
        nonlocal done
        async with turn:
            if await _is_open(host, port):
                kind: Literal["terminal", "printer"] = "printer" if port == RAW_PORT else "terminal"
                found.append(FoundDevice(kind=kind, address=f"tcp://{host}:{port}", models=ports[port], port_only=True))
        done += 1
        on_progress(done, len(places))

    async with asyncio.TaskGroup() as group:
        for host, port in places:
            group.create_task(look(host, port))
    return sorted(found, key=lambda one: one.address)


async def _is_open(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


# --- what to write into the settings ---------------------------------------------------------------------------------


def settings_lines(found: FoundDevice, *, name: str, model: str | None = None) -> str:
    """Return what to write into box.toml for a device; without one model, the profile is left for a person to fill."""
    chosen = model or found.model or ""
    choice = f"  # {', '.join(found.models)}" if not chosen and found.models else ""
    printer = found.kind == "printer"
    head = "[printer]" if printer else f'[[terminals]]\nname = "{name}"'
    address = found.address.replace("\\", "").replace('"', "")
    return f'{head}\naddress = "{address}"\nprofile = "{chosen}"{choice}\n'
