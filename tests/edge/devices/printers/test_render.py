from functools import cache
from io import BytesIO
from itertools import product

import msgspec
import pytest
import segno
from PIL import Image, ImageChops

from edge.devices.printers.escpos_encoder import encode
from edge.devices.printers.layout import lay_out
from edge.devices.printers.page import Modules, TextRun
from edge.devices.printers.render import draw, picture, render
from edge.devices.virtual.escpos_paper import CommandReader, Cut, Initialise, Paper, Raster
from shared.paper_filling import compose
from shared.receipt import Mark, Receipt
from tests.golden.receipts.papers import BILL, FOLDER, PAPERS, URL, WIDTHS

SQUARE_DOTS = 16
DIFFERENT_MAX = 40


def worst_square(one: Image.Image, other: Image.Image) -> int:
    """Return in how many dots two pictures of one size differ in the square where they differ most."""
    difference = ImageChops.difference(one.convert("L"), other.convert("L")).point([0] + [1] * 255)
    squares = product(range(0, one.height, SQUARE_DOTS), range(0, one.width, SQUARE_DOTS))
    return max(
        sum(difference.crop((x, y, min(x + SQUARE_DOTS, one.width), min(y + SQUARE_DOTS, one.height))).tobytes())
        for y, x in squares
    )


@cache
def drawn(name: str, width: str) -> Image.Image:
    return picture(PAPERS[name], WIDTHS[width])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_looks_as_the_golden_picture(name: str, width: str) -> None:
    golden = Image.open(FOLDER / f"{name}.{width}.png")
    found = drawn(name, width)
    assert found.mode == "1"
    assert found.size == golden.size
    assert worst_square(found, golden) <= DIFFERENT_MAX


@pytest.mark.parametrize(
    "change", [{"stan": "004218"}, {"operator": "مریم رضانی"}, {"amount_rial": 1_780_000}, {"journal_index": 1285}]
)
def test_the_comparison_sees_one_changed_sign(change: dict[str, object]) -> None:
    changed = picture(compose(msgspec.structs.replace(BILL, **change)), WIDTHS["80mm"])
    golden = Image.open(FOLDER / "bill_queued.80mm.png")
    assert changed.size == golden.size
    assert worst_square(changed, golden) > DIFFERENT_MAX


@pytest.mark.parametrize("width", WIDTHS)
def test_the_qr_code_on_the_paper_is_the_url(width: str) -> None:
    page = lay_out(PAPERS["bill_queued"], WIDTHS[width])
    paper = draw(page)
    code = next(item for item in page.items if isinstance(item, Modules))
    read = [
        [
            int(paper.getpixel((code.x + column * code.scale + code.scale // 2, code.y + row * code.scale + 1)) == 0)
            for column in range(len(code.matrix))
        ]
        for row in range(len(code.matrix))
    ]
    assert read == [list(line) for line in segno.make(URL, error="m", micro=False).matrix]


def test_marks_are_white_on_black_and_frames_black_on_white() -> None:
    def share(look: str) -> float:
        mark = msgspec.convert({"row": "mark", "text": "رونوشت", "look": look}, Mark)
        receipt = Receipt(kind="test_page", language="fa", copy=False, training=False, rows=(mark,))
        dots = picture(receipt, WIDTHS["80mm"]).convert("L").tobytes()
        return dots.count(0) / len(dots)

    assert share("band") > 0.5
    assert 0.01 < share("frame") < 0.3


def test_text_leaves_ink_where_the_layout_put_it() -> None:
    page = lay_out(PAPERS["bill_queued"], WIDTHS["80mm"])
    paper = draw(page).convert("L")
    for run in (item for item in page.items if isinstance(item, TextRun)):
        box = (run.x, run.baseline - run.size, run.x + run.size, run.baseline + run.size // 3)
        assert min(paper.crop(box).tobytes()) == 0, run.text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAPERS)
def test_a_stranger_reads_the_same_picture_from_the_bytes(name: str, width: str) -> None:
    profile = WIDTHS[width]
    sent = drawn(name, width)
    commands = CommandReader().read(encode(sent, profile))
    assert isinstance(commands[0], Initialise)
    rasters = [command for command in commands if isinstance(command, Raster)]
    assert all(len(raster.rows) <= profile.raster.band_dots for raster in rasters)
    paper = Paper(profile.paper.printable_dots)
    assert all(paper.print(raster.rows) for raster in rasters)
    assert paper.length_dots == sent.height + profile.cut.feed_dots
    png = paper.cut()
    assert png is not None
    whole = Image.open(BytesIO(png)).convert("L")
    assert ImageChops.difference(whole.crop((0, 0, *sent.size)), sent.convert("L")).getbbox() is None
    assert set(whole.crop((0, sent.height, *whole.size)).tobytes()) == {255}
    assert [command for command in commands if isinstance(command, Cut)] == (
        [] if profile.cut.cutter == "none" else [Cut()]
    )


def test_a_job_is_the_pictures_bytes() -> None:
    assert render(PAPERS["ticket"], WIDTHS["58mm"]) == encode(drawn("ticket", "58mm"), WIDTHS["58mm"])
