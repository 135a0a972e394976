"""Settlement files as they come: good ones in every spelling, and bad ones refused with line and column."""

import contextlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.reconciliation.acquirer_files.neutral_csv import COLUMNS, parse_settlement
from shared.error_texts import describe
from shared.errors import OperatorError

GOOD = {
    "psp": "behpardakht",
    "rrn": "123456789012",
    "stan": "000123",
    "terminal_id": "11223344",
    "merchant_id": "000000001234567",
    "pan_masked": "610433******8596",
    "amount": "17000",
    "currency": "IRR",
    "local_date": "2026-11-22",
    "local_time": "13:28:59",
    "financial_date": "2026-11-23",
    "cycle": "03:45",
    "iban": "IR770120123456789012345678",
    "type": "BILL",
    "status": "SUCCESS",
    "original_rrn": "",
    "service_code": "",
    "share_of": "",
    "row_no": "1",
}


def row(**cells: str) -> dict[str, str]:
    return {**GOOD, **cells}


def csv_of(*rows: dict[str, str], header: tuple[str, ...] = COLUMNS) -> bytes:
    lines = [",".join(header), *(",".join(cells.get(name, "") for name in header) for cells in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def refusal(data: bytes) -> OperatorError:
    with pytest.raises(OperatorError) as raised:
        parse_settlement(data)
    error = raised.value
    for language in ("fa", "en"):
        assert "…" not in describe(error, language).what.replace("«…»", "").replace("“…”", "")
    return error


@pytest.mark.parametrize(
    "column", ["rrn", "stan", "merchant_id", "cycle", "service_code", "row_no", "psp", "terminal_id"]
)
@pytest.mark.parametrize(
    "written", ["6104337000000008", "6104-3370-0000-0008", "۶۱۰۴۳۳۷۰۰۰۰۰۰۰۰۸", "x6104337000000008"]
)
def test_a_card_number_in_another_column_refuses_the_file_too(column: str, written: str) -> None:
    error = refusal(csv_of(row(**{column: written})))
    assert error.code in ("settlement.full_card_number", "settlement.bad_cell")
    assert "6104337" not in str(error.data)
    assert "۶۱۰۴" not in str(error.data)
    if not column.endswith(("rrn", "stan", "id")) or written.isdigit():
        assert (error.code, error.data["column"], error.data["line"]) == ("settlement.full_card_number", column, 2)


@pytest.mark.parametrize("number", ["1000000000000008", "6104337000000003", "123456789012345678"])
def test_a_long_number_that_is_no_card_is_read(number: str) -> None:
    (line,) = parse_settlement(csv_of(row(row_no=number, rrn=number))).lines
    assert (line.rrn, line.row_no) == (number, number)


@pytest.mark.parametrize(
    "data",
    [
        csv_of(row()).decode().encode("utf-16"),
        csv_of(row(psp="بانک")).decode().encode("cp1256"),
        csv_of(row()).replace(b",", b";"),
        csv_of(row()).replace(b",", b"\t"),
        csv_of(row()).replace(b"behpardakht", b"beh\x00"),
        b"PK\x03\x04" + bytes(2_000),
        csv_of(row(psp='"' + "x" * 200_000 + '"')),
        csv_of(row(psp='"open')),
    ],
)
def test_what_is_no_such_csv_is_refused(data: bytes) -> None:
    assert refusal(data).code in ("settlement.not_text", "settlement.not_csv", "settlement.bad_cell")


@pytest.mark.parametrize(
    "amount",
    [
        "-17000",
        "=17000",
        "=1+1",
        "17000.0",
        "1e5",
        "0",
        "",
        "9" * 20,
        "۱۷۰۰۰-",
        '"1,7000"',
        "+17000",
        "17000 ریال",
        "²",
    ],
)
def test_an_amount_that_is_none_names_its_cell(amount: str) -> None:
    error = refusal(csv_of(row(), row(rrn="2", amount=amount)))
    assert (error.code, error.data["line"], error.data["column"]) == ("settlement.bad_cell", 3, "amount")


def test_line_ends_of_every_kind_and_a_mark_at_the_start_are_read() -> None:
    whole = csv_of(row(), row(rrn="2"), row(rrn="3"))
    mixed = b"\xef\xbb\xbf" + whole.replace(b"\r\n", b"\n", 1).replace(b"\r\n", b"\n\n\r\n", 1)
    assert [line.rrn for line in parse_settlement(mixed).lines] == ["123456789012", "2", "3"]
    assert len(parse_settlement(whole.replace(b"\r\n", b"\r")).lines) == 3


def test_a_comma_at_the_end_of_a_row_is_named() -> None:
    error = refusal(csv_of(row(), row(rrn="2")).rstrip() + b",\r\n")
    assert (error.code, error.data["line"]) == ("settlement.cell_count", 3)


def test_a_file_is_read() -> None:
    parsed = parse_settlement(csv_of(row(), row(rrn="2", amount="۱٬۲۰۰٬۰۰۰", row_no="2")))
    first, second = parsed.lines
    assert (first.line_number, first.amount_rial, first.local_date, first.financial_date) == (
        2,
        17_000,
        date(2026, 11, 22),
        date(2026, 11, 23),
    )
    assert (first.type, first.status, first.local_time) == ("BILL", "SUCCESS", "13:28:59")
    assert (second.line_number, second.amount_rial) == (3, 1_200_000)
    assert parsed.total_rial == 1_217_000


@pytest.mark.parametrize(
    ("column", "typed", "member", "read"),
    [
        ("rrn", "۱۲۳۴۵۶۷۸۹۰۱۲", "rrn", "123456789012"),
        ("terminal_id", "١١٢٢٣٣٤٤", "terminal_id", "11223344"),
        ("amount", '"17,000"', "amount_rial", 17_000),
        ("amount", "۱۷٫۰۰۰", "amount_rial", 17_000),
        ("local_date", "۱۴۰۵/۰۹/۰۱", "local_date", date(2026, 11, 22)),
        ("local_date", "14050901", "local_date", date(2026, 11, 22)),
        ("local_date", "20261122", "local_date", date(2026, 11, 22)),
        ("local_time", "132859", "local_time", "13:28:59"),
        ("local_time", "", "local_time", ""),
        ("pan_masked", "621986**3864", "pan_masked", "621986******3864"),
        ("pan_masked", "621986*******386", "pan_masked", "621986**********"),
        ("pan_masked", "", "pan_masked", ""),
        ("status", "00", "status", "SUCCESS"),
        ("status", "", "status", "SUCCESS"),
        ("status", "reversed", "status", "REVERSED"),
        ("type", "sale", "type", "SALE"),
        ("currency", "", "type", "BILL"),
    ],
)
def test_cells_are_read_as_people_and_programs_write_them(column: str, typed: str, member: str, read: object) -> None:
    (line,) = parse_settlement(csv_of(row(**{column: typed}))).lines
    assert getattr(line, member) == read


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_byte_order_mark_and_line_ends_do_not_matter(mark: bytes, end: bytes) -> None:
    data = mark + csv_of(row(), row(rrn="2")).replace(b"\r\n", end)
    assert [line.line_number for line in parse_settlement(data).lines] == [2, 3]


def test_columns_may_stand_in_any_order_and_blank_lines_are_passed() -> None:
    data = csv_of(row(), row(rrn="2"), header=tuple(reversed(COLUMNS))).replace(b"\r\n", b"\r\n\r\n")
    parsed = parse_settlement(data)
    assert [line.rrn for line in parsed.lines] == ["123456789012", "2"]
    assert [line.line_number for line in parsed.lines] == [3, 5]


BAD: dict[str, tuple[bytes, str, dict[str, Any]]] = {
    "nothing": (b"", "settlement.empty", {}),
    "header only": (csv_of(), "settlement.empty", {}),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "settlement.not_text", {"line": 1}),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00", "settlement.not_text", {"line": 1}),
    "windows-1256": (csv_of(row()) + "بانک".encode("cp1256"), "settlement.not_text", {"line": 3}),
    "prose": ("سلام، فایل پیوست است.\n".encode(), "settlement.not_csv", {"line": 1}),
    "semicolons": (csv_of(row()).replace(b",", b";"), "settlement.not_csv", {"line": 1}),
    "open quote": (csv_of(row(), row(psp='"beh')), "settlement.not_csv", {"line": 3}),
    "missing column": (
        csv_of(row(), header=tuple(name for name in COLUMNS if name not in ("rrn", "iban"))),
        "settlement.missing_columns",
        {"line": 1, "column": "rrn, iban"},
    ),
    "unknown column": (
        csv_of(row(), header=(*COLUMNS, "color")),
        "settlement.unknown_column",
        {"line": 1, "column": "color"},
    ),
    "column twice": (csv_of(row(), header=(*COLUMNS, "rrn")), "settlement.column_twice", {"line": 1, "column": "rrn"}),
    "cut line": (
        csv_of(row(), row(rrn="2")).rsplit(b",IRR", 1)[0],
        "settlement.cell_count",
        {"line": 3, "column": "amount", "count": 7, "expected": 19},
    ),
    "long line": (
        csv_of(row(row_no="1,2")),
        "settlement.cell_count",
        {"line": 2, "column": "row_no", "count": 20, "expected": 19},
    ),
    "amount in words": (
        csv_of(row(), row(amount="هفده هزار")),
        "settlement.bad_cell",
        {"line": 3, "column": "amount", "value": "هفده هزار"},
    ),
    "amount of nothing": (csv_of(row(amount="0")), "settlement.bad_cell", {"line": 2, "column": "amount"}),
    "amount below nothing": (csv_of(row(amount="-17000")), "settlement.bad_cell", {"line": 2, "column": "amount"}),
    "half a rial": (csv_of(row(amount="17000.5")), "settlement.bad_cell", {"line": 2, "column": "amount"}),
    "a decimal": (csv_of(row(amount="۱۷٫۵")), "settlement.bad_cell", {"line": 2, "column": "amount"}),
    "too much": (csv_of(row(amount="9" * 18)), "settlement.bad_cell", {"line": 2, "column": "amount", "value": "…"}),
    "toman": (csv_of(row(currency="IRT")), "settlement.bad_cell", {"line": 2, "column": "currency", "value": "IRT"}),
    "no day": (csv_of(row(local_date="2026-02-30")), "settlement.bad_cell", {"line": 2, "column": "local_date"}),
    "no Jalali day": (csv_of(row(financial_date="1404/12/30")), "settlement.bad_cell", {"column": "financial_date"}),
    "no date": (csv_of(row(financial_date="")), "settlement.bad_cell", {"line": 2, "column": "financial_date"}),
    "no time": (csv_of(row(local_time="25:00:00")), "settlement.bad_cell", {"line": 2, "column": "local_time"}),
    "letters in a number": (csv_of(row(rrn="12A4")), "settlement.bad_cell", {"line": 2, "column": "rrn"}),
    "Devanagari digits": (csv_of(row(rrn="१२३")), "settlement.bad_cell", {"line": 2, "column": "rrn"}),
    "no terminal": (csv_of(row(terminal_id="")), "settlement.bad_cell", {"line": 2, "column": "terminal_id"}),
    "no name at all": (csv_of(row(rrn="000000000000", stan="")), "settlement.bad_cell", {"line": 2, "column": "rrn"}),
    "type": (csv_of(row(type="GIFT")), "settlement.bad_cell", {"line": 2, "column": "type", "value": "GIFT"}),
    "status": (csv_of(row(status="MAYBE")), "settlement.bad_cell", {"line": 2, "column": "status", "value": "MAYBE"}),
    "card in full": (
        csv_of(row(), row(rrn="2", pan_masked="6104331234567890")),
        "settlement.full_card_number",
        {"line": 3, "column": "pan_masked"},
    ),
    "control letter": (csv_of(row(psp="beh\x07")), "settlement.bad_cell", {"line": 2, "column": "psp"}),
    "same row": (
        csv_of(row(), row(rrn="2"), row(row_no="3")),
        "settlement.duplicate_row",
        {"line": 4, "first_line": 2, "column": "rrn"},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_by_line_and_column(name: str) -> None:
    data, code, facts = BAD[name]
    error = refusal(data)
    assert error.code == code
    assert {key: error.data.get(key) for key in facts} == facts
    assert error.field == "file"


def test_a_card_number_in_a_wrong_column_is_not_repeated() -> None:
    error = refusal(csv_of(row(local_time="6104331234567890")))
    assert error.data["value"] == "…"


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("central.reconciliation.acquirer_files.neutral_csv.FILE_SIZE_MAX_BYTES", 10)
    assert refusal(csv_of(row())).code == "settlement.too_large"


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for given_data in (data, csv_of(row()) + data):
        with contextlib.suppress(OperatorError):
            assert parse_settlement(given_data).lines
