"""Days and exposure held against a model of a few lines: any life of payments, restarts, cosignatures and closes."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from edge.journal.recovery import recover
from edge.services.close_day import CloseDay
from edge.store import exposure_rows
from edge.store.rebuild import rebuild_projections
from shared.day import DayBook, said, state_after
from shared.events import (
    JOURNAL_BODIES,
    Body,
    DayClosed,
    PaymentAcknowledged,
    PaymentCancelled,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentReversed,
    RefundProposed,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
    decode_body,
)
from shared.journal.entry import decode_entry
from shared.journal.tree import root
from shared.payment import TRANSITIONS, PaymentState
from tests.edge.store.boxes import Box, approved, declined, evidence, in_doubt, requested, sent

UNCHARGED = {"not_sent", "declined", "cancelled", "not_charged", "overridden_not_charged", "reversed"}
PROVED = {"approved", "acknowledged", "reversal_requested", "reversal_in_doubt"}
REBOOTED_MS = 500
"""A machine's monotonic clock when its program has started; less than any reading of these tests before."""

MOVES: dict[str, Callable[[str], list[Body]]] = {
    "not_sent": lambda name: [PaymentNotSent(payment_id=name, reason="terminal.unreachable")],
    "sent": lambda name: [sent(name)],
    "approved": lambda name: [approved(name)],
    "declined": lambda name: [declined(name)],
    "cancelled": lambda name: [PaymentCancelled(payment_id=name, evidence=evidence("17"))],
    "in_doubt": lambda name: [in_doubt(name)],
    "not_charged": lambda name: [PaymentNotCharged(payment_id=name, asked_count=2)],
    "acknowledged": lambda name: [PaymentAcknowledged(payment_id=name)],
    "reversed": lambda name: [PaymentReversed(payment_id=name, evidence=evidence())],
    "reversal_in_doubt": lambda name: [ReversalInDoubt(payment_id=name, reason="no_answer")],
    "overridden_charged": lambda name: [_overridden(name, charged=True)],
    "overridden_not_charged": lambda name: [_overridden(name, charged=False)],
}


def _overridden(name: str, *, charged: bool) -> PaymentOverridden:
    return PaymentOverridden(payment_id=name, charged=charged, operator="m", reason="slip", slip_number="1")


def bodies_of(box: Box) -> list[tuple[int, Body | None]]:
    entries = [decode_entry(data) for data, _ in box.queries.entries(0, 100_000)]
    return [(entry.index, decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)) for entry in entries]


class Office(RuleBasedStateMachine):
    """Every payment's state and where its last move stands; what was charged and given back since the close."""

    payments: Bundle[str] = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.bucket, exposure_rows.BUCKET = exposure_rows.BUCKET, 4  # type: ignore[misc] # many buckets, few entries
        self.box = self.stack.enter_context(Box(Path(self.stack.enter_context(tempfile.TemporaryDirectory()))))
        self.states: dict[str, str] = {}
        self.amounts: dict[str, int] = {}
        self.moved: dict[str, int] = {}
        self.today: list[tuple[str, str]] = []
        self.net_of_closes = (0, 0)
        self.refunds = 0
        self.running_ms = 0
        """Running time at the last entry."""
        self.last_ms = self.box.clock.ms
        self.cosigned, self.cosigned_running_ms = 0, 0

    def _write(self, *bodies: Body) -> int:
        (*_, last) = self.box.write(*bodies)
        self.running_ms += self.box.clock.ms - self.last_ms
        self.last_ms = self.box.clock.ms
        return last.index

    @initialize(target=payments)
    def first(self) -> str:
        return self._request(17_000, "terminal-1")

    def _request(self, amount_rial: int, terminal: str) -> str:
        name = f"p{len(self.states)}"
        body = requested(name, obligation=f"bill:{name}:1", amount_rial=amount_rial)
        self.moved[name] = self._write(msgspec.structs.replace(body, terminal=terminal))
        self.states[name], self.amounts[name] = "requested", amount_rial
        return name

    @rule(target=payments, amount_rial=st.integers(1, 10**9), terminal=st.sampled_from(["terminal-1", "terminal-2"]))
    def request(self, amount_rial: int, terminal: str) -> str:
        return self._request(amount_rial, terminal)

    @rule(payment=payments, choice=st.integers(0, 20))
    def move(self, payment: str, choice: int) -> None:
        allowed = sorted(TRANSITIONS[PaymentState(self.states[payment])])
        if not allowed:
            return
        to = str(allowed[choice % len(allowed)])
        self._noted(payment, to, self._write(*self._bodies(payment, to)))

    def _bodies(self, payment: str, to: str) -> list[Body]:
        if to == "approved" and self.states[payment].startswith("reversal"):
            return [ReversalRefused(payment_id=payment, reason="declined")]
        if to != "reversal_requested":
            return MOVES[to](payment)
        self.refunds += 1
        refund: dict[str, Any] = {"refund_id": f"r{self.refunds}", "payment_id": payment}
        return [
            RefundProposed(**refund, means="reversal", amount_rial=self.amounts[payment], operator="z", reason="twice"),
            ReversalRequested(**refund, means="reversal"),
        ]

    def _noted(self, payment: str, to: str, index: int) -> None:
        before, self.states[payment], self.moved[payment] = self.states[payment], to, index
        if (before in PROVED) != (to in PROVED):
            self.today.append(("taken" if to in PROVED else "undone", payment))
        if to == "overridden_charged":
            self.today.append(("overridden", payment))
        if before == "overridden_charged":
            self.today.append(("replaced", payment))

    @rule(minutes=st.integers(0, 3_000))
    def time_passes(self, minutes: int) -> None:
        self.box.clock.step(minutes=minutes)

    @rule(share=st.floats(0, 1))
    def central_cosigns(self, share: float) -> None:
        size = self.box.queries.size()
        self.cosigned = max(self.cosigned, int(size * share))
        self.box.within(lambda view: view.update_exchange(cosigned_size=self.cosigned))
        self.cosigned_running_ms = self.running_ms + self.box.clock.ms - self.last_ms

    @rule(off_hours=st.integers(0, 100))
    def switched_off_and_on(self, off_hours: int) -> None:
        """The machine reboots: its monotonic clock begins anew, and the time since the last entry is nobody's."""
        self.box.__exit__()
        self.box.clock.step(hours=off_hours)
        self.box.clock.ms = REBOOTED_MS
        # Rebooted before anything was written: its clock reads the same, and nobody can tell that from no time at all.
        self.running_ms += REBOOTED_MS if self.last_ms > REBOOTED_MS else 0
        self.last_ms = REBOOTED_MS
        # Central may have cosigned in that while: from then on it is as if it had done so at the reboot.
        self.cosigned_running_ms = min(self.cosigned_running_ms, self.running_ms)
        self._start()

    @rule()
    def program_restarted(self) -> None:
        """The program alone is started anew: no time is lost."""
        self.box.__exit__()
        self._start()
        self.running_ms, self.last_ms = self.running_ms + self.box.clock.ms - self.last_ms, self.box.clock.ms

    def _start(self) -> None:
        box = self.box
        box.__enter__()
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
        for index, body in bodies_of(box):
            payment: str = getattr(body, "payment_id", "")
            if getattr(body, "reason", "") == "restart" and self.moved[payment] < index:
                assert body is not None
                self._noted(payment, str(state_after(body)), index)

    @rule(again=st.booleans())
    def close(self, again: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        """Close the day; `again`: the request comes twice, and closes once."""
        open_day = self.box.queries.open_day()
        closing = CloseDay(writer=self.box.writer, queries=self.box.queries, entropy=self.box.entropy)
        name = asyncio.run(closing.close(operator="sara"))
        if again:
            assert asyncio.run(closing.close(operator="sara", close_id=name)) == name
        self.running_ms, self.last_ms = self.running_ms + self.box.clock.ms - self.last_ms, self.box.clock.ms
        day = closing.closed(name)
        assert (day.body.first, day.body.size, said(day.body)) == (open_day.first, open_day.size, open_day.totals)
        assert day.index == day.body.size == self.box.queries.size() - 1
        assert day.body.root == root(day.body.size, self.box.queries.node).hex()
        self.net_of_closes = _plus(self.net_of_closes, self._net())
        self.today.clear()

    def _net(self) -> tuple[int, int]:
        signed = {"taken": 1, "undone": -1}
        rows = [(signed[tally], self.amounts[name]) for tally, name in self.today if tally in signed]
        return sum(sign for sign, _ in rows), sum(sign * amount for sign, amount in rows)

    @invariant()
    def exposure_is_what_the_model_says(self) -> None:
        _, found = self.box.queries.exposure(self.box.clock.ms)
        held = [
            name
            for name, state in self.states.items()
            if state not in UNCHARGED and (self.moved[name] >= self.cosigned or state in ("requested", "sent"))
        ]
        assert (found.count, found.amount_rial) == (len(held), sum(self.amounts[name] for name in held))
        charged = [name for name in held if self.states[name] in PROVED | {"overridden_charged"}]
        charged_rial = sum(self.amounts[name] for name in charged)
        assert (found.charged_count, found.charged_rial) == (len(charged), charged_rial)
        running_ms = self.running_ms + self.box.clock.ms - self.last_ms
        assert found.running_ms == running_ms - self.cosigned_running_ms

    @invariant()
    def the_open_day_is_what_the_model_says(self) -> None:
        day = self.box.queries.open_day()
        for tally, member in (
            ("taken", day.totals.totals),
            ("undone", day.totals.undone),
            ("overridden", day.totals.overridden),
            ("replaced", day.totals.replaced),
        ):
            amounts = [self.amounts[name] for kind, name in self.today if kind == tally]
            assert (sum(row.count for row in member), sum(row.amount_rial for row in member)) == (
                len(amounts),
                sum(amounts),
            )
        doubts = [
            self.amounts[name] for name, state in self.states.items() if state in ("in_doubt", "reversal_in_doubt")
        ]
        assert (day.in_doubt_count, day.in_doubt_rial) == (len(doubts), sum(doubts))

    @invariant()
    def what_waits_for_its_provider_is_what_the_payments_say(self) -> None:
        queued = [
            payment.amount_rial
            for payment in self.box.queries.payments(None, 1_000)
            if payment.confirmation == "queued" and payment.state in PROVED | {"overridden_charged"}
        ]
        day, status = self.box.queries.open_day(), self.box.queries.status()
        assert (day.unconfirmed_count, day.unconfirmed_rial) == (len(queued), sum(queued))
        assert (status.unconfirmed_count, status.unconfirmed_rial) == (len(queued), sum(queued))

    @invariant()
    def each_charge_stands_in_exactly_one_day(self) -> None:
        charged = [self.amounts[name] for name, state in self.states.items() if state in PROVED]
        assert _plus(self.net_of_closes, self._net()) == (len(charged), sum(charged))

    def teardown(self) -> None:
        with self.stack:
            assert rebuild_projections(self.box.path) == []
            exposure_rows.BUCKET = self.bucket  # type: ignore[misc] # as it was
            book = DayBook()
            for _, body in bodies_of(self.box):
                if isinstance(body, DayClosed):
                    assert said(body) == book.totals()
                    assert (body.in_doubt_count, body.in_doubt_rial) == book.in_doubt()
                    book.close()
                elif body is not None:
                    book.add(body)


def _plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


TestOffice = Office.TestCase
TestOffice.settings = settings(max_examples=15, stateful_step_count=40, phases=(Phase.explicit, Phase.generate))
