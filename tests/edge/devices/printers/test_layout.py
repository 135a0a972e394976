from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.printers.layout import direction_of, lay_out, wrap
from edge.devices.printers.page import Box, Dashes, Modules, Page, Symbol, TextRun
from edge.devices.printers.typeface import text_width
from shared.errors import DeviceError
from shared.receipt import (
    Amount,
    AnyRow,
    Logo,
    Mark,
    Pair,
    Plate,
    PlateNumber,
    QrCode,
    Receipt,
    Rule,
    Space,
    Text,
    Title,
)
from tests.golden.receipts.papers import PAPERS, URL, WIDTHS

ROWS: dict[str, AnyRow] = {
    "title": Title(text="دفتر پیشخوان"),
    "text": Text(text="متنی که در چند خط می‌نشیند چون از پهنای کاغذ بلندتر است و باید شکسته شود", size="large"),
    "pair": Pair(label="شماره مرجع", value="512345678901", ltr=True),
    "long_pair": Pair(label="شماره مرجع", value="0123456789" * 6, ltr=True),
    "amount": Amount(label="مبلغ", amount_rial=999_999_999_999_999),
    "band": Mark(text="رونوشت", look="band"),
    "frame": Mark(text="پرداخت شد · در صف تأیید", look="frame", icon="clock"),
    "line": Rule(),
    "dotted": Rule(look="dotted"),
    "double": Rule(look="double"),
    "qr": QrCode(url=URL, caption="این کد را بخوانید"),
    "long_qr": QrCode(url=URL + "x" * 300),
    "space": Space(height_mm=3),
    "plate": Plate(plate=PlateNumber(two="99", letter="ل", three="283", region="88")),
    "long_plate": Plate(plate=PlateNumber(two="11", letter="معلولین"[:6], three="111", region="11")),
    "logo": Logo(),
}


def page_of(*rows: AnyRow, width: str = "80mm", language: Literal["fa", "en"] = "fa") -> Page:
    receipt = Receipt(kind="test_page", language=language, copy=False, training=False, rows=rows)
    return lay_out(receipt, WIDTHS[width])


def edges(item: object) -> tuple[float, float, float, float]:
    match item:
        case TextRun():
            width = text_width(item.text, item.size, item.direction)
            return item.x, item.baseline - item.size, item.x + width, item.baseline + item.size * 0.4
        case Box():
            return item.x, item.y, item.x + item.width, item.y + item.height
        case Dashes():
            return item.x, item.y, item.x + item.width, item.y + item.height
        case Symbol():
            return item.x, item.y, item.x + item.side, item.y + item.side
        case Modules():
            side = len(item.matrix) * item.scale
            return item.x, item.y, item.x + side, item.y + side
    raise AssertionError(item)


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ROWS)
def test_every_kind_of_row_stays_inside_the_margins(name: str, width: str, language: Literal["fa", "en"]) -> None:
    page = page_of(ROWS[name], width=width, language=language)
    margin = WIDTHS[width].paper.margin_dots
    assert page.width == WIDTHS[width].paper.printable_dots
    assert bool(page.items) == (name != "space")
    for item in page.items:
        left, top, right, bottom = edges(item)
        assert left >= margin - 1
        assert right <= page.width - margin + 1
        assert top >= -1
        assert bottom <= page.height


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAPERS)
def test_no_two_lines_of_a_paper_overlap(name: str, width: str) -> None:
    items = lay_out(PAPERS[name], WIDTHS[width]).items
    runs = [(item, edges(item)) for item in items if isinstance(item, TextRun)]
    for one, (left, _, right, _) in runs:
        for other, (other_left, _, other_right, _) in runs:
            if one is not other and abs(one.baseline - other.baseline) < min(one.size, other.size) * 1.1:
                assert right <= other_left or other_right <= left


def test_an_amount_is_not_parted_from_its_unit() -> None:
    text = "۱ قبض نامشخص · ۶۲۰٬۰۰۰ تومان"
    narrow = text_width(text, 24, "rtl") - 1
    assert wrap(text, 24, "rtl", int(narrow)) == ["۱ قبض نامشخص ·", "۶۲۰٬۰۰۰ تومان"]


def test_labels_start_at_the_side_the_language_starts() -> None:
    label, value = (run for run in page_of(ROWS["pair"]).items if isinstance(run, TextRun))
    assert label.x > value.x
    pair = Pair(label="RRN", value="512345678901", ltr=True)
    label, value = (run for run in page_of(pair, language="en").items if isinstance(run, TextRun))
    assert label.x < value.x
    assert value.direction == "ltr"


def test_a_value_too_long_for_its_line_goes_below_and_loses_nothing() -> None:
    label, *values = (run for run in page_of(ROWS["long_pair"], width="58mm").items if isinstance(run, TextRun))
    assert "".join(run.text for run in values) == "0123456789" * 6
    assert all(run.baseline > label.baseline for run in values)


def test_qr_code_has_its_quiet_zone_and_readable_modules() -> None:
    for width in WIDTHS:
        page = page_of(Rule(), ROWS["qr"], width=width)
        code = next(item for item in page.items if isinstance(item, Modules))
        assert code.scale >= 4
        quiet = 4 * code.scale
        left, top, right, _ = edges(code)
        rule = next(item for item in page.items if isinstance(item, Box))
        assert top - (rule.y + rule.height) >= quiet
        assert left >= quiet
        assert page.width - right >= quiet


def test_a_character_without_glyph_stops_the_paper_and_is_named() -> None:
    for row in (
        Title(text="دفتر ✓"),
        Text(text="✓"),
        Pair(label="✓", value="1"),
        Pair(label="x", value="✓"),
        Amount(label="✓", amount_rial=1),
        Mark(text="✓", look="frame"),
        QrCode(url=URL, caption="✓"),
    ):
        with pytest.raises(DeviceError) as refused:
            page_of(row)
        assert refused.value.code == "printer.glyph_missing"
        assert refused.value.data["characters"] == "✓"


def test_direction_follows_the_first_letter() -> None:
    assert direction_of("۱۲ کد A", "ltr") == "rtl"
    assert direction_of("(COM1) درگاه", "rtl") == "ltr"
    assert direction_of("۱۲:۳۰", "rtl") == "rtl"


@given(
    st.lists(st.text(st.sampled_from("ابپتسشگکلمنوهی۰۱۲abcXYZ019-/"), min_size=1, max_size=40), max_size=8),
    st.integers(min_value=60, max_value=560),
    st.sampled_from([21, 28, 42]),
)
def test_wrapped_lines_fit_and_keep_every_letter_in_order(words: list[str], width: int, size: int) -> None:
    lines = wrap(" ".join(words), size, "rtl", width)
    assert "".join(lines).replace(" ", "") == "".join(words)
    for line in lines:
        assert text_width(line, size, "rtl") <= width or len(line) == 1


def test_a_heading_shrinks_before_it_breaks() -> None:
    name = Title(text="دفتر پیشخوان مهر، شعبهٔ ونک")
    runs = [item for item in page_of(name, width="58mm").items if isinstance(item, TextRun)]
    assert [run.text for run in runs] == [name.text]
    longer = msgspec.structs.replace(name, text=name.text * 3)
    assert len([item for item in page_of(longer, width="58mm").items if isinstance(item, TextRun)]) > 1
