from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.devices.virtual.escpos_paper import (
    AskInTurn,
    AskNow,
    Command,
    CommandReader,
    Cut,
    Feed,
    Initialise,
    Paper,
    Raster,
    Unknown,
)

JOB = (
    b"\x1b@\x10\x04\x01"
    b"\x1dv0\x00\x02\x00\x03\x00\x80\x01\xff\xff\x10\x04"  # its last row looks like a question
    b"\x1bJ\x20\x1bd\x02\n\x1dV\x00\x1dVB\x10\x1dr\x01"
)
COMMANDS: list[Command] = [
    Initialise(),
    AskNow(1),
    Raster((b"\x80\x01", b"\xff\xff", b"\x10\x04")),
    Feed(32),
    Feed(68),
    Feed(34),
    Cut(),
    Cut(16),
    AskInTurn(1),
]


def test_each_command_is_read() -> None:
    assert CommandReader().read(JOB) == COMMANDS


@given(st.lists(st.integers(min_value=0, max_value=len(JOB)), max_size=6))
def test_it_does_not_matter_how_the_bytes_arrive(cuts: list[int]) -> None:
    reader = CommandReader()
    found: list[Command] = []
    edges = [0, *sorted(cuts), len(JOB)]
    for start, end in pairwise(edges):
        found += reader.read(JOB[start:end])
    assert found == COMMANDS


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        (b"\x1bt\x29", [Unknown(b"\x1bt"), Unknown(b")")]),
        (b"A", [Unknown(b"A")]),
        (b"\x1dV\x09\x1b@", [Unknown(b"\x1dV"), Unknown(b"\x09"), Initialise()]),
        (b"\x10\x14\x01", [Unknown(b"\x10\x14"), Unknown(b"\x01")]),
        (b"\x1dv0\x03\x01\x00\x01\x00\xaa\x1b@", [Unknown(b"\x1dv0\x03\x01\x00\x01\x00"), Initialise()]),
        (b"\x1dv0\x00\x00\x00\x00\x00\x1b@", [Unknown(b"\x1dv0\x00\x00\x00\x00\x00"), Initialise()]),
    ],
)
def test_what_is_not_known_is_reported_and_reading_goes_on(data: bytes, commands: list[Command]) -> None:
    assert CommandReader().read(data) == commands


@given(st.binary(max_size=60))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    reader = CommandReader()
    found = reader.read(data) + reader.read(bytes(100))
    assert all(isinstance(command, Command) for command in found)


def test_paper_keeps_dots_feeds_and_cuts() -> None:
    paper = Paper(16)
    assert paper.cut() is None
    assert paper.print((b"\x80\x01", b"\x0f"))
    paper.feed(2)
    assert paper.length_dots == 4
    png = paper.cut()
    assert png is not None
    picture = Image.open(BytesIO(png)).convert("L")
    assert picture.size == (16, 4)
    black = [(x, y) for y in range(4) for x in range(16) if picture.getpixel((x, y)) == 0]
    assert black == [(0, 0), (15, 0), (4, 1), (5, 1), (6, 1), (7, 1)]
    assert paper.length_dots == 0


def test_dots_past_the_head_are_noticed() -> None:
    paper = Paper(16)
    assert paper.print((b"\xff\xff\x00",))
    assert not paper.print((b"\xff\xff\x01",))
