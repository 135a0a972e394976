"""The office's terminals that know no reference of ours, and can be asked for their last transaction only.

Their sales are told by who was sent to them last. Both kinds take back what they are not told to keep.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from daftar.lab.chance import Chance
from daftar.lab.simulation.devices import CARD_WAIT_MS, CUSTOMERS, comes_after_s
from edge.devices.virtual.pna_bytes import PnaRequest
from edge.devices.virtual.pna_terminal import QUIRKS as PNA_QUIRKS
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.terminal_machine import Asked, TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.zvt_terminal import QUIRKS as ZVT_QUIRKS
from edge.devices.virtual.zvt_terminal import Quirk, VirtualZvtTerminal, ZvtSale
from shared.events import PaymentRequested

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

A = TypeVar("A", bound=Asked)
_CONFIRMING_QUIRKS: Final = tuple(quirk for quirk in PNA_QUIRKS if quirk != "none")
_REPORTING_QUIRKS: Final = tuple(quirk for quirk in ZVT_QUIRKS if quirk not in {"none", "says_twice"})
_EARLIER_RIAL: Final = 120_000
"""The amount of the sale that a terminal had before this day."""


class _TellsNoReference(TerminalMachine[A]):
    """What it is told and what it charges is noted under the payment that was sent to it last; customers come to it."""

    def __init__(self, office: "Office", number: int, name: str) -> None:
        self._office = office
        self._name = name
        self._customers = Chance("customers", office.seed, number)
        self._references: dict[str, str] = {}
        super().__init__(
            clock=office.clock,
            entropy=Chance("terminal", office.seed, number),
            terminal_number=str(21_009_543 + number),
        )
        self.card_wait_ms = CARD_WAIT_MS

    @property
    def kept(self) -> tuple[Transaction, ...]:
        """Return what was charged and not given back, each with the reference of its payment."""
        mine = (one for one in self._memory.transactions if one.stan in self._references)
        return tuple(self._told(one) for one in mine if not one.reversed_by)

    def has_in_hand(self, wanted: PaymentRequested) -> bool:
        """Return whether a payment's card may still come."""
        return self._office.truth.newest_at.get(self._name) == wanted and self._phase == "waiting_card"

    def _told(self, charge: Transaction) -> Transaction:
        return msgspec.structs.replace(charge, reference=self._references.get(charge.stan))

    def _begin_sale(self, sale: A) -> None:
        wanted = self._office.truth.newest_at.get(self._name)
        self._office.truth.amount_arrived(None if wanted is None else wanted.reference, sale.amount_rial)
        super()._begin_sale(sale)
        self._office.passing("sale")
        self._office.loop.call_later(comes_after_s(self._customers), self._customer, self._sale)

    def _customer(self, sale: A) -> None:
        key: Any = self._customers.pick(CUSTOMERS)
        if key != "nobody" and self._sale is sale:
            self.press(key)

    def _charge(self, sale: A) -> Transaction:
        charge: Transaction = super()._charge(sale)  # type: ignore[safe-super]
        wanted = self._office.truth.newest_at.get(self._name)
        if wanted is None:
            return charge  # By hand, before the day; an amount that came too early was noted as it came.
        self._references[charge.stan] = wanted.reference
        self._office.truth.card_charged(self._told(charge))
        self._office.passing("charge")
        return charge


class OfficeConfirmingTerminal(_TellsNoReference[PnaRequest], VirtualPnaTerminal):
    """The product's PNA one: it keeps a sale when it is told so later, on a connection of its own."""

    def calm(self) -> None:
        """Have nothing wrong any more."""
        self.set_fault("none")
        self.quirk = "none"

    def be_odd(self, chance: Chance) -> None:
        """Have what only such terminals have."""
        self.set_fault("none")
        self.quirk = chance.pick(_CONFIRMING_QUIRKS)

    def is_at_rest(self, _: str) -> bool:
        """Return whether nothing can come of a sale any more: a person may believe the slip."""
        return self._phase == "idle" and self._taker is None

    def _take_back_unacknowledged(self) -> None:
        with self._watched():
            super()._take_back_unacknowledged()

    def _hear_reverse(self, writer: asyncio.StreamWriter) -> None:
        with self._watched():
            super()._hear_reverse(writer)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Say what is given back meanwhile."""
        before = {one.stan for one in self.transactions if one.reversed_by}
        yield
        for one in self.transactions:
            if one.reversed_by and one.stan not in before:
                self._office.truth.card_given_back(self._told(one))


class OfficeReportingTerminal(_TellsNoReference[ZvtSale], VirtualZvtTerminal):
    """The product's ZVT one: it keeps a sale when its report is answered, and tells an undoing like a sale.

    Half of them say of which sale it was, which the box knows of none.
    """

    def __init__(self, office: "Office", number: int, name: str) -> None:
        super().__init__(office, number, name)
        self._plain: Quirk = "reversal_unmarked" if self._customers.coin(0.5) else "none"
        self.calm()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on. One that never had a sale has no trace before its first: it has had one."""
        listens = await super().start(host, port)
        if not self.transactions:
            self.sell_by_hand(_EARLIER_RIAL)
        return listens

    def calm(self) -> None:
        """Have nothing wrong any more."""
        self.set_fault("none")
        self.quirk = self._plain

    def be_odd(self, chance: Chance) -> None:
        """Have what only such terminals have."""
        self.set_fault("none")
        self.quirk = chance.pick(_REPORTING_QUIRKS)

    def is_at_rest(self, _: str) -> bool:
        """Return whether nothing can come of a sale any more: a person may believe the slip."""
        return self._phase == "idle" and self._reported is None

    def _undo(self, sale: Transaction, *, by: Literal["itself", "order"]) -> Transaction:
        undone = super()._undo(sale, by=by)
        self._office.truth.card_given_back(self._told(undone))
        return undone
