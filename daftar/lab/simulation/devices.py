"""The office's terminals and printer, with customers' hands on them."""

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from daftar.lab.chance import Chance
from edge.devices.printers.driver import PrintResult
from edge.devices.printers.status import PrinterStatus
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_bytes import Request
from edge.devices.virtual.terminal_memory import Transaction

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

_CUSTOMERS: Final = ("approve",) * 14 + ("decline", "decline", "cancel", "nobody")
PrinterTrouble = Literal["none", "off", "paper_end", "cover_open", "dies_before_paper", "dies_after_paper"]
PRINTER_TROUBLES: Final[tuple[PrinterTrouble, ...]] = get_args(PrinterTrouble)[1:]


class OfficeTerminal(VirtualTerminal):
    """The product's virtual terminal; what it is told and what it charges is noted, and customers come to it."""

    def __init__(self, office: "Office", number: int) -> None:
        self._office = office
        self._customers = Chance("customers", office.seed, number)
        super().__init__(
            clock=office.clock,
            entropy=Chance("terminal", office.seed, number),
            terminal_number=str(21_009_543 + number),
        )

    def _hear_request(self, request: Request) -> None:
        if request.service == "01":
            self._office.truth.amount_arrived(request.reference, request.amount_rial or 0)
        was = self._sale
        super()._hear_request(request)
        if self._sale is not None and self._sale is not was:
            self._office.passing("sale")
            self._office.loop.call_later(2 + self._customers.below(16), self._customer, self._sale)

    def _customer(self, sale: Request) -> None:
        key: Any = self._customers.pick(_CUSTOMERS)
        if key != "nobody" and self._sale is sale:
            self.press(key)

    def _charge(self, sale: Request) -> Transaction:
        charge = super()._charge(sale)
        self._office.truth.card_charged(charge)
        self._office.passing("charge")
        return charge


class OfficePrinter:
    """What the box's printer driver would say of a printer in this state, and the papers that come out."""

    def __init__(self, office: "Office") -> None:
        self._office = office
        self.trouble: PrinterTrouble = "none"

    async def status(self) -> PrinterStatus:
        """Return how it is."""
        await asyncio.sleep(0.05)
        match self.trouble:
            case "off":
                return PrinterStatus.OFFLINE
            case "paper_end":
                return PrinterStatus.PAPER_END
            case "cover_open":
                return PrinterStatus.COVER_OPEN
            case _:
                return PrinterStatus.OK

    async def print(self, data: bytes) -> PrintResult:
        """Print a paper, or not, or nobody can say."""
        status = await self.status()
        if status is not PrinterStatus.OK:
            return PrintResult(kind="not_printed", status=status)
        await asyncio.sleep(0.4)
        trouble = self.trouble
        if trouble != "dies_before_paper":
            self._office.truth.paper_came_out(data)
        self._office.passing("paper")
        await asyncio.sleep(0.4)
        if trouble != "none":
            return PrintResult(kind="uncertain", status=PrinterStatus.OFFLINE)
        return PrintResult(kind="printed", status=PrinterStatus.OK)
