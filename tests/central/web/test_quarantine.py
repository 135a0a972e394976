"""The page of a journal in quarantine: what it shows, and that two people decide on it."""

import re
from urllib.parse import quote

import httpx
import pytest

from central.ledger.receive import post_entries
from tests.central.ingest.offices import OFFICE, exchange
from tests.central.web.a_day import PASSWORD, Day
from tests.central.web.conftest import send, sign_in

pytestmark = pytest.mark.postgres


async def test_two_people_let_a_box_go_on_through_the_page(day: Day, mina: httpx.AsyncClient) -> None:
    receiver = day.centre.receiver(post_entries)
    image = day.box.image("restored")
    exchange(day.box, receiver)
    image.write(1)
    exchange(image, receiver)
    path = f"/quarantine?journal={quote(day.box.log.name)}"
    assert path.replace("/1/1", "%2F1%2F1").split("=")[0] in (await mina.get(f"/offices/{OFFICE}")).text
    shown = (await mina.get(path)).text
    assert "ادامهٔ شاخهٔ اصلی است" in shown
    (asker,) = re.findall(r'<option value="([^"]+)"', shown)
    fields = {"journal": day.box.log.name, "kind": "go_on", "asker": asker, "reason": "حافظه عوض شد"}
    refused = await send(mina, "/quarantine", {**fields, "reason": " "})
    assert refused.status_code == 422
    assert (await send(mina, "/quarantine", fields)).status_code == 303
    own = await send(mina, "/quarantine/1/agree", {"journal": day.box.log.name})
    assert (own.status_code, "کس دیگری باید موافقت کند" in own.text) == (422, True)
    async with day.client() as reza:
        await sign_in(reza, "reza")
        assert (await send(reza, "/quarantine/1/agree", {"journal": day.box.log.name})).status_code == 403
        assert "<textarea" not in (await reza.get(path)).text
    day.web.people.add("sara", name="سارا", password=PASSWORD)
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, "/quarantine/1/agree", {"journal": day.box.log.name})).status_code == 303
        assert "در قرنطینه نیست" in (await sara.get(path)).text
    assert exchange(image, receiver).status in ("ok", "resume")


async def test_a_retired_journal_says_how_its_next_one_is_made(day: Day, mina: httpx.AsyncClient) -> None:
    receiver = day.centre.receiver(post_entries)
    image = day.box.image("restored")
    day.box.write(1)
    exchange(day.box, receiver)
    image.write(2)
    exchange(image, receiver)
    fields = {"journal": day.box.log.name, "kind": "retire", "book_aside": "yes", "reason": "کارت نسخه‌برداری شده"}
    assert (await send(mina, "/quarantine", fields)).status_code == 303
    day.web.people.add("sara", name="سارا", password=PASSWORD)
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, "/quarantine/1/drop", {"journal": day.box.log.name})).status_code == 303
        assert (await send(sara, "/quarantine", fields)).status_code == 303
    assert (await send(mina, "/quarantine/2/agree", {"journal": day.box.log.name})).status_code == 303
    shown = (await mina.get(f"/quarantine?journal={quote(day.box.log.name)}")).text
    assert f"daftar central office code {OFFICE} --replace 1" in shown
    assert (await mina.get("/quarantine?journal=none")).status_code == 404
