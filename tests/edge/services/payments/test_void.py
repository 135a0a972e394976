"""Money back at a terminal that undoes a sale by its receipt's number, whatever it sold since: ZVT over a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.devices.terminals.outcome import StatusAnswer
from edge.devices.virtual.zvt_terminal import VirtualZvtTerminal
from edge.services.payments.give_back import GiveBack
from edge.services.payments.judge_outcome import judge_reversal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import Evidence
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.office_people import PASSWORD, people_of
from tests.edge.services.payments.test_give_back import REASON, giving_back, refund
from tests.edge.services.payments.test_judge_outcome import PAYMENT
from tests.edge.services.payments.test_keep_sale import POWER_AGAIN
from tests.edge.services.payments.test_override_payment import NOT_CHARGED, deciding_at
from tests.edge.services.test_close_day import close

S = PaymentState
TIMES = {"answer_timeout_ms": 8_000, "longest_ms": 8_000, "query_timeout_ms": 3_000, "ready_timeout_ms": 3_000}


@pytest.fixture
async def voiding() -> AsyncIterator[VirtualZvtTerminal]:
    virtual = VirtualZvtTerminal(clock=SystemClock(), entropy=SystemEntropy())
    virtual.set_auto("approve")
    await virtual.start()
    yield virtual
    await virtual.stop()


async def paid_twice(office: Office) -> str:
    """Pay two bills; return the first, which is not the terminal's newest any more."""
    first = await office.pay(WATER)
    assert await office.ends(first) is S.ACKNOWLEDGED
    assert await office.ends(await office.pay(POWER)) is S.ACKNOWLEDGED
    return first


async def voided(office: Office, back: GiveBack, payment_id: str) -> str:
    refund_id = await back.propose(payment_id, means="void", reason=REASON, operator="sara")
    await back.agree(refund_id, username="reza", password=PASSWORD)
    await office.until(lambda: not back.under_way(payment_id))
    return refund_id


async def test_an_earlier_sale_is_voided_by_the_number_of_its_receipt_and_frees_the_bill(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        first = await paid_twice(office)
        payment = office.payment(first)
        assert payment.receipt_number == voiding.transactions[0].receipt
        with giving_back(office) as back:
            assert back.means_of(payment) == ("void", "central")
            refund_id = await voided(office, back, first)
        assert (office.payment(first).state, refund(office, refund_id).state) == (S.REVERSED, "done")
        assert [charge.amount_rial for charge in voiding.charges] == [POWER.amount_rial]
        told, done = (office.kinds().index(f"payment.{what}") for what in ("reversal_requested", "reversed"))
        assert told < done
        assert await office.ends(await office.pay(WATER)) is S.ACKNOWLEDGED


async def test_a_void_without_an_answer_is_in_doubt_and_asking_tells(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    short = {"answer_timeout_ms": 2_000, "longest_ms": 2_000, "query_timeout_ms": 1_500}
    async with Office(tmp_path, voiding, **(TIMES | short)) as office:
        first = await paid_twice(office)
        voiding.quirk = "undo_unanswered"
        with giving_back(office) as back:
            refund_id = await voided(office, back, first)
        assert (office.payment(first).state, refund(office, refund_id).state) == (S.REVERSAL_IN_DOUBT, "in_doubt")
        voiding.quirk = "none"
        await voiding.restart()
        await office.until(lambda: office.payments.waited_ms(first) > office.profile.times.longest_ms)
        for _ in range(2):
            await office.resolve.ask(first, operator="sara")
        assert office.payment(first).state is S.REVERSED
        assert len(voiding.charges) == 1


async def test_a_sale_that_the_terminal_gave_back_already_is_not_undone_twice(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        first = await paid_twice(office)
        voiding._undo(voiding.transactions[0], by="order")
        with giving_back(office) as back:
            refund_id = await voided(office, back, first)
        assert (office.payment(first).state, refund(office, refund_id).state) == (S.APPROVED, "refused")


async def test_without_the_receipts_number_it_voids_nothing(tmp_path: Path, voiding: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        payment = office.payment(await paid_twice(office))
        with giving_back(office) as back:
            unnumbered = msgspec.structs.replace(payment, receipt_number=None)
            assert back.means_of(unnumbered) == ("central",), "and it is not the newest any more"


async def numbered_alike(office: Office, voiding: VirtualZvtTerminal, monkeypatch: pytest.MonkeyPatch) -> str:
    """Pay two bills at a terminal that gives both receipts one number; return the first."""
    charge = voiding._charge
    monkeypatch.setattr(
        voiding, "_charge", lambda sale: msgspec.structs.replace(charge(sale), receipt="0007"), raising=True
    )
    return await paid_twice(office)


async def test_a_number_that_a_newer_sale_has_too_voids_nothing(
    tmp_path: Path, voiding: VirtualZvtTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        first = await numbered_alike(office, voiding, monkeypatch)
        (newer,) = (one for one in office.box.queries.payments(None, 9) if one.payment_id != first)
        assert office.payment(first).receipt_number == newer.receipt_number == "0007"
        with giving_back(office) as back:
            assert back.means_of(office.payment(first)) == ("central",)
            with pytest.raises(OperatorError, match=r"refund\.void_too_late"):
                await back.propose(first, means="void", reason=REASON, operator="sara")
            assert back.means_of(newer) == ("void", "central"), "the newest holder of a number is who it names"
        assert len(voiding.charges) == 2


async def test_a_number_given_again_between_asking_and_agreeing_voids_nothing(
    tmp_path: Path, voiding: VirtualZvtTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        charge = voiding._charge
        monkeypatch.setattr(
            voiding, "_charge", lambda sale: msgspec.structs.replace(charge(sale), receipt="0007"), raising=True
        )
        first = await office.pay(WATER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        with giving_back(office) as back:
            refund_id = await back.propose(first, means="void", reason=REASON, operator="sara")
            assert await office.ends(await office.pay(POWER)) is S.ACKNOWLEDGED
            with pytest.raises(OperatorError, match=r"refund\.void_too_late"):
                await back.agree(refund_id, username="reza", password=PASSWORD)
        assert len(voiding.charges) == 2
        assert "payment.reversal_requested" not in office.kinds()


async def test_what_was_taken_before_the_day_was_closed_is_not_voided(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        first = await paid_twice(office)
        with giving_back(office) as back:
            assert back.means_of(office.payment(first)) == ("void", "central")
            await close(office)
            assert back.means_of(office.payment(first)) == ("central",)
            with pytest.raises(OperatorError, match=r"refund\.void_too_late"):
                await back.propose(first, means="void", reason=REASON, operator="sara")
            today = await office.pay(POWER_AGAIN)
            assert await office.ends(today) is S.ACKNOWLEDGED
            assert back.means_of(office.payment(today)) == ("void", "central")


def test_another_sale_told_as_the_last_one_says_nothing_about_a_void() -> None:
    doubt = msgspec.structs.replace(PAYMENT, state=S.REVERSAL_IN_DOUBT, stan="000007")
    last = Evidence(source="last_transaction", response_code="00", amount_rial=PAYMENT.amount_rial, stan="000009")
    answer = StatusAnswer(kind="approved", evidence=last, response_code="00")
    assert judge_reversal(doubt, answer, believed=True, enough=True) == []
    own = msgspec.structs.replace(answer, evidence=msgspec.structs.replace(last, stan="000007"))
    assert [body.type for body in judge_reversal(doubt, own, believed=True, enough=True)] == [
        "payment.reversal_refused"
    ]


async def test_another_terminal_in_its_place_is_told_nothing(tmp_path: Path, voiding: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, voiding, **TIMES) as office:
        first = await paid_twice(office)
        own, voiding.terminal_number = voiding.terminal_number, "73009999"
        await voiding.restart()
        with giving_back(office) as back:
            refund_id = await voided(office, back, first)
            assert back.trouble(refund_id) == "terminal.other_terminal"
            assert (office.payment(first).state, refund(office, refund_id).state) == (S.ACKNOWLEDGED, "agreed")
            assert len(voiding.charges) == 2
            voiding.terminal_number = own
            await voiding.restart()
            await back.tell_terminal(refund_id)
            await office.until(lambda: not back.under_way(first))
        assert office.payment(first).state is S.REVERSED


@pytest.mark.parametrize("charged", [True, False])
async def test_nothing_is_voided_at_a_terminal_while_another_payment_of_it_is_in_doubt(
    tmp_path: Path, voiding: VirtualZvtTerminal, *, charged: bool
) -> None:
    """What the terminal did last tells of the doubt; it may tell an undoing as a sale of its own, as most models do."""
    async with Office(tmp_path, voiding, **TIMES | {"answer_timeout_ms": 1_000, "longest_ms": 1_000}) as office:
        first = await office.pay(POWER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        voiding.quirk = "charged_unsaid" if charged else "none"
        voiding.set_fault("none" if charged else "go_silent")
        second = await office.pay(POWER_AGAIN)
        assert await office.ends(second) is S.IN_DOUBT
        assert len(voiding.charges) == (2 if charged else 1)
        voiding.set_fault("none")
        voiding.quirk = "reversal_unmarked"
        await voiding.restart()
        with giving_back(office) as back:
            refund_id = await voided(office, back, first)
            assert back.trouble(refund_id) == "payment.terminal_locked"
            assert (office.payment(first).state, refund(office, refund_id).state) == (S.ACKNOWLEDGED, "agreed")
            await office.until(lambda: office.payments.waited_ms(second) > office.profile.times.longest_ms)
            for _ in range(2):
                await office.resolve.ask(second, operator="sara")
            assert office.payment(second).state is (S.ACKNOWLEDGED if charged else S.NOT_CHARGED)
            await back.tell_terminal(refund_id)
            await office.until(lambda: not back.under_way(first))
        assert (office.payment(first).state, refund(office, refund_id).state) == (S.REVERSED, "done")


async def test_a_terminal_that_undid_another_sale_since_is_not_asked_about_one_that_a_person_decided(
    tmp_path: Path, voiding: VirtualZvtTerminal
) -> None:
    async with Office(tmp_path, voiding, **TIMES | {"answer_timeout_ms": 1_000, "longest_ms": 1_000}) as office:
        first = await office.pay(POWER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        voiding.set_fault("go_silent")
        second = await office.pay(POWER_AGAIN)
        assert await office.ends(second) is S.IN_DOUBT
        voiding.set_fault("none")
        voiding.quirk = "reversal_unmarked"
        await voiding.restart()
        with giving_back(office) as back, people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(second, NOT_CHARGED, username="reza", password=PASSWORD)
            await voided(office, back, first)
        assert (office.payment(first).state, voiding.charges) == (S.REVERSED, ())
        # The same amount: told as a sale of its own, the undoing would pass for the second one.
        with pytest.raises(OperatorError, match=r"payment\.not_its_last"):
            await office.resolve.ask(second, operator="sara")
        assert office.payment(second).state is S.OVERRIDDEN_NOT_CHARGED
