"""What the demo desk is told at its start."""

from pathlib import Path

import msgspec

from firmware_profiles.profile import TerminalProfile


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Where another window is, and who may enter it. Demo people only: these are shown on the page.

    In training they are empty: everybody signs in as themselves.
    """

    url: str
    """An address, or `:PORT` for another port of the host that the desk is asked for under."""
    username: str = ""
    password: str = ""


class SampleBill(msgspec.Struct, frozen=True, kw_only=True):
    """A bill the sandbox provider knows, for the visitor to copy."""

    name_fa: str
    name_en: str
    bill_id: str
    payment_id: str


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Ports are on `host`; 0 takes a free one (the real ones are in `GET /state`, member `ports`)."""

    port: int
    line_port: int
    terminal_ports: tuple[int, ...]
    """One or more: so many card terminals stand on the desk."""
    printer_port: int
    central_port: int
    folder: Path
    """The devices' memory: what the terminal charged outlives the program, as it does in a real one."""
    box: SignIn
    central: SignIn | None
    """None in training: its centre has no pages."""
    host: str = "127.0.0.1"
    central_host: str = "127.0.0.1"
    samples: tuple[SampleBill, ...] = ()
    training: bool = False
    """Whether this is the desk of an office's training, not of the demo."""
    terminal_model: TerminalProfile
    """What the card terminals are."""
