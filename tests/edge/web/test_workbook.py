import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from edge.web import workbook
from edge.web.workbook import Cell, Column, pieces, write_workbook

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def parts_of(*rows: list[Cell]) -> dict[str, ET.Element]:
    file = write_workbook(
        "سوابق", [Column("نام"), Column("مبلغ")], rows, right_to_left=True, made_at=datetime(2026, 11, 22, tzinfo=UTC)
    )
    with file, zipfile.ZipFile(file) as parts:
        return {
            name: ET.fromstring(parts.read(name))  # noqa: S314 - our own file
            for name in parts.namelist()
            if name.endswith(".xml")
        }


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://x")', "+98912", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_begins_like_a_formula_is_marked_as_text(text: str):
    parts = parts_of([text, 5])
    (_, cell, amount) = [one for row in parts["xl/worksheets/sheet1.xml"].iter(f"{SPACE}row") for one in row][1:]
    assert cell.get("t") == "inlineStr"
    assert not list(parts["xl/worksheets/sheet1.xml"].iter(f"{SPACE}f"))
    styles = parts["xl/styles.xml"].find(f"{SPACE}cellXfs")
    assert styles is not None
    assert styles[int(cell.get("s", "0"))].get("quotePrefix") == "1"
    assert styles[int(amount.get("s", "0"))].get("quotePrefix") is None


def test_what_a_sheet_does_not_hold_comes_on_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "SHEET_ROWS", 2)
    parts = parts_of(["a", 1], ["b", 2], ["c", 3])
    rows = [list(parts[f"xl/worksheets/sheet{number}.xml"].iter(f"{SPACE}row")) for number in (1, 2)]
    assert [len(found) for found in rows] == [3, 2], "each with its head"


def test_a_file_goes_in_pieces_and_is_closed_at_the_end():
    file = write_workbook("a", [Column("b")], [["c"]], right_to_left=False, made_at=datetime(2026, 11, 22, tzinfo=UTC))
    assert b"".join(pieces(file))[:2] == b"PK"
    assert file.closed
