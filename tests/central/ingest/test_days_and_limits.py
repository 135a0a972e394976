"""Between central and a real box: limits go down and a cosignature opens them; closes go up and are held to entries."""

import functools

import msgspec
import pytest
from sqlalchemy import Engine, select

from central.fleet import feed
from central.fleet.policies import Limits, policy_of
from central.fleet.publishing import publish
from central.store.fleet import alarm
from edge.journal.ports import StoreView
from edge.services.close_day import CloseDay
from edge.services.payments.exposure import exposure_allows
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import Body, DayTotal, PaymentReversed, RefundProposed, ReversalRequested
from tests.central.ingest.offices import OFFICE
from tests.central.ingest.test_real_box import RunningBox, Site, site
from tests.edge.store.boxes import BILL_RIAL, approved, evidence, in_doubt, requested, sent

pytestmark = pytest.mark.postgres
__all__ = ["site"]

FIVE_HOURS_MS = 5 * 3_600_000


def closing(box: RunningBox) -> CloseDay:
    return CloseDay(writer=box.writer, queries=box.queries, entropy=SystemEntropy(), terminals=["terminal-1"])


def pay(box: RunningBox, name: str) -> None:
    box.write(requested(name, obligation=f"bill:{name}:1"), sent(name), approved(name))


def alarms(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(kind, detail) for kind, detail in connection.execute(select(alarm.c.kind, alarm.c.detail))]


def refusal(box: RunningBox) -> str | None:
    found: list[str | None] = [None]

    def ask(view: StoreView) -> list[Body]:
        try:
            exposure_allows(view, requested("wanted", obligation="bill:wanted:1"))
        except OperatorError as error:
            found[0] = error.code
        return []

    box.writer.commit_blocking(ask)
    return found[0]


async def test_limits_signed_at_central_bind_the_box_until_central_cosigns(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = site.start()
    centre = site.centre
    policy = policy_of("limits", Limits(count_max=2), by="mina", entropy=centre.entropy)
    with centre.engine.begin() as connection:
        append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
        publish(connection, OFFICE, policy, append)
    assert (await box.uplink.exchange_once()).received_count == 2
    pay(box, "a")
    assert refusal(box) is None
    pay(box, "b")
    assert refusal(box) == "exposure.count"
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert refusal(box) is None
    # An exchange without anything new is a cosignature as well: the hours begin anew.
    monkeypatch.setattr(box.clock, "monotonic_ms", lambda: FIVE_HOURS_MS)
    assert box.queries.exposure(FIVE_HOURS_MS)[1].running_ms == FIVE_HOURS_MS
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert box.queries.exposure(FIVE_HOURS_MS)[1].running_ms == 0
    await box.stop()


async def test_honest_closes_agree_with_their_entries(site: Site) -> None:
    box = site.start()
    pay(box, "a")
    box.write(requested("b", obligation="bill:b:1"), sent("b"), in_doubt("b"))
    await closing(box).close(operator="sara")
    box.write(
        RefundProposed(
            refund_id="r1", payment_id="a", means="reversal", amount_rial=BILL_RIAL, operator="z", reason="twice"
        ),
        ReversalRequested(refund_id="r1", payment_id="a", means="reversal"),
        PaymentReversed(payment_id="a", evidence=evidence()),
    )
    assert (await box.uplink.exchange_once()).kind == "ok"
    box.write(approved("b"))
    pay(box, "c")
    await closing(box).close(operator="sara")
    await closing(box).close(operator="sara")
    assert (await box.uplink.exchange_once()).kind == "ok"
    assert alarms(site.centre.engine) == []
    bodies = [day.body for day in box.queries.closed_days(None, 5)]
    assert [sum(total.count for total in body.totals) for body in bodies] == [0, 2, 1]
    assert [sum(total.count for total in body.undone) for body in bodies] == [0, 1, 0]
    await box.stop()


async def test_a_close_that_says_otherwise_than_the_entries_is_an_alarm_and_stops_nothing(site: Site) -> None:
    box = site.start()
    pay(box, "a")
    name = await closing(box).close(operator="sara")
    true = closing(box).closed(name).body
    size = box.queries.size()
    total = DayTotal(method="pcpos", purpose="bill", terminal="terminal-1", count=1, amount_rial=1)
    box.write(
        msgspec.structs.replace(
            true, close_id="d-lie", first=size, size=size, root="00" * 32, totals=(total,), in_doubt_count=7
        )
    )
    pay(box, "b")
    assert (await box.uplink.exchange_once()).kind == "ok"
    ((kind, detail),) = alarms(site.centre.engine)
    assert kind == "day_differs"
    for said in (
        "root: says 0000",
        "totals: says pcpos bill terminal-1 1/1, is ()",
        "in doubt: says (7, 0), is (0, 0)",
    ):
        assert said in detail
    await box.stop()
