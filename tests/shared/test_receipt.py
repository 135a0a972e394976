import msgspec
import pytest

from shared.receipt import decode, encode, receipt_url
from tests.golden.receipts.papers import FOLDER, LEAF, PAPERS


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


def test_qr_address_names_journal_entry_and_leaf() -> None:
    url = receipt_url("https://check.example/", "daftar.journal/72101001/box 1/1", 7, LEAF)
    assert url == "https://check.example/r/daftar.journal/72101001/box%201/1/7/3f9a12bc77d091ee"
