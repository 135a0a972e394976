"""What people type about machines, in one form: words without card numbers, numbers of banknotes, a new machine."""

import re
from collections.abc import Collection
from typing import Final, TypeVar

import msgspec

from shared.atm import CASSETTES_MAX
from shared.banks import banks
from shared.card import mask_card_numbers
from shared.errors import OperatorError
from shared.text import fold_digits, fold_number, is_digits

T = TypeVar("T", bound=str)

TEXT_MAX: Final = 500
NOTES_MAX: Final = 100_000
"""Banknotes of one cassette: the largest there are hold a few thousand."""
NUMBER_MAX: Final = 20
DENOMINATION_MAX_RIAL: Final = 100_000_000
_SPACES: Final = re.compile(r"\s+")
_DIGITS_MAX: Final = 12


def checked_text(text: str, *, field: str, required: bool = False) -> str:
    """Return what was written about a machine, on one line.

    The journal is read by many and forgets nothing: a card number has no place in it, least of all a captured card's.
    Raises OperatorError `atm.text_missing`, `atm.text_too_long`, `atm.card_number_in_text`.
    """
    found = _SPACES.sub(" ", text).strip()
    if required and not found:
        raise OperatorError("atm.text_missing", field=field)
    if len(found) > TEXT_MAX:
        raise OperatorError("atm.text_too_long", field=field, most=TEXT_MAX)
    digits = fold_digits(found)
    if mask_card_numbers(digits) != digits:
        raise OperatorError("atm.card_number_in_text", field=field)
    return found


def chosen(text: str, choices: Collection[T], *, field: str) -> T:
    """Return which of the choices was taken. Raises OperatorError `atm.choice_missing`."""
    for choice in choices:
        if choice == text:
            return choice
    raise OperatorError("atm.choice_missing", field=field)


def parse_notes(text: str, *, field: str, most: int = NOTES_MAX) -> int | None:
    """Return a typed number of banknotes (or another one, up to `most`), None where nothing was typed.

    Raises OperatorError `atm.notes_not_a_number`, `atm.notes_too_many`.
    """
    digits = fold_number(text).replace("٬", "").replace(",", "")
    if not digits:
        return None
    if not is_digits(digits) or len(digits) > _DIGITS_MAX:
        raise OperatorError("atm.notes_not_a_number", field=field)
    return checked_notes(int(digits), field=field, most=most)


def checked_notes(notes: int, *, field: str, most: int = NOTES_MAX) -> int:
    """Return a number of banknotes that one cassette can hold. Raises OperatorError `atm.notes_too_many`."""
    if not 0 <= notes <= most:
        raise OperatorError("atm.notes_too_many", field=field, most=most)
    return notes


class AtmDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a machine when it is registered, as it was typed. Cassettes: (denomination_rial, capacity)."""

    bank: str
    number: str
    place: str
    cassettes: tuple[tuple[int, int], ...]

    def checked(self) -> "AtmDraft":
        """Return it in one form.

        Raises OperatorError `atm.bank_unknown`, `atm.number_bad`, `atm.no_cassettes`, `atm.denomination_bad` and as
        `checked_text` and `checked_notes`, each naming its field.
        """
        if self.bank not in banks():
            raise OperatorError("atm.bank_unknown", field="bank")
        number = fold_number(self.number)
        if not (0 < len(number) <= NUMBER_MAX and number.isascii() and number.replace("-", "").isalnum()):
            raise OperatorError("atm.number_bad", field="number", most=NUMBER_MAX)
        if not 0 < len(self.cassettes) <= CASSETTES_MAX:
            raise OperatorError("atm.no_cassettes", field="denomination-1", most=CASSETTES_MAX)
        for place, (denomination_rial, capacity) in enumerate(self.cassettes, start=1):
            if not 0 < denomination_rial <= DENOMINATION_MAX_RIAL:
                raise OperatorError("atm.denomination_bad", field=f"denomination-{place}")
            checked_notes(capacity, field=f"capacity-{place}")
        return AtmDraft(
            bank=self.bank,
            number=number,
            place=checked_text(self.place, field="place", required=True),
            cassettes=self.cassettes,
        )
