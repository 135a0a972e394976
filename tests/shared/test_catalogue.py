import msgspec
import pytest

from shared.catalogue import Catalogue, Choice, Field, Group, Row, Service, Tariff, Words

NAME = Words(fa="نام", en="name")
MCI = Choice(value="mci", label=NAME, prefixes=("091",))
MOBILE = Field(name="mobile", kind="mobile", label=NAME)
OPERATOR = Field(name="operator", kind="choice", label=NAME, choices=(MCI,), preset_by="mobile")
PLATE = Field(name="plate", kind="plate", label=NAME, is_applicant=True)
PLAIN = Service(code="one", category="police", name=NAME, fields=(PLATE,), provider="gateway", call="ask")


def changed(**members: object) -> Service:
    return msgspec.structs.replace(PLAIN, **members)


def test_services_are_found_by_code_category_and_group_and_only_active_ones_are_sold():
    group = Group(code="both", name=NAME)
    services = (PLAIN, changed(code="two", group=group), changed(code="off", group=group, active=False))
    catalogue = Catalogue.checked("c1", services)
    assert catalogue.service("off") is services[2]
    assert catalogue.service("none") is None
    assert catalogue.in_category("police") == services[:2]
    assert catalogue.in_category("civil") == ()
    assert catalogue.in_group("both") == (services[1],)


@pytest.mark.parametrize(
    "wrong",
    [
        changed(tariff=Tariff(fee_rial=10, office_rial=9)),
        changed(fields=(PLATE, PLATE)),
        changed(fields=(msgspec.structs.replace(PLATE, is_applicant=False),)),
        changed(fields=(PLATE, Field(name="which", kind="choice", label=NAME))),
        changed(fields=(msgspec.structs.replace(PLATE, choices=(Choice(value="a", label=NAME),)),)),
        changed(fields=(PLATE, Field(name="amount", kind="amount", label=NAME, min_size=2, max_size=1))),
        changed(rows=(Row(name="a", label=NAME), Row(name="a", label=NAME))),
        changed(entitlements=("police",)),
        changed(fields=(PLATE, OPERATOR)),
        changed(fields=(PLATE, MOBILE, msgspec.structs.replace(OPERATOR, preset_by="plate"))),
        changed(fields=(PLATE, MOBILE, msgspec.structs.replace(OPERATOR, preset_by=None))),
        changed(fields=(PLATE, MOBILE, msgspec.structs.replace(OPERATOR, choices=(MCI, MCI)))),
        changed(fields=(PLATE, Field(name="notify", kind="tick", label=NAME))),
        changed(print_first=True),
    ],
    ids=[
        "shares",
        "two fields",
        "no applicant",
        "no choices",
        "choices",
        "sizes",
        "two rows",
        "entitlements",
        "preset by nothing",
        "preset by a plate",
        "prefixes of nothing",
        "prefix twice",
        "forced consent",
        "print without fee",
    ],
)
def test_a_service_that_makes_no_sense_is_refused_by_its_name(wrong):
    with pytest.raises(ValueError, match="one"):
        Catalogue.checked("c1", [wrong])


def test_two_services_of_one_code_are_refused():
    with pytest.raises(ValueError, match="two services of one code"):
        Catalogue.checked("c1", [PLAIN, PLAIN])
