"""Closing cases, by one person with a reason or by two; and taking a closing back, by two.

What is proposed, agreed and dropped stays (`case_closing`), is said in the case's notes, and is booked in the same
transaction (`central.ledger.closings`).
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accounts import PAID_OUT
from central.ledger.beyond import follow_beyond
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.cases import close_case, open_again, write_note
from central.ledger.closings import (
    AMOUNT_DIFFERS,
    BY_CENTRAL,
    CORRECTED,
    HAD_TWICE,
    OUTCOME_NAMES,
    PAID_BACK,
    REOPENED,
    UNANSWERED,
    Outcome,
    Standing,
    closing_transfers,
    is_of,
    outcomes_of,
    takes_two,
    turned_round,
)
from central.ledger.locking import lock_payments
from central.ledger.paying_out import ANSWER_AWAITED_FOR, Answer, answer_of, ask_again, follow_claims, paid_from
from central.ledger.reasons import REASON_SIZE_MAX, plain_reason
from central.ledger.store import load_payment, write_transfers
from central.reconciliation.cases import locked_case
from central.reconciliation.closing_limits import check_has_twice, check_left
from central.reconciliation.views import CaseView
from central.store.books import case_closing, ledger_transfer, money_case, office_payment
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.errors import OperatorError


class ClosingView(msgspec.Struct, frozen=True, kw_only=True):
    """What was proposed of a case. `state`: proposed, agreed, dropped."""

    closing_id: int
    outcome: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


def propose_closing(engine: Engine, case_id: str, *, outcome: str, reason: str, by: str, clock: Clock) -> bool:
    """Close a case, or have it wait for a second person; return whether it is closed.

    Of a closed case, `reopened` may be proposed. Raises OperatorError `case.unknown`, `case.closed`, `case.not_closed`,
    `case.bad_outcome`, `case.no_reason`, `case.closing_waits`.
    """
    words = plain_reason(reason)
    if words is None:
        raise OperatorError("case.no_reason", field="reason", max=REASON_SIZE_MAX)
    at = clock.now()
    with engine.begin() as connection:
        case = locked_case(connection, case_id)
        if outcome not in (*outcomes_of(case["kind"]), REOPENED):
            raise OperatorError("case.bad_outcome", field="outcome")
        _check_state(case, outcome)
        if outcome != REOPENED and not takes_two(case["kind"], outcome):
            write_note(connection, case_id, f"✓ {_named(outcome)}: {words}", by=by, at=at)
            close_case(connection, case_id, outcome=outcome, by=by, at=at)
            return True
        new = connection.execute(
            insert(case_closing)
            .values(case_id=case_id, outcome=outcome, reason=words, state="proposed", proposed_by=by, proposed_at=at)
            .on_conflict_do_nothing()
            .returning(case_closing.c.closing_id)
        ).one_or_none()
        if new is None:
            raise OperatorError("case.closing_waits")
        write_note(connection, case_id, f"… {_named(outcome)}: {words}", by=by, at=at)
        return False


def agree_closing(engine: Engine, case_id: str, closing_id: int, *, by: str, clock: Clock) -> None:
    """Agree to what another person proposed: it is booked and done.

    Raises OperatorError `case.unknown`, `case.closed`, `case.not_closed`, `case.no_closing`, `case.one_person`,
    `case.booked_already`, `case.answer_awaited`, `case.no_answer_awaited`, `case.difference_gone`.
    """
    at = clock.now()
    in_transaction(engine, lambda connection: _agree(connection, case_id, closing_id, by=by, at=at))


def _agree(connection: Connection, case_id: str, closing_id: int, *, by: str, at: datetime) -> None:
    _lock_payment_of(connection, case_id)
    case = locked_case(connection, case_id)
    closing = _waiting(connection, case_id, closing_id)
    if closing.proposed_by == by:
        raise OperatorError("case.one_person")
    _check_state(case, closing.outcome)
    reopens = closing.outcome == REOPENED
    made = _taken_back(connection, case, closing_id) if reopens else _moved(connection, case, closing, at=at)
    _decide(connection, closing_id, "agreed", by=by, at=at)
    write_transfers(
        connection,
        case["office_id"],
        made,
        payment_id=case["payment_id"],
        source_kind="case",
        source=case_id,
        at=at,
    )
    write_note(connection, case_id, f"✓ {_named(closing.outcome)}", by=by, at=at)
    if reopens:
        open_again(connection, case_id)
        payment = _payment_of(connection, case)
        if payment is not None and any(map(_is_paid, made)):
            follow_claims(connection, payment, by=f"case/{closing_id}", why=REOPENED, at=at)
            ask_again(connection, payment, at)
            key = (payment.office_id, payment.payment_id)
            follow_beyond(connection, [key], settled=False, by=f"case/{closing_id}", at=at)
    else:
        close_case(connection, case_id, outcome=closing.outcome, by=f"{closing.proposed_by} + {by}", at=at)


def _lock_payment_of(connection: Connection, case_id: str) -> None:
    """Lock the payment that a case is about, before the case: see `central.ledger.locking`."""
    table = money_case.c
    query = select(table.office_id, table.payment_id).where(table.case_id == case_id, table.payment_id.is_not(None))
    lock_payments(connection, [(row.office_id, row.payment_id) for row in connection.execute(query)])


def drop_closing(engine: Engine, case_id: str, closing_id: int, *, by: str, clock: Clock) -> None:
    """Drop what was proposed; its own proposer may too. Raises OperatorError `case.unknown`, `case.no_closing`."""
    at = clock.now()
    with engine.begin() as connection:
        locked_case(connection, case_id)
        closing = _waiting(connection, case_id, closing_id)
        _decide(connection, closing_id, "dropped", by=by, at=at)
        write_note(connection, case_id, f"✕ {_named(closing.outcome)}", by=by, at=at)


def closings(connection: Connection, case_id: str) -> tuple[ClosingView, ...]:
    """Return what was proposed of a case, oldest first."""
    table = case_closing
    query = (
        select(*(table.c[name] for name in ClosingView.__struct_fields__))
        .where(table.c.case_id == case_id)
        .order_by(table.c.closing_id)
    )
    return tuple(ClosingView(**row) for row in connection.execute(query).mappings())


def _named(outcome: str) -> str:
    return " · ".join(OUTCOME_NAMES[outcome])


def _check_state(case: Any, outcome: str) -> None:
    if outcome == REOPENED and case["state"] != "closed":
        raise OperatorError("case.not_closed", case_id=case["case_id"])
    if outcome != REOPENED and case["state"] == "closed":
        raise OperatorError("case.closed", case_id=case["case_id"])


def _waiting(connection: Connection, case_id: str, closing_id: int) -> Any:
    table = case_closing
    row = connection.execute(
        select(table)
        .where(table.c.case_id == case_id, table.c.closing_id == closing_id, table.c.state == "proposed")
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise OperatorError("case.no_closing")
    return row


def _decide(connection: Connection, closing_id: int, state: str, *, by: str, at: datetime) -> None:
    connection.execute(
        update(case_closing)
        .where(case_closing.c.closing_id == closing_id)
        .values(state=state, decided_by=by, decided_at=at)
    )


def _payment_of(connection: Connection, case: Any) -> PaymentBook | None:
    if case["office_id"] is None or case["payment_id"] is None:
        return None
    return load_payment(connection, case["office_id"], case["payment_id"])


def outcomes_offered(connection: Connection, view: CaseView, at: datetime) -> tuple[Outcome, ...]:
    """Return the ends that a person is offered: of the two by which a customer is paid, the one that is true."""
    outcomes = outcomes_of(view.case.kind)
    answer: Answer = "none"
    if view.payment is not None:
        whole = view.payment if view.item is None else view.item
        answer = _answer(connection, msgspec.structs.asdict(view.case), whole.amount_rial, at)
    untrue = "refunded" if answer == "given_up" else UNANSWERED
    return tuple(outcome for outcome in outcomes if outcome != untrue)


def _answer(connection: Connection, case: Any, whole_rial: int, at: datetime) -> Answer:
    """Return what is awaited of a biller that may be taking what a case gives the customer back."""
    if case["kind"] in (AMOUNT_DIFFERS, HAD_TWICE) or case["amount_rial"] < whole_rial:
        return "none"
    return answer_of(connection, case["office_id"], case["payment_id"], case["item"], at)


def _check_answered(connection: Connection, case: Any, payment: PaymentBook, outcome: str, at: datetime) -> None:
    """Check that no biller may be taking what the customer gets back, or that two people know that none answered.

    Raises OperatorError `case.answer_awaited`, `case.no_answer_awaited`.
    """
    whole = payment if case["item"] is None else payment.items[case["item"]]
    answer = _answer(connection, case, whole.amount_rial, at)
    if outcome == UNANSWERED and answer == "none":
        raise OperatorError("case.no_answer_awaited", case_id=case["case_id"])
    if answer == "awaited" or (answer == "given_up" and outcome != UNANSWERED):
        hours = ANSWER_AWAITED_FOR // timedelta(hours=1)
        raise OperatorError("case.answer_awaited", case_id=case["case_id"], hours=hours)


def _moved(connection: Connection, case: Any, closing: Any, *, at: datetime) -> list[Transfer]:
    """Return what the closing books."""
    if case["office_id"] is None or case["payment_id"] is None:
        return []
    payment = _payment_of(connection, case)
    if payment is not None and closing.outcome in PAID_BACK:
        _check_answered(connection, case, payment, closing.outcome, at)
    table = office_payment.c
    settled_run = connection.execute(
        select(table.settled_run).where(table.office_id == case["office_id"], table.payment_id == case["payment_id"])
    ).scalar()
    if case["kind"] == AMOUNT_DIFFERS and (settled_run or 0) > case["facts"].get("run_id", 0):
        raise OperatorError("case.difference_gone", case_id=case["case_id"])
    paid_out = {} if payment is None else {one.code: rial for one, rial in paid_from(connection, payment).items()}
    standing = Standing(
        payment=payment,
        settled=settled_run is not None,
        item=case["item"],
        paid_out=paid_out,
        had_twice=case["kind"] == HAD_TWICE,
        settles_rial=case["facts"].get("acquirer_rial") if case["kind"] == AMOUNT_DIFFERS else None,
    )
    made = closing_transfers(
        standing,
        closing.outcome,
        amount_rial=case["amount_rial"],
        closing_id=closing.closing_id,
    )
    if made and payment is not None and case["kind"] != HAD_TWICE:
        check_left(connection, case, made, payment)
    elif made:
        check_has_twice(connection, case, made)
    return made


def _taken_back(connection: Connection, case: Any, closing_id: int) -> list[Transfer]:
    """Return what takes back the booking of the case's last closing; nothing where it booked nothing.

    Of a case that central ended itself, once news had opened it again, that is what a customer was paid: all that the
    news left as it was.
    """
    by_itself = case["outcome"] in (BY_CENTRAL, CORRECTED)
    last = connection.execute(
        select(case_closing.c.closing_id)
        .where(
            case_closing.c.case_id == case["case_id"],
            case_closing.c.state == "agreed",
            case_closing.c.outcome.in_(PAID_BACK) if by_itself else case_closing.c.outcome == case["outcome"],
        )
        .order_by(case_closing.c.closing_id.desc())
        .limit(1)
    ).scalar()
    if last is None or case["office_id"] is None:
        return []
    every = case_transfers(connection, case)
    made = [each for each in every if is_of(each.transfer_id, last)]
    if by_itself:
        paid_rial = sum(
            each.amount_rial if each.credit == PAID_OUT.code else -each.amount_rial for each in every if _is_paid(each)
        )
        made = [each for each in made if _is_paid(each) and paid_rial > 0]
    return turned_round(made, closing_id=closing_id)


def _is_paid(transfer: Transfer) -> bool:
    return PAID_OUT.code in (transfer.debit, transfer.credit)


def case_transfers(connection: Connection, case: Any) -> list[Transfer]:
    """Return what the closings of a case booked, oldest first."""
    table = ledger_transfer.c
    query = (
        select(*(table[name] for name in Transfer.__struct_fields__))
        .where(
            table.office_id == case["office_id"],
            table.payment_id == case["payment_id"],
            table.source_kind == "case",
            table.source == case["case_id"],
        )
        .order_by(table.ordinal)
    )
    return [Transfer(**row) for row in connection.execute(query).mappings()]
