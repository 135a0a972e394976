"""The papers that are kept as golden files: facts of made-up payments, and the receipts built from them."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import firmware_profiles
from firmware_profiles.printer_profile import PrinterProfile
from shared.atm_slip import CashLine, CashSlipFacts
from shared.events import DayClosed, DayTotal, TerminalBatch
from shared.identifiers import BillType
from shared.paper_facts import (
    BillReceiptFacts,
    CheckLine,
    DaySlipFacts,
    DeviceLine,
    FineReceiptFacts,
    GroupBill,
    GroupSlipFacts,
    Handed,
    InquiryTicketFacts,
    OrderReceiptFacts,
    PrinterTestFacts,
    ProvisioningReportFacts,
    RefundSlipFacts,
    ServiceReceiptFacts,
    ServiceTicketFacts,
    Violation,
)
from shared.paper_filling import compose
from shared.receipt import PlateNumber, receipt_url, status_url

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

PLATE = PlateNumber(two="99", letter="ل", three="283", region="88")
SERVICE = ServiceReceiptFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    service="کارمزد استعلام خلافی با جزئیات خودرو",
    plate=PLATE,
    amount_rial=175_000,
    vat_rial=15_909,
    tracking_code="FN-1405-88231",
    paid_at=AT,
    operator=BILL.operator,
    pan=BILL.pan,
    stan="006441",
    rrn="512345678933",
    terminal_number=BILL.terminal_number,
    journal_index=1302,
    leaf=LEAF,
    verify_url=URL,
)
FINE = FineReceiptFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    plate=PLATE,
    amount_rial=1_000_000,
    violations=(
        Violation(
            kind="توقف در محل ایستادن ممنوع (توقف مطلقاً ممنوع)",
            amount_rial=800_000,
            at=AT,
            location="تهران، خیابان چهل و هفتم",
            serial="140503117423",
        ),
        Violation(kind="عدم رعایت حق تقدم", amount_rial=200_000, at=AT, location="تهران، بزرگراه رسالت غرب"),
    ),
    bill_id="7748317800142",
    bill_payment_id="1000160",
    paid_at=AT,
    operator=BILL.operator,
    pan=BILL.pan,
    stan="006442",
    rrn="512345678934",
    terminal_number=BILL.terminal_number,
    confirmation="confirmed",
    provider_reference="80012377",
    journal_index=1305,
    leaf=LEAF,
    verify_url=URL,
)
GROUP = GroupSlipFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    bills=(
        GroupBill(
            bill_kind=BillType.ELECTRICITY,
            bill_id="7748317800142",
            bill_payment_id="1770160",
            amount_rial=1_770_000,
            state="paid",
            stan="004217",
            rrn="512345678901",
        ),
        GroupBill(
            bill_kind=BillType.GAS,
            bill_id="1234567890031",
            bill_payment_id="4500121",
            amount_rial=4_500_000,
            state="confirmed",
            stan="004218",
            rrn="512345678902",
        ),
        GroupBill(
            bill_kind=BillType.WATER,
            bill_id="9876543210015",
            bill_payment_id="6200139",
            amount_rial=6_200_000,
            state="in_doubt",
        ),
        GroupBill(
            bill_kind=BillType.LANDLINE,
            bill_id="5555512345048",
            bill_payment_id="3100117",
            amount_rial=310_000,
            state="declined",
        ),
    ),
    terminal_number=BILL.terminal_number,
    paid_at=AT,
    operator=BILL.operator,
    verify_url=URL,
)
PROVISIONING = ProvisioningReportFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    box="box-1",
    journal_id="daftar.journal/72101001/box-1/1",
    key_fingerprint=LEAF,
    central="https://daftar.example",
    version="0.1.0",
    devices=(
        DeviceLine(
            kind="terminal",
            name="terminal-1",
            profile="behpardakht/pos_pc_viii",
            address="192.0.2.21:1024",
            state="good",
            terminal_number="14725836",
        ),
        DeviceLine(
            kind="printer", name="چاپگر رسید", profile="epson/tm_t20ii", address="usb://04b8:0e15", state="good"
        ),
    ),
    checks=(
        CheckLine(check="central", state="good"),
        CheckLine(check="clock", state="good"),
        CheckLine(check="journal", state="good"),
        CheckLine(check="printer", state="good"),
        CheckLine(check="recovery", state="not_done"),
    ),
    technician="سعید احمدی",
    set_up_at=AT,
)

ORDER = OrderReceiptFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    service="خرید شارژ همراه اول",
    applicant="…567",
    order_id="7350112",
    amount_rial=200_000,
    handed=(Handed(name="pin", value="1234 5678 9012 3456"), Handed(name="serial", value="IR-0098-1122")),
    paid_at=AT,
    journal_index=1291,
    leaf=LEAF,
    operator=BILL.operator,
    pan=BILL.pan,
    stan="004219",
    rrn="512345678903",
    terminal_number=BILL.terminal_number,
    confirmation="confirmed",
    provider_reference="88120045",
    verify_url=URL,
)
SERVICE_TICKET = ServiceTicketFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    ticket=38,
    service="استعلام خلافی با جزئیات خودرو",
    applicant_tail="388",
    fee="due",
    fee_rial=175_000,
    requested_at=AT,
    journal_index=1292,
    operator=BILL.operator,
    status_url=status_url("https://daftar.example", "qabcdefghijkmnpqrstuv"),
)

CASH = CashSlipFacts(
    office_name=BILL.office_name,
    office_code=BILL.office_code,
    what="count",
    bank="آینده (اکنون ملی)",
    number="20417",
    place="کنار در ورودی",
    lines=(
        CashLine(cassette=1, denomination_rial=1_000_000, notes=1_198, agreement="less", by=2),
        CashLine(cassette=2, denomination_rial=500_000, notes=640, agreement="same"),
    ),
    expected_rial=1_520_000_000,
    differs=True,
    note="دو بار شمرده شد",
    at=AT,
    operator=BILL.operator,
    journal_index=1293,
    leaf=LEAF,
)

PAPERS = {
    "bill_queued": compose(BILL),
    "bill_confirmed_copy_training": compose(CONFIRMED, copy=True, training=True),
    "bill_refused": compose(REFUSED),
    "bill_english_copy": compose(ENGLISH, language="en", copy=True),
    "bill_stated": compose(STATED),
    "service": compose(SERVICE),
    "fine": compose(FINE),
    "fine_sum_copy": compose(msgspec.structs.replace(FINE, violations=(), confirmation="queued"), copy=True),
    "group": compose(GROUP),
    "provisioning": compose(PROVISIONING),
    "refund": compose(REFUND),
    "ticket": compose(TICKET),
    "order": compose(ORDER),
    "service_ticket": compose(SERVICE_TICKET),
    "cash_count": compose(CASH),
    "cash_load": compose(msgspec.structs.replace(CASH, what="added", expected_rial=None, differs=False, note="")),
    "day": compose(DAY),
    "day_in_doubt_copy": compose(DOUBTFUL_DAY, copy=True),
    "test_page": compose(TEST_PAGE),
}


def profile(name: str) -> PrinterProfile:
    """Return a shipped printer profile by `maker/model`."""
    file = Path(firmware_profiles.__file__).parent / "printers" / f"{name}.toml"
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), PrinterProfile)


WIDTHS = {"80mm": profile("generic/escpos_80mm"), "58mm": profile("generic/escpos_58mm")}
