"""Bills that are paid together, with a real terminal: whatever becomes of one, the others are not lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from daftar.lab.simulation.counter_people import bill_of
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import VirtualTerminal
from edge.journal.bill_groups import GroupView
from edge.services.bills.pay_group import PayGroup
from edge.services.papers.documents import BILL_RECEIPT, GROUP_SLIP
from edge.services.payments.give_back import GiveBack
from edge.services.payments.override_payment import Decision, OverridePayment
from edge.services.payments.wanted import ITEMS_MAX, bill_wanted
from edge.store.rebuild import rebuild_projections
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import PaymentConfirmed, PaymentRefused
from shared.identifiers import parse_bill
from shared.ids import bill_obligation, item_name
from shared.payment import PaymentState
from tests.edge.services.office import Office
from tests.edge.services.payments.test_exposure import hear, policy
from tests.edge.services.payments.test_payment_model import ManagersOfTheTest
from tests.edge.store.boxes import OFFICE_FEED
from tests.edge.store.test_elsewhere import there
from tests.edge.store.test_elsewhere import told as held_there

FIVE = [parse_bill(*bill_of(number)) for number in range(5)]
SUM_RIAL = sum(bill.amount_rial for bill in FIVE)


@pytest.fixture
async def printer() -> AsyncIterator[VirtualPrinter]:
    virtual = VirtualPrinter()
    await virtual.start()
    yield virtual
    await virtual.close()


def groups(office: Office, printer: VirtualPrinter) -> PayGroup:
    return PayGroup(
        queries=office.box.queries,
        payments=office.payments,
        documents=office.printing(printer),
        may_begin=lambda _: None,
    )


@pytest.fixture
def paying(office: Office, printer: VirtualPrinter) -> PayGroup:
    return groups(office, printer)


def states(group: GroupView) -> list[str]:
    return [line.state for line in group.lines]


async def rest(office: Office, group: GroupView) -> None:
    for payment in group.payments:
        await office.ends(payment.payment_id)


async def serve(office: Office, keys: Sequence[str]) -> None:
    """Let customers do at the terminal what they do, one payment after another."""
    for count, key in enumerate(keys, start=1):
        await office.card_asked_for()
        office.virtual.press("approve" if key == "approve" else "decline")
        await office.until(lambda count=count: ended(office) == count)  # type: ignore[misc]


def ended(office: Office) -> int:
    return sum(kind in ("payment.approved", "payment.declined") for kind in office.kinds())


async def test_one_charge_pays_them_all_and_each_has_its_receipt(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("approve")
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    group = paying.view(group_id)
    assert states(group) == ["paid"] * 5
    assert [charge.amount_rial for charge in office.virtual.charges] == [SUM_RIAL]
    assert (group.paid_rial, group.one_charge) == (SUM_RIAL, True)
    (payment,) = group.payments
    (slip,) = office.box.queries.print_jobs_for(payment.payment_id)
    assert slip.document == GROUP_SLIP
    await paying.print_receipts(group_id)
    for number in range(5):
        (job,) = office.box.queries.print_jobs_for(item_name(payment.payment_id, number))
        assert (job.document, job.copy) == (BILL_RECEIPT, False)
    assert rebuild_projections(office.box.path) == []


async def test_a_press_that_is_repeated_charges_nobody_again(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("approve")
    for one_charge in (True, False):
        bills = FIVE[:2] if one_charge else FIVE[2:]
        for _ in range(2):
            group_id = await paying.pay(bills, one_charge=one_charge, operator="sara", name=f"n{one_charge}")
            await rest(office, paying.view(group_id))
    assert len(office.virtual.charges) == 1 + 3


async def test_the_third_of_five_fails_and_nothing_else_is_touched(office: Office, paying: PayGroup) -> None:
    group_id = await paying.pay(FIVE, one_charge=False, operator="sara", name="n")
    assert len(paying.view(group_id).payments) == len(FIVE), "all are journaled before the first card is asked for"
    await serve(office, ["approve", "approve", "decline", "approve", "approve"])
    group = paying.view(group_id)
    assert states(group) == ["paid", "paid", "declined", "paid", "paid"]
    assert [line.bill for line in group.free] == [FIVE[2]]
    office.virtual.set_auto("approve")
    await paying.pay_again(group_id, one_charge=False, operator="sara", name="again")
    await rest(office, paying.view(group_id))
    assert states(paying.view(group_id)) == ["paid"] * 5
    assert sum(charge.amount_rial for charge in office.virtual.charges) == SUM_RIAL
    with pytest.raises(OperatorError, match=r"bill\.nothing_left"):
        await paying.pay_again(group_id, one_charge=False, operator="sara", name="third")
    await paying.pay_again(group_id, one_charge=False, operator="sara", name="again")
    assert len(paying.view(group_id).payments) == len(FIVE) + 1, "a repeated press begins nothing"


async def test_power_that_fails_after_the_second_shows_the_other_three(
    tmp_path: Path, terminal: VirtualTerminal, printer: VirtualPrinter
) -> None:
    async with Office(tmp_path, terminal) as office:
        group_id = await groups(office, printer).pay(FIVE, one_charge=False, operator="sara", name="n")
        await serve(office, ["approve", "approve"])
        await office.card_asked_for()
    # The customer goes on at the terminal, of which the box knows nothing.
    terminal.press("approve")
    async with Office(tmp_path, terminal) as office:
        paying = groups(office, printer)
        group = paying.view(group_id)
        assert states(group) == ["paid", "paid", "in_doubt", "not_sent", "not_sent"]
        assert [line.bill for line in group.free] == FIVE[3:]
        await office.resolve.ask(group.lines[2].payment.payment_id, operator="sara")
        assert states(paying.view(group_id)) == ["paid", "paid", "paid", "not_sent", "not_sent"]
        terminal.set_auto("approve")
        await paying.pay_again(group_id, one_charge=True, operator="sara", name="again")
        await rest(office, paying.view(group_id))
        group = paying.view(group_id)
        assert states(group) == ["paid"] * 5
        assert [charge.amount_rial for charge in terminal.charges][-1] == sum(one.amount_rial for one in FIVE[3:])


async def test_a_charge_in_doubt_holds_every_bill_and_pays_none(office: Office, paying: PayGroup) -> None:
    office.virtual.set_fault("die_after_charging")
    office.virtual.set_auto("approve")
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    group = paying.view(group_id)
    assert (states(group), group.free, group.paid_rial) == (["in_doubt"] * 5, (), 0)
    for bill in FIVE:
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay(bill)
    with pytest.raises(OperatorError, match=r"bill\.nothing_left"):
        await paying.pay_again(group_id, one_charge=False, operator="sara", name="again")
    sign_in = ManagersOfTheTest()
    override = OverridePayment(
        writer=office.box.writer,
        entropy=SystemEntropy(),
        sign_in=sign_in,
        on_charged=office.payments.call_back_others,
    )
    word = Decision.checked(charged=True, slip_number="12", reason="the slip says so")
    await override.override(group.payments[0].payment_id, word, username="reza", password="x")
    assert states(paying.view(group_id)) == ["paid"] * 5
    assert office.box.queries.status().unconfirmed_count == len(FIVE)


async def test_those_that_wait_are_dropped_and_the_one_at_the_terminal_goes_on(
    office: Office, paying: PayGroup
) -> None:
    group_id = await paying.pay(FIVE, one_charge=False, operator="sara", name="n")
    await office.card_asked_for()
    assert paying.may_stop(paying.view(group_id))
    await paying.stop(group_id)
    office.virtual.press("approve")
    await rest(office, paying.view(group_id))
    group = paying.view(group_id)
    assert states(group) == ["paid", *["not_sent"] * 4]
    assert not paying.may_stop(group)
    await paying.stop(group_id)
    assert len(office.virtual.charges) == 1


async def test_a_bill_paid_elsewhere_stands_paid_and_is_not_charged_again(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("decline")
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    office.virtual.set_auto("approve")
    alone = await office.pay(FIVE[1])
    await office.ends(alone)
    group = paying.view(group_id)
    assert states(group) == ["declined", "paid", "declined", "declined", "declined"]
    assert group.lines[1].payment.payment_id == alone
    await paying.pay_again(
        group_id,
        one_charge=False,
        operator="sara",
        name="one",
        obligations=[bill_obligation(FIVE[4].bill_id, FIVE[4].payment_id)],
    )
    await rest(office, paying.view(group_id))
    await paying.pay_again(group_id, one_charge=True, operator="sara", name="rest")
    await rest(office, paying.view(group_id))
    assert sum(charge.amount_rial for charge in office.virtual.charges) == SUM_RIAL


async def test_a_bill_held_at_another_box_is_left_out_and_holds_up_no_other(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("decline")
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    held, part = (bill_obligation(FIVE[place].bill_id, FIVE[place].payment_id) for place in (1, 3))
    hear(office.box, held_there(there("o1", "approved", held), there("o2", "approved", "bill:2:2", covers=(part,))))
    group = paying.view(group_id)
    assert [line.held_by for line in group.lines] == [None, "o1", None, "o2", None]
    office.virtual.set_auto("approve")
    await paying.pay_again(group_id, one_charge=True, operator="sara", name="rest")
    await rest(office, paying.view(group_id))
    assert [charge.amount_rial for charge in office.virtual.charges] == [
        SUM_RIAL - FIVE[1].amount_rial - FIVE[3].amount_rial
    ]
    assert not paying.view(group_id).free


async def test_a_late_charge_of_one_bill_calls_the_group_back(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("decline")
    declined = await office.pay(FIVE[2])
    assert await office.ends(declined) is PaymentState.DECLINED
    office.virtual.set_auto(None)
    other = await office.pay(parse_bill(*bill_of(9)))
    await office.card_asked_for()
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    assert office.terminal.on_stray_answer is not None
    office.terminal.on_stray_answer(office.charge_of(declined))
    await office.until(lambda: office.payment(declined).state is PaymentState.APPROVED)
    (payment,) = paying.view(group_id).payments
    await office.until(lambda: office.payment(payment.payment_id).state is PaymentState.NOT_SENT)
    group = paying.view(group_id)
    assert states(group) == ["not_sent", "not_sent", "paid", "not_sent", "not_sent"]
    office.virtual.press("approve")
    assert await office.ends(other) is PaymentState.APPROVED
    assert not office.payment(declined).doubled


async def test_a_group_is_given_back_whole_and_only_while_no_provider_took_a_bill(
    office: Office, paying: PayGroup
) -> None:
    office.virtual.set_auto("approve")
    giving = GiveBack(
        writer=office.box.writer,
        queries=office.box.queries,
        payments=office.payments,
        sign_in=ManagersOfTheTest(),
        entropy=SystemEntropy(),
        on_progress=lambda _: None,
    )
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    (payment,) = paying.view(group_id).payments
    by_terminal = giving.means_of(payment)
    about: dict[str, Any] = {"payment_id": payment.payment_id, "provider": "w", "track_id": "t"}
    refused = PaymentRefused(**about, reason="expired", case_id="c", item=1)
    office.box.receive(OFFICE_FEED, [office.box.central.office.say(refused)])
    assert giving.means_of(office.payment(payment.payment_id)) == by_terminal
    refund_id = await giving.propose(payment.payment_id, means="central", reason="the wrong bills", operator="sara")
    refund = office.box.queries.refund(refund_id)
    assert refund is not None
    assert refund.amount_rial == SUM_RIAL
    await giving.drop(refund_id, operator="sara", reason="they stay")
    taken = PaymentConfirmed(**about, provider_reference="R", confirmed_at="", item=0)
    office.box.receive(OFFICE_FEED, [office.box.central.office.say(taken)])
    assert giving.means_of(office.payment(payment.payment_id)) == ("central",)
    assert states(paying.view(group_id)) == ["confirmed", "refused", "paid", "paid", "paid"]


async def test_limits_count_a_group_as_what_it_is(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("approve")
    hear(office.box, policy(count_max=4))
    before = office.box.queries.size()
    with pytest.raises(OperatorError, match=r"exposure\.count"):
        await paying.pay(FIVE, one_charge=False, operator="sara", name="each")
    assert office.box.queries.size() == before, "none of them was begun"
    group_id = await paying.pay(FIVE, one_charge=True, operator="sara", name="one")
    await rest(office, paying.view(group_id))
    assert states(paying.view(group_id)) == ["paid"] * 5


async def test_a_limit_of_the_sum_holds_for_all_of_a_group_together(office: Office, paying: PayGroup) -> None:
    hear(office.box, policy(total_max_rial=SUM_RIAL - 1))
    for one_charge in (True, False):
        with pytest.raises(OperatorError, match=r"exposure\.total"):
            await paying.pay(FIVE, one_charge=one_charge, operator="sara", name=str(one_charge))
    hear(office.box, policy(total_max_rial=SUM_RIAL))
    office.virtual.set_auto("approve")
    group_id = await paying.pay(FIVE, one_charge=False, operator="sara", name="all")
    await rest(office, paying.view(group_id))
    assert states(paying.view(group_id)) == ["paid"] * 5


async def test_what_cannot_be_a_group_is_refused_before_anything_is_journaled(office: Office, paying: PayGroup) -> None:
    before = office.box.queries.size()
    many = [parse_bill(*bill_of(number)) for number in range(ITEMS_MAX + 1)]
    for bills, code in (([], "bill.none"), ([FIVE[0], FIVE[1], FIVE[0]], "bill.twice"), (many, "bill.too_many")):
        with pytest.raises(OperatorError) as caught:
            await paying.pay(bills, one_charge=True, operator="sara", name="n")
        assert caught.value.code == code
    with pytest.raises(OperatorError, match=r"bill\.no_group"):
        paying.view("nobody")
    assert office.box.queries.size() == before


async def test_a_group_of_as_many_bills_as_fit_is_one_entry_and_one_slip(
    office: Office, paying: PayGroup, printer: VirtualPrinter
) -> None:
    office.virtual.set_auto("approve")
    many = [parse_bill(*bill_of(number)) for number in range(ITEMS_MAX)]
    group_id = await paying.pay(many, one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    documents = office.printing(printer)
    task = asyncio.create_task(documents.run())
    try:
        payment_id = paying.view(group_id).payments[0].payment_id
        await office.until(lambda: office.payment(payment_id).printed == 1)
        await paying.print_slip(group_id)
        documents.wake()
        await office.until(lambda: office.payment(payment_id).printed == 2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [job.copy for job in office.box.queries.print_jobs_for(payment_id)] == [False, True]


async def test_one_bill_of_a_group_is_an_ordinary_payment(office: Office, paying: PayGroup) -> None:
    office.virtual.set_auto("approve")
    group_id = await paying.pay(FIVE[:1], one_charge=True, operator="sara", name="n")
    await rest(office, paying.view(group_id))
    (payment,) = paying.view(group_id).payments
    assert (payment.items, payment.obligation) == ((), bill_wanted(FIVE[0]).obligation)
    assert [job.document for job in office.box.queries.print_jobs_for(payment.payment_id)] == [BILL_RECEIPT]
