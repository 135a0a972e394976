from importlib.resources import files
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, features

from edge.devices.printers import typeface
from shared.error_texts import describe
from shared.errors import DeviceError

PERSIAN = "ءآأؤئابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیٔ۰۱۲۳۴۵۶۷۸۹٬٫؛،؟«»"


def drawn(font: ImageFont.FreeTypeFont, text: str, direction: str | None = None) -> Image.Image:
    canvas = Image.new("1", (600, 160), 255)
    pen = ImageDraw.Draw(canvas)
    pen.fontmode = "1"
    pen.text((20, 110), text, fill=0, font=font, anchor="ls", direction=direction)
    return canvas


@pytest.mark.parametrize(
    ("word", "visual"),
    [
        ("قبض", "\ufebe\ufe92\ufed7"),  # left to right: final zad, medial be, initial qaf
        ("پرداخت", "\ufe96\ufea7\ufe8d\ufea9\ufeae\ufb58"),
        ("گاز", "\ufeaf\ufe8e\ufb94"),
        ("می\u200cشود", "\ufea9\ufeee\ufeb7\ufbfd\ufee3"),  # a half space parts the letters without white
    ],
)
def test_letters_join_and_run_from_the_right(word: str, visual: str) -> None:
    """The oracle is the old way: presentation forms, put in visual order by hand, drawn without any shaping.

    Kerning is not in the old way, so a few dots may differ; turned round or unjoined, a whole part of the word does.
    """
    shaped = drawn(typeface.font(80), word, "rtl")
    assert differing(shaped, drawn(plain_font(), visual)) < 0.08
    assert differing(shaped, drawn(plain_font(), visual[::-1])) > 0.12
    assert differing(shaped, drawn(plain_font(), word[::-1])) > 0.12


def plain_font() -> ImageFont.FreeTypeFont:
    file = files("shared").joinpath("assets", "vendor", "vazirmatn.woff2")
    return ImageFont.truetype(BytesIO(file.read_bytes()), 80, layout_engine=ImageFont.Layout.BASIC)


def ink(picture: Image.Image) -> Image.Image:
    box = picture.convert("L").point(lambda grey: 255 - grey).getbbox()
    assert box
    return picture.convert("L").crop(box)


def differing(one: Image.Image, other: Image.Image) -> float:
    """Return the part of the dots that differ, inked parts laid on one another."""
    one, other = ink(one), ink(other)
    size = (min(one.width, other.width), min(one.height, other.height))
    difference = ImageChops.difference(one.crop((0, 0, *size)), other.crop((0, 0, *size))).tobytes()
    return (len(difference) - difference.count(0)) / len(difference)


def test_a_joined_word_is_narrower_than_its_letters_apart() -> None:
    word = "قبض"
    apart = sum(typeface.text_width(letter, 30, "rtl") for letter in word)
    assert typeface.text_width(word, 30, "rtl") < apart * 0.8


def test_all_of_persian_and_ascii_has_glyphs() -> None:
    ascii_ = "".join(chr(code) for code in range(0x20, 0x7F))
    assert typeface.missing_characters(PERSIAN + ascii_ + "…·•–—×\u200c\u200f\u00a0") == []


def test_characters_that_would_leave_a_hole_are_found() -> None:
    assert typeface.missing_characters("نام ✓ دفتر 漢 ✓\n") == ["✓", "漢", "\n"]


def test_without_fribidi_nothing_is_printed_and_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "raqm")
    typeface._shaping_font.cache_clear()
    with pytest.raises(DeviceError) as refused:
        typeface.text_width("سلام", 30, "rtl")
    monkeypatch.undo()
    assert refused.value.code == "printer.shaping_missing"
    for language in ("fa", "en"):
        described = describe(refused.value, language)
        assert "libfribidi0" in described.what
        assert "libfribidi0" in described.do
