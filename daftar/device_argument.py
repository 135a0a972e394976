"""A device as it is typed on the command line: its model, and where it is."""

import re
from typing import Any, Final

import click

from edge.settings import PrinterSettings

_DEVICE: Final = re.compile(
    r"(?:(?P<name>[^=]+)=)?(?P<profile>[\w-]+/[\w-]+)@"
    r"(?:(?P<address>[a-z]+://\S+)|(?P<host>[^\s@:/]+)(?::(?P<port>\d{1,5}))?)"
)


class DeviceArgument(click.ParamType[dict[str, str]]):
    """A device as `[NAME=]MAKER/MODEL@HOST[:PORT]` or `[NAME=]MAKER/MODEL@ADDRESS`."""

    name = "MAKER/MODEL@HOST[:PORT]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        """Return the parts that were given: profile, and address or host, and perhaps name and port."""
        if isinstance(value, dict):
            return value
        found = _DEVICE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not MAKER/MODEL@HOST[:PORT] or MAKER/MODEL@ADDRESS", param, ctx)
        return {key: part for key, part in found.groupdict().items() if part is not None}


def printer_settings(given: dict[str, str]) -> PrinterSettings:
    """Return the settings of a printer that was typed. Raises ValueError on an address that is none."""
    if "address" in given:
        return PrinterSettings(profile=given["profile"], address=given["address"])
    return PrinterSettings(profile=given["profile"], host=given["host"], port=int(given.get("port", "9100")))
