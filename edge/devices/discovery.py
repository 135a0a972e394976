"""Terminals that call out over UDP where they are. Only Sadad's do: once a second, on ports 100 and 8010.

The call is UTF-8: `SADAD PC POS:merchant's name:IP:port:terminal number:merchant number`. Listening sends nothing. What
is heard is what anybody in the network may say: it fills a form for a person to check, and connects to nothing.
"""

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from firmware_profiles.profile import ProtocolName

_CALL: Final = re.compile(
    r"SADAD PC ?POS:(?P<name>.*):(?P<host>[0-9.]+):(?P<port>[0-9]{1,5})"
    r":(?P<terminal>[0-9A-Za-z]*):(?P<merchant>[0-9]*)\s*"
)
_CALL_BYTES_MAX: Final = 512
_CALLS_MAX: Final = 64
"""More than any office has; a flood of calls is not kept."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One terminal that said where it is."""

    protocol: ProtocolName
    text: str
    """What it called itself: the protocol's name and the merchant's."""
    host: str
    port: int
    terminal_number: str
    merchant_number: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard, each terminal once, and the ports that could not be listened on."""

    calls: tuple[Call, ...]
    refused: tuple[int, ...]


def read_call(data: bytes) -> Call | None:
    """Return the terminal that a call is from, or None for bytes that are none."""
    try:
        found = _CALL.fullmatch(data[:_CALL_BYTES_MAX].decode("utf-8").rstrip("\0"))
    except UnicodeDecodeError:
        return None
    if found is None or not 1 <= int(found["port"]) <= 65_535:  # noqa: PLR2004 - a port
        return None
    try:
        host = str(ipaddress.IPv4Address(found["host"]))
    except ValueError:
        return None
    name = "".join(one for one in found["name"] if one.isprintable()).strip()
    return Call(
        protocol="sadad",
        text=f"SADAD PC POS {name}".strip(),
        host=host,
        port=int(found["port"]),
        terminal_number=found["terminal"],
        merchant_number=found["merchant"],
    )


class _Ear(asyncio.DatagramProtocol):
    """Keeps each terminal's newest call."""

    def __init__(self, calls: dict[tuple[str, int], Call]) -> None:
        self._calls = calls

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - it says where it is
        call = read_call(data)
        if call is not None and len(self._calls) < _CALLS_MAX:
            self._calls[(call.host, call.port)] = call


async def hear_calls(ports: Sequence[int], seconds: float, *, host: str = "0.0.0.0") -> Heard:  # noqa: S104 - broadcasts
    """Listen that long for terminals that call out.

    A port that cannot be had (100 needs privilege) is told, not raised.
    """
    calls: dict[tuple[str, int], Call] = {}
    refused: list[int] = []
    ears: list[asyncio.DatagramTransport] = []
    for port in ports:
        try:
            ear, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Ear(calls), local_addr=(host, port), allow_broadcast=True
            )
        except OSError:
            refused.append(port)
        else:
            ears.append(ear)
    try:
        if ears:
            await asyncio.sleep(seconds)
    finally:
        for ear in ears:
            ear.close()
    return Heard(calls=tuple(calls[key] for key in sorted(calls)), refused=tuple(refused))
