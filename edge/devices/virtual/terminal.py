"""A card terminal made of software: for the demo desk, for training, and to try the driver against.

It keeps a screen with keys, a memory that outlives it, and the truth about what was charged. A *fault* is what it does
when the customer's card is accepted:

    go_silent           charges nothing, answers nothing
    answer_late         charges, answers `late_ms` later
    die_after_charging  charges, drops the connection and is off until `restart`
    no_link_to_centre   charges nothing, answers FA
    wrong_amount, wrong_reference, wrong_terminal_number
                        charges, answers with that member wrong
    bad_crc             charges, answers with a wrong checksum
    split_segments      charges, answers in pieces of one byte
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from edge.devices.virtual.terminal_bytes import Reply, Request, RequestReader, frame
from edge.devices.virtual.terminal_memory import TerminalMemory, Transaction
from edge.devices.virtual.terminal_screen import FAULTS, RESULTS, Fault, Key, Phase, Screen, screen_lines
from shared.calendar import jalali_date_text, time_text
from shared.clock import Clock, instant_text
from shared.entropy import Entropy, random_digits

__all__ = ["FAULTS", "Fault", "Key", "Screen", "VirtualTerminal"]

CARD_WAIT_MS: Final = 25_000
"""How long it waits for a card before it gives the sale up by itself."""
LATE_MS: Final = 25_000
SEGMENT_PAUSE_MS: Final = 1

_WRONG_BY_RIAL: Final = 1_000


class VirtualTerminal:
    """A terminal that listens. All methods belong to one event loop."""

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
        self._sale: Request | None = None
        self._last = ""
        self._server: asyncio.Server | None = None
        self._address: tuple[str, int] | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sends: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    # --- what people and tests see -----------------------------------------------------------------------------------

    @property
    def charges(self) -> tuple[Transaction, ...]:
        """Return what really was charged, oldest first."""
        return tuple(one for one in self._memory.transactions if one.charged)

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
            self._finish(sale, "FA")
        elif key == "approve":
            self._approve(sale)
        else:
            self._finish(sale, "51" if key == "decline" else "17")
        return True

    # --- sales -------------------------------------------------------------------------------------------------------

    def _begin_sale(self, sale: Request) -> None:
        if self._phase != "idle":
            self._send(self._reply(sale, "09"))
            return
        self._sale, self._phase, self._last = sale, "waiting_card", ""
        self._later(self.card_wait_ms, lambda: self._give_up(sale))
        self._changed()
        if self._auto is not None:
            self.press(self._auto)

    def _give_up(self, sale: Request) -> None:
        if self._sale is sale and self._phase == "waiting_card":
            if self._fault == "go_silent":
                self._end("")
            else:
                self._finish(sale, "FU")

    def _finish(self, sale: Request, code: str) -> None:
        """End a sale that charges nothing."""
        self._end(RESULTS[code])
        self._send(self._reply(sale, code))

    def _end(self, result: str) -> None:
        self._stop_timer()
        self._sale, self._phase, self._last = None, "idle", result
        self._changed()

    def _approve(self, sale: Request) -> None:
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

    def _charge(self, sale: Request) -> Transaction:
        at = self._clock.now()
        return Transaction(
            reference=sale.reference,
            number=sale.number,
            amount_rial=sale.amount_rial,
            code="00",
            charged=True,
            stan=self._memory.next_stan(),
            rrn=random_digits(self._entropy, 12),
            date=jalali_date_text(at, "en"),
            time=time_text(at, "en")[:5],
            bin6="603769",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _approved(self, charge: Transaction) -> None:
        self._end(RESULTS["00"])
        reply = _found(charge, service="01", number=charge.number)
        match self._fault:
            case "wrong_amount":
                reply = msgspec.structs.replace(reply, amount_rial=charge.amount_rial + _WRONG_BY_RIAL)
            case "wrong_reference":
                reply = msgspec.structs.replace(reply, reference=random_digits(self._entropy, 18))
            case "wrong_terminal_number":
                reply = msgspec.structs.replace(reply, terminal_number=str(int(self.terminal_number) + 1))
            case _:
                pass
        self._send(reply)

    def _reply(self, request: Request, code: str) -> Reply:
        return Reply(
            code=code,
            service=request.service,
            number=request.number,
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
        )

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._changed()
        requests = RequestReader()
        try:
            while data := await reader.read(4_096):
                for request in requests.feed(data):
                    self._hear(request)
        except OSError:
            pass  # the PC went away: all it could still be told is in the memory
        finally:
            self._writers.remove(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._changed()

    def _hear(self, request: str | Request) -> None:
        if isinstance(request, Request):
            self._hear_request(request)
        elif request == "ready" and self._phase == "idle":
            self._last = ""
            self._changed()
            self._write(b"OK")
        elif request == "cancel" and self._sale is not None and self.screen.waiting and self._fault != "go_silent":
            self._finish(self._sale, "FU")

    def _hear_request(self, request: Request) -> None:
        match request.service:
            case "01":
                self._begin_sale(request)
            case "16":
                self._tell(request, self._memory.charged(request.reference or ""))
            case "17":
                self._tell(request, self._memory.last_charged())
            case _:
                pass  # an unknown service gets no answer, as in the field

    def _tell(self, request: Request, found: Transaction | None) -> None:
        if found is None:
            self._send(self._reply(request, "EA"))
        else:
            self._send(_found(found, service=request.service, number=request.number))

    def _send(self, reply: Reply) -> None:
        data = frame(reply)
        is_approval = reply.service == "01" and reply.code == "00"
        if is_approval and self._fault == "bad_crc":
            data = data[:-1] + bytes((data[-1] ^ 0xFF,))
        if is_approval and self._fault == "split_segments":
            task = asyncio.create_task(self._write_slowly(data))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)
        else:
            self._write(data)

    async def _write_slowly(self, data: bytes) -> None:
        for at in range(len(data)):
            self._write(data[at : at + 1])
            await asyncio.sleep(SEGMENT_PAUSE_MS / 1000)

    def _write(self, data: bytes) -> None:
        """Say it to who is connected now: a terminal has one PC, and it may have come back meanwhile."""
        writer = next((one for one in reversed(self._writers) if not one.is_closing()), None)
        if writer is not None:
            writer.write(data)

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


def _found(charge: Transaction, *, service: str, number: str | None) -> Reply:
    return Reply(
        code=charge.code,
        service=service,
        number=number,
        amount_rial=charge.amount_rial,
        stan=charge.stan,
        rrn=charge.rrn,
        date=charge.date,
        time=charge.time,
        last4=charge.last4,
        bin6=charge.bin6,
        terminal_number=charge.terminal_number,
        merchant_number=charge.merchant_number,
        reference=charge.reference,
        approved_type="01",
    )
