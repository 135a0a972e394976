"""Kill -9 of the real box at every stage of a payment: what the terminal charged is what the journal ends up saying."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.system]

CERTAIN = {"approved", "declined", "cancelled", "not_sent", "not_charged"}


def at_once(_: Demo) -> None:
    """The page has just been told that the payment exists."""


def at_the_card(demo: Demo) -> None:
    demo.card_awaited()


def after_the_key(demo: Demo) -> None:
    demo.card_awaited()
    demo.terminal(press="approve")


def when_charged(demo: Demo) -> None:
    before = demo.state()["terminal"]["charged_count"]
    after_the_key(demo)
    demo.until("the charge", lambda: demo.state()["terminal"]["charged_count"] > before)


def when_refused(demo: Demo) -> None:
    demo.card_awaited()
    demo.terminal(press="decline")


def settled(demo: Demo, payment_id: str) -> str:
    """Ask about a payment until it is certain; return its state."""

    def look() -> bool:
        state = demo.payment(payment_id)["state"]
        if state == "in_doubt":
            demo.api("POST", f"/payments/{payment_id}/check")
        return demo.payment(payment_id)["state"] in CERTAIN

    demo.until(f"payment {payment_id} to be certain", look)
    state: str = demo.payment(payment_id)["state"]
    return state


@pytest.mark.parametrize("moment", [at_once, at_the_card, after_the_key, when_charged, when_refused])
def test_the_box_killed_in_a_payment_comes_back_and_knows(demo: Demo, moment: Callable[[Demo], None]) -> None:
    number = 7_000 + [at_once, at_the_card, after_the_key, when_charged, when_refused].index(moment)
    bill = made_bill(number)
    before = demo.state()["terminal"]["charged_count"]
    payment_id = demo.pay(bill)
    moment(demo)
    demo.restart_box()
    assert demo.payment(payment_id)["state"] in CERTAIN | {"in_doubt"}
    if demo.state()["terminal"]["waiting"]:
        demo.terminal(press="cancel")
    state = settled(demo, payment_id)
    charged = demo.state()["terminal"]["charged_count"] - before
    assert charged == (1 if state == "approved" else 0)
    if moment is when_charged:
        assert state == "approved"
    if state != "approved":
        demo.terminal(auto=True)
        again = demo.box.post(
            "/api/v1/payments",
            json={"bill_id": bill[0], "payment_id": bill[1]},
            headers={"Idempotency-Key": f"again-{number}"},
        ).json()["payment_id"]
        assert settled(demo, again) == "approved"
        assert demo.state()["terminal"]["charged_count"] - before == 1


def test_the_box_stopped_in_a_card_dialogue_finds_the_charge_that_happened_meanwhile(demo: Demo) -> None:
    bill = made_bill(7_020)
    before = demo.state()["terminal"]["charged_count"]
    payment_id = demo.pay(bill)
    demo.card_awaited()
    demo.switch_off_box()
    demo.terminal(press="approve")
    demo.until("the charge", lambda: demo.state()["terminal"]["charged_count"] > before)
    demo.switch_on_box()
    assert settled(demo, payment_id) == "approved"
    assert demo.state()["terminal"]["charged_count"] == before + 1
    for line in (demo.world.logs / "box.log").read_text().splitlines():
        assert json.loads(line)["event"], "the log is lines of JSON and nothing else"


def test_the_journal_holds_after_all_that(demo: Demo) -> None:
    data = str(demo.world.data("box"))
    done = subprocess.run(
        [sys.executable, "-m", "daftar", "edge", "verify", "--data", data], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "identical" in done.stdout
