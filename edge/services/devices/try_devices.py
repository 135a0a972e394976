"""Try a device that the box works with, on a person's press: never a transaction, and never while it may be at one.

A test of a terminal asks it whether it is there and idle (`probe`); a test of the printer asks how it is, and a test
page comes out on a press of its own. Each runs beside the page that asked, within the device's own deadlines, and its
result is kept until the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import msgspec
import structlog

from edge.devices.printers.status import CAN_PRINT
from edge.services.events import BoxEvent, BoxEventKind, EventHub
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments.terminal_worker import TerminalWorker
from shared.clock import Clock, instant_text
from shared.errors import BugError, DaftarError, DeviceError, OperatorError
from shared.receipt import Receipt

LONGEST_S: Final = 90
"""Over the deadlines of the devices themselves: no test is under way for ever."""
SEEN_AT_ONCE_S: Final = 2
"""How long a press waits for its result, so that a page without script shows most of them."""
PRINTER: Final = "printer"
"""Under which the printer's tests are kept; a terminal's stand under `terminal:` and its name."""

_log = structlog.get_logger()


class DeviceTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test of one device: under way, or how it ended."""

    what: Literal["status", "page"]
    state: Literal["running", "good", "bad"]
    at: str
    """When it began."""
    took_ms: int = 0
    error: DaftarError | None = None
    """What was wrong."""
    printer_status: str = ""
    """How the printer said it is."""
    paper: Literal["", "printed", "not_printed", "uncertain"] = ""
    """What became of a test page."""


class PrinterSaid(msgspec.Struct, frozen=True):
    """How the printer is, and what became of the test page if one was wanted."""

    status: str
    paper: Literal["", "printed", "not_printed", "uncertain"] = ""


Work = Callable[[], Awaitable[tuple[bool, PrinterSaid]]]
"""A test: whether it was good, and what a printer said. Raises DaftarError."""


class TryDevices:
    """Owner of the tests that run, and of the newest result of each device."""

    def __init__(
        self,
        *,
        workers: Mapping[str, TerminalWorker],
        documents: PrintDocuments,
        test_page: Callable[[], Receipt],
        clock: Clock,
        hub: EventHub,
    ) -> None:
        self._workers = workers
        self._documents = documents
        self._test_page = test_page
        self._clock = clock
        self._hub = hub
        self._newest: dict[str, DeviceTest] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def terminal_test(self, name: str) -> DeviceTest | None:
        """Return the newest test of a terminal, None when there was none since the start."""
        return self._newest.get(f"terminal:{name}")

    @property
    def printer_test(self) -> DeviceTest | None:
        """Return the newest test of the printer."""
        return self._newest.get(PRINTER)

    async def test_terminal(self, name: str) -> None:
        """Ask a terminal whether it is there and idle; the result is kept.

        Raises OperatorError `payment.unknown_terminal`.
        """
        worker = self._workers.get(name)
        if worker is None:
            raise OperatorError("payment.unknown_terminal", terminal=name)
        await self._run(f"terminal:{name}", "status", "terminal", lambda: _probe(worker))

    async def test_printer(self, *, page: bool) -> None:
        """Ask the printer how it is, or have a test page printed; the result is kept."""
        await self._run(PRINTER, "page" if page else "status", "printer", lambda: self._printer_works(page=page))

    async def _printer_works(self, *, page: bool) -> tuple[bool, PrinterSaid]:
        if page:
            result = await self._documents.print_once(self._test_page())
            return result.kind == "printed", PrinterSaid(result.status, result.kind)
        await self._documents.look()
        status = self._documents.state
        return status in CAN_PRINT, PrinterSaid(status or "unknown")

    async def finish(self) -> None:
        """End what runs."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: str, what: Literal["status", "page"], kind: BoxEventKind, work: Work) -> None:
        """Begin a test unless one of this device runs, and wait a little for its end."""
        if key not in self._running:
            began = DeviceTest(what=what, state="running", at=instant_text(self._clock.now()))
            self._newest[key] = began
            task = asyncio.create_task(self._carry_out(key, began, kind, work), name=f"test of {key}")
            self._running[key] = task
        await asyncio.wait({self._running[key]}, timeout=SEEN_AT_ONCE_S)

    async def _carry_out(self, key: str, began: DeviceTest, kind: BoxEventKind, work: Work) -> None:
        self._hub.publish(BoxEvent(kind))
        begun_ms = self._clock.monotonic_ms()
        good, said, error = False, PrinterSaid(""), None
        try:
            async with asyncio.timeout(LONGEST_S):
                good, said = await work()
        except DaftarError as found:
            error = found
        except TimeoutError:
            error = DeviceError("device.test_too_long")
        except Exception:  # noqa: BLE001 - logged and said
            # Of no page that would say it: a test that broke off would be shown as under way for ever.
            _log.exception("the test of a device broke off", device=key)
            error = BugError("device.test_broke")
        finally:
            # Cancelled, it is no result: the box is going down.
            self._running.pop(key, None)
        self._newest[key] = msgspec.structs.replace(
            began,
            state="good" if good else "bad",
            took_ms=self._clock.monotonic_ms() - begun_ms,
            error=error,
            printer_status=said.status,
            paper=said.paper,
        )
        self._hub.publish(BoxEvent(kind))


async def _probe(worker: TerminalWorker) -> tuple[bool, PrinterSaid]:
    """Ask a terminal that is not at a payment. Raises DeviceError as `TerminalDriver.probe`, `terminal.busy`."""
    if worker.load or worker.lock.locked() or worker.terminal.state.unanswered_reference is not None:
        raise DeviceError("terminal.busy", terminal=worker.name)
    await worker.terminal.probe()
    return True, PrinterSaid("")
