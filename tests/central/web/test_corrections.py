"""Sending a corrected settlement file through the pages."""

import re

import httpx
import pytest

from tests.central.web.a_day import Day, settlement, with_differences
from tests.central.web.conftest import send, sign_in, token_of, upload

pytestmark = pytest.mark.postgres


async def correct(client: httpx.AsyncClient, path: str, data: bytes, reason: str) -> httpx.Response:
    token = token_of((await client.get("/files")).text)
    return await client.post(
        f"{path}/correction", data={"csrf": token, "reason": reason}, files={"file": ("v2.csv", data, "text/csv")}
    )


async def test_a_second_file_of_the_day_asks_what_it_is_and_corrects_or_adds(day: Day, mina: httpx.AsyncClient) -> None:
    first = (await upload(mina, with_differences(day))).headers["location"].partition("?")[0]
    await send(mina, "/runs")
    mended = settlement(day, {"number": 1, "amount": 17_000}, {"number": 2, "amount": 1_250_000})
    asked = await upload(mina, mended, "v2.csv")
    assert asked.status_code == 409
    assert f"{first}#correct" in asked.text
    assert 'name="adds"' in asked.text

    refused = await correct(mina, first, mended, " ")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    done = await correct(mina, first, mended, "پذیرنده گفت مبلغ سطر ۳ نادرست بود")
    assert done.status_code == 303
    page = (await mina.get(done.headers["location"])).text
    assert "این فایل اصلاحِ فایل دیگری است" in page
    assert "مبلغ سطر ۳ نادرست بود" in page
    old = (await mina.get(first)).text
    assert "سطرهایش دیگر شمرده نمی‌شود" in old
    assert "/correction" not in old
    assert "اصلاح شده" in (await mina.get("/files")).text
    runs = re.findall(r'href="/runs/(\d+)"', (await mina.get("/runs")).text)
    assert "2" in runs
    assert (await correct(mina, first, with_differences(day), "x")).status_code == 409


async def test_an_auditor_cannot_correct(day: Day, mina: httpx.AsyncClient) -> None:
    first = (await upload(mina, with_differences(day))).headers["location"].partition("?")[0]
    async with day.client() as reza:
        await sign_in(reza, "reza")
        assert "/correction" not in (await reza.get(first)).text
        assert (await correct(reza, first, b"x", "x")).status_code == 403
