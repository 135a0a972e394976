"""A picture as ESC/POS bytes. Pure; written from the printers' command reference.

White costs next to nothing: rows without ink are sent as a picture one byte wide, and every band ends at its rightmost
ink. That is also how paper is fed, since a feed command's unit differs from model to model and a raster row is one dot
on all of them.
"""

from itertools import groupby
from typing import Final

from PIL import Image

from firmware_profiles.printer_profile import PrinterProfile

INITIALISE: Final = b"\x1b@"
"""ESC @."""
_RASTER: Final = b"\x1dv0\x00"
"""GS v 0, one dot for one dot; bytes a row and rows follow, two bytes each, the low one first."""
_CUTS: Final = {
    ("full", False): b"\x1dV\x00",
    ("partial", False): b"\x1dV\x01",
    ("full", True): b"\x1dVA\x00",
    ("partial", True): b"\x1dVB\x00",
}
"""GS V by (cutter, moves the paper to its blade). A printer without a cutter would print the command's letters."""
END_OF_JOB: Final = b"\x1dr\x01"
"""GS r 1: asks for the paper sensor *in the queue*, behind the print data; so its answer says the job is through."""
_PULSE: Final = b"\x1bp"
"""ESC p: socket, time on, time off, in units of 2 ms."""
_DOTS_A_BYTE: Final = 8
_WHITE_ROWS_MIN: Final = 8
"""Fewer white rows than this are not worth a command of their own."""


def encode(picture: Image.Image, profile: PrinterProfile) -> bytes:
    """Return a job: initialise, the picture in bands of the profile's height, feed, cut, end-of-job marker.

    The picture is one-bit, 0 black, as wide as the printable part of the paper. Raises ValueError on any other.
    """
    if picture.mode != "1" or picture.width != profile.paper.printable_dots:
        raise ValueError(f"a {picture.mode} picture of {picture.width} dots for {profile.paper.printable_dots}")
    job = [INITIALISE, *_bands(_rows(picture), profile.raster.band_dots)]
    job += _white(profile.cut.feed_dots, profile.raster.band_dots)
    job.append(_CUTS.get((profile.cut.cutter, profile.cut.feeds_itself), b""))
    if profile.answers.end_of_job:
        job.append(END_OF_JOB)
    return b"".join(job)


def drawer_pulse(profile: PrinterProfile) -> bytes:
    """Return what opens the cash drawer; nothing for a model without its socket."""
    drawer = profile.drawer
    if drawer is None:
        return b""
    return _PULSE + bytes((0 if drawer.pin == 2 else 1, drawer.on_ms // 2, drawer.off_ms // 2))  # noqa: PLR2004 - a pin


def _rows(picture: Image.Image) -> list[bytes]:
    """Return each row as bytes, a set bit black, without the white at its end."""
    width = picture.width // _DOTS_A_BYTE
    dots = picture.tobytes("raw", "1;I")
    return [dots[start : start + width].rstrip(b"\0") for start in range(0, len(dots), width)]


def _bands(rows: list[bytes], height: int) -> list[bytes]:
    """Return the picture commands of all rows: ink in bands, longer white as white."""
    bands: list[bytes] = []
    waiting: list[bytes] = []
    for inked, group in groupby(rows, key=bool):
        run = list(group)
        if inked or len(run) < _WHITE_ROWS_MIN:
            waiting += run
            continue
        bands += _ink(waiting, height)
        bands += _white(len(run), height)
        waiting = []
    return bands + _ink(waiting, height)


def _ink(rows: list[bytes], height: int) -> list[bytes]:
    bands: list[bytes] = []
    for start in range(0, len(rows), height):
        band = rows[start : start + height]
        width = max(1, *map(len, band))
        bands.append(_head(width, len(band)) + b"".join(row.ljust(width, b"\0") for row in band))
    return bands


def _white(count: int, height: int) -> list[bytes]:
    rows = [min(height, count - start) for start in range(0, count, height)]
    return [_head(1, band) + bytes(band) for band in rows]


def _head(row_bytes: int, rows: int) -> bytes:
    return _RASTER + row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
