import msgspec

from central.providers.documents import DOCUMENT_SIZE_MAX_BYTES, Part, bill_payable, document
from shared.catalogue_files import built_in_catalogue

FINES = built_in_catalogue().service("car_fines_detail")
BILL = ("1234567800193", "80010574")


def test_what_nobody_named_is_dropped() -> None:
    assert FINES is not None
    made = document(
        FINES,
        {"total": 800_000, "owner": "رضا محمدی", "national_code": "0499370899"},
        [Part(key="1", values={"amount": 800_000, "license": "992728388"}, image_count=-1)],
    )
    assert made.values == {"total": "800000"}
    assert made.items[0].values == {"amount": "800000"}
    assert made.items[0].image_count == -1


def test_items_without_a_name_or_with_another_s_get_one_of_their_own() -> None:
    assert FINES is not None
    payable = bill_payable("7", *BILL, 800_000)
    parts = [Part(key=key, values={}, payable=payable) for key in ("7", "7", "", "total")]
    items = document(FINES, {}, parts).items
    assert [item.key for item in items] == ["7", "item-2", "item-3", "item-4"]
    assert [item.payable.key for item in items if item.payable] == ["7", "item-2", "item-3", "item-4"]


def test_only_ids_that_agree_with_the_amount_can_be_paid() -> None:
    paid = bill_payable("total", *BILL, "800,000")
    assert paid is not None
    assert (paid.amount_rial, paid.bill_id, paid.bill_payment_id) == (800_000, *BILL)
    assert bill_payable("total", *BILL, 801_000) is None
    assert bill_payable("total", BILL[0], "80010575", 800_000) is None
    assert bill_payable("total", None, None, 800_000) is None


def test_an_answer_too_large_for_an_entry_keeps_what_fits_and_says_so() -> None:
    assert FINES is not None
    parts = [Part(key=str(number), values={"place": "تهران " * 30, "amount": 1000}) for number in range(400)]
    made = document(FINES, {"total": 400_000}, parts)
    assert len(msgspec.json.encode(made)) <= DOCUMENT_SIZE_MAX_BYTES
    assert len(made.items) + made.left_out_count == 400
    assert made.values["total"] == "400000"
