"""A ZVT terminal made of software: it takes a sale back unless its report is answered with a yes.

It serves one till at a time, over the network or (told from the first byte) over a serial line. Beside the faults of
all virtual terminals (`terminal.py`; `wrong_reference` says an old trace here, `bad_crc` sends what cannot be read) it
has quirks:

    charged_unsaid            charges, keeps the sale, and says nothing more (as a Move/5000 was seen to)
    ended_unsaid              charges, keeps the sale, and ends it without a report
    does_not_wait             ends a sale as a good one without waiting for the answer to its report
    busy                      answers every order with "please wait"
    last_empty                has nothing to tell as its last transaction (as an A80 was seen to)
    last_lags                 tells of the transaction before the last one
    reversal_unmarked         does not say whose reversal a reversal is
    yes_unheard               takes no notice of the yes to a report, and so takes the sale back
    yes_unconfirmed           keeps the sale, and does not say that it ended it
    undo_unheard, undo_unanswered
                              the same for the order to undo a sale
    says_twice                over a serial line: says everything twice, as if it had not heard the ACK
    prints                    has texts for the till's printer between report and end
    full_numbers              has whole card numbers in its reports
"""

import asyncio
from collections import deque
from typing import Final, Literal, get_args

import msgspec

from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.zvt_bytes import (
    ReportFigures,
    ZvtCommand,
    ZvtReader,
    enquiry_answer,
    message,
    registered,
    report,
    sale_amount,
)
from edge.devices.virtual.zvt_line import TillLine
from shared.calendar import TEHRAN
from shared.clock import instant_text
from shared.entropy import random_digits

Quirk = Literal[
    "none",
    "charged_unsaid",
    "ended_unsaid",
    "does_not_wait",
    "busy",
    "last_empty",
    "last_lags",
    "reversal_unmarked",
    "yes_unheard",
    "yes_unconfirmed",
    "undo_unheard",
    "undo_unanswered",
    "says_twice",
    "prints",
    "full_numbers",
]
QUIRKS: Final[tuple[Quirk, ...]] = get_args(Quirk)

KEEP_WITHIN_MS: Final = 30_000
"""How long it waits for the answer to a report before it takes the sale back."""
ASK_AGAIN_MS: Final = 2_000
"""When it asks again a till that was not ready."""

_YES, _BUSY, _NOT_KNOWN, _NOT_REGISTERED = (message(one) for one in ("8000", "849c", "8483", "846b"))
_END = message("060f")
_WRONG_BY_RIAL: Final = 1_000
MIDDLE_DIGITS: Final = "000000"
"""Between the first six and last four of the cards that customers of a virtual terminal have."""


class ZvtSale(msgspec.Struct, frozen=True):
    """A sale as a till asked for it."""

    amount_rial: int


class VirtualZvtTerminal(TerminalMachine[ZvtSale]):
    """A terminal that speaks ZVT. What it took back is not among its `charges`, and its last transaction says so."""

    answers_cancelled = "6C"
    answers_given_up = "6C"
    answers_no_link = "A3"
    answers_declined = "33"

    quirk: Quirk = "none"
    keep_within_ms = KEEP_WITHIN_MS
    ask_again_ms = ASK_AGAIN_MS
    status = "00"
    """How it stands, as it says when it is asked."""
    identifiers: list[str]
    """What tills repeated of its own identifier, oldest first, hexadecimal."""

    _asker: TillLine | None = None
    _lines: dict[asyncio.StreamWriter, TillLine]
    _registered: set[TillLine]
    _script: deque[bytes]
    _unanswered: bytes = b""
    _reported: Transaction | None = None
    _newest_reader: ZvtReader
    _taker: asyncio.TimerHandle | None = None

    # --- power and connections ---------------------------------------------------------------------------------------

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Return all sales that were charged at some time, those undone too, oldest first."""
        return self._memory.transactions

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on; what was not answered with a yes when the power went is taken back first."""
        self._lines, self._registered, self._script = {}, set(), deque()
        self.identifiers = []
        self._unanswered, self._reported = b"", None
        self._take_back_all()
        return await super().start(host, port)

    def _power_off(self) -> asyncio.Server | None:
        self._stop_taker()
        return super()._power_off()

    def _reader(self) -> ZvtReader:
        self._newest_reader = ZvtReader()
        return self._newest_reader

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super()._serve(reader, writer)
        finally:
            line = self._lines.pop(writer, None)
            if line is not None:
                await line.close()
                self._gone(line)

    def _gone(self, line: TillLine) -> None:
        self._registered.discard(line)
        if line is self._asker:
            self._asker = None
            self._script.clear()
            if self._reported is not None:
                self._undo_by_itself(self._reported)

    def sell_by_hand(self, amount_rial: int) -> bool:
        """Charge an amount keyed in at the terminal itself. False when it is not idle."""
        if self._phase != "idle" or self._reported is not None:
            return False
        self._memory.add(msgspec.structs.replace(self._charge(ZvtSale(amount_rial)), acknowledged=True))
        return True

    # --- what a till says --------------------------------------------------------------------------------------------

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        line = self._lines.setdefault(writer, TillLine(writer, self._newest_reader))
        if request == "nak":
            line.send_again()
        elif request == "bad":
            line.acknowledge(good=False)
        elif isinstance(request, ZvtCommand):
            line.acknowledge(good=True)
            if request.command[:2] not in {"80", "84"}:
                self._hear_command(request, line)
            elif line is self._asker:
                self._hear_answer(request.command)

    def _hear_command(self, said: ZvtCommand, line: TillLine) -> None:
        if said.command == "06b0":
            self._send(line, _YES)
            self._drop_sale()
        elif self.quirk == "busy" or self._unanswered or self._script or self._phase != "idle":
            self._send(line, _BUSY)
        elif said.command == "0600":
            self._registered.add(line)
            self._begin(line, registered(self.terminal_number))
        elif line not in self._registered:
            self._send(line, _NOT_REGISTERED)
        else:
            self._hear_order(said, line)

    def _hear_order(self, said: ZvtCommand, line: TillLine) -> None:
        match said.command:
            case "0501":
                self._begin(line, enquiry_answer("virtual", self.status))
            case "0620":
                self._begin(line, *self._told_last())
            case "0601":
                self._hear_sale(said, line)
            case "0630":
                self._hear_undo(said, line)
            case _:
                self._send(line, _NOT_KNOWN)

    def _hear_sale(self, said: ZvtCommand, line: TillLine) -> None:
        amount = sale_amount(said.data)
        if amount is None:
            self._send(line, message("846f"))
            return
        at = said.data.find(b"\x1f\x1f")
        if at >= 0:
            self.identifiers.append(said.data[at + 3 :].hex())
        self._begin(line, message("04ff", b"\x0a"))
        self._begin_sale(ZvtSale(amount))

    def _hear_answer(self, kind: str) -> None:
        answered, self._unanswered = self._unanswered, b""
        reported = self._reported
        if reported is not None and answered[:2] == b"\x04\x0f":
            if kind == "849c":
                self._later(self.ask_again_ms, lambda: self._report_again(reported))
                return
            if kind == "8000" and self.quirk == "yes_unheard":
                self._unanswered = answered
                return
            self._decided(reported, kept=kind == "8000")
        self._go_on()

    def _decided(self, reported: Transaction, *, kept: bool) -> None:
        self._stop_taker()
        self._reported = None
        if not kept:
            self._undo_by_itself(reported)
            return
        self._memory.change(reported, msgspec.structs.replace(reported, acknowledged=True))
        if self.quirk == "yes_unconfirmed":
            self._script.clear()

    # --- the last transaction, and undoing ---------------------------------------------------------------------------

    def _told_last(self) -> tuple[bytes, ...]:
        if self.quirk == "last_empty":
            return (_END,)
        known = self._memory.transactions[: -1 if self.quirk == "last_lags" else None]
        if not known:
            return (message("061e", b"\xb5"),)
        newest = max(known, key=lambda one: one.reversal_stan or one.stan)
        told = self._undone_report(newest) if newest.reversed_by else self._report_of(newest)
        return (told, _END)

    def _hear_undo(self, said: ZvtCommand, line: TillLine) -> None:
        receipt = said.data.hex()[8:12]
        found = [one for one in self._memory.transactions if one.receipt == receipt]
        if self.quirk == "undo_unheard":
            return
        if not found:
            self._begin(line, message("061e", b"\xb5"))
        elif found[-1].reversed_by:
            self._begin(line, message("061e", b"\xb4"))
        else:
            undone = self._undo(found[-1], by="order")
            if self.quirk == "undo_unanswered":
                self._send(line, _YES)
            else:
                self._begin(line, self._undone_report(undone), _END)

    def _undo(self, sale: Transaction, *, by: Literal["itself", "order"]) -> Transaction:
        undone = msgspec.structs.replace(sale, reversed_by=by, reversal_stan=self._memory.next_stan())
        self._memory.change(sale, undone)
        self._changed()
        return undone

    def _undo_by_itself(self, sale: Transaction) -> None:
        """Undo by itself what was not answered with a yes, and say so to who still listens."""
        self._stop_taker()
        self._reported, self._unanswered = None, b""
        undone = self._undo(sale, by="itself")
        self._script.clear()
        self._say(self._undone_report(undone), message("061e", b"\x66"))

    def _take_back_all(self) -> None:
        for one in self._memory.transactions:
            if not (one.acknowledged or one.reversed_by):
                self._undo(one, by="itself")

    def _stop_taker(self) -> None:
        if self._taker is not None:
            self._taker.cancel()
            self._taker = None

    # --- sales -------------------------------------------------------------------------------------------------------

    def _drop_sale(self) -> None:
        """Drop the sale that waits for a card."""
        if self._sale is not None and self._phase == "waiting_card" and self._fault != "go_silent":
            self._finish(self._sale, self.answers_given_up)

    def _charge(self, sale: ZvtSale) -> Transaction:
        at = self._clock.now()
        local = at.astimezone(TEHRAN)
        stan = self._memory.next_stan()
        return Transaction(
            reference=None,
            number=None,
            amount_rial=sale.amount_rial,
            code="00",
            charged=True,
            stan=stan,
            rrn="",
            receipt=f"{int(stan) % 9_999 + 1:04d}",
            date=f"{local:%m%d}",
            time=f"{local:%H%M%S}",
            bin6="621986",
            last4=random_digits(self._entropy, 4),
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            charged_at=instant_text(at),
        )

    def _say_code(self, sale: ZvtSale, code: str) -> None:
        figures = ReportFigures(result=code, amount=sale.amount_rial, terminal_number=self.terminal_number)
        self._say(report(figures), message("061e", bytes.fromhex(code)))

    def _say_approved(self, charge: Transaction) -> None:
        if self.quirk in {"charged_unsaid", "ended_unsaid", "does_not_wait"}:
            self._memory.change(charge, msgspec.structs.replace(charge, acknowledged=True))
            said = {"ended_unsaid": [_END], "does_not_wait": [self._report_of(charge), _END]}.get(self.quirk, [])
            for one in said:
                self._unanswered = b""
                self._say(one)
            return
        self._reported = charge
        self._taker = asyncio.get_running_loop().call_later(
            self.keep_within_ms / 1000, lambda: self._undo_by_itself(charge)
        )
        if self._asker is None or self._asker.is_gone:
            self._undo_by_itself(charge)
            return
        texts = [message("06d1", b"\x00DEMO"), message("06d3", b"\x06\x00")] if self.quirk == "prints" else []
        self._say(self._report_of(charge), *texts, _END)

    def _report_of(self, charge: Transaction) -> bytes:
        amount, stan, number = charge.amount_rial, charge.stan, charge.terminal_number
        match self._fault if charge is self._reported else "none":
            case "wrong_amount":
                amount += _WRONG_BY_RIAL
            case "wrong_terminal_number":
                number = f"{(int(number) + 1) % 10**8:08d}"
            case "wrong_reference":
                stan = f"{(int(stan) - 1) % 1_000_000:06d}"
            case _:
                pass
        return report(
            ReportFigures(
                result="00",
                amount=amount,
                stan=stan,
                receipt=charge.receipt,
                time=charge.time,
                date=charge.date,
                card=charge.bin6 + (MIDDLE_DIGITS if self.quirk == "full_numbers" else "eeeeee") + charge.last4,
                terminal_number=number,
                merchant_number=charge.merchant_number,
                identifier=charge.receipt,
            )
        )

    def _undone_report(self, undone: Transaction) -> bytes:
        return report(
            ReportFigures(
                result="00",
                amount=undone.amount_rial,
                stan=undone.reversal_stan,
                original_stan="" if self.quirk == "reversal_unmarked" else undone.stan,
                receipt=undone.receipt,
                terminal_number=undone.terminal_number,
            )
        )

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _begin(self, line: TillLine, *messages: bytes) -> None:
        """Take an order: yes to it, and then what there is to say, each when the one before was answered."""
        self._asker = line
        self._send(line, _YES)
        self._say(*messages)

    def _say(self, *messages: bytes) -> None:
        if self._asker is not None:
            self._script.extend(messages)
            self._go_on()

    def _report_again(self, charge: Transaction) -> None:
        self._script.appendleft(self._report_of(charge))
        self._go_on()

    def _go_on(self) -> None:
        if self._asker is not None and self._script and not self._unanswered:
            self._unanswered = self._script.popleft()
            self._send(self._asker, self._unanswered)

    def _send(self, line: TillLine, bare: bytes) -> None:
        line.in_pieces = self._fault == "split_segments"
        line.twice = self.quirk == "says_twice"
        is_report = bare[:2] == b"\x04\x0f" and self._reported is not None
        line.send(bare, broken=is_report and self._fault == "bad_crc")
