"""Catalogues signed onto feeds: which is in force, what one changes of another, and what is never signed."""

import functools

import pytest

from central.fleet import feed
from central.fleet.catalogues import (
    CATALOGUE_SIZE_MAX_BYTES,
    Catalogues,
    catalogue_of,
    changes,
    in_force,
    withdrawal_of,
)
from central.fleet.publishing import publish, published, standing
from shared.catalogue_files import BUILT_IN, built_in_catalogue
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import CataloguePublished
from shared.ids import NETWORK_FEED
from tests.central.ingest.offices import OFFICE, Centre

ONE = """
[[services]]
code = "tax_id"
category = "civil"
name = {{ fa = "شمارهٔ مالیاتی", en = "Tax id" }}
provider = "gateway"
call = "tax_id"
rules = {{ fa = "{rules}", en = "" }}
tariff = {{ fee_rial = {fee}, company_rial = {fee} }}
fields = [{{ name = "code", kind = "national_code", label = {{ fa = "کد ملی", en = "" }}, is_applicant = true }}]
"""


def toml(fee: int = 20_000, rules: str = "") -> bytes:
    return ONE.format(fee=fee, rules=rules).encode()


@pytest.mark.postgres
def test_an_office_s_own_goes_before_the_network_s_and_that_before_the_program_s(centre: Centre) -> None:
    append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    for_all = catalogue_of(toml(), note="دی", by="mina", entropy=centre.entropy)
    for_one = catalogue_of(toml(30_000), note="", by="mina", entropy=centre.entropy)

    def forced(office: str | None) -> str:
        with centre.engine.connect() as connection:
            return in_force(connection, office).catalogue_id

    assert (forced(OFFICE), forced(None)) == (BUILT_IN, BUILT_IN)
    with centre.engine.begin() as connection:
        publish(connection, None, for_all, append)
    assert (forced(OFFICE), forced(None)) == (for_all.catalogue_id,) * 2
    with centre.engine.begin() as connection:
        publish(connection, OFFICE, for_one, append)
        with pytest.raises(OperatorError, match=r"office\.unknown"):
            publish(connection, "nobody", for_one, append)
    assert (forced(OFFICE), forced(None)) == (for_one.catalogue_id, for_all.catalogue_id)
    with centre.engine.begin() as connection:
        publish(connection, OFFICE, withdrawal_of(note="", by="mina", entropy=centre.entropy), append)
    assert forced(OFFICE) == for_all.catalogue_id
    with centre.engine.connect() as connection:
        assert len(published(connection, CataloguePublished)) == 3
        assert [(one.feed, one.body.withdrawn) for one in standing(connection, CataloguePublished)] == [
            (NETWORK_FEED, False),
            (f"daftar.feed/office/{OFFICE}", True),
        ]
        # What was sold by an older one is still known by its name.
        known = Catalogues()
        service = known.service(connection, for_one.catalogue_id, "tax_id")
        assert service is not None
        assert service.tariff.fee_rial == 30_000
        assert known.service(connection, "catalogue-nobody", "tax_id") is None
        assert known.service(connection, BUILT_IN, "car_fines_total") is not None


def test_what_changes_is_said_by_service_with_its_fee() -> None:
    entropy = SystemEntropy()
    one, two = (catalogue_of(data, note="", by="", entropy=entropy).services for data in (toml(), toml(30_000, "متن")))
    (change,) = changes(one, two)
    assert (change.code, change.kind, change.fee_before_rial, change.fee_rial) == ("tax_id", "changed", 20_000, 30_000)
    assert change.members == ("rules", "tariff")
    assert [found.kind for found in changes(one, ())] == ["removed"]
    assert [found.kind for found in changes((), one)] == ["added"]
    assert changes(one, one) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"services = []", "catalogue.empty"),
        (b"services = 1", "catalogue.not_understood"),
        (b"\xff\xfe", "catalogue.not_understood"),
        (toml().replace(b"is_applicant = true", b"is_applicant = false"), "catalogue.wrong"),
        (toml().replace(b"company_rial = 20000", b"company_rial = 1"), "catalogue.wrong"),
        (toml() * 2, "catalogue.wrong"),
        (toml(rules="ن" * CATALOGUE_SIZE_MAX_BYTES), "catalogue.too_large"),
    ],
)
def test_what_no_box_could_sell_by_is_not_signed(data: bytes, code: str) -> None:
    with pytest.raises(OperatorError) as caught:
        catalogue_of(data, note="", by="mina", entropy=SystemEntropy())
    assert caught.value.code == code


@pytest.mark.postgres
def test_the_program_s_own_catalogue_fits_an_entry(centre: Centre) -> None:
    append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    body = catalogue_of(toml(), note="n" * 200, by="mina", entropy=centre.entropy)
    whole = type(body)(catalogue_id=body.catalogue_id, services=built_in_catalogue().services, note=body.note)
    with centre.engine.begin() as connection:
        publish(connection, OFFICE, whole, append)
