"""The sandbox provider over HTTP: debts that follow from numbers, bills paid once, memory that outlives it."""

from pathlib import Path

import pytest
from litestar.testing import TestClient

from central.providers.sandbox import create_sandbox_app
from central.providers.sandbox_state import made_bill
from shared.clock import SystemClock
from shared.identifiers import parse_bill

BILL = {"billId": "7748317800142", "payId": "1770160", "amount": 17_000}
CLIENT = "/billing/v2/clients/daftar"


def ask(client: TestClient, track_id: str, parameter: str = "1234567", kind: str = "Electricity") -> dict:  # type: ignore[type-arg]
    query = {"trackId": track_id, "type": kind, "parameter": parameter}
    return client.get(f"{CLIENT}/billingInquiry", params=query).json()  # type: ignore[no-any-return]


def confirm(client: TestClient, track_id: str, **changes: object) -> dict:  # type: ignore[type-arg]
    answer = client.post(f"{CLIENT}/billPaymentConfirm", params={"trackId": track_id}, json={**BILL, **changes})
    return answer.json()  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["water", "electricity", "gas", "landline", "mobile"])
@pytest.mark.parametrize("parameter", ["12345", "0000000000001", "09123456789", "9999999999901"])
@pytest.mark.parametrize("amount_rial", [10_000, 1_999_000, 99_999_999_000])
def test_its_bills_pass_every_check(kind: str, parameter: str, amount_rial: int) -> None:
    bill = parse_bill(*made_bill(kind, parameter, amount_rial))  # type: ignore[arg-type]
    assert (bill.kind.word, bill.amount_rial) == (kind, amount_rial)


def test_a_subscriber_owes_the_same_whoever_asks_and_nothing_once_it_is_paid() -> None:
    with TestClient(create_sandbox_app(SystemClock())) as client:
        first, second = ask(client, "a"), ask(client, "b")
        assert first["result"] == second["result"]
        owed = first["result"]
        assert parse_bill(owed["BillId"], owed["PayId"]).amount_rial == owed["Amount"]
        assert owed["Info"]["name"]
        paid = confirm(client, "c", billId=owed["BillId"], payId=owed["PayId"], amount=owed["Amount"])
        assert paid["status"] == "DONE"
        assert ask(client, "d")["result"] == {"Amount": 0, "message": "Bill Paid"}
        assert ask(client, "e", "1234500")["result"] == {"Amount": 0, "message": "No Bill"}
        assert ask(client, "f", "1234599")["error"]["message"] == "Wrong Parameter"
        assert ask(client, "g", kind="Cheese")["error"]["message"] == "Bill Wrong Type"


def test_a_bill_is_paid_once_and_one_track_id_hears_one_answer() -> None:
    with TestClient(create_sandbox_app(SystemClock())) as client:
        first = confirm(client, "a")
        assert first["status"] == "DONE"
        assert confirm(client, "a") == first
        assert client.get(f"{CLIENT}/trackStatus", params={"trackId": "a"}).json() == first
        assert confirm(client, "b")["error"]["code"] == "BILL_ALREADY_PAID"
        assert confirm(client, "c", amount=1)["error"]["code"] == "VALIDATION_ERROR"
        assert (
            client.get(f"{CLIENT}/trackStatus", params={"trackId": "z"}).json()["error"]["code"] == "TRACK_ID_NOT_FOUND"
        )


def test_what_it_knows_outlives_it(tmp_path: Path) -> None:
    with TestClient(create_sandbox_app(SystemClock(), folder=tmp_path)) as client:
        assert confirm(client, "a")["status"] == "DONE"
        client.post("/control/debts", json={"kind": "gas", "parameter": "55555", "amount_rial": 123_456})
    with TestClient(create_sandbox_app(SystemClock(), folder=tmp_path)) as client:
        assert confirm(client, "b")["error"]["code"] == "BILL_ALREADY_PAID"
        assert ask(client, "c", "55555", "Gas")["result"]["Amount"] == 123_000
        assert client.get("/health").json() == {"status": "ok"}
        assert "7748317800142:1770160" in client.get("/control/state").json()["bills"]
