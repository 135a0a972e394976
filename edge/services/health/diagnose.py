"""All that support needs to know of a box, in one archive that can be handed to anybody.

What goes in is named here, member by member; texts that came from elsewhere lose every long row of digits (card
numbers, bill and national ids, phone numbers), every long word that could be a key or a token, and what stands before
an `@` in an address. Keys, passwords, tokens, payments and people are never read. A part that cannot be read says so in
its place: a sick box above all must give an answer.
"""

import platform
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from edge.devices.scan import FoundDevice
from edge.journal.health_view import HealthView
from edge.journal.views import ProfilesView
from edge.services.header import PrinterView, TerminalView
from edge.services.line import LineView
from edge.settings import STORE_NAME, Settings, load_settings
from edge.store.queries import Queries
from edge.store.reserve import usage_of
from shared.clock import Clock, instant_text
from shared.events import JOURNAL_BODIES, BootStarted, decode_body
from shared.journal.entry import decode_entry

BOOTS_MAX: Final = 20
BOOTS_SOUGHT: Final = 20_000
"""Newest entries among which starts are looked for: some weeks of an office."""
ALARMS_MAX: Final = 50
_PAGE: Final = 500
_DIGITS_LONG: Final = re.compile(r"(?:\d[ \-\u200c]?){8,}\d")
"""Nine digits or more, grouped or not, of any alphabet. Terminals' numbers, office codes and dates are shorter."""
_WORD_LONG: Final = re.compile(r"[A-Za-z0-9+/_=\-]{40,}")
_BEFORE_AT: Final = re.compile(r"//[^/@\s]*@")
_HIDDEN: Final = "…"
_SETTINGS: Final = (
    "office_name",
    "host",
    "port",
    "allowed_hosts",
    "verify_base",
    "exchange_every_s",
    "doubt_every_s",
    "device_check_every_s",
    "profiles_folder",
    "profile_bundle",
    "head_copy_folder",
    "demo",
    "training",
    "training_address",
    "terminals",
    "printer",
)
_README: Final = """\
Daftar: what a box says of itself. No keys, passwords, tokens, people or cards are in here; long numbers were taken out.

about.json     program, machine, clock          settings.json  box.toml, without secrets
devices.json   terminals, printer, ports        profiles.json  device profiles in use
health.json    as the page shows it             journal.json   sizes, starts, alarms
disk.json      the medium

The program's log is the system's: journalctl -u daftar

----------------------------------------------------------------------------------------------------------------

این بایگانی آنچه را دستگاه از خود می‌گوید برای پشتیبانی گرد آورده است. کلید، گذرواژه، نام مشتری و شمارهٔ کارت در آن نیست.
"""


class RunningBox(msgspec.Struct, frozen=True, kw_only=True):
    """What only a box that runs knows."""

    terminals: Sequence[TerminalView]
    printer: PrinterView
    line: LineView
    health: HealthView
    profiles: ProfilesView


def file_name(now: datetime) -> str:
    """Return the archive's name."""
    return f"daftar-diagnosis-{now:%Y%m%d-%H%M%S}.zip"


def without_secrets(value: Any) -> Any:
    """Return plain data with every text in it cleaned, keys of mappings too."""
    if isinstance(value, str):
        plain = _DIGITS_LONG.sub(_HIDDEN, _BEFORE_AT.sub(f"//{_HIDDEN}@", value))
        return plain if plain.startswith(("/dev/", "serial:///dev/")) else _WORD_LONG.sub(_HIDDEN, plain)
    if isinstance(value, dict):
        return {without_secrets(key): without_secrets(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(found) for found in value]
    return value


def diagnosis(
    folder: Path,
    clock: Clock,
    *,
    software: str,
    found: Sequence[FoundDevice] = (),
    running: RunningBox | None = None,
) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the files of the archive. Blocks while it reads; the box may run, be stopped, or be broken.

    `found` is what is connected; `running` what the box itself says, where it runs.
    """
    settings = _part(lambda: load_settings(folder))
    known = settings if isinstance(settings, Settings) else None
    yield "README.txt", [_README.encode()]
    parts: dict[str, Callable[[], Any]] = {
        "about": lambda: _about(clock, software),
        "settings": lambda: _settings(known) if known else settings,
        "devices": lambda: _devices(found, running),
        "profiles": lambda: _profiles(known, running),
        "health": lambda: _health(running),
        "journal": lambda: _journal(folder),
        "disk": lambda: _disk(folder),
    }
    for name, work in parts.items():
        told = without_secrets(msgspec.to_builtins(_part(work)))
        yield f"{name}.json", [msgspec.json.format(msgspec.json.encode(told), indent=2), b"\n"]


def _part(work: Callable[[], Any]) -> Any:
    """Return what a part says, or why it cannot be read."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, support needs the others
        return {"unreadable": f"{type(error).__name__}: {error}"}


def _about(clock: Clock, software: str) -> Any:
    return {
        "made_at": instant_text(clock.now()),
        "clock": clock.quality(),
        "software": software,
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _settings(settings: Settings) -> Any:
    everything = msgspec.to_builtins(settings)
    return {name: everything[name] for name in _SETTINGS if name in everything}


def _devices(found: Sequence[FoundDevice], running: RunningBox | None) -> Any:
    connected = [{"kind": one.kind, "address": one.address, "says": one.text, "models": one.models} for one in found]
    if running is None:
        return {"connected": connected}
    return {
        "connected": connected,
        "terminals": running.terminals,
        "printer": running.printer,
        "line": running.line,
    }


def _profiles(settings: Settings | None, running: RunningBox | None) -> Any:
    named = [] if settings is None else [*(one.profile for one in settings.terminals), settings.printer.profile]
    return {"in_use": named, "from_central": None if running is None else running.profiles}


def _health(running: RunningBox | None) -> Any:
    if running is None:
        return {"box": "not asked: this was made without the running box"}
    # Whom the office calls is a person with a number.
    return msgspec.structs.replace(running.health, support_line="")


def _journal(folder: Path) -> Any:
    queries = Queries(folder / STORE_NAME)
    try:
        status = queries.status()
        plain = msgspec.to_builtins(status)
        alarms = sorted(status.alarms, key=lambda alarm: alarm.index)[-ALARMS_MAX:]
        return {**plain, "alarms": msgspec.to_builtins(alarms), "starts": _boots(queries)}
    finally:
        queries.close()


def _boots(queries: Queries) -> list[Any]:
    """Return the newest starts of the program, the newest last."""
    found: list[Any] = []
    size = queries.size()
    first = size
    while first > max(0, size - BOOTS_SOUGHT) and len(found) < BOOTS_MAX:
        end, first = first, max(0, first - _PAGE)
        page = [
            start
            for index, (data, _) in enumerate(queries.entries(first, end - first), start=first)
            if (start := _boot(index, data)) is not None
        ]
        found = page + found
    return found[-BOOTS_MAX:]


def _boot(index: int, data: bytes) -> Any:
    entry = decode_entry(data)
    if entry.type != BootStarted.type:
        return None
    body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
    if not isinstance(body, BootStarted):
        return None
    return {"index": index, "at": entry.at, **msgspec.to_builtins(body), "in_doubt": len(body.in_doubt)}


def _disk(folder: Path) -> Any:
    usage = usage_of(folder)
    return {
        "used_bytes": usage.used_bytes,
        "free_bytes": usage.free_bytes,
        "percent": usage.percent,
        "files_bytes": {path.name: path.stat().st_size for path in sorted(folder.glob("box.*"))},
    }
