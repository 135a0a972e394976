"""Terminals that know only their last transaction, where that one is another payment's, an undoing, or no help."""

from pathlib import Path

import msgspec
import pytest

from edge.devices.virtual.pna_terminal import Quirk, VirtualPnaTerminal
from edge.devices.virtual.zvt_bytes import message
from edge.devices.virtual.zvt_terminal import VirtualZvtTerminal
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.payments.test_give_back import agreed, giving_back
from tests.edge.services.payments.test_keep_sale import POWER_AGAIN, paid, virtual
from tests.edge.services.payments.test_void import TIMES, voided, voiding

__all__ = ["virtual", "voiding"]

S = PaymentState
WATER_LIKE_POWER = msgspec.structs.replace(WATER, amount_rial=POWER.amount_rial)
CALLED = "terminal_cannot_tell"


async def asked_past_its_longest_time(office: Office, payment_id: str, times: int = 3) -> PaymentState:
    await office.until(lambda: office.payments.waited_ms(payment_id) > office.profile.times.longest_ms)
    for _ in range(times):
        await office.resolve.ask(payment_id, operator="sara")
    return office.payment(payment_id).state


async def test_the_sale_of_another_payment_at_a_device_with_two_names_is_not_taken_for_ones_own(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    assert virtual._address is not None
    async with Office(tmp_path, virtual, virtual._address) as office:
        await paid(office, POWER)
        virtual.quirk = "sale_unheard"
        doubtful = await office.pay(WATER_LIKE_POWER, terminal="terminal-1")
        assert await office.ends(doubtful) is S.IN_DOUBT
        virtual.quirk = "none"
        other = await office.pay(POWER_AGAIN, terminal="terminal-2")
        for _ in range(10):
            # The one device may be busy with a question about the first payment just then.
            if await office.ends(other) is S.NOT_SENT:
                other = await office.pay(POWER_AGAIN, terminal="terminal-2")
        assert office.payment(other).state is S.ACKNOWLEDGED
        assert virtual.charges[-1].amount_rial == WATER_LIKE_POWER.amount_rial
        assert await asked_past_its_longest_time(office, doubtful) is S.IN_DOUBT
        assert office.payment(doubtful).last_answer == "unclear"
        assert office.alarms() == [(CALLED, doubtful)], "a person is called, once"
        assert len(virtual.charges) == 2


async def test_a_terminal_that_hides_what_it_undid_last_is_not_believed_it_as_the_next_sale(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    office = Office(tmp_path, voiding, **TIMES | {"answer_timeout_ms": 1_000, "longest_ms": 1_000})
    assert office.profile.zvt is not None
    unmarked = msgspec.structs.replace(office.profile.zvt, marks_reversals=False)
    office.profile = msgspec.structs.replace(office.profile, zvt=unmarked)
    async with office:
        first = await office.pay(POWER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        sale = voiding.transactions[-1]
        voiding.quirk = "reversal_unmarked"
        with giving_back(office) as back:
            await voided(office, back, first)
        assert (office.payment(first).state, voiding.charges) == (S.REVERSED, ())
        tells = voiding._told_last
        # It lags: the undoing is its last transaction, and it tells the sale before that.
        voiding._told_last = lambda: (voiding._report_of(sale), message("060f"))  # type: ignore[method-assign]
        voiding.set_fault("go_silent")
        second = await office.pay(POWER_AGAIN)
        assert await office.ends(second) is S.IN_DOUBT
        voiding._told_last = tells  # type: ignore[method-assign]
        voiding.set_fault("none")
        await voiding.restart()
        assert await asked_past_its_longest_time(office, second) is S.IN_DOUBT
        assert office.payment(second).last_answer == "unclear"
        assert office.alarms() == [(CALLED, second)]


async def test_a_baseline_is_known_again_with_the_sale_after_an_undoing(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    office = Office(tmp_path, voiding, **TIMES)
    assert office.profile.zvt is not None
    unmarked = msgspec.structs.replace(office.profile.zvt, marks_reversals=False)
    office.profile = msgspec.structs.replace(office.profile, zvt=unmarked)
    async with office:
        first = await office.pay(POWER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        with giving_back(office) as back:
            await voided(office, back, first)
        undone = voiding.transactions[-1]
        for bill, newest in ((POWER_AGAIN, undone.reversal_stan), (WATER, None)):
            payment_id = await office.pay(bill)
            assert await office.ends(payment_id) is S.ACKNOWLEDGED
            assert office.payment(payment_id).baseline_stan == (newest or voiding.transactions[-2].stan)


async def test_a_doubt_behind_an_undoing_that_the_terminal_does_not_tell_of_calls_a_person(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    virtual.reversed_is_last = False
    async with Office(tmp_path, virtual) as office:
        await paid(office, POWER)
        undone = await paid(office, WATER)
        with giving_back(office) as back:
            await agreed(office, back, undone)
        assert office.payment(undone).state is S.REVERSED
        virtual.quirk = "sale_unheard"
        doubtful = await office.pay(POWER_AGAIN)
        assert await office.ends(doubtful) is S.IN_DOUBT
        virtual.quirk = "none"
        assert await asked_past_its_longest_time(office, doubtful, times=1) is S.IN_DOUBT
        assert office.alarms() == [], "once may be a lag"
        assert await asked_past_its_longest_time(office, doubtful) is S.IN_DOUBT
        assert office.alarms() == [(CALLED, doubtful)]


async def test_an_undoing_in_doubt_at_a_terminal_that_never_told_its_number_calls_a_person(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    virtual.terminal_number = ""
    async with Office(tmp_path, virtual) as office:
        payment_id = await paid(office, POWER)
        assert office.payment(payment_id).terminal_number is None
        virtual.quirk = "reversal_unanswered"
        with giving_back(office) as back:
            await agreed(office, back, payment_id)
        assert office.payment(payment_id).state is S.REVERSAL_IN_DOUBT
        virtual.quirk = "none"
        assert await asked_past_its_longest_time(office, payment_id) is S.REVERSAL_IN_DOUBT
        assert office.alarms() == [(CALLED, payment_id)]


@pytest.mark.parametrize("quirk", ["acknowledgement_unheard", "acknowledgement_unanswered"])
async def test_a_terminal_that_never_says_that_it_keeps_the_sale_calls_a_person(
    tmp_path: Path, virtual: VirtualPnaTerminal, quirk: Quirk
) -> None:
    virtual.acknowledge_within_ms = 60_000
    async with Office(tmp_path, virtual, query_timeout_ms=200) as office:
        virtual.quirk = quirk
        payment_id = await office.pay(POWER)
        assert await office.ends(payment_id) is S.IN_DOUBT
        assert (await office.resolve.ask(payment_id, operator=None)).state is S.IN_DOUBT
        assert office.alarms() == [], "it may have been at its slip"
        for _ in range(2):
            assert (await office.resolve.ask(payment_id, operator=None)).state is S.IN_DOUBT
        assert office.alarms() == [("sale_not_kept", payment_id)]
        assert len(virtual.charges) == 1


async def test_a_doubt_whose_terminal_is_no_longer_set_up_calls_a_person(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    assert virtual._address is not None
    async with Office(tmp_path, virtual, virtual._address) as office:
        virtual.quirk = "sale_unheard"
        doubtful = await office.pay(POWER, terminal="terminal-2")
        assert await office.ends(doubtful) is S.IN_DOUBT
    async with Office(tmp_path, virtual) as office:
        for _ in range(2):
            await office.resolve.ask_all()
        assert (office.payment(doubtful).state, office.alarms()) == (S.IN_DOUBT, [(CALLED, doubtful)])
