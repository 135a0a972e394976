from shared.identifiers import parse_bill
from shared.ids import BoxId, OfficeId, bill_obligation, journal_id, office_feed


def test_a_bill_is_one_obligation_however_it_was_typed():
    typed = [parse_bill("9985235404124", "880000568"), parse_bill("۹۹۸۵۲۳۵۴۰۴۱۲۴", "0000880000568")]
    assert {bill_obligation(bill.bill_id, bill.payment_id) for bill in typed} == {"bill:9985235404124:880000568"}


def test_logs_are_named_after_whose_they_are():
    assert journal_id(OfficeId("72101001"), BoxId("box-1"), 2) == "daftar.journal/72101001/box-1/2"
    assert office_feed(OfficeId("72101001")) == "daftar.feed/office/72101001"
