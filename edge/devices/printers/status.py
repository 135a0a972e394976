"""What a printer's status bytes mean. Pure.

`DLE EOT n` jumps the queue and answers one byte with fixed bits 0xx1xx10; `GS r 1` waits its turn behind the print data
and answers one byte with fixed bits 0xx0xxxx. The two can therefore be told apart on one connection. A printer set to
automatic status (`GS a n`) also speaks unasked: four bytes, the first with fixed bits 0xx1xx00, the others like an
answer to `GS r 1`. They are passed over whole, for they would look like the end of a job.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PrinterStatus(StrEnum):
    """The one thing about a printer an operator needs to know now."""

    OK = "ok"
    PAPER_NEAR_END = "paper_near_end"
    PAPER_END = "paper_end"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    OFFLINE = "offline"
    """Nothing at the address, or the printer says it takes no data for another reason."""
    UNKNOWN = "unknown"
    """Something is there and does not say how it is."""


CAN_PRINT: Final = frozenset({PrinterStatus.OK, PrinterStatus.PAPER_NEAR_END})

STATUS_REQUEST: Final = b"\x10\x04"
"""DLE EOT; the number of the question follows."""
QUESTIONS: Final = (1, 2, 3, 4)
"""Printer, cause of being offline, errors, paper."""

NO_AUTOMATIC_STATUS: Final = b"\x1d\x61\x00"
"""GS a 0: do not speak unasked. It waits its turn, so what was said before it may still come."""
AUTOMATIC_STATUS: Final = b"\x1d\x61\xff"
"""GS a: speak at once and at every change, of everything."""
AUTOMATIC_STATUS_BYTES: Final = 4
MODEL_REQUEST: Final = b"\x1dI\x43"
"""GS I 67: what model are you. Answered in words."""
WORDS_BEGIN: Final = 0x5F
WORDS_MAX: Final = 80
"""Words begin with this byte and end with a zero; none is longer than the command reference says."""

_FIXED_MASK: Final = 0x93
_FIXED_BITS: Final = 0x12
_AUTOMATIC_BITS: Final = 0x10
_MARKER_MASK: Final = 0x90
_FAULTS: Final[tuple[tuple[int, int, PrinterStatus], ...]] = (
    (2, 0x04, PrinterStatus.COVER_OPEN),
    (4, 0x60, PrinterStatus.PAPER_END),
    (2, 0x20, PrinterStatus.PAPER_END),
    (3, 0x08, PrinterStatus.CUTTER),
    (3, 0x60, PrinterStatus.OFFLINE),
    (2, 0x40, PrinterStatus.OFFLINE),
    (1, 0x08, PrinterStatus.OFFLINE),
    (4, 0x0C, PrinterStatus.PAPER_NEAR_END),
)
"""(question, bits, meaning), the most helpful first: an open cover also reads as offline and as no paper."""

_AUTOMATIC_FAULTS: Final[tuple[tuple[int, int, PrinterStatus], ...]] = (
    (0, 0x20, PrinterStatus.COVER_OPEN),
    (2, 0x0C, PrinterStatus.PAPER_END),
    (1, 0x08, PrinterStatus.CUTTER),
    (1, 0x60, PrinterStatus.OFFLINE),
    (0, 0x08, PrinterStatus.OFFLINE),
    (2, 0x03, PrinterStatus.PAPER_NEAR_END),
)
"""The same for the bytes of an automatic status, counted from 0."""
_MARKER_NEAR_END: Final = 0x03
_MARKER_END: Final = 0x0C


def is_status_byte(byte: int) -> bool:
    """Return whether a byte can be an answer to `DLE EOT n`."""
    return byte & _FIXED_MASK == _FIXED_BITS


def begins_automatic_status(byte: int) -> bool:
    """Return whether a byte is the first of the four a printer sends unasked."""
    return byte & _FIXED_MASK == _AUTOMATIC_BITS


def is_end_of_job_byte(byte: int) -> bool:
    """Return whether a byte can be the answer to `GS r 1`."""
    return byte & _MARKER_MASK == 0


def meaning(answers: Mapping[int, int]) -> PrinterStatus:
    """Return what the answers to all four questions say together; a question without answer makes it unknown."""
    if any(question not in answers for question in QUESTIONS):
        return PrinterStatus.UNKNOWN
    for question, bits, status in _FAULTS:
        if answers[question] & bits:
            return status
    return PrinterStatus.OK


def automatic_meaning(data: bytes) -> PrinterStatus:
    """Return what the four bytes of an automatic status say together; fewer are unknown."""
    if len(data) != AUTOMATIC_STATUS_BYTES:
        return PrinterStatus.UNKNOWN
    for place, bits, status in _AUTOMATIC_FAULTS:
        if data[place] & bits:
            return status
    return PrinterStatus.OK


def marker_meaning(byte: int, before: PrinterStatus) -> PrinterStatus:
    """Return the status after a job whose marker was answered with this byte; it knows of the paper's end only."""
    return PrinterStatus.PAPER_NEAR_END if byte & _MARKER_NEAR_END else before


def marker_says_paper_end(byte: int) -> bool:
    """Return whether the marker was answered from the end of the roll: the last lines may be missing."""
    return bool(byte & _MARKER_END)
