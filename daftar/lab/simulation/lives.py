"""Runs of programs inside the simulation: what belongs to one can be ended at one instant."""

import asyncio
from contextvars import Context, ContextVar
from typing import Any


class Life:
    """One run of a program. What is started in its context belongs to it."""

    def __init__(self, name: str, world: Any) -> None:
        self.name = name
        self.world = world
        """Where it runs: the parts that are replaced find their office by it."""
        self.alive = True
        self.tasks: list[asyncio.Task[Any]] = []
        """Kept until the day is over: what is ended is not cleaned up, as a killed process is not."""
        self.context = Context()
        self.context.run(LIFE.set, self)


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)
