"""What a technician sets for one box: `box.toml` in its data folder. Read once at start, checked, frozen."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import msgspec

from firmware_profiles.addresses import Address, TcpAddress, parse_address
from firmware_profiles.printer_address import PrinterAddress, parse_printer_address
from shared.errors import OperatorError

FILE_NAME: Final = "box.toml"
STORE_NAME: Final = "box.sqlite"
KEY_NAME: Final = "box.key"
SOFTWARE: Final = f"daftar {version('daftar')}"
"""What runs the box, with its release: stands in the journal."""

_PROFILE_BUNDLE: Final = re.compile(r"^profile_bundle\s*=.*$", flags=re.MULTILINE)
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
TerminalName = Annotated[str, msgspec.Meta(pattern=r"^[^\s\x00-\x1f](.{0,30}[^\s\x00-\x1f])?\Z")]
"""Up to 32 letters, no space at its ends: stands in the journal, on pages, in forms and in the API."""

TERMINALS_MAX: Final = 16
"""More than any counter has; the work of one box stays within what it was tried with."""


class TerminalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a card terminal is and what it is: either `host` and `port`, or an `address`."""

    name: TerminalName = "terminal-1"
    host: str = ""
    port: Port | None = None
    address: str = ""
    """`tcp://HOST:PORT`, `listen://HOST:PORT` or `serial:///dev/…`, see `firmware_profiles.addresses`."""
    profile: str
    """`maker/model`, for example `behpardakht/pos_pc_viii`."""
    pays_bills: bool = False
    """Whether a single bill is paid by its two ids, which the terminal's own centre then settles with the biller. The
    model has to be able to, and the office's contract with its acquirer has to say so."""

    @property
    def place(self) -> Address:
        """Return where it is."""
        if self.address:
            return parse_address(self.address)
        return TcpAddress(self.host, self.port or 0)

    def __post_init__(self) -> None:
        """Check that there is one place. Raises ValueError, which the reader of the file says with its place."""
        if bool(self.address) == bool(self.host) or bool(self.host) != (self.port is not None):
            raise ValueError("a terminal needs either host and port, or an address")
        if self.address:
            parse_address(self.address)


class PrinterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the receipt printer is and what it is: either `host` (and `port`), or an `address`."""

    profile: str
    """`maker/model`, for example `epson/tm_t20ii`."""
    host: str = ""
    port: Port = 9100
    address: str = ""
    """`tcp://`, `serial://`, `usb://`, `file://` or `cups://`, see `firmware_profiles.printer_address`."""

    @property
    def place(self) -> PrinterAddress:
        """Return where it is."""
        if self.address:
            return parse_printer_address(self.address)
        return PrinterAddress(way="tcp", name=self.host, port=self.port)

    def __post_init__(self) -> None:
        """Check that there is one place. Raises ValueError, which the reader of the file says with its place."""
        if bool(self.address) == bool(self.host):
            raise ValueError("a printer needs either host and port, or an address")
        if self.address:
            parse_printer_address(self.address)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All settings of a box. Times are in seconds."""

    office_name: str
    terminals: tuple[TerminalSettings, ...]
    """At least one; the names tell them apart, in the journal too."""
    printer: PrinterSettings
    host: str = "127.0.0.1"
    port: Port = 8710
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Names under which the pages may be asked for; others are refused (DNS rebinding)."""
    verify_base: str
    """Address of central's public pages, printed in the QR code of each paper."""
    exchange_every_s: Seconds = 60
    """The longest the box waits before it exchanges although nothing new was journaled."""
    doubt_every_s: Seconds = 60
    """How often a payment in doubt is asked about unasked."""
    device_check_every_s: Seconds = 20
    lock_after_minutes: Annotated[int, msgspec.Meta(ge=0, le=720)] = 10
    """After how long without a key or a click a page locks until its person's password is given; 0: never by itself."""
    profiles_folder: str | None = None
    """More device profiles, beside those that come with the release."""
    profile_bundle: str = "newest"
    """Which of central's bundles of profiles: `newest`, `none`, or the one bundle to stay with."""
    support_line: str = ""
    """Whom the office calls when the box itself is in trouble: a name and a number, shown on its pages."""
    head_copy_folder: str | None = None
    """Where the journal's signed head is copied; without it, on any mounted medium with a file `daftar-head`."""
    demo: bool = False
    """Virtual devices: every page and paper says so."""
    training: bool = False
    """A box of training, with a journal and a key of its own: every page and paper says so. `daftar edge train` sets
    it; nobody writes it into the file of an office."""
    training_address: str = ""
    """Where the office's training is (`daftar edge train`), for the pages to lead there: an address, or `:PORT` on the
    box's own host. Empty: it is not offered. Of a training itself: where its desk is."""

    def __post_init__(self) -> None:
        """Check what spans several members. Raises ValueError, which the reader of the file says with its place."""
        if not self.terminals:
            raise ValueError("there is no terminal: write at least one [[terminals]] table")
        if len(self.terminals) > TERMINALS_MAX:
            raise ValueError(
                f"there are {len(self.terminals)} terminals, at most {TERMINALS_MAX} are driven by one box"
            )
        names = [terminal.name for terminal in self.terminals]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two terminals have the name {name!r}: give each [[terminals]] table its own name")
        self._check_places()

    def _check_places(self) -> None:
        """Refuse two terminals on one cable, or behind one listening port: neither would ever be the right one."""
        places = [one.address.partition("?")[0] for one in self.terminals if not isinstance(one.place, TcpAddress)]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"two terminals are at {place}: each needs its own cable, or its own port")


def load_settings(folder: Path) -> Settings:
    """Return the settings in `folder/box.toml`. Raises OperatorError `settings.unreadable` naming file and key."""
    path = folder / FILE_NAME
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("settings.unreadable", path=str(path), why=str(error)) from error


def stay_with_profiles(folder: Path, which: str) -> None:
    """Set `profile_bundle` in `folder/box.toml`, leaving every other line of it as somebody wrote it.

    Raises OperatorError `settings.unreadable`; the file is replaced whole or stays.
    """
    path = folder / FILE_NAME
    load_settings(folder)
    line = f'profile_bundle = "{which}"'
    text = path.read_text(encoding="utf-8")
    changed, count = _PROFILE_BUNDLE.subn(line, text, count=1)
    written = path.with_name(path.name + ".new")
    written.write_text(changed if count else f"{line}\n{text}", encoding="utf-8")
    written.replace(path)


def save_settings(folder: Path, settings: Settings) -> None:
    """Write `folder/box.toml`."""
    (folder / FILE_NAME).write_bytes(msgspec.toml.encode(settings))
