"""Deciding a doubt and giving money back at a whole box: real pages, real file, real passwords."""

from pathlib import Path

import pytest

from edge.app import create_app
from edge.settings import PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import MANAGER, OPERATOR, People
from edge.store.rebuild import rebuild_projections
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.journal.entry import decode_entry
from shared.payment import PaymentState
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box, approved, requested, sent
from tests.edge.test_app import NOWHERE, visiting
from tests.edge.web.conftest import Browser, Page

PASSWORD = "گذرواژه یک ۱۲۳"
OTHER = "bill:9174639504124:12908190"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A box that went down with a sale at its terminal, and holds a paid bill."""
    box = Box(tmp_path, enrolled=False)
    people = People(box.path)
    verifier = verifier_of(PASSWORD)
    for username, role in (("sara", OPERATOR), ("reza", MANAGER)):
        people.save_operator(username, name=username, verifier=verifier, role=role)
    people.close()
    with box:
        box.write(requested("p-paid", obligation=OTHER), sent("p-paid"), approved("p-paid"))
        box.write(requested("p-doubt"), sent("p-doubt"))
    settings = Settings(
        office_name="دفتر آزمون",
        terminals=(TerminalSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual"),),
        printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
        verify_base="http://127.0.0.1:1",
    )
    save_settings(tmp_path, settings)
    return tmp_path


async def signed_in(person: Browser) -> None:
    await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)


def what_stands(folder: Path) -> list[str]:
    """Return the types of all entries, after holding the projections to them."""
    assert rebuild_projections(Box(folder, enrolled=False).path) == []
    with Box(folder, enrolled=False) as box:
        return [decode_entry(data).type for data, _ in box.queries.entries(0, 100)]


@pytest.mark.parametrize("charged", ["yes", "no"])
async def test_a_manager_decides_at_the_operators_page_and_the_journal_says_so(folder: Path, charged: str) -> None:
    action = "/payments/p-doubt/override"
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        await signed_in(person)
        word = {"charged": charged, "slip_number": "۰۰۰۴۱۲", "reason": "رسید کارتخوان را دیدم"}
        hidden = Page((await person.send(action, action, **word)).text).form(action)
        by_sara = await person.client.post(action, data={**hidden, "username": "sara", "password": PASSWORD})
        assert by_sara.status_code == 403
        done = await person.client.post(action, data={**hidden, "username": "reza", "password": PASSWORD})
        assert done.status_code == 303
        page = await person.page("/payments/p-doubt")
        assert "با گواهی سرپرست" in page.text
        assert "000412" in page.text
        assert ("پرداخت مجدد" in page.text) == (charged == "no")
        again = await person.client.post(action, data={**hidden, "username": "reza", "password": PASSWORD})
        assert again.status_code == 409
    assert what_stands(folder).count("payment.overridden") == 1
    with Box(folder, enrolled=False) as box:
        jobs = [job.document for job in box.queries.print_jobs_for("p-doubt")]
        assert jobs == (["bill_receipt"] if charged == "yes" else [])


async def test_money_back_goes_to_finance_by_two_people_over_a_restart(folder: Path) -> None:
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        await signed_in(person)
        ask = "/payments/p-paid/refund"
        made = await person.send(ask, ask, means="central", reason="قبض مشتری دیگری بود")
        refund = made.headers["location"]
        assert (await person.send(refund, f"{refund}/print")).status_code == 303
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        await signed_in(person)
        assert refund in (await person.page("/refunds")).source
        agreed = await person.send(refund, f"{refund}/agree", username="reza", password=PASSWORD)
        assert agreed.headers["location"] == "/payments/p-paid"
        assert refund not in (await person.page("/refunds")).source
        assert "سرپرست پذیرفت" in (await person.page("/payments/p-paid")).text
    kinds = what_stands(folder)
    assert kinds.index("refund.proposed") < kinds.index("refund.agreed")
    with Box(folder, enrolled=False) as box:
        payment = box.queries.payment("p-paid")
        assert payment is not None
        assert payment.state is PaymentState.APPROVED
        assert [job.document for job in box.queries.print_jobs_for(refund.rsplit("/", 1)[1])] == ["refund_slip"]
