import re
from typing import get_args

import msgspec
import pytest

from shared.events import BillKind
from shared.identifiers import BillType
from shared.paper_facts import Confirmation, Facts
from shared.paper_filling import compose
from shared.receipt import Amount, Mark, Pair, Plate, QrCode, Receipt, Text, Title
from tests.golden.receipts.papers import (
    BILL,
    CONFIRMED,
    DAY,
    ENGLISH,
    FINE,
    GROUP,
    PLATE,
    PROVISIONING,
    REFUND,
    REFUSED,
    SERVICE,
    TEST_PAGE,
    TICKET,
    URL,
)


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


def test_bill_receipt_says_all_a_customer_may_be_asked_for() -> None:
    receipt = compose(BILL)
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
    ltr = {row.label for row in compose(CONFIRMED).rows if isinstance(row, Pair) and row.ltr}
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
    labels = pairs(compose(bare))
    assert not {"شماره کارت", "شماره پیگیری", "شماره مرجع", "شماره پایانه"} & set(labels)
    assert not [row for row in compose(bare).rows if isinstance(row, QrCode)]


def test_paid_is_never_said_as_confirmed() -> None:
    for waiting in ("none", "queued"):
        receipt = compose(msgspec.structs.replace(BILL, confirmation=waiting))
        assert marks(receipt) == ["پرداخت شد · در صف تأیید"]
    assert marks(compose(CONFIRMED)) == ["تأیید شد"]
    refused = compose(REFUSED)
    assert marks(refused) == ["نیاز به بررسی"]
    assert pairs(refused)["شماره پرونده"] == "R-1405-0012"


def test_copy_mark_comes_first() -> None:
    original, copy = compose(BILL), compose(BILL, copy=True)
    assert (original.copy, copy.copy) == (False, True)
    assert copy.rows[0] == Mark(text="رونوشت", look="band")
    assert copy.rows[1:] == original.rows


def test_training_paper_is_marked_at_both_ends() -> None:
    for facts in (BILL, TICKET, GROUP, PROVISIONING):
        receipt = compose(facts, training=True)
        mark = Mark(text="آزمایشی: پول واقعی جابه‌جا نشده", look="band")
        assert receipt.training
        assert (receipt.rows[0], receipt.rows[-1]) == (mark, mark)


def test_ticket_shows_its_number_large_and_no_subscriber_number() -> None:
    receipt = compose(TICKET)
    assert [row.text for row in receipt.rows if isinstance(row, Text) and row.size == "huge"] == ["۳۷"]
    assert pairs(receipt)["شماره اشتراک"] == "…142"
    assert "پولی از شما گرفته نشده" in words(receipt)


@pytest.mark.parametrize("kind", BillType)
def test_every_kind_of_bill_has_its_receipt_in_both_languages(kind: BillType) -> None:
    for confirmation in get_args(Confirmation):
        facts = msgspec.structs.replace(ENGLISH, bill_kind=kind, confirmation=confirmation)
        assert not re.search(r"[\u0600-\u06ff]", words(compose(facts, language="en")))
        facts = msgspec.structs.replace(BILL, bill_kind=kind, confirmation=confirmation)
        assert not re.search(r"[A-Za-z0-9]", words(compose(facts)))


@pytest.mark.parametrize("kind", get_args(BillKind))
def test_every_kind_of_inquiry_has_its_ticket_in_both_languages(kind: BillKind) -> None:
    ticket = msgspec.structs.replace(TICKET, bill_kind=kind, office_name="Office")
    assert not re.search(r"[\u0600-\u06ff]", words(compose(ticket, language="en")))
    ticket = msgspec.structs.replace(TICKET, bill_kind=kind)
    assert not re.search(r"[A-Za-z0-9]", words(compose(ticket)))


def test_fines_show_the_plate_each_violation_and_their_sum() -> None:
    receipt = compose(FINE)
    assert [row.plate for row in receipt.rows if isinstance(row, Plate)] == [PLATE]
    assert "فهرست خلافی · ۲ مورد" in words(receipt)
    assert "۱. توقف در محل ایستادن ممنوع" in words(receipt)
    values = [row.value for row in receipt.rows if isinstance(row, Pair)]
    assert [value for value in values if value.endswith("تومان")] == ["۸۰٬۰۰۰ تومان", "۲۰٬۰۰۰ تومان"]
    assert [row.amount_rial for row in receipt.rows if isinstance(row, Amount)] == [1_000_000]
    only_the_sum = compose(msgspec.structs.replace(FINE, violations=()))
    assert "فهرست خلافی" not in words(only_the_sum)
    assert pairs(only_the_sum)["شناسه قبض"] == FINE.bill_id


def test_a_group_is_summed_by_what_is_paid_and_says_what_is_not() -> None:
    receipt = compose(GROUP)
    assert [row.amount_rial for row in receipt.rows if isinstance(row, Amount)] == [6_270_000]
    assert marks(receipt) == ["۱ قبض نامشخص · ۶۲۰٬۰۰۰ تومان"]
    assert pairs(receipt)["پرداخت‌شده"] == "۲ از ۴ قبض"
    assert pairs(receipt)["پرداخت‌نشده"] == "۱ قبض"
    states = [row.value for row in receipt.rows if isinstance(row, Pair) and row.label == "وضعیت"]
    assert states == ["پرداخت شد · در صف تأیید", "تأیید شد", "نامشخص · دوباره نکشید", "ناموفق"]
    settled = msgspec.structs.replace(GROUP, bills=GROUP.bills[:2])
    assert marks(compose(settled)) == []
    assert "پرداخت‌نشده" not in pairs(compose(settled))


def test_a_service_receipt_says_that_it_is_the_fee() -> None:
    receipt = compose(SERVICE)
    assert "بابت: کارمزد استعلام خلافی با جزئیات خودرو" in words(receipt)
    assert "این مبلغ کارمزد خدمت است" in words(receipt)
    assert "متقاضی" not in pairs(receipt)
    assert pairs(compose(msgspec.structs.replace(SERVICE, applicant="0912***4567")))["متقاضی"] == "0912***4567"


def test_a_provisioning_report_counts_what_is_not_good() -> None:
    assert marks(compose(PROVISIONING)) == ["۱ مورد نیاز به بررسی"]
    good = msgspec.structs.replace(PROVISIONING, checks=PROVISIONING.checks[:-1])
    assert marks(compose(good)) == ["همه چیز درست است"]


NAMES = {"office_name": "Office"}


@pytest.mark.parametrize("facts", [BILL, SERVICE, FINE, GROUP, TICKET, REFUND, DAY, TEST_PAGE, PROVISIONING])
def test_the_english_paper_has_the_same_rows(facts: Facts) -> None:
    persian, english = compose(facts), compose(facts, language="en")
    assert [type(row) for row in persian.rows] == [type(row) for row in english.rows]
    assert english.language == "en"
    assert words(persian) != words(english)
