"""The pages made from the code are those in the tree, and the glossary has every word."""

from pathlib import Path

import pytest

from daftar.reference import FOLDER, PAGES
from shared.display import payment_status
from shared.error_texts import ERROR_TEXTS
from shared.events import FEED_BODIES, JOURNAL_BODIES
from shared.payment import PaymentState

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_tables_say(name):
    there = (ROOT / FOLDER / name).read_text(encoding="utf-8")
    assert there == PAGES[name](), "run `python -m daftar.reference` and look at the difference"


def test_every_code_entry_and_state_stands_in_the_reference():
    pages = {name: (ROOT / FOLDER / name).read_text(encoding="utf-8") for name in PAGES}
    assert [code for code in ERROR_TEXTS if f"| `{code}` |" not in pages["errors.md"]] == []
    assert [kind for kind in {**JOURNAL_BODIES, **FEED_BODIES} if f"### `{kind}`" not in pages["entries.md"]] == []
    assert [state for state in PaymentState if f"| `{state}` |" not in pages["payment-states.md"]] == []


@pytest.mark.parametrize("state", PaymentState)
def test_the_glossary_has_each_payment_state_with_its_persian_word(state):
    line = next((line for line in GLOSSARY.splitlines() if line.startswith(f"| `{state}` |")), "")
    assert payment_status(state).fa in line


WORDS = """
office box terminal printer operator acquirer provider payment obligation authorization STAN RRN TID MID settlement
journal entry index leaf root checkpoint cosignature witness fork rollback gap feed cursor window exchange ledger
account transfer match break case adjustment profile capability quirk enrolment lease release tariff share inquiry
reversal void refund advice cutover batch write-off
"""


@pytest.mark.parametrize("word", [*WORDS.split(), "in doubt", "status query", "response code", "tree size"])
def test_the_glossary_has_the_words_of_the_field(word):
    assert f"**{word}**" in GLOSSARY


def test_the_spec_names_every_part_of_the_format():
    spec = (ROOT / "docs" / "spec" / "journal.md").read_text(encoding="utf-8")
    for part in (
        "application/vnd.daftar.entry.v1+json",
        "application/vnd.daftar.feed.v1+json",
        "DSSEv1",
        "cosignature/v1",
        "daftar-journal-export",
        "SHA-256(0x00 ||",
        "SHA-256(0x01 ||",
    ):
        assert part in spec
