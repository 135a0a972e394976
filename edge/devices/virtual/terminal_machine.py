"""What all virtual card terminals are: a screen with keys, a card dialogue, power, a memory, and the truth of charges.

A family adds its bytes: what it hears on a connection, and how it says what a sale came to.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from edge.devices.virtual.terminal_memory import TerminalMemory, Transaction
from edge.devices.virtual.terminal_screen import RESULTS, Fault, Key, Phase, Screen, screen_lines
from shared.clock import Clock
from shared.entropy import Entropy, random_digits

CARD_WAIT_MS: Final = 25_000
"""How long it waits for a card before it gives the sale up by itself."""
LATE_MS: Final = 25_000


class Asked(Protocol):
    """A sale as a PC asked for it."""

    @property
    def amount_rial(self) -> int:
        """Return the amount."""


class Reader(Protocol):
    """Reads what a PC sends on one connection."""

    def feed(self, data: bytes) -> Sequence[object]:
        """Return what is complete."""


A = TypeVar("A", bound=Asked)


class TerminalMachine(ABC, Generic[A]):
    """A terminal that listens. All methods belong to one event loop."""

    answers_cancelled = "17"
    """Code for a customer's cancel."""
    answers_given_up = "FU"
    """Code when nobody came with a card, or the PC took the sale back."""
    answers_no_link = "FA"
    answers_declined = "51"

    bills: tuple[tuple[int, int], ...] = ()
    """The two ids of each bill that it paid by them; of a family that pays none it stays empty."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        memory: Path | None = None,
        terminal_number: str = "21009543",
        merchant_number: str = "12404580",
        on_change: Callable[[Screen], None] | None = None,
    ) -> None:
        self.terminal_number = terminal_number
        self.merchant_number = merchant_number
        self.on_change = on_change
        self.card_wait_ms = CARD_WAIT_MS
        self.late_ms = LATE_MS
        self._clock = clock
        self._entropy = entropy
        self._memory = TerminalMemory(memory, first_stan=int(random_digits(entropy, 5)))
        self._auto: Key | None = None
        self._fault: Fault = "none"
        self._phase: Phase = "off"
        self._sale: A | None = None
        self._last = ""
        self._server: asyncio.Server | None = None
        self._address: tuple[str, int] | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sends: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    # --- what a family says ------------------------------------------------------------------------------------------

    @abstractmethod
    def _reader(self) -> Reader:
        """Return what reads a new connection."""

    @abstractmethod
    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        """Do what was asked on a connection."""

    @abstractmethod
    def _charge(self, sale: A) -> Transaction:
        """Return the transaction of a sale that is being charged now."""

    @abstractmethod
    def _say_code(self, sale: A, code: str) -> None:
        """Answer a sale that charges nothing."""

    @abstractmethod
    def _say_approved(self, charge: Transaction) -> None:
        """Answer a sale that was charged."""

    # --- what people and tests see -----------------------------------------------------------------------------------

    @property
    def charges(self) -> tuple[Transaction, ...]:
        """Return what really was charged, oldest first."""
        return tuple(one for one in self._memory.transactions if one.charged and not one.reversed_by)

    @property
    def screen(self) -> Screen:
        """Return what it shows now."""
        amount = self._sale.amount_rial if self._sale is not None else None
        return Screen(
            phase=self._phase,
            lines=screen_lines(self._phase, amount, self._last),
            amount_rial=amount,
            last=self._last,
            fault=self._fault,
            auto=self._auto,
            connections=len(self._writers),
        )

    # --- power -------------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on and listen. Returns the port. Raises OSError when the port cannot be had."""
        self._server = await asyncio.start_server(self._accept, host, port)
        actual: int = self._server.sockets[0].getsockname()[1]
        self._address = (host, actual)
        self._phase = "idle"
        self._changed()
        return actual

    async def stop(self) -> None:
        """Switch off: drop connections and all that was in hand. The memory stays."""
        server = self._power_off()
        for task in self._sends:
            task.cancel()
        await asyncio.gather(*self._sends, *self._serving, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    async def restart(self) -> int:
        """Switch off and on again, on the same port; also after `die_after_charging`. Returns the port."""
        await self.stop()
        host, port = self._address or ("127.0.0.1", 0)
        return await self.start(host, port)

    def _power_off(self) -> asyncio.Server | None:
        self._stop_timer()
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._sale, self._phase, self._last = None, "off", ""
        self._changed()
        return server

    # --- keys and switches -------------------------------------------------------------------------------------------

    @property
    def fault(self) -> Fault:
        """Return the fault in force."""
        return self._fault

    def set_fault(self, fault: Fault, *, late_ms: int | None = None) -> None:
        """Choose what happens when the next cards are accepted; stays until changed."""
        self._fault = fault
        self.late_ms = self.late_ms if late_ms is None else late_ms
        self._changed()

    def set_auto(self, key: Key | None) -> None:
        """Have a key pressed by itself at each sale, or by hand again (None)."""
        self._auto = key
        self._changed()

    def press(self, key: Key) -> bool:
        """Press a key for the customer. Returns False when no sale waits for one."""
        sale = self._sale
        if sale is None or self._phase != "waiting_card":
            return False
        self._stop_timer()
        if self._fault == "go_silent":
            self._end("")
        elif self._fault == "no_link_to_centre" and key != "cancel":
            self._finish(sale, self.answers_no_link)
        elif key == "approve":
            self._approve(sale)
        else:
            self._finish(sale, self.answers_declined if key == "decline" else self.answers_cancelled)
        return True

    # --- sales -------------------------------------------------------------------------------------------------------

    def _begin_sale(self, sale: A) -> None:
        """Ask for a card; only when idle."""
        self._sale, self._phase, self._last = sale, "waiting_card", ""
        self._later(self.card_wait_ms, lambda: self._give_up(sale))
        self._changed()
        if self._auto is not None:
            self.press(self._auto)

    def _give_up(self, sale: A) -> None:
        if self._sale is sale and self._phase == "waiting_card":
            if self._fault == "go_silent":
                self._end("")
            else:
                self._finish(sale, self.answers_given_up)

    def _take_back(self) -> None:
        """Drop the sale that waits for a card, because the PC says so."""
        if self._sale is not None and self.screen.waiting and self._fault != "go_silent":
            self._finish(self._sale, self.answers_given_up)

    def _finish(self, sale: A, code: str) -> None:
        """End a sale that charges nothing."""
        self._end(RESULTS[code])
        self._say_code(sale, code)

    def _end(self, result: str) -> None:
        self._stop_timer()
        self._sale, self._phase, self._last = None, "idle", result
        self._changed()

    def _approve(self, sale: A) -> None:
        """Charge: the truth is durable before anything of it is said."""
        charge = self._charge(sale)
        self._memory.add(charge)
        if self._fault == "die_after_charging":
            self._power_off()
        elif self._fault == "answer_late":
            self._phase = "processing"
            self._changed()
            self._later(self.late_ms, lambda: self._approved(charge))
        else:
            self._approved(charge)

    def _approved(self, charge: Transaction) -> None:
        self._end(RESULTS["00"])
        self._say_approved(charge)

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._changed()
        requests = self._reader()
        try:
            while data := await reader.read(4_096):
                for request in requests.feed(data):
                    self._hear(request, writer)
        except OSError:
            pass  # the PC went away: all it could still be told is in the memory
        finally:
            self._writers.remove(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._changed()

    def _spawn(self, send: Coroutine[None, None, None]) -> None:
        """Send something slowly."""
        task = asyncio.create_task(send)
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    def _later(self, wait_ms: int, then: Callable[[], None]) -> None:
        """Do something after a while; a terminal waits for one thing at a time."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change(self.screen)
