"""A box that is switched on where there is no line at all, and never was since it joined."""

import asyncio
from pathlib import Path

from edge.app import create_app
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box
from tests.edge.test_app import NOWHERE, visiting
from tests.edge.test_terminals import DEADLINE_S, bill, port_of, working

PASSWORD = "گذرواژه یک ۱۲۳"


def joined_box(folder: Path, terminal_port: int) -> None:
    """Make a box that central knows, at an address where nobody answers."""
    box = Box(folder)
    people = People(box.path)
    people.save_operator("sara", name="سارا", verifier=verifier_of(PASSWORD), role="operator")
    people.close()
    settings = Settings(
        office_name="دفتر آزمون",
        terminals=(TerminalSettings(host="127.0.0.1", port=terminal_port, profile="daftar/virtual"),),
        printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
        verify_base="http://127.0.0.1:1",
    )
    save_settings(folder, settings)


async def test_a_cold_start_without_any_line_signs_in_takes_a_payment_and_says_there_is_no_line(tmp_path: Path) -> None:
    bill_id, payment_id = bill(1)
    async with working(1) as terminal:
        joined_box(tmp_path, port_of(terminal))
        async with visiting(create_app(tmp_path, SystemClock(), SystemEntropy())) as person:
            await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
            sent = await person.send(f"/bill?bill_id={bill_id}&payment_id={payment_id}", "/payments")
            assert sent.status_code == 303
            async with asyncio.timeout(DEADLINE_S):
                page = await person.page(sent.headers["location"])
                while not (terminal.charges and "در صف تأیید" in page.text):
                    await asyncio.sleep(0.02)
                    page = await person.page(sent.headers["location"])
            assert "بدون خط" in (await person.page("/")).text
        assert [charge.amount_rial for charge in terminal.charges] == [10_000]
