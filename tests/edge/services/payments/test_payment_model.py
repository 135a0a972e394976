"""Payments of the real services against a small model: every action of the state table, in any order.

The terminal is one of the test's: it says what the machine wants, when it wants it, of a sale that agrees with its
payment. What a terminal says that does *not* agree is tried in `test_disagreement.py` and by simulated days.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome, TerminalState
from edge.journal.recovery import Recovery, Start
from edge.journal.views import PaymentView
from edge.services.payments.acquirer_answers import AcquirerAnswers
from edge.services.payments.give_back import GiveBack
from edge.services.payments.override_payment import Decision, OverridePayment
from edge.services.payments.resolve_in_doubt import ResolveInDoubt
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.wanted import bills_wanted
from edge.services.people.sign_in import SignIn
from edge.store import payment_projections
from edge.store.people import MANAGER, OPERATOR, OperatorView
from shared.errors import DeviceError, OperatorError
from shared.events import AcquirerAnswered, Evidence
from shared.identifiers import parse_bill
from shared.ids import bill_obligation
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, TRANSITIONS, PaymentState, advance
from tests.edge.store.boxes import OFFICE_FEED, Box, CountedEntropy

S = PaymentState
BILLS = (parse_bill("2050327604613", "1070189"), parse_bill("9174639504124", "12908190"))
WANTED = ((0,), (1,), (0, 1))
"""Either bill, or both in one charge."""
MEMORY = Path("/dev/shm")
"""Nothing here is about a real disk."""
NUMBER = "21009543"
LONGEST_S = 3_600
REASON = "looked at the slip"
Order = Literal["done", "refused", "in_doubt", "hangs"]
ORDERS: tuple[Order, ...] = ("done", "done", "refused", "in_doubt", "hangs")
_UNCHARGED = frozenset({S.NOT_SENT, S.DECLINED, S.CANCELLED, S.NOT_CHARGED, S.OVERRIDDEN_NOT_CHARGED})
_ANSWERED_LATE = _UNCHARGED | {S.IN_DOUBT, S.OVERRIDDEN_CHARGED}
_ACQUIRED = frozenset({S.IN_DOUBT, S.DECLINED, S.NOT_CHARGED, S.OVERRIDDEN_NOT_CHARGED})
_GIVABLE = frozenset({S.APPROVED, S.ACKNOWLEDGED, S.OVERRIDDEN_CHARGED})


class ManagersOfTheTest(SignIn):
    """Passwords take long, and are tried elsewhere."""

    def __init__(self) -> None:
        """Keep nobody."""

    async def manager(self, username: str, password: str) -> OperatorView:  # noqa: ARG002 - any will do
        return OperatorView(username=username, name=username, role=MANAGER if username == "reza" else OPERATOR)


class TerminalOfTheTest:
    name = "terminal-1"

    def __init__(self, *, confirming: bool) -> None:
        self.profile = load_catalogue().terminal("daftar/virtual_pna" if confirming else "daftar/virtual")
        self.on_late_answer: Callable[[str, TerminalOutcome], None] | None = None
        self.on_stray_answer: Callable[[Evidence], None] | None = None
        self.on_change: Callable[[TerminalState], None] | None = None
        self.is_ready = True
        self.sale_under_way: asyncio.Future[TerminalOutcome] | None = None
        self.told: StatusAnswer = StatusAnswer(kind="no_answer")
        self.order: Order = "done"
        self.hangs = False
        self.orders: list[tuple[str, str]] = []

    @property
    def state(self) -> TerminalState:
        return TerminalState(
            name=self.name, address="", phase="connected", connected=True, answers=True, terminal_number=NUMBER
        )

    async def probe(self) -> None:
        """It is there."""

    async def prepare(self, amount_rial: int | None = None) -> str | None:  # noqa: ARG002 - any can be taken
        if not self.is_ready:
            raise DeviceError("terminal.not_ready", terminal=self.name)
        return None

    async def sale(self, **_: Any) -> TerminalOutcome:
        self.sale_under_way = asyncio.get_running_loop().create_future()
        return await self.sale_under_way

    async def query(self, **_: Any) -> StatusAnswer:
        return self.told

    async def last_transaction(self) -> LastTransaction:
        return LastTransaction(kind="no_answer")

    async def acknowledge(self, *, stan: str, **_: Any) -> OrderAnswer:
        return await self._ordered("acknowledge", stan)

    async def reverse(self, *, stan: str, **_: Any) -> OrderAnswer:
        return await self._ordered("reverse", stan)

    async def void(self, *, stan: str, **_: Any) -> OrderAnswer:
        return await self._ordered("void", stan)

    async def cancel(self) -> None:
        """Whether it heard is for the answer to say."""

    async def _ordered(self, order: str, stan: str) -> OrderAnswer:
        self.orders.append((order, stan))
        if self.order == "hangs":
            self.hangs = True
            await asyncio.get_running_loop().create_future()
        return OrderAnswer(kind="in_doubt" if self.order == "hangs" else self.order)


class Known(msgspec.Struct):
    """What the model knows of a payment."""

    bills: tuple[int, ...]
    state: PaymentState
    stan: str
    sent_s: int = 0
    not_found: int = 0
    confirming: bool = False
    """Whether it was sent to a terminal that has to be told to keep it."""
    settled_by_acquirer: bool = False
    unacknowledged: bool = False


class Payments(RuleBasedStateMachine):
    """One terminal, two bills, everybody who may say something about a payment."""

    box: Box
    confirming = False

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.runner = asyncio.Runner()
        self.starts = 0
        self.known: dict[str, Known] = {}
        self.at_terminal: str | None = None
        self.now_s = 0
        self.waits_since = 0
        self._start()

    def _start(self) -> None:
        central = self.box.central if self.starts else None
        self.starts += 1
        self.box = Box(Path(self.folder.name))
        self.box.central = central or self.box.central
        self.box.clock.step(seconds=self.now_s)
        # Names are not to come twice.
        self.box.entropy = entropy = CountedEntropy(f"start {self.starts}")
        self.box.__enter__()
        box = self.box
        Recovery(box.queries, box.identity, Start(software="test")).run(box.writer, box.signer.public_key)
        parts: dict[str, Any] = {"writer": box.writer, "queries": box.queries, "entropy": entropy}
        self.terminal = TerminalOfTheTest(confirming=self.confirming)

        async def make() -> TakePayment:
            return TakePayment(**parts, terminals=[self.terminal], clock=box.clock, on_progress=lambda _: None)

        self.payments = self.runner.run(make())
        self.resolve = ResolveInDoubt(**parts, payments=self.payments, clock=box.clock, unasked_every_s=LONGEST_S)
        managers = ManagersOfTheTest()
        on_charged = self.payments.call_back_others
        self.override = OverridePayment(writer=box.writer, entropy=entropy, sign_in=managers, on_charged=on_charged)
        self.giving = GiveBack(**parts, payments=self.payments, sign_in=managers, on_progress=lambda _: None)
        self.acquirer = AcquirerAnswers(**parts, on_charged=on_charged)

    @staticmethod
    def _refused(error: OperatorError, *codes: str) -> None:
        """Check that a refusal is the expected one."""
        if error.code not in codes:
            raise error

    # --- what the rules are made of ----------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def _come_to_rest(self, *more: Callable[[], bool]) -> None:
        """Let the loop work until the services wait for the terminal, or for nobody."""

        async def rest() -> None:
            async with asyncio.timeout(60):
                while not all(done() for done in (self._is_at_rest, *more)):  # noqa: ASYNC110 - they tell nobody
                    await asyncio.sleep(0.0005)

        self._run(rest())

    def _is_at_rest(self) -> bool:
        if self.terminal.hangs:
            return True
        if self.terminal.sale_under_way is not None and not self.terminal.sale_under_way.done():
            return True
        idle = all(self.payments.progress(one) is None and not self.giving.under_way(one) for one in self.known)
        return idle and not self.payments.outcomes._open

    def _state(self, payment_id: str) -> PaymentState:
        payment = self.box.queries.payment(payment_id)
        assert payment is not None
        return payment.state

    def _evidence(self, payment_id: str, source: Any, code: str) -> Evidence:
        payment = self.box.queries.payment(payment_id)
        assert payment is not None
        stan = self.known[payment_id].stan
        return Evidence(
            source=source,
            response_code=code,
            amount_rial=payment.amount_rial,
            reference=payment.reference,
            stan=stan,
            rrn="000000" + stan,
            terminal_number=NUMBER,
        )

    def has(self, *states: PaymentState) -> bool:
        """Return whether a payment that the acquirer has not settled is in one of these states."""
        return any(known.state in states and not known.settled_by_acquirer for known in self.known.values())

    def _pick(self, data: st.DataObject, states: frozenset[PaymentState]) -> str | None:
        found = [name for name, known in self.known.items() if known.state in states and not known.settled_by_acquirer]
        return data.draw(st.sampled_from(found)) if found else None

    def _approved(self, payment_id: str, *, source: str = "terminal") -> None:
        """Let the model hear of a charge: what else has to be told to the terminal, and what that came to."""
        known = self.known[payment_id]
        known.not_found = 0
        if known.state in CHARGED - {S.OVERRIDDEN_CHARGED}:
            return
        known.state = S.APPROVED
        if not known.confirming or source == "acquirer":
            return
        twice = any(
            one is not known and _share_bills(one, known.bills) and _holds(one.state) for one in self.known.values()
        )
        if twice:
            known.state = S.IN_DOUBT
        elif self.terminal.order == "hangs":
            known.unacknowledged = True
        else:
            known.state = S.ACKNOWLEDGED if self.terminal.order == "done" else S.IN_DOUBT

    # --- at the counter ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.at_terminal is None and not self.terminal.hangs)
    @rule(bills=st.sampled_from(WANTED), ready=st.integers(0, 4))
    def somebody_pays(self, bills: tuple[int, ...], ready: int) -> None:
        self.terminal.is_ready = bool(ready)
        held = any(_share_bills(one, bills) and _holds(one.state) for one in self.known.values())
        locked = any(one.state in (S.IN_DOUBT, S.REVERSAL_IN_DOUBT) for one in self.known.values())
        try:
            payment_id = self._run(self.payments.request(bills_wanted([BILLS[one] for one in bills]), operator="sara"))
        except OperatorError as error:
            self._refused(error, "payment.obligation_held", "payment.terminal_locked")
            assert held or locked
            return
        assert not held
        assert not locked
        self.known[payment_id] = Known(bills, S.REQUESTED, f"{len(self.known) + 1:06}", sent_s=self.now_s)
        self._come_to_rest()
        self.known[payment_id].state = S.SENT if ready else S.NOT_SENT
        self.known[payment_id].confirming = bool(ready) and self.confirming
        self.at_terminal = payment_id if ready else None

    @precondition(lambda self: self.at_terminal is not None)
    @rule(
        said=st.sampled_from(("approved", "approved", "declined", "cancelled", "silence")),
        order=st.sampled_from(ORDERS),
    )
    def the_terminal_answers(self, said: str, order: Order) -> None:
        payment_id, self.at_terminal = self.at_terminal, None
        sale = self.terminal.sale_under_way
        assert payment_id is not None
        assert sale is not None
        self.terminal.order = order
        self.terminal.sale_under_way = None
        code = {"approved": "00", "declined": "51", "cancelled": "17"}.get(said)
        if code is None:
            sale.set_result(TerminalOutcome(kind="in_doubt", reason="no_answer"))
            self.known[payment_id].state = S.IN_DOUBT
        else:
            evidence = self._evidence(payment_id, "answer", code)
            sale.set_result(TerminalOutcome(kind=said, evidence=evidence))  # type: ignore[arg-type]  # one of its words
            if said == "approved":
                self._approved(payment_id)
            else:
                self.known[payment_id].state = S.DECLINED if said == "declined" else S.CANCELLED
        self._come_to_rest(lambda: self._state(payment_id) is not S.SENT)

    @precondition(lambda self: self.at_terminal is None and not self.terminal.hangs)
    @rule(
        bills=st.sampled_from(WANTED),
        said=st.sampled_from(("approved", "approved", "declined", "cancelled", "silence", "silence")),
        order=st.sampled_from(ORDERS),
    )
    def a_sale_from_beginning_to_end(self, bills: tuple[int, ...], said: str, order: Order) -> None:
        self.somebody_pays(bills=bills, ready=1)
        if self.at_terminal is not None:
            self.the_terminal_answers(said=said, order=order)

    @precondition(lambda self: self.at_terminal is not None)
    @rule()
    def the_operator_cancels(self) -> None:
        # It is for the terminal to say what came of that.
        assert self.at_terminal is not None
        self._run(self.payments.cancel(self.at_terminal))

    @precondition(lambda self: self.has(S.IN_DOUBT, S.REVERSAL_IN_DOUBT))
    @rule(seconds=st.sampled_from((10, LONGEST_S + 1, LONGEST_S + 1)))
    def time_passes(self, seconds: int) -> None:
        self.now_s += seconds
        self.box.clock.step(seconds=seconds)

    # --- evidence that comes afterwards ------------------------------------------------------------------------------

    @precondition(lambda self: self.at_terminal is None and not self.terminal.hangs and self.has(*_ANSWERED_LATE))
    @rule(data=st.data(), said=st.sampled_from(("approved", "declined", "cancelled")), order=st.sampled_from(ORDERS))
    def the_terminal_answers_late(self, data: st.DataObject, said: str, order: Order) -> None:
        payment_id = self._pick(data, _ANSWERED_LATE)
        if payment_id is None or self.terminal.on_late_answer is None:
            return
        self.terminal.order = order
        code = {"approved": "00", "declined": "51", "cancelled": "17"}[said]
        evidence = self._evidence(payment_id, "late_answer", code)
        outcome = TerminalOutcome(kind=said, evidence=evidence)  # type: ignore[arg-type]  # one of its words
        reference = evidence.reference or ""

        async def say() -> None:
            assert self.terminal.on_late_answer is not None
            self.terminal.on_late_answer(reference, outcome)

        self._run(say())
        if said == "approved":
            self._approved(payment_id)
        elif self.known[payment_id].state is S.IN_DOUBT:
            self.known[payment_id].state = S.DECLINED if said == "declined" else S.CANCELLED
        self._come_to_rest()

    @precondition(lambda self: not self.terminal.hangs and self.has(S.IN_DOUBT, S.REVERSAL_IN_DOUBT))
    @rule(
        data=st.data(),
        said=st.sampled_from(("approved", "not_found", "not_found", "unclear", "no_answer")),
        order=st.sampled_from(ORDERS[:-1]),
    )
    def somebody_asks(self, data: st.DataObject, said: Any, order: Order) -> None:
        payment_id = self._pick(data, frozenset({S.IN_DOUBT, S.REVERSAL_IN_DOUBT}))
        if payment_id is None:
            return
        self.terminal.order = order
        known = self.known[payment_id]
        code = {"approved": "00", "not_found": "EA", "unclear": "77"}.get(said)
        evidence = None if code is None else self._evidence(payment_id, "status_query", code)
        self.terminal.told = StatusAnswer(kind=said, evidence=evidence, response_code=code)
        waited = self.now_s - max(known.sent_s, self.waits_since) >= LONGEST_S
        self._run(self.resolve.ask(payment_id, operator="sara"))
        known.not_found += said == "not_found" and waited
        enough = known.not_found >= 2
        if known.state is S.IN_DOUBT and said == "approved":
            self._approved(payment_id)
        elif known.state is S.IN_DOUBT and enough:
            known.state = S.NOT_CHARGED
        elif known.state is S.REVERSAL_IN_DOUBT and said == "approved" and waited:
            known.state = S.APPROVED
        elif known.state is S.REVERSAL_IN_DOUBT and enough:
            known.state = S.REVERSED
        self._come_to_rest()

    @precondition(lambda self: not self.terminal.hangs and self.known)
    @rule(data=st.data(), charged=st.booleans())
    def a_manager_decides(self, data: st.DataObject, *, charged: bool) -> None:
        payment_id = self._pick(data, frozenset(S) - {S.REQUESTED})
        if payment_id is None:
            return
        decision = Decision.checked(charged=charged, slip_number="1", reason=REASON)
        try:
            self._run(self.override.override(payment_id, decision, username="reza", password=""))
        except OperatorError as error:
            self._refused(error, "payment.not_in_doubt")
            assert self.known[payment_id].state is not S.IN_DOUBT
            return
        assert self.known[payment_id].state is S.IN_DOUBT
        self.known[payment_id].state = S.OVERRIDDEN_CHARGED if charged else S.OVERRIDDEN_NOT_CHARGED

    @precondition(lambda self: not self.terminal.hangs and self.has(*_ACQUIRED))
    @rule(data=st.data(), charged=st.booleans())
    def the_acquirer_tells(self, data: st.DataObject, *, charged: bool) -> None:
        # The last word about a payment: what else is said of it afterwards is another test's.
        payment_id = self._pick(data, _ACQUIRED)
        if payment_id is None:
            return
        evidence = self._evidence(payment_id, "acquirer", "")
        said = AcquirerAnswered(
            payment_id=payment_id,
            charged=charged,
            source="settlement",
            acquirer="beh",
            amount_rial=evidence.amount_rial if charged else None,
            rrn=evidence.rrn if charged else None,
            stan=evidence.stan if charged else None,
            terminal_number=NUMBER if charged else None,
            answered_at="",
        )
        self.box.receive(OFFICE_FEED, [self.box.central.office.say(said)])
        self._run(self.acquirer.judge_all())
        known = self.known[payment_id]
        known.settled_by_acquirer = True
        if charged:
            self._approved(payment_id, source="acquirer")
        elif known.state is S.IN_DOUBT:
            known.state = S.NOT_CHARGED

    # --- money back --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.at_terminal is None and not self.terminal.hangs and self.has(*_GIVABLE))
    @rule(data=st.data(), order=st.sampled_from(ORDERS), drops=st.integers(0, 5))
    def two_people_give_money_back(self, data: st.DataObject, order: Order, drops: int) -> None:
        payment_id = self._pick(data, _GIVABLE)
        if payment_id is None:
            return
        payment = self.box.queries.payment(payment_id)
        assert payment is not None
        means = self.giving.means_of(payment)[0]
        self.terminal.order, self.terminal.is_ready = order, True
        try:
            refund_id = self._run(self.giving.propose(payment_id, means=means, reason=REASON, operator="sara"))
        except OperatorError as error:
            self._refused(error, "refund.open")
            return
        if not drops:
            self._run(self.giving.drop(refund_id, operator="sara", reason=REASON))
            return
        self._run(self.giving.agree(refund_id, username="reza", password=""))
        self._come_to_rest()
        if means == "reversal":
            known = self.known[payment_id]
            ends = {"done": S.REVERSED, "refused": S.APPROVED, "in_doubt": S.REVERSAL_IN_DOUBT}
            known.state, known.not_found = ends.get(order, S.REVERSAL_REQUESTED), 0
            known.sent_s = self.now_s

    # --- the box -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule()
    def the_box_is_started_anew(self) -> None:
        self.box.__exit__()

        async def end() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(end())
        self.at_terminal = None
        for known in self.known.values():
            if known.state is S.REVERSAL_REQUESTED:
                known.state, known.not_found = S.REVERSAL_IN_DOUBT, 0
            elif known.state is S.SENT or known.unacknowledged:
                known.state = S.IN_DOUBT
            known.unacknowledged = False
        self.waits_since = self.now_s
        self._start()

    # --- what has to hold --------------------------------------------------------------------------------------------

    @invariant()
    def the_journal_says_what_the_model_says(self) -> None:
        if hasattr(self, "known"):
            found = {name: self._state(name) for name in self.known}
            assert found == {name: known.state for name, known in self.known.items()}

    @invariant()
    def a_bill_is_taken_once_unless_word_of_a_charge_came_late(self) -> None:
        if hasattr(self, "known"):
            for bill in BILLS:
                obligation = bill_obligation(bill.bill_id, bill.payment_id)
                held = [one for one in self.box.queries.payments_of(obligation) if _holds(one.state)]
                assert sum(not _is_doubled(one, obligation) for one in held) <= 1

    @invariant()
    def nothing_was_ordered_but_what_stands_in_the_journal(self) -> None:
        if hasattr(self, "known"):
            stans = {known.stan for known in self.known.values()}
            assert {stan for _, stan in self.terminal.orders} <= stans

    def teardown(self) -> None:
        if hasattr(self, "known"):
            self.box.__exit__()
            self.runner.close()
            self.folder.cleanup()


def _share_bills(known: Known, bills: tuple[int, ...]) -> bool:
    return not set(known.bills).isdisjoint(bills)


def _is_doubled(payment: PaymentView, obligation: str) -> bool:
    return next((item.doubled for item in payment.items if item.obligation == obligation), payment.doubled)


def _holds(state: PaymentState) -> bool:
    return state not in CERTAINLY_UNCHARGED


class PaymentsToBeKept(Payments):
    """The same at a terminal that takes back what it is not told to keep, and undoes its newest sale when told."""

    confirming = True


class NewestFirst(Payments):
    """Steps that are written down: each is about the newest payment that it can be about."""

    def _pick(self, _: Any, states: frozenset[PaymentState]) -> str | None:
        found = [name for name, known in self.known.items() if known.state in states and not known.settled_by_acquirer]
        return found[-1] if found else None

    def sells(self, bill: int, said: str, order: Order = "done") -> None:
        self.a_sale_from_beginning_to_end(bills=(bill,), said=said, order=order)

    def hears_late(self, said: str) -> None:
        self.the_terminal_answers_late(None, said=said, order="done")

    def asks(self, said: str, times: int = 1) -> None:
        for _ in range(times):
            self.somebody_asks(None, said=said, order="done")

    def decides(self, *, charged: bool) -> None:
        self.a_manager_decides(None, charged=charged)

    def gives_back(self, order: Order) -> None:
        self.two_people_give_money_back(None, order=order, drops=1)

    def waits(self) -> None:
        self.time_passes(seconds=LONGEST_S + 1)


class NewestFirstToBeKept(NewestFirst):
    confirming = True


N, K = NewestFirst, NewestFirstToBeKept
WRITTEN_DOWN: tuple[tuple[type[NewestFirst], tuple[Callable[[Any], None], ...]], ...] = (
    (N, (lambda m: m.sells(0, "declined"), lambda m: m.hears_late("approved"))),
    (N, (lambda m: m.sells(0, "cancelled"), lambda m: m.hears_late("approved"))),
    (N, (lambda m: m.somebody_pays(bills=(0,), ready=0), lambda m: m.hears_late("approved"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.hears_late("declined"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.hears_late("cancelled"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.asks("approved"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.asks("not_found", 3), lambda m: m.asks("unclear"))),
    (
        N,
        (
            lambda m: m.sells(0, "silence"),
            lambda m: m.waits(),
            lambda m: m.asks("not_found", 2),
            lambda m: m.hears_late("approved"),
        ),
    ),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.decides(charged=False), lambda m: m.hears_late("approved"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.decides(charged=True), lambda m: m.hears_late("approved"))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.the_acquirer_tells(None, charged=True))),
    (N, (lambda m: m.sells(0, "silence"), lambda m: m.the_acquirer_tells(None, charged=False))),
    (N, (lambda m: m.somebody_pays(bills=(0,), ready=1), lambda m: m.the_box_is_started_anew())),
    (K, (lambda m: m.sells(0, "approved", "hangs"), lambda m: m.the_box_is_started_anew())),
    (K, (lambda m: m.sells(0, "approved", "in_doubt"), lambda m: m.asks("approved"))),
    (K, (lambda m: m.sells(0, "approved"), lambda m: m.gives_back("refused"), lambda m: m.gives_back("done"))),
    (
        K,
        (
            lambda m: m.sells(0, "approved"),
            lambda m: m.gives_back("in_doubt"),
            lambda m: m.waits(),
            lambda m: m.asks("approved"),
            lambda m: m.gives_back("hangs"),
            lambda m: m.the_box_is_started_anew(),
            lambda m: m.waits(),
            lambda m: m.asks("not_found", 2),
        ),
    ),
)
BY_DISAGREEMENT = {(state, S.OVERRIDDEN_CHARGED) for state in _UNCHARGED}
"""Moves by a supervisor's word about what a terminal said that did not agree: `test_disagreement.py`."""


def test_every_move_that_agreeing_evidence_makes_is_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    made: set[tuple[PaymentState, PaymentState]] = set()

    def noted(state: PaymentState, to: PaymentState) -> PaymentState:
        made.add((state, to))
        return advance(state, to)

    monkeypatch.setattr(payment_projections, "advance", noted)
    for kind, steps in WRITTEN_DOWN:
        machine = kind()
        machine.begin()
        try:
            for step in steps:
                step(machine)
                machine.the_journal_says_what_the_model_says()
                machine.nothing_was_ordered_but_what_stands_in_the_journal()
        finally:
            machine.teardown()
    wanted = {(state, to) for state, following in TRANSITIONS.items() for to in following}
    assert wanted - made == BY_DISAGREEMENT


# A failing example is shown as it was found: making it smaller would take minutes.
_SETTINGS = settings(max_examples=5, stateful_step_count=40, deadline=None, phases=(Phase.explicit, Phase.generate))
TestPayments, TestPaymentsToBeKept = Payments.TestCase, PaymentsToBeKept.TestCase
TestPayments.settings = TestPaymentsToBeKept.settings = _SETTINGS
