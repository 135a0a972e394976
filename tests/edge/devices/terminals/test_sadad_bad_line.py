"""A sale over a line that damages and loses frames: the terminal's own truth against what the session says.

The terminal here is the smallest one that keeps the protocol: it takes every request it can read, charges each of them
when the customer agrees, repeats an answer that is not acknowledged or refused, and refuses what it cannot read, once
for each piece that a damaged request falls into.
"""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.sadad_session import SadadSession
from edge.devices.terminals.session import LateAnswer, SaleEnded
from edge.devices.virtual.sadad_bytes import SadadReader, SadadSale, SaleFigures, packet, sale_answer

PROFILE = load_catalogue().terminal("daftar/virtual_sadad")
AMOUNT, REFERENCE, NUMBER = 125_000, "100200300400500600", "C0000301"
STEP_MS = 250
END_MS = 40_000
FATES = ["whole"] * 6 + ["damaged", "lost", "late"]


class SmallTerminal:
    """It serves one sale after the other, in the order in which it took them."""

    def __init__(self, *, agrees: bool, thinks_ms: int) -> None:
        self.charged = 0
        self._agrees = agrees
        self._thinks_ms = thinks_ms
        self._reader = SadadReader()
        self._taken: deque[int] = deque()
        self._answer: tuple[bytes, int, int] | None = None

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        said: list[bytes] = []
        for found in self._reader.feed(data):
            match found:
                case "greeting":
                    said.append(packet(0x06))
                case SadadSale():
                    self._taken.append(now_ms + self._thinks_ms)
                    said.append(packet(0x06))
                case "bad":
                    said += [packet(0x15), packet(0x15)]
                case "taken":
                    self._answer = None
                case "refused" if self._answer is not None:
                    self._answer = (self._answer[0], self._answer[1], now_ms)
                case _:
                    pass
        return said

    def tick(self, now_ms: int) -> list[bytes]:
        if self._answer is None and self._taken and now_ms >= self._taken[0]:
            self._taken.popleft()
            self.charged += self._agrees
            figures = SaleFigures(
                code="00" if self._agrees else "51",
                amount=str(AMOUNT),
                trace=f"{100 + self.charged:06d}",
                rrn="320062616116" if self._agrees else "",
                terminal=NUMBER,
                merchant="152",
            )
            self._answer = (sale_answer(figures), 3, now_ms)
        if self._answer is None or now_ms < self._answer[2]:
            return []
        answer, left, _ = self._answer
        self._answer = (answer, left - 1, now_ms + 1_000) if left > 1 else None
        return [answer]


class BadLine:
    """Each frame's fate is drawn; after the fates are used up all is well."""

    def __init__(self, fates: list[str], marks: list[int]) -> None:
        self._fates = iter(fates)
        self._marks = iter(marks)
        self._on_the_way: list[tuple[int, bytes]] = []

    def put(self, frame: bytes, now_ms: int) -> None:
        fate = next(self._fates, "whole")
        if fate == "damaged":
            at = next(self._marks, 0) % len(frame)
            frame = frame[:at] + bytes([frame[at] ^ (1 + next(self._marks, 0) % 255)]) + frame[at + 1 :]
        if fate != "lost":
            self._on_the_way.append((now_ms + (3 * STEP_MS if fate == "late" else 0), frame))

    def take(self, now_ms: int) -> bytes:
        # What is late holds up what is behind it: a line keeps its order.
        came = b""
        while self._on_the_way and self._on_the_way[0][0] <= now_ms:
            came += self._on_the_way.pop(0)[1]
        return came


def run(fates: list[str], marks: list[int], *, agrees: bool, thinks_ms: int) -> tuple[str, int]:
    """Return how the sale ended at last, and how often the card was charged."""
    session, terminal, out, back = (
        SadadSession(PROFILE),
        SmallTerminal(agrees=agrees, thinks_ms=thinks_ms),
        BadLine(fates[::2], marks[::2]),
        BadLine(fates[1::2], marks[1::2]),
    )
    session.link_opened()
    session.start_sale(
        amount_rial=AMOUNT,
        reference=REFERENCE,
        terminal_number=NUMBER,
        now_ms=0,
        due_ms=PROFILE.times.answer_timeout_ms,
    )
    ended = ""
    for now_ms in range(0, END_MS, STEP_MS):
        data = session.data_to_send()
        while data:
            size = int(data[1:4]) + 4
            out.put(data[:size], now_ms)
            data = data[size:]
        for frame in terminal.hear(out.take(now_ms), now_ms) + terminal.tick(now_ms):
            back.put(frame, now_ms)
        session.receive_data(back.take(now_ms), now_ms)
        while (due := session.deadline()) is not None and due <= now_ms:
            session.tick(now_ms)
        for event in session.events():
            assert isinstance(event, SaleEnded | LateAnswer)
            ended = event.outcome.kind
        if not session.is_listening(now_ms) and ended:
            break
    return ended, terminal.charged


@given(
    fates=st.lists(st.sampled_from(FATES), max_size=24),
    marks=st.lists(st.integers(0, 1_000), max_size=24),
    agrees=st.booleans(),
    thinks_ms=st.sampled_from([0, 2_000, 6_000]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_line_does_a_card_is_charged_once_at_most_and_nobody_lies_about_it(
    fates: list[str], marks: list[int], *, agrees: bool, thinks_ms: int
) -> None:
    ended, charged = run(fates, marks, agrees=agrees, thinks_ms=thinks_ms)
    assert charged <= 1
    assert ended in {"approved", "declined", "in_doubt"}
    assert ended != "approved" or charged == 1
    assert ended != "declined" or charged == 0


@pytest.mark.parametrize(("agrees", "ended"), [(True, "approved"), (False, "declined")])
def test_a_good_line_tells_the_truth(*, agrees: bool, ended: str) -> None:
    assert run([], [], agrees=agrees, thinks_ms=2_000) == (ended, int(agrees))
