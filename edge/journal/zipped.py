"""Files as one ZIP archive that is sent while it is made: of a journal of any length, no more than a piece is held."""

import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Final, cast

PIECE_SIZE_BYTES: Final = 64 * 1024
_LEVEL: Final = 1
"""Of compression: the box has one small processor, and its file is mostly hashes and signatures."""


class _Out:
    """What an archive is written to: bytes that wait to be taken. It cannot be sought in."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes, /) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def taken(self, at_least: int) -> bytes:
        """Return what waits, once it is so much."""
        if len(self._waiting) < max(at_least, 1):
            return b""
        found = bytes(self._waiting)
        self._waiting.clear()
        return found


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Return the archive of files, given by name and pieces. The same files make the same bytes."""
    out = _Out()
    with zipfile.ZipFile(
        cast("IO[bytes]", out), "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
    ) as archive:
        for name, pieces in files:
            # Without a time of its own: the clock of a box is a claim.
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
                    if found := out.taken(PIECE_SIZE_BYTES):
                        yield found
    if found := out.taken(1):
        yield found
