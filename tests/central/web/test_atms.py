"""ATMs at central: what an office journaled stands on the pages, and the bank's answer goes onto its feed."""

import pytest
from sqlalchemy import Engine, select

from central.store.fleet import feed_entry
from shared.events import (
    FEED_BODIES,
    AtmCashCounted,
    AtmCashLoaded,
    AtmCassette,
    AtmFaultClosed,
    AtmFaultNoted,
    AtmFaultOpened,
    AtmRegistered,
    AtmStateReported,
    AtmTicketAnswered,
    CassetteCount,
    CassetteNotes,
    decode_body,
)
from shared.journal.entry import decode_entry
from tests.central.reconciliation.test_running import OFFICE, post
from tests.central.web.a_day import Day
from tests.central.web.conftest import send, sign_in

pytestmark = pytest.mark.postgres

NOTE = 1_000_000
TICKET = f"/atms/{OFFICE}/tickets/t-1"


def fill(engine: Engine) -> None:
    post(
        engine,
        AtmRegistered(
            atm_id="a-1",
            bank="062",
            number="20417",
            place="کنار در",
            cassettes=(AtmCassette(cassette=1, denomination_rial=NOTE, capacity=2_500),),
            operator="sara",
        ),
        AtmCashLoaded(
            report_id="r-1",
            atm_id="a-1",
            how="replaced",
            cassettes=(CassetteNotes(cassette=1, denomination_rial=NOTE, notes=500),),
            operator="sara",
        ),
        AtmCashCounted(
            report_id="r-2",
            atm_id="a-1",
            cassettes=(CassetteCount(cassette=1, denomination_rial=NOTE, notes=498, expected=500),),
            operator="sara",
        ),
        AtmStateReported(report_id="r-3", atm_id="a-1", state="limited", note="رسید نمی‌دهد", operator="sara"),
        AtmFaultOpened(ticket_id="t-1", ticket=7, atm_id="a-1", kind="receipt_paper", operator="sara"),
        AtmFaultOpened(ticket_id="t-2", ticket=8, atm_id="a-1", kind="line", operator="sara"),
        AtmFaultClosed(ticket_id="t-2", outcome="fixed", operator="sara"),
        AtmFaultNoted(note_id="n-1", ticket_id="t-nobody", text="پرونده‌ای که نیست", operator="sara"),
    )


def answers(engine: Engine) -> list[AtmTicketAnswered]:
    with engine.connect() as connection:
        rows = connection.execute(select(feed_entry.c.data).where(feed_entry.c.type == AtmTicketAnswered.type))
        bodies = [decode_body(AtmTicketAnswered.type, bytes(decode_entry(row).body), FEED_BODIES) for (row,) in rows]
    return [body for body in bodies if isinstance(body, AtmTicketAnswered)]


async def test_finance_sees_open_faults_first_and_answers_for_the_bank(day: Day) -> None:
    engine = day.centre.engine
    fill(engine)
    async with day.client() as mina:
        await sign_in(mina, "mina")
        page = (await mina.get("/atms")).text
        assert page.index("کاغذ یا چاپ رسید") < page.index("قطع ارتباط با بانک"), "what waits for the bank comes first"
        assert "خودپرداز آینده (اکنون ملی)" in page
        assert "۴۹۸٬۰۰۰٬۰۰۰" in page
        assert "رو به پایان" in page
        machine = (await mina.get(f"/atms/{OFFICE}/a-1")).text
        assert "کسری ۲٬۰۰۰٬۰۰۰ ریال" in machine
        bad = await send(mina, f"{TICKET}/answers", {"answer": "resolved", "text": "کارت 6037991234567893"})
        assert (bad.status_code, "شمارهٔ کارت" in bad.text) == (422, True)
        assert answers(engine) == []
        said = {"answer": "technician", "text": "فردا می‌آید", "reference": "88-1"}
        assert (await send(mina, f"{TICKET}/answers", said)).headers["location"] == TICKET
        shown = (await mina.get(TICKET)).text
        assert ("تکنسین در راه است" in shown, "88-1" in shown) == (True, True)
        closed = await send(mina, f"/atms/{OFFICE}/tickets/t-2/answers", {"answer": "accepted"})
        assert (closed.status_code, "بسته شده است" in closed.text) == (422, True)
        assert (await send(mina, f"/atms/{OFFICE}/tickets/t-9/answers", {"answer": "accepted"})).status_code == 404
    (answer,) = answers(engine)
    assert (answer.ticket_id, answer.answer, answer.bank_reference, answer.answered_by) == (
        "t-1",
        "technician",
        "88-1",
        "mina",
    )
    post(engine, AtmFaultNoted(note_id="n-2", ticket_id="t-1", text="هنوز نیامده", operator="sara"))
    async with day.client() as reza:
        await sign_in(reza, "reza")
        page = (await reza.get(TICKET)).text
        assert "هنوز نیامده" in page
        assert f'action="{TICKET}/answers"' not in page, "an auditor only looks"
        assert (await send(reza, f"{TICKET}/answers", {"answer": "accepted"})).status_code == 403
        reza.cookies.set("daftar_central_language", "en")
        assert "Technician on the way" in (await reza.get(f"/atms?office={OFFICE}")).text
