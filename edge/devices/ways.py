"""The way that an address means for a model: its own line settings, and what it can be reached by at all."""

import msgspec

from edge.devices.transport import Way
from edge.devices.transport_serial import SerialWay
from edge.devices.transport_tcp import ListenWay, TcpWay
from firmware_profiles.addresses import Address, ListenAddress, SerialAddress, TcpAddress
from firmware_profiles.links import SerialLine
from firmware_profiles.profile import TerminalProfile
from shared.errors import DeviceError


def serial_line(address: SerialAddress, profile: TerminalProfile) -> SerialLine | None:
    """Return the line's settings, the address' own speed before the model's; None when it has no serial line."""
    if profile.serial is None or address.baud is None:
        return profile.serial
    return msgspec.convert({**msgspec.structs.asdict(profile.serial), "baud": address.baud}, SerialLine)


def way_to(address: Address, profile: TerminalProfile) -> Way:
    """Return the way. Raises DeviceError `terminal.no_such_way` when the model cannot be reached so."""
    match address:
        case TcpAddress(host, port) if profile.tcp is not None:
            return TcpWay(host, port)
        case ListenAddress(host, port, peer) if profile.listen is not None:
            return ListenWay(host, port, peer=peer)
        case SerialAddress(path) if (line := serial_line(address, profile)) is not None:
            return SerialWay(path, line)
        case _:
            raise DeviceError(
                "terminal.no_such_way", address=address.text, profile=profile.name, ways=", ".join(profile.link_kinds)
            )
