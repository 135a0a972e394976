"""An answer that is written while its request changes: the two wait for each other in one order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.ledger.locking import lock_payments
from central.ledger.receive import post_entries
from central.providers.connector import ProviderConnector, ServiceQuestion, ServiceReply
from central.providers.worker import work_provider_tasks
from shared.entropy import SystemEntropy
from shared.events import ServiceRetried
from tests.central.ledger.test_locking import DEADLINE_S, no_second_try, until_waiting
from tests.central.ledger.test_receive import Journal
from tests.central.providers.service_worlds import CAR, OWNER, ServiceWorld

__all__ = ["no_second_try"]
pytestmark = pytest.mark.postgres


class _Held:
    """A connector that waits with an answer until it may give it."""

    def __init__(self, real: ProviderConnector) -> None:
        self._real, self.name = real, real.name
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def serve(self, question: ServiceQuestion) -> ServiceReply:
        reply = self._real.serve(question)
        self.asked.set()
        assert self.may_answer.wait(DEADLINE_S)
        return reply


@pytest.mark.usefixtures("no_second_try")
def test_an_answer_is_written_while_its_request_is_asked_again(
    engine: Engine, provider_url: str, tmp_path: Path
) -> None:
    world = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    world.control.post("/control/forget").raise_for_status()
    fields = {**OWNER, "plate": CAR}
    world.post(world.data_key(), world.ask("q1", "car_fines_detail", **fields), *world.fee("q1"))
    route = world.service("car_fines_detail").provider
    held = _Held(world.desks[route].connector)
    desk = msgspec.structs.replace(world.desks[route], connector=held)
    again = Journal("72101001").entry(ServiceRetried(inquiry_id="q1", operator="op"))
    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(work_provider_tasks, engine, desk)
        assert held.asked.wait(DEADLINE_S)
        with engine.begin() as exchange:
            lock_payments(exchange, [("72101001", "fee-q1")])
            held.may_answer.set()
            until_waiting(engine, working)
            # The answer's writer waits for the payment, and does not hold the question that this changes.
            post_entries(exchange, object(), [again])
        assert working.result(DEADLINE_S).done == 1
    world.close()
