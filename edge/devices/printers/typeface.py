"""The one typeface of the papers: Vazirmatn, shaped by raqm, from the same file the pages use.

Persian cannot be printed without shaping: letters would stand apart and run backwards. Pillow brings raqm and HarfBuzz
but looks for the system's FriBidi when it starts, and falls back to unshaped text in silence when that is missing; so
it is asked for by name before anything is measured. Characters the font does not have are as silent: they are looked
for too.
"""

import unicodedata
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final, Literal

from PIL import ImageFont, features

from shared.errors import DeviceError

FRIBIDI_PACKAGE: Final = "libfribidi0"
"""The system package (Debian's name) that Pillow needs for shaping."""

Direction = Literal["rtl", "ltr"]

_MEASURE: Final = 4
_CHECK_SIZE: Final = 256
"""Dots per em at which glyphs are compared; large enough that two different glyphs differ."""
_NEVER_ASSIGNED: Final = "\uffff"
"""A code point no font may map: it shows what a missing character looks like in this font."""
_INVISIBLE: Final = frozenset({"Zs", "Cf"})
"""Unicode categories that have no ink and need no glyph: spaces, joiners, direction marks."""


def require_shaping() -> None:
    """Raise DeviceError `printer.shaping_missing` when Persian cannot be shaped on this machine."""
    if not features.check("raqm"):
        raise DeviceError("printer.shaping_missing", package=FRIBIDI_PACKAGE)


@cache
def _font_bytes() -> bytes:
    return files("shared").joinpath("assets", "vendor", "vazirmatn.woff2").read_bytes()


@cache
def _shaping_font(size: int) -> ImageFont.FreeTypeFont:
    require_shaping()
    return ImageFont.truetype(BytesIO(_font_bytes()), size, layout_engine=ImageFont.Layout.RAQM)


@cache
def _plain_font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO(_font_bytes()), _CHECK_SIZE, layout_engine=ImageFont.Layout.BASIC)


def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the typeface at a size in dots per em. Raises DeviceError `printer.shaping_missing`."""
    return _shaping_font(size)


def text_width(text: str, size: int, direction: Direction) -> float:
    """Return how far a shaped text reaches, in dots."""
    # Measured large: at small sizes the font engine rounds every advance to whole dots.
    return font(size * _MEASURE).getlength(text, direction=direction, language=_language(direction)) / _MEASURE


def _language(direction: Direction) -> str:
    return "fa" if direction == "rtl" else "en"


@cache
def _look(character: str) -> tuple[float, tuple[int, int], bytes]:
    """Return advance, size and ink of one glyph, taken without shaping: the font's own map and nothing else."""
    plain = _plain_font()
    mask = plain.getmask(character, mode="1")
    return plain.getlength(character), mask.size, bytes(mask)


@cache
def has_glyph(character: str) -> bool:
    """Return whether the font can show a character; invisible ones need no glyph, control characters never have one."""
    if unicodedata.category(character) in _INVISIBLE:
        return True
    return _look(character) != _look(_NEVER_ASSIGNED)


def missing_characters(text: str) -> list[str]:
    """Return the characters of a text that would leave a hole on the paper, in order, each once."""
    return [character for character in dict.fromkeys(text) if not has_glyph(character)]
