"""Serial and USB ports of this machine, by paths that stay the same, with what is plugged in there."""

from pathlib import Path
from typing import Final

import msgspec
from serial.tools import list_ports

STABLE: Final = Path("/dev/serial/by-id")


class SerialPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port: its path, and what the device on USB says it is (empty for a bare serial port)."""

    path: str
    text: str = ""
    usb_vendor: str | None = None
    usb_product: str | None = None


def _stable_paths(folder: Path) -> dict[str, str]:
    """Return {device: stable path}; empty where the system makes none."""
    if not folder.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in sorted(folder.iterdir())}


def serial_ports(folder: Path = STABLE) -> list[SerialPort]:
    """Return the ports there are, by path. A built-in port that nothing is known of is listed too."""
    stable = _stable_paths(folder)
    found = [
        SerialPort(
            path=stable.get(port.device, port.device),
            text=" ".join(part for part in (port.manufacturer, port.product) if part),
            usb_vendor=None if port.vid is None else f"{port.vid:04x}",
            usb_product=None if port.pid is None else f"{port.pid:04x}",
        )
        for port in list_ports.comports()
    ]
    return sorted(found, key=lambda port: port.path)
