"""The line to central and central at its other end: the product's `sync.central_session`, with providers behind it."""

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from daftar.lab.chance import Chance
from daftar.lab.simulation.cheap_keys import PUBLIC_KEY
from daftar.lab.witness import OFFICE_FEED, Witness
from shared.errors import PeerError
from shared.events import (
    JOURNAL_BODIES,
    AcquirerAnswered,
    Body,
    InquiryAnswered,
    InquiryRequested,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentConfirmed,
    PaymentInDoubt,
    PaymentOverridden,
    PaymentRefused,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    decode_body,
)
from shared.payment import needs_acknowledgement
from sync.central_session import Verdict

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

Weather = Literal["good", "slow", "down", "hangs", "captive", "request_lost", "reply_lost", "reply_cut", "twice"]
BAD_WEATHER: Final[tuple[Weather, ...]] = get_args(Weather)[1:]
_TIMEOUT_S: Final = 30.0
SETTLES_AFTER_S: Final = 4_000.0
"""How long after it heard of a doubt at a confirming terminal central has the acquirer's file."""


class OfficeCentral(Witness):
    """The lab's central; it reads what it accepts, and asks providers."""

    def __init__(self, office: "Office") -> None:
        super().__init__(PUBLIC_KEY)
        self._office = office
        self._providers = Chance("providers", office.seed)
        self._requested: dict[str, PaymentRequested] = {}
        self._confirming: set[str] = set()
        self._reversed: set[str] = set()
        self._answered: set[str] = set()

    def _keep(self, verdict: Verdict) -> None:
        super()._keep(verdict)
        for checked in verdict.main:
            entry = checked.entry
            body = None if entry is None else decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
            if isinstance(body, PaymentSent) and body.confirming:
                self._confirming.add(body.payment_id)
            if isinstance(body, PaymentRequested):
                self._requested[body.payment_id] = body
            if isinstance(body, PaymentReversed):
                self._reversed.add(body.payment_id)
            if isinstance(body, PaymentInDoubt) and body.payment_id in self._confirming:
                # What a terminal that can be asked by reference did, the box has to find out without this.
                self._settle_in(SETTLES_AFTER_S, self._requested[body.payment_id])
            if self._is_asked(body):
                # Not in the context of the box that asked: a provider answers whatever becomes of it.
                self._office.loop.call_later(
                    1 + self._providers.below(240), self._answer, body, context=self._office.outside
                )
        if verdict.alarms or verdict.quarantine:
            self._office.truth.wrong(f"central raises an alarm: {[alarm.kind for alarm in verdict.alarms]}")
        if verdict.status == "ok":
            self._office.truth.central_cosigned(verdict.size)

    def _settle_in(self, wait_s: float, wanted: PaymentRequested) -> None:
        self._office.loop.call_later(wait_s, self._settle, wanted, context=self._office.outside)

    def _settle(self, wanted: PaymentRequested) -> None:
        """Say what the acquirer's file says of a payment, once its terminal is at rest."""
        terminal = self._office.terminal_of(wanted.terminal)
        if not terminal.is_at_rest(wanted.reference):
            self._settle_in(600, wanted)
            return
        took = next((one for one in terminal.kept if one.reference == wanted.reference), None)
        self.publish(
            OFFICE_FEED,
            AcquirerAnswered(
                payment_id=wanted.payment_id,
                charged=took is not None,
                source="settlement",
                acquirer="lab",
                amount_rial=None if took is None else took.amount_rial,
                rrn=None if took is None else took.rrn,
                stan=None if took is None else took.stan,
                terminal_number=None if took is None else took.terminal_number,
                answered_at="",
            ),
        )

    def _is_asked(self, body: Body | None) -> bool:
        """Return whether a provider is asked for: an approval that stands, or an inquiry."""
        if isinstance(body, PaymentApproved) and body.payment_id in self._confirming:
            # It stands only once it is acknowledged, but for what the acquirer says.
            return not needs_acknowledgement(confirming=True, source=body.evidence.source)
        if isinstance(body, PaymentOverridden):
            return body.charged
        return isinstance(body, PaymentApproved | PaymentAcknowledged | InquiryRequested)

    def _answer(self, asked: Body) -> None:
        if isinstance(asked, InquiryRequested):
            self.publish(
                OFFICE_FEED, InquiryAnswered(inquiry_id=asked.inquiry_id, outcome="nothing_owed", provider="lab")
            )
        elif isinstance(asked, PaymentApproved | PaymentAcknowledged | PaymentOverridden):
            self._answer_of(asked.payment_id)

    def _answer_of(self, payment_id: str) -> None:
        """Say once whether a bill is taken; one that was given back is not asked about any more."""
        if payment_id in self._answered or payment_id in self._reversed:
            return
        self._answered.add(payment_id)
        items = len(self._requested[payment_id].items)
        for item in range(items) if items else (None,):
            self.publish(OFFICE_FEED, self._word(payment_id, item))

    def _word(self, payment_id: str, item: int | None) -> Body:
        """Return what a provider says of a bill: nearly always that it took it."""
        about: dict[str, Any] = {"payment_id": payment_id, "provider": "lab", "track_id": "t", "item": item}
        if self._providers.coin(0.9):
            return PaymentConfirmed(**about, provider_reference="r", confirmed_at="")
        return PaymentRefused(**about, reason="expired", case_id="c")


class OfficeLine:
    """What becomes of a request on its way, by the weather."""

    def __init__(self, office: "Office") -> None:
        self._office = office
        self._chance = Chance("line", office.seed)
        self.central = OfficeCentral(office)
        self.weather: Weather = "good"
        self._one_way_s = 10 + self._chance.below(40)
        """A line as offices have them, so that many entries share an exchange, as at the end of a long day."""
        self._changed = asyncio.Event()

    def turn(self, weather: Weather) -> None:
        """Change the weather."""
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    async def back(self, *, seen_down: bool) -> bool:
        """Return when central answers again (see `LineWatch.reachable_again`)."""
        down = self.weather in ("down", "hangs", "captive")
        if not down and not seen_down:
            await asyncio.get_running_loop().create_future()
        while self.weather in ("down", "hangs", "captive"):
            await self._changed.wait()
        return down

    async def post(self, request: bytes) -> bytes:
        """Carry a request there and its answer back. Raises PeerError as the product's own client does."""
        weather = self.weather
        await asyncio.sleep(self._one_way_s if weather != "slow" else self._one_way_s + self._chance.below(120))
        match weather:
            case "down":
                raise PeerError("exchange.unreachable", why="lab")
            case "hangs":
                await asyncio.sleep(_TIMEOUT_S)
                raise PeerError("exchange.timeout", why="lab")
            case "captive":
                raise PeerError("exchange.not_central", why="lab")
            case "request_lost":
                raise PeerError("exchange.timeout", why="lab")
        answer = self.central.receive(request)
        if weather == "twice":
            again = self.central.receive(request)
            if again != answer:
                self._office.truth.wrong("central gives the same bytes two answers")
        self._office.passing("cosigned")
        await asyncio.sleep(self._one_way_s)
        if weather == "reply_lost":
            raise PeerError("exchange.timeout", why="lab")
        if weather == "reply_cut":
            raise PeerError("exchange.cut", why="lab")
        return answer
