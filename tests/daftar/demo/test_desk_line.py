"""The line between box and central, unplugged and misbehaving, over real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from daftar.demo.desk.line import LineProxy

DEADLINE_S = 60


class Echo:
    """A central that answers each line it hears with the same line in capitals."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.heard_something = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.heard += line
                self.heard_something.set()
                writer.write(line.upper())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, int]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    yield echo, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.fixture
async def line(echo: tuple[Echo, int]) -> AsyncIterator[LineProxy]:
    proxy = LineProxy(host="127.0.0.1", port=0, target_host="127.0.0.1", target_port=echo[1])
    await proxy.start()
    yield proxy
    await proxy.close()


async def ask(port: int, text: bytes) -> bytes:
    """Return what comes back for one line; raises OSError when the line is dead."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(text)
            await writer.drain()
            answer = await reader.readline()
        finally:
            writer.transport.abort()
    if not answer.endswith(b"\n"):
        raise ConnectionResetError(f"answer stopped after {answer!r}")
    return answer


async def test_a_good_line_carries_both_ways_and_counts(line: LineProxy) -> None:
    assert await ask(line.port, b"salam\n") == b"SALAM\n"
    assert (line.state.sent_bytes, line.state.received_bytes) == (6, 6)
    assert line.state.central_reached


async def test_pulling_the_plug_resets_what_is_open_and_refuses_what_comes(
    line: LineProxy, echo: tuple[Echo, int]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"one\n")
    assert await reader.readline() == b"ONE\n"

    line.plug(up=False)

    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
    writer.close()
    with pytest.raises(OSError):
        await ask(line.port, b"two\n")
    assert bytes(echo[0].heard) == b"one\n"
    assert (line.state.up, line.state.dropped_count, line.state.refused_count) == (False, 1, 1)


async def test_a_line_plugged_in_again_keeps_its_port_and_works(line: LineProxy) -> None:
    port = line.port
    line.plug(up=False)
    with pytest.raises(OSError):
        await ask(port, b"lost\n")
    line.plug(up=True)
    assert await ask(port, b"back\n") == b"BACK\n"


async def test_a_cut_answer_arrives_at_central_and_stops_on_the_way_back(
    line: LineProxy, echo: tuple[Echo, int]
) -> None:
    line.set_mode("cut_answers")
    question = b"a question long enough that its answer is cut in the middle\n"
    with pytest.raises(OSError):
        await ask(line.port, question)
    assert bytes(echo[0].heard) == question
    assert line.state.cut_count == 1

    line.set_mode("good")
    assert await ask(line.port, b"again\n") == b"AGAIN\n"


async def test_a_slow_line_loses_nothing(line: LineProxy) -> None:
    line.set_mode("slow")
    question = b"x" * 1200 + b"\n"
    started = asyncio.get_running_loop().time()
    assert await ask(line.port, question) == question.upper()
    assert asyncio.get_running_loop().time() - started > 0.5


async def test_central_that_is_not_there_looks_like_a_dead_line_and_is_told_apart_in_the_state() -> None:
    nobody = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = nobody.sockets[0].getsockname()[1]
    nobody.close()
    await nobody.wait_closed()
    proxy = LineProxy(host="127.0.0.1", port=0, target_host="127.0.0.1", target_port=port)
    await proxy.start()
    with pytest.raises(OSError):
        await ask(proxy.port, b"anybody\n")
    assert proxy.state.up
    assert not proxy.state.central_reached
    await proxy.close()


async def test_every_change_is_told(echo: tuple[Echo, int]) -> None:
    seen: list[int] = []
    proxy = LineProxy(
        host="127.0.0.1", port=0, target_host="127.0.0.1", target_port=echo[1], on_change=lambda: seen.append(1)
    )
    await proxy.start()
    proxy.plug(up=False)
    proxy.plug(up=True)
    proxy.set_mode("slow")
    assert len(seen) == 3
    await proxy.close()
