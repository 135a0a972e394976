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
from typing import Final

import msgspec

from edge.devices.virtual.saying import SEGMENT_PAUSE_MS
from edge.devices.virtual.terminal_bytes import BILL, SALE, Reply, Request, RequestReader, frame
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.terminal_screen import FAULTS, Fault, Key, Screen
from shared.calendar import jalali_date_text, time_text
from shared.clock import instant_text
from shared.entropy import random_digits

__all__ = ["FAULTS", "Fault", "Key", "Screen", "VirtualTerminal"]


_WRONG_BY_RIAL: Final = 1_000


class VirtualTerminal(TerminalMachine[Request]):
    """A terminal that speaks "POS PC VIII", on connections that are kept."""

    _service = SALE
    """What the newest sale was: a sale, or the payment of a bill."""

    def _reader(self) -> RequestReader:
        return RequestReader()

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:  # noqa: ARG002 - it answers who is there
        if isinstance(request, Request):
            self._hear_request(request)
        elif request == "ready" and self._phase == "idle":
            self._last = ""
            self._changed()
            self._write(b"OK")
        elif request == "cancel":
            self._take_back()

    def _hear_request(self, request: Request) -> None:
        match request.service:
            case "01" | "05" if request.service == BILL and request.bill is None:
                pass  # what it cannot do gets no answer, as in the field
            case "01" | "05" if self._phase == "idle":
                self._begin_sale(request)
            case "01" | "05":
                self._say_code(request, "09")
            case "16":
                self._tell(request, self._memory.charged(request.reference or ""))
            case "17":
                self._tell(request, self._memory.last_charged())
            case _:
                pass  # an unknown service gets no answer, as in the field

    def _tell(self, request: Request, found: Transaction | None) -> None:
        if found is None:
            self._say_code(request, "EA")
        else:
            self._send(_found(found, service=request.service, number=request.number))

    def _charge(self, sale: Request) -> Transaction:
        at = self._clock.now()
        self._service = sale.service
        if sale.bill is not None:
            self.bills += (sale.bill,)
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

    def _say_approved(self, charge: Transaction) -> None:
        reply = _found(charge, service=self._service, number=charge.number)
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

    def _say_code(self, sale: Request, code: str) -> None:
        reply = Reply(
            code=code,
            service=sale.service,
            number=sale.number,
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
        )
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        data = frame(reply)
        is_approval = reply.service in (SALE, BILL) and reply.code == "00"
        if is_approval and self._fault == "bad_crc":
            data = data[:-1] + bytes((data[-1] ^ 0xFF,))
        if is_approval and self._fault == "split_segments":
            self._spawn(self._write_slowly(data))
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
