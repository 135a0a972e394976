"""Plates of vehicles: what people write in many ways, in the one form that providers take, and back for reading.

car          two digits, letter, three digits, «ایران», province: `99 ل 283 ایران 88`; code `992728388`: two digits,
             the letter's number, three digits, province
motorcycle   three digits and five: `123-45678`; code `12345678`
"""

import re
from typing import Final, Literal

import msgspec

from shared.errors import OperatorError
from shared.receipt import PlateNumber
from shared.text import Language, fold_number, is_digits, persian_digits, search_key

CODE_DIGITS: Final = 9
MOTORCYCLE_CODE_DIGITS: Final = 8
_MOTORCYCLE_HEAD: Final = 3

Colour = Literal["white", "yellow", "red", "green", "blue", "cream"]


class Letter(msgspec.Struct, frozen=True):
    """A letter that plates carry. `number`: its two digits in a plate's code; `use_*`: whose cars have it."""

    number: str
    text: str
    use_fa: str
    use_en: str
    colour: Colour

    def use(self, language: Language) -> str:
        """Return whose cars have it."""
        return self.use_fa if language == "fa" else self.use_en


def _private(number: str, text: str) -> Letter:
    return Letter(number, text, "شخصی", "private", "white")


LETTERS: Final = (
    Letter("01", "الف", "دولتی", "government", "red"),
    _private("02", "ب"),
    Letter("03", "پ", "فراجا", "police", "green"),
    Letter("04", "ت", "تاکسی", "taxi", "yellow"),
    Letter("05", "ث", "سپاه", "Sepah", "green"),
    _private("06", "ج"),
    _private("10", "د"),
    Letter("13", "ز", "وزارت دفاع", "ministry of defence", "blue"),
    Letter("33", "ژ", "معلولان و جانبازان", "disabled persons and veterans", "white"),
    _private("15", "س"),
    Letter("16", "ش", "ارتش", "army", "cream"),
    _private("17", "ص"),
    _private("19", "ط"),
    Letter("21", "ع", "عمومی", "public transport", "yellow"),
    Letter("23", "ف", "ستاد کل نیروهای مسلح", "general staff", "blue"),
    _private("24", "ق"),
    Letter("25", "ک", "کشاورزی", "agricultural", "yellow"),
    Letter("26", "گ", "گذر موقت", "temporary transit", "white"),
    _private("27", "ل"),
    _private("28", "م"),
    _private("29", "ن"),
    _private("30", "و"),
    _private("31", "ه"),
    _private("32", "ی"),
    Letter("34", "تشریفات", "تشریفات", "protocol", "red"),
)
"""Letters that are issued, in the alphabet's order. Embassies' D and S have no number at providers."""

_OTHER_NUMBERS: Final = {"14": "33"}
"""One plate, one code: the wheelchair of disabled persons stands under the letter «ژ» and under a word of its own."""
_BY_NUMBER: Final = {letter.number: letter for letter in LETTERS}
_BY_TEXT: Final = {
    **{search_key(letter.text): letter for letter in LETTERS},
    **dict.fromkeys(("ا",), _BY_NUMBER["01"]),
    **dict.fromkeys(("معلولین", "معلولان", "معلول", "جانبازان", "♿"), _BY_NUMBER["33"]),
}
_COUNTRY: Final = frozenset({"ایران", "iran", "ir"})
_PIECES: Final = re.compile(r"[0-9]+|[^\W\d_]+|♿")


def parse_plate(text: str, *, field: str = "plate", has_zero: bool = False) -> str:
    """Return the code of a car's plate as people write it, province last or, with the letter between, first.

    Taken are `99ل28388`, «۹۹ ل ۲۸۳ ایران ۸۸» and «۸۸ _ ۲۸۳ ل ۹۹». Raises OperatorError with `field`: `plate.missing`,
    `plate.shape`, `plate.letter`, `plate.province`, `plate.zero`: no such plate is issued. With `has_zero` somebody saw
    one, and it is taken.
    """
    pieces = [piece for piece in _PIECES.findall(search_key(text)) if piece not in _COUNTRY]
    if not pieces:
        raise OperatorError("plate.missing", field=field)
    letters = [place for place, piece in enumerate(pieces) if not piece.isdecimal()]
    if len(letters) != 1:
        raise OperatorError("plate.shape", field=field)
    before, after = "".join(pieces[: letters[0]]), "".join(pieces[letters[0] + 1 :])
    if (len(before), len(after)) == (5, 2):
        two, serial, province = after, before[2:], before[:2]
    elif (len(before), len(after)) == (2, 5):
        two, serial, province = before, after[:3], after[3:]
    else:
        raise OperatorError("plate.shape", field=field)
    letter = _BY_TEXT.get(pieces[letters[0]])
    if letter is None:
        raise OperatorError("plate.letter", field=field, letter=pieces[letters[0]])
    code = check_plate(f"{two}{letter.number}{serial}{province}", field=field)
    if not has_zero and "0" in two + serial:
        raise OperatorError("plate.zero", field=field)
    return code


def check_plate(code: str, *, field: str = "plate") -> str:
    """Return a car's plate in the one form of its code.

    Raises OperatorError with `field`: `plate.shape`, `plate.letter`, `plate.province`.
    """
    digits = fold_number(code)
    if not is_digits(digits) or len(digits) != CODE_DIGITS:
        raise OperatorError("plate.shape", field=field)
    number = _OTHER_NUMBERS.get(digits[2:4], digits[2:4])
    if number not in _BY_NUMBER:
        raise OperatorError("plate.letter", field=field, letter=number)
    if digits[7] == "0":
        raise OperatorError("plate.province", field=field, province=digits[7:])
    return digits[:2] + number + digits[4:]


def parse_motorcycle_plate(text: str, *, field: str = "plate") -> str:
    """Return the eight digits of a motorcycle's plate.

    Raises OperatorError with `field`: `plate.missing`, `plate.motorcycle_shape`.
    """
    digits = "".join(re.findall(r"[^\W_]", fold_number(text)))
    if not digits:
        raise OperatorError("plate.missing", field=field)
    if not is_digits(digits) or len(digits) != MOTORCYCLE_CODE_DIGITS or digits[0] == "0":
        raise OperatorError("plate.motorcycle_shape", field=field)
    return digits


def plate_letter(code: str) -> Letter:
    """Return the letter of a car's plate."""
    return _BY_NUMBER[code[2:4]]


def plate_number(code: str) -> PlateNumber:
    """Return a car's plate part by part."""
    return PlateNumber(two=code[:2], letter=plate_letter(code).text, three=code[4:7], region=code[7:])


def plate_text(code: str, language: Language) -> str:
    """Return a car's plate as it is read: «۹۹ ل ۲۸۳ ایران ۸۸», the letter in Persian in every language."""
    plate = plate_number(code)
    text = f"{plate.two} {plate.letter} {plate.three} ایران {plate.region}"
    return persian_digits(text) if language == "fa" else text


def motorcycle_text(code: str, language: Language) -> str:
    """Return a motorcycle's plate as it is read: «۱۲۳-۴۵۶۷۸»."""
    text = f"{code[:_MOTORCYCLE_HEAD]}-{code[_MOTORCYCLE_HEAD:]}"
    return persian_digits(text) if language == "fa" else text
