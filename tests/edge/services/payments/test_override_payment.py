from pathlib import Path

import pytest

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.payments.override_payment import Decision, OverridePayment
from edge.services.people.sign_in import ATTEMPTS_MAX, SignIn
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.payment import PaymentState
from tests.edge.services.office import POWER, Office
from tests.edge.services.office_people import PASSWORD, people_of

QUICK = {"answer_timeout_ms": 200, "longest_ms": 400, "query_timeout_ms": 500}
CHARGED = Decision.checked(charged=True, slip_number="۰۰۰۴۱۲", reason="رسید کارتخوان را دیدم")
NOT_CHARGED = Decision.checked(charged=False, slip_number="", reason="کارتخوان سوخت و مشتری پیامکی ندارد")


async def in_doubt(office: Office) -> str:
    office.virtual.set_fault("go_silent")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    return payment_id


@pytest.fixture
def quick(tmp_path: Path, terminal: VirtualTerminal) -> Office:
    return Office(tmp_path, terminal, **QUICK)


def deciding_at(office: Office, sign_in: SignIn) -> OverridePayment:
    return OverridePayment(
        writer=office.box.writer,
        sign_in=sign_in,
        entropy=SystemEntropy(),
        on_charged=office.payments.call_back_others,
    )


async def test_charged_by_a_supervisors_word_holds_the_bill_frees_the_terminal_and_prints(quick: Office) -> None:
    async with quick as office:
        payment_id = await in_doubt(office)
        with people_of(office) as sign_in:
            decided = deciding_at(office, sign_in)
            await decided.override(payment_id, CHARGED, username="Reza", password=PASSWORD)
            with pytest.raises(OperatorError, match=r"payment\.not_in_doubt"):
                await decided.override(payment_id, NOT_CHARGED, username="mina", password=PASSWORD)
        payment = office.payment(payment_id)
        assert (payment.state, payment.confirmation) == (PaymentState.OVERRIDDEN_CHARGED, "queued")
        assert (payment.stated_by, payment.stated_slip) == ("reza", "000412")
        assert [job.document for job in office.box.queries.print_jobs_for(payment_id)] == ["bill_receipt"]
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay()
        office.virtual.set_fault("none")
        office.virtual.set_auto("approve")
        await office.virtual.restart()
        assert await office.ends(await office.pay(POWER)) is PaymentState.APPROVED


async def test_not_charged_by_a_supervisors_word_frees_the_bill_and_evidence_beats_it(quick: Office) -> None:
    async with quick as office:
        payment_id = await in_doubt(office)
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(payment_id, NOT_CHARGED, username="reza", password=PASSWORD)
        assert office.payment(payment_id).state is PaymentState.OVERRIDDEN_NOT_CHARGED
        assert not office.box.queries.print_jobs_for(payment_id)
        office.virtual.set_fault("none")
        office.virtual.set_auto("approve")
        await office.virtual.restart()
        again = await office.pay()
        assert await office.ends(again) is PaymentState.APPROVED
        # The terminal finds its tongue: the first one was charged as well.
        said = TerminalOutcome(kind="approved", evidence=office.charge_of(payment_id))
        office.payments.outcomes.late_answer(office.payment(payment_id).reference, said, office.profile)
        await office.until(lambda: office.payment(payment_id).state is PaymentState.APPROVED)
        late = office.payment(payment_id)
        assert (late.late, late.doubled) == (True, True)
        assert ("late_approval", payment_id) in office.alarms()


async def test_asking_the_terminal_after_a_supervisors_word_may_still_prove_the_charge(quick: Office) -> None:
    async with quick as office:
        office.virtual.set_fault("die_after_charging")
        office.virtual.set_auto("approve")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(payment_id, CHARGED, username="reza", password=PASSWORD)
        office.virtual.set_fault("none")
        await office.virtual.restart()
        payment = await office.resolve.ask(payment_id, operator="sara")
        assert (payment.state, payment.rrn) == (PaymentState.APPROVED, office.virtual.charges[0].rrn)
        assert len(office.box.queries.print_jobs_for(payment_id)) == 1, "one receipt, whoever proved it"


async def test_a_payment_of_a_terminal_that_is_gone_can_be_decided(quick: Office, tmp_path: Path) -> None:
    async with quick as office:
        payment_id = await in_doubt(office)
    other = Office(tmp_path, quick.virtual, **QUICK)
    async with other as office:
        office.payments.workers.clear()
        with pytest.raises(OperatorError, match=r"payment\.other_terminal"):
            await office.resolve.ask(payment_id, operator="sara")
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(payment_id, NOT_CHARGED, username="reza", password=PASSWORD)
        assert office.payment(payment_id).state is PaymentState.OVERRIDDEN_NOT_CHARGED


async def test_only_a_manager_decides_and_only_by_the_password(quick: Office) -> None:
    async with quick as office:
        payment_id = await in_doubt(office)
        with people_of(office) as sign_in:
            decided = deciding_at(office, sign_in)
            for username, password, code in (
                ("sara", PASSWORD, r"auth\.manager_needed"),
                ("reza", "another word entirely", r"auth\.wrong"),
                ("nobody", PASSWORD, r"auth\.wrong"),
            ):
                with pytest.raises(OperatorError, match=code):
                    await decided.override(payment_id, CHARGED, username=username, password=password)
            for _ in range(ATTEMPTS_MAX - 1):
                with pytest.raises(OperatorError, match=r"auth\.wrong"):
                    await decided.override(payment_id, CHARGED, username="reza", password="another word entirely")
            with pytest.raises(OperatorError, match=r"auth\.too_many"):
                await decided.override(payment_id, CHARGED, username="reza", password=PASSWORD)
        assert office.payment(payment_id).state is PaymentState.IN_DOUBT
        assert "payment.overridden" not in office.kinds()
