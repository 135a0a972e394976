"""Putting an export onto a USB stick, with all that an auditor needs beside it, and reading it back from the medium."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from edge.journal.export import Exported, write_durably
from shared.errors import DeviceError, IntegrityError, OperatorError

MOUNTS: Final = (Path("/media"), Path("/run/media"), Path("/mnt"))
"""Where systems mount what is plugged in: directly below, or below a folder of the person's name."""
VERIFIER_NAME: Final = "daftar_verify.py"
README_NAME: Final = "README.txt"
_PIECE_SIZE_BYTES: Final = 1024 * 1024

_README: Final = """\
{name}
  entries {first} to {last} of the journal {journal} ({size} entries then)

To check it on any computer with Python 3.11 or newer and its package "cryptography":

  python3 {verifier} {name} --key KEY --witness KEY

Take both keys from central ("daftar central keys show", and the box's from its first entry there), not from this
stick: whoever could change the file could change the keys beside it. For comparison, this box says:

  key      {key}
  witness  {witness}

----------------------------------------------------------------------------------------------------------------

این پرونده ثبت‌های {first} تا {last} دفتر روزنامهٔ دستگاه است. برای بررسی آن فرمان بالا را روی هر رایانه‌ای که
پایتون ۳٫۱۱ و بستهٔ cryptography دارد اجرا کنید. کلیدها را از مرکز بگیرید، نه از همین حافظه.
"""


class Written(msgspec.Struct, frozen=True):
    """One file on the stick, as it was read back."""

    path: Path
    size_bytes: int
    sha256: str


def find_stick(mounts: Sequence[Path] = MOUNTS) -> Path:
    """Return the folder of the one medium that is plugged in.

    Raises OperatorError `export.no_stick`, `export.several_sticks`.
    """
    found = sorted({folder for mount in mounts for folder in (*_folders(mount, 1), *_folders(mount, 2))})
    sticks = [folder for folder in found if os.path.ismount(folder) and os.access(folder, os.W_OK)]
    if not sticks:
        raise OperatorError("export.no_stick")
    if len(sticks) > 1:
        raise OperatorError("export.several_sticks", folders=", ".join(map(str, sticks)))
    return sticks[0]


def _folders(mount: Path, depth: int) -> list[Path]:
    try:
        return [folder for folder in mount.glob("/".join("*" * depth)) if folder.is_dir()]
    except OSError:
        return []


def write_stick(folder: Path, exported: Exported, *, journal: str, key: str, witness: str) -> list[Written]:
    """Write an export, the verifier and a page of words into a folder; return each file as it was read back.

    Raises OperatorError `export.no_stick` where there is no such folder; DeviceError `export.not_written`;
    IntegrityError `export.not_read_back`.
    """
    if not folder.is_dir():
        raise OperatorError("export.no_stick")
    for_auditors = files_of(exported, journal=journal, key=key, witness=witness)
    return [write_file(folder, name, pieces) for name, pieces in for_auditors]


def files_of(exported: Exported, *, journal: str, key: str, witness: str) -> list[tuple[str, Iterable[bytes]]]:
    """Return all that an auditor needs: names and bytes of the export, the verifier and a page of words."""
    last = exported.end - 1
    name = f"{re.sub('[^A-Za-z0-9]+', '-', journal)}-{exported.first}-{last}.jsonl"
    text = _README.format(
        name=name,
        first=exported.first,
        last=last,
        size=exported.size,
        journal=journal,
        verifier=VERIFIER_NAME,
        key=key,
        witness=witness or "-",
    )
    verifier = Path(__file__).parents[2] / "verifier" / VERIFIER_NAME
    return [
        (name, (line.encode() for line in exported.lines)),
        (VERIFIER_NAME, [verifier.read_bytes()]),
        (README_NAME, [text.encode()]),
    ]


def write_file(folder: Path, name: str, pieces: Iterable[bytes]) -> Written:
    """Write a file into a folder and read it back from the medium. Raises as `write_stick` does."""
    path = folder / name
    wanted, size_bytes = hashlib.sha256(), 0

    def counted() -> Iterable[bytes]:
        nonlocal size_bytes
        for piece in pieces:
            wanted.update(piece)
            size_bytes += len(piece)
            yield piece

    write_durably(path, counted())
    if _sha256_on_medium(path) != wanted.hexdigest():
        raise IntegrityError("export.not_read_back", path=str(path))
    return Written(path, size_bytes, wanted.hexdigest())


def _sha256_on_medium(path: Path) -> str:
    """Return the hash of a file's bytes, read anew: what the kernel remembers of them is let go first."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := stream.read(_PIECE_SIZE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise DeviceError("export.not_written", path=str(path), why=error.strerror or type(error).__name__) from error
    return digest.hexdigest()
