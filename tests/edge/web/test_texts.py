import re
from pathlib import Path

import pytest

from edge.web.texts import TEXTS, read_texts, text

WEB = Path(__file__).parents[3] / "edge" / "web"
SOURCES = "\n".join(path.read_text("utf-8") for path in [*WEB.rglob("*.py"), *WEB.rglob("*.html")])
QUOTED = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["']""", SOURCES))


def test_every_text_is_used():
    assert sorted(set(TEXTS) - QUOTED) == []


def test_every_text_that_is_asked_for_is_there():
    asked = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["'] \| t\b""", SOURCES))
    assert asked
    assert sorted(asked - set(TEXTS)) == []


def test_both_languages_are_written_in_their_own_letters():
    for key, found in TEXTS.items():
        if key != "app.to_other_language":
            assert re.search("[آ-ی]", found.fa), key
            assert not re.search("[آ-ی]", found.en), key


def test_persian_is_spelled_one_way():
    for key, found in TEXTS.items():
        assert not re.search("[يكةى٠-٩0-9]", found.fa), key
        assert "تایید" not in found.fa, key
        assert "نا موفق" not in found.fa, key
        assert not re.search(r"(?:^|\s)ن?می\s", found.fa), f"{key}: the half space after می"


def test_a_text_is_filled():
    assert text("gauge.queue", "en", n=3, amount="5 toman") == "3 queued · 5 toman"


@pytest.mark.parametrize(
    "source", ['"a.b" = { fa = "الف", en = "" }', '"a.b" = { fa = "الف {n}", en = "A" }', '"a.b" = { fa = "الف" }']
)
def test_a_table_with_half_a_text_is_refused(source: str):
    with pytest.raises(ValueError, match=r"languages|placeholders|en"):
        read_texts(source)
