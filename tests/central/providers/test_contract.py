"""What a provider has to keep to for its answers to be sold, held against the sandbox, or against real ones on demand.

`DAFTAR_CONTRACT_PROVIDERS` names a file of providers as `daftar central serve --providers` takes it, and
`DAFTAR_CONTRACT_FIELDS` a TOML file of fields to ask with, one table a service. Only what reads is asked: nothing is
paid, ordered or advised.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from central.providers.configuration import ProviderSettings, connected, read_providers, sandbox_providers
from central.providers.connector import NotDone, Pictured, ProviderConnector, Served, ServiceQuestion
from shared.catalogue_files import built_in_catalogue
from shared.clock import SystemClock, parse_instant
from shared.entropy import SystemEntropy, random_name
from shared.identifiers import parse_bill

OWNER = {"national_code": "0499370899", "mobile": "09123456789"}
SAMPLE_FIELDS: dict[str, dict[str, str]] = {
    "car_fines_total": {"plate": "673034110", **OWNER},
    "car_fines_detail": {"plate": "992728388", **OWNER},
    "motorcycle_fines": {"plate": "12345678", **OWNER},
    "licence_negative_score": {"licence_number": "9912345678", **OWNER},
    "active_plates": OWNER,
    "plate_history": {"plate": "992728388", **OWNER},
    "vehicle_documents": {"plate": "992728388", **OWNER},
    "passport_post": OWNER,
    "licence_post": OWNER,
    "top_up_pin": {"mobile": "09123456789", "operator": "mci"},
    "internet_package": {"mobile": "09123456789", "operator": "mci"},
}


@pytest.fixture(scope="module")
def fields() -> dict[str, dict[str, str]]:
    path = os.environ.get("DAFTAR_CONTRACT_FIELDS")
    if path is None:
        return SAMPLE_FIELDS
    return msgspec.toml.decode(Path(path).read_bytes(), type=dict[str, dict[str, str]])


@pytest.fixture(scope="module")
def connectors(provider_url: str) -> Iterator[dict[str, ProviderConnector]]:
    path = os.environ.get("DAFTAR_CONTRACT_PROVIDERS")
    named: dict[str, ProviderSettings] = sandbox_providers(provider_url) if path is None else read_providers(Path(path))
    made = {name: connected(name, provider, SystemClock()) for name, provider in named.items()}
    yield made
    for connector in made.values():
        connector.close()


@pytest.mark.parametrize("code", sorted(SAMPLE_FIELDS))
def test_an_answer_keeps_to_its_service(
    connectors: dict[str, ProviderConnector], fields: dict[str, dict[str, str]], code: str
) -> None:
    service = built_in_catalogue().service(code)
    assert service is not None
    if code not in fields or service.provider not in connectors:
        pytest.skip("not asked of this provider")
    connector = connectors[service.provider]
    track_id = random_name(SystemEntropy(), "contract-")
    question = ServiceQuestion(track_id=track_id, service=service, fields=fields[code])
    reply = connector.serve(question)
    assert isinstance(reply, Served), reply
    assert reply.outcome in ("done", "nothing"), reply
    made = reply.document
    assert made.values.keys() <= {row.name for row in service.rows}
    for item in made.items:
        assert item.values.keys() <= {row.name for row in service.item_rows}
    for row in service.rows:
        if row.kind == "rial" and row.name in made.values:
            assert made.values[row.name].isdecimal()
    for payable in made.payables():
        if payable.bill_id is not None and payable.bill_payment_id is not None:
            assert parse_bill(payable.bill_id, payable.bill_payment_id).amount_rial == payable.amount_rial
        else:
            assert payable.order_id in {order.order_id for order in reply.orders}
    if reply.answered_at is not None:
        parse_instant(reply.answered_at)
    # The same question by its name: the same answer, or a word that it may be asked anew.
    again = connector.serve_status(question)
    assert isinstance(again, NotDone) or (isinstance(again, Served) and again.document == made)


def test_a_violation_s_pictures_can_be_had(
    connectors: dict[str, ProviderConnector], fields: dict[str, dict[str, str]]
) -> None:
    service = built_in_catalogue().service("car_fines_detail")
    assert service is not None
    if "car_fines_detail" not in fields or service.provider not in connectors:
        pytest.skip("not asked of this provider")
    connector = connectors[service.provider]
    names = [random_name(SystemEntropy(), "contract-") for _ in range(2)]
    question = ServiceQuestion(track_id=names[0], service=service, fields=fields["car_fines_detail"])
    reply = connector.serve(question)
    assert isinstance(reply, Served)
    item = next((item for item in reply.document.items if item.image_count), None)
    if item is None:
        pytest.skip("no violation has a picture")
    pictured = connector.pictures(item.key, track_id=names[1])
    assert isinstance(pictured, Pictured)
    assert any(picture.image for picture in pictured.pictures)
