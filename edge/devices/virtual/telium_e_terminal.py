"""A Telium terminal made of software: it hears an amount on its line, and answers once.

It can be asked nothing, and while it is at work it takes no notice of the line at all. Beside the faults of all virtual
terminals (`terminal.py`; `wrong_reference` says another private field, `bad_crc` a wrong LRC, each time) it has quirks:

    line_unheard        takes no notice of a till that asks for the line
    request_refused     refuses each copy of a request as unreadable, and takes none
    request_refused_once
                        refuses the first copy only
    taken_unsaid        takes a request and does not acknowledge it
    damaged_once        answers with a wrong LRC, and rightly when it is refused
    says_twice          answers twice, as if it had not heard the ACK
    blank_private       leaves the private field empty
    full_numbers        has whole card numbers in its reports
"""

import asyncio
from typing import Final, Literal, get_args

from edge.devices.virtual.saying import say, say_slowly
from edge.devices.virtual.telium_e_bytes import ACK, ENQ, EOT, NAK, TeliumReader, TeliumSale, answer
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from shared.calendar import TEHRAN
from shared.clock import instant_text
from shared.entropy import random_digits

Quirk = Literal[
    "none",
    "line_unheard",
    "request_refused",
    "request_refused_once",
    "taken_unsaid",
    "damaged_once",
    "says_twice",
    "blank_private",
    "full_numbers",
]
QUIRKS: Final[tuple[Quirk, ...]] = get_args(Quirk)

SENDS: Final = 3
_WRONG_BY_RIAL: Final = 1_000
_BLANK: Final = " " * 10
MIDDLE_DIGITS: Final = "000000"
"""Between the first six and last four of the cards that customers of a virtual terminal have."""


class VirtualTeliumETerminal(TerminalMachine[TeliumSale]):
    """A terminal that speaks protocol E over whatever line it is reached by."""

    answers_cancelled = "7"
    answers_given_up = "7"
    answers_no_link = "9"
    answers_declined = "7"

    quirk: Quirk = "none"
    requests = 0
    """How many requests for a sale it took."""

    _asker: asyncio.StreamWriter | None = None
    _given = False
    """Whether the till was given the line."""
    _answer: bytes = b""
    _asking = False
    _times = 0
    _refused = False
    _told: TeliumSale | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on; what was to be said before is forgotten."""
        self._answer, self._asking, self._given = b"", False, False
        return await super().start(host, port)

    def _reader(self) -> TeliumReader:
        return TeliumReader()

    # --- what a till says --------------------------------------------------------------------------------------------

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        match request:
            case "enq" if self._phase == "idle" and self.quirk != "line_unheard" and not self._answer:
                self._given = True
                say(writer, ACK)
            case "ack":
                self._hear_ack(writer)
            case "nak" if self._answer and not self._asking and self._times < SENDS:
                self._say(writer)
            case "eot":
                self._given = False
            case TeliumSale() if self._given and self._phase == "idle":
                self._hear_sale(request, writer)
            case "bad" if self._given:
                say(writer, NAK)
            case _:
                pass  # at work, or never asked for the line: it takes no notice

    def _hear_sale(self, sale: TeliumSale, writer: asyncio.StreamWriter) -> None:
        if self.quirk == "request_refused" or (self.quirk == "request_refused_once" and not self._refused):
            self._refused = True
            say(writer, NAK)
            return
        if self.quirk != "taken_unsaid":
            say(writer, ACK)
        self._asker = writer
        self.requests += 1
        self._told = sale
        self._begin_sale(sale)

    def _hear_ack(self, writer: asyncio.StreamWriter) -> None:
        if not self._answer:
            return
        if self._asking:
            self._asking = False
            self._say(writer)
        else:
            self._answer = b""
            say(writer, EOT)

    # --- sales -------------------------------------------------------------------------------------------------------

    def _charge(self, sale: TeliumSale) -> Transaction:
        at = self._clock.now()
        local = at.astimezone(TEHRAN)
        return Transaction(
            reference=sale.private,
            number=None,
            amount_rial=sale.amount_rial,
            code="0",
            charged=True,
            stan=self._memory.next_stan(),
            rrn="",
            date=f"{local:%y%m%d}",
            time=f"{local:%H%M%S}",
            bin6="621986",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _say_code(self, sale: TeliumSale, code: str) -> None:
        self._answer_with(answer(sale, result=code, amount=sale.amount_rial, private=sale.private))

    def _say_approved(self, charge: Transaction) -> None:
        sale = self._told
        if sale is None:
            return
        amount, private = charge.amount_rial, sale.private
        middle = MIDDLE_DIGITS if self.quirk == "full_numbers" else "******"
        report = f"{charge.bin6}{middle}{charge.last4} {charge.stan}"
        if self.quirk == "blank_private":
            private = _BLANK
        match self._fault:
            case "wrong_amount":
                amount += _WRONG_BY_RIAL
            case "wrong_reference":
                private = f"{(int(private) + 1) % 10**10:010d}"
            case _:
                pass
        data = answer(sale, result="0", amount=amount, private=private, report=report)
        self._answer_with(data)

    def _answer_with(self, data: bytes) -> None:
        """Ask for the line, and say it when it is given."""
        self._answer, self._asking, self._times = data, True, 0
        if self._asker is not None:
            say(self._asker, ENQ)

    def _say(self, writer: asyncio.StreamWriter) -> None:
        self._times += 1
        data = self._answer
        broken = self._fault == "bad_crc" or (self.quirk == "damaged_once" and self._times == 1)
        if broken:
            data = data[:-1] + bytes((data[-1] ^ 1,))
        if self._fault == "split_segments":
            self._spawn(say_slowly(writer, data))
        else:
            say(writer, data)
        if self.quirk == "says_twice":
            say(writer, data)
