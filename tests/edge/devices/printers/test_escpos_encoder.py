from io import BytesIO

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from edge.devices.printers.escpos_encoder import END_OF_JOB, INITIALISE, drawer_pulse, encode
from edge.devices.printers.render import picture
from edge.devices.virtual.escpos_paper import AskInTurn, CommandReader, Cut, Paper, Pulse, Raster
from firmware_profiles.printer_profile import Cutter, PrinterDrawer, PrinterProfile
from tests.golden.receipts.papers import PAPERS, WIDTHS

PROFILE = WIDTHS["80mm"]
BLACK = Image.new("1", (576, 300), 0)


def rasters(job: bytes) -> list[Raster]:
    return [command for command in CommandReader().read(job) if isinstance(command, Raster)]


def on_paper(job: bytes, width_dots: int) -> Image.Image:
    paper = Paper(width_dots)
    for raster in rasters(job):
        assert paper.print(raster.rows)
    png = paper.cut()
    assert png is not None
    return Image.open(BytesIO(png)).convert("L")


def without_feed(profile: PrinterProfile) -> PrinterProfile:
    return msgspec.structs.replace(profile, cut=msgspec.structs.replace(profile.cut, feed_dots=0))


def test_bands_are_as_tall_as_the_profile_allows() -> None:
    assert [len(raster.rows) for raster in rasters(encode(BLACK, without_feed(PROFILE)))] == [128, 128, 44]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"", b"\x80", b"\x00" * 40 + b"\x01", b"\xff" * 72]), min_size=1, max_size=400))
def test_any_rows_come_back_as_they_were(rows: list[bytes]) -> None:
    dots = b"".join(row.ljust(72, b"\0") for row in rows)
    sent = ImageChops.invert(Image.frombytes("1", (576, len(rows)), dots))
    job = encode(sent, without_feed(PROFILE))
    assert on_paper(job, 576).tobytes() == sent.convert("L").tobytes()
    assert all(len(raster.rows) <= PROFILE.raster.band_dots for raster in rasters(job))


def test_white_costs_a_byte_a_row() -> None:
    white = encode(Image.new("1", (576, 1_000), 255), without_feed(PROFILE))
    assert len(white) < 1_100


@pytest.mark.parametrize("name", ["bill_confirmed_copy_training", "fine", "ticket"])
def test_another_encoder_says_the_same_picture(name: str) -> None:
    sent = picture(PAPERS[name], PROFILE)
    # Here, for importing it reads a table of all printers there are: for a second, in every process of a run.
    from escpos.capabilities import Profile  # noqa: PLC0415
    from escpos.printer import Dummy  # noqa: PLC0415

    description = Profile()
    description.profile_data = {"media": {"width": {"pixels": 576}}, "codePages": {}}
    other = Dummy(profile=description)
    other.image(sent, impl="bitImageRaster", fragment_height=128)
    ours = encode(sent, without_feed(PROFILE))
    assert on_paper(ours, 576).tobytes() == on_paper(other.output, 576).tobytes()
    assert len(ours) < len(other.output)


@pytest.mark.parametrize(
    ("cutter", "feeds_itself", "command"),
    [
        ("full", False, b"\x1dV\x00"),
        ("partial", False, b"\x1dV\x01"),
        ("full", True, b"\x1dVA\x00"),
        ("partial", True, b"\x1dVB\x00"),
        ("none", False, b""),
        ("automatic", True, b""),
    ],
)
def test_only_a_printer_with_a_cutter_is_told_to_cut(cutter: Cutter, *, feeds_itself: bool, command: bytes) -> None:
    cut = msgspec.structs.replace(PROFILE.cut, cutter=cutter, feeds_itself=feeds_itself, feed_dots=50)
    job = encode(BLACK, msgspec.structs.replace(PROFILE, cut=cut))
    fed = b"\x1dv0\x00\x01\x00\x32\x00" + bytes(50)
    assert job.startswith(INITIALISE)
    assert job.endswith(fed + command + END_OF_JOB)
    assert b"\x1dV" in command or b"\x1dV" not in job


def test_the_end_of_a_job_is_asked_behind_everything_else() -> None:
    commands = CommandReader().read(encode(BLACK, PROFILE))
    assert isinstance(commands[-2], Cut)
    assert commands[-1] == AskInTurn(1)
    answers = msgspec.structs.replace(PROFILE.answers, end_of_job=False)
    silent = CommandReader().read(encode(BLACK, msgspec.structs.replace(PROFILE, answers=answers)))
    assert isinstance(silent[-1], Cut)


def test_the_drawers_pulse_is_the_profiles() -> None:
    drawer = PrinterDrawer(pin=5, on_ms=120, off_ms=240)
    pulse = drawer_pulse(msgspec.structs.replace(PROFILE, drawer=drawer))
    assert CommandReader().read(pulse) == [Pulse(5, 120, 240)]
    assert drawer_pulse(msgspec.structs.replace(PROFILE, drawer=None)) == b""


@pytest.mark.parametrize("wrong", [Image.new("1", (384, 8)), Image.new("L", (576, 8))])
def test_a_picture_of_another_width_or_depth_is_refused(wrong: Image.Image) -> None:
    with pytest.raises(ValueError, match="for 576"):
        encode(wrong, PROFILE)
