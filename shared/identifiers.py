"""Identifiers people type or scan: bills, national codes, subscriber and telephone numbers.

All are text, never numbers: leading zeros are part of some and must be dropped from others. No network is asked.
Sources: «طرح هماهنگ پرداخت الکترونیکی قبوض» (Banking Informatics Commission, 2006) for bills; the published check-digit
rules for the rest.

    bill id      6 to 13 digits: file code (up to 8), company code (3), service type (1), check digit (1)
    payment id   6 to 13 digits: amount in thousands of rials (up to 8), year (1), period (2), check digits 1 and 2
    barcode      26 digits: both, each padded with zeros on the left to 13
"""

import re
from enum import IntEnum
from itertools import cycle
from operator import mul
from typing import Final, assert_never

import msgspec

from shared.errors import OperatorError
from shared.events import BillKind
from shared.text import fold_number, is_digits

BILL_ID_MIN_DIGITS: Final = 6
BILL_ID_MAX_DIGITS: Final = 13
BARCODE_DIGITS: Final = 2 * BILL_ID_MAX_DIGITS
SUBSCRIBER_MIN_DIGITS: Final = 5
SUBSCRIBER_MAX_DIGITS: Final = 13
NATIONAL_CODE_DIGITS: Final = 10

_RIAL_OF_UNIT: Final = 1000
_MODULUS: Final = 11
_WEIGHTS: Final = (2, 3, 4, 5, 6, 7)

_MOBILE: Final = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_LANDLINE: Final = re.compile(r"0[1-8][0-9]{9}")


class BillType(IntEnum):
    """The service type digit of a bill id. The document of 2006 gives fines 8; bills in use carry 9."""

    WATER = 1
    ELECTRICITY = 2
    GAS = 3
    LANDLINE = 4
    MOBILE = 5
    MUNICIPALITY = 6
    OTHER = 7
    TAX = 8
    TRAFFIC_FINE = 9

    @property
    def word(self) -> str:
        """Return the type's name in code and data, for example `electricity`."""
        return self.name.lower()

    @property
    def fa(self) -> str:
        """Return the Persian name."""
        return _BILL_TYPE_NAMES[self][0]

    @property
    def en(self) -> str:
        """Return the English name."""
        return _BILL_TYPE_NAMES[self][1]


_BILL_TYPE_NAMES: Final = {
    BillType.WATER: ("آب", "water"),
    BillType.ELECTRICITY: ("برق", "electricity"),
    BillType.GAS: ("گاز", "gas"),
    BillType.LANDLINE: ("تلفن ثابت", "landline"),
    BillType.MOBILE: ("تلفن همراه", "mobile"),
    BillType.MUNICIPALITY: ("عوارض شهرداری", "municipality"),
    BillType.OTHER: ("سایر", "other"),
    BillType.TAX: ("سازمان مالیات", "tax"),
    BillType.TRAFFIC_FINE: ("جرایم راهنمایی و رانندگی", "traffic fine"),
}


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What the two ids of a bill say. Ids are canonical: ASCII digits without leading zeros.

    `year_digit` and `period` are the company's own; they are often, not always, the Jalali year and a month.
    """

    bill_id: str
    payment_id: str
    kind: BillType
    amount_rial: int
    year_digit: int
    period: str
    file_code: str
    company_code: str

    @property
    def barcode(self) -> str:
        """Return the 26 digits of the bill's barcode."""
        return self.bill_id.zfill(BILL_ID_MAX_DIGITS) + self.payment_id.zfill(BILL_ID_MAX_DIGITS)


def check_digit(digits: str) -> int:
    """Return the modulo 11 digit of both ids: weights 2 to 7 from the right, repeated; 10 and 11 both give 0."""
    total = sum(map(mul, map(int, reversed(digits)), cycle(_WEIGHTS)))
    rest = total % _MODULUS
    return 0 if rest <= 1 else _MODULUS - rest


def _read_id(text: str, field: str, missing: str) -> str:
    """Return the digits of one id without leading zeros, its length checked."""
    digits = fold_number(text)
    if not digits:
        raise OperatorError(missing, field=field)
    if not is_digits(digits):
        raise OperatorError("bill.not_digits", field=field)
    if len(digits) > BILL_ID_MAX_DIGITS:
        raise OperatorError("bill.too_long", field=field, digits=len(digits), max=BILL_ID_MAX_DIGITS)
    if len(digits) < BILL_ID_MIN_DIGITS:
        raise OperatorError("bill.too_short", field=field, digits=len(digits), min=BILL_ID_MIN_DIGITS)
    return digits.lstrip("0")


def _check_bill_id(bill_id: str) -> BillType:
    if len(bill_id) < BILL_ID_MIN_DIGITS:
        raise OperatorError("bill.too_short", field="bill_id", digits=len(bill_id), min=BILL_ID_MIN_DIGITS)
    if check_digit(bill_id[:-1]) != int(bill_id[-1]):
        raise OperatorError("bill.check_digit", field="bill_id")
    if bill_id[-2] == "0":
        raise OperatorError("bill.service_type", field="bill_id")
    return BillType(int(bill_id[-2]))


def _check_payment_id(bill_id: str, payment_id: str) -> int:
    """Return the amount in rial."""
    if len(payment_id) < BILL_ID_MIN_DIGITS:
        raise OperatorError("bill.no_amount", field="payment_id")
    if check_digit(payment_id[:-2]) != int(payment_id[-2]):
        raise OperatorError("bill.payment_check_digit_1", field="payment_id")
    if check_digit(bill_id + payment_id[:-1]) != int(payment_id[-1]):
        raise OperatorError("bill.payment_check_digit_2", field="payment_id")
    return int(payment_id[:-5]) * _RIAL_OF_UNIT


def parse_bill(bill_text: str, payment_text: str) -> Bill:
    """Return what a typed bill id and payment id say. Persian and Arabic digits and spaces are taken.

    Raises OperatorError with `field` `bill_id` or `payment_id`: `bill.missing`, `bill.payment_missing`,
    `bill.not_digits`, `bill.too_short`, `bill.too_long`, `bill.check_digit`, `bill.service_type`, `bill.no_amount`,
    `bill.payment_check_digit_1`, `bill.payment_check_digit_2` (also for two right ids of different bills).
    """
    bill_id = _read_id(bill_text, "bill_id", "bill.missing")
    kind = _check_bill_id(bill_id)
    payment_id = _read_id(payment_text, "payment_id", "bill.payment_missing")
    amount_rial = _check_payment_id(bill_id, payment_id)
    return Bill(
        bill_id=bill_id,
        payment_id=payment_id,
        kind=kind,
        amount_rial=amount_rial,
        year_digit=int(payment_id[-5]),
        period=payment_id[-4:-2],
        file_code=bill_id[:-5],
        company_code=bill_id[-5:-2],
    )


def parse_barcode(text: str) -> Bill:
    """Return what the 26 digits of a bill's barcode say.

    Raises OperatorError with `field` `barcode`: `bill.missing`, `bill.not_digits`, `bill.barcode_length`, and the codes
    of `parse_bill` about lengths and check digits.
    """
    digits = fold_number(text)
    if not digits:
        raise OperatorError("bill.missing", field="barcode")
    if not is_digits(digits):
        raise OperatorError("bill.not_digits", field="barcode")
    if len(digits) != BARCODE_DIGITS:
        raise OperatorError("bill.barcode_length", field="barcode", digits=len(digits), wanted=BARCODE_DIGITS)
    try:
        return parse_bill(digits[:BILL_ID_MAX_DIGITS], digits[BILL_ID_MAX_DIGITS:])
    except OperatorError as error:
        raise OperatorError(error.code, field="barcode", **error.data) from error


def read_bill(text: str, payment_text: str | None = None) -> Bill:
    """Return the bill of what stands in the one or two fields of a form: two ids, or the barcode in the first.

    Raises as `parse_bill` when a payment id is given or the text can be a bill id, else as `parse_barcode`;
    `bill.two_payment_ids` when a barcode is given with the payment id of another bill.
    """
    digits = fold_number(text)
    payment = fold_number(payment_text or "")
    if len(digits) <= BILL_ID_MAX_DIGITS or (payment and len(digits) != BARCODE_DIGITS):
        return parse_bill(digits, payment)
    bill = parse_barcode(digits)
    if payment and payment.lstrip("0") != bill.payment_id:
        raise OperatorError("bill.two_payment_ids", field="payment_id")
    return bill


def check_national_code(text: str) -> str:
    """Return a natural person's national code, ten ASCII digits.

    Raises OperatorError `identity.national_code_length` or `identity.national_code_wrong`: its check digit, one digit
    repeated, or a person's number of zeros (the last two pass the arithmetic, and are given to nobody).
    """
    digits = fold_number(text)
    if not is_digits(digits) or len(digits) != NATIONAL_CODE_DIGITS:
        raise OperatorError("identity.national_code_length", field="national_code", digits=len(digits))
    rest = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % _MODULUS
    wanted = rest if rest <= 1 else _MODULUS - rest
    if int(digits[-1]) != wanted or len(set(digits)) == 1 or digits[3:9] == "000000":
        raise OperatorError("identity.national_code_wrong", field="national_code")
    return digits


def check_mobile(text: str, *, field: str = "parameter") -> str:
    """Return a mobile number as `09xxxxxxxxx`; +98, 0098 and a missing zero are taken.

    The prefix is not checked against operators: numbers are ported, and new prefixes appear.
    Raises OperatorError `identity.not_a_mobile`.
    """
    found = _MOBILE.fullmatch(fold_number(text).replace("-", ""))
    if not found:
        raise OperatorError("identity.not_a_mobile", field=field)
    return f"0{found[1]}"


def check_landline(text: str, *, field: str = "parameter") -> str:
    """Return a landline number with its area code, 11 digits. Raises OperatorError `identity.not_a_landline`."""
    digits = fold_number(text).replace("-", "")
    if not _LANDLINE.fullmatch(digits):
        raise OperatorError("identity.not_a_landline", field=field)
    return digits


def check_subscriber(kind: BillKind, text: str) -> str:
    """Return the canonical number by which a company is asked what a subscriber owes.

    Water, electricity, gas: 5 to 13 digits, kept as typed (leading zeros may belong to them). Landline and mobile:
    telephone numbers. Raises OperatorError with `field` `parameter`: `inquiry.parameter_missing`,
    `inquiry.not_digits`, `inquiry.parameter_length`, `identity.not_a_landline`, `identity.not_a_mobile`.
    """
    digits = fold_number(text)
    if not digits:
        raise OperatorError("inquiry.parameter_missing", field="parameter")
    match kind:
        case "mobile":
            return check_mobile(digits)
        case "landline":
            return check_landline(digits)
        case "water" | "electricity" | "gas":
            if not is_digits(digits):
                raise OperatorError("inquiry.not_digits", field="parameter")
            if not SUBSCRIBER_MIN_DIGITS <= len(digits) <= SUBSCRIBER_MAX_DIGITS:
                raise OperatorError(
                    "inquiry.parameter_length",
                    field="parameter",
                    digits=len(digits),
                    min=SUBSCRIBER_MIN_DIGITS,
                    max=SUBSCRIBER_MAX_DIGITS,
                )
            return digits
        case _:
            assert_never(kind)
