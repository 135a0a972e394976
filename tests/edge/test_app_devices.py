"""The technician's page in front of a real box: tests, a search, and the archive for support."""

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest

from edge.app import create_app
from edge.services.devices import find_devices
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box
from tests.edge.test_app import NOWHERE, PASSWORD, visiting


async def test_a_manager_tests_searches_and_takes_what_support_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_devices, "LISTEN_S", 0.01)
    people = People(Box(tmp_path, enrolled=False).path)
    people.save_operator("mina", name="مینا", verifier=verifier_of(PASSWORD), role="manager")
    people.close()
    terminal = TerminalSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual")
    printer = PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm")
    save_settings(
        tmp_path,
        Settings(office_name="دفتر", terminals=(terminal,), printer=printer, verify_base="http://127.0.0.1:1"),
    )
    async with visiting(create_app(tmp_path, SystemClock(), SystemEntropy())) as manager:
        await manager.send("/sign-in", "/sign-in", username="mina", password=PASSWORD)
        await manager.send("/devices", "/devices/search")
        await manager.send("/devices", "/devices/printer", what="page")
        async with asyncio.timeout(60):
            while "برگه چاپ نشد" not in (text := (await manager.page("/devices")).text):  # noqa: ASYNC110 - as a person looks
                await asyncio.sleep(0.05)
            while "جست‌وجو تمام شد" not in text:
                text = (await manager.page("/devices/live")).text
        answer = await manager.send("/devices", "/devices/diagnosis", to="file")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        facts = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    assert facts["devices.json"]["terminals"][0]["name"] == "terminal-1"
    assert facts["journal.json"]["starts"][-1]["software"].startswith("daftar")
    assert facts["health.json"]["disk"]["takes_new"] is True
    assert [name for name, told in facts.items() if "unreadable" in told] == []
