"""One box with a real model of every family, over cables where the model has one, over the network where it has not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import get_args

import httpx

from edge.app import create_app
from edge.devices.catalogue import load_catalogue
from edge.devices.virtual.lines import Cable
from edge.devices.virtual.simulators import Simulator, make_simulator
from edge.settings import TerminalSettings
from firmware_profiles.profile import ProtocolName, TerminalProfile
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.test_terminals import DEADLINE_S, bill, set_up

REGISTRY = load_catalogue()


def model_of(protocol: ProtocolName) -> TerminalProfile:
    real = [one for one in REGISTRY.terminals if one.protocol == protocol and one.identity.maker != "daftar"]
    return next((one for one in real if one.serial is not None), real[0])


@asynccontextmanager
async def connected(profile: TerminalProfile) -> AsyncIterator[tuple[Simulator, TerminalSettings]]:
    """Switch a terminal on whose customers all pay, and say where it is."""
    terminal = make_simulator(profile, SystemClock(), SystemEntropy())
    port = await terminal.start()
    terminal.set_auto("approve")
    cable = Cable("127.0.0.1", port)
    on_a_cable = profile.serial is not None
    address = f"serial://{cable.plug_in()}" if on_a_cable else f"tcp://127.0.0.1:{port}"
    try:
        yield terminal, TerminalSettings(name=profile.protocol, address=address, profile=profile.name)
    finally:
        if on_a_cable:
            await cable.unplug()
        await terminal.stop()


async def until_paid(api: httpx.AsyncClient, payment_id: str) -> None:
    """Wait until it is charged; told to be kept, where the terminal wants that."""
    while (found := (await api.get(f"/api/v1/payments/{payment_id}")).json())["status"] != "approved":
        assert found["state"] in ("requested", "sent", "approved"), found
        await asyncio.sleep(0.02)


async def test_every_family_takes_money_at_one_box_and_shows_its_own_line_to_its_centre(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        models = [model_of(protocol) for protocol in get_args(ProtocolName)]
        there = [await stack.enter_async_context(connected(model)) for model in models]
        token = set_up(tmp_path, [settings for _, settings in there])
        app = create_app(tmp_path, SystemClock(), SystemEntropy())
        await stack.enter_async_context(app.lifespan())
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
        api = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {token}"}
            )
        )

        async def pay(number: int, terminal: str) -> str:
            bill_id, payment_id = bill(number)
            asked = {"bill_id": bill_id, "payment_id": payment_id, "terminal": terminal}
            answer = await api.post("/api/v1/payments", json=asked, headers={"idempotency-key": f"k{number}"})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["payment_id"])

        async with asyncio.timeout(DEADLINE_S):
            names = [model.protocol for model in models]
            ours = [await pay(number, name) for number, name in enumerate(names)]
            await asyncio.gather(*(until_paid(api, one) for one in ours))
            for terminal, settings in there:
                charged = [(charge.amount_rial, charge.reversed_by) for charge in terminal.charges]
                assert charged == [(10_000, "")], settings.name
            listed = (await api.get("/api/v1/terminals")).json()["terminals"]
            assert {one["centre_link"] for one in listed if one["name"] != "telium_e"} == {True}, listed
