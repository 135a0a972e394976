"""Central unreachable, or its answers cut: nothing lost, nothing doubled, and the backlog drains when it is back."""

import pytest

from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.system]


def all_cosigned(demo: Demo) -> bool:
    return bool(demo.api("GET", "/status")["unsent_count"] == 0)


def test_paid_over_a_line_that_cuts_every_answer_and_confirmed_once_it_heals(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.line(mode="cut_answers")
    payment_id = demo.pay(made_bill(8_001))
    demo.until("the approval", lambda: demo.payment(payment_id)["state"] == "approved")
    demo.until("a cut answer", lambda: demo.state()["line"]["cut_count"] > 0)
    assert demo.payment(payment_id)["confirmation"] == "queued"
    demo.line(mode="good")
    demo.confirmed(payment_id)
    demo.until("the backlog to drain", lambda: all_cosigned(demo))
    assert demo.api("GET", "/status")["quarantined"] is False


def test_central_killed_and_back_goes_on_where_it_was(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.run(demo.world.kill_part("central"))
    payment_id = demo.pay(made_bill(8_002))
    demo.until("the approval", lambda: demo.payment(payment_id)["state"] == "approved")
    demo.run(demo.world.start_part("central"))
    demo.confirmed(payment_id)
    demo.until("the backlog to drain", lambda: all_cosigned(demo))


def test_a_provider_whose_answer_is_lost_confirms_once(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.provider.post("/control/bad-day", json={"kind": "lost", "on": "confirm", "times": 1}).raise_for_status()
    demo.confirmed(demo.pay(made_bill(8_003)))
