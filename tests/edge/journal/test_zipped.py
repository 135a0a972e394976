import hashlib
import io
import zipfile
from collections.abc import Iterator

from edge.journal.zipped import PIECE_SIZE_BYTES, zipped


def test_what_is_sent_while_it_is_made_opens_as_an_archive_and_is_the_same_each_time() -> None:
    def files() -> list[tuple[str, Iterator[bytes]]]:
        long = (bytes([number % 251]) * 1000 + number.to_bytes(4, "big") for number in range(20_000))
        return [("journal.jsonl", long), ("README.txt", iter([b"read me"]))]

    pieces = list(zipped(files()))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    assert archive.read("README.txt") == b"read me"
    assert len(archive.read("journal.jsonl")) == 20_000 * 1004
    assert b"".join(zipped(files())) == b"".join(pieces)


def test_no_more_than_a_piece_is_held_however_long_a_file_is() -> None:
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield hashlib.sha512(made.to_bytes(8, "big")).digest() * 16

    archive = zipped([("journal.jsonl", endless())])
    for _ in range(20):
        assert len(next(archive)) < 2 * PIECE_SIZE_BYTES
    assert made < 200_000, "made as it is taken"
