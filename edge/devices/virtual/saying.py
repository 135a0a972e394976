"""How a virtual terminal's bytes leave: at once, or one by one as a bad line delivers them."""

import asyncio
from typing import Final

SEGMENT_PAUSE_MS: Final = 1


def say(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Say it to who asked; whoever went away does not hear it."""
    if not writer.is_closing():
        writer.write(data)


async def say_slowly(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Say it byte by byte."""
    for at in range(len(data)):
        if writer.is_closing():
            return
        writer.write(data[at : at + 1])
        await asyncio.sleep(SEGMENT_PAUSE_MS / 1000)
