"""A receipt from its facts to the printer's bytes against the bare rasterizer's work for the very same picture.

The bound is Pillow alone: a blank sheet, the recorded calls that draw this picture with every measure and every font
at hand, the making smaller and the threshold. Nothing is composed, measured, laid out or encoded there.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, cast

from PIL import Image, ImageDraw

from daftar.bench.figures import Result, figures, in_turn
from edge.devices.catalogue import load_catalogue
from edge.devices.printers.layout import lay_out
from edge.devices.printers.render import canvas, finish, paint, picture, render
from firmware_profiles.printer_profile import PrinterProfile
from shared.identifiers import BillType
from shared.paper_facts import BillReceiptFacts
from shared.paper_filling import compose

LIMIT: Final = 2.0
PROFILES: Final = ("generic/escpos_80mm", "generic/escpos_58mm")
LEAF: Final = "3f9a12bc77d091ee" * 4
FACTS: Final = BillReceiptFacts(
    office_name="دفتر پیشخوان نمونه، شعبهٔ یک",
    office_code="72101001",
    bill_kind=BillType.ELECTRICITY,
    bill_id="7748317800142",
    bill_payment_id="1770160",
    amount_rial=1_770_000,
    paid_at=datetime(2026, 11, 22, 10, 38, 30, tzinfo=UTC),
    operator="متصدی نمونه",
    pan="610433******8596",
    stan="004217",
    rrn="512345678901",
    terminal_number="14725836",
    confirmation="queued",
    journal_index=1_284,
    leaf=LEAF,
    verify_url=f"https://central.example/r/daftar.journal/72101001/box-1/1/1284/{LEAF[:16]}",
)


class _Recorder:
    """Stands for a pen and keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: self.calls.append((name, given, named))


def bench_receipt(rounds: int) -> list[Result]:
    """Return the comparison for each width of paper."""
    catalogue = load_catalogue()
    return [_compare(name, catalogue.printer(name), rounds) for name in PROFILES]


def _compare(name: str, profile: PrinterProfile, rounds: int) -> Result:
    page = lay_out(compose(FACTS), profile)
    recorder = _Recorder()
    paint(page, cast("ImageDraw.ImageDraw", recorder))

    def bound() -> Image.Image:
        sheet = canvas(page)
        pen = ImageDraw.Draw(sheet)
        for call, given, named in recorder.calls:
            getattr(pen, call)(*given, **named)
        return finish(sheet)

    if bound().tobytes() != picture(compose(FACTS), profile).tobytes():
        raise AssertionError("the two sides do not draw the same picture")
    data = render(compose(FACTS), profile)
    ours_ns, bound_ns = in_turn(lambda: render(compose(FACTS), profile), bound, rounds)
    ours, bare = figures(ours_ns), figures(bound_ns)
    ratio = round(ours.median_us / bare.median_us, 2)
    return Result(
        bench=f"receipt {name}",
        ratio=ratio,
        limit=LIMIT,
        holds=ratio <= LIMIT,
        ours=ours,
        bound=bare,
        note=f"{page.width} x {page.height} dots in {len(data)} bytes; drawn by {len(recorder.calls)} calls",
    )
