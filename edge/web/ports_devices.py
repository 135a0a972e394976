"""What pages ask of the box about its devices: testing them; a part of `edge.web.ports`."""

from typing import Literal, Protocol

from shared.errors import DaftarError


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


class DevicesCounter(Protocol):
    """The tests. None of them makes a transaction."""

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
