"""A confirming card terminal made of software: it takes back by itself what nobody acknowledges in time.

One PC at a time, a connection for each request; it can be asked for its last transaction only. Beside the faults of all
virtual terminals (`terminal.py`; `wrong_reference` says an old trace here, `bad_crc` a wrong length) it has quirks:

    hang_up_after_charging        charges, ends the connection without an answer, and stays on
    bare_approval                 charges, answers with a code and nothing else
    sale_unheard                  takes no notice of a sale
    last_unheard                  takes no notice of the question for the last transaction
    last_lags                     tells of the transaction before the last one
    acknowledgement_unheard       takes no notice of an acknowledgement, and so reverses
    acknowledgement_unanswered    acknowledges, and does not say so
    reversal_unheard, reversal_unanswered
                                  the same for the order to undo its newest sale
"""

import asyncio
from typing import Final, Literal, get_args

import msgspec

from edge.devices.virtual.pna_bytes import PnaReader, PnaRequest, answer_frame
from edge.devices.virtual.saying import say, say_slowly
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from shared.calendar import TEHRAN
from shared.clock import instant_text
from shared.entropy import random_digits

Quirk = Literal[
    "none",
    "hang_up_after_charging",
    "bare_approval",
    "sale_unheard",
    "last_unheard",
    "last_lags",
    "acknowledgement_unheard",
    "acknowledgement_unanswered",
    "reversal_unheard",
    "reversal_unanswered",
]
QUIRKS: Final[tuple[Quirk, ...]] = get_args(Quirk)

ACKNOWLEDGE_WITHIN_MS: Final = 15_000
"""How long it waits for an acknowledgement before it takes a sale back."""

_WRONG_BY_RIAL: Final = 1_000


class VirtualPnaTerminal(TerminalMachine[PnaRequest]):
    """A terminal of the text protocol. What it took back is not among its `charges`, and in its memory it says so."""

    answers_cancelled = "99"
    answers_given_up = "99"
    answers_no_link = "50"

    quirk: Quirk = "none"
    acknowledge_within_ms = ACKNOWLEDGE_WITHIN_MS
    reversed_is_last = True
    """Whether a sale that was undone is still told as the last transaction, with a code that refuses; else the one
    before it is."""
    ends_connections = False
    """Whether it ends a connection by itself when it has answered."""

    _taker: asyncio.TimerHandle | None = None
    _asker: asyncio.StreamWriter | None = None
    _one_pc: asyncio.Lock | None = None

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Return all sales that were charged at some time, those undone too, oldest first."""
        return self._memory.transactions

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on; what was not acknowledged when the power went is taken back first."""
        self._one_pc = asyncio.Lock()
        self._take_back_unacknowledged()
        return await super().start(host, port)

    def sell_by_hand(self, amount_rial: int) -> bool:
        """Charge an amount keyed in at the terminal itself, which is kept without a word. False when it is not idle."""
        if self._phase != "idle":
            return False
        self._stop_taker()
        self._take_back_unacknowledged()
        charge = self._charge(PnaRequest(kind="sale", amount_rial=amount_rial))
        self._stop_taker()
        self._memory.add(msgspec.structs.replace(charge, acknowledged=True))
        return True

    def rest(self) -> None:
        """Take no connection until `wake`, as while a slip is printed."""
        if self._server is not None:
            self._server.close()

    async def wake(self) -> None:
        """Take connections again."""
        host, port = self._address or ("127.0.0.1", 0)
        self._server = await asyncio.start_server(self._accept, host, port)

    # --- one PC at a time --------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._one_pc is None:
            raise RuntimeError("a connection to a terminal that was never switched on")
        async with self._one_pc:
            if self._phase == "off":
                writer.transport.abort()
                return
            await super()._serve(reader, writer)

    def _reader(self) -> PnaReader:
        return PnaReader()

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        if not isinstance(request, PnaRequest) or (self._phase != "idle" and request.kind != "cancel"):
            return  # busy, it takes no notice
        match request.kind:
            case "sale" if self.quirk != "sale_unheard":
                self._asker = writer
                self._begin_sale(request)
            case "cancel":
                self._take_back()
            case "last" if self.quirk != "last_unheard":
                self._write(writer, self._told_last())
            case "number":
                self._write(writer, answer_frame("00", TM=self.terminal_number))
            case "acknowledge" if self.quirk != "acknowledgement_unheard":
                self._hear_acknowledged(writer)
            case "reverse" if self.quirk != "reversal_unheard":
                self._hear_reverse(writer)
            case _:
                pass

    # --- the newest sale ---------------------------------------------------------------------------------------------

    def _told_last(self) -> bytes:
        known = list(self._memory.transactions)
        if self.quirk == "last_lags":
            known = known[:-1]
        if not self.reversed_is_last:
            known = [one for one in known if not one.reversed_by]
        if not known:
            return answer_frame("12", TM=self.terminal_number)
        return self._frame_of(known[-1], "99" if known[-1].reversed_by else "00")

    def _hear_acknowledged(self, writer: asyncio.StreamWriter) -> None:
        newest = self._newest()
        if newest is None:
            self._write(writer, answer_frame("12", TM=self.terminal_number))
            return
        self._stop_taker()
        if not newest.acknowledged:
            self._memory.change(newest, msgspec.structs.replace(newest, acknowledged=True))
        if self.quirk != "acknowledgement_unanswered":
            self._write(writer, answer_frame("00"))

    def _hear_reverse(self, writer: asyncio.StreamWriter) -> None:
        newest = self._newest()
        if newest is None:
            self._write(writer, answer_frame("12", TM=self.terminal_number))
            return
        self._stop_taker()
        self._memory.change(newest, msgspec.structs.replace(newest, reversed_by="order"))
        if self.quirk != "reversal_unanswered":
            self._write(writer, answer_frame("00", TR=newest.stan))

    def _newest(self) -> Transaction | None:
        """Return the newest sale, unless it was undone."""
        newest = self._memory.transactions[-1] if self._memory.transactions else None
        return None if newest is None or newest.reversed_by else newest

    def _take_back_unacknowledged(self) -> None:
        self._taker = None
        for one in self._memory.transactions:
            if not (one.acknowledged or one.reversed_by):
                self._memory.change(one, msgspec.structs.replace(one, reversed_by="itself"))
        self._changed()

    def _stop_taker(self) -> None:
        if self._taker is not None:
            self._taker.cancel()
            self._taker = None

    def _power_off(self) -> asyncio.Server | None:
        self._stop_taker()
        return super()._power_off()

    # --- sales -------------------------------------------------------------------------------------------------------

    def _begin_sale(self, sale: PnaRequest) -> None:
        # Who did not acknowledge the sale before never will: an acknowledgement is of the newest.
        self._stop_taker()
        self._take_back_unacknowledged()
        super()._begin_sale(sale)

    def _charge(self, sale: PnaRequest) -> Transaction:
        at = self._clock.now()
        local = at.astimezone(TEHRAN)
        self._stop_taker()
        wait_s = self.acknowledge_within_ms / 1000
        self._taker = asyncio.get_running_loop().call_later(wait_s, self._take_back_unacknowledged)
        return Transaction(
            reference=None,
            number=None,
            amount_rial=sale.amount_rial,
            code="00",
            charged=True,
            stan=self._memory.next_stan(),
            rrn=random_digits(self._entropy, 12),
            date=f"{local:%Y/%m/%d}",
            time=f"{local:%H:%M:%S}",
            bin6="621986",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _say_code(self, sale: PnaRequest, code: str) -> None:  # noqa: ARG002 - answers name no sale
        if self._asker is not None:
            self._write(self._asker, answer_frame(code))

    def _say_approved(self, charge: Transaction) -> None:
        if self._asker is None:
            return
        frame = self._frame_of(self._distorted(charge), "00")
        if charge not in self._memory.transactions:
            # Taken back while it was late with its answer.
            self._write(self._asker, answer_frame("91"))
        elif self.quirk == "hang_up_after_charging":
            self._asker.close()
        elif self.quirk == "bare_approval":
            self._write(self._asker, answer_frame("00"))
        elif self._fault == "split_segments":
            self._spawn(say_slowly(self._asker, frame))
        else:
            self._write(self._asker, b"0009" + frame[4:] if self._fault == "bad_crc" else frame)

    def _distorted(self, charge: Transaction) -> Transaction:
        match self._fault:
            case "wrong_amount":
                return msgspec.structs.replace(charge, amount_rial=charge.amount_rial + _WRONG_BY_RIAL)
            case "wrong_terminal_number":
                return msgspec.structs.replace(charge, terminal_number=str(int(charge.terminal_number) + 1))
            case "wrong_reference":
                return msgspec.structs.replace(charge, stan=f"{(int(charge.stan) - 1) % 1_000_000:06d}")
            case _:
                return charge

    def _frame_of(self, charge: Transaction, code: str) -> bytes:
        return answer_frame(
            code,
            TR=charge.stan,
            PN=f"{charge.bin6}******{charge.last4}",
            TM=charge.terminal_number,
            AM=str(charge.amount_rial),
            RN=charge.rrn,
            TI=f"{charge.date} {charge.time}",
            SR="31",
        )

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Say it to who asked; whoever went away does not hear it."""
        say(writer, data)
        if self.ends_connections:
            writer.close()
