"""What people do with cases: take one up from a break, give it to somebody, write a note; see `closing` for its end."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, update

from central.ledger.cases import NewCase, break_case_id, open_case, write_note
from central.reconciliation.queries import decisions
from central.store.books import money_case
from shared.clock import Clock
from shared.errors import OperatorError

NOTE_SIZE_MAX: Final = 2000


def open_break(engine: Engine, run_id: int, number: int, *, by: str, clock: Clock) -> str:
    """Open the case of a break and return its id; one that is open already is returned.

    The same break found by a later run is the same case. Raises OperatorError `recon.unknown_decision`,
    `case.not_a_break`.
    """
    with engine.begin() as connection:
        return take_break(connection, run_id, number, by=by, at=clock.now())


def take_break(
    connection: Connection,
    run_id: int,
    number: int,
    *,
    by: str,
    at: datetime,
    earlier: str | None = None,
    again: bool = False,
) -> str:
    """Open the case of a break in the caller's transaction; see `open_break`.

    `earlier` is the case it goes on from; `again`: one that was closed is opened again, the break being new.
    """
    found = decisions(connection, run_id, after=number - 1, limit=1)
    if not found or found[0].number != number:
        raise OperatorError("recon.unknown_decision", run_id=run_id)
    decision = found[0]
    if not decision.is_break:
        raise OperatorError("case.not_a_break")
    payment = decision.payments[0] if decision.payments else None
    new = NewCase(
        kind=decision.bucket,  # type: ignore[arg-type]  # a break's bucket is a case kind; a test holds it
        about=decision.break_key,
        amount_rial=abs(decision.difference_rial) or decision.acquirer_rial or decision.office_rial,
        office_id=payment.office_id if payment else None,
        payment_id=payment.payment_id if payment else None,
        facts={
            "run_id": run_id,
            "number": number,
            "rule": decision.rule,
            "office_rial": decision.office_rial,
            "acquirer_rial": decision.acquirer_rial,
            "payments": [[each.office_id, each.payment_id] for each in decision.payments],
            "lines": [[each.file_id, each.line_number] for each in decision.lines],
            **({} if earlier is None else {"earlier_case": earlier}),
        },
    )
    return open_case(connection, new, at=at, by=by, known_id=break_case_id(decision.break_key), again=again)


def assign_case(engine: Engine, case_id: str, *, to: str, by: str, clock: Clock) -> None:
    """Give a case to a person. Raises OperatorError `case.unknown`, `case.closed`."""
    with engine.begin() as connection:
        _open(connection, case_id)
        connection.execute(
            update(money_case).where(money_case.c.case_id == case_id).values(state="assigned", assigned_to=to)
        )
        write_note(connection, case_id, f"→ {to}", by=by, at=clock.now())


def note_case(engine: Engine, case_id: str, text: str, *, by: str, clock: Clock) -> None:
    """Write a note. Raises OperatorError `case.unknown`, `case.closed`, `case.empty_note`."""
    plain = "".join(letter for letter in text.strip() if letter.isprintable() or letter in "\n\u200c")
    if not 0 < len(plain) <= NOTE_SIZE_MAX:
        raise OperatorError("case.empty_note", field="text", max=NOTE_SIZE_MAX)
    with engine.begin() as connection:
        _open(connection, case_id)
        write_note(connection, case_id, plain, by=by, at=clock.now())


def _open(connection: Connection, case_id: str) -> Any:
    """Return an open case and lock it."""
    row = locked_case(connection, case_id)
    if row["state"] == "closed":
        raise OperatorError("case.closed", case_id=case_id)
    return row


def locked_case(connection: Connection, case_id: str) -> Any:
    """Return a case and lock it. Raises OperatorError `case.unknown`."""
    row = (
        connection.execute(select(money_case).where(money_case.c.case_id == case_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise OperatorError("case.unknown", case_id=case_id)
    return row
