"""Any sequence of faults at a confirming terminal: no obligation is charged twice, and the journal is never wrong.

The virtual terminal's own memory is the truth. After every step no obligation stands charged more than once; when the
faults stop and the terminal is asked, the journal agrees with the truth or the payment stays in doubt.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.devices.virtual.pna_terminal import QUIRKS, Quirk, VirtualPnaTerminal
from edge.devices.virtual.terminal_screen import Fault, Key
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.identifiers import Bill
from shared.payment import CERTAINLY_UNCHARGED, PaymentState
from tests.edge.services.office import POWER, WATER, Office

FAULTS: Final[tuple[Fault, ...]] = (
    "none",
    "go_silent",
    "answer_late",
    "die_after_charging",
    "no_link_to_centre",
    "wrong_amount",
    "wrong_reference",
    "wrong_terminal_number",
    "bad_crc",
    "split_segments",
)
MADE_UP: Final = tuple(one for one in QUIRKS if one not in ("last_lags", "reversal_unheard", "reversal_unanswered"))
"""A terminal that says for ever that an older sale is its last lies: nobody can know better. One that is only late
with it is tried in `test_keep_sale`."""
TIMES: Final = {"answer_timeout_ms": 150, "longest_ms": 400, "query_timeout_ms": 300, "ready_timeout_ms": 300}


class Pay(msgspec.Struct, frozen=True):
    """Somebody pays a bill while the terminal has one trouble, or none."""

    bill: int
    trouble: Fault | Quirk = "none"
    key: Key = "approve"


class Ask(msgspec.Struct, frozen=True):
    """Somebody asks about everything in doubt, past the longest time or at once."""

    late: bool
    quirk: Quirk


class ByHand(msgspec.Struct, frozen=True):
    """Somebody sells something at the terminal itself: its last transaction is then not ours."""

    amount_rial: int


class Cut(msgspec.Struct, frozen=True):
    """The power of box or terminal goes for a moment."""

    box: bool


BILLS: Final = (WATER, POWER)
BY_HAND: Final = (777, WATER.amount_rial + 1)
Step = Pay | Ask | ByHand | Cut
troubled = st.builds(Pay, st.integers(0, 1), st.sampled_from(sorted({*FAULTS, *MADE_UP})))
refused = st.builds(Pay, st.integers(0, 1), st.just("none"), st.sampled_from(("decline", "cancel")))
asked = st.builds(Ask, st.booleans(), st.sampled_from(("none", "none", "last_unheard", "acknowledgement_unheard")))
by_hand = st.builds(ByHand, st.sampled_from(BY_HAND))
steps = st.lists(st.one_of(troubled, troubled, refused, asked, by_hand, st.builds(Cut, st.booleans())), max_size=8)


class Story:
    """A box and a terminal on which a sequence of steps happens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.virtual = VirtualPnaTerminal(clock=SystemClock(), entropy=SystemEntropy(), memory=folder / "terminal.json")
        self.virtual.acknowledge_within_ms = 350
        self.office = Office(folder, self.virtual, **TIMES)
        self.payments: list[str] = []

    async def tell(self, happened: list[Step]) -> None:
        await self.virtual.start()
        # A terminal in use has a last transaction.
        self.virtual.sell_by_hand(BY_HAND[0])
        await self.office.__aenter__()
        try:
            for step in happened:
                await self.step(step)
                self.never_twice()
            await self.heal()
            self.never_twice()
            self.journal_is_true()
        finally:
            await self.office.__aexit__()
            await self.virtual.stop()

    async def step(self, step: Step) -> None:
        match step:
            case Pay(bill, trouble, key):
                await self.day(trouble, key)
                await self.pay(BILLS[bill])
            case Ask(late, quirk):
                await self.day(quirk)
                await self.ask(late=late)
            case ByHand(amount_rial):
                await self.day("none")
                self.virtual.sell_by_hand(amount_rial)
            case Cut(box):
                await self.cut(box=box)

    async def day(self, trouble: Fault | Quirk, key: Key = "approve") -> None:
        if self.virtual.screen.phase == "off":
            await self.virtual.restart()
        self.virtual.set_fault(next((one for one in FAULTS if one == trouble), "none"), late_ms=250)
        self.virtual.quirk = next((one for one in QUIRKS if one == trouble), "none")
        self.virtual.set_auto(key)

    async def pay(self, bill: Bill) -> None:
        try:
            payment_id = await self.office.pay(bill)
        except OperatorError:
            return
        self.payments.append(payment_id)
        await self.office.ends(payment_id)

    async def ask(self, *, late: bool) -> None:
        for payment in self.office.box.queries.in_doubt():
            if late:
                await self.past_longest(payment.payment_id)
            await self.office.resolve.ask(payment.payment_id, operator="sara")

    async def nobody_waits(self) -> None:
        """Wait until what came late is worked off: an approval is acknowledged, or in doubt."""
        await self.office.until(lambda: not any(self.office.payment(one).unacknowledged for one in self.payments))

    async def past_longest(self, payment_id: str) -> None:
        await self.office.until(lambda: self.office.payments.waited_ms(payment_id) > TIMES["longest_ms"])

    async def cut(self, *, box: bool) -> None:
        if box:
            await self.office.__aexit__()
            self.office = Office(self.folder, self.virtual, **TIMES)
            await self.office.__aenter__()
        else:
            await self.virtual.restart()

    async def heal(self) -> None:
        """Let the faults stop: the terminal is well, has taken back what it will, and is asked until it settled."""
        await self.day("none")
        await self.office.until(lambda: all(one.acknowledged or one.reversed_by for one in self.virtual.transactions))
        for _ in range(4):
            await self.nobody_waits()
            await self.ask(late=True)
        await self.nobody_waits()

    def never_twice(self) -> None:
        for bill in BILLS:
            assert sum(one.amount_rial == bill.amount_rial for one in self.virtual.charges) <= 1

    def journal_is_true(self) -> None:
        charged = {one.stan for one in self.virtual.charges if one.amount_rial not in BY_HAND}
        told = set()
        for payment in map(self.office.payment, self.payments):
            if payment.state is PaymentState.ACKNOWLEDGED:
                assert payment.stan in charged
                told.add(payment.stan)
            else:
                assert payment.state in CERTAINLY_UNCHARGED | {PaymentState.IN_DOUBT}
        open_ = [one for one in map(self.office.payment, self.payments) if one.state is PaymentState.IN_DOUBT]
        # A charge no payment tells of is one of those still in doubt.
        assert len(charged - told) <= len(open_)


@settings(max_examples=15, deadline=None)
@given(steps)
def test_no_sequence_of_faults_charges_twice_or_is_journaled_wrongly(happened: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Story(Path(folder)).tell(happened))


@pytest.mark.parametrize("trouble", sorted({*FAULTS, *MADE_UP}))
async def test_every_trouble_by_itself(tmp_path: Path, trouble: Fault | Quirk) -> None:
    await Story(tmp_path).tell([Pay(0, trouble), ByHand(777), Ask(late=True, quirk="none"), Pay(0), Pay(1)])
