"""Testing devices on a press: real terminal and printer over sockets, and no transaction whatever happens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.devices.try_devices import DeviceTest, TryDevices
from edge.services.papers.documents import Letterhead, page_to_test
from edge.services.papers.print_documents import PrintDocuments
from shared.clock import SystemClock
from shared.errors import OperatorError
from tests.edge.services.office import Office

PRINTER = load_catalogue().printer("daftar/virtual_80mm")
HEAD = Letterhead(
    office_name="دفتر آزمون", office_code="72101001", journal_id="j", verify_base="http://127.0.0.1:1", demo=True
)


@pytest.fixture
async def virtual_printer() -> AsyncIterator[VirtualPrinter]:
    printer = VirtualPrinter()
    await printer.start()
    yield printer
    await printer.close()


def trials(office: Office, documents: PrintDocuments) -> TryDevices:
    return TryDevices(
        workers=office.payments.workers,
        documents=documents,
        test_page=lambda: page_to_test(PRINTER, "127.0.0.1:9100", HEAD, SystemClock().now()),
        clock=SystemClock(),
        hub=office.hub,
    )


def ended(test: DeviceTest | None) -> bool:
    return test is not None and test.state != "running"


async def test_a_terminal_is_tested_without_a_transaction(
    tmp_path: Path, terminal: VirtualTerminal, virtual_printer: VirtualPrinter
):
    async with Office(tmp_path, terminal) as office:
        documents = office.printing(virtual_printer)
        trying = trials(office, documents)
        assert trying.terminal_test("terminal-1") is None
        await trying.test_terminal("terminal-1")
        await office.until(lambda: ended(trying.terminal_test("terminal-1")))
        found = trying.terminal_test("terminal-1")
        assert found is not None
        assert (found.state, found.error) == ("good", None)
        assert terminal.charges == ()
        assert not terminal.screen.waiting

        with pytest.raises(OperatorError, match="unknown_terminal"):
            await trying.test_terminal("another")
        await trying.finish()


async def test_a_terminal_at_a_payment_is_let_alone(
    tmp_path: Path, terminal: VirtualTerminal, virtual_printer: VirtualPrinter
):
    async with Office(tmp_path, terminal, answer_timeout_ms=60_000, longest_ms=60_000) as office:
        documents = office.printing(virtual_printer)
        trying = trials(office, documents)
        paying = await office.pay()
        await office.until(lambda: terminal.screen.waiting)
        await trying.test_terminal("terminal-1")
        await office.until(lambda: ended(trying.terminal_test("terminal-1")))
        found = trying.terminal_test("terminal-1")
        assert found is not None
        assert found.error is not None
        assert found.error.code == "terminal.busy"
        terminal.press("approve")
        await office.until(lambda: office.payment(paying).state == "approved")


async def test_a_terminal_that_went_away_is_said_so(
    tmp_path: Path, terminal: VirtualTerminal, virtual_printer: VirtualPrinter
):
    async with Office(tmp_path, terminal, connect_timeout_ms=200) as office:
        documents = office.printing(virtual_printer)
        trying = trials(office, documents)
        await terminal.stop()
        await trying.test_terminal("terminal-1")
        await office.until(lambda: ended(trying.terminal_test("terminal-1")))
        found = trying.terminal_test("terminal-1")
        assert found is not None
        assert found.error is not None
        assert found.error.code in ("terminal.unreachable", "terminal.not_ready")


@pytest.mark.faults("the test of a device broke off")
async def test_a_test_that_breaks_off_is_ended_and_can_be_made_again(
    tmp_path: Path, terminal: VirtualTerminal, virtual_printer: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
):
    async def broken() -> None:
        raise ValueError("fixture")

    async with Office(tmp_path, terminal) as office:
        trying = trials(office, office.printing(virtual_printer))
        with monkeypatch.context() as patched:
            patched.setattr(office.payments.workers["terminal-1"].terminal, "probe", broken)
            await trying.test_terminal("terminal-1")
        await office.until(lambda: ended(trying.terminal_test("terminal-1")))
        found = trying.terminal_test("terminal-1")
        assert found is not None
        assert found.error is not None
        assert (found.state, found.error.code) == ("bad", "device.test_broke")
        await trying.test_terminal("terminal-1")
        await office.until(lambda: ended(trying.terminal_test("terminal-1")))
        again = trying.terminal_test("terminal-1")
        assert again is not None
        assert again.state == "good"


async def test_a_printer_is_asked_and_prints_its_test_page(
    tmp_path: Path, terminal: VirtualTerminal, virtual_printer: VirtualPrinter
):
    async with Office(tmp_path, terminal) as office:
        documents = office.printing(virtual_printer)
        trying = trials(office, documents)
        await trying.test_printer(page=False)
        await office.until(lambda: ended(trying.printer_test))
        asked = trying.printer_test
        assert asked is not None
        assert (asked.state, asked.printer_status) == ("good", "ok")
        before = len(virtual_printer.pieces)

        size = office.box.queries.size()
        await trying.test_printer(page=True)
        await office.until(lambda: ended(trying.printer_test))
        printed = trying.printer_test
        assert printed is not None
        assert (printed.state, printed.paper) == ("good", "printed")
        assert len(virtual_printer.pieces) == before + 1
        assert office.box.queries.size() == size, "a test page is about nothing, and not journaled"
