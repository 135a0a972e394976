"""A vehicle's plate as it hangs on the vehicle: `99 ل 283` from left to right, the region in its own field."""

from typing import Final

import msgspec

from edge.devices.printers.page import BASELINE, Box, Item, TextRun
from edge.devices.printers.typeface import text_width
from shared.receipt import PlateNumber
from shared.text import persian_digits

COUNTRY: Final = "ایران"
_BORDER: Final = 3
_LINE: Final = 1.5


class DrawnPlate(msgspec.Struct, frozen=True, kw_only=True):
    """A plate whose top left corner is at 0, 0."""

    width: int
    height: int
    items: tuple[Item, ...]


def draw_plate(plate: PlateNumber, size: int, small: int) -> DrawnPlate:
    """Return the plate with its letters in one size and the country's name in a smaller one, in dots an em."""
    parts = (persian_digits(plate.two), plate.letter, persian_digits(plate.three))
    height = round(size * _LINE) + 2 * _BORDER
    gap = size // 3
    small = min(small, size // 2)
    items: list[Item] = []
    x = _BORDER + size // 2
    # The strip at the left edge, blue on the vehicle.
    items.append(Box(x=0, y=0, width=x, height=height))
    for part in parts:
        x += gap
        items.append(_run(part, x, _BORDER, size))
        x += round(_width(part, size))
    x += gap
    region = persian_digits(plate.region)
    field = round(max(_width(COUNTRY, small), _width(region, size))) + 2 * gap
    items.append(Box(x=x, y=0, width=_BORDER, height=height))
    lower = round(size * 0.75)
    for text, text_size, baseline in ((COUNTRY, small, 0.42), (region, lower, 0.86)):
        left = x + _BORDER + round((field - _BORDER - _width(text, text_size)) / 2)
        items.append(_run(text, left, round(height * baseline - text_size * BASELINE), text_size))
    width = x + field
    items.append(Box(x=0, y=0, width=width, height=height, line=_BORDER, radius=size // 5))
    return DrawnPlate(width=width, height=height, items=tuple(items))


def moved(item: Item, x: int, y: int) -> Item:
    """Return an item moved by so many dots."""
    if isinstance(item, TextRun):
        return msgspec.structs.replace(item, x=item.x + x, baseline=item.baseline + y)
    return msgspec.structs.replace(item, x=item.x + x, y=item.y + y)


def _width(text: str, size: int) -> float:
    return text_width(text, size, "rtl")


def _run(text: str, x: int, top: int, size: int) -> TextRun:
    return TextRun(x=x, baseline=round(top + size * BASELINE), text=text, size=size, direction="rtl", bold=True)
