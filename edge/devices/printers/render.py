"""A receipt as a picture, and as the bytes a printer takes. Pure: facts in, bytes out; run it off the event loop.

Everything is drawn larger, made smaller by averaging and cut at a threshold: of the ways to black and white this keeps
the thin joins and round bowls of Persian letters, which the font engine's own one-bit mode breaks.
"""

from typing import Final, assert_never

from PIL import Image, ImageDraw

from edge.devices.printers.escpos_encoder import encode
from edge.devices.printers.layout import lay_out
from edge.devices.printers.page import Box, Dashes, Item, Modules, Page, Symbol, TextRun
from edge.devices.printers.typeface import font
from firmware_profiles.printer_profile import PrinterProfile
from shared.receipt import Receipt

_OVERSAMPLE: Final = 4
_THRESHOLD: Final = 150
"""Grey below this prints. Above the middle, since thermal dots of a hairline fade."""
_BOLD_EM: Final = 0.022
_BOLD_EM_SMALL: Final = 0.014
_BOLD_FULL_FROM: Final = 32
"""How far a bold stroke grows on each side, in em: the typeface comes in one weight. Below this many dots an em the
full growth would close the bowls of Persian digits."""
_WHITE: Final = 255
_BLACK: Final = 0


def render(receipt: Receipt, profile: PrinterProfile) -> bytes:
    """Return the bytes of a print job: the picture in bands, feed, cut, end-of-job marker.

    Raises DeviceError `printer.shaping_missing`, `printer.glyph_missing`.
    """
    return encode(picture(receipt, profile), profile)


def picture(receipt: Receipt, profile: PrinterProfile) -> Image.Image:
    """Return the paper as a one-bit image, as wide as the printer's head. Raises as `render`."""
    return draw(lay_out(receipt, profile))


def draw(page: Page) -> Image.Image:
    """Return a laid-out page as a one-bit image: 0 is black, 255 is paper."""
    large = canvas(page)
    paint(page, ImageDraw.Draw(large))
    return finish(large)


def canvas(page: Page) -> Image.Image:
    """Return the white sheet on which a page is drawn, in grey and larger than it will be."""
    return Image.new("L", (page.width * _OVERSAMPLE, page.height * _OVERSAMPLE), _WHITE)


def paint(page: Page, pen: ImageDraw.ImageDraw) -> None:
    """Draw everything of a page."""
    for item in page.items:
        _draw_item(pen, item)


def finish(large: Image.Image) -> Image.Image:
    """Return a drawn sheet in its own size, black and white."""
    return (
        large.reduce(_OVERSAMPLE)
        .point([_BLACK if grey < _THRESHOLD else _WHITE for grey in range(256)])
        .convert("1", dither=Image.Dither.NONE)
    )


def _draw_item(pen: ImageDraw.ImageDraw, item: Item) -> None:
    match item:
        case TextRun():
            _draw_text(pen, item)
        case Box():
            _draw_box(pen, item)
        case Dashes():
            for x in range(item.x, item.x + item.width - item.dash, item.step):
                pen.rectangle(_corners(x, item.y, item.dash, item.height), fill=_BLACK)
        case Symbol():
            _draw_symbol(pen, item)
        case Modules():
            _draw_modules(pen, item)
        case _:  # pragma: no cover - the type checker holds this
            assert_never(item)


def _draw_text(pen: ImageDraw.ImageDraw, item: TextRun) -> None:
    pen.text(
        (item.x * _OVERSAMPLE, item.baseline * _OVERSAMPLE),
        item.text,
        fill=_BLACK if item.ink == "black" else _WHITE,
        font=font(item.size * _OVERSAMPLE),
        anchor="ls",
        direction=item.direction,
        language="fa" if item.direction == "rtl" else "en",
        stroke_width=_stroke(item),
    )


def _stroke(item: TextRun) -> float:
    """Return what bold adds around a letter, in dots of the large canvas."""
    if not item.bold:
        return 0
    return item.size * _OVERSAMPLE * (_BOLD_EM if item.size >= _BOLD_FULL_FROM else _BOLD_EM_SMALL)


def _draw_box(pen: ImageDraw.ImageDraw, item: Box) -> None:
    corners = _corners(item.x, item.y, item.width, item.height)
    if item.line == 0:
        pen.rectangle(corners, fill=_BLACK)
    else:
        pen.rounded_rectangle(corners, radius=item.radius * _OVERSAMPLE, outline=_BLACK, width=item.line * _OVERSAMPLE)


def _draw_modules(pen: ImageDraw.ImageDraw, item: Modules) -> None:
    for row, line in enumerate(item.matrix):
        for column, dark in enumerate(line):
            if dark:
                x, y = item.x + column * item.scale, item.y + row * item.scale
                pen.rectangle(_corners(x, y, item.scale, item.scale), fill=_BLACK)


def _corners(x: int, y: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the first and the last dot of a rectangle on the large canvas; Pillow counts both in."""
    return (x * _OVERSAMPLE, y * _OVERSAMPLE, (x + width) * _OVERSAMPLE - 1, (y + height) * _OVERSAMPLE - 1)


def _draw_symbol(pen: ImageDraw.ImageDraw, item: Symbol) -> None:
    """Draw a sign the typeface does not have, from its points in a square of side 1."""
    side = item.side * _OVERSAMPLE
    line = max(side // 9, 1)

    def at(x: float, y: float) -> tuple[float, float]:
        return (item.x * _OVERSAMPLE + x * side, item.y * _OVERSAMPLE + y * side)

    match item.icon:
        case "check":
            pen.ellipse((*at(0, 0), *at(1, 1)), fill=_BLACK)
            pen.line((at(0.24, 0.53), at(0.43, 0.71), at(0.77, 0.32)), fill=_WHITE, width=line, joint="curve")
        case "clock":
            pen.ellipse((*at(0, 0), *at(1, 1)), outline=_BLACK, width=line)
            pen.line((at(0.5, 0.22), at(0.5, 0.54), at(0.72, 0.66)), fill=_BLACK, width=line, joint="curve")
        case "alert":
            pen.polygon((at(0.5, 0.02), at(1, 0.94), at(0, 0.94)), fill=_BLACK)
            pen.line((at(0.5, 0.34), at(0.5, 0.64)), fill=_WHITE, width=line)
            pen.ellipse((*at(0.44, 0.72), *at(0.56, 0.84)), fill=_WHITE)
        case "logo":
            _draw_logo(pen, item)
        case "none":
            return


def _draw_logo(pen: ImageDraw.ImageDraw, item: Symbol) -> None:
    """Draw our emblem, the notebook of the pages' own icon: white lines on a black square with round corners."""
    side = item.side * _OVERSAMPLE
    line = round(side * 0.075)

    def at(x: float, y: float) -> tuple[float, float]:
        return (item.x * _OVERSAMPLE + x * side / 24, item.y * _OVERSAMPLE + y * side / 24)

    pen.rounded_rectangle((*at(0, 0), *at(24, 24)), radius=side * 5 // 24, fill=_BLACK)
    pen.rounded_rectangle((*at(5, 3.5), *at(19, 20.5)), radius=side // 12, outline=_WHITE, width=line)
    pen.rectangle((*at(8.4, 3.5), *at(10, 20.5)), fill=_WHITE)
    for y in (8.2, 12):
        pen.rectangle((*at(11.8, y), *at(16.4, y + 1.6)), fill=_WHITE)
