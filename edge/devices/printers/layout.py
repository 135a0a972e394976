"""Where everything of a receipt goes: rows become measured items on a page of a known width. Nothing is drawn here.

Coordinates are dots from the top left; text sits on its baseline. A Persian paper starts at the right, an English one
at the left, and the same rows serve both: "start" and "end" are sides of the language, not of the paper.
"""

import re
import unicodedata
from typing import Final

import msgspec
import segno

from edge.devices.printers.page import BASELINE, Box, Dashes, Ink, Item, Modules, Page, Symbol, TextRun
from edge.devices.printers.plate import COUNTRY, draw_plate, moved
from edge.devices.printers.typeface import Direction, missing_characters, text_width
from firmware_profiles.printer_profile import PrinterProfile
from shared.errors import DeviceError
from shared.money import rial_text, toman_text
from shared.receipt import Amount, AnyRow, Logo, Mark, Pair, Plate, QrCode, Receipt, Rule, Space, Text, Title


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Type sizes of one paper width, in dots per em (8 dots are a millimetre)."""

    small: int
    normal: int
    large: int
    huge: int
    title: int
    band: int
    amount: int
    module_max: int


WIDE: Final = Scale(small=24, normal=28, large=36, huge=120, title=42, band=52, amount=60, module_max=6)
NARROW: Final = Scale(small=21, normal=24, large=29, huge=96, title=32, band=42, amount=44, module_max=5)
_WIDE_FROM_DOTS: Final = 480
_LINE: Final = 1.5
"""Height of a line in em: Persian needs room above for marks and below for tails."""
_LINE_HUGE: Final = 1.25
"""The same for a ticket's number, which is digits and has neither."""
_QUIET_MODULES: Final = 4
"""White around a QR code that readers need (ISO/IEC 18004)."""
_QR_SHARE: Final = 0.44
"""The part of the paper's width a QR code may take when its modules stay readable."""
_MODULE_MIN: Final = 4
"""Half a millimetre: what phones read from thermal paper without trouble."""


_WORDS: Final = re.compile(r"[0-9۰-۹٬٫,.]+ (?:تومان|ریال|toman|rial)\b|\S+")


def lay_out(receipt: Receipt, profile: PrinterProfile) -> Page:
    """Return the receipt measured for a printer's paper.

    Raises DeviceError `printer.shaping_missing` (no FriBidi on this machine) and `printer.glyph_missing` (a text has a
    character the typeface cannot show; nothing is printed rather than a paper with holes).
    """
    composer = _Composer(receipt, profile)
    for row in receipt.rows:
        composer.add(row)
    return composer.page()


def direction_of(text: str, otherwise: Direction) -> Direction:
    """Return the direction of the first letter that has one (UAX 9, rule P2)."""
    for character in text:
        match unicodedata.bidirectional(character):
            case "R" | "AL":
                return "rtl"
            case "L":
                return "ltr"
            case _:
                continue
    return otherwise


def wrap(text: str, size: int, direction: Direction, width: int) -> list[str]:
    """Return the text in lines no wider than `width` dots: between words, and inside one that is wider alone.

    An amount is one word with its unit.
    """
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(text):
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, direction) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, size, direction, width)
        lines.extend(full)
    return [*lines, line]


def _pieces(word: str, size: int, direction: Direction, width: int) -> list[str]:
    """Return a word cut so that each piece fits; one character at least, however narrow the paper."""
    pieces: list[str] = []
    rest = word
    while rest and text_width(rest, size, direction) > width:
        count = len(rest) - 1
        while count > 1 and text_width(rest[:count], size, direction) > width:
            count -= 1
        count = max(count, 1)
        pieces.append(rest[:count])
        rest = rest[count:]
    return [*pieces, rest]


class _Composer:
    """Puts rows below one another."""

    def __init__(self, receipt: Receipt, profile: PrinterProfile) -> None:
        self._rtl = receipt.language == "fa"
        self._language = receipt.language
        self._paper = profile.paper
        self._left = profile.paper.margin_dots
        self._width = profile.paper.printable_dots - 2 * profile.paper.margin_dots
        self._scale = WIDE if profile.paper.printable_dots >= _WIDE_FROM_DOTS else NARROW
        self._y = 0
        self._items: list[Item] = []

    def page(self) -> Page:
        return Page(width=self._paper.printable_dots, height=self._y + 1, items=tuple(self._items))

    def add(self, row: AnyRow) -> None:
        match row:
            case Title():
                size = self._fitting(row.text, self._scale.title, self._scale.large, self._width)
                self._paragraph(row.text, size, "center", bold=True)
            case Text():
                self._paragraph(row.text, getattr(self._scale, row.size), row.align, bold=row.bold)
            case Pair():
                self._pair(row)
            case Amount():
                self._amount(row)
            case Mark():
                self._mark(row)
            case Rule():
                self._rule(row)
            case Space():
                self._y += row.height_mm * self._paper.dots_per_mm
            case QrCode() | Plate() | Logo():
                self._figure(row)

    def _figure(self, row: QrCode | Plate | Logo) -> None:
        match row:
            case QrCode():
                self._qr(row)
            case Plate():
                self._plate(row)
            case Logo():
                side = row.height_mm * self._paper.dots_per_mm
                self._items.append(Symbol(x=self._x(side, "center"), y=self._y, side=side, icon="logo"))
                self._y += side + self._paper.dots_per_mm

    def _base(self) -> Direction:
        return "rtl" if self._rtl else "ltr"

    def _run(
        self, text: str, size: int, x: int, top: float, direction: Direction, *, bold: bool, ink: Ink = "black"
    ) -> None:
        """Put one line at `x`, its line box starting at `top`."""
        baseline = round(top + size * BASELINE)
        self._items.append(
            TextRun(x=x, baseline=baseline, text=text, size=size, direction=direction, bold=bold, ink=ink)
        )

    def _x(self, width: float, align: str) -> int:
        """Return the left edge of something `width` dots wide, put at a side of the language."""
        free = self._width - width
        match align:
            case "center":
                return self._left + round(free / 2)
            case "start":
                return self._left + (round(free) if self._rtl else 0)
            case _:
                return self._left + (0 if self._rtl else round(free))

    def _checked(self, text: str) -> str:
        missing = missing_characters(text)
        if missing:
            raise DeviceError("printer.glyph_missing", characters=" ".join(missing), text=text)
        return text

    def _fitting(self, text: str, largest: int, smallest: int, width: int) -> int:
        """Return the largest of the sizes at which a heading stays on one line; `largest` if none does."""
        direction = direction_of(text, self._base())
        sizes = range(largest, smallest - 1, -1)
        return next((size for size in sizes if text_width(text, size, direction) <= width), largest)

    def _paragraph(self, text: str, size: int, align: str, *, bold: bool) -> None:
        direction = direction_of(self._checked(text), self._base())
        height = round(size * (_LINE if size < self._scale.huge else _LINE_HUGE))
        for line in wrap(text, size, direction, self._width):
            x = self._x(text_width(line, size, direction), align)
            self._run(line, size, x, self._y, direction=direction, bold=bold)
            self._y += height

    def _pair(self, row: Pair) -> None:
        """Put label and value on one line with dots between, or the value below when both do not fit."""
        size = self._scale.normal
        gap = size
        label_direction = direction_of(self._checked(row.label), self._base())
        value_direction: Direction = "ltr" if row.ltr else direction_of(self._checked(row.value), self._base())
        label_width = text_width(row.label, size, label_direction)
        room = self._width - label_width - gap
        if text_width(self._checked(row.value), size, value_direction) > room:
            self._paragraph(row.label, size, "start", bold=row.bold)
            lines = wrap(row.value, size, value_direction, self._width)
        else:
            self._run(row.label, size, self._x(label_width, "start"), self._y, direction=label_direction, bold=row.bold)
            self._leader(label_width, text_width(row.value, size, value_direction), size)
            lines = [row.value]
        for line in lines:
            x = self._x(text_width(line, size, value_direction), "end")
            self._run(line, size, x, self._y, direction=value_direction, bold=True)
            self._y += round(size * _LINE)

    def _leader(self, label_width: float, value_width: float, size: int) -> None:
        """Put the dots that lead the eye from a label to its value; they stand on one grid down the whole paper."""
        step, side = 10, 2
        near, far = (value_width, label_width) if self._rtl else (label_width, value_width)
        first = self._left + round(near) + size // 2
        last = self._left + self._width - round(far) - size // 2
        y = round(self._y + size * BASELINE) - side
        x = first + (-first) % step
        if last - x > side:
            self._items.append(Dashes(x=x, y=y, width=last - x, step=step, dash=side, height=side))

    def _plate(self, row: Plate) -> None:
        self._checked(COUNTRY + row.plate.letter)
        drawn = draw_plate(row.plate, self._scale.band, self._scale.small)
        self._y += self._paper.dots_per_mm
        x, y = self._x(drawn.width, "center"), self._y
        self._items += [moved(item, x, y) for item in drawn.items]
        self._y += drawn.height + self._paper.dots_per_mm

    def _amount(self, row: Amount) -> None:
        label, small = self._scale.small, self._scale.small
        base = self._base()
        toman = toman_text(row.amount_rial, self._language)
        size = self._scale.amount
        while text_width(toman, size, base) > self._width:
            size -= 2
        for text, text_size, bold in (
            (self._checked(row.label), label, False),
            (toman, size, True),
            (rial_text(row.amount_rial, self._language), small, False),
        ):
            x = self._x(text_width(text, text_size, base), "center")
            self._run(text, text_size, x, self._y, direction=base, bold=bold)
            self._y += round(text_size * (_LINE - 0.1))
        self._y += self._paper.dots_per_mm

    def _mark(self, row: Mark) -> None:
        """Put a band across the paper, or a frame round its words with the icon at the starting side."""
        scale, language_side = self._scale, -1 if self._rtl else 1
        band = row.look == "band"
        padding = scale.large // 2
        icon_side = 0 if row.icon == "none" else round(scale.large * 0.95)
        icon_room = icon_side + padding // 2 if icon_side else 0
        room = self._width - 2 * padding - icon_room
        largest, smallest = (scale.band, scale.large) if band else (scale.large, scale.normal)
        size = self._fitting(self._checked(row.text), largest, smallest, room)
        direction = direction_of(row.text, self._base())
        lines = wrap(row.text, size, direction, room)
        widths = [text_width(line, size, direction) for line in lines]
        inner = max(widths) + icon_room
        width = self._width if band else round(inner) + 2 * padding
        height = round(len(lines) * size * _LINE) + size // 4
        self._y += self._paper.dots_per_mm
        left = self._x(width, "center")
        border = {"line": 0, "radius": 0} if band else {"line": 3, "radius": size // 3}
        self._items.append(Box(x=left, y=self._y, width=width, height=height, **border))
        if icon_side:
            x = self._x(inner, "center") + (round(inner) - icon_side if self._rtl else 0)
            self._items.append(Symbol(x=x, y=self._y + (height - icon_side) // 2, side=icon_side, icon=row.icon))
        shift = round(icon_room / 2) * language_side
        top = self._y + size / 8
        for line, line_width in zip(lines, widths, strict=True):
            x = self._x(line_width, "center") + shift
            self._run(line, size, x, top, direction=direction, bold=True, ink="white" if band else "black")
            top += size * _LINE
        self._y += height + self._paper.dots_per_mm

    def _rule(self, row: Rule) -> None:
        gap = self._paper.dots_per_mm
        self._y += gap
        match row.look:
            case "line":
                self._items.append(Box(x=self._left, y=self._y, width=self._width, height=2))
                self._y += 2
            case "double":
                self._items.append(Box(x=self._left, y=self._y, width=self._width, height=4))
                self._items.append(Box(x=self._left, y=self._y + 7, width=self._width, height=1))
                self._y += 8
            case _:
                self._items.append(Dashes(x=self._left, y=self._y, width=self._width, step=12, dash=6, height=2))
                self._y += 2
        self._y += gap

    def _qr(self, row: QrCode) -> None:
        code = segno.make(row.url, error="m", micro=False)
        matrix = tuple(bytes(line) for line in code.matrix)
        count = len(matrix)
        fitting = self._width // (count + 2 * _QUIET_MODULES)
        wished = max(round(self._width * _QR_SHARE) // count, _MODULE_MIN)
        scale = max(min(wished, fitting, self._scale.module_max), 1)
        quiet = _QUIET_MODULES * scale
        self._y += quiet
        self._items.append(Modules(x=self._x(count * scale, "center"), y=self._y, scale=scale, matrix=matrix))
        self._y += count * scale + quiet
        if row.caption:
            self._y -= quiet // 2
            self._paragraph(row.caption, self._scale.small, "center", bold=False)
            self._y += self._paper.dots_per_mm
