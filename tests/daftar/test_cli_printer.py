"""`daftar printer` against a virtual printer on a thread of its own, as it would be beside the box."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar.__main__ import main
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from tests.edge.store.boxes import Box
from tests.golden.receipts.papers import profile

MODEL = "epson/tm_t88v"
LONGEST_S = 60


class Running:
    """A virtual printer that works while the test's own thread waits."""

    def __init__(self) -> None:
        self.printer = VirtualPrinter(profile=profile("epson/tm_t88v"))
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.printer.start(), self.loop).result(LONGEST_S)

    def set_fault(self, fault: PrinterFault) -> None:
        done = threading.Event()
        self.loop.call_soon_threadsafe(self.printer.set_fault, fault)
        self.loop.call_soon_threadsafe(done.set)
        assert done.wait(LONGEST_S)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.printer.close(), self.loop).result(LONGEST_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(LONGEST_S)
        self.loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    printer = Running()
    yield printer
    printer.close()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["printer", *arguments])
    return result.exit_code, result.output


def test_a_printer_is_asked_tried_and_its_drawer_opened(running: Running) -> None:
    where = f"{MODEL}@tcp://127.0.0.1:{running.printer.port}"
    assert run("status", where) == (0, "ok\n")
    assert run("test", where, "--office-name", "دفتر نمونه") == (0, "printed: ok\n")
    assert len(running.printer.pieces) == 1
    assert run("drawer", where) == (0, "taken\n")
    running.set_fault("cover_open")
    assert run("status", where) == (1, "cover_open\n")
    code, said = run("test", f"{MODEL}@127.0.0.1:{running.printer.port}")
    assert code == 1
    assert said.startswith("not_printed: cover_open")


def test_what_cannot_be_reached_says_why(tmp_path: Path) -> None:
    code, said = run("status", f"{MODEL}@serial://{tmp_path}/ttyUSB0")
    assert code == 1
    assert said.startswith(f"offline: {tmp_path}/ttyUSB0: FileNotFoundError")


def test_a_printer_in_the_network_is_asked_what_it_is(running: Running) -> None:
    code, said = run("find", f"127.0.0.1:{running.printer.port}")
    assert code == 0
    assert f"tcp://127.0.0.1:{running.printer.port}  epson/tm_t88v" in said


def test_a_file_takes_the_page_and_claims_no_paper(tmp_path: Path) -> None:
    code, said = run("test", f"{MODEL}@file://{tmp_path}/page.prn")
    assert code == 1
    assert said.startswith("uncertain: unknown")
    assert (tmp_path / "page.prn").read_bytes().startswith(b"\x1b@")


def test_a_report_of_the_setting_up_names_what_is_good_and_what_is_not(running: Running, tmp_path: Path) -> None:
    with Box(tmp_path):
        pass
    terminal = TerminalSettings(host="127.0.0.1", port=1, profile="behpardakht/pos_pc_viii")
    printer = PrinterSettings(host="127.0.0.1", port=running.printer.port, profile=MODEL)
    settings = Settings(
        office_name="دفتر نمونه", terminals=(terminal,), printer=printer, verify_base="https://central.example"
    )
    save_settings(tmp_path, settings)
    code, said = run("report", "--data", str(tmp_path), "--technician", "سعید احمدی")
    assert code == 1
    assert "terminal terminal-1 (behpardakht/pos_pc_viii at 127.0.0.1:1): bad" in said
    assert f"({MODEL} at 127.0.0.1:{running.printer.port}): good" in said
    assert "journal: good" in said
    assert "central: not_done" in said
    assert said.endswith("printed: 2 not good\n")
    assert len(running.printer.pieces) == 1


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("generic/escpos_80mm", "is not MAKER/MODEL@HOST"),
        ("nobody/nothing@127.0.0.1", "nobody/nothing"),
        ("generic/escpos_80mm@ftp://127.0.0.1", "no place of a printer"),
    ],
)
def test_what_is_no_printer_is_refused_in_words(where: str, said: str) -> None:
    code, output = run("status", where)
    assert code != 0
    assert said in output
