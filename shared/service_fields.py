"""The fields of a service: how each kind is checked, its one form for journal and providers, and how it is shown.

    plate              992728388        «۹۹ ل ۲۸۳ ایران ۸۸»     (`shared.plates`)
    motorcycle_plate   12345678         «۱۲۳-۴۵۶۷۸»
    mobile, landline   09123456789      the same digits
    national_code, postal_code, digits  the digits, leading zeros kept
    date               1405/08/30       the same digits, Jalali
    amount             175000           whole rials; shown in toman
    choice             the value        the choice's own words
    tick               yes              «بله»; nothing where it is not ticked
    text               one line         as it is

The one form is taken as input too, so that a program may send back what it was told.
"""

from collections.abc import Callable, Mapping
from typing import Final

from shared.calendar import jalali_text, parse_jalali_date
from shared.catalogue import Field, FieldKind, Service
from shared.errors import OperatorError
from shared.identifiers import check_landline, check_mobile, check_national_code
from shared.money import parse_rial, toman_text
from shared.plates import (
    CODE_DIGITS,
    check_plate,
    motorcycle_text,
    parse_motorcycle_plate,
    parse_plate,
    plate_text,
)
from shared.text import Language, fold_number, is_digits, persian_digits

TAIL_CHARACTERS: Final = 3
POSTAL_CODE_DIGITS: Final = 10
DIGITS_MAX: Final = 40
TEXT_MAX: Final = 200
TICKED: Final = "yes"
_SAME_DIGITS_MAX: Final = 3
"""No postal code has a digit four times in a row."""


def check_field(field: Field, text: str) -> str:
    """Return what was given for a field in its one form, empty where it is not required and was not given.

    Raises OperatorError with the field's name: `service.field_missing`, and the codes of its kind.
    """
    if not text.strip():
        if field.required:
            raise OperatorError("service.field_missing", field=field.name)
        return ""
    try:
        value = _CHECKS[field.kind](field, text)
    except OperatorError as error:
        raise OperatorError(error.code, field=field.name, **error.data) from error
    if field.required and not value:
        raise OperatorError("service.field_missing", field=field.name)
    return value


def presets(service: Service, given: Mapping[str, str]) -> dict[str, str]:
    """Return what the numbers that were given choose, of each field that was left open and can be preset."""
    chosen = {}
    for field in service.fields:
        if field.preset_by is None or given.get(field.name, "").strip():
            continue
        try:
            number = check_mobile(given.get(field.preset_by, ""))
        except OperatorError:
            continue
        fits = [(prefix, one.value) for one in field.choices for prefix in one.prefixes if number.startswith(prefix)]
        if fits:
            chosen[field.name] = max(fits, key=lambda fit: len(fit[0]))[1]
    return chosen


def field_problems(service: Service, given: Mapping[str, str]) -> dict[str, OperatorError]:
    """Return what is wrong, of each field that has something wrong: a form tells all of it at once."""
    problems = {}
    for field in service.fields:
        try:
            check_field(field, given.get(field.name, ""))
        except OperatorError as error:
            problems[field.name] = error
    return problems


def check_fields(service: Service, given: Mapping[str, str]) -> dict[str, str]:
    """Return all fields that were given or preset, in their one form. Raises OperatorError about the first wrong one.

    `service.field_unknown`: something was given that the service does not ask for.
    """
    for name in given:
        if service.field(name) is None:
            raise OperatorError("service.field_unknown", field=name, name=name)
    whole = {**given, **presets(service, given)}
    checked = {field.name: check_field(field, whole.get(field.name, "")) for field in service.fields}
    return {name: value for name, value in checked.items() if value}


def field_text(field: Field, value: str, language: Language) -> str:
    """Return a value in its one form as people read it."""
    match field.kind:
        case "plate":
            return plate_text(value, language)
        case "motorcycle_plate":
            return motorcycle_text(value, language)
        case "amount":
            return toman_text(int(value), language)
        case "choice":
            return next((choice.label.word(language) for choice in field.choices if choice.value == value), value)
        case "tick":
            return "بله" if language == "fa" else "yes"
        case _:
            return persian_digits(value) if language == "fa" and field.kind != "text" else value


def applicant_of(service: Service, fields: Mapping[str, str]) -> str:
    """Return, in its one form, whom or what a request is about."""
    applicant = service.applicant
    return fields.get(applicant.name, "") if applicant is not None else ""


def applicant_tail(service: Service, fields: Mapping[str, str]) -> str:
    """Return the last characters of whom it is about: enough to tell two waiting customers apart, and no more."""
    return applicant_of(service, fields)[-TAIL_CHARACTERS:]


def _plate(field: Field, text: str) -> str:
    digits = fold_number(text)
    if is_digits(digits) and len(digits) == CODE_DIGITS:
        return check_plate(digits, field=field.name)
    return parse_plate(text, field=field.name)


def _postal_code(_: Field, text: str) -> str:
    digits = fold_number(text).replace("-", "")
    if not is_digits(digits) or len(digits) != POSTAL_CODE_DIGITS:
        raise OperatorError("identity.postal_code_length", digits=len(digits))
    if digits[0] == "0" or any(digit * (_SAME_DIGITS_MAX + 1) in digits for digit in set(digits)):
        raise OperatorError("identity.postal_code_wrong")
    return digits


def _digits(field: Field, text: str) -> str:
    digits = fold_number(text)
    if not is_digits(digits):
        raise OperatorError("service.not_digits")
    _check_size(field, len(digits), DIGITS_MAX)
    return digits


def _text(field: Field, text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable() and any(not letter.isprintable() and letter != "\u200c" for letter in line):
        raise OperatorError("service.not_a_line")
    _check_size(field, len(line), TEXT_MAX)
    return line


def _check_size(field: Field, size: int, longest: int) -> None:
    least, most = field.min_size or 1, field.max_size or longest
    if not least <= size <= most:
        raise OperatorError("service.field_length", size=size, min=least, max=most)


def _choice(field: Field, text: str) -> str:
    value = text.strip()
    if value not in {choice.value for choice in field.choices}:
        raise OperatorError("service.no_such_choice")
    return value


def _tick(_: Field, text: str) -> str:
    match text.strip():
        case "yes":
            return TICKED
        case "no":
            return ""
        case _:
            raise OperatorError("service.no_such_choice")


def _date(_: Field, text: str) -> str:
    return jalali_text(parse_jalali_date(text), "en")


def _amount(field: Field, text: str) -> str:
    amount_rial = parse_rial(text)
    if amount_rial < (field.min_size or 1):
        raise OperatorError("service.amount_low", min_rial=field.min_size or 1)
    if field.max_size is not None and amount_rial > field.max_size:
        raise OperatorError("service.amount_high", max_rial=field.max_size)
    return str(amount_rial)


_CHECKS: Final[dict[FieldKind, Callable[[Field, str], str]]] = {
    "plate": _plate,
    "motorcycle_plate": lambda field, text: parse_motorcycle_plate(text, field=field.name),
    "national_code": lambda _, text: check_national_code(text),
    "mobile": lambda field, text: check_mobile(text, field=field.name),
    "landline": lambda field, text: check_landline(text, field=field.name),
    "postal_code": _postal_code,
    "digits": _digits,
    "text": _text,
    "choice": _choice,
    "tick": _tick,
    "date": _date,
    "amount": _amount,
}
