import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.journal.recovery import recover
from edge.services.payments.exposure import exposure_allows, exposure_view
from edge.services.payments.may_pay import CHECKS
from edge.services.payments.wanted import bill_wanted
from edge.store.rebuild import rebuild_projections
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.events import Body, ExposurePolicySet, NoticePublished
from shared.ids import NETWORK_FEED
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.store.boxes import OFFICE_FEED, Box, approved, declined, in_doubt, requested, sent

HOUR_MS = 3_600_000


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as running:
        yield running


def policy(**limits: int | bool) -> ExposurePolicySet:
    return ExposurePolicySet(policy_id="policy-1", **limits)  # type: ignore[arg-type] # limits and `withdrawn`


def hear(box: Box, *bodies: Body, feed: str = OFFICE_FEED) -> None:
    signing = box.central.office if feed == OFFICE_FEED else box.central.network
    box.receive(feed, [signing.say(body) for body in bodies])


def refusal(box: Box, amount_rial: int = 17_000) -> str | None:
    """Return the code with which a payment of this amount would be refused, None when it may begin."""
    wanted = requested("wanted", obligation="bill:wanted:1", amount_rial=amount_rial)
    try:
        box.within(lambda view: exposure_allows(view, wanted))
    except OperatorError as error:
        for language in ("fa", "en"):
            said = describe(error, language)
            assert "…" not in said.what + said.do, "every number that the sentence names is there"
        return error.code
    return None


def cosign(box: Box) -> None:
    size = box.queries.size()
    box.within(lambda view: view.update_exchange(cosigned_size=size))


def test_the_check_is_one_of_those_before_a_payment_begins() -> None:
    assert exposure_allows in CHECKS


def test_without_a_policy_there_is_no_limit(box: Box) -> None:
    assert refusal(box, 10**15) is None
    stands = exposure_view(*box.queries.exposure(box.clock.ms), NETWORK_FEED)
    assert (stands.policy_id, stands.is_limited, stands.level, stands.reached) == (None, False, "none", None)


def test_a_single_payment_has_its_limit(box: Box) -> None:
    hear(box, policy(payment_max_rial=1_000_000))
    assert refusal(box, 1_000_000) is None
    assert refusal(box, 1_000_001) == "exposure.payment"


def test_charged_in_doubt_and_under_way_count_until_central_cosigned_them(box: Box) -> None:
    hear(box, policy(total_max_rial=100_000))
    for name, ending in (("a", approved("a")), ("b", in_doubt("b")), ("c", declined("c"))):
        box.write(requested(name, obligation=f"bill:{name}:1", amount_rial=30_000), sent(name), ending)
    box.write(requested("d", obligation="bill:d:1", amount_rial=30_000))
    assert refusal(box, 10_000) is None
    assert refusal(box, 10_001) == "exposure.total"
    cosign(box)
    assert refusal(box, 70_000) is None, "under way it counts whatever central has seen of it"
    assert refusal(box, 70_001) == "exposure.total"


def test_payments_are_counted(box: Box) -> None:
    hear(box, policy(count_max=2))
    for name in ("a", "b"):
        assert refusal(box) is None
        box.write(requested(name, obligation=f"bill:{name}:1"), sent(name), approved(name))
    assert refusal(box) == "exposure.count"
    cosign(box)
    assert refusal(box) is None


def test_hours_are_running_time_and_no_clock_or_restart_moves_them(box: Box) -> None:
    hear(box, policy(running_hours_max=2))
    cosign(box)
    box.clock.step(hours=1)
    # The wall clock jumps: nothing follows from it.
    box.clock.at = box.clock.at.replace(year=1970)
    box.write(requested("a", obligation="bill:a:1"), sent("a"), approved("a"))
    assert refusal(box) is None
    box.__exit__()
    box.__enter__()
    recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    box.clock.step(minutes=59)
    assert refusal(box) is None
    box.clock.step(minutes=1)
    assert refusal(box) == "exposure.hours"
    cosign(box)
    assert refusal(box) is None


def test_the_offices_own_policy_goes_before_the_networks_and_the_newest_stands(box: Box) -> None:
    hear(box, policy(payment_max_rial=100), feed=NETWORK_FEED)
    assert refusal(box, 101) == "exposure.payment"
    hear(box, policy(payment_max_rial=200), NoticePublished(notice_id="n", title="t", text="x"))
    assert refusal(box, 200) is None
    hear(box, policy(payment_max_rial=50), feed=NETWORK_FEED)
    assert refusal(box, 200) is None, "the office's own stands, however new the network's is"
    hear(box, policy(payment_max_rial=300), policy(payment_max_rial=150))
    assert refusal(box, 200) == "exposure.payment"
    hear(box, policy(withdrawn=True))
    assert refusal(box, 51) == "exposure.payment", "the network's again"
    assert rebuild_projections(box.path) == []


def test_levels_turn_at_half_and_at_nine_tenths(box: Box) -> None:
    hear(box, policy(count_max=10))
    levels = []
    for number in range(11):
        levels.append(exposure_view(*box.queries.exposure(box.clock.ms), NETWORK_FEED).level)
        name = f"p{number}"
        box.write(requested(name, obligation=f"bill:{name}:1"), sent(name), approved(name))
    assert levels == ["calm"] * 5 + ["amber"] * 4 + ["red"] * 2


def test_the_hours_that_are_left_are_what_pages_count_down(box: Box) -> None:
    hear(box, policy(running_hours_max=48))
    cosign(box)
    box.clock.step(hours=30)
    stands = exposure_view(*box.queries.exposure(box.clock.ms), NETWORK_FEED)
    assert (stands.running.used, stands.running.left, stands.level) == (30 * HOUR_MS, 18 * HOUR_MS, "amber")


async def test_at_the_limit_nothing_leaves_for_the_terminal_and_a_cosignature_opens_it(office: Office) -> None:
    office.virtual.set_auto("approve")
    hear(office.box, policy(count_max=1))
    assert await office.ends(await office.pay(WATER)) is PaymentState.APPROVED
    before = office.kinds()
    with pytest.raises(OperatorError) as caught:
        await office.pay(POWER)
    assert caught.value.code == "exposure.count"
    assert (office.kinds(), len(office.virtual.charges)) == (before, 1)
    cosign(office.box)
    assert await office.ends(await office.pay(POWER)) is PaymentState.APPROVED


async def test_two_payments_at_once_cannot_both_take_the_last_place(office: Office) -> None:
    office.virtual.set_auto("approve")
    hear(office.box, policy(count_max=1))
    with office.slow_medium():
        one = office.payments.request(bill_wanted(WATER), operator="sara")
        other = office.payments.request(bill_wanted(POWER), operator="zahra")
        waiting = asyncio.gather(one, other, return_exceptions=True)
        await asyncio.sleep(0)
    results = await waiting
    assert sorted(type(result).__name__ for result in results) == ["OperatorError", "str"]
