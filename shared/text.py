"""Persian text: digits and letters folded to one spelling for reading machines, and put into Persian digits for people.

Folding is for comparing and parsing, never for display. The table follows how Persian is really typed: Arabic keyboards
give ي and ك, copied text carries invisible direction marks, and three sets of digits meet in one line. Only the two
digit sets people here type are folded; `str.isdecimal` would also let Devanagari and others through.
"""

import re
import unicodedata
from typing import Final, Literal

Language = Literal["fa", "en"]
"""The languages a person is spoken to in."""

_DIGITS: Final = "0123456789"
_PERSIAN_DIGITS: Final = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC_DIGITS: Final = "٠١٢٣٤٥٦٧٨٩"

_TO_ASCII: Final = str.maketrans(_PERSIAN_DIGITS + _ARABIC_DIGITS, _DIGITS * 2)
_TO_PERSIAN: Final = str.maketrans(_DIGITS + _ARABIC_DIGITS, _PERSIAN_DIGITS * 2)

ZWNJ: Final = "\u200c"
"""The half space inside Persian words: a letter of the spelling, not a mark."""


def _points(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


_INVISIBLE: Final = dict.fromkeys(
    [
        0x061C,  # Arabic letter mark
        0x200B,  # zero width space
        *_points(0x200D, 0x200F),  # joiner, left-to-right and right-to-left marks
        *_points(0x202A, 0x202E),  # embeddings and overrides
        *_points(0x2066, 0x2069),  # isolates
        0xFEFF,  # byte order mark, from pasted files
    ]
)
_MARKS: Final = dict.fromkeys([0x0640, *_points(0x064B, 0x065F), 0x0670])
"""Tatweel, harakat and the small alef."""

_LETTERS: Final = str.maketrans(
    {
        "ي": "ی",
        "ى": "ی",
        "ے": "ی",
        "ئ": "ی",
        "ك": "ک",
        "ہ": "ه",
        "ة": "ه",
        "ۀ": "ه",
        "أ": "ا",
        "إ": "ا",
        "ٱ": "ا",
        "آ": "ا",
        "ؤ": "و",
    }
)
_SPACES: Final = re.compile(r"\s+")


def fold_digits(text: str) -> str:
    """Return the text with Persian and Arabic digits as ASCII; all else as it was."""
    return text.translate(_TO_ASCII)


def persian_digits(text: str) -> str:
    """Return the text with its digits as Persian ones, for reading. Doing it twice changes nothing."""
    return text.translate(_TO_PERSIAN)


def fold_number(text: str) -> str:
    """Return what was typed into a field of digits: ASCII digits, no white space, no invisible marks.

    Letters and signs stay, so that whoever checks can refuse them.
    """
    return _SPACES.sub("", fold_digits(text).translate(_INVISIBLE).replace(ZWNJ, ""))


def search_key(text: str) -> str:
    """Return the one spelling under which a text is found: letters unified, marks gone, half spaces as spaces.

    Presentation forms become letters (NFKC), case is folded, runs of white space become one space.
    """
    # Marks go first: NFKC would join a letter and the hamza above it into one letter of its own.
    plain = unicodedata.normalize("NFKC", text.translate(_MARKS)).translate(_MARKS).translate(_LETTERS)
    return _SPACES.sub(" ", fold_digits(plain).translate(_INVISIBLE).replace(ZWNJ, " ").casefold()).strip()


def is_digits(text: str) -> bool:
    """Return whether the text is one or more ASCII digits and nothing else."""
    return text.isascii() and text.isdecimal()
