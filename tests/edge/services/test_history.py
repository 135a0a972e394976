"""The history of a real box: services by their applicant, while the month's key is kept, and where they stand."""

from collections.abc import AsyncIterator

import pytest

from edge.journal.finding import Sought, Term, applicant_term, group_term, listed_term, person_term
from edge.services.history import History
from edge.store.rebuild import rebuild_projections
from tests.edge.services.office import Office
from tests.edge.services.service_desk import FEE_RIAL, Desk, desk_of

PLATE = "992728388"
OTHER = {"plate": "112728388", "national_code": "0084575948"}


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    with desk_of(office) as opened:
        yield opened


@pytest.fixture
def history(desk: Desk) -> History:
    return History(desk.box.queries, desk.catalogues)


def about(history: History, value: str) -> tuple[Term, ...]:
    return tuple(Term(applicant_term(key)) for key in history.applicant_keys(value))


def inquiries(history: History, *demands: tuple[Term, ...]) -> list[str]:
    sought: Sought = ((Term(listed_term("inquiry")),), *demands)
    return [one.inquiry_id for one in history.inquiries_at(history.find(sought, None, 10))]


async def test_a_request_and_its_fee_are_found_by_the_plate_and_by_no_other(desk: Desk, history: History) -> None:
    inquiry_id = await desk.paid_request()
    assert inquiries(history, about(history, PLATE)) == [inquiry_id]
    assert inquiries(history, about(history, "112728388")) == []
    fees = history.find(((Term(listed_term("payment")),), about(history, PLATE)), None, 10)
    assert [fee.amount_rial for fee in history.payments_at(fees)] == [FEE_RIAL]
    who = history.applicants([inquiry_id, "nobody"])
    assert (who[inquiry_id].value, who[inquiry_id].tail) == (PLATE, "388")
    assert "nobody" not in who


async def test_what_is_paid_for_and_unseen_is_to_be_reviewed_until_it_is_shown(desk: Desk, history: History) -> None:
    review, unpaid = ((Term(group_term(group)),) for group in ("review", "unpaid"))
    waits = await desk.ask()
    assert (inquiries(history, unpaid), inquiries(history, review)) == ([waits], [])
    inquiry_id = await desk.paid_request(fields=OTHER)
    assert (inquiries(history, unpaid), inquiries(history, review)) == ([waits], [inquiry_id])
    desk.printed(inquiry_id)
    desk.answer(inquiry_id)
    assert inquiries(history, review) == [inquiry_id]
    await desk.selling.show(inquiry_id, operator="sara")
    assert inquiries(history, review) == []
    assert rebuild_projections(desk.box.path) == []


async def test_once_the_months_key_is_forgotten_nobody_is_named_and_nobody_found(desk: Desk, history: History) -> None:
    inquiry_id = await desk.paid_request()
    desk.box.within(lambda view: view._connection.execute("DELETE FROM private_key"))  # type: ignore[attr-defined]
    who = history.applicants([inquiry_id])[inquiry_id]
    assert (who.value, who.tail) == (None, "388")
    assert inquiries(history, about(history, PLATE)) == []


async def test_what_a_person_did_is_listed_newest_first(desk: Desk, history: History) -> None:
    inquiry_id = await desk.ask()
    await desk.pay_fee(inquiry_id)
    acts = history.acts_at(history.find(((Term(person_term("sara")),),), None, 10))
    assert [act.body.type for act in acts] == ["payment.requested", "service.requested"]
