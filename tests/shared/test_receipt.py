import re
from typing import get_args

import msgspec
import pytest

from shared.events import BillKind
from shared.identifiers import BillType
from shared.receipt import (
    Amount,
    Confirmation,
    Mark,
    Pair,
    QrCode,
    Receipt,
    Text,
    Title,
    as_copy,
    bill_receipt,
    decode,
    encode,
    inquiry_ticket,
    receipt_url,
)
from tests.golden.receipts.papers import BILL, CONFIRMED, ENGLISH, FOLDER, LEAF, PAPERS, REFUSED, TICKET, URL


def pairs(receipt: Receipt) -> dict[str, str]:
    return {row.label: row.value for row in receipt.rows if isinstance(row, Pair)}


def marks(receipt: Receipt) -> list[str]:
    return [row.text for row in receipt.rows if isinstance(row, Mark)]


def words(receipt: Receipt) -> str:
    parts: list[str] = []
    for row in receipt.rows:
        if isinstance(row, Title | Text | Mark):
            parts.append(row.text)
        if isinstance(row, Pair | Amount):
            parts.append(row.label)
        if isinstance(row, QrCode):
            parts.append(row.caption)
    return "\n".join(parts)


@pytest.mark.parametrize("name", PAPERS)
def test_spooled_form_is_the_golden_one_and_comes_back(name: str) -> None:
    golden = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    assert encode(PAPERS[name]) == golden
    assert decode(golden) == PAPERS[name]


@pytest.mark.parametrize(
    "change",
    [
        (b'"row":"rule"', b'"row":"drawing"'),
        (b'"kind":"bill_receipt"', b'"kind":"poster"'),
        (b'"amount_rial":1770000', b'"amount_rial":-1770000'),
        (b'"copy":false', b'"copy":false,"extra":1'),
    ],
)
def test_a_spooled_receipt_that_is_not_ours_is_refused(change: tuple[bytes, bytes]) -> None:
    data = encode(PAPERS["bill_queued"])
    assert change[0] in data
    with pytest.raises(msgspec.ValidationError):
        decode(data.replace(*change))


def test_bill_receipt_says_all_a_customer_may_be_asked_for() -> None:
    receipt = bill_receipt(BILL)
    assert pairs(receipt) == {
        "شناسه قبض": "7748317800142",
        "شناسه پرداخت": "1770160",
        "شماره کارت": "6104 33** **** 8596",
        "شماره پیگیری": "004217",
        "شماره مرجع": "512345678901",
        "شماره پایانه": "14725836",
        "تاریخ": "۱۴۰۵/۰۹/۰۱",
        "ساعت": "۱۴:۰۸:۳۰",
        "متصدی": "مریم رضایی",
        "ردیف دفتر": "۱۲۸۴",
        "کد درستی‌سنجی": "3f9a 12bc 77d0 91ee",
    }
    assert [row.amount_rial for row in receipt.rows if isinstance(row, Amount)] == [1_770_000]
    assert [row.url for row in receipt.rows if isinstance(row, QrCode)] == [URL]
    assert "کد ۷۲۱۰۱۰۰۱" in words(receipt)
    assert "رسید پرداخت قبض برق" in words(receipt)


def test_codes_compared_with_other_papers_stay_left_to_right() -> None:
    ltr = {row.label for row in bill_receipt(CONFIRMED).rows if isinstance(row, Pair) and row.ltr}
    assert ltr == {
        "شناسه قبض",
        "شناسه پرداخت",
        "شماره کارت",
        "شماره پیگیری",
        "شماره مرجع",
        "شماره پایانه",
        "شماره تأیید شرکت",
        "کد درستی‌سنجی",
    }


def test_what_the_terminal_did_not_give_has_no_row() -> None:
    bare = msgspec.structs.replace(BILL, pan=None, stan=None, rrn=None, terminal_number=None, verify_url=None)
    labels = pairs(bill_receipt(bare))
    assert not {"شماره کارت", "شماره پیگیری", "شماره مرجع", "شماره پایانه"} & set(labels)
    assert not [row for row in bill_receipt(bare).rows if isinstance(row, QrCode)]


def test_paid_is_never_said_as_confirmed() -> None:
    for waiting in ("none", "queued"):
        receipt = bill_receipt(msgspec.structs.replace(BILL, confirmation=waiting))
        assert marks(receipt) == ["پرداخت شد · در صف تأیید"]
    assert marks(bill_receipt(CONFIRMED)) == ["تأیید شد"]
    refused = bill_receipt(REFUSED)
    assert marks(refused) == ["نیاز به بررسی"]
    assert pairs(refused)["شماره پرونده"] == "R-1405-0012"


def test_copy_mark_comes_first_and_only_once() -> None:
    original = bill_receipt(BILL)
    copy = as_copy(original)
    assert not original.copy
    assert copy.copy
    assert copy.rows[0] == Mark(text="رونوشت", look="band")
    assert copy.rows[1:] == original.rows
    assert as_copy(copy) is copy
    assert bill_receipt(BILL, copy=True) == copy


def test_training_paper_is_marked_at_both_ends() -> None:
    for receipt in (bill_receipt(BILL, training=True), inquiry_ticket(TICKET, training=True)):
        mark = Mark(text="آزمایشی: پول واقعی جابه‌جا نشده", look="band")
        assert receipt.training
        assert (receipt.rows[0], receipt.rows[-1]) == (mark, mark)


def test_ticket_shows_its_number_large_and_no_subscriber_number() -> None:
    receipt = inquiry_ticket(TICKET)
    assert [row.text for row in receipt.rows if isinstance(row, Text) and row.size == "huge"] == ["۳۷"]
    assert pairs(receipt)["شماره اشتراک"] == "…142"
    assert "پولی از شما گرفته نشده" in words(receipt)


@pytest.mark.parametrize("kind", BillType)
def test_every_kind_of_bill_has_its_receipt_in_both_languages(kind: BillType) -> None:
    for confirmation in get_args(Confirmation):
        facts = msgspec.structs.replace(ENGLISH, bill_kind=kind, confirmation=confirmation)
        assert not re.search(r"[\u0600-\u06ff]", words(bill_receipt(facts, language="en")))
        facts = msgspec.structs.replace(BILL, bill_kind=kind, confirmation=confirmation)
        assert not re.search(r"[A-Za-z0-9]", words(bill_receipt(facts)))


@pytest.mark.parametrize("kind", get_args(BillKind))
def test_every_kind_of_inquiry_has_its_ticket_in_both_languages(kind: BillKind) -> None:
    ticket = msgspec.structs.replace(TICKET, bill_kind=kind, office_name="Office")
    assert not re.search(r"[\u0600-\u06ff]", words(inquiry_ticket(ticket, language="en")))
    ticket = msgspec.structs.replace(TICKET, bill_kind=kind)
    assert not re.search(r"[A-Za-z0-9]", words(inquiry_ticket(ticket)))


def test_qr_address_names_journal_entry_and_leaf() -> None:
    url = receipt_url("https://check.example/", "daftar.journal/72101001/box 1/1", 7, LEAF)
    assert url == "https://check.example/r/daftar.journal/72101001/box%201/1/7/3f9a12bc77d091ee"
