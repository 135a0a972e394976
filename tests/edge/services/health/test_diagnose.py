"""The archive for support: everything it promises is in it, and nothing that must not be, however it got near."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.devices.scan import FoundDevice
from edge.journal.health_view import HealthView
from edge.journal.views import ProfilesView
from edge.journal.zipped import zipped
from edge.services.header import PrinterView, TerminalView
from edge.services.health.diagnose import RunningBox, diagnosis, without_secrets
from edge.services.line import LineView
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from shared.clock import SystemClock
from shared.events import AlarmRaised
from tests.edge.store.boxes import Box

CARD = "6274" + "1290" * 3
"""Of no bank: made here."""
PERSIAN_CARD = CARD.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
GROUPED_CARD = " ".join(CARD[place : place + 4] for place in range(0, 16, 4))
DASHED_CARD = GROUPED_CARD.replace(" ", "-")
TOKEN = "kV9xQ2mT7rB4nW8pL3sD6fH1jZ5cY0aG-eU_oIqXtRw"
NATIONAL_ID = "0499370899"
PHONE = "021-88 77 66 55"
PASSWORD = "open-sesame-for-nobody"
PLANTED = (CARD, PERSIAN_CARD, GROUPED_CARD, DASHED_CARD, TOKEN, NATIONAL_ID, PHONE, PASSWORD, "سارا احمدی")


def settings() -> Settings:
    return Settings(
        office_name="دفتر پیشخوان نمونه",
        verify_base=f"https://sara:{PASSWORD}@central.example",
        terminals=(TerminalSettings(address="serial:///dev/serial/by-id/usb-X_990-if00", profile="pna/pcpos"),),
        printer=PrinterSettings(host="192.168.1.22", profile="generic/escpos_80mm"),
        support_line=f"سارا احمدی {PHONE}",
    )


def running() -> RunningBox:
    terminal = TerminalView(
        name="terminal-1",
        state="not_ready",
        connected=True,
        terminal_number="21009543",
        address="192.168.1.20:1024",
        profile="pna/pcpos",
        version="pna 1",
        last_seen_at=None,
        last_error=f"it said {CARD} {TOKEN}",
        locked_by=None,
        centre_link=None,
    )
    return RunningBox(
        terminals=[terminal],
        printer=PrinterView(state="ok", last_error=None, waiting_jobs=0),
        line=LineView(state="bad", last_exchange_at=None, last_error=GROUPED_CARD),
        health=HealthView(support_line=f"سارا احمدی {PHONE}"),
        profiles=ProfilesView(wanted="newest"),
    )


def archive(folder: Path, **more: Any) -> dict[str, str]:
    pieces = b"".join(zipped(diagnosis(folder, SystemClock(), software="daftar 9", **more)))
    with zipfile.ZipFile(io.BytesIO(pieces)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_a_box_s_archive_holds_its_facts_and_no_secret(tmp_path: Path):
    with Box(tmp_path) as box:
        save_settings(box.path.parent, settings())
        key = "c0ffee" * 12
        (box.path.parent / "box.key").write_text(f"{key}\n")
        people = People(box.path)
        people.save_operator("sara", name="سارا احمدی", verifier=PASSWORD, role="manager")
        people.save_api_token(b"t" * 32, name="crm", scopes=("payments:read",))
        people.close()
        alarm = AlarmRaised(kind="stray_charge", detail=f"{PERSIAN_CARD} {DASHED_CARD} {NATIONAL_ID} {TOKEN}")
        box.writer.commit_blocking(lambda _: [alarm])
        found = [FoundDevice(kind="terminal", address="tcp://192.168.1.9:8888", text=f"SADAD {CARD} {PHONE}")]
        files = archive(box.path.parent, found=found, running=running())
    whole = "\n".join(files.values())
    assert [word for word in (*PLANTED, key) if word in whole] == []

    facts = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert facts["about.json"]["software"] == "daftar 9"
    assert facts["settings.json"]["terminals"][0]["address"] == "serial:///dev/serial/by-id/usb-X_990-if00"
    assert facts["settings.json"]["verify_base"] == "https://…@central.example"
    assert facts["devices.json"]["terminals"][0]["terminal_number"] == "21009543"
    assert facts["devices.json"]["connected"][0]["address"] == "tcp://192.168.1.9:8888"
    assert facts["journal.json"]["size"] == 2
    assert facts["journal.json"]["cosigned_size"] == 0
    assert facts["journal.json"]["alarms"][0]["kind"] == "stray_charge"
    assert facts["disk.json"]["files_bytes"]["box.sqlite"] > 0
    assert facts["health.json"]["disk"]["level"] == "ok"
    assert facts["profiles.json"]["in_use"] == ["pna/pcpos", "generic/escpos_80mm"]


def test_a_box_that_is_broken_says_so_in_its_archive(tmp_path: Path):
    (tmp_path / "box.sqlite").write_bytes(b"no database " * 1_000)
    files = archive(tmp_path)
    for name in ("settings.json", "journal.json"):
        assert "unreadable" in json.loads(files[name]), name
    assert json.loads(files["disk.json"])["files_bytes"]["box.sqlite"] == 12_000


@pytest.mark.parametrize(
    "kept", ["2026-11-22T10:41:05.000Z", "21009543", "192.168.100.200:20007", "daftar.journal/72101001/b1/1", "زمان ۱۲"]
)
def test_what_is_no_secret_stays(kept: str):
    assert without_secrets({"said": [kept]}) == {"said": [kept]}
    assert msgspec.json.encode(without_secrets(kept))
