"""Services through the box's API before real central and the sandbox provider: what each is asked, paid and given."""

import itertools
from typing import Any

import pytest

from tests.system.demo import Demo

pytestmark = [pytest.mark.system]

_KEYS = itertools.count(1)
OWNER = {"national_code": "0499370899", "mobile": "09123456789"}


def press(demo: Demo, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post under a key of its own."""
    answer: dict[str, Any] = demo.api("POST", path, body, key=f"services-{next(_KEYS)}")
    return answer


def request(demo: Demo, code: str, **fields: str) -> str:
    body = {"fields": fields, "rules_accepted": True}
    inquiry_id: str = press(demo, f"/services/{code}/requests", body)["inquiry_id"]
    return inquiry_id


def view(demo: Demo, inquiry_id: str) -> dict[str, Any]:
    found: dict[str, Any] = demo.api("GET", f"/service-requests/{inquiry_id}")
    return found


def answered(demo: Demo, inquiry_id: str) -> dict[str, Any]:
    demo.until("the answer", lambda: "answer" not in view(demo, inquiry_id)["missing"])
    if "print" in view(demo, inquiry_id)["missing"]:
        demo.api("POST", f"/service-requests/{inquiry_id}/receipt")
    demo.until("the open gate", lambda: view(demo, inquiry_id)["document"] is not None)
    return view(demo, inquiry_id)


def pay(demo: Demo, inquiry_id: str, *keys: str) -> str:
    body = {"keys": list(keys)}
    payment_id: str = press(demo, f"/service-requests/{inquiry_id}/payments", body)["payment_id"]
    demo.confirmed(payment_id)
    return payment_id


def test_violations_are_paid_together_and_seen_with_their_pictures(demo: Demo) -> None:
    demo.terminal(auto=True)
    inquiry_id = request(demo, "car_fines_detail", plate="67و34110", **OWNER)
    assert view(demo, inquiry_id)["document"] is None
    press(demo, f"/service-requests/{inquiry_id}/fee", {})
    shown = answered(demo, inquiry_id)
    assert shown["document"]["values"]["total"] == "20094000"
    items = shown["document"]["items"]
    assert [item["payable"]["amount_rial"] for item in items] == [600_000, 900_000, 18_594_000]
    demo.api("POST", f"/service-requests/{inquiry_id}/images", {"item": items[0]["key"]})
    demo.until("the pictures", lambda: len(view(demo, inquiry_id)["images"].get(items[0]["key"], [])) == 2)
    picture = demo.box.get(f"/api/v1/service-requests/{inquiry_id}/images/{items[0]['key']}/0")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    pay(demo, inquiry_id, items[0]["key"], items[1]["key"])
    paid = view(demo, inquiry_id)["payments"]
    assert {paid[item["key"]]["confirmation"] for item in items[:2]} == {"confirmed"}
    # Who asks again sees what is left.
    again = request(demo, "car_fines_detail", plate="67و34110", **OWNER)
    press(demo, f"/service-requests/{again}/fee", {})
    assert answered(demo, again)["document"]["values"]["total"] == "18594000"


def test_a_top_up_and_a_pin_are_bought_once_though_an_answer_is_lost(demo: Demo) -> None:
    demo.terminal(auto=True)
    before = demo.provider.get("/control/state").json()
    demo.provider.post("/control/bad-day", json={"kind": "lost", "on": "approve", "times": 2}).raise_for_status()
    direct = request(demo, "top_up", mobile="09123456789", operator="mci", amount="51000")
    assert answered(demo, direct)["payable"] == ["total"]
    pay(demo, direct, "total")
    coded = request(demo, "top_up_pin", mobile="09123456789", operator="mtn")
    key = answered(demo, coded)["payable"][0]
    pay(demo, coded, key)
    assert view(demo, coded)["fulfilments"][key].keys() == {"pin", "serial"}
    after = demo.provider.get("/control/state").json()
    assert after["pins_sold"] == before["pins_sold"] + 1
    new = [order for name, order in after["orders"].items() if name not in before["orders"]]
    assert [order["approvals"] for order in new] == [1]


def test_a_paid_request_without_a_result_is_finished_without_a_second_fee(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.provider.post("/control/bad-day", json={"kind": "wrong_parameter", "on": "service"}).raise_for_status()
    inquiry_id = request(demo, "passport_post", **OWNER)
    press(demo, f"/service-requests/{inquiry_id}/fee", {})
    demo.until("the answer that is none", lambda: view(demo, inquiry_id)["outcome"] == "wrong_parameter")
    stands = view(demo, inquiry_id)
    assert (stands["state"], stands["may_retry"], stands["case_id"]) == ("needs_review", True, None)
    demo.api("POST", f"/service-requests/{inquiry_id}/retry")
    demo.until("the answer", lambda: view(demo, inquiry_id)["outcome"] == "done")
    assert answered(demo, inquiry_id)["document"]["values"]["post_barcode"]


def test_a_fee_whose_service_is_refused_for_good_is_owed_back(demo: Demo) -> None:
    demo.terminal(auto=True)
    demo.provider.post("/control/bad-day", json={"kind": "refused", "on": "service"}).raise_for_status()
    inquiry_id = request(demo, "licence_post", **OWNER)
    press(demo, f"/service-requests/{inquiry_id}/fee", {})
    demo.until("the refusal", lambda: view(demo, inquiry_id)["outcome"] == "refused")
    stands = view(demo, inquiry_id)
    assert (stands["state"], stands["document"]) == ("refused", None)
    assert stands["case_id"].startswith("case-")
