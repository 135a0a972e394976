import pytest

from central.providers.values import camel, moment, rial, shown, snake, word
from shared.catalogue import Row, Words

LABEL = Words(fa="x", en="x")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("LicenseNumber", "license_number"),
        ("BillID", "bill_id"),
        ("nationalID", "national_id"),
        ("TotalAmount", "total_amount"),
        ("revokedDateTime", "revoked_date_time"),
        ("PayId", "pay_id"),
        ("amount", "amount"),
    ],
)
def test_members_are_named_as_catalogues_name_them(theirs: str, ours: str) -> None:
    assert snake(theirs) == ours


def test_calls_are_named_as_providers_name_them() -> None:
    assert (camel("civil_payment_id"), camel("score")) == ("civilPaymentId", "score")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1396/11/24 - 11:11", "2018-02-13T07:41:00.000Z"),
        ("۱۴۰۱/۰۵/۱۲ - ۱۰:۴۰", "2022-08-03T06:10:00.000Z"),
        ("1405/9/1", "1405/09/01"),
        ("2026-11-22", "1405/09/01"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"),
        ("2026-11-22T10:00:00", "2026-11-22T06:30:00.000Z"),
        ("1405/13/01", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1405, None),
    ],
)
def test_days_and_instants_have_one_form(text: object, canonical: str | None) -> None:
    assert moment(text) == canonical


@pytest.mark.parametrize(("value", "amount"), [(5, 5), ("800000", 800_000), ("۸۰۰٬۰۰۰", 800_000), ("1,000", 1000)])
def test_whole_rials_are_read(value: object, amount: int) -> None:
    assert rial(value) == amount


@pytest.mark.parametrize("value", [True, 5.5, "5.5", "", "-1", None, "1,00", "9" * 19, 10**18, -(10**18)])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="rials"):
        rial(value)


def test_a_value_is_kept_in_the_form_of_its_row() -> None:
    def row(kind: str) -> Row:
        return Row(name="x", label=LABEL, kind=kind)  # type: ignore[arg-type]

    assert shown("تحویل‌شده", row("text")) == "تحویل‌شده"
    assert shown("1,000", row("rial")) == "1000"
    assert shown("many", row("rial")) is None
    assert shown(3.5, row("number")) == "3.5"
    assert shown(12, row("number")) == "12"
    assert shown(value=True, row=row("text")) == "yes"
    assert shown("x\x00y", row("text")) is None
    assert shown("x" * 401, row("text")) is None
    assert word("a" * 65) is None
