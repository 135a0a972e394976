"""The API of ATMs over a real box's file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from edge.services.atms import Atms
from edge.services.idempotent import Idempotent
from edge.store.people import People
from shared.atm_typed import AtmDraft
from tests.edge.store.boxes import Box
from tests.edge.web.conftest import ORIGIN
from tests.edge.web.fake_counter import TOKENS, FakeClock, FakeCounter

DRAFT = AtmDraft(bank="017", number="7", place="در", cassettes=((1_000_000, 2_500),))


@pytest.fixture
def box(
    tmp_path: Path,
    counter: FakeCounter,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Box]:
    with Box(tmp_path) as box, closing(People(box.path)) as people:
        counter.atms, counter.queries.atms = Atms(box.writer, box.entropy), box.queries.atms
        monkeypatch.setattr(counter, "idempotent", Idempotent(people, box.identity.journal_id).run)
        monkeypatch.setitem(TOKENS, "atms", frozenset({"atms:read", "atms:write"}))
        yield box


async def test_a_program_reports_counts_and_follows_a_fault(app: Litestar, box: Box, counter: FakeCounter) -> None:
    atm_id = await counter.atms.register(DRAFT, operator="sara")
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{ORIGIN}/api/v1", headers={"Authorization": "Bearer atms"}
    ) as program:
        count = {"what": "counted", "figures": [{"cassette": 1, "notes": 98, "machine": 100}]}
        sent = [
            await program.post(f"/atms/{atm_id}/cash", json=count, headers={"Idempotency-Key": "k1"}) for _ in range(2)
        ]
        assert [one.status_code for one in sent] == [201, 201]
        assert sent[1].json()["cassettes"][0] | {"known_at": ""} == {
            "cassette": 1,
            "denomination_rial": 1_000_000,
            "capacity": 2_500,
            "notes": 98,
            "source": "counted",
            "known_at": "",
            "level": "low",
        }
        assert len(box.queries.atms.events(atm_id, None, 10)) == 3
        state = {"state": "limited", "note": "رسید نمی‌دهد"}
        stands = await program.post(f"/atms/{atm_id}/state", json=state, headers={"Idempotency-Key": "k2"})
        assert stands.json()["state"] == "limited"
        fault = await program.post(
            f"/atms/{atm_id}/faults", json={"kind": "receipt_paper"}, headers={"Idempotency-Key": "k3"}
        )
        ticket = fault.headers["location"].removeprefix("/api/v1")
        assert (await program.get(f"/atms/{atm_id}")).json()["open_tickets"][0]["state"] == "open"
        assert (await program.post(f"{ticket}/close", json={"outcome": "fixed"})).json()["state"] == "closed"
        assert (await program.get(ticket)).json()["ticket"] == 1
        assert (await program.get("/atms")).json()[0]["open_tickets"] == []
        assert (await program.get("/atms/a-nobody")).status_code == 404
        missing = {"what": "reported", "figures": [{"cassette": 9, "notes": 1}]}
        told = await program.post(f"/atms/{atm_id}/cash", json=missing, headers={"Idempotency-Key": "k4"})
        assert (told.status_code, told.json()["code"]) == (422, "atm.notes_missing")
