import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, cast

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.journal.refunds import RefundView
from edge.services.payments.give_back import GiveBack
from edge.services.payments.override_payment import ReversalWord
from shared.answer_document import AnswerDocument, Payable
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import PaymentConfirmed, PaymentRefused
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.office_people import PASSWORD, people_of
from tests.edge.services.payments.test_override_payment import NOT_CHARGED, deciding_at
from tests.edge.services.service_desk import desk_of
from tests.edge.store.boxes import OFFICE_FEED

TIMES = {"answer_timeout_ms": 4_000, "longest_ms": 4_000, "query_timeout_ms": 1_500}
REASON = "قبض مشتری دیگری بود"


@pytest.fixture
async def undoing() -> AsyncIterator[VirtualPnaTerminal]:
    """A terminal that undoes its newest sale when told to."""
    virtual = VirtualPnaTerminal(clock=SystemClock(), entropy=SystemEntropy())
    virtual.set_auto("approve")
    await virtual.start()
    yield virtual
    await virtual.stop()


def office_of(folder: Path, virtual: VirtualPnaTerminal) -> Office:
    office = Office(folder, cast(VirtualTerminal, virtual))
    profile = load_catalogue().terminal("daftar/virtual_pna")
    office.profile = msgspec.structs.replace(profile, times=msgspec.structs.replace(profile.times, **TIMES))
    return office


@contextmanager
def giving_back(office: Office) -> Iterator[GiveBack]:
    with people_of(office) as sign_in:
        yield GiveBack(
            writer=office.box.writer,
            queries=office.box.queries,
            payments=office.payments,
            sign_in=sign_in,
            entropy=SystemEntropy(),
            on_progress=lambda _: None,
        )


def refund(office: Office, refund_id: str) -> RefundView:
    found = office.box.queries.refund(refund_id)
    assert found is not None
    return found


async def paid(office: Office) -> str:
    office.virtual.set_auto("approve")
    payment_id = await office.pay()
    await office.ends(payment_id)
    assert office.payment(payment_id).state in (PaymentState.APPROVED, PaymentState.ACKNOWLEDGED)
    return payment_id


async def agreed(office: Office, back: GiveBack, payment_id: str) -> str:
    """Ask for a reversal and agree to it; return the request once the terminal has been told or could not be."""
    refund_id = await back.propose(payment_id, means="reversal", reason=REASON, operator="sara")
    await back.agree(refund_id, username="reza", password=PASSWORD)
    await office.until(lambda: not back.under_way(payment_id))
    return refund_id


async def test_two_people_and_the_terminal_give_the_money_back_and_free_the_bill(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        with giving_back(office) as back:
            assert back.means_of(office.payment(payment_id)) == ("reversal", "central")
            refund_id = await back.propose(payment_id, means="reversal", reason=REASON, operator="sara")
            assert undoing.charges, "a proposal moves nothing"
            await back.agree(refund_id, username="reza", password=PASSWORD)
            await office.until(lambda: not back.under_way(payment_id))
        assert office.payment(payment_id).state is PaymentState.REVERSED
        found = refund(office, refund_id)
        assert (found.state, found.operator, found.decided_by, found.amount_rial) == (
            "done",
            "sara",
            "reza",
            WATER.amount_rial,
        )
        assert not undoing.charges
        kinds = office.kinds()
        told, undone = kinds.index("payment.reversal_requested"), kinds.index("payment.reversed")
        assert kinds.index("refund.agreed") < told < undone
        assert office.payment(await paid(office)).bill_id == office.payment(payment_id).bill_id


async def test_the_order_is_durable_before_the_terminal_hears_it(
    tmp_path: Path, undoing: VirtualPnaTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        seen: list[list[str]] = []
        hear = undoing._hear_reverse

        def heard(writer: asyncio.StreamWriter) -> None:
            seen.append(office.kinds())
            hear(writer)

        monkeypatch.setattr(undoing, "_hear_reverse", heard)
        with giving_back(office) as back:
            await agreed(office, back, payment_id)
        assert "payment.reversal_requested" in seen[0]
        assert "payment.reversed" not in seen[0]


@pytest.mark.parametrize("quirk", ["reversal_unanswered", "reversal_unheard"])
async def test_an_order_without_an_answer_is_in_doubt_and_asking_tells(
    tmp_path: Path, undoing: VirtualPnaTerminal, quirk: str
) -> None:
    async with office_of(tmp_path, undoing) as office:
        # Its first trace is any number; only from the second sale on does one follow another.
        await office.ends(await office.pay(POWER))
        payment_id = await paid(office)
        undoing.quirk = quirk  # type: ignore[assignment] # one of its words
        with giving_back(office) as back:
            refund_id = await agreed(office, back, payment_id)
            assert office.payment(payment_id).state is PaymentState.REVERSAL_IN_DOUBT
            assert refund(office, refund_id).state == "in_doubt"
            with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
                await office.pay()
            with pytest.raises(OperatorError, match=r"refund\.open"):
                await back.propose(payment_id, means="central", reason=REASON, operator="sara")
        undoing.quirk = "none"
        early = await office.resolve.ask(payment_id, operator="sara")
        assert early.state is PaymentState.REVERSAL_IN_DOUBT, "it may still be undoing it"
        await office.until(lambda: office.payments.waited_ms(payment_id) > TIMES["longest_ms"])
        for _ in range(2):
            await office.resolve.ask(payment_id, operator="sara")
        stands = quirk == "reversal_unheard"
        assert (office.payment(payment_id).state is PaymentState.REVERSED) == (not stands)
        assert (len(undoing.charges) == 2) == stands
        assert refund(office, refund_id).state == ("refused" if stands else "done")


@pytest.mark.parametrize("undone", [True, False])
async def test_what_became_of_an_undoing_in_doubt_is_said_by_two_people(
    tmp_path: Path,
    undoing: VirtualPnaTerminal,
    undone: bool,  # noqa: FBT001 - a parameter
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        undoing.quirk = "reversal_unanswered"
        with giving_back(office) as back:
            refund_id = await agreed(office, back, payment_id)
        word = ReversalWord.checked(undone=undone, slip_number="۱۲۴", reason="رسید کارتخوان را دیدم")
        people = {"operator": "sara", "password": PASSWORD}
        with people_of(office) as sign_in:
            deciding = deciding_at(office, sign_in)
            for username, operator, code in (
                ("sara", "reza", r"auth\.manager_needed"),
                ("reza", "reza", r"refund\.same_person"),
                ("reza", "api:crm/reza", r"refund\.same_person"),
                ("reza", "api:crm", r"refund\.nobody_asked"),
            ):
                with pytest.raises(OperatorError, match=code):
                    await deciding.decide_reversal(
                        payment_id, word, operator=operator, username=username, password=PASSWORD
                    )
            assert office.payment(payment_id).state is PaymentState.REVERSAL_IN_DOUBT
            await deciding.decide_reversal(payment_id, word, username="reza", **people)
            with pytest.raises(OperatorError, match=r"reversal\.not_in_doubt"):
                await deciding.decide_reversal(payment_id, word, username="mina", **people)
        payment, found = office.payment(payment_id), refund(office, refund_id)
        assert payment.state is (PaymentState.REVERSED if undone else PaymentState.APPROVED)
        assert (payment.stated_by, payment.stated_slip) == ("sara", "124")
        assert (found.state, found.outcome_reason) == ("done" if undone else "refused", "stated")
        said = json.loads(office.box.queries.entries(office.box.queries.size() - 1, 1)[0][0])
        assert (said["type"], said["body"]["agreed_by"]) == ("payment.reversal_decided", "reza")
        if not undone:
            with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
                await office.pay()


async def test_a_terminal_that_knows_only_its_last_sale_is_not_asked_about_an_earlier_one(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        undoing.set_auto(None)
        undoing.set_fault("go_silent")
        earlier = await office.pay(WATER)
        assert await office.ends(earlier) is PaymentState.IN_DOUBT
        undoing.set_fault("none")
        with people_of(office) as sign_in:
            await deciding_at(office, sign_in).override(earlier, NOT_CHARGED, username="reza", password=PASSWORD)
        await undoing.restart()
        # The same amount again: its last transaction would pass for the earlier one.
        again = await paid(office)
        asked = office.kinds().count("payment.status_queried")
        with pytest.raises(OperatorError, match=r"payment\.not_its_last"):
            await office.resolve.ask(earlier, operator="sara")
        assert office.kinds().count("payment.status_queried") == asked
        assert office.payment(earlier).state is PaymentState.OVERRIDDEN_NOT_CHARGED
        assert office.payment(again).state is PaymentState.ACKNOWLEDGED


async def test_a_sale_that_is_not_the_newest_any_more_stands_and_goes_to_finance(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        assert undoing.sell_by_hand(70_000)
        with giving_back(office) as back:
            refund_id = await agreed(office, back, payment_id)
            found = refund(office, refund_id)
            assert (found.state, found.outcome_reason) == ("refused", "terminal.other_sale")
            assert office.payment(payment_id).state is PaymentState.APPROVED
            again = await back.propose(payment_id, means="central", reason=REASON, operator="sara")
            await back.agree(again, username="mina", password=PASSWORD)
            assert refund(office, again).state == "agreed"
            assert office.box.queries.open_refunds() == []
        assert len(undoing.charges) == 2


async def test_a_terminal_that_is_off_is_told_later_or_not_at_all(tmp_path: Path, undoing: VirtualPnaTerminal) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        host_port = undoing._address
        assert host_port is not None
        await undoing.stop()
        with giving_back(office) as back:
            refund_id = await agreed(office, back, payment_id)
            assert refund(office, refund_id).state == "agreed"
            assert back.trouble(refund_id) in ("terminal.unreachable", "terminal.not_ready")
            assert "payment.reversal_requested" not in office.kinds()
            await undoing.start(*host_port)
            await back.tell_terminal(refund_id)
            await office.until(lambda: not back.under_way(payment_id))
            if refund(office, refund_id).state == "agreed":
                await office.until(lambda: office.terminal.state.connected)
                await back.tell_terminal(refund_id)
                await office.until(lambda: not back.under_way(payment_id))
            assert refund(office, refund_id).state == "done"
            with pytest.raises(OperatorError, match=r"refund\.decided"):
                await back.tell_terminal(refund_id)


async def test_whoever_presses_again_hears_that_the_terminal_is_no_longer_set_up(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        await undoing.stop()
        with giving_back(office) as back:
            refund_id = await agreed(office, back, payment_id)
            del office.payments.workers["terminal-1"]
            with pytest.raises(OperatorError, match=r"refund\.means_not_offered"):
                await back.tell_terminal(refund_id)
            await back.drop(refund_id, operator="sara", reason=REASON)
            await back.propose(payment_id, means="central", reason=REASON, operator="sara")


async def test_a_restart_in_mid_reversal_leaves_it_in_doubt(tmp_path: Path, undoing: VirtualPnaTerminal) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        undoing.quirk = "reversal_unanswered"
        with giving_back(office) as back:
            refund_id = await back.propose(payment_id, means="reversal", reason=REASON, operator="sara")
            await back.agree(refund_id, username="reza", password=PASSWORD)
            await office.until(lambda: not undoing.charges)
            await back.finish()
        assert office.payment(payment_id).state is PaymentState.REVERSAL_REQUESTED
    async with office_of(tmp_path, undoing) as office:
        assert office.payment(payment_id).state is PaymentState.REVERSAL_IN_DOUBT
        assert refund(office, refund_id).state == "in_doubt"


@pytest.mark.faults("reversal stopped")
@pytest.mark.parametrize(("step", "state"), [("prepare", "agreed"), ("reverse", "in_doubt")])
async def test_a_fault_of_the_program_leaves_no_undoing_under_way(
    tmp_path: Path, undoing: VirtualPnaTerminal, monkeypatch: pytest.MonkeyPatch, step: str, state: str
) -> None:
    async def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("a fault nobody thought of")

    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        with giving_back(office) as back:
            with monkeypatch.context() as patched:
                patched.setattr(office.terminal, step, fail)
                refund_id = await agreed(office, back, payment_id)
                assert refund(office, refund_id).state == state
            assert len(undoing.charges) == 1
            if state == "agreed":
                await back.tell_terminal(refund_id)
                await office.until(lambda: not back.under_way(payment_id))
                assert (refund(office, refund_id).state, len(undoing.charges)) == ("done", 0)


async def test_who_may_ask_agree_and_drop(office: Office) -> None:
    payment_id = await paid(office)
    with giving_back(office) as back:
        assert back.means_of(office.payment(payment_id)) == ("central",), "this model undoes nothing"
        with pytest.raises(OperatorError, match=r"refund\.means_not_offered"):
            await back.propose(payment_id, means="reversal", reason=REASON, operator="sara")
        with pytest.raises(OperatorError, match=r"statement\.reason_short"):
            await back.propose(payment_id, means="central", reason="", operator="sara")
        refund_id = await back.propose(payment_id, means="central", reason=REASON, operator="reza", refund_id="rname")
        assert (
            await back.propose(payment_id, means="central", reason=REASON, operator="reza", refund_id="rname")
            == refund_id
        ), "a repeated request is the same one"
        for username, code in (("sara", r"auth\.manager_needed"), ("reza", r"refund\.same_person")):
            with pytest.raises(OperatorError, match=code):
                await back.agree(refund_id, username=username, password=PASSWORD)
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            await back.agree(refund_id, username="mina", password="some other password")
        await back.drop(refund_id, operator="sara", reason="مشتری پشیمان شد")
        assert refund(office, refund_id).state == "dropped"
        with pytest.raises(OperatorError, match=r"refund\.decided"):
            await back.agree(refund_id, username="mina", password=PASSWORD)
        with pytest.raises(OperatorError, match=r"refund\.unknown"):
            await back.drop("r-nobody", operator="sara", reason=REASON)
    assert office.payment(payment_id).state is PaymentState.APPROVED


@pytest.mark.parametrize(
    ("program", "code"), [("api:crm", r"refund\.nobody_asked"), ("api:crm/reza", r"refund\.same_person")]
)
async def test_a_manager_who_asks_by_a_program_is_not_a_second_person(office: Office, program: str, code: str) -> None:
    payment_id = await paid(office)
    with giving_back(office) as back:
        refund_id = await back.propose(payment_id, means="central", reason=REASON, operator=program)
        with pytest.raises(OperatorError, match=code):
            await back.agree(refund_id, username="reza", password=PASSWORD)
        assert refund(office, refund_id).state == "proposed"
        if program == "api:crm/reza":
            await back.agree(refund_id, username="mina", password=PASSWORD)
            assert refund(office, refund_id).state == "agreed"
        else:
            await back.drop(refund_id, operator="reza", reason=REASON)


async def test_what_finance_has_cannot_be_dropped_nor_asked_twice(office: Office) -> None:
    payment_id = await paid(office)
    with giving_back(office) as back:
        refund_id = await back.propose(payment_id, means="central", reason=REASON, operator="sara")
        await back.agree(refund_id, username="reza", password=PASSWORD)
        with pytest.raises(OperatorError, match=r"refund\.decided"):
            await back.drop(refund_id, operator="reza", reason=REASON)
        with pytest.raises(OperatorError, match=r"refund\.open"):
            await back.propose(payment_id, means="central", reason=REASON, operator="sara")


async def test_nothing_is_given_back_of_what_was_not_charged(office: Office) -> None:
    office.virtual.set_auto("decline")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.DECLINED
    with giving_back(office) as back:
        with pytest.raises(OperatorError, match=r"refund\.not_charged"):
            await back.propose(payment_id, means="central", reason=REASON, operator="sara")
        with pytest.raises(OperatorError, match=r"payment\.unknown"):
            await back.propose("p-nobody", means="central", reason=REASON, operator="sara")


async def test_once_its_provider_took_a_bill_the_terminal_undoes_it_no_more(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        payment_id = await paid(office)
        with giving_back(office) as back:
            refund_id = await back.propose(payment_id, means="reversal", reason=REASON, operator="sara")
            taken = PaymentConfirmed(
                payment_id=payment_id, provider="water", track_id="t", provider_reference="1", confirmed_at=""
            )
            office.box.receive(OFFICE_FEED, [office.box.central.office.say(taken)])
            with pytest.raises(OperatorError, match=r"refund\.means_not_offered"):
                await back.agree(refund_id, username="reza", password=PASSWORD)
            assert back.means_of(office.payment(payment_id)) == ("central",)
        assert undoing.charges


async def test_a_terminal_is_not_told_to_undo_a_sale_that_is_not_the_newest_by_the_journal(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    # It undoes whichever is its newest, and may tell of an older one when it is asked for that.
    async with office_of(tmp_path, undoing) as office:
        earlier = await paid(office)
        with giving_back(office) as back:
            refund_id = await back.propose(earlier, means="reversal", reason=REASON, operator="sara")
            later = await office.pay(POWER)
            await office.ends(later)
            undoing.quirk = "last_lags"
            with pytest.raises(OperatorError, match=r"refund\.means_not_offered"):
                await back.agree(refund_id, username="reza", password=PASSWORD)
            assert back.means_of(office.payment(earlier)) == ("central",)
            assert back.means_of(office.payment(later)) == ("reversal", "central")
        assert len(undoing.charges) == 2


async def test_an_order_that_may_be_being_bought_is_given_back_by_central_only(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    async with office_of(tmp_path, undoing) as office:
        with desk_of(office) as desk, giving_back(office) as back:
            asked = await desk.ask("top_up", {"mobile": "09123456789"})
            desk.answer(asked, AnswerDocument(payable=Payable(key="pack", amount_rial=200_000, order_id="7350112")))
            payment_id = await desk.pay(asked, "pack")
            assert office.payment(payment_id).confirmation == "queued"
            assert back.means_of(office.payment(payment_id)) == ("central",), "its code may be on its way"
            refused = PaymentRefused(
                payment_id=payment_id, provider="gateway", track_id="t2", reason="expired", case_id="c1"
            )
            desk.tell(refused)
            assert back.means_of(office.payment(payment_id)) == ("reversal", "central")
