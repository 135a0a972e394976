"""A table as an Excel workbook, written as it is read: neither rows nor file are ever in memory as a whole.

Amounts are numbers. Whatever is compared with paper is text, so that no zero and no digit is lost. No formulas: a text
that begins like one is marked as text, and stays one when somebody edits its cell.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from shared.errors import DeviceError

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ROWS: Final = 1_000_000
"""Rows of a sheet: Excel takes 1,048,576. What is more comes on a sheet of its own."""
_PIECE_BYTES: Final = 1 << 16
_ON_DISK: Final = Path("/var/tmp")  # noqa: S108 - files without a name; /tmp is memory on many boxes

_LIKE_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | None


class Column(msgspec.Struct, frozen=True):
    """A column: what heads it, and how many letters wide it is."""

    head: str
    width: int = 14


def write_workbook(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, right_to_left: bool, made_at: datetime
) -> IO[bytes]:
    """Return a workbook at its beginning; closing it removes it. Raises DeviceError `history.not_exported`."""
    folder = str(_ON_DISK) if _ON_DISK.is_dir() else None
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the caller closes it
    try:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder, "in_memory": False})
        book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        _write(book, title, columns, rows, right_to_left=right_to_left)
        book.close()
    except (OSError, XlsxWriterException) as error:
        file.close()
        raise DeviceError("history.not_exported", why=str(error)) from error
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _write(
    book: Any, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, right_to_left: bool
) -> None:
    head = book.add_format({"bold": True, "bottom": 1})
    amount = book.add_format({"num_format": "#,##0"})
    marked = book.add_format({"quote_prefix": True})
    sheet: Any = None
    for number, cells in enumerate(rows):
        place = number % SHEET_ROWS
        if place == 0:
            sheet = _sheet(book, title, columns, head, number // SHEET_ROWS, right_to_left=right_to_left)
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(place + 1, column, cell, amount)
            elif cell:
                sheet.write_string(place + 1, column, cell, marked if cell.startswith(_LIKE_A_FORMULA) else None)
    if sheet is None:
        _sheet(book, title, columns, head, 0, right_to_left=right_to_left)


def _sheet(book: Any, title: str, columns: Sequence[Column], head: Any, number: int, *, right_to_left: bool) -> Any:
    sheet = book.add_worksheet(title if number == 0 else f"{title} {number + 1}")
    if right_to_left:
        sheet.right_to_left()
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.head, head)
    return sheet


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file in pieces, and close it at the end."""
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
