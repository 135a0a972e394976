"""Every word that pages ask for is there, in both languages."""

import re
from importlib.resources import files

import pytest

from central.ledger.cases import CASE_NAMES
from central.reconciliation.breaks import Bucket
from central.web.rendering import account_text
from central.web.texts import TEXTS, read_texts
from shared.events import FEED_BODIES, JOURNAL_BODIES
from shared.identifiers import BillType

_ASKED = re.compile(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""")


def asked() -> set[str]:
    folder = files("central.web").joinpath("templates")
    return {key for page in folder.iterdir() for key in _ASKED.findall(page.read_text("utf-8"))}


def test_every_text_a_template_asks_for_exists() -> None:
    assert asked() - TEXTS.keys() == set()


def test_everything_that_can_come_has_a_name() -> None:
    named = {
        *(f"entry.{kind}" for kind in (*JOURNAL_BODIES, *FEED_BODIES)),
        *(f"bucket.{bucket}" for bucket in Bucket),
        *(f"case_kind.{kind}" for kind in CASE_NAMES),
    }
    assert named - TEXTS.keys() == set()


@pytest.mark.parametrize(
    "source", ['a = { fa = "", en = "x" }', 'a = { fa = "{n}", en = "x" }', 'a = { fa = "x", en = "x", de = "x" }']
)
def test_a_text_that_lacks_a_language_or_a_placeholder_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"languages|unknown field"):
        read_texts(source)


def test_accounts_are_called_by_the_bill_or_the_service_that_they_are_for() -> None:
    assert account_text("biller:traffic_fine", "fa") == "بدهی به صادرکنندهٔ قبض · جریمهٔ رانندگی"
    assert account_text("provider:top_up", "fa") == "بدهی به ارائه‌دهندهٔ خدمت · شارژ مستقیم"
    assert account_text("provider:from_a_later_catalogue", "en").endswith("from_a_later_catalogue")
    for bill in BillType:
        assert not re.search("[a-z]", account_text(f"biller:{bill.word}", "fa")), bill
