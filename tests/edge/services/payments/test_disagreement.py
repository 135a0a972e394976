"""A payment that counts as not charged and of which a charge was spoken: its bill waits for better words."""

from pathlib import Path

import msgspec
import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from edge.journal.views import AlarmView
from edge.services.payments.disagreement import disagreement_stands
from edge.services.payments.judge_outcome import SPEAKS_OF_CHARGE
from edge.services.payments.override_payment import words_taken
from shared.errors import OperatorError
from shared.payment import CERTAINLY_UNCHARGED, LATE, PaymentState
from tests.edge.services.office import WATER, Office
from tests.edge.services.office_people import PASSWORD, people_of
from tests.edge.services.payments.test_acquirer_answers import answers_of, tell
from tests.edge.services.payments.test_judge_outcome import PAYMENT
from tests.edge.services.payments.test_override_payment import CHARGED, NOT_CHARGED, QUICK, deciding_at

S = PaymentState
BILL_WORDS = r"payment\.charge_disputed"


def alarm(index: int, kind: str = "charge_mismatch") -> AlarmView:
    return AlarmView(index=index, kind=kind, payment_id="p", detail="", raised_at="")


@pytest.mark.parametrize("kind", sorted(SPEAKS_OF_CHARGE))
def test_it_stands_from_the_word_until_an_entry_that_rules_the_charge_out(kind: str) -> None:
    for state in S:
        payment = msgspec.structs.replace(PAYMENT, state=state)
        assert disagreement_stands(payment, [alarm(5, kind)]) is (state in CERTAINLY_UNCHARGED)
        assert not disagreement_stands(payment, [alarm(5, "answer_mismatch")])
    ruled_out = msgspec.structs.replace(PAYMENT, state=S.DECLINED, ruled_out_index=6)
    assert not disagreement_stands(ruled_out, [alarm(5, kind)])
    assert disagreement_stands(ruled_out, [alarm(5, kind), alarm(7, kind)]), "spoken of anew"


def test_the_words_a_supervisor_may_give_follow_the_payment_table() -> None:
    for state in S:
        payment = msgspec.structs.replace(PAYMENT, state=state)
        both, none = (True, False), ()
        assert words_taken(payment, []) == (both if state is S.IN_DOUBT else none)
        expected = both if state in LATE | {S.IN_DOUBT} else (False,) if state is S.REVERSED else none
        assert words_taken(payment, [alarm(5)]) == expected


async def spoken_of(office: Office) -> str:
    """Pay, be declined, and hear later of a charge of another amount under the same reference."""
    office.virtual.set_auto("decline")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is S.DECLINED
    speak(office, payment_id)
    await office.until(lambda: ("stray_approval", payment_id) in office.alarms())
    return payment_id


def speak(office: Office, payment_id: str) -> None:
    other = office.charge_of(payment_id, amount_rial=WATER.amount_rial + 1_000)
    office.payments.outcomes.stray_answer(other, office.profile)


async def test_the_bill_is_refused_with_the_payment_that_is_disputed(quick: Office) -> None:
    async with quick as office:
        payment_id = await spoken_of(office)
        size = office.box.queries.size()
        with pytest.raises(OperatorError, match=BILL_WORDS) as refused:
            await office.pay()
        assert refused.value.data["payment_id"] == payment_id
        assert office.box.queries.size() == size, "nothing is journaled"
        assert len(office.virtual.charges) == 0


async def test_a_payment_that_waits_for_its_terminal_is_dropped_when_a_charge_is_spoken_of(quick: Office) -> None:
    async with quick as office:
        office.virtual.set_auto("decline")
        first = await office.pay()
        assert await office.ends(first) is S.DECLINED
        async with office.worker.lock:
            again = await office.pay()
            speak(office, first)
            await office.until(lambda: ("stray_approval", first) in office.alarms())
        assert await office.ends(again) is S.NOT_SENT
        assert office.payment(again).not_sent_reason == "payment.charge_disputed"


async def test_a_supervisor_rules_the_charge_out_and_the_bill_is_free(quick: Office) -> None:
    async with quick as office:
        payment_id = await spoken_of(office)
        with people_of(office) as sign_in:
            decided = deciding_at(office, sign_in)
            await decided.override(payment_id, NOT_CHARGED, username="reza", password=PASSWORD)
            with pytest.raises(OperatorError, match=r"payment\.not_in_doubt"):
                await decided.override(payment_id, NOT_CHARGED, username="reza", password=PASSWORD)
        payment = office.payment(payment_id)
        assert (payment.state, payment.stated_by, payment.stated_reason) == (S.DECLINED, "reza", NOT_CHARGED.reason)
        assert office.kinds()[-1] == "payment.charge_ruled_out"
        office.virtual.set_auto("approve")
        again = await office.pay()
        assert await office.ends(again) is S.APPROVED
        speak(office, payment_id)
        await office.until(lambda: len([kind for kind, _ in office.alarms() if kind == "stray_approval"]) == 2)


async def test_a_supervisors_charged_holds_the_bill_and_asks_for_its_receipt(quick: Office) -> None:
    async with quick as office:
        payment_id = await spoken_of(office)
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(payment_id, CHARGED, username="reza", password=PASSWORD)
        payment = office.payment(payment_id)
        assert (payment.state, payment.confirmation, payment.doubled) == (S.OVERRIDDEN_CHARGED, "queued", False)
        assert [job.document for job in office.box.queries.print_jobs_for(payment_id)] == ["bill_receipt"]
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay()


async def test_charged_by_a_word_beside_another_charge_of_the_bill_is_the_second_one(quick: Office) -> None:
    async with quick as office:
        office.virtual.set_auto("decline")
        first = await office.pay()
        assert await office.ends(first) is S.DECLINED
        office.virtual.set_auto("approve")
        again = await office.pay()
        assert await office.ends(again) is S.APPROVED
        speak(office, first)
        await office.until(lambda: ("stray_approval", first) in office.alarms())
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(first, CHARGED, username="reza", password=PASSWORD)
        assert (office.payment(first).doubled, office.payment(again).doubled) == (True, False)
        assert office.box.queries.payment_by_obligation(office.payment(first).obligation) == office.payment(again)


async def test_the_terminal_asked_may_prove_the_charge_and_its_no_proves_nothing(quick: Office) -> None:
    async with quick as office:
        payment_id = await spoken_of(office)
        for _ in range(2):
            await office.resolve.ask(payment_id, operator="sara")
        assert office.payment(payment_id).state is S.DECLINED
        with pytest.raises(OperatorError, match=BILL_WORDS):
            await office.pay()
        said = office.charge_of(payment_id)
        office.payments.outcomes.stray_answer(said, office.profile)
        await office.until(lambda: office.payment(payment_id).state is S.APPROVED)
        assert office.payment(payment_id).late


@pytest.mark.parametrize("told", ["before", "after"])
async def test_the_acquirers_no_rules_out_what_was_spoken_of_before_it(quick: Office, told: str) -> None:
    async with quick as office:
        if told == "after":
            payment_id = await spoken_of(office)
            tell(office, payment_id, charged=False)
        else:
            office.virtual.set_auto("decline")
            payment_id = await office.pay()
            assert await office.ends(payment_id) is S.DECLINED
            tell(office, payment_id, charged=False)
            speak(office, payment_id)
            await office.until(lambda: ("stray_approval", payment_id) in office.alarms())
        await answers_of(office).judge_all()
        office.virtual.set_auto("approve")
        if told == "after":
            assert await office.ends(await office.pay()) is S.APPROVED
        else:
            with pytest.raises(OperatorError, match=BILL_WORDS):
                await office.pay()


async def test_the_acquirers_charge_that_does_not_agree_holds_the_bill_whatever_it_says_next(quick: Office) -> None:
    async with quick as office:
        office.virtual.set_auto("decline")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.DECLINED
        tell(office, payment_id, charged=True, amount_rial=1)
        tell(office, payment_id, charged=False)
        await answers_of(office).judge_all()
        with pytest.raises(OperatorError, match=BILL_WORDS):
            await office.pay()


@pytest.fixture
def quick(tmp_path: Path, terminal: VirtualTerminal) -> Office:
    return Office(tmp_path, terminal, **QUICK)
