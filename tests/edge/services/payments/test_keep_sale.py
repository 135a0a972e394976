"""Payments at a confirming terminal, over sockets: what it was told to keep, what it took back, what we say of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.virtual.pna_terminal import Quirk, VirtualPnaTerminal
from edge.devices.virtual.printer import VirtualPrinter
from edge.journal.views import PrintJob
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import Body, Evidence, PaymentApproved, PaymentRequested, PaymentSent, Split
from shared.ids import bill_obligation
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.office_people import PASSWORD, people_of
from tests.edge.services.payments.test_override_payment import NOT_CHARGED, deciding_at
from tests.edge.services.service_desk import desk_of

S = PaymentState


@pytest.fixture
async def virtual() -> AsyncIterator[VirtualPnaTerminal]:
    """A confirming terminal that is on and had a sale before."""
    terminal = VirtualPnaTerminal(clock=SystemClock(), entropy=SystemEntropy())
    await terminal.start()
    terminal.set_auto("approve")
    yield terminal
    await terminal.stop()


@pytest.fixture
async def counter(tmp_path: Path, virtual: VirtualPnaTerminal) -> AsyncIterator[Office]:
    """An office at work, with one earlier sale that was kept."""
    async with Office(tmp_path, virtual) as office:
        await paid(office, POWER)
        yield office


async def paid(office: Office, bill: object = WATER) -> str:
    payment_id = await office.pay(bill)  # type: ignore[arg-type] # a Bill
    assert await office.ends(payment_id) is S.ACKNOWLEDGED
    return payment_id


def papers(office: Office, payment_id: str) -> list[PrintJob]:
    return office.box.queries.print_jobs_for(payment_id)


def bodies_of(office: Office, payment_id: str) -> list[tuple[str, dict[str, object]]]:
    entries = [msgspec.json.decode(data) for data, _ in office.box.queries.entries(0, 1_000)]
    return [(one["type"], one["body"]) for one in entries if one["body"].get("payment_id") == payment_id]


async def settled(office: Office, payment_id: str, state: PaymentState) -> None:
    """Ask until the payment stands so: the time after which a not-found counts has to pass."""

    async def ask() -> bool:
        return (await office.resolve.ask(payment_id, operator="sara")).state is state

    for _ in range(600):
        if await ask():
            return
        await office.until(lambda: True)
    pytest.fail(f"still {office.payment(payment_id).state}")


async def test_approved_then_acknowledged_and_only_then_a_receipt(counter: Office, virtual: VirtualPnaTerminal) -> None:
    before = virtual.transactions[-1].stan
    payment_id = await paid(counter)
    facts = bodies_of(counter, payment_id)
    assert [kind for kind, _ in facts] == [
        "payment.requested",
        "payment.sent",
        "payment.approved",
        "payment.acknowledged",
    ]
    assert (facts[1][1]["baseline_stan"], facts[1][1]["confirming"]) == (before, True)
    charge = virtual.charges[-1]
    payment = counter.payment(payment_id)
    assert (charge.acknowledged, charge.stan, charge.rrn) == (True, payment.stan, payment.rrn)
    assert (payment.confirmation, payment.unacknowledged) == ("queued", False)
    assert [job.copy for job in papers(counter, payment_id)] == [False]
    # The receipt names the approval: that is where the evidence stands.
    assert payment.outcome_index == counter.box.queries.size() - 2


@pytest.mark.parametrize("quirk", ["acknowledgement_unheard", "acknowledgement_unanswered"])
async def test_without_its_answer_the_payment_is_in_doubt_and_nothing_is_printed(
    counter: Office, virtual: VirtualPnaTerminal, quirk: Quirk
) -> None:
    virtual.quirk = quirk
    payment_id = await counter.pay()
    assert await counter.ends(payment_id) is S.IN_DOUBT
    payment = counter.payment(payment_id)
    assert (payment.in_doubt_reason, payment.confirmation, payment.outcome_index) == ("not_acknowledged", "none", None)
    assert papers(counter, payment_id) == []
    with pytest.raises(OperatorError, match=r"payment\.terminal_locked"):
        await counter.pay(POWER_AGAIN)
    virtual.quirk = "none"
    assert (await counter.resolve.ask(payment_id, operator="sara")).state is S.ACKNOWLEDGED
    assert [kind for kind, _ in bodies_of(counter, payment_id)][-3:] == [
        "payment.status_queried",
        "payment.approved",
        "payment.acknowledged",
    ]
    assert len(papers(counter, payment_id)) == 1
    assert [charge.acknowledged for charge in virtual.charges] == [True, True]


POWER_AGAIN = msgspec.structs.replace(POWER, payment_id="13000190")


@pytest.mark.parametrize("told_as_last", [True, False])
async def test_what_the_terminal_took_back_is_not_charged_once_it_was_asked_twice(
    counter: Office, virtual: VirtualPnaTerminal, *, told_as_last: bool
) -> None:
    virtual.quirk = "acknowledgement_unheard"
    virtual.acknowledge_within_ms = 100
    virtual.reversed_is_last = told_as_last
    payment_id = await counter.pay()
    assert await counter.ends(payment_id) is S.IN_DOUBT
    await counter.until(lambda: len(virtual.charges) == 1)
    await settled(counter, payment_id, S.NOT_CHARGED)
    assert counter.payment(payment_id).counting_not_found == 2
    virtual.quirk = "none"
    again = await paid(counter)
    assert again != payment_id
    assert len(virtual.charges) == 2


@pytest.mark.parametrize("quirk", ["hang_up_after_charging", "bare_approval"])
async def test_a_lost_approval_is_found_and_kept(counter: Office, virtual: VirtualPnaTerminal, quirk: Quirk) -> None:
    virtual.quirk = quirk
    payment_id = await counter.pay()
    assert await counter.ends(payment_id) is S.IN_DOUBT
    assert (await counter.resolve.ask(payment_id, operator="sara")).state is S.ACKNOWLEDGED
    assert virtual.charges[-1].acknowledged
    assert len(papers(counter, payment_id)) == 1


async def test_a_late_approval_is_kept_too(tmp_path: Path, virtual: VirtualPnaTerminal) -> None:
    virtual.set_fault("answer_late", late_ms=1_500)
    async with Office(tmp_path, virtual, answer_timeout_ms=300, longest_ms=60_000) as office:
        payment_id = await office.pay()
        await office.until(lambda: office.payment(payment_id).state is S.IN_DOUBT)
        await office.until(lambda: office.payment(payment_id).state is S.ACKNOWLEDGED)
        assert virtual.charges[-1].acknowledged


async def test_the_sale_before_of_the_same_amount_is_not_taken_for_this_one(
    counter: Office, virtual: VirtualPnaTerminal
) -> None:
    virtual.quirk = "sale_unheard"
    same_amount = msgspec.structs.replace(POWER_AGAIN, amount_rial=POWER.amount_rial)
    payment_id = await counter.pay(same_amount)
    assert await counter.ends(payment_id) is S.IN_DOUBT
    await settled(counter, payment_id, S.NOT_CHARGED)
    assert len(virtual.charges) == 1


async def test_a_terminal_that_told_an_older_sale_before_the_amount_left_is_not_believed_the_newer_one(
    counter: Office, virtual: VirtualPnaTerminal
) -> None:
    """The journal knows the sale that the terminal hid: it is not the next payment of the same amount."""
    hidden = await paid(counter)
    virtual.quirk = "last_lags"
    virtual.set_fault("go_silent")
    payment_id = await counter.pay(msgspec.structs.replace(POWER_AGAIN, amount_rial=WATER.amount_rial))
    assert await counter.ends(payment_id) is S.IN_DOUBT
    assert counter.payment(payment_id).baseline_stan == counter.payment(hidden).stan
    virtual.quirk = "none"
    virtual.set_fault("none")
    await settled(counter, payment_id, S.NOT_CHARGED)
    assert len(virtual.charges) == 2


async def test_a_last_transaction_that_lags_does_not_count_in_time(
    counter: Office, virtual: VirtualPnaTerminal
) -> None:
    virtual.quirk = "hang_up_after_charging"
    payment_id = await counter.pay()
    assert await counter.ends(payment_id) is S.IN_DOUBT
    virtual.quirk = "last_lags"
    await counter.resolve.ask(payment_id, operator="sara")
    asked = await counter.resolve.ask(payment_id, operator="sara")
    waited = counter.payments.waited_ms(payment_id)
    if waited <= counter.profile.times.longest_ms:
        assert (asked.state, asked.counting_not_found) == (S.IN_DOUBT, 0)
        virtual.quirk = "none"
        assert (await counter.resolve.ask(payment_id, operator="sara")).state is S.ACKNOWLEDGED


async def test_a_sale_made_by_hand_in_between_leaves_it_in_doubt(counter: Office, virtual: VirtualPnaTerminal) -> None:
    virtual.quirk = "hang_up_after_charging"
    payment_id = await counter.pay()
    assert await counter.ends(payment_id) is S.IN_DOUBT
    by_hand = await counter.terminal.sale(amount_rial=777, reference="1", baseline_stan=virtual.transactions[-1].stan)
    assert by_hand.kind == "in_doubt"
    asked = await counter.resolve.ask(payment_id, operator="sara")
    assert (asked.state, asked.last_answer) == (S.IN_DOUBT, "unclear")


def approved_only(office: Office, virtual: VirtualPnaTerminal) -> list[Body]:
    """The facts of a payment that was approved at the terminal's newest sale, and not acknowledged."""
    charge = virtual.transactions[-1]
    wanted = PaymentRequested(
        payment_id="pcut",
        obligation=bill_obligation(WATER.bill_id, WATER.payment_id),
        purpose="bill",
        amount_rial=charge.amount_rial,
        split=Split(gross_rial=charge.amount_rial, company_rial=charge.amount_rial),
        method="pcpos",
        terminal=office.terminal.name,
        reference="123456789012345678",
        operator="sara",
        bill_id=WATER.bill_id,
        bill_payment_id=WATER.payment_id,
    )
    said = Evidence(
        source="answer",
        response_code="00",
        amount_rial=charge.amount_rial,
        stan=charge.stan,
        rrn=charge.rrn,
        terminal_number=charge.terminal_number,
    )
    baseline = f"{int(charge.stan) - 1:06d}"
    return [
        wanted,
        PaymentSent(payment_id="pcut", terminal_number=charge.terminal_number, baseline_stan=baseline, confirming=True),
        PaymentApproved(payment_id="pcut", evidence=said),
    ]


async def test_cut_between_approval_and_acknowledgement_it_is_in_doubt_after_the_start(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    async with Office(tmp_path, virtual) as office:
        await office.terminal.prepare()
        await office.terminal.sale(amount_rial=WATER.amount_rial, reference="1", baseline_stan="000000")
        await office.box.writer.commit(lambda _: approved_only(office, virtual))
        assert office.payment("pcut").unacknowledged
        with pytest.raises(OperatorError, match=r"payment\.terminal_locked"):
            await office.pay(POWER)
        printer = VirtualPrinter()
        await printer.start()
        documents = office.printing(printer)
        await printer.close()
        with pytest.raises(OperatorError, match=r"payment\.no_receipt"):
            await documents.request_receipt("pcut")
    async with Office(tmp_path, virtual) as office:
        assert office.recovered.in_doubt == ("pcut",)
        found = office.payment("pcut")
        assert (found.state, found.in_doubt_reason, found.unacknowledged) == (S.IN_DOUBT, "restart", False)
        assert (await office.resolve.ask("pcut", operator=None)).state is S.ACKNOWLEDGED
        assert virtual.charges[-1].acknowledged


async def test_the_second_charge_of_an_obligation_is_not_kept(tmp_path: Path, virtual: VirtualPnaTerminal) -> None:
    async with Office(tmp_path, virtual) as office:
        virtual.quirk = "sale_unheard"
        first = await office.pay()
        assert await office.ends(first) is S.IN_DOUBT
        await settled(office, first, S.NOT_CHARGED)
        virtual.quirk = "none"
        second = await paid(office)
        charge = virtual.charges[-1]
        late = msgspec.structs.replace(office.charge_of(first), reference=None, stan="999998", rrn="000000000998")
        office.worker.late_answer(office.payment(first).reference, TerminalOutcome(kind="approved", evidence=late))
        await office.until(lambda: office.payment(first).state is S.IN_DOUBT)
        assert (office.payment(first).late, office.payment(first).doubled) == (True, True)
        assert ("late_approval", first) in office.alarms()
        assert (office.payment(second).state, virtual.charges) == (S.ACKNOWLEDGED, (charge,))


@pytest.mark.parametrize(("first_key", "second_key"), [("1", "total"), ("total", "1")])
async def test_the_second_charge_of_a_debt_that_has_parts_is_not_kept(
    tmp_path: Path, virtual: VirtualPnaTerminal, first_key: str, second_key: str
) -> None:
    """They are other obligations: only the answer tells that the part and the whole are one debt."""
    beside = VirtualPnaTerminal(clock=SystemClock(), entropy=SystemEntropy())
    beside.set_auto("approve")
    await beside.start()
    assert beside._address is not None
    virtual.acknowledge_within_ms = 2_500
    async with Office(tmp_path, virtual, beside._address, answer_timeout_ms=400, longest_ms=400) as office:
        with desk_of(office) as desk:
            inquiry_id = await desk.paid_request()
            desk.printed(inquiry_id)
            desk.answer(inquiry_id)
            virtual.quirk = "hang_up_after_charging"
            first = await desk.selling.pay_answer(inquiry_id, [first_key], operator="sara", terminal="terminal-1")
            assert await office.ends(first) is S.IN_DOUBT
            charge, virtual.quirk = virtual.charges[-1], "none"
            with people_of(office) as sign_in:
                await deciding_at(office, sign_in).override(first, NOT_CHARGED, username="reza", password=PASSWORD)
            second = await desk.selling.pay_answer(inquiry_id, [second_key], operator="sara", terminal="terminal-2")
            assert await office.ends(second) is S.ACKNOWLEDGED
            late = office.charge_of(first, reference=None, stan=charge.stan, rrn=charge.rrn)
            office.worker.late_answer(office.payment(first).reference, TerminalOutcome(kind="approved", evidence=late))
            await office.until(lambda: ("late_approval", first) in office.alarms())
            await office.until(lambda: not office.payment(first).unacknowledged)
            assert office.payment(first).state is S.IN_DOUBT
            await office.until(
                lambda: any(one.stan == charge.stan and one.reversed_by == "itself" for one in virtual.transactions)
            )
            await settled(office, first, S.NOT_CHARGED)
    await beside.stop()


async def test_the_first_sale_of_a_terminal_is_known_by_the_trace_that_its_approval_told(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    virtual.quirk = "acknowledgement_unheard"
    virtual.acknowledge_within_ms = 100
    async with Office(tmp_path, virtual) as office:
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.IN_DOUBT
        assert office.payment(payment_id).baseline_stan == "000000"
        await office.until(lambda: virtual.charges == ())
        await settled(office, payment_id, S.NOT_CHARGED)


async def test_the_first_sale_of_a_terminal_whose_yes_was_not_heard_is_a_persons_once_it_was_taken_back(
    tmp_path: Path, virtual: VirtualPnaTerminal
) -> None:
    virtual.quirk = "hang_up_after_charging"
    virtual.acknowledge_within_ms = 100
    async with Office(tmp_path, virtual) as office:
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.IN_DOUBT
        await office.until(lambda: virtual.charges == ())
        # Which trace would have been the next after none nobody knows: another sale may stand before the last one.
        asked = [await office.resolve.ask(payment_id, operator="sara") for _ in range(3)]
        assert {(one.state, one.last_answer) for one in asked} == {(S.IN_DOUBT, "unclear")}
