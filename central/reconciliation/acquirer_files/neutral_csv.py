"""The neutral settlement file: CSV with a fixed set of columns, into which every acquirer's report can be brought.

UTF-8 with or without a byte order mark, comma, header line first, columns in any order, all of them present. Persian
and Arabic digits are folded. A file is read whole or refused whole; a refusal names line and column. Columns:

    psp              the acquirer's short name
    rrn, stan        retrieval reference number, trace number; one of the two may be empty or zeros
    terminal_id      the acquirer's terminal number
    merchant_id      may be empty
    pan_masked       may be empty; a full card number refuses the file and is not repeated in the error
    amount           whole rials, more than zero; thousands marks are allowed
    currency         IRR, or empty
    local_date       2026-11-22, 20261122, or Jalali 1405/09/01: the day of the transaction in Iran
    local_time       14:08:30 or 140830; may be empty
    financial_date   as local_date: the acquirer's business day, by which files are dated
    cycle, iban      may be empty
    type             SALE, BILL, REVERSAL, REFUND, ADVICE (a notice without money of its own)
    status           SUCCESS (or OK, 00, SETTLED), FAILED, REVERSED; empty is SUCCESS
    original_rrn     of a reversal or refund: the RRN of its sale
    service_code     may be empty
    share_of         when one payment is settled in several rows: the payment's RRN, in each of them
    row_no           the acquirer's own number of the row; may be empty
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, cast

import msgspec

from central.reconciliation.inputs import LineStatus, LineType, number_key
from shared.calendar import parse_jalali_date
from shared.card import mask_pan
from shared.errors import OperatorError
from shared.text import fold_number

COLUMNS: Final = (
    "psp",
    "rrn",
    "stan",
    "terminal_id",
    "merchant_id",
    "pan_masked",
    "amount",
    "currency",
    "local_date",
    "local_time",
    "financial_date",
    "cycle",
    "iban",
    "type",
    "status",
    "original_rrn",
    "service_code",
    "share_of",
    "row_no",
)
FILE_SIZE_MAX_BYTES: Final = 64 * 1024 * 1024
CELL_SIZE_MAX: Final = 200
AMOUNT_MAX_RIAL: Final = 10**15
TOTAL_MAX_RIAL: Final = 10**18
"""The most one file may come to: sums of several files still fit a `bigint`."""

_TYPES: Final = frozenset({"SALE", "BILL", "REVERSAL", "REFUND", "ADVICE"})
_STATUSES: Final[Mapping[str, LineStatus]] = {
    "": "SUCCESS",
    "00": "SUCCESS",
    "OK": "SUCCESS",
    "SETTLED": "SUCCESS",
    "SUCCESS": "SUCCESS",
    "FAILED": "FAILED",
    "REVERSED": "REVERSED",
}
_CURRENCIES: Final = frozenset({"", "IRR", "364"})
_NUMBER: Final = re.compile(r"[0-9]{1,40}")
_AMOUNT: Final = re.compile(r"[0-9]{1,20}|[0-9]{1,3}(?:[,٬٫،'][0-9]{3}){1,6}")
"""Digits, alone or in groups of three; people also write the decimal sign U+066B between groups."""
_GREGORIAN: Final = re.compile(r"((?:19|20)[0-9]{2})[-/]?([0-9]{2})[-/]?([0-9]{2})")
_JALALI_COMPACT: Final = re.compile(r"(1[34][0-9]{2})([0-9]{2})([0-9]{2})")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):?([0-5][0-9]):?([0-5][0-9])")
_MASKED_PAN: Final = re.compile(r"([0-9]{6})[*xX]{2,9}([0-9]{3,4})")
"""Acquirers print six and four digits; some print two stars between, some seven stars and three digits."""
_CARD_DIGITS_MAX: Final = 10
_LAST_DIGITS: Final = 4
_CARD_NUMBER: Final = re.compile(r"(?<![0-9])(?:50|58|60|61|62|63|99)[0-9]{14}(?![0-9])")
"""Sixteen digits that begin as cards issued in Iran do; the last one is a check digit (ISO/IEC 7812-1)."""
_CARD_DIGITS: Final = 16
_CARD_JOINTS: Final = re.compile(r"[\s\-]")
_SHOWN_MAX: Final = 40


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row, folded. `line_number` is its line in the file; the header is line 1."""

    line_number: int
    psp: str
    rrn: str
    stan: str
    terminal_id: str
    merchant_id: str
    pan_masked: str
    amount_rial: int
    local_date: date
    local_time: str
    financial_date: date
    cycle: str
    iban: str
    type: LineType
    status: LineStatus
    original_rrn: str
    service_code: str
    share_of: str
    row_no: str


class SettlementFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file. `lines` is never empty."""

    sha256: bytes
    size_bytes: int
    lines: tuple[SettlementLine, ...]

    @property
    def total_rial(self) -> int:
        """Return the sum of the amounts as printed, whatever type and status."""
        return sum(line.amount_rial for line in self.lines)


def parse_settlement(data: bytes) -> SettlementFile:
    """Return the rows of a file.

    Raises OperatorError; `line` (1 is the header), `column` and `value` are in its data where they make sense:
        `settlement.too_large`, `settlement.not_text`, `settlement.not_csv`, `settlement.empty`,
        `settlement.missing_columns`, `settlement.unknown_column`, `settlement.column_twice`, `settlement.cell_count`,
        `settlement.bad_cell`, `settlement.full_card_number`, `settlement.duplicate_row`,
        `settlement.sum_too_large`
    """
    if len(data) > FILE_SIZE_MAX_BYTES:
        raise OperatorError("settlement.too_large", field="file", size_bytes=len(data), max_bytes=FILE_SIZE_MAX_BYTES)
    rows = _rows(_text(data))
    header = _header(next(rows, None))
    lines: list[SettlementLine] = []
    seen: dict[SettlementLine, int] = {}
    total_rial = 0
    for number, cells in rows:
        line = _line(number, cells, header)
        # A row number does not make a row another one: files are joined and numbered by hand.
        identity = msgspec.structs.replace(line, line_number=0, row_no="")
        first = seen.setdefault(identity, number)
        if first != number:
            raise OperatorError("settlement.duplicate_row", field="file", line=number, column="rrn", first_line=first)
        total_rial += line.amount_rial
        if total_rial > TOTAL_MAX_RIAL:
            raise OperatorError("settlement.sum_too_large", field="file", line=number, column="amount")
        lines.append(line)
    if not lines:
        raise OperatorError("settlement.empty", field="file")
    return SettlementFile(sha256=hashlib.sha256(data).digest(), size_bytes=len(data), lines=tuple(lines))


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise OperatorError("settlement.not_text", field="file", line=line) from error
    if "\x00" in text:
        raise OperatorError("settlement.not_text", field="file", line=text.count("\n", 0, text.index("\x00")) + 1)
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise OperatorError("settlement.not_csv", field="file", line=start) from error


def _header(first: tuple[int, list[str]] | None) -> list[str]:
    if first is None:
        raise OperatorError("settlement.empty", field="file")
    line, cells = first
    names = [fold_number(cell).lower() for cell in cells]
    if len(set(names) & set(COLUMNS)) < 2:  # noqa: PLR2004 - a file of something else: naming 19 columns helps nobody
        raise OperatorError("settlement.not_csv", field="file", line=line)
    for place, name in enumerate(names):
        if name not in COLUMNS:
            shown = _shown(cells[place]) or str(place + 1)
            raise OperatorError("settlement.unknown_column", field="file", line=line, column=shown)
        if name in names[:place]:
            raise OperatorError("settlement.column_twice", field="file", line=line, column=name)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise OperatorError("settlement.missing_columns", field="file", line=line, column=", ".join(missing))
    return names


def _line(number: int, cells: list[str], header: list[str]) -> SettlementLine:
    if len(cells) != len(header):
        # Of a cut line the column is where it ends; of one too long, the last there is.
        column = header[min(len(cells), len(header)) - 1]
        raise OperatorError(
            "settlement.cell_count", field="file", line=number, column=column, count=len(cells), expected=len(header)
        )
    row = _Row(number, dict(zip(header, cells, strict=True)))
    line_type = row.word("type", _TYPES)
    status = _STATUSES[row.word("status", _STATUSES)]
    row.word("currency", _CURRENCIES)
    rrn, stan = row.digits("rrn"), row.digits("stan")
    if number_key(rrn) is None and number_key(stan) is None:
        raise row.wrong("rrn")
    return SettlementLine(
        line_number=number,
        psp=row.text("psp", needed=True),
        rrn=rrn,
        stan=stan,
        terminal_id=row.digits("terminal_id", needed=True),
        merchant_id=row.digits("merchant_id"),
        pan_masked=row.card("pan_masked"),
        amount_rial=row.amount("amount"),
        local_date=row.day("local_date"),
        local_time=row.time("local_time"),
        financial_date=row.day("financial_date"),
        cycle=row.text("cycle"),
        iban=row.text("iban"),
        type=cast("LineType", line_type),
        status=status,
        original_rrn=row.digits("original_rrn"),
        service_code=row.text("service_code"),
        share_of=row.digits("share_of"),
        row_no=row.text("row_no"),
    )


class _Row:
    """The cells of one row by column, and how each kind of cell is read."""

    def __init__(self, number: int, cells: dict[str, str]) -> None:
        self._number = number
        self._cells = cells

    def wrong(self, column: str) -> OperatorError:
        """Return the error about a cell. A value that may hold a card number is not repeated."""
        return OperatorError(
            "settlement.bad_cell", field="file", line=self._number, column=column, value=_shown(self._cells[column])
        )

    def text(self, column: str, *, needed: bool = False) -> str:
        text = self._cells[column].strip()
        self._refuse_card_number(column, text)
        if len(text) > CELL_SIZE_MAX or any(not letter.isprintable() for letter in text) or (needed and not text):
            raise self.wrong(column)
        return text

    def digits(self, column: str, *, needed: bool = False) -> str:
        text = fold_number(self._cells[column])
        self._refuse_card_number(column, text)
        if (text or needed) and not _NUMBER.fullmatch(text):
            raise self.wrong(column)
        return text

    def _refuse_card_number(self, column: str, text: str) -> None:
        """Raise OperatorError `settlement.full_card_number` where a full card number stands in the wrong column."""
        if len(text) < _CARD_DIGITS:
            return
        found = _CARD_NUMBER.findall(_CARD_JOINTS.sub("", fold_number(text)))
        if any(_has_card_check_digit(number) for number in found):
            raise OperatorError("settlement.full_card_number", field="file", line=self._number, column=column)

    def word(self, column: str, known: Mapping[str, object] | frozenset[str]) -> str:
        word = fold_number(self._cells[column]).upper()
        if word not in known:
            raise self.wrong(column)
        return word

    def amount(self, column: str) -> int:
        text = fold_number(self._cells[column])
        if not _AMOUNT.fullmatch(text):
            raise self.wrong(column)
        amount_rial = int("".join(letter for letter in text if letter.isdigit()))
        if not 0 < amount_rial <= AMOUNT_MAX_RIAL:
            raise self.wrong(column)
        return amount_rial

    def day(self, column: str) -> date:
        text = fold_number(self._cells[column])
        try:
            if found := _GREGORIAN.fullmatch(text):
                return date(int(found[1]), int(found[2]), int(found[3]))
            if found := _JALALI_COMPACT.fullmatch(text):
                text = f"{found[1]}/{found[2]}/{found[3]}"
            return parse_jalali_date(text)
        except (ValueError, OperatorError) as error:
            raise self.wrong(column) from error

    def time(self, column: str) -> str:
        text = fold_number(self._cells[column])
        if not text:
            return ""
        if not (found := _TIME.fullmatch(text)):
            raise self.wrong(column)
        return f"{found[1]}:{found[2]}:{found[3]}"

    def card(self, column: str) -> str:
        text = fold_number(self._cells[column])
        if not text:
            return ""
        if sum(letter.isdigit() for letter in text) > _CARD_DIGITS_MAX:
            raise OperatorError("settlement.full_card_number", field="file", line=self._number, column=column)
        if not (found := _MASKED_PAN.fullmatch(text)):
            raise self.wrong(column)
        last = found[2]
        return mask_pan(bin6=found[1], last4=last if len(last) == _LAST_DIGITS else None)


def _has_card_check_digit(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0  # noqa: PLR2004 - a doubled digit's digit sum


def _shown(cell: str) -> str:
    """Return a cell as an error may show it: short, printable, and never a card number."""
    text = "".join(letter for letter in cell.strip() if letter.isprintable())[:_SHOWN_MAX]
    return "…" if sum(letter.isdigit() for letter in text) > 12 else text  # noqa: PLR2004 - an RRN has 12, a card 16
