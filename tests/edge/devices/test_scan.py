"""What is connected: found, matched, and never spoken to."""

import asyncio
import tomllib

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.discovery import Call
from edge.devices.scan import FoundDevice, called, own_networks, plugged_in, ports_of, settings_lines, sweep
from shared.errors import DeviceError

REGISTRY = load_catalogue()


def call(text: str) -> Call:
    return Call(
        protocol="sadad", text=text, host="192.168.1.20", port=8888, terminal_number="21009543", merchant_number="1"
    )


def test_a_terminal_that_calls_out_is_matched_or_said_to_be_ambiguous():
    clear, unclear = called(REGISTRY, [call("SADAD PC POS Bitel"), call("SADAD PC POS nobody's")])
    assert clear.address == "tcp://192.168.1.20:8888"
    assert clear.error is None or clear.models
    assert unclear.model is None or unclear.models == (unclear.model,)
    assert (unclear.error is None) == (unclear.model is not None)


def test_what_is_plugged_in_can_be_listed_on_any_machine():
    for one in plugged_in(REGISTRY):
        assert one.address.startswith(("serial://", "usb://"))


def test_a_machine_s_own_networks_are_private_ones():
    for network, own in own_networks().items():
        assert network.is_private
        assert own in {str(host) for host in network}
    assert all("127." not in str(network) for network in own_networks(["127.0.0.1"]))


def test_the_ports_tried_are_those_of_real_models():
    ports = ports_of(REGISTRY)
    assert 9_100 in ports
    assert 20_007 in ports
    assert not any(name.startswith("daftar/") for names in ports.values() for name in names)


async def test_an_open_port_is_found_and_nothing_is_said_to_it():
    said: list[bytes] = []
    closed = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read())
        writer.close()
        closed.set()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    other = await asyncio.start_server(hear, "127.0.0.1", 0)
    port, in_use = (one.sockets[0].getsockname()[1] for one in (server, other))
    steps: list[tuple[int, int]] = []
    found = await sweep(
        ["127.0.0.1"],
        {port: ("verifone/vx",), in_use: ()},
        leave_out={("127.0.0.1", in_use)},
        on_progress=lambda done, everything: steps.append((done, everything)),
    )
    async with asyncio.timeout(60):
        await closed.wait()
    assert [(one.address, one.models, one.model) for one in found] == [
        (f"tcp://127.0.0.1:{port}", ("verifone/vx",), None)
    ]
    assert said == [b""]
    assert steps == [(1, 1)]
    for one in (server, other):
        one.close()
        await one.wait_closed()


@pytest.mark.parametrize(
    ("found", "model", "profile"),
    [
        (FoundDevice(kind="terminal", address="serial:///dev/ttyUSB0", models=("pna/pcpos",)), None, "pna/pcpos"),
        (
            FoundDevice(
                kind="terminal",
                address="tcp://192.168.1.20:1024",
                models=("sadad/pax", "sadad/bitel"),
                error=DeviceError("profile.ambiguous"),
            ),
            None,
            "",
        ),
        (
            FoundDevice(kind="terminal", address="tcp://192.168.1.20:1", models=("a/b", "sadad/pax"), port_only=True),
            "sadad/pax",
            "sadad/pax",
        ),
    ],
)
def test_what_to_write_into_the_settings_is_toml(found: FoundDevice, model: str | None, profile: str):
    lines = settings_lines(found, name="terminal-2", model=model)
    (terminal,) = tomllib.loads(lines)["terminals"]
    assert terminal == {"name": "terminal-2", "address": found.address, "profile": profile}


def test_a_printer_has_a_table_of_its_own():
    found = FoundDevice(kind="printer", address="tcp://192.168.1.22:9100", port_only=True)
    assert tomllib.loads(settings_lines(found, name="")) == {
        "printer": {"address": "tcp://192.168.1.22:9100", "profile": ""}
    }
