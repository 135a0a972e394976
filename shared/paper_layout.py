"""How the layouts of papers are written: one file a document under `shared/papers/`, data and nothing else.

A layout lists rows from top to bottom. Their words are Persian and English; in braces stand members of the facts that
the paper is filled with (`shared.paper_facts`), after a colon how they are written:

    {operator}                 as it is; whole numbers in the language's digits
    {office_code:digits}       digits of a code, in the language's digits
    {paid_at:date} {paid_at:time}      Jalali or Gregorian date, time of day
    {amount_rial:rial} {amount_rial:toman}     an amount with its unit
    {pan:fours}                in groups of four, as cards carry it
    {leaf:hash}                the first digits of a hash, in groups of four
    {state:word}               what `[words.state]` calls it; {kind:word:parameter} what another table does

A row that names a member which is not known (None or empty) is left out. `given` and `missing` ask for a member that
does not stand in the row, `only` for one of some words. `each` repeats a part for every item of a member.
"""

from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from shared.receipt import Align, Icon, ReceiptKind, Size
from shared.text import Language

FOLDER: Final = "papers"
_PARTS: Final = "parts.toml"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    fa: str
    en: str


Words = str | Said
"""A text in both languages, or one that both have in common."""


def in_language(words: Words, language: Language) -> str:
    """Return the text of a language."""
    if isinstance(words, str):
        return words
    return words.fa if language == "fa" else words.en


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="row"):
    """What all rows of a layout may say: when they stand on the paper."""

    only: dict[str, tuple[str, ...]] = {}
    given: str = ""
    missing: str = ""


class TitleLine(Line, frozen=True, tag="title"):
    """See `shared.receipt.Title`."""

    text: Words


class TextLine(Line, frozen=True, tag="text"):
    """See `shared.receipt.Text`."""

    text: Words
    align: Align = "start"
    size: Size = "normal"
    bold: bool = False


class PairLine(Line, frozen=True, tag="pair"):
    """See `shared.receipt.Pair`."""

    label: Words
    value: Words
    ltr: bool = False
    bold: bool = False


class AmountLine(Line, frozen=True, tag="amount"):
    """See `shared.receipt.Amount`; `amount` is the member that holds the rials."""

    label: Words
    amount: str


class MarkLine(Line, frozen=True, tag="mark"):
    """See `shared.receipt.Mark`."""

    text: Words
    look: Literal["band", "frame"]
    icon: Icon = "none"


class RuleLine(Line, frozen=True, tag="rule"):
    """See `shared.receipt.Rule`."""

    look: Literal["line", "dotted", "double"] = "line"


class QrLine(Line, frozen=True, tag="qr"):
    """See `shared.receipt.QrCode`; `url` is the member that holds the address."""

    url: str
    caption: Words


class PlateLine(Line, frozen=True, tag="plate"):
    """See `shared.receipt.Plate`; `plate` is the member that holds it."""

    plate: str


class LogoLine(Line, frozen=True, tag="logo"):
    """See `shared.receipt.Logo`."""

    height_mm: int = 9


class SpaceLine(Line, frozen=True, tag="space"):
    """See `shared.receipt.Space`."""

    height_mm: int


class PartLine(Line, frozen=True, tag="part"):
    """The rows of a part, of this file or of the shared one."""

    part: str


class EachLine(Line, frozen=True, tag="each"):
    """The rows of a part for every item; `{place}` counts them from 1, other names are the item's, then the facts'."""

    of: str
    part: str


AnyLine = (
    TitleLine
    | TextLine
    | PairLine
    | AmountLine
    | MarkLine
    | RuleLine
    | QrLine
    | PlateLine
    | LogoLine
    | SpaceLine
    | PartLine
    | EachLine
)
Lines = tuple[AnyLine, ...]


class PaperMarks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words that stand over a whole paper."""

    copy: Words
    training: Words


class SharedParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What papers have in common."""

    marks: PaperMarks
    parts: dict[str, Lines]


class PaperLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One document's layout."""

    kind: ReceiptKind
    rows: Lines
    parts: dict[str, Lines] = {}
    words: dict[str, dict[str, Words]] = {}


@cache
def shared_parts() -> SharedParts:
    """Return what papers have in common."""
    return msgspec.toml.decode(_read(_PARTS), type=SharedParts)


@cache
def layout_of(kind: ReceiptKind) -> PaperLayout:
    """Return a document's layout, the shared parts among its own."""
    layout = msgspec.toml.decode(_read(f"{kind}.toml"), type=PaperLayout)
    return msgspec.structs.replace(layout, parts={**shared_parts().parts, **layout.parts})


def _read(name: str) -> bytes:
    return files("shared").joinpath(FOLDER, name).read_bytes()
