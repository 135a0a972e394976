"""A Sadad terminal made of software: it is greeted, acknowledges, and repeats what was not acknowledged.

What it was asked for twice it does twice: a request that comes while a sale is in hand waits behind it. It sends whole
card numbers, as the real ones do. Beside the faults of all virtual terminals (`terminal.py`; `wrong_reference` says the
trace of the sale before here, `bad_crc` a wrong LRC, each time) it has quirks:

    greeting_unheard        takes no notice of a greeting
    request_refused         refuses a request for a sale as unreadable, and does not take it
    taken_unsaid            takes a request for a sale and does not acknowledge it
    ends_midway             ends the sale when the card is there, and charges nothing
    damaged_once            charges, answers with a wrong LRC, and rightly when it is refused
    damaged_then_end        charges, answers with a wrong LRC and ends: the trap
    all_at_once             charges, sends its acknowledgement and its answer in one piece
    hang_up_after_charging  charges, ends the connection without an answer, and stays on
    says_old_first          sends the answer of the sale before once more, before the new one's
    search_lags             does not find a sale the first time it is searched for
    search_other            finds another sale than the one that is searched for
    last_lags               tells of the transaction before the last one
    closes                  takes connections and ends them
"""

import asyncio
from typing import Final, Literal, get_args

import msgspec

from edge.devices.virtual.sadad_bytes import (
    Request,
    SadadQuestion,
    SadadReader,
    SadadSale,
    SaleFigures,
    packet,
    sale_answer,
    told,
)
from edge.devices.virtual.saying import say, say_slowly
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.terminal_screen import Key
from shared.calendar import TEHRAN, jalali_date_text
from shared.clock import instant_text
from shared.entropy import random_digits

Quirk = Literal[
    "none",
    "greeting_unheard",
    "request_refused",
    "taken_unsaid",
    "ends_midway",
    "damaged_once",
    "damaged_then_end",
    "all_at_once",
    "hang_up_after_charging",
    "says_old_first",
    "search_lags",
    "search_other",
    "last_lags",
    "closes",
]
QUIRKS: Final[tuple[Quirk, ...]] = get_args(Quirk)
NotFoundAs = Literal["code", "empty", "older"]

SEND_AGAIN_MS: Final = 5_000
SENDS: Final = 3
SALE, BILL = "000000", "170000"
MIDDLE_DIGITS: Final = "000000"
"""Between the first six and last four of the cards that customers of a virtual terminal have."""

_TAKEN, _REFUSED, _END = packet(0x06), packet(0x15), packet(0x04)
_WRONG_BY_RIAL: Final = 1_000


class VirtualSadadTerminal(TerminalMachine[SadadSale]):
    """A terminal that speaks Sadad's versions 000 and 002."""

    answers_cancelled = "EOT"
    answers_given_up = "EOT"
    answers_no_link = "335"

    quirk: Quirk = "none"
    not_found_as: NotFoundAs = "code"
    """How it says that it has no such transaction, which is not documented."""
    line_feeds = False
    """Whether each of its messages is followed by a line feed, as over a serial line."""
    send_again_ms = SEND_AGAIN_MS

    _asker: asyncio.StreamWriter | None = None
    _waiting: list[tuple[SadadSale, asyncio.StreamWriter]]
    _greeted: set[asyncio.StreamWriter]
    _unheard: tuple[bytes, int] | None = None
    _again: asyncio.TimerHandle | None = None
    _searched = False
    _old_answer: bytes = b""
    _process = SALE
    """What the newest sale was: a sale, or the payment of a bill."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on."""
        self._waiting, self._greeted = [], set()
        return await super().start(host, port)

    def _power_off(self) -> asyncio.Server | None:
        self._heard()
        return super()._power_off()

    # --- what a PC says ----------------------------------------------------------------------------------------------

    def _reader(self) -> SadadReader:
        return SadadReader()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.quirk == "closes":
            writer.close()
            return
        try:
            await super()._serve(reader, writer)
        finally:
            self._greeted.discard(writer)

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        match request:
            case "greeting":
                self._hear_greeting(writer)
            case "taken":
                self._heard()
            case "refused":
                self._send_again()
            case "end":
                self._take_back()
            case "bad":
                self._write(writer, _REFUSED)
            case SadadSale() | SadadQuestion() if writer in self._greeted:
                self._hear_request(request, writer)
            case _:
                pass  # nobody greeted it: it takes no notice

    def _hear_greeting(self, writer: asyncio.StreamWriter) -> None:
        if self.quirk == "greeting_unheard":
            return
        if self._phase != "idle":
            self._write(writer, _END)
            return
        self._heard()
        self._greeted.add(writer)
        self._write(writer, _TAKEN)

    def _hear_request(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if isinstance(request, SadadQuestion):
            self._write(writer, packet(0x06, version="002"))
            self._answer(request, writer)
            return
        if self.quirk == "request_refused":
            self._write(writer, _REFUSED)
            return
        if self.quirk not in {"taken_unsaid", "all_at_once"}:
            self._write(writer, _TAKEN)
        if self._phase == "idle":
            self._asker = writer
            self._begin_sale(request)
        else:
            self._waiting.append((request, writer))

    # --- questions ---------------------------------------------------------------------------------------------------

    def _answer(self, question: SadadQuestion, writer: asyncio.StreamWriter) -> None:
        match question.function:
            case "0005":
                host, port = self._address or ("", 0)
                call = f"SADAD PCPOS:فروشگاه آزمایشی:{host}:{port}:{self.terminal_number}:{self.merchant_number}"
                self._say(writer, told("0006", call))
            case "0015" | "0017":
                found = self._memory.charged(question.argument[2:])
                if self.quirk == "search_lags" and not self._searched:
                    found, self._searched = None, True
                if self.quirk == "search_other":
                    found = self._memory.last_charged()
                    found = None if found is None else msgspec.structs.replace(found, reference="1" * 18)
                self._tell(writer, _answer_to(question), [] if found is None else [found])
            case "0001" | "0013":
                known = [one for one in self._memory.transactions if one.charged]
                if self.quirk == "last_lags":
                    known = known[:-1]
                count = int(question.argument[:2])
                self._tell(writer, _answer_to(question), known[::-1][:count])
            case _:
                pass  # an unknown question gets no answer

    def _tell(self, writer: asyncio.StreamWriter, function: str, found: list[Transaction]) -> None:
        if found:
            self._say(writer, told(function, "".join(_record(one, named=function != "0002") for one in found)))
        elif self.not_found_as == "older":
            self._say(writer, sale_answer(SaleFigures(code="346", amount="")))
        else:
            self._say(writer, told(function, "346" if self.not_found_as == "code" else ""))

    # --- sales -------------------------------------------------------------------------------------------------------

    def press(self, key: Key) -> bool:
        """Press a key for the customer. Returns False when no sale waits for one."""
        midway = self.quirk == "ends_midway" and key == "approve"
        return super().press("cancel" if midway else key)

    def _end(self, result: str) -> None:
        super()._end(result)
        if self._waiting:
            # After what is still to be said of this one.
            asyncio.get_running_loop().call_soon(self._begin_waiting)

    def _begin_waiting(self) -> None:
        if self._waiting and self._phase == "idle":
            sale, self._asker = self._waiting.pop(0)
            self._begin_sale(sale)

    def _charge(self, sale: SadadSale) -> Transaction:
        at = self._clock.now()
        self._process = BILL if sale.bill else SALE
        if sale.bill:
            bill_id, _, payment_id = sale.bill.partition(",")
            self.bills += ((int(bill_id), int(payment_id)),)
        local = at.astimezone(TEHRAN)
        return Transaction(
            reference=sale.reference,
            number=None,
            amount_rial=sale.amount_rial,
            code="00",
            charged=True,
            stan=self._memory.next_stan(),
            rrn=random_digits(self._entropy, 12),
            date=f"{local:%Y%m%d}",
            time=f"{local:%H%M%S}",
            bin6="621986",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _say_code(self, sale: SadadSale, code: str) -> None:
        if self._asker is None:
            return
        if code == "EOT":
            self._write(self._asker, _END)
            self._asker.close()
            return
        figures = SaleFigures(
            code=code,
            amount=str(sale.amount_rial),
            process=BILL if sale.bill else SALE,
            trace=self._memory.next_stan(),
            terminal=self.terminal_number,
            merchant=self.merchant_number,
        )
        self._say(self._asker, sale_answer(figures))

    def _say_approved(self, charge: Transaction) -> None:
        writer = self._asker
        if writer is None:
            return
        answer = sale_answer(self._figures(charge))
        wrong = answer[:-1] + bytes((answer[-1] ^ 0x55,))
        old, self._old_answer = self._old_answer, answer
        match self.quirk:
            case "hang_up_after_charging":
                writer.close()
            case "damaged_once":
                self._write(writer, wrong)
                self._keep_saying(writer, answer, said=1)
            case "damaged_then_end":
                self._write(writer, wrong + _END)
            case "all_at_once":
                self._write(writer, _TAKEN + answer)
                self._keep_saying(writer, answer, said=1)
            case "says_old_first":
                self._write(writer, old)
                self._say(writer, answer)
            case _ if self._fault == "split_segments":
                self._spawn(say_slowly(writer, answer))
            case _:
                self._say(writer, wrong if self._fault == "bad_crc" else answer)

    def _figures(self, charge: Transaction) -> SaleFigures:
        shown = charge
        known = self._memory.transactions
        match self._fault:
            case "wrong_amount":
                shown = msgspec.structs.replace(charge, amount_rial=charge.amount_rial + _WRONG_BY_RIAL)
            case "wrong_terminal_number":
                shown = msgspec.structs.replace(charge, terminal_number=str(int(charge.terminal_number) + 1))
            case "wrong_reference" if len(known) > 1:
                shown = msgspec.structs.replace(charge, stan=known[-2].stan)
            case _:
                pass
        jalali = jalali_date_text(self._clock.now(), "en")
        year, month, day = (int(part) for part in jalali.split("/"))
        hour, minute, second = (int(shown.time[at : at + 2]) for at in (0, 2, 4))
        return SaleFigures(
            code="00",
            amount=str(shown.amount_rial),
            card=shown.bin6 + MIDDLE_DIGITS + shown.last4,
            process=self._process,
            trace=shown.stan,
            moment=(year, month, day, hour, minute, second),
            rrn=shown.rrn,
            approval="0014",
            terminal=shown.terminal_number,
            merchant=shown.merchant_number,
        )

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _say(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        """Say it, and again until it is acknowledged, as often as the protocol has it."""
        self._write(writer, answer)
        self._keep_saying(writer, answer, said=1)

    def _keep_saying(self, writer: asyncio.StreamWriter, answer: bytes, *, said: int) -> None:
        self._heard()
        self._asker = writer
        self._unheard = (answer, said)
        self._again = asyncio.get_running_loop().call_later(self.send_again_ms / 1000, self._send_again)

    def _send_again(self) -> None:
        if self._unheard is None or self._asker is None:
            return
        answer, said = self._unheard
        if said >= SENDS:
            self._heard()
            return
        self._write(self._asker, answer)
        self._keep_saying(self._asker, answer, said=said + 1)

    def _heard(self) -> None:
        self._unheard = None
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Say it to who asked; whoever went away does not hear it."""
        say(writer, data + b"\n" if self.line_feeds else data)


def _answer_to(question: SadadQuestion) -> str:
    return str(int(question.function) + 1).rjust(4, "0")


def _record(one: Transaction, *, named: bool) -> str:
    """Return a transaction as reports have it; `named`: with its reference."""
    text = f"04{one.amount_rial:012d}{one.stan}{one.date}{one.time}{one.bin6}**{one.last4}{one.rrn}{one.code}"
    return text + f"{len(one.reference or ''):02d}{one.reference or ''}" if named else text
