"""One connection of a virtual ZVT terminal: framing where it is a serial line, repeats, and how bytes can go wrong."""

import asyncio
from typing import Final

from edge.devices.virtual.saying import SEGMENT_PAUSE_MS
from edge.devices.virtual.zvt_bytes import LINK_ACK, LINK_NAK, ZvtReader, framed

SENDS: Final = 3


class TillLine:
    """What is said to one till, in order."""

    def __init__(self, writer: asyncio.StreamWriter, reader: ZvtReader) -> None:
        self._writer = writer
        self._reader = reader
        self._newest = b""
        self._times = 0
        self._waiting = bytearray()
        self._slow: asyncio.Task[None] | None = None
        self.in_pieces = False
        """Whether every byte leaves by itself."""
        self.twice = False
        """Whether frames are said twice, as by who did not hear their ACK."""

    @property
    def is_gone(self) -> bool:
        """Return whether the till went away."""
        return self._writer.is_closing()

    def acknowledge(self, *, good: bool) -> None:
        """Answer a frame of the till's; over the network nothing is answered."""
        if self._reader.is_line:
            self._put(LINK_ACK if good else LINK_NAK)

    def send(self, bare: bytes, *, broken: bool = False) -> None:
        """Say a message, or something that cannot be read as one."""
        if self._reader.is_line:
            data = framed(bare)
            data = data[:-1] + bytes((data[-1] ^ 1,)) if broken else data
        else:
            data = b"\x04\x0f\xff\xff\xff" + bare if broken else bare
        self._newest, self._times = data, 1
        self._put(data)
        if self.twice and self._reader.is_line:
            self._put(data)

    def send_again(self) -> None:
        """Say the newest frame again, which came broken; three times in all."""
        if self._times < SENDS:
            self._times += 1
            self._put(self._newest)

    def _put(self, data: bytes) -> None:
        if self.is_gone:
            return
        if not self.in_pieces and self._slow is None:
            self._writer.write(data)
            return
        self._waiting += data
        if self._slow is None:
            self._slow = asyncio.create_task(self._put_slowly())

    async def _put_slowly(self) -> None:
        while self._waiting and not self.is_gone:
            self._writer.write(self._waiting[:1])
            del self._waiting[:1]
            await asyncio.sleep(SEGMENT_PAUSE_MS / 1000)
        self._slow = None

    async def close(self) -> None:
        """Say nothing more."""
        if self._slow is not None:
            self._slow.cancel()
            await asyncio.gather(self._slow, return_exceptions=True)
