"""An Asan Pardakht terminal made of software: it takes a purchase, and can be asked for its last one only.

Beside the faults of all virtual terminals (`terminal.py`; `bad_crc` says a wrong checksum here) it has quirks:

    purchase_unheard        takes no notice of a purchase
    inquiry_unheard         takes no notice of a question
    hang_up_after_charging  charges, ends the connection without an answer, and stays on
    last_lags               tells of the purchase before the last one, once
    all_at_once             charges, sends its answer twice in one piece
    closes                  takes connections and ends them
"""

import asyncio
from typing import Final, Literal, get_args

import msgspec

from edge.devices.virtual.asan_pardakht_bytes import AsanInquiry, AsanPurchase, AsanReader, answer_line
from edge.devices.virtual.saying import say, say_slowly
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from shared.calendar import TEHRAN
from shared.clock import instant_text
from shared.entropy import random_digits

Quirk = Literal[
    "none",
    "purchase_unheard",
    "inquiry_unheard",
    "hang_up_after_charging",
    "last_lags",
    "all_at_once",
    "closes",
]
QUIRKS: Final[tuple[Quirk, ...]] = get_args(Quirk)

NOTHING_YET: Final = "25"
"""What this one says for a last purchase before its first; what real ones say is not documented."""
_WRONG_BY_RIAL: Final = 1_000


class VirtualAsanPardakhtTerminal(TerminalMachine[AsanPurchase]):
    """A terminal that speaks "PCPos"."""

    answers_cancelled = "17"
    answers_given_up = "99"
    answers_no_link = "999"
    """Which code they have for a missing link to their centre is not published: one that is in no table."""

    quirk: Quirk = "none"
    remembers_refused = True
    """Whether its last purchase may be one that was refused; else only one that was charged."""

    _asker: asyncio.StreamWriter | None = None
    _last_refused: tuple[str, ...] | None = None

    # --- what a PC says ----------------------------------------------------------------------------------------------

    def _reader(self) -> AsanReader:
        return AsanReader()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.quirk == "closes":
            writer.close()
            return
        await super()._serve(reader, writer)

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        match request:
            case AsanPurchase() if self._phase == "idle" and self.quirk != "purchase_unheard":
                self._asker = writer
                self._begin_sale(request)
            case AsanInquiry() if self.quirk != "inquiry_unheard":
                say(writer, self._told_last())
            case _:
                pass  # busy, it takes no notice of a purchase

    def _told_last(self) -> bytes:
        known = list(self._memory.transactions)
        if self.quirk == "last_lags":
            self.quirk = "none"
            known = known[:-1]
        elif self._last_refused is not None and self.remembers_refused:
            return answer_line("POSINQ", *self._last_refused)
        if not known:
            empty = ("", "", "", "", self.merchant_number, self.terminal_number, "", "")
            return answer_line("POSINQ", NOTHING_YET, *empty)
        return answer_line("POSINQ", *_fields(known[-1]))

    # --- sales -------------------------------------------------------------------------------------------------------

    def _charge(self, sale: AsanPurchase) -> Transaction:
        at = self._clock.now()
        local = at.astimezone(TEHRAN)
        self._last_refused = None
        return Transaction(
            reference=sale.message_id,
            number=None,
            amount_rial=sale.amount_rial,
            code="0",
            charged=True,
            stan=self._memory.next_stan(),
            rrn=random_digits(self._entropy, 12),
            date=f"{local:%Y%m%d}",
            time=f"{local:%H%M%S}",
            bin6="603799",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _say_code(self, sale: AsanPurchase, code: str) -> None:
        stan = self._memory.next_stan()
        moment = f"{self._clock.now().astimezone(TEHRAN):%Y%m%d%H%M%S}"
        numbers = (self.merchant_number, self.terminal_number)
        fields = (code, str(sale.amount_rial), "", stan, moment, *numbers, "", sale.message_id)
        self._last_refused = fields
        if self._asker is not None:
            say(self._asker, answer_line("POSBUY", *fields))

    def _say_approved(self, charge: Transaction) -> None:
        writer = self._asker
        if writer is None:
            return
        line = answer_line("POSBUY", *_fields(self._distorted(charge)))
        match self.quirk:
            case "hang_up_after_charging":
                writer.close()
            case "all_at_once":
                say(writer, line + line)
            case _ if self._fault == "split_segments":
                self._spawn(say_slowly(writer, line))
            case _ if self._fault == "bad_crc":
                say(writer, line[:-4] + b"GG\r\n")
            case _:
                say(writer, line)

    def _distorted(self, charge: Transaction) -> Transaction:
        match self._fault:
            case "wrong_amount":
                return msgspec.structs.replace(charge, amount_rial=charge.amount_rial + _WRONG_BY_RIAL)
            case "wrong_terminal_number":
                return msgspec.structs.replace(charge, terminal_number=str(int(charge.terminal_number) + 1))
            case "wrong_reference":
                return msgspec.structs.replace(charge, reference=random_digits(self._entropy, 8))
            case _:
                return charge


def _fields(charge: Transaction) -> tuple[str, ...]:
    """Return a purchase's own fields, from its code on."""
    return (
        charge.code,
        str(charge.amount_rial),
        charge.rrn,
        charge.stan,
        charge.date + charge.time,
        charge.merchant_number,
        charge.terminal_number,
        f"{charge.bin6}******{charge.last4}",
        charge.reference or "",
    )
