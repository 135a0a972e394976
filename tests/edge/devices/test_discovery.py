"""Terminals that call out: what is read of a call, and what is heard on real sockets."""

import asyncio
import socket

import pytest

from edge.devices.discovery import Call, hear_calls, read_call

CALL = "SADAD PC POS:فروشگاه نمونه:192.168.1.30:8888:C0000301:000000000000152"


@pytest.mark.parametrize("spelled", [CALL, CALL.replace("PC POS", "PCPOS"), CALL + "\0\0", CALL + "\r\n"])
def test_a_call_in_either_spelling_says_where_the_terminal_is(spelled: str) -> None:
    assert read_call(spelled.encode()) == Call(
        protocol="sadad",
        text="SADAD PC POS فروشگاه نمونه",
        host="192.168.1.30",
        port=8_888,
        terminal_number="C0000301",
        merchant_number="000000000000152",
    )


def test_a_merchants_name_may_have_colons() -> None:
    call = read_call(b"SADAD PC POS:a:b: c:10.0.0.1:8888:1:2")
    assert call is not None
    assert (call.text, call.host) == ("SADAD PC POS a:b: c", "10.0.0.1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"SADAD PC POS",
        b"SADAD PC POS:x:999.1.1.1:8888:1:2",
        b"SADAD PC POS:x:10.0.0.1:0:1:2",
        b"SADAD PC POS:x:10.0.0.1:70000:1:2",
        b"SADAD PC POS:x:10.0.0.1:8888:1:2:3:" + b"x" * 600,
        b"HELLO:x:10.0.0.1:8888:1:2",
    ],
)
def test_what_is_no_call_is_nothing(data: bytes) -> None:
    assert read_call(data) is None


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


async def test_terminals_are_heard_once_each_and_a_port_that_cannot_be_had_is_told() -> None:
    with udp() as taken, udp() as said, udp() as free:
        taken.bind(("127.0.0.1", 0))
        free.bind(("127.0.0.1", 0))
        closed, heard_on = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        listening = asyncio.create_task(hear_calls([closed, heard_on], 0.5, host="127.0.0.1"))
        await asyncio.sleep(0.1)
        for text in (CALL, CALL, "noise", CALL.replace(".30:", ".31:")):
            said.sendto(text.encode(), ("127.0.0.1", heard_on))
        heard = await listening
    assert [call.host for call in heard.calls] == ["192.168.1.30", "192.168.1.31"]
    assert heard.refused == (closed,)
