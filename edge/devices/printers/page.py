"""What is drawn on a paper, measured: items with their places in dots from the top left. Text sits on its baseline."""

from typing import Final, Literal

import msgspec

from edge.devices.printers.typeface import Direction
from shared.receipt import Icon

Ink = Literal["black", "white"]
Sign = Icon | Literal["logo"]

BASELINE: Final = 1.06
"""Where in a line of text the letters stand, in em from its top: Persian needs room above for marks."""


class TextRun(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text of one size: its left edge, its baseline."""

    x: int
    baseline: int
    text: str
    size: int
    direction: Direction
    bold: bool = False
    ink: Ink = "black"


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle: `line` dots of border, or black all over when `line` is 0. Edges are outside the last dot."""

    x: int
    y: int
    width: int
    height: int
    line: int = 0
    radius: int = 0


class Dashes(msgspec.Struct, frozen=True, kw_only=True):
    """Black rectangles of one size, `step` dots from one to the next, none beyond `width`."""

    x: int
    y: int
    width: int
    step: int
    dash: int
    height: int


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    """A small drawn sign in a square."""

    x: int
    y: int
    side: int
    icon: Sign


class Modules(msgspec.Struct, frozen=True, kw_only=True):
    """A QR code: rows of dark (1) and light (0) modules, each `scale` dots."""

    x: int
    y: int
    scale: int
    matrix: tuple[bytes, ...]


Item = TextRun | Box | Dashes | Symbol | Modules


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A laid-out paper, in dots."""

    width: int
    height: int
    items: tuple[Item, ...]
