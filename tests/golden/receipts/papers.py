"""The papers that are kept as golden files: facts of made-up payments, and the receipts built from them."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import firmware_profiles
from firmware_profiles.printer_profile import PrinterProfile
from shared.day_slip import DaySlipFacts, day_slip
from shared.events import DayClosed, DayTotal, TerminalBatch
from shared.identifiers import BillType
from shared.receipt import (
    BillReceiptFacts,
    InquiryTicketFacts,
    PrinterTestFacts,
    bill_receipt,
    inquiry_ticket,
    printer_test_page,
    receipt_url,
)
from shared.refund_slip import RefundSlipFacts, refund_slip

FOLDER = Path(__file__).parent
LEAF = "3f9a12bc77d091ee" + "5c" * 24
URL = receipt_url("https://daftar.example", "daftar.journal/72101001/box-1/1", 1284, LEAF)
AT = datetime(2026, 11, 22, 10, 38, 30, tzinfo=UTC)

BILL = BillReceiptFacts(
    office_name="دفتر پیشخوان مهر، شعبهٔ ونک",
    office_code="72101001",
    bill_kind=BillType.ELECTRICITY,
    bill_id="7748317800142",
    bill_payment_id="1770160",
    amount_rial=1_770_000,
    paid_at=AT,
    journal_index=1284,
    leaf=LEAF,
    operator="مریم رضایی",
    pan="610433******8596",
    stan="004217",
    rrn="512345678901",
    terminal_number="14725836",
    confirmation="queued",
    verify_url=URL,
)
TICKET = InquiryTicketFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    ticket=37,
    bill_kind="electricity",
    parameter_tail="142",
    requested_at=AT,
    journal_index=1290,
    operator="مریم رضایی",
)
TEST_PAGE = PrinterTestFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    printer_title="چاپگر حرارتی (ESC/POS)",
    printer_address="192.0.2.50:9100",
    paper_width_mm=80,
    printable_dots=576,
    printed_at=AT,
    url=URL,
)
REFUSED = msgspec.structs.replace(BILL, confirmation="refused", case_id="R-1405-0012", bill_kind=BillType.WATER)
CONFIRMED = msgspec.structs.replace(
    BILL, confirmation="confirmed", provider_reference="98310042", bill_kind=BillType.GAS
)
STATED = msgspec.structs.replace(
    BILL, stan=None, rrn=None, pan=None, stated_by="رضا کریمی", stated_slip="000412", confirmation="queued"
)
REFUND = RefundSlipFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    refund_id="r7k2m9x4p",
    means="central",
    state="agreed",
    amount_rial=1_770_000,
    reason="قبض مشتری دیگری پرداخت شد",
    asked_by="مریم رضایی",
    asked_at=AT,
    decided_by="رضا کریمی",
    stan="004217",
    rrn="512345678901",
    terminal_number="14725836",
    journal_index=1301,
    leaf=LEAF,
    verify_url=URL,
)
ENGLISH = msgspec.structs.replace(BILL, office_name="Mehr counter office, Vanak", operator="Maryam Rezaei")

DAY = DaySlipFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    number=12,
    closed_at=AT,
    clock="ntp",
    journal_index=1292,
    leaf=LEAF,
    body=DayClosed(
        close_id="d-1",
        first=1107,
        size=1292,
        root="77d091ee" + LEAF[8:],
        totals=(
            DayTotal(method="pcpos", purpose="bill", terminal="terminal-1", count=31, amount_rial=48_310_000),
            DayTotal(method="pcpos", purpose="bill", terminal="terminal-2", count=9, amount_rial=12_004_500),
        ),
        in_doubt_count=0,
        in_doubt_rial=0,
        unsent_count=0,
        unsent_rial=0,
        unconfirmed_count=2,
        unconfirmed_rial=1_900_000,
        batches=(
            TerminalBatch(terminal="terminal-1", count=31, amount_rial=48_310_000),
            TerminalBatch(terminal="terminal-2"),
        ),
        operator="مریم رضایی",
    ),
    verify_url=URL,
)
DOUBTFUL_DAY = msgspec.structs.replace(
    DAY,
    clock="none",
    body=msgspec.structs.replace(
        DAY.body,
        in_doubt_count=1,
        in_doubt_rial=1_770_000,
        unsent_count=185,
        unsent_rial=60_314_500,
        undone=(DayTotal(method="pcpos", purpose="bill", terminal="terminal-1", count=1, amount_rial=310_000),),
        overridden=(DayTotal(method="pcpos", purpose="bill", terminal="terminal-2", count=1, amount_rial=95_000),),
    ),
)

PAPERS = {
    "bill_queued": bill_receipt(BILL),
    "bill_confirmed_copy_training": bill_receipt(CONFIRMED, copy=True, training=True),
    "bill_refused": bill_receipt(REFUSED),
    "bill_english_copy": bill_receipt(ENGLISH, language="en", copy=True),
    "bill_stated": bill_receipt(STATED),
    "refund": refund_slip(REFUND),
    "ticket": inquiry_ticket(TICKET),
    "day": day_slip(DAY),
    "day_in_doubt_copy": day_slip(DOUBTFUL_DAY, copy=True),
    "test_page": printer_test_page(TEST_PAGE),
}


def profile(name: str) -> PrinterProfile:
    """Return a shipped printer profile by `maker/model`."""
    file = Path(firmware_profiles.__file__).parent / "printers" / f"{name}.toml"
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), PrinterProfile)


WIDTHS = {"80mm": profile("generic/escpos_80mm"), "58mm": profile("generic/escpos_58mm")}
