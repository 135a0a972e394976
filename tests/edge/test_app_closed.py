"""A box whose journal is closed: it shows what was, says so, and takes nothing."""

from pathlib import Path

from edge.app import create_app
from edge.services.journal.close_journal import close_journal
from edge.settings import KEY_NAME, SOFTWARE, STORE_NAME
from edge.store.queries import Queries
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.store.boxes import Box, approved, requested, sent
from tests.edge.test_app import PASSWORD, folder, visiting

__all__ = ["folder"]


async def test_a_closed_box_shows_its_history_and_takes_nothing(folder: Path) -> None:
    with Box(folder, enrolled=False) as box:
        box.write(requested("p1"), sent("p1"), approved("p1"))
    size, left = close_journal(
        folder / STORE_NAME,
        folder / KEY_NAME,
        reason="retired",
        operator="maryam",
        software=SOFTWARE,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    assert left == ()
    for _ in range(2):
        async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
            await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
            home = await person.get("/")
            assert home.status_code == 200
            assert "دفتر روزنامهٔ این دستگاه بسته شده است" in home.text
            assert (await person.get("/payments/p1")).status_code == 200
            refused = await person.send("/bill?bill_id=2050327604613&payment_id=1070189", "/payments")
            assert refused.status_code == 409
            assert "دفتر روزنامهٔ این دستگاه بسته شده است" in refused.text
    queries = Queries(folder / STORE_NAME)
    assert queries.size() == size
    queries.close()
