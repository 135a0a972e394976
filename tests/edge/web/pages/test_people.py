"""A manager's page of the people, a person's own, the greeting, and the locked page without a script."""

import re

import msgspec
import pytest

from edge.journal.people import LastSignIn, OperatorView, SignInView
from edge.services.people.permissions import Permitted
from shared.acts import ACTS
from shared.errors import OperatorError
from tests.edge.web.conftest import BILL_ID, PAYMENT_ID, Browser, Page
from tests.edge.web.fake_counter import PASSWORD, FakeCounter
from tests.edge.web.fake_people import AT, HERE

SARA = "/people/sara"


def become(counter: FakeCounter, **members: object) -> None:
    """Make the person who signed in another one."""
    for token, person in counter.sessions.items():
        counter.sessions[token] = msgspec.structs.replace(person, **members)


@pytest.fixture
def manager(operator: Browser, counter: FakeCounter) -> Browser:
    become(counter, role="manager")
    return operator


async def test_a_manager_sees_everybody_and_is_told_to_have_two_managers(manager: Browser, counter: FakeCounter):
    page = await manager.page("/people")
    assert {"/people/mina", "/people/sara"} <= {link["href"] for link in page.all("a")}
    assert "دست‌کم دو سرپرست داشته باشید" in page.text
    assert "۲ تلاش ناموفق از آن پس" in page.text
    assert (await manager.page("/")).all("a", href="/people")
    counter.people.known["reza"] = OperatorView(username="reza", name="رضا", role="manager")
    assert "دست‌کم دو سرپرست" not in (await manager.page("/people")).text


async def test_an_operator_is_not_offered_the_page(operator: Browser):
    assert not (await operator.page("/")).all("a", href="/people")


async def test_a_person_is_added_and_what_was_wrong_stands_at_its_field(manager: Browser, counter: FakeCounter):
    typed = {"username": "ali", "name": "علی", "role": "operator", "first_password": "x", "own_password": "wrong"}
    refused = await manager.send("/people", "/people", **typed)
    page = Page(refused.text)
    assert refused.status_code == 401
    assert page.field("own_password")["aria-invalid"] == "true"
    assert (page.field("username")["value"], page.field("name")["value"]) == ("ali", "علی")
    assert not any(found.get("value") for found in page.all("input", type="password"))
    counter.people.refuses = OperatorError("people.username_taken", field="username", username="ali")
    taken = await manager.send("/people", "/people", **typed | {"own_password": PASSWORD})
    assert (taken.status_code, Page(taken.text).field("username")["aria-invalid"]) == (409, "true")
    counter.people.refuses = None
    added = await manager.send("/people", "/people", **typed | {"own_password": PASSWORD})
    assert added.headers["location"] == "/people/ali?done=added"
    assert counter.asked == [("add", "ali")]


async def test_permissions_are_ticked_and_kept(manager: Browser, counter: FakeCounter):
    counter.people.rows.set["sara"] = Permitted(frozenset({"*"}), frozenset({"refunds"}))
    page = await manager.page(SARA)
    boxes = {box["value"]: "checked" in box for box in page.all("input", name="act")}
    assert set(ACTS) < set(boxes)
    assert [act for act, ticked in boxes.items() if not ticked] == ["refunds"]
    hidden = page.form(f"{SARA}/permissions")
    kept = await manager.client.post(
        f"{SARA}/permissions",
        data={"csrf": hidden["csrf"], "shown": list(boxes), "act": ["bills"], "own_password": PASSWORD},
    )
    assert kept.headers["location"] == f"{SARA}?done=permissions"
    assert counter.people.permitted("sara") == Permitted(frozenset({"bills"}), frozenset(boxes) - {"bills"})
    assert "اجازه‌ها ثبت شد" in (await manager.page(kept.headers["location"])).text


@pytest.mark.parametrize(
    ("form", "values", "asked"),
    [
        ("name", {"name": "سارا", "role": "manager"}, "change"),
        ("password", {"first_password": "چهار واژه"}, "reset"),
        ("access", {}, "deny"),
        ("sign-out", {}, "end_sessions"),
    ],
)
async def test_each_change_takes_the_managers_own_password(
    manager: Browser, counter: FakeCounter, form: str, values: dict[str, str], asked: str
):
    action = f"{SARA}/{form}"
    refused = await manager.send(SARA, action, **values, own_password="wrong")
    assert refused.status_code == 401
    assert re.search(rf'id="{form}-own"[^>]*aria-invalid', refused.text)
    assert counter.asked == []
    done = await manager.send(SARA, action, **values, own_password=PASSWORD)
    assert (done.status_code, counter.asked) == (303, [(asked, "sara")])


async def test_the_last_manager_is_said_at_the_form_and_an_unknown_name_is_no_page(
    manager: Browser, counter: FakeCounter
):
    counter.people.refuses = OperatorError("people.last_manager", username="mina")
    refused = await manager.send("/people/mina", "/people/mina/access", own_password=PASSWORD)
    assert (refused.status_code, "تنها سرپرست دفتر" in refused.text) == (409, True)
    assert (await manager.get("/people/nobody")).status_code == 404


async def test_who_signed_in_reads_once_when_they_were_in_last_and_who_tried(operator: Browser, counter: FakeCounter):
    wrong = SignInView(at=AT, place=HERE, right=False)
    (token,) = counter.sessions
    counter.people.greetings[token] = LastSignIn(
        last=SignInView(at=AT, place=HERE, right=True), failed_count=3, failed=wrong
    )
    first = await operator.page("/")
    assert "آخرین ورود: ۱۴:۱۱:۰۵" in first.text
    assert "۳ تلاش ناموفق از آن پس." in first.text
    assert "10.0.0.7" in first.text
    assert "تلاش ناموفق" not in (await operator.page("/")).text


async def test_the_profile_says_who_one_is_and_what_one_may_do(operator: Browser, counter: FakeCounter):
    counter.people.rows.set["reza"] = Permitted(frozenset({"bills"}))
    page = await operator.page("/profile")
    for words in ("رضا کریمی", "متصدی", "کد دفتر 72101001", "مستندات فعال‌سازی و استفاده از سامانه", "خروج از همه"):
        assert words in page.text
    assert "مجاز : پرداخت قبض تکی" in page.text.replace("مجاز:", "مجاز :")
    assert "غیرمجاز : درخواست برگشت پول" in page.text.replace("غیرمجاز:", "غیرمجاز :")
    left = await operator.send("/profile", "/sign-out/everywhere")
    assert (left.headers["location"], counter.sessions) == ("/sign-in", {})


async def test_a_lent_password_opens_one_page_until_it_is_changed(operator: Browser, counter: FakeCounter):
    become(counter, must_change=True)
    assert (await operator.get("/")).headers["location"] == "/password"
    part = await operator.get("/live", **{"hx-request": "true"})
    assert part.headers["hx-redirect"] == "/password"
    assert "سرپرست گذاشته است" in (await operator.page("/password")).text
    new = {"new_password": "سه واژه نامربوط", "again_password": "سه واژه نامربوط"}
    wrong = await operator.send("/password", "/password", old_password="wrong", **new)
    assert (wrong.status_code, Page(wrong.text).field("old_password")["aria-invalid"]) == (401, "true")
    changed = await operator.send("/password", "/password", old_password=PASSWORD, **new)
    assert changed.headers["location"] == "/profile?changed=yes"
    assert (await operator.get("/")).status_code == 200


async def test_a_form_sent_from_a_locked_page_waits_for_the_password(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}")).form("/payments")
    counter.people.locked.update(counter.sessions)
    locked = await operator.client.post("/payments", data={**hidden, "own_password": "a secret"})
    assert (locked.status_code, counter.asked) == (423, [])
    assert "a secret" not in locked.text
    assert "72101001" not in locked.text, "nothing of the office is behind the lock"
    typed = Page(locked.text).form("/unlock")
    wrong = await operator.client.post("/unlock", data={**typed, "password": "wrong"})
    assert wrong.status_code == 401
    opened = await operator.client.post("/unlock", data={**Page(wrong.text).form("/unlock"), "password": PASSWORD})
    again = Page(opened.text).form("/payments")
    assert {name: value for name, value in again.items() if name != "csrf"} == {
        name: value for name, value in hidden.items() if name != "csrf"
    }
    assert (await operator.client.post("/payments", data=again)).status_code == 303
    assert len(counter.asked) == 1


async def test_a_page_asked_for_while_locked_is_gone_on_to(operator: Browser, counter: FakeCounter):
    counter.people.locked.update(counter.sessions)
    locked = await operator.get("/history/payments?q=1")
    assert locked.status_code == 423
    form = Page(locked.text).form("/unlock")
    opened = await operator.client.post("/unlock", data={**form, "password": PASSWORD})
    assert opened.headers["location"] == "/history/payments?q=1"


async def test_only_what_a_person_does_keeps_a_page_open(operator: Browser, counter: FakeCounter):
    counter.people.active.clear()
    await operator.get("/live", **{"hx-request": "true"})
    left = await operator.get("/presence")
    assert (left.text, counter.people.active) == ("600000", [])
    hidden = (await operator.page("/")).form("/lock")
    await operator.client.post("/presence", data=hidden)
    assert len(counter.people.active) == 2
    await operator.client.post("/lock", data=hidden)
    assert counter.people.locked == set(counter.sessions)
    assert (await operator.get("/presence", **{"x-daftar-part": "lock"})).text == ""
