"""The line to central, at whose other end the simulation's central is."""

import asyncio
from typing import TYPE_CHECKING, Final, Literal, get_args

from daftar.lab.chance import Chance
from shared.errors import PeerError

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

Weather = Literal["good", "slow", "down", "hangs", "captive", "request_lost", "reply_lost", "reply_cut", "twice"]
BAD_WEATHER: Final[tuple[Weather, ...]] = get_args(Weather)[1:]
_TIMEOUT_S: Final = 30.0


class OfficeLine:
    """What becomes of a request on its way, by the weather."""

    def __init__(self, office: "Office") -> None:
        self._office = office
        self._chance = Chance("line", office.seed)
        # Imported by a day: a box has no central installed, and its lab has more to it than days.
        from daftar.lab.simulation.office_central import OfficeCentral  # noqa: PLC0415

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
