"""The demo desk over real sockets: controls, state, live stream, pages in both languages, settlement file."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from daftar.demo.desk.app import create_desk_app, load_texts
from daftar.demo.desk.settings import DeskSettings, SampleBill, SignIn
from daftar.demo.desk.settlement import COLUMNS, PLANTED_OVERCHARGE_RIAL, PLANTED_RRN
from edge.devices.catalogue import load_catalogue
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

DEADLINE_S = 60
SALE_10000 = bytes.fromhex("30303233b003010000b1020108a20101ba0433303030a4033230309be5")
"""A sale of 10,000 rial with reference 3000, as the maker's document prints it."""


async def served(folder: Path, *, terminals: int = 1) -> AsyncIterator[httpx.AsyncClient]:
    settings = DeskSettings(
        port=0,
        line_port=0,
        terminal_ports=(0,) * terminals,
        printer_port=0,
        central_port=1,
        folder=folder,
        box=SignIn(url="http://127.0.0.1:1/", username="operator", password="for-the-demo"),
        central=SignIn(url="http://127.0.0.1:2/", username="finance", password="for-the-demo"),
        terminal_model=load_catalogue().terminal("daftar/virtual"),
        samples=(SampleBill(name_fa="برق", name_en="Electricity", bill_id="7748317800142", payment_id="1770160"),),
    )
    app = create_desk_app(settings, clock=SystemClock(), entropy=SystemEntropy())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE_S):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S) as client:
        yield client
    server.should_exit = True
    await serving


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(tmp_path):
        yield client


@pytest.fixture
async def wide_desk(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(tmp_path, terminals=3):
        yield client


async def state_of(desk: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await desk.get("/state")).json())


async def control(desk: httpx.AsyncClient, thing: str, **wish: object) -> dict[str, Any]:
    answer = await desk.post(f"/control/{thing}", json=wish)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def until(desk: httpx.AsyncClient, **wanted: object) -> dict[str, Any]:
    """Return the terminal when it is as wanted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            terminal = (await state_of(desk))["terminal"]
            if all(terminal[name] == value for name, value in wanted.items()):
                return dict(terminal)
            await asyncio.sleep(0.01)


async def sell(desk: httpx.AsyncClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Bring an amount to the terminal, as a box would."""
    port = (await state_of(desk))["ports"]["terminal"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(SALE_10000)
    await until(desk, mood="waiting")
    return reader, writer


async def test_an_amount_comes_and_the_green_key_takes_the_money(desk: httpx.AsyncClient) -> None:
    reader, writer = await sell(desk)
    waiting = (await state_of(desk))["terminal"]
    assert (waiting["amount_rial"], waiting["waiting"], waiting["says"]) == (10_000, True, "waiting")
    shown = (await control(desk, "terminal", press="approve"))["terminal"]
    assert (shown["mood"], shown["charged_count"], shown["charged_rial"]) == ("approved", 1, 10_000)
    assert await asyncio.wait_for(reader.read(200), DEADLINE_S)
    writer.close()


@pytest.mark.parametrize(("key", "mood"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_the_other_keys_take_nothing(desk: httpx.AsyncClient, key: str, mood: str) -> None:
    _, writer = await sell(desk)
    shown = (await control(desk, "terminal", press=key))["terminal"]
    assert (shown["mood"], shown["says"], shown["charged_count"]) == (mood, mood, 0)
    writer.close()


async def test_a_terminal_that_died_after_charging_wakes_by_a_good_day_and_remembers(desk: httpx.AsyncClient) -> None:
    await control(desk, "terminal", mode="die_after_charging")
    port = (await state_of(desk))["ports"]["terminal"]
    _, writer = await sell(desk)
    dead = (await control(desk, "terminal", press="approve"))["terminal"]
    assert (dead["mood"], dead["says"], dead["charged_count"]) == ("dead", "dead", 1)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    awake = await control(desk, "terminal", mode="none")
    assert (awake["terminal"]["mood"], awake["ports"]["terminal"]) == ("idle", port)
    assert awake["terminal"]["charged_rial"] == 10_000
    writer.close()


async def test_a_text_message_comes_to_the_telephone(desk: httpx.AsyncClient) -> None:
    assert (await state_of(desk))["phone"] == {"count": 0, "messages": []}
    assert "پیامکی نیامده است" in (await desk.get("/")).text
    for number in range(1, 7):
        message = {"to": "09123456789", "text": f"<b>نوبت {number}</b>", "name": str(number)}
        assert (await desk.post("/messages", json=message)).json() == {"id": f"m-{number}"}
    phone = (await state_of(desk))["phone"]
    assert (phone["count"], phone["messages"][0]) == (6, {"to": "09123456789", "text": "<b>نوبت 6</b>"})
    assert len(phone["messages"]) == 4, "as many as its screen has room for"
    assert "&lt;b&gt;نوبت 6&lt;/b&gt;" in (await desk.get("/")).text
    await desk.post("/control/messages", json={"mode": "busy"})
    assert (await desk.post("/messages", json={"to": "09123456789", "text": "-"})).status_code == 429
    assert (await state_of(desk))["phone"]["count"] == 6


async def test_each_of_several_terminals_has_its_own_keys_days_and_money(wide_desk: httpx.AsyncClient) -> None:
    desk = wide_desk
    ports = (await state_of(desk))["ports"]["terminals"]
    assert len(set(ports)) == 3
    _, first = await asyncio.open_connection("127.0.0.1", ports[1])
    first.write(SALE_10000)
    async with asyncio.timeout(DEADLINE_S):
        while (await state_of(desk))["terminals"][1]["mood"] != "waiting":  # noqa: ASYNC110 - the state is asked for
            await asyncio.sleep(0.01)
    assert [one["waiting"] for one in (await state_of(desk))["terminals"]] == [False, True, False]
    await control(desk, "terminal", terminal=3, mode="go_silent")
    shown = (await control(desk, "terminal", terminal=2, press="approve"))["terminals"]
    assert [one["charged_rial"] for one in shown] == [0, 10_000, 0]
    assert [one["mode"] for one in shown] == ["none", "none", "go_silent"]
    assert (await desk.post("/control/terminal", json={"terminal": 4, "press": "approve"})).status_code == 400
    page = (await desk.get("/?terminal=2")).text
    assert 'data-terminal="approved"' in page
    assert page.count('name="terminal" value="2"') == 3
    assert page.count("data-tab=") == 3
    form = {"terminal": "2", "auto": "true"}
    back = await desk.post("/control/terminal", data=form, headers={"accept": "text/html"})
    assert (back.status_code, back.headers["location"]) == (303, "/?terminal=2")
    rows = list(csv.DictReader(io.StringIO((await desk.get("/settlement.csv")).text)))
    assert len({row["terminal_id"] for row in rows}) == 1
    first.close()


async def test_no_link_to_its_centre_shows_as_lonely(desk: httpx.AsyncClient) -> None:
    await control(desk, "terminal", mode="no_link_to_centre")
    _, writer = await sell(desk)
    shown = (await control(desk, "terminal", press="approve"))["terminal"]
    assert (shown["mood"], shown["says"], shown["charged_count"]) == ("lonely", "no_link_to_centre", 0)
    writer.close()


async def test_paper_comes_out_hangs_is_seen_and_is_torn_off(desk: httpx.AsyncClient) -> None:
    port = (await state_of(desk))["ports"]["printer"]
    assert (await desk.get("/paper/1")).status_code == 404
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    row = b"\x1dv0\x00\x48\x00\x01\x00" + b"\xff" * 72
    writer.write(b"\x1b@" + row * 8 + b"\x1dV\x00")
    await writer.drain()
    async with asyncio.timeout(DEADLINE_S):
        while (await state_of(desk))["printer"]["shown_paper"] != 1:  # noqa: ASYNC110 - the other side of a wire
            await asyncio.sleep(0.01)
    picture = await desk.get("/paper/1")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    torn = (await control(desk, "printer", tear=True))["printer"]
    assert (torn["shown_paper"], torn["paper_count"]) == (None, 1)
    writer.close()


async def test_printer_and_line_break_and_heal(desk: httpx.AsyncClient) -> None:
    assert (await control(desk, "printer", fault="cover_open"))["printer"]["fault"] == "cover_open"
    assert (await control(desk, "printer", fault="none"))["printer"]["fault"] is None
    assert (await control(desk, "line", up=False))["line"]["up"] is False
    shown = (await control(desk, "line", up=True, mode="cut_answers"))["line"]
    assert (shown["up"], shown["mode"]) == (True, "cut_answers")


@pytest.mark.parametrize(
    ("thing", "wish"),
    [("terminal", {"press": "kick"}), ("line", {"mode": "fast"}), ("printer", {"fault": None, "paper": 1})],
)
async def test_what_no_hand_can_do_is_refused_with_the_reason(
    desk: httpx.AsyncClient, thing: str, wish: object
) -> None:
    answer = await desk.post(f"/control/{thing}", json=wish)
    assert answer.status_code == 400
    assert "$" in answer.json()["detail"] or "unknown field" in answer.json()["detail"]


async def test_another_sites_page_cannot_press_keys(desk: httpx.AsyncClient) -> None:
    answer = await desk.post("/control/line", json={"up": False}, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert (await state_of(desk))["line"]["up"] is True


async def test_a_browser_without_script_comes_back_to_the_page(desk: httpx.AsyncClient) -> None:
    answer = await desk.post("/control/line", data={"up": "false"}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'data-line="down"' in (await desk.get("/")).text


async def test_every_change_comes_down_the_stream_at_once(desk: httpx.AsyncClient) -> None:
    async with desk.stream("GET", "/events") as stream:
        lines = stream.aiter_lines()

        async def next_state() -> dict[str, Any]:
            async with asyncio.timeout(DEADLINE_S):
                async for line in lines:
                    if line.startswith("data:"):
                        return dict(json.loads(line.removeprefix("data:")))
            raise AssertionError("the stream ended")

        assert (await next_state())["line"]["up"] is True
        started = asyncio.get_running_loop().time()
        await control(desk, "line", up=False)
        assert (await next_state())["line"]["up"] is False
        assert asyncio.get_running_loop().time() - started < 1


@pytest.mark.parametrize(("lang", "direction", "said"), [("fa", "rtl", "کارتخوان"), ("en", "ltr", "Card terminal")])
async def test_the_page_speaks_both_languages_and_remembers(
    desk: httpx.AsyncClient, lang: str, direction: str, said: str
) -> None:
    page = await desk.get("/", params={"lang": lang})
    assert f'<html lang="{lang}" dir="{direction}">' in page.text
    assert said in page.text
    assert "7748317800142" in page.text
    assert f'lang="{lang}"' in (await desk.get("/")).text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert " style=" not in page.text


def test_every_word_has_both_languages() -> None:
    texts = load_texts()
    assert texts["fa"].keys() == texts["en"].keys()
    assert all(texts["fa"].values())
    assert all(texts["en"].values())


async def test_the_settlement_file_says_what_was_really_charged(desk: httpx.AsyncClient, tmp_path: Path) -> None:
    for _ in range(3):
        _, writer = await sell(desk)
        await control(desk, "terminal", press="approve")
        writer.close()
        await until(desk, connections=0)
    truth = list(csv.DictReader(io.StringIO((await desk.get("/settlement.csv")).text)))
    assert [row["amount"] for row in truth] == ["10000"] * 3
    assert tuple(truth[0]) == COLUMNS
    assert truth[0]["pan_masked"][6:12] == "******"

    planted = list(csv.DictReader(io.StringIO((await desk.get("/settlement.csv", params={"planted": "yes"})).text)))
    assert [row["rrn"] for row in planted] == [truth[0]["rrn"], truth[1]["rrn"], PLANTED_RRN]
    assert int(planted[1]["amount"]) == 10_000 + PLANTED_OVERCHARGE_RIAL
