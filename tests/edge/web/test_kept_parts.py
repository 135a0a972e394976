"""Parts of pages that are kept show what is so now: each change is seen by the very next page."""

import re
from importlib.resources import files

import msgspec
import pytest
from jinja2 import meta, nodes

from edge.journal.health_view import DiskView, HealthView
from edge.web.templating import environment_of
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, Browser
from tests.edge.web.fake_counter import FakeCounter


async def header(operator: Browser) -> str:
    return (await operator.page("/history/payments")).source.split('id="gauges"')[1].split('<div class="side">')[0]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"state": PaymentState.IN_DOUBT}, "پرداخت شد", "نامشخص"),
        ({"printed": 1}, "چاپ رسید", "رونوشت"),
        ({"amount_rial": 18_000}, "۱۷٬۰۰۰", "۱۸٬۰۰۰"),
        ({"confirmation": "confirmed"}, "در صف تأیید", "تأیید شد"),
        ({"bill_id": None}, "قبض تلفن ثابت", "پرداخت"),
    ],
)
async def test_a_row_of_the_history_shows_what_changed(
    operator: Browser, counter: FakeCounter, change: dict[str, object], before: str, after: str
):
    payment = counter.add_payment(BILL, PaymentState.APPROVED, stan="006441", confirmation="queued")
    row = re.compile(r"<tbody>.*</tbody>", re.DOTALL)
    shown = row.findall((await operator.page("/history/payments")).source)[0]
    counter.change_payment(payment.payment_id, **change)
    now = row.findall((await operator.page("/history/payments")).source)[0]
    assert before in shown
    assert after in now
    assert before not in now


async def test_a_row_keeps_no_other_visitor_s_form_token(operator: Browser, counter: FakeCounter):
    counter.add_payment(BILL, PaymentState.IN_DOUBT)
    first = (await operator.page("/history/payments")).all("input", name="csrf")
    operator.client.cookies.clear()
    await operator.sign_in()
    second = (await operator.page("/history/payments")).all("input", name="csrf")
    assert len({field["value"] for field in first}) == len({field["value"] for field in second}) == 1
    assert len(first) == len(second)
    assert first[0]["value"] != second[0]["value"]


async def test_the_header_shows_what_changed(operator: Browser, counter: FakeCounter):
    seen = [await header(operator)]
    for change in (
        lambda: counter.add_payment(BILL, PaymentState.IN_DOUBT),
        lambda: setattr(counter, "terminal_view", msgspec.structs.replace(counter.terminal_view, state="unreachable")),
        lambda: setattr(counter, "printer_view", msgspec.structs.replace(counter.printer_view, state="paper_end")),
        lambda: setattr(counter, "line_view", msgspec.structs.replace(counter.line_view, state="none")),
        lambda: setattr(counter.queries, "unsent_count", counter.queries.unsent_count + 1),
    ):
        assert await header(operator) == seen[-1]
        change()
        seen.append(await header(operator))
    assert len(set(seen)) == len(seen)


async def test_a_note_about_the_box_is_there_at_once(operator: Browser, counter: FakeCounter):
    assert "۹۶" not in (await operator.page("/")).text
    counter.health_now = HealthView(disk=DiskView(level="full", percent=96, takes_new=False))
    assert "۹۶" in (await operator.page("/")).text


async def test_frames_that_are_kept_lead_back_to_the_page_they_stand_around(operator: Browser, counter: FakeCounter):
    payments = [counter.add_payment(BILL, PaymentState.APPROVED).payment_id for _ in range(2)]
    for address in (f"/payments/{payments[0]}", "/history/payments", f"/payments/{payments[1]}", "/history/payments"):
        shown = await operator.page(address)
        assert {field["value"] for field in shown.all("input", name="next")} == {address}
        marked = [link["href"] for link in shown.all("a", **{"aria-current": "page"})]
        assert marked == ([] if address.startswith("/payments/") else [address, address]), "in the menu and in the tabs"


async def test_a_frame_that_is_kept_is_no_other_person_s(operator: Browser, counter: FakeCounter):
    first = await operator.page("/about")
    for token, person in counter.sessions.items():
        counter.sessions[token] = msgspec.structs.replace(person, name="زهرا <محمدی>", role="manager")
    second = await operator.page("/about")
    assert "زهرا &lt;محمدی&gt;" in second.source.split('id="lock-title"')[1]
    assert "زهرا" not in first.source
    assert (len(first.all("a", href="/people")), len(second.all("a", href="/people"))) == (0, 1)


def test_a_kept_part_can_show_nothing_but_what_it_is_given():
    folder = files("edge.web").joinpath("templates")
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    kept = {
        name
        for source in sources.values()
        for name in re.findall(r'kept(?:_around|_whole)?\((?:[a-z_. |]+, )?"([a-z_.]+)"', source)
    }
    assert {"frame.html", "foot.html", "lock_dialog.html", "history_table.html", "history_payment.html"} <= kept
    for name in kept:
        parsed = environment_of("fa").parse(sources[name])
        own = {found.name for found in parsed.find_all(nodes.Name) if found.ctx != "load"}
        assert meta.find_undeclared_variables(parsed) - own <= set(environment_of("fa").globals), name
