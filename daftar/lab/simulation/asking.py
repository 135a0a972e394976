"""Whoever asks the box for something as its pages do: a refusal in words is no trouble, nor is a box that is down."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from daftar.lab.simulation.box_run import Unreachable
from edge.services.counter import Counter
from shared.errors import DaftarError
from shared.events import PaymentRequested

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

T = TypeVar("T")
_TRIES_MAX: Final = 40


class Purchase(NamedTuple):
    """Something to be paid."""

    what: str
    """Tells it from other things."""
    begin: Callable[[Counter, str], Awaitable[str]]
    """Begins its payment, under a name."""
    is_it: Callable[[PaymentRequested], bool]
    """Whether a payment is one of it."""


class Asking:
    """A person, by name."""

    def __init__(self, office: "Office", name: str) -> None:
        self._office = office
        self.name = name
        self._keys = 0

    def next_key(self) -> str:
        """Return a key that this person never used."""
        self._keys += 1
        return f"{self.name}/{self._keys}"

    async def asked(self, question: Callable[[Counter], Awaitable[T]]) -> T | None:
        """Ask once; None where nothing came of it."""
        try:
            return await self._office.ask(question)
        except DaftarError as error:
            self._office.truth.counts[f"refused {error.code}"] += 1
        except Unreachable:
            self._office.truth.counts["unreachable"] += 1
        return None

    def looked(self, read: Callable[[Counter], T]) -> T | None:
        """Look at what the box shows; one that is down shows nothing."""
        try:
            return self._office.look(read)
        except DaftarError as error:
            self._office.truth.counts[f"refused {error.code}"] += 1
        except Unreachable:
            self._office.truth.counts["unreachable"] += 1
        return None

    async def press(self, key: str, what: str, begin: Callable[[Counter, str], Awaitable[str]]) -> str | None:
        """Press a button that begins something (`what`); return its id, None where the box refuses.

        While the box does not answer, the same request is sent again, under the same key.
        """

        async def ask(counter: Counter) -> str:
            async def work(name: str) -> bytes:
                return (await begin(counter, name)).encode()

            return (await counter.idempotent(key, digest, self.name, work)).decode()

        truth, digest = self._office.truth, hashlib.sha256(what.encode()).digest()
        for _ in range(_TRIES_MAX):
            try:
                made = await self._office.ask(ask)
            except Unreachable:
                await asyncio.sleep(5)
                continue
            except DaftarError as error:
                truth.counts[f"refused {error.code}"] += 1
                if error.code.startswith("journal."):
                    await asyncio.sleep(5)
                    continue
                return None
            truth.answered_to(key, made)
            return made
        return None
