"""The demo's world: which processes there are, where they listen, what they were set up with, in one folder.

    provider   sandbox of a services provider
    central    with its embedded PostgreSQL
    desk       virtual terminal, virtual printer, the line's switch and the customers' telephone, with a page
    box        one office; reaches central only through the desk's line

A second start continues from the same state. Sign-ins are for the demo alone: nothing here guards real money.
"""

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from daftar.demo.processes import Process, run, start, wait_ready
from edge.devices.catalogue import load_catalogue
from edge.services.devices.device_profiles import check_bills
from edge.settings import PrinterSettings, Settings, TerminalSettings, load_settings, save_settings
from firmware_profiles.profile import TerminalProfile
from shared.errors import OperatorError

OFFICE_CODE: Final = "72101001"
OFFICE_NAME: Final = "دفتر پیشخوان نمونه"
OPERATOR: Final = ("operator", "demo-operator-1")
MANAGER: Final = ("manager", "demo-manager-1")
FINANCE: Final = ("finance", "demo-finance-1")
OPERATOR_NAME: Final = "متصدی نمونه"
MANAGER_NAME: Final = "سرپرست نمونه"
FINANCE_NAME: Final = "کارشناس مالی"
LIMITS: Final = ("--total-max", "500000000", "--count-max", "200", "--hours-max", "72")
"""What the demo's office may take without central: shown on its pages, out of the way of playing."""
TERMINALS_MAX: Final = 3
TERMINAL_NAMES: Final = ("باجه ۱", "باجه ۲", "باجه ۳")
_STATE_NAME: Final = "demo.json"
_START_ORDER: Final = ("provider", "central", "desk", "box")


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything listens on 127.0.0.1."""

    box: int = 8710
    central: int = 8720
    desk: int = 8730
    provider: int = 8740
    terminal: int = 8751
    terminal_2: int = 8754
    terminal_3: int = 8755
    printer: int = 8752
    line: int = 8753
    """The desk's end of the line to central."""


class State(msgspec.Struct, kw_only=True):
    """What the demo remembers between starts, beside the parts' own state."""

    ports: Ports
    terminal_profile: str = "daftar/virtual"
    api_token: str = ""
    """A token of the box's API, for `--check` and for trying it with curl."""
    ready: bool = False
    """The set-up was finished once."""
    terminals: int = 1
    """How many card terminals stand on the desk."""
    pays_bills: bool = False
    """Whether they pay single bills by their ids."""
    profiles_folder: str | None = None
    """More device profiles, beside those that come with the program."""


def free_ports() -> Ports:
    """Return ports that are free now. All are held open together, so that no two are the same."""
    with ExitStack() as stack:
        numbers = []
        for _ in msgspec.structs.fields(Ports):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            numbers.append(listener.getsockname()[1])
        return Ports(**dict(zip((field.name for field in msgspec.structs.fields(Ports)), numbers, strict=True)))


def taken_ports(ports: Ports) -> list[int]:
    """Return those of the ports that something listens on."""
    taken = []
    for number in msgspec.structs.astuple(ports):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                taken.append(number)
    return taken


class World:
    """One demo in one folder. `set_up` and `start` it, `stop` it; nothing outlives the calling process."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: Ports | None = None,
        terminal_profile: str | None = None,
        profiles_folder: Path | None = None,
        terminals: int | None = None,
        pays_bills: bool | None = None,
    ) -> None:
        """Open the demo of a folder.

        `terminals` is how many stand on the desk, `pays_bills` whether they pay bills by their ids: as before where it
        is not said.
        """
        self.folder = folder.absolute()
        self._state_path = self.folder / _STATE_NAME
        self._state = self._load(ports, terminal_profile)
        self._state.terminals = terminals or self._state.terminals
        if pays_bills is not None:
            self._state.pays_bills = pays_bills
        if profiles_folder is not None:
            self._state.profiles_folder = str(profiles_folder)
        self.processes: dict[str, Process] = {}

    def _load(self, ports: Ports | None, terminal_profile: str | None) -> State:
        if self._state_path.exists():
            return msgspec.json.decode(self._state_path.read_bytes(), type=State)
        return State(ports=ports or Ports(), terminal_profile=terminal_profile or "daftar/virtual")

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._state_path.write_bytes(msgspec.json.format(msgspec.json.encode(self._state)))

    @property
    def ports(self) -> Ports:
        """Return where everything listens."""
        return self._state.ports

    @property
    def terminal_profile(self) -> str:
        """Return the profile of the desk's terminal, chosen when the folder was made."""
        return self._state.terminal_profile

    @property
    def terminal_model(self) -> TerminalProfile:
        """Return that profile itself. Raises DeviceError `profile.*`."""
        extra = self._state.profiles_folder
        return load_catalogue(None if extra is None else Path(extra)).terminal(self.terminal_profile)

    @property
    def terminal_ports(self) -> tuple[int, ...]:
        """Return where the desk's terminals listen."""
        return (self.ports.terminal, self.ports.terminal_2, self.ports.terminal_3)[: self._state.terminals]

    @property
    def api_token(self) -> str:
        """Return a token of the box's API."""
        return self._state.api_token

    def url(self, name: str) -> str:
        """Return the address of a part: box, central, desk, provider or line."""
        return f"http://127.0.0.1:{getattr(self.ports, name)}"

    def data(self, name: str) -> Path:
        """Return a part's own folder."""
        return self.folder / name

    @property
    def logs(self) -> Path:
        """Return the folder of the parts' logs."""
        return self.folder / "logs"

    def check_ports(self) -> None:
        """Raise OperatorError `demo.ports_taken` when another program listens where we would."""
        taken = taken_ports(self.ports)
        if taken:
            raise OperatorError("demo.ports_taken", ports=", ".join(map(str, taken)))

    async def start(self) -> None:
        """Set up what is not set up yet and start every part, each once the ones before it answer.

        Raises OperatorError `demo.ports_taken`, DeviceError `terminal.pays_no_bills`.
        """
        self.check_ports()
        for terminal in self._terminals():
            check_bills(terminal, self.terminal_model)
        # The desk reads where everything listens from here.
        self._save()
        # The first three need nothing of one another to start.
        await asyncio.gather(*(self.start_part(name) for name in ("provider", "central", "desk")))
        if not self._state.ready:
            await self._set_up_box(await self._set_up_central())
            self._state.ready = True
            self._save()
        elif load_settings(self.data("box")).terminals != self._terminals():
            # Another number of terminals than last time, or another way to pay bills.
            settings = load_settings(self.data("box"))
            save_settings(self.data("box"), msgspec.structs.replace(settings, terminals=self._terminals()))
        await self.start_part("box")

    async def start_part(self, name: str) -> None:
        """Start one part and wait until it answers."""
        process = await start(name, self._arguments(name), self.logs)
        self.processes[name] = process
        await wait_ready(process, self.url(name) + ("/state" if name == "desk" else "/health"))

    async def stop(self) -> None:
        """Stop every part, the last started first."""
        for name in reversed(_START_ORDER):
            if name in self.processes:
                await self.processes.pop(name).stop()

    async def kill_part(self, name: str) -> None:
        """End one part as a power cut would."""
        await self.processes.pop(name).kill()

    def _arguments(self, name: str) -> list[str]:
        here = ["--host", "127.0.0.1", "--port", str(getattr(self.ports, name))]
        match name:
            case "provider":
                return ["central", "sandbox", "--data", str(self.data(name)), *here]
            case "central":
                return [
                    "central",
                    "serve",
                    "--data",
                    str(self.data(name)),
                    *here,
                    "--provider-url",
                    self.url("provider"),
                    "--messages",
                    str(self._messages_file()),
                ]
            case "desk":
                return ["demo", "desk", "--folder", str(self.folder)]
            case _:
                return ["edge", "serve", "--data", str(self.data(name))]

    def _messages_file(self) -> Path:
        """Return the file that names the gateway of text messages: the telephone on the desk."""
        file = self.folder / "messages.toml"
        file.write_text(f'url = "{self.url("desk")}"\nsender = "3000"\nreference = "id"\n')
        return file

    async def _set_up_central(self) -> str:
        """Give the running central one office, a person of finance and limits. Return the office's enrolment code."""
        data = ["--data", str(self.data("central"))]
        code, *_ = await asyncio.gather(
            run("central", ["central", "office", "add", *data, OFFICE_CODE, OFFICE_NAME], self.logs),
            run(
                "central",
                ["central", "user", "add", *data, FINANCE[0], "--name", FINANCE_NAME],
                self.logs,
                stdin=FINANCE[1] + "\n",
            ),
            run("central", ["central", "policy", "set", *data, "--all", *LIMITS], self.logs),
        )
        return code.split()[-1]

    def _terminals(self) -> tuple[TerminalSettings, ...]:
        return tuple(
            TerminalSettings(
                name=name,
                host="127.0.0.1",
                port=port,
                profile=self.terminal_profile,
                pays_bills=self._state.pays_bills,
            )
            for name, port in zip(TERMINAL_NAMES, self.terminal_ports, strict=False)
        )

    async def _set_up_box(self, code: str) -> None:
        """Enrol the box over the line, give it devices, an operator and a token."""
        folder = self.data("box")
        data = ["--data", str(folder)]
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        settings = Settings(
            office_name=OFFICE_NAME,
            terminals=self._terminals(),
            printer=PrinterSettings(host="127.0.0.1", port=self.ports.printer, profile="daftar/virtual_80mm"),
            profiles_folder=self._state.profiles_folder,
            port=self.ports.box,
            verify_base=self.url("central"),
            exchange_every_s=5,
            doubt_every_s=30,
            device_check_every_s=5,
            demo=True,
        )
        save_settings(folder, settings)
        await run("box", ["edge", "enrol", *data, "--central", self.url("line"), "--code", code], self.logs)
        scopes = ["payments:read", "payments:write", "inquiries:write", "status:read"]
        scopes += ["services:read", "services:write"]
        flags = [flag for scope in scopes for flag in ("--scope", scope)]
        add = ["edge", "operator", "add", *data]
        _, _, token = await asyncio.gather(
            run("box", [*add, OPERATOR[0], "--name", OPERATOR_NAME], self.logs, stdin=OPERATOR[1] + "\n"),
            run(
                "box",
                [*add, MANAGER[0], "--name", MANAGER_NAME, "--role", "manager"],
                self.logs,
                stdin=MANAGER[1] + "\n",
            ),
            run("box", ["edge", "token", "add", *data, "demo", *flags], self.logs),
        )
        self._state.api_token = token.split()[-1]
