import httpx
import pytest

from central.fleet.policies import standing_policies
from tests.central.web.a_day import Day
from tests.central.web.conftest import send, sign_in

pytestmark = pytest.mark.postgres


async def test_finance_sets_limits_for_an_office_and_everybody_sees_them(day: Day) -> None:
    async with day.client() as mina:
        await sign_in(mina, "mina")
        assert "سیاستی گذاشته نشده است" in (await mina.get("/policies")).text
        answer = await send(
            mina,
            "/policies",
            {
                "office": "72101001",
                "kind": "limits",
                "total_max_rial": "۵۰۰٬۰۰۰٬۰۰۰",
                "count_max": "۴۰۰",
                "running_hours_max": "72",
                "payment_max_rial": "",
            },
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/policies")
    with day.centre.engine.connect() as connection:
        (standing,) = standing_policies(connection)
    policy = standing.policy
    assert (policy.total_max_rial, policy.count_max, policy.running_hours_max, policy.payment_max_rial) == (
        5_000_000_000,
        400,
        72,
        None,
    )
    assert (standing.office_id, policy.set_by) == ("72101001", "mina")
    async with day.client() as reza:
        await sign_in(reza, "reza")
        page = (await reza.get("/policies")).text
        assert "۵۰۰٬۰۰۰٬۰۰۰ تومان" in page
        assert "بی‌سقف" in page
        assert 'action="/policies"' not in page, "an auditor only looks"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "هیچ سقفی نوشته نشده است"),
        ({"count_max": "0"}, "باید از"),
        ({"count_max": "چند"}, "عدد"),
        ({"total_max_rial": "-1"}, "عدد"),
        ({"office": "00000000", "count_max": "5"}, "دفتر"),
    ],
)
async def test_what_cannot_be_a_policy_is_said_at_its_field_and_nothing_is_signed(
    day: Day, typed: dict[str, str], said: str
) -> None:
    async with day.client() as mina:
        await sign_in(mina, "mina")
        answer = await send(mina, "/policies", {"office": "all", "kind": "limits"} | typed)
        assert answer.status_code == 422
        assert said in answer.text
        assert 'id="policy-error"' in answer.text
    with day.centre.engine.connect() as connection:
        assert standing_policies(connection) == []


async def test_an_auditor_signs_nothing(day: Day) -> None:
    async with day.client() as reza:
        await sign_in(reza, "reza")
        token = (await reza.get("/")).text.split('name="csrf" value="')[1].split('"')[0]
        data = {"csrf": token, "office": "all", "kind": "limits", "count_max": "5"}
        answer: httpx.Response = await reza.post("/policies", data=data)
        assert answer.status_code == 403
