"""What can be asked and ordered of a terminal about its newest sale, which is all that some terminals know.

An order but to void names no sale: the terminal does it to whichever is its newest. So the newest is held against the
sale that is meant before such an order leaves; for money that moves back it is always asked anew.
"""

from edge.devices.terminals.exchange import Exchange, request_number
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer
from edge.devices.terminals.session import LastEnded, Order, OrderEnded
from shared.entropy import Entropy
from shared.errors import DeviceError


class NewestSale:
    """The newest sale of one terminal."""

    def __init__(self, exchange: Exchange, entropy: Entropy) -> None:
        self._exchange = exchange
        self._entropy = entropy

    async def last_transaction(self) -> LastTransaction:
        """Ask for the last transaction. Device trouble: `no_answer`."""
        due = self._exchange.now() + self._exchange.profile.times.query_timeout_ms
        try:
            await self._exchange.begin("asking", due)
        except DeviceError:
            return LastTransaction(kind="no_answer")
        try:
            return await self._last(due)
        except DeviceError:
            return LastTransaction(kind="no_answer")
        finally:
            self._exchange.finish()

    async def order(
        self,
        order: Order,
        *,
        amount_rial: int,
        stan: str,
        terminal_number: str | None,
        receipt_number: str | None = None,
    ) -> OrderAnswer:
        """Order something about the sale that an approval named so. Device trouble never raises."""
        due = self._exchange.now() + 2 * self._exchange.profile.times.query_timeout_ms
        try:
            await self._exchange.begin("asking", due)
        except DeviceError as error:
            return OrderAnswer(kind="refused", reason=error.code)
        try:
            await self._make_sure(order, amount_rial, stan, terminal_number, due)
            # Just after a sale the terminal may be at its slip, and take no connection for a while.
            await self._exchange.need_link(due, limit_ms=self._exchange.profile.times.query_timeout_ms)
            self._exchange.session.give_order(
                order,
                amount_rial=amount_rial,
                stan=stan,
                terminal_number=terminal_number,
                due_ms=due,
                receipt_number=receipt_number,
            )
            end = await self._exchange.answer(OrderEnded, due)
            return OrderAnswer(kind="in_doubt", reason="no_answer") if end is None else end.answer
        except DeviceError as error:
            # None of the order's bytes had left: sending and waiting raise nothing.
            return OrderAnswer(kind="refused", reason=error.code)
        finally:
            self._exchange.finish()

    async def _last(self, due_ms: int) -> LastTransaction:
        """Ask for the last transaction. Raises DeviceError when there is no link or it cannot be asked."""
        if not self._exchange.profile.capabilities.query_last:
            raise DeviceError("terminal.cannot", terminal=self._exchange.name)
        await self._exchange.need_link(due_ms)
        self._exchange.session.ask_last(request_number=request_number(self._entropy), due_ms=due_ms)
        end = await self._exchange.answer(LastEnded, due_ms)
        return LastTransaction(kind="no_answer") if end is None else end.last

    async def _make_sure(
        self, order: Order, amount_rial: int, stan: str, terminal_number: str | None, due_ms: int
    ) -> None:
        """Raise DeviceError `terminal.cannot`, `terminal.other_sale`, or `terminal.not_ready` when it does not say."""
        can, name = self._exchange.profile.capabilities, self._exchange.name
        if not {"acknowledge": can.confirming, "reverse": can.reverse, "void": can.void}[order]:
            raise DeviceError("terminal.cannot", terminal=name)
        if order == "void":
            # Its receipt's number names the sale, be it the newest or not.
            return
        if order == "acknowledge" and self._exchange.session.newest_stan == stan:
            # It was approved, or told as the last one, this very moment; a moment more could cost the sale.
            return
        said = (await self._last(due_ms)).evidence
        if said is None:
            raise DeviceError("terminal.not_ready", terminal=name)
        approved = self._exchange.profile.meaning(said.response_code).outcome == "approved"
        same = (said.stan, said.amount_rial) == (stan, amount_rial) and terminal_number in {None, said.terminal_number}
        if not (approved and same):
            raise DeviceError("terminal.other_sale", terminal=name)
