"""Money back at a terminal that undoes a sale by its receipt's number, whatever it sold since."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.devices.terminals.driver import TerminalDriver
from edge.devices.terminals.outcome import OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.give_back import GiveBack
from edge.services.judge_outcome import judge_reversal
from shared.events import Evidence
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.people import PASSWORD
from tests.edge.services.test_give_back import REASON, giving_back, refund
from tests.edge.services.test_judge_outcome import PAYMENT

S = PaymentState


class Voiding(TerminalDriver):
    """The driver of a terminal whose approvals name its receipt, and which voids by that number."""

    said: OrderAnswer | None = None
    """What it answers to an order; None: it does what it is told."""
    told: list[str]

    async def sale(self, **asked: Any) -> TerminalOutcome:
        outcome = await super().sale(**asked)
        if outcome.evidence is None or outcome.kind != "approved":
            return outcome
        numbered = msgspec.structs.replace(outcome.evidence, receipt_number=(outcome.evidence.stan or "")[-4:])
        return msgspec.structs.replace(outcome, evidence=numbered)

    async def void(
        self, *, amount_rial: int, stan: str, receipt_number: str, terminal_number: str | None = None
    ) -> OrderAnswer:
        self.told.append(receipt_number)
        said = Evidence(
            source="reversal", response_code="00", amount_rial=amount_rial, terminal_number=terminal_number, stan=stan
        )
        return self.said or OrderAnswer(kind="done", evidence=said)


@contextmanager
def voiding(office: Office) -> Iterator[tuple[Voiding, GiveBack]]:
    driver = office.terminal
    driver.__class__ = Voiding
    assert isinstance(driver, Voiding)
    driver.told = []
    capable = msgspec.structs.replace(driver.profile.capabilities, void=True)
    # What is sent stays Behpardakht's; only a profile of ZVT may say that it voids.
    driver.profile = msgspec.structs.replace(driver.profile, protocol="zvt", capabilities=capable)
    with giving_back(office) as back:
        yield driver, back


async def paid_twice(office: Office) -> str:
    """Pay two bills; return the first, which is not the terminal's newest any more."""
    office.virtual.set_auto("approve")
    first = await office.pay(WATER)
    assert await office.ends(first) is S.APPROVED
    assert await office.ends(await office.pay(POWER)) is S.APPROVED
    return first


async def voided(office: Office, back: GiveBack, payment_id: str) -> str:
    refund_id = await back.propose(payment_id, means="void", reason=REASON, operator="sara")
    await back.agree(refund_id, username="reza", password=PASSWORD)
    await office.until(lambda: not back.under_way(payment_id))
    return refund_id


async def test_an_earlier_sale_is_voided_by_the_number_of_its_receipt_and_frees_the_bill(office: Office) -> None:
    with voiding(office) as (driver, back):
        first = await paid_twice(office)
        payment = office.payment(first)
        assert payment.receipt_number == (payment.stan or "")[-4:]
        assert back.means_of(payment) == ("void", "central")
        refund_id = await voided(office, back, first)
        assert driver.told == [payment.receipt_number]
        assert (office.payment(first).state, refund(office, refund_id).state) == (S.REVERSED, "done")
        told, done = (office.kinds().index(f"payment.{what}") for what in ("reversal_requested", "reversed"))
        assert told < done
        assert await office.ends(await office.pay(WATER)) is S.APPROVED


@pytest.mark.parametrize(
    ("said", "state", "request_state"),
    [
        (OrderAnswer(kind="refused", reason="refused"), S.APPROVED, "refused"),
        (OrderAnswer(kind="in_doubt", reason="no_answer"), S.REVERSAL_IN_DOUBT, "in_doubt"),
    ],
)
async def test_a_void_refused_or_unanswered_leaves_the_bill_paid(
    office: Office, said: OrderAnswer, state: PaymentState, request_state: str
) -> None:
    with voiding(office) as (driver, back):
        first = await paid_twice(office)
        driver.said = said
        refund_id = await voided(office, back, first)
        assert (office.payment(first).state, refund(office, refund_id).state) == (state, request_state)


async def test_without_the_receipts_number_finance_gives_it_back(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal) as office:
        terminal.set_auto("approve")
        before = await office.pay(WATER)
        assert await office.ends(before) is S.APPROVED
        with voiding(office) as (_, back):
            assert back.means_of(office.payment(before)) == ("central",)


def test_another_sale_told_as_the_last_one_says_nothing_about_a_void() -> None:
    doubt = msgspec.structs.replace(PAYMENT, state=S.REVERSAL_IN_DOUBT, stan="000007")
    last = Evidence(source="last_transaction", response_code="00", amount_rial=PAYMENT.amount_rial, stan="000009")
    answer = StatusAnswer(kind="approved", evidence=last, response_code="00")
    assert judge_reversal(doubt, answer, believed=True, enough=True) == []
    own = msgspec.structs.replace(answer, evidence=msgspec.structs.replace(last, stan="000007"))
    assert [body.type for body in judge_reversal(doubt, own, believed=True, enough=True)] == [
        "payment.reversal_refused"
    ]
