"""A journal, or a range of it, as one file that anybody can check with nothing but public keys: JSON Lines, for ever.

    {"format":"daftar-journal-export","v":1,"origin":…,"size":N,"checkpoint":"<note>","cosigned":"<note>" or null}
    {"d":"<base64 of an entry's exact bytes>","s":"<base64 of its signature>"}          N times, in order

`checkpoint` is signed by the box over all N entries. `cosigned` is the newest checkpoint a witness has cosigned, which
may be smaller: what came after it, only the box has seen. A range has in its first line, besides, `first`, `end`, how
many lines stand `before` its entries (the opening and the rotations up to it) and `after` them (the rotations since: a
checkpoint is signed by the newest key), each proved to be in the checkpoint, and `proofs` that its first and last
entries are in the trees of both notes.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from shared.journal.entry import ENTRY_SIZE_MAX_BYTES

FORMAT: Final = "daftar-journal-export"
VERSION: Final = 1
LINE_SIZE_MAX_BYTES: Final = 2 * ENTRY_SIZE_MAX_BYTES
"""Base64 of the largest entry, of a signature and of a proof, with room; a longer line is damage."""

Prove = Callable[[int, int], list[bytes]]
"""Return the inclusion proof of an index in the tree of a size."""


class Proof(msgspec.Struct, frozen=True):
    """Entry `i` is in the tree of size `n`: base64 of the path's hashes, lowest first."""

    i: int
    n: int
    p: tuple[str, ...]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a whole journal, and what all first lines share."""

    format: str
    v: int
    origin: str
    size: int
    checkpoint: str
    cosigned: str | None = None


class RangeHeader(Header, frozen=True, kw_only=True):
    """The first line of a range: entries `first` up to, not including, `end`."""

    first: int = 0
    end: int | None = None
    """None in a whole journal: `size`."""
    before: int = 0
    after: int = 0
    proofs: tuple[Proof, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One entry: base64 of its bytes and of its signature."""

    d: str
    s: str


class ProvedLine(msgspec.Struct, frozen=True):
    """One entry around a range, with its place and its path in the checkpoint's tree."""

    i: int
    d: str
    s: str
    p: tuple[str, ...]


def write_export(
    *, origin: str, size: int, checkpoint: str, entries: Iterable[tuple[bytes, bytes]], cosigned: str | None = None
) -> Iterator[str]:
    """Yield the lines of a whole journal, each with its newline. `entries` are (exact bytes, signature), from 0 on."""
    header = Header(format=FORMAT, v=VERSION, origin=origin, size=size, checkpoint=checkpoint, cosigned=cosigned)
    yield _text(header)
    yield from _entry_lines(entries)


def write_range(
    *,
    header: RangeHeader,
    around: Iterable[tuple[int, bytes, bytes]],
    entries: Iterable[tuple[bytes, bytes]],
    cosigned_size: int,
    prove: Prove,
) -> Iterator[str]:
    """Yield the lines of a range. `around` are (index, exact bytes, signature) of the opening and of all rotations.

    `header` needs no `before`, `after` and `proofs`; `cosigned_size` is the size of its cosigned note, 0 without one.
    """
    end = header.size if header.end is None else header.end
    lines = [
        (index, ProvedLine(index, _base64(data), _base64(signature), _path(prove(index, header.size))))
        for index, data, signature in around
    ]
    before = [line for index, line in lines if index < header.first]
    after = [line for index, line in lines if index >= end]
    places = [(header.first, header.size), (end - 1, header.size)]
    if cosigned_size > header.first:
        places += [(header.first, cosigned_size), (min(end, cosigned_size) - 1, cosigned_size)]
    proofs = tuple(Proof(index, size, _path(prove(index, size))) for index, size in dict.fromkeys(places))
    yield _text(msgspec.structs.replace(header, before=len(before), after=len(after), proofs=proofs))
    yield from map(_text, before)
    yield from _entry_lines(entries)
    yield from map(_text, after)


def _entry_lines(entries: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
    for data, signature in entries:
        yield _text(Line(_base64(data), _base64(signature)))


def _text(line: msgspec.Struct) -> str:
    return msgspec.json.encode(line).decode() + "\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _path(hashes: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(_base64(digest) for digest in hashes)
