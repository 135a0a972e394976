"""Many terminals at one box, asked over HTTP as people and programs ask."""

import asyncio
import re
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from edge.app import create_app
from edge.devices.catalogue import BUNDLED
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.people.sign_in import new_token, token_sha256
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import PaymentInDoubt, PaymentRequested, PaymentSent, Split
from shared.ids import bill_obligation
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box
from tests.edge.web.conftest import Browser
from tests.system.demo import made_bill

PASSWORD = "گذرواژه یک ۱۲۳"
DEADLINE_S = 120.0
NOWHERE = 9
"""The discard port: nobody listens there."""
HUNG = 200
OPERATORS = 8


def bill(number: int) -> tuple[str, str]:
    return made_bill(40_000 + number, 10_000)


def patient_profile(folder: Path) -> None:
    """Write a profile that lets a terminal think for as long as this test lasts."""
    text = (BUNDLED / "terminals" / "daftar" / "virtual.toml").read_text(encoding="utf-8")
    text = re.sub(r"(ready_timeout_ms|query_timeout_ms) = \d+", r"\1 = 300000", text).replace('"virtual"', '"patient"')
    place = folder / "terminals" / "daftar"
    place.mkdir(parents=True)
    (place / "patient.toml").write_text(text, encoding="utf-8")


def set_up(folder: Path, terminals: Iterable[TerminalSettings], *, port: int = 8710) -> str:
    """Make a box with eight operators and a program. Return the program's token."""
    folder.mkdir(exist_ok=True)
    box = Box(folder, enrolled=False)
    people = People(box.path)
    verifier = verifier_of(PASSWORD)
    for number in range(OPERATORS):
        people.save_operator(f"op{number}", name=f"متصدی {number}", verifier=verifier, role="operator")
    token = new_token(SystemEntropy())
    people.save_api_token(
        token_sha256(token), name="kiosk", scopes=["payments:read", "payments:write", "status:read", "inquiries:write"]
    )
    people.close()
    patient_profile(folder / "profiles")
    settings = Settings(
        office_name="دفتر آزمون",
        terminals=tuple(terminals),
        printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
        verify_base="http://127.0.0.1:1",
        port=port,
        profiles_folder=str(folder / "profiles"),
    )
    save_settings(folder, settings)
    return token


def in_doubt_at(folder: Path, terminal: str, number: int) -> str:
    """Leave a payment in doubt at a terminal, as a power cut would. Return its id."""
    bill_id, payment_id = bill(number)
    ours = f"p-doubt-{number}"
    with Box(folder, enrolled=False) as box:
        box.write(
            PaymentRequested(
                payment_id=ours,
                obligation=bill_obligation(bill_id, payment_id),
                purpose="bill",
                amount_rial=10_000,
                split=Split(gross_rial=10_000, company_rial=10_000),
                method="pcpos",
                terminal=terminal,
                reference=f"{number:018d}",
                operator="op0",
                bill_id=bill_id,
                bill_payment_id=payment_id,
            ),
            PaymentSent(payment_id=ours),
            PaymentInDoubt(payment_id=ours, reason="restart"),
        )
    return ours


async def signed_in(client: httpx.AsyncClient, username: str) -> Browser:
    person = Browser(client)
    answer = await person.send("/sign-in", "/sign-in", username=username, password=PASSWORD)
    assert answer.status_code == 303
    return person


@asynccontextmanager
async def hanging() -> AsyncIterator[int]:
    """Listen, take every connection, and never say a word. Yield the port."""
    taken: set[asyncio.StreamWriter] = set()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.add(writer)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in taken:
            writer.close()
        server.close()


@asynccontextmanager
async def working(number: int) -> AsyncIterator[VirtualTerminal]:
    """Switch a terminal on whose customers all pay."""
    virtual = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy(), terminal_number=f"7300001{number}")
    await virtual.start()
    virtual.set_auto("approve")
    try:
        yield virtual
    finally:
        await virtual.stop()


def port_of(virtual: VirtualTerminal) -> int:
    assert virtual._address is not None
    return virtual._address[1]


async def until_paid(client: httpx.AsyncClient, payment_ids: Iterable[str]) -> dict[str, dict[str, object]]:
    """Wait until payments are charged; return them as programs see them."""
    left, done = list(payment_ids), {}
    async with asyncio.timeout(DEADLINE_S):
        while left:
            found = (await client.get(f"/api/v1/payments/{left[0]}")).json()
            if found["state"] == "approved":
                done[left.pop(0)] = found
            else:
                assert found["state"] in ("requested", "sent"), found
                await asyncio.sleep(0.02)
    return done


async def everything_answers(person: Browser, api: httpx.AsyncClient, waiting: str, doubt: str) -> None:
    bill_id, payment_id = bill(5 * HUNG)
    pages = ["/", "/live", "/gauges", "/terminal", "/terminal/live", "/terminal/choice", "/services", "/about"]
    pages += ["/history/payments", "/history/inquiries", "/inquiries/new", "/profile"]
    pages += [f"/bill?bill_id={bill_id}&payment_id={payment_id}"]
    pages += [f"/payments/{waiting}", f"/payments/{waiting}/live", f"/payments/{doubt}"]
    answers = await asyncio.gather(*(person.get(path) for path in pages))
    assert {str(answer.url): answer.status_code for answer in answers if answer.status_code != 200} == {}
    reads = ["/api/v1/status", "/api/v1/terminals", "/api/v1/payments", f"/api/v1/payments/{waiting}"]
    assert {answer.status_code for answer in await asyncio.gather(*(api.get(path) for path in reads))} == {200}


async def test_two_hundred_hung_terminals_keep_no_page_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.settings.TERMINALS_MAX", 256)
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(hanging()) for _ in range(HUNG)]
        good = await stack.enter_async_context(working(1))
        names = [f"hung-{number}" for number in range(HUNG)]
        hung = [
            TerminalSettings(name=name, host="127.0.0.1", port=port, profile="daftar/patient")
            for name, port in zip(names, ports, strict=True)
        ]
        healthy = TerminalSettings(name="healthy", host="127.0.0.1", port=port_of(good), profile="daftar/virtual")
        token = set_up(tmp_path, [*hung, healthy])
        doubt = in_doubt_at(tmp_path, names[0], 0)
        app = create_app(tmp_path, SystemClock(), SystemEntropy())
        await stack.enter_async_context(app.lifespan())
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1"))
        api = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {token}"}
            )
        )
        person = await signed_in(client, "op0")

        async def pay(number: int, terminal: str) -> httpx.Response:
            bill_id, payment_id = bill(number)
            asked = {"bill_id": bill_id, "payment_id": payment_id, "terminal": terminal}
            return await api.post("/api/v1/payments", json=asked, headers={"idempotency-key": f"k{number}"})

        async with asyncio.timeout(DEADLINE_S):
            # Two at each: one that the terminal is silent about, one behind it; the locked one refuses.
            first = await asyncio.gather(*(pay(number, name) for number, name in enumerate(names[1:], start=1)))
            second = await asyncio.gather(*(pay(HUNG + number, name) for number, name in enumerate(names[1:], start=1)))
            assert {answer.status_code for answer in (*first, *second)} == {201}
            assert (await pay(3 * HUNG, names[0])).json()["code"] == "payment.terminal_locked"

            waiting = second[0].json()["payment_id"]
            assert second[0].json()["queue_place"] == 1
            await everything_answers(person, api, waiting, doubt)

            # A question that a hung terminal does not answer goes on; who asked sees it, and nobody asks it twice.
            asked = await asyncio.gather(*(api.post(f"/api/v1/payments/{doubt}/check") for _ in range(4)))
            assert [(one.status_code, one.json()["state"]) for one in asked] == [(200, "in_doubt")] * 4
            assert "در حال پرسیدن" in (await person.get(f"/payments/{doubt}")).text

            paid = await pay(4 * HUNG, "healthy")
            await until_paid(api, [paid.json()["payment_id"]])
            left = await api.post(f"/api/v1/payments/{waiting}/cancel")
            assert (left.json()["state"], left.json()["queue_place"]) == ("not_sent", None)
            listed = (await api.get("/api/v1/terminals")).json()["terminals"]
            states = Counter(one["state"] for one in listed)
            assert states["locked"] == 1
            assert states["connecting"] + states["not_ready"] == HUNG - 1, "a silent one is never said to be there"
            assert sum(len(one["queue"]) for one in listed) == HUNG - 2
        assert [charge.amount_rial for charge in good.charges] == [10_000]


async def serve(folder: Path, port: int) -> asyncio.subprocess.Process:
    """Start the real program on a folder and wait until it answers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daftar", "edge", "serve", "--data", str(folder), stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert process.returncode is None
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                    return process
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def dialogues(folder: Path) -> dict[str, list[str]]:
    """Return for each terminal what the journal says happened at it: payments sent and ended, in order."""
    said: dict[str, list[str]] = {}
    with Box(folder, enrolled=False) as box:
        at = {payment.payment_id: payment.terminal for payment in box.queries.payments(None, 1_000)}
        for data, _ in box.queries.entries(0, 10_000):
            entry = msgspec.json.decode(data)
            payment_id = entry["body"].get("payment_id")
            if entry["type"] in ("payment.sent", "payment.approved"):
                said.setdefault(at[payment_id], []).append(f"{entry['type']} {payment_id}")
    return said


async def press_pay(person: Browser, number: int, terminal: str) -> httpx.Response:
    """Open a bill's page, choose a terminal, press pay."""
    bill_id, payment_id = bill(number)
    return await person.send(f"/bill?bill_id={bill_id}&payment_id={payment_id}", "/payments", terminal=terminal)


def one_at_a_time(folder: Path) -> None:
    """Check that at each terminal the next payment was sent only after the one before had ended."""
    for terminal, said in dialogues(folder).items():
        for sent, ended in zip(said[::2], said[1::2], strict=True):
            expected = (sent.replace("payment.sent", "payment.approved"), "payment.sent")
            assert (ended, sent.split(" ")[0]) == expected, f"two at a time at {terminal}"


async def test_eight_operators_at_three_terminals_charge_every_bill_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        virtuals = [await stack.enter_async_context(working(number)) for number in range(3)]
        names = [f"باجه {number}" for number in range(3)]
        port = free_port()
        folder = tmp_path / "box"
        token = set_up(
            folder,
            [
                TerminalSettings(name=name, host="127.0.0.1", port=port_of(virtual), profile="daftar/virtual")
                for name, virtual in zip(names, virtuals, strict=True)
            ],
            port=port,
        )
        process = await serve(folder, port)
        address = f"http://127.0.0.1:{port}"
        try:
            people = [
                await signed_in(
                    await stack.enter_async_context(
                        httpx.AsyncClient(base_url=address, trust_env=False, timeout=DEADLINE_S)
                    ),
                    f"op{number}",
                )
                for number in range(OPERATORS)
            ]
            api = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=address,
                    trust_env=False,
                    timeout=DEADLINE_S,
                    headers={"authorization": f"Bearer {token}"},
                )
            )

            async def work(who: int) -> list[str]:
                """Pay three bills, each at another terminal, without waiting for the one before."""
                made = [await press_pay(people[who], 10 * who + turn, names[(who + turn) % 3]) for turn in range(3)]
                assert [answer.status_code for answer in made] == [303, 303, 303]
                return [answer.headers["location"].rpartition("/")[2] for answer in made]

            made = [one for some in await asyncio.gather(*(work(who) for who in range(OPERATORS))) for one in some]
            paid = await until_paid(api, made)
            charges = [charge for virtual in virtuals for charge in virtual.charges]
            assert sorted(str(charge.rrn) for charge in charges) == sorted(str(one["rrn"]) for one in paid.values())
            assert len({charge.reference for charge in charges}) == len(charges) == 3 * OPERATORS
            assert [len(virtual.charges) for virtual in virtuals] == [8, 8, 8]

            # All eight with the same bill, at three terminals in the same moment.
            tries = await asyncio.gather(*(press_pay(people[who], 900, names[who % 3]) for who in range(OPERATORS)))
            assert sorted(answer.status_code for answer in tries) == [303] + [409] * (OPERATORS - 1)
            (won,) = [answer for answer in tries if answer.status_code == 303]
            await until_paid(api, [won.headers["location"].rpartition("/")[2]])
            assert sum(len(virtual.charges) for virtual in virtuals) == 3 * OPERATORS + 1
        finally:
            process.terminate()
            await process.wait()
    one_at_a_time(folder)


async def test_a_box_whose_settings_lost_a_terminal_with_a_doubt_starts_and_says_so(tmp_path: Path) -> None:
    token = set_up(
        tmp_path,
        [TerminalSettings(name="new", host="127.0.0.1", port=NOWHERE, profile="daftar/virtual")],
    )
    doubt = in_doubt_at(tmp_path, "old", 1)
    app = create_app(tmp_path, SystemClock(), SystemEntropy())
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        person = await signed_in(client, "op1")
        page = await person.page("/terminal")
        assert "این کارتخوان دیگر در تنظیمات دستگاه نیست" in page.text
        assert page.all("a", href=f"/payments/{doubt}")
        bearer = {"authorization": f"Bearer {token}"}
        listed = (await client.get("/api/v1/terminals", headers=bearer)).json()["terminals"]
        assert [(one["name"], one["state"]) for one in listed][1] == ("old", "removed")
        asked = await client.post(f"/api/v1/payments/{doubt}/check", headers=bearer)
        assert asked.json()["code"] == "payment.other_terminal"
        bill_id, payment_id = bill(2)
        pay = {"bill_id": bill_id, "payment_id": payment_id}
        made = await client.post("/api/v1/payments", json=pay, headers={**bearer, "idempotency-key": "k"})
        assert (made.status_code, made.json()["terminal"]) == (201, "new")
