"""Requests that the API's own description allows, and some that it does not, made up by Schemathesis: never a 5xx.

Made up beforehand and always the same ones; then sent to a real box on its folder, with a payment and a request for
money back in it, so that some of the addresses name something.
"""

from pathlib import Path
from typing import Any, Final, cast

import httpx
import pytest
import schemathesis

# At collection, while no other thread runs: this Python miscounts when two of them compile at once.
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from edge.app import create_app
from edge.services.people.sign_in import token_sha256
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import MANAGER, People
from edge.web.guards import SCOPES
from edge.web.ports.counter import Counter
from edge.web.router import create_app as create_web
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import RefundProposed
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box, approved, requested, sent
from tests.edge.web.fake_counter import FakeClock, FakeCounter, FakeEntropy

Made = Case[Any]
EXAMPLES: Final = 3
"""Requests of each kind to each address: enough to try each member's edges in turn, in seconds."""
NOWHERE: Final = 9
TOKEN: Final = "a token of these tests"
KNOWN: Final = {"payment_id": "p1", "refund_id": "r1", "inquiry_id": "p1", "close_id": "p1"}
"""What an address may name; some of it another kind of thing."""


def made_up(document: dict[str, Any]) -> list[Made]:
    """Return the requests: to each address allowed ones and others, to names that are there and to any."""
    made: list[Made] = []
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), "the description itself holds"
        operation = found.ok()
        if operation.path.endswith("/events"):
            # A stream that ends only when the reader goes.
            continue
        names = {name: KNOWN[name] for name in KNOWN if f"{{{name}}}" in operation.path}
        for mode in GenerationMode:
            for known in (None, names) if names else (None,):
                _collect(operation.as_strategy(mode, path_parameters=known), made)
    return made


def _collect(strategy: Any, made: list[Made]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Made) -> None:
        made.append(case)

    collect()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = create_web(cast("Counter", FakeCounter()), clock=FakeClock(), entropy=FakeEntropy(), version="1")
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    return schema


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Box(tmp_path, enrolled=False) as box:
        box.write(requested("p1"), sent("p1"))
        box.write(approved("p1"))
        box.write(
            RefundProposed(
                refund_id="r1", payment_id="p1", amount_rial=17_000, means="central", reason="دو بار", operator="sara"
            )
        )
    people = People(box.path)
    people.save_operator("mina", name="مینا", verifier=verifier_of("let the manager in"), role=MANAGER)
    people.save_api_token(token_sha256(TOKEN), name="kiosk", scopes=SCOPES)
    people.close()
    save_settings(
        tmp_path,
        Settings(
            office_name="دفتر آزمون",
            terminals=(TerminalSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual"),),
            printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
            verify_base="http://127.0.0.1:1",
        ),
    )
    return tmp_path


async def test_no_request_that_is_made_up_is_answered_with_a_fault(document: dict[str, Any], folder: Path) -> None:
    cases = made_up(document)
    assert {case.operation.label for case in cases} >= {"POST /api/v1/payments", "GET /api/v1/refunds/{refund_id}"}
    app = create_app(folder, SystemClock(), SystemEntropy())
    faults: list[str] = []
    async with app.lifespan(), _client(app) as client:
        for case in cases:
            answer = await client.send(_request(case))
            if answer.status_code >= 500:
                faults.append(f"{case.as_curl_command()}: {answer.status_code} {answer.text[:300]}")
    assert faults == []


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app))


def _request(case: Made) -> httpx.Request:
    """Return a made-up request, with a token that may do everything."""
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    headers = {**dict(kwargs.get("headers") or {}), "authorization": f"Bearer {TOKEN}"}
    body = {name: kwargs[given] for name, given in (("json", "json"), ("content", "data")) if kwargs.get(given)}
    return httpx.Request(kwargs["method"], kwargs["url"], params=kwargs.get("params"), headers=headers, **body)
