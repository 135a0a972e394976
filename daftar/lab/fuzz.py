"""Terminals that talk rubbish: real conversations of every family, torn, mangled and mixed up, at the bare sessions.

A conversation is what a driver and a virtual terminal said to one another once, with every verb the driver used. It is
lived again with one thing that the terminal says spoilt, and whatever comes then. Rules: no session raises; a sale that
began ends exactly once by its deadline; an approval carries our amount, and the terminal's number where that was known.
What is spoilt, and how, is drawn from a seed; the conversations are held anew by each run.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from daftar.lab.chance import Chance
from edge.devices.catalogue import load_catalogue
from edge.devices.terminal_bench import AMOUNT_RIAL, Bench
from edge.devices.terminals.engines import ENGINES, make_session
from edge.devices.terminals.session import QueryEnded, SaleEnded, Session
from firmware_profiles.links import LinkKind
from firmware_profiles.profile import ProtocolName, TerminalProfile
from shared.clock import SystemClock

Mood = Literal["approve", "decline", "cancel", "wrong_amount"]
"""What the customer does, or the terminal: it charges, and tells another amount."""
MOODS: Final[tuple[Mood, ...]] = get_args(Mood)
LINKS: Final[Mapping[ProtocolName, tuple[LinkKind, ...]]] = {"zvt": ("tcp", "serial")}
"""Families whose bytes differ by the link."""
TICKS_MAX: Final = 64
DIGITS: Final = b"0123456789"
VERBS: Final = (
    "receive_data",
    "tick",
    "link_opened",
    "link_lost",
    "ask_ready",
    "start_sale",
    "ask_status",
    "ask_number",
    "ask_last",
    "give_order",
    "ask_cancel",
    "abandon_sale",
    "events",
    "data_to_send",
)


class Call(NamedTuple):
    """A verb that the driver used."""

    verb: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Conversation(NamedTuple):
    """What was said once: by the driver as verbs, by the terminal as data among them."""

    profile: TerminalProfile
    link_kind: LinkKind
    mood: Mood
    calls: tuple[Call, ...]

    @property
    def heard(self) -> list[int]:
        """Return the places of what the terminal said."""
        return [place for place, call in enumerate(self.calls) if call.verb == "receive_data"]


class FuzzTally(msgspec.Struct):
    """What was tried."""

    inputs: int = 0
    ended: Counter[str] = msgspec.field(default_factory=Counter)
    violations: list[tuple[int, str]] = msgspec.field(default_factory=list)

    def as_json(self) -> str:
        """Return the figures."""
        figures = {"inputs": self.inputs, "violations": len(self.violations), "ended": dict(self.ended)}
        return msgspec.json.encode(figures).decode()


# --- listening to what is really said --------------------------------------------------------------------------------


async def _listen(profile: TerminalProfile, link_kind: LinkKind, mood: Mood) -> Conversation:
    calls: list[Call] = []

    def noting(verb: str, say: Callable[..., Any]) -> Callable[..., Any]:
        def said(*args: Any, **kwargs: Any) -> Any:
            calls.append(Call(verb, args, kwargs))
            return say(*args, **kwargs)

        return said

    async with Bench(profile, link_kind) as bench:
        session = bench.driver._session  # noqa: SLF001 - the lab listens where nobody else may
        for verb in VERBS:
            setattr(session, verb, noting(verb, getattr(session, verb)))
        bench.terminal.set_auto("approve" if mood == "wrong_amount" else mood)
        if mood == "wrong_amount":
            bench.terminal.set_fault("wrong_amount")
        await bench.sale()
        if bench.can_ask:
            await bench.ask()
        listened = tuple(calls)
    return Conversation(bench.profile, link_kind, mood, listened)


async def conversations() -> list[Conversation]:
    """Return a sale, and the question after it, of every family, over each link, in each mood."""
    catalogue = load_catalogue()
    models = {
        name: next(one for one in catalogue.terminals if one.protocol == name and one.identity.maker == "daftar")
        for name in ENGINES
    }
    return await asyncio.gather(
        *(
            _listen(model, link_kind, mood)
            for name, model in models.items()
            for link_kind in LINKS.get(name, ("tcp",))
            for mood in MOODS
        )
    )


# --- spoiling --------------------------------------------------------------------------------------------------------


def _flip(data: bytes, chance: Chance) -> bytes:
    spoilt = bytearray(data)
    for _ in range(1 + chance.below(3)):
        spoilt[chance.below(len(spoilt))] ^= 1 + chance.below(255)
    return bytes(spoilt)


def _other_digit(data: bytes, chance: Chance) -> bytes:
    digits = [place for place, byte in enumerate(data) if byte in DIGITS]
    if not digits:
        return _flip(data, chance)
    spoilt = bytearray(data)
    spoilt[chance.pick(digits)] = chance.pick(DIGITS)
    return bytes(spoilt)


def _cut(data: bytes, chance: Chance) -> bytes:
    return data[: chance.below(len(data))]


def _hole(data: bytes, chance: Chance) -> bytes:
    first = chance.below(len(data))
    return data[:first] + data[first + 1 + chance.below(8) :]


def _noise(data: bytes, chance: Chance) -> bytes:
    at = chance.below(len(data) + 1)
    return data[:at] + chance.token_bytes(1 + chance.below(24)) + data[at:]


def _twice(data: bytes, _: Chance) -> bytes:
    return data + data


def _rubbish(_: bytes, chance: Chance) -> bytes:
    return chance.token_bytes(1 + chance.below(400))


def _whole(data: bytes, _: Chance) -> bytes:
    return data


SPOILERS: Final = (_flip, _flip, _other_digit, _other_digit, _cut, _hole, _noise, _twice, _rubbish, _whole)


def _pieces(data: bytes, chance: Chance) -> Iterator[bytes]:
    """Yield the bytes as a line may deliver them."""
    while data:
        size_bytes = len(data) if chance.coin(0.5) else 1 + chance.below(len(data))
        yield data[:size_bytes]
        data = data[size_bytes:]


# --- living through it -----------------------------------------------------------------------------------------------


class _Life:
    """One session in one spoilt conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self.session: Session = make_session(conversation.profile, conversation.link_kind, SystemClock())
        self.sales_begun = 0
        self.ended: list[SaleEnded | QueryEnded] = []
        self.now_ms = 0
        self._terminal_number: str | None = None

    def call(self, call: Call) -> None:
        """Use a verb as the driver did."""
        if call.verb in ("start_sale", "ask_status"):
            self.sales_begun += call.verb == "start_sale"
            self._terminal_number = call.kwargs["terminal_number"]
        given = getattr(self.session, call.verb)(*call.args, **call.kwargs)
        if call.verb == "events":
            self._note(given)
        elif call.verb == "receive_data":
            self.now_ms = max(self.now_ms, int(call.args[1]))

    def hear(self, data: bytes) -> None:
        """Take bytes, and let the session answer."""
        self.session.receive_data(data, self.now_ms)
        self._drain()

    def wait(self) -> None:
        """Let time pass until nothing is waited for, and the link go."""
        for _ in range(TICKS_MAX):
            due_ms = self.session.deadline()
            if due_ms is None:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.session.tick(self.now_ms)
            self._drain()
        self.session.link_lost()
        self._drain()

    def _drain(self) -> None:
        self.session.data_to_send()
        self._note(self.session.events())
        self.session.data_to_send()

    def _note(self, events: list[Any]) -> None:
        self.ended += [event for event in events if isinstance(event, SaleEnded | QueryEnded)]

    def faults(self) -> Iterator[str]:
        """Yield what must not be."""
        sales = [event for event in self.ended if isinstance(event, SaleEnded)]
        if len(sales) != self.sales_begun:
            yield f"{self.sales_begun} sales began, {len(sales)} ended"
        for event in self.ended:
            said = event.outcome if isinstance(event, SaleEnded) else event.answer
            if said.kind != "approved":
                continue
            evidence = said.evidence
            if evidence is None or evidence.amount_rial not in (AMOUNT_RIAL, None):
                yield f"approved another amount: {evidence}"
            elif self._terminal_number is not None and evidence.terminal_number not in (self._terminal_number, None):
                yield f"approved by another terminal: {evidence}"


def _live(conversation: Conversation, others: list[Conversation], chance: Chance) -> _Life:
    life = _Life(conversation)
    spoilt_at = chance.pick(conversation.heard)
    for call in conversation.calls[:spoilt_at]:
        life.call(call)
    data, life.now_ms = conversation.calls[spoilt_at].args[0], int(conversation.calls[spoilt_at].args[1])
    if chance.coin(0.05):
        stranger = chance.pick(others)
        data = stranger.calls[chance.pick(stranger.heard)].args[0]
    for piece in _pieces(chance.pick(SPOILERS)(data, chance), chance):
        life.hear(piece)
    for place in conversation.heard:
        if place > spoilt_at and chance.coin(0.5):
            for piece in _pieces(chance.pick(SPOILERS)(conversation.calls[place].args[0], chance), chance):
                life.hear(piece)
    life.wait()
    return life


def fuzz(
    heard: list[Conversation], inputs: int, seed: int, progress: Callable[[FuzzTally], None] | None = None
) -> FuzzTally:
    """Live through so many conversations of those that were heard, spoilt; the same seed spoils the same way."""
    tally = FuzzTally()
    for number in range(seed, seed + inputs):
        chance = Chance("fuzz", number)
        conversation = chance.pick(heard)
        name = f"{conversation.profile.protocol}/{conversation.link_kind}/{conversation.mood}"
        tally.inputs += 1
        try:
            life = _live(conversation, heard, chance)
        except Exception as error:  # noqa: BLE001 - that nothing raises is what is tried
            tally.violations.append((number, f"{name}: {type(error).__name__}: {error}"))
            continue
        tally.violations += [(number, f"{name}: {fault}") for fault in life.faults()]
        for event in life.ended:
            said = event.outcome if isinstance(event, SaleEnded) else event.answer
            tally.ended[f"{'sale' if isinstance(event, SaleEnded) else 'query'} {said.kind}"] += 1
        if progress is not None:
            progress(tally)
    return tally
