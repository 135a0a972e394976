"""Bring spooled papers to the printer in order; a paper that may have come out is never printed again unmarked.

Printing is never on the way of a payment: the job is spooled in the payment's own transaction and printed later. A
printer that is off keeps the job waiting; one that took the data and never said it finished leaves it *uncertain*, and
from then on only a copy marked «رونوشت» comes out, when somebody asks for it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from edge.devices.printers.driver import PrintResult
from edge.devices.printers.render import render
from edge.devices.printers.status import PrinterStatus
from edge.journal.ports import Decide
from edge.journal.views import PrintJob, PrintState
from edge.journal.writer import JournalWriter, Recorded, StoreView
from edge.services.bills.bill_group import group_view, lines_of
from edge.services.events import BoxEvent, EventHub
from edge.services.papers.atm_papers import CASH_SLIP, cash_slip_of
from edge.services.papers.documents import (
    BILL_RECEIPT,
    DAY_SLIP,
    FINE_RECEIPT,
    GROUP_SLIP,
    INQUIRY_TICKET,
    ORDER_RECEIPT,
    REFUND_SLIP,
    SERVICE_RECEIPT,
    SERVICE_TICKET,
    Letterhead,
    receipt_document,
    receipt_of,
    refund_slip_of,
    slip_of,
    spool,
    ticket_of,
)
from edge.services.papers.group_papers import group_slip_of
from edge.store.queries import Queries
from firmware_profiles.printer_profile import PrinterProfile
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.events import Body, PaymentNotSent, PaymentRequested, PaymentSent, ReceiptPrinted, StatusQueried
from shared.ids import item_name, payment_and_item
from shared.journal.entry import leaf_hash
from shared.payment import CERTAINLY_UNCHARGED, CHARGED
from shared.receipt import Receipt

log = structlog.get_logger()

LOOK_AGAIN_S: Final = 3.0
"""How often a printer that could not print is tried again, in seconds."""
LOOK_ANYWAY_S: Final = 60.0
"""How often the spool is looked into though nobody said that something is new."""
_NO_PAPER: Final = (PaymentRequested, PaymentSent, PaymentNotSent, StatusQueried, ReceiptPrinted)
"""Entries that no paper is spooled with: most of them."""
_RECEIPTS: Final = frozenset({BILL_RECEIPT, SERVICE_RECEIPT, FINE_RECEIPT, ORDER_RECEIPT})
"""Papers that say of one payment that it is paid; the slip of several says of each how it stands."""


class Printer(Protocol):
    """The printer, as `edge.devices.printers.driver.PrinterDriver` speaks to it."""

    async def status(self) -> PrinterStatus:
        """Ask how the printer is."""

    async def print(self, data: bytes) -> PrintResult:
        """Send a paper and wait for its end."""


class PrinterView(msgspec.Struct, frozen=True, kw_only=True):
    """What pages show of the printer. `state` is None until it was first looked at."""

    state: PrinterStatus | None
    waiting_count: int


class PrintDocuments:
    """Owner of the printer."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        printer: Printer,
        profile: PrinterProfile,
        head: Letterhead,
        hub: EventHub,
        entropy: Entropy,
        more_papers: Mapping[str, Callable[[PrintJob], Receipt]] | None = None,
    ) -> None:
        """`more_papers` are made elsewhere, by document."""
        self._more_papers = more_papers or {}
        self._writer = writer
        self._queries = queries
        self._printer = printer
        self._profile = profile
        self._head = head
        self._hub = hub
        self._entropy = entropy
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._state: PrinterStatus | None = None

    @property
    def state(self) -> PrinterStatus | None:
        """Return how the printer stood when it was last looked at, None before that."""
        return self._state

    def view(self) -> PrinterView:
        """Return what is known of the printer now."""
        return PrinterView(state=self._state, waiting_count=len(self._queries.print_jobs_in(("waiting",))))

    def wake(self) -> None:
        """Look into the spool now. For the event loop's thread."""
        self._wake.set()

    async def request_receipt(self, payment_id: str, item: int | None = None) -> str:
        """Spool a payment's receipt, or that of one of its items, and return the job.

        One that still waits is not spooled twice. Raises OperatorError `payment.unknown`, `payment.no_receipt` (nothing
        was charged).
        """
        payment = self._queries.payment(payment_id)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        if payment.state not in CHARGED or payment.outcome_index is None or payment.unacknowledged:
            raise OperatorError("payment.no_receipt", payment_id=payment_id)
        if item is None:
            return await self._request(receipt_document(payment), payment_id)
        if item >= len(payment.items):
            raise OperatorError("payment.no_receipt", payment_id=payment_id)
        return await self._request(BILL_RECEIPT, item_name(payment_id, item))

    async def request_group_slip(self, about: str) -> str:
        """Spool the slip of one charge of several bills, or of a whole group, and return the job."""
        return await self._request(GROUP_SLIP, about)

    async def request_ticket(self, inquiry_id: str) -> str:
        """Spool the ticket of an inquiry or of a request for a service and return the job.

        Raises OperatorError `inquiry.unknown`.
        """
        if self._queries.services.request(inquiry_id) is not None:
            return await self._request(SERVICE_TICKET, inquiry_id)
        if self._queries.inquiry(inquiry_id) is None:
            raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
        return await self._request(INQUIRY_TICKET, inquiry_id)

    async def request_slip(self, close_id: str) -> str:
        """Spool a closed day's slip and return the job. Raises OperatorError `day.unknown`."""
        if self._queries.closed_day(close_id) is None:
            raise OperatorError("day.unknown", close_id=close_id)
        return await self._request(DAY_SLIP, close_id)

    async def request_refund_slip(self, refund_id: str) -> str:
        """Spool the slip of a request to give back and return the job. Raises OperatorError `refund.unknown`."""
        if self._queries.refund(refund_id) is None:
            raise OperatorError("refund.unknown", refund_id=refund_id)
        return await self._request(REFUND_SLIP, refund_id)

    async def request_cash_slip(self, report_id: str) -> str:
        """Spool the slip of an ATM's cash and return the job. Raises OperatorError `atm.no_slip`."""
        event = self._queries.atms.event_named(report_id)
        if event is None or not event.type.startswith("atm.cash_"):
            raise OperatorError("atm.no_slip", name=report_id)
        return await self._request(CASH_SLIP, report_id)

    async def _request(self, document: str, about: str) -> str:
        job_ids: list[str] = []

        def decide(view: StoreView) -> Sequence[Body]:
            earlier = [job for job in view.print_jobs_for(about) if job.document == document]
            under_way = [job.job_id for job in earlier if job.state in ("waiting", "printing")]
            # Whatever reached the printer once may be in the customer's hand: the next one is a copy.
            copy = any(job.state in ("printed", "uncertain") for job in earlier)
            job_ids.extend(under_way or [spool(view, self._entropy, document=document, about=about, copy=copy)])
            return []

        await self._writer.commit(decide)
        self.wake()
        return job_ids[0]

    async def run(self) -> None:
        """Print what waits, for ever. Ends when cancelled; raises when the journal takes nothing."""
        self._loop = asyncio.get_running_loop()
        for job in self._queries.print_jobs_in(("printing",)):
            # The box went down while this one was at the printer: nobody can say whether it came out.
            await self._mark(job, "uncertain", "restart")
        while True:
            self._wake.clear()
            stuck = not await self._print_waiting()
            try:
                async with asyncio.timeout(LOOK_AGAIN_S if stuck else LOOK_ANYWAY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def heard(self, records: Sequence[Recorded]) -> None:
        """Listen to the journal writer, on its thread: what was journaled may have put a paper into the spool."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and not all(isinstance(one.body, _NO_PAPER) for one in records):
            loop.call_soon_threadsafe(self._wake.set)

    async def look(self) -> None:
        """Ask the printer how it is, for the pages."""
        self._saw(await self._printer.status())

    async def print_once(self, receipt: Receipt) -> PrintResult:
        """Print a paper that is about nothing: it is not spooled, not journaled and not tried again."""
        data = await asyncio.to_thread(render, receipt, self._profile)
        result = await self._printer.print(data)
        self._saw(result.status)
        return result

    def _saw(self, state: PrinterStatus) -> None:
        if state != self._state:
            self._state = state
            self._hub.publish(BoxEvent("printer"))

    async def _print_waiting(self) -> bool:
        """Print the waiting jobs in order; return False when the printer cannot now."""
        for job in self._queries.print_jobs_in(("waiting",)):
            try:
                data = await asyncio.to_thread(render, self._receipt(job), self._profile)
            except Exception:
                # A paper that cannot be made must not hold back those behind it.
                log.exception("paper not made", job_id=job.job_id)
                await self._mark(job, "failed", "print.not_made")
                continue
            if not await self._print(job, data):
                return False
        return True

    async def _print(self, job: PrintJob, data: bytes) -> bool:
        if not await self._begin(job):
            return True
        try:
            result = await self._printer.print(data)
        except Exception:
            # It was on its way: from here on nobody can say that nothing came out.
            log.exception("print failed", job_id=job.job_id)
            await self._mark(job, "uncertain", "print.fault")
            return True
        news = result.status != self._state
        self._saw(result.status)
        if result.kind == "uncertain" or (news and result.kind == "not_printed"):
            # A printer that stays off is tried every few seconds: once is enough to know.
            log.warning(
                "paper not printed", job_id=job.job_id, kind=result.kind, status=result.status.value, why=result.detail
            )
        if result.kind == "printed":
            await self._writer.commit(_printed(job))
        elif result.kind == "not_printed":
            await self._mark(job, "waiting", result.status)
        else:
            await self._mark(job, "uncertain", result.status)
        return result.kind != "not_printed"

    async def _begin(self, job: PrintJob) -> bool:
        """Take a job to the printer; return False for a receipt whose money went back while it waited."""
        moves: list[PrintState] = []

        def decide(view: StoreView) -> Sequence[Body]:
            payment = view.payment(payment_and_item(job.about)[0]) if job.document in _RECEIPTS else None
            is_void = payment is not None and payment.state in CERTAINLY_UNCHARGED
            moves.append("failed" if is_void else "printing")
            view.mark_print(job.job_id, moves[-1], last_status="payment.no_receipt" if is_void else None)
            return []

        await self._writer.commit(decide)
        self._hub.publish(BoxEvent("printer", job.about))
        return moves[-1] == "printing"

    def _receipt(self, job: PrintJob) -> Receipt:
        if job.document in self._more_papers:
            return self._more_papers[job.document](job)
        if job.document in (BILL_RECEIPT, GROUP_SLIP):
            return self._of_bills(job)
        if job.document == DAY_SLIP:
            day = self._queries.closed_day(job.about)
            if day is None:
                raise OperatorError("day.unknown", close_id=job.about)
            return slip_of(day, self._head, copy=job.copy)
        if job.document == REFUND_SLIP:
            refund = self._queries.refund(job.about)
            given = None if refund is None else self._queries.payment(refund.payment_id)
            if refund is None or given is None:
                raise OperatorError("refund.unknown", refund_id=job.about)
            return refund_slip_of(refund, given, self._head, copy=job.copy)
        if job.document == CASH_SLIP:
            return self._cash_slip(job)
        return self._ticket(job)

    def _cash_slip(self, job: PrintJob) -> Receipt:
        event = self._queries.atms.event_named(job.about)
        atm = None if event is None else self._queries.atms.atm(event.atm_id)
        if event is None or atm is None:
            raise OperatorError("atm.no_slip", name=job.about)
        return cash_slip_of(event, atm, self._head, copy=job.copy)

    def _ticket(self, job: PrintJob) -> Receipt:
        inquiry = self._queries.inquiry(job.about)
        entry = None if inquiry is None else self._queries.entry(inquiry.requested_index)
        if inquiry is None or entry is None:
            raise OperatorError("inquiry.unknown", inquiry_id=job.about)
        return ticket_of(inquiry, leaf_hash(entry[0]).hex(), self._head, copy=job.copy)

    def _of_bills(self, job: PrintJob) -> Receipt:
        """Return the receipt of a bill, or the slip of one charge of several bills or of a whole group."""
        payment_id, item = payment_and_item(job.about)
        payment = self._queries.payment(payment_id)
        if job.document == GROUP_SLIP:
            lines = group_view(self._queries, job.about).lines if payment is None else lines_of(payment)
            return group_slip_of(lines, self._head, copy=job.copy)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        return receipt_of(payment, self._head, copy=job.copy, item=item)

    async def _mark(self, job: PrintJob, state: PrintState, status: str | None) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            view.mark_print(job.job_id, state, last_status=status)
            return []

        await self._writer.commit(decide)
        self._hub.publish(BoxEvent("printer", job.about))


def _printed(job: PrintJob) -> Decide:
    def decide(view: StoreView) -> Sequence[Body]:
        view.mark_print(job.job_id, "printed")
        return [ReceiptPrinted(job_id=job.job_id, document=job.document, about=job.about, copy=job.copy)]

    return decide
