"""What pages ask of the box about its devices: testing and finding them; a part of `edge.web.ports.counter`."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from shared.errors import DaftarError, DeviceError


class DeviceTest(Protocol):
    """A test of one device: under way, or how it ended."""

    @property
    def what(self) -> Literal["status", "page"]:
        """Whether it was asked how it is, or had a page to print."""

    @property
    def state(self) -> Literal["running", "good", "bad"]:
        """How it stands."""

    @property
    def at(self) -> str:
        """When it began."""

    @property
    def took_ms(self) -> int:
        """How long it took."""

    @property
    def error(self) -> DaftarError | None:
        """What was wrong."""

    @property
    def printer_status(self) -> str:
        """How the printer said it is."""

    @property
    def paper(self) -> str:
        """What became of a test page: printed, not_printed, uncertain; empty for none."""


class FoundDevice(Protocol):
    """A device that was found, or a place where one may be."""

    @property
    def kind(self) -> Literal["terminal", "printer", "either"]:
        """What it can be."""

    @property
    def address(self) -> str:
        """As box.toml takes it."""

    @property
    def text(self) -> str:
        """What it says of itself."""

    @property
    def models(self) -> tuple[str, ...]:
        """The model that it is, or those that it can be."""

    @property
    def model(self) -> str | None:
        """The one model that it is."""

    @property
    def error(self) -> DeviceError | None:
        """Why no one model is meant."""

    @property
    def port_only(self) -> bool:
        """Whether nothing but an open port is known."""


class Search(Protocol):
    """How the newest search stands."""

    @property
    def step(self) -> Literal["never", "ports", "calls", "network", "done", "failed"]:
        """What it does."""

    @property
    def running(self) -> bool:
        """Whether it goes on."""

    @property
    def at(self) -> str | None:
        """When it began."""

    @property
    def percent(self) -> int:
        """How much of the network is through."""

    @property
    def found(self) -> Sequence[FoundDevice]:
        """What was found."""

    @property
    def unheard(self) -> tuple[int, ...]:
        """UDP ports that could not be listened on."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks that were tried."""


class Finding(Protocol):
    """The search for devices that are not set up."""

    @property
    def search(self) -> Search:
        """How it stands."""

    @property
    def terminal_models(self) -> list[str]:
        """All models of terminals."""

    @property
    def printer_models(self) -> list[str]:
        """All models of printers."""

    def networks(self) -> list[str]:
        """Return the office's own networks."""

    def test_of(self, address: str) -> DeviceTest | None:
        """Return the newest trial of what was found."""

    def lines(self, address: str) -> str:
        """Return what to write into box.toml."""

    def is_in_use(self, address: str) -> bool:
        """Return whether a device that is set up is there."""

    async def start(self, *, network: bool) -> None:
        """Begin a search, of the office's network too if that is wanted."""

    async def try_found(self, address: str, model: str) -> None:
        """Ask what was found whether it is there.

        Raises DaftarError `device.not_found`, `device.in_use`, `profile.unknown`.
        """


class Archive(Protocol):
    """A file on its way."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def pieces(self) -> Iterator[bytes]:
        """Its bytes. Reading them blocks."""


class Support(Protocol):
    """What support needs to know of the box."""

    def archive(self) -> Archive:
        """Return it as a file."""

    async def to_stick(self) -> str:
        """Write it onto the stick that is plugged in; return where. Raises DaftarError `export.*`."""


class DevicesCounter(Protocol):
    """Devices and support. Nothing here makes a transaction."""

    @property
    def finding(self) -> Finding:
        """The search for devices."""

    @property
    def support(self) -> Support:
        """What makes an archive for support."""

    def terminal_test(self, name: str) -> DeviceTest | None:
        """Return the newest test of a terminal since the start."""

    def printer_test(self) -> DeviceTest | None:
        """Return the newest test of the printer since the start."""

    async def test_terminal(self, name: str) -> None:
        """Ask a terminal whether it is there and idle; the result is kept.

        Raises OperatorError `payment.unknown_terminal`.
        """

    async def test_printer(self, *, page: bool) -> None:
        """Ask the printer how it is, or have a test page printed; the result is kept."""
