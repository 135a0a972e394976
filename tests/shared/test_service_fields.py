import msgspec
import pytest

from shared.catalogue import Choice, Field, FieldKind, Service, Words
from shared.errors import OperatorError
from shared.service_fields import applicant_of, applicant_tail, check_field, check_fields, field_problems, field_text

NAME = Words(fa="نام", en="name")
SIMS = (
    Choice(value="mci", label=Words(fa="همراه اول", en="MCI")),
    Choice(value="mtn", label=Words(fa="ایرانسل", en="Irancell")),
)


def field(kind: FieldKind, **members: object) -> Field:
    return Field(name="asked", kind=kind, label=NAME, **members)  # type: ignore[arg-type]  # members as given


TAKEN = [
    (field("plate"), "۸۸ _ ۲۸۳ ل ۹۹", "992728388", "۹۹ ل ۲۸۳ ایران ۸۸", "99 ل 283 ایران 88"),
    (field("motorcycle_plate"), "۱۲۳-۴۵۶۷۸", "12345678", "۱۲۳-۴۵۶۷۸", "123-45678"),
    (field("national_code"), "۰۴۹۹۳۷۰۸۹۹", "0499370899", "۰۴۹۹۳۷۰۸۹۹", "0499370899"),
    (field("mobile"), "+98 912 345 6789", "09123456789", "۰۹۱۲۳۴۵۶۷۸۹", "09123456789"),
    (field("landline"), "021-77689361", "02177689361", "۰۲۱۷۷۶۸۹۳۶۱", "02177689361"),
    (field("postal_code"), "13416-66958", "1341666958", "۱۳۴۱۶۶۶۹۵۸", "1341666958"),
    (field("postal_code"), "1236598127", "1236598127", "۱۲۳۶۵۹۸۱۲۷", "1236598127"),
    (field("digits", min_size=3, max_size=5), " ۰۱۲ ۳ ", "0123", "۰۱۲۳", "0123"),
    (field("text"), "  خیابان\u200cها   یک ", "خیابان\u200cها یک", "خیابان\u200cها یک", "خیابان\u200cها یک"),
    (field("choice", choices=SIMS), "mtn", "mtn", "ایرانسل", "Irancell"),
    (field("tick"), " yes ", "yes", "بله", "yes"),
    (field("date"), "1405-8-3", "1405/08/03", "۱۴۰۵/۰۸/۰۳", "1405/08/03"),
    (field("amount", min_size=1_000, max_size=175_000), "۱۷۵٬۰۰۰", "175000", "۱۷٬۵۰۰ تومان", "17,500 toman"),
]


@pytest.mark.parametrize(("asked", "typed", "kept", "fa", "en"), TAKEN, ids=[row[0].kind for row in TAKEN])
def test_what_is_typed_is_kept_in_one_form_and_shown_for_people(asked, typed, kept, fa, en):
    assert check_field(asked, typed) == kept
    assert check_field(asked, kept) == kept, "a program may send back what it was told"
    assert (field_text(asked, kept, "fa"), field_text(asked, kept, "en")) == (fa, en)


@pytest.mark.parametrize(
    ("asked", "typed", "code"),
    [
        (field("plate"), "12چ14547", "plate.letter"),
        (field("plate"), "12ب04547", "plate.zero"),
        (field("plate"), "120704507", "plate.letter"),
        (field("motorcycle_plate"), "1234567", "plate.motorcycle_shape"),
        (field("national_code"), "0684159415", "identity.national_code_wrong"),
        (field("national_code"), "1111111111", "identity.national_code_wrong"),
        (field("national_code"), "123456789", "identity.national_code_length"),
        (field("mobile"), "02112345678", "identity.not_a_mobile"),
        (field("landline"), "09123456789", "identity.not_a_landline"),
        (field("postal_code"), "0123456789", "identity.postal_code_wrong"),
        (field("postal_code"), "1111111111", "identity.postal_code_wrong"),
        (field("postal_code"), "12342567890", "identity.postal_code_length"),
        (field("postal_code"), "123456789", "identity.postal_code_length"),
        (field("digits"), "12a", "service.not_digits"),
        (field("digits", min_size=3, max_size=5), "12", "service.field_length"),
        (field("digits", min_size=3, max_size=5), "123456", "service.field_length"),
        (field("text", max_size=3), "چهار", "service.field_length"),
        (field("text"), "a\x00b", "service.not_a_line"),
        (field("choice", choices=SIMS), "rightel", "service.no_such_choice"),
        (field("tick"), "on", "service.no_such_choice"),
        (field("tick"), "no", "service.field_missing"),
        (field("date"), "1404/12/30", "calendar.not_a_date"),
        (field("amount"), "-5", "money.not_a_number"),
        (field("amount"), "0", "service.amount_low"),
        (field("amount", min_size=51_000), "50000", "service.amount_low"),
        (field("amount", max_size=51_000), "51001", "service.amount_high"),
        (field("text"), "   ", "service.field_missing"),
    ],
)
def test_what_is_wrong_is_refused_at_the_field(asked, typed, code):
    with pytest.raises(OperatorError) as refused:
        check_field(asked, typed)
    assert (refused.value.code, refused.value.field) == (code, "asked")


SERVICE = Service(
    code="one",
    category="police",
    name=NAME,
    fields=(
        Field(name="plate", kind="plate", label=NAME, is_applicant=True),
        Field(name="national_code", kind="national_code", label=NAME),
        Field(name="note", kind="text", label=NAME, required=False),
        Field(name="notify", kind="tick", label=NAME, required=False),
    ),
    provider="gateway",
    call="ask",
)


def test_all_fields_of_a_service_are_checked_together():
    given = {"plate": "99ل28388", "national_code": "۰۴۹۹۳۷۰۸۹۹", "note": " ", "notify": "no"}
    fields = check_fields(SERVICE, given)
    assert fields == {"plate": "992728388", "national_code": "0499370899"}, "what was not given is not kept"
    assert (applicant_of(SERVICE, fields), applicant_tail(SERVICE, fields)) == ("992728388", "388")
    assert field_problems(SERVICE, given) == {}
    assert {name: error.code for name, error in field_problems(SERVICE, {"plate": "99"}).items()} == {
        "plate": "plate.shape",
        "national_code": "service.field_missing",
    }


def test_a_choice_that_was_left_open_is_the_longest_prefixs_and_one_that_was_made_stands():
    operators = (
        msgspec.structs.replace(SIMS[0], prefixes=("091",)),
        msgspec.structs.replace(SIMS[1], prefixes=("0917",)),
    )
    mobile = Field(name="mobile", kind="mobile", label=NAME, is_applicant=True)
    operator = Field(name="operator", kind="choice", label=NAME, choices=operators, preset_by="mobile")
    service = msgspec.structs.replace(SERVICE, fields=(operator, mobile))
    assert check_fields(service, {"mobile": "+989171234567"}) == {"operator": "mtn", "mobile": "09171234567"}
    assert check_fields(service, {"mobile": "09181234567", "operator": " "})["operator"] == "mci"
    assert check_fields(service, {"mobile": "09181234567", "operator": "mtn"})["operator"] == "mtn"
    with pytest.raises(OperatorError) as refused:
        check_fields(service, {"mobile": "09351234567"})
    assert (refused.value.code, refused.value.field) == ("service.field_missing", "operator")


def test_what_a_service_does_not_ask_for_is_refused():
    with pytest.raises(OperatorError) as refused:
        check_fields(SERVICE, {"plate": "99ل28388", "national_code": "0499370899", "pin": "1"})
    assert (refused.value.code, refused.value.field) == ("service.field_unknown", "pin")
