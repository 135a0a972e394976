"""A settlement file that corrects another one: the other's rows stay, and count for nothing any more.

All in one transaction: the new file is taken, what the old one settled is turned round in the ledger, everything of
both files' days is compared again, and then

    cases of breaks     end when the corrected file has no such difference, and go on as the new break's case, in the
                        same hands, when it has; one that was closed goes on as an open one
    lost settlements    what was settled by the old file and is a break now gets its case
    answers to offices  that the corrected file contradicts become cases: they cannot be taken back
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, and_, cast, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONPATH

from central.ledger.cases import CENTRAL, NewCase, close_case, open_case, write_note
from central.ledger.closings import CORRECTED
from central.ledger.reasons import REASON_SIZE_MAX, plain_reason
from central.reconciliation.acquirer_files.importing import hold_imports, keep_file
from central.reconciliation.acquirer_files.neutral_csv import SettlementFile, parse_settlement
from central.reconciliation.answering import findings_of, hold_answers
from central.reconciliation.breaks import BREAKS, Bucket
from central.reconciliation.cases import take_break
from central.reconciliation.inputs import LineInput, LineKey, PaymentKey, number_key
from central.reconciliation.matching import Decision, Rules
from central.reconciliation.running import Done, hold_runs, run_now
from central.reconciliation.selecting import Scope, inputs_named
from central.reconciliation.settling import withdraw
from central.reconciliation.views import FileView
from central.store.answers import acquirer_answer
from central.store.books import money_case, office_payment
from central.store.settlements import in_force, recon_member, settlement_correction, settlement_file, settlement_line
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.errors import OperatorError

_GONE: Final = "فایل اصلاحی این مغایرت را ندارد · the corrected file has no such difference: "
_GOES_ON: Final = "فایل اصلاحی هم مغایرت دارد · the corrected file differs too: "


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction did."""

    file: FileView
    run_id: int
    withdrawn_count: int
    """Payments that the old file had settled."""
    ended_count: int
    """Cases of breaks that the corrected file does not have."""
    opened_count: int
    """Cases of breaks that it has."""
    contradicted_count: int
    """Answers to offices that it contradicts."""


def correct_settlement(
    engine: Engine, *, corrects: str, reason: str, name: str, data: bytes, by: str, clock: Clock
) -> Correction:
    """Take a file that corrects the one named `corrects`.

    Raises OperatorError: those of `parse_settlement`; `settlement.no_reason`, `settlement.not_in_force` (unknown, or
    corrected already), `settlement.other_acquirer`, `settlement.same_file`. Nothing is changed then.
    """
    words = plain_reason(reason)
    if words is None:
        raise OperatorError("settlement.no_reason", field="reason", max=REASON_SIZE_MAX)
    parsed = parse_settlement(data)
    at = clock.now()

    def work(connection: Connection) -> Correction:
        hold_imports(connection)
        hold_runs(connection)
        hold_answers(connection)
        old = _lines(connection, corrects)
        _check(connection, corrects, parsed)
        new = keep_file(connection, parsed, name=name, imported_by=by, clock=clock)
        connection.execute(
            insert(settlement_correction).values(
                file_id=corrects, by_file_id=new.file_id, reason=words, corrected_by=by, corrected_at=at
            )
        )
        shared = _settled_beside(connection, corrects)
        lost = withdraw(connection, office_payment.c.settled_file == corrects, at=at)
        done = run_now(connection, _scope(old, parsed), started_by=by, clock=clock)
        ended, opened = _carry_cases(connection, old, new.file_id, done, lost | shared, by=by, at=at)
        contradicted = _contradictions(connection, corrects, new.file_id, done, at=at)
        return Correction(
            file=new,
            run_id=done.view.run.run_id,
            withdrawn_count=len(lost),
            ended_count=ended,
            opened_count=opened,
            contradicted_count=contradicted,
        )

    return in_transaction(engine, work)


def _settled_beside(connection: Connection, file_id: str) -> set[PaymentKey]:
    """Return the payments that a row of another file settled together with rows of this one: shares, or a part back."""
    payment, place, row = office_payment.c, recon_member.alias("place"), recon_member.alias("row")
    rows = connection.execute(
        select(payment.office_id, payment.payment_id)
        .join(place, and_(place.c.office_id == payment.office_id, place.c.payment_id == payment.payment_id))
        .join(row, and_(row.c.run_id == place.c.run_id, row.c.number == place.c.number))
        .where(place.c.run_id == payment.settled_run, row.c.file_id == file_id, payment.settled_file != file_id)
    )
    return {(office_id, payment_id) for office_id, payment_id in rows}


def _lines(connection: Connection, file_id: str) -> list[LineInput]:
    table = settlement_line.c
    query = select(*(table[name] for name in LineInput.__struct_fields__)).where(table.file_id == file_id)
    return [LineInput(**row) for row in connection.execute(query).mappings()]


def _check(connection: Connection, file_id: str, parsed: SettlementFile) -> None:
    table = settlement_file.c
    stands = connection.execute(
        select(table.file_id).where(table.file_id == file_id, in_force(table.file_id))
    ).one_or_none()
    if stands is None:
        raise OperatorError("settlement.not_in_force", file_id=file_id)
    line = settlement_line.c
    acquirers = set(connection.execute(select(line.psp).where(line.file_id == file_id).distinct()).scalars())
    if acquirers.isdisjoint(each.psp for each in parsed.lines):
        raise OperatorError("settlement.other_acquirer", field="file", acquirers=", ".join(sorted(acquirers)))


def _scope(old: Iterable[LineInput], parsed: SettlementFile) -> Scope:
    """Return the days of both files; from the rows' own days on, so that a payment whose row is gone is asked too."""
    days = [(line.financial_date, line.local_date) for line in old]
    days += [(line.financial_date, line.local_date) for line in parsed.lines]
    return Scope(financial_from=min(min(pair) for pair in days), financial_to=max(pair[0] for pair in days))


def _carry_cases(
    connection: Connection,
    old: list[LineInput],
    new_file: str,
    done: Done,
    lost: set[PaymentKey],
    *,
    by: str,
    at: datetime,
) -> tuple[int, int]:
    """End or carry on the cases of breaks, and open those of lost settlements; return how many ended and opened."""
    run_id = done.view.run.run_id
    places = _Places(done, new_file)
    identities = {line.key: _identity(line) for line in old}
    ended, opened = 0, set()
    for case in _break_cases(connection, old, places.matched):
        number = places.break_of(_payments_of(case), [identities.get(line) for line in _lines_of(case)])
        if number is None and case.state == "closed":
            continue
        if number is None:
            _end(connection, case.case_id, f"{_GONE}{new_file}", at=at)
            ended += 1
            continue
        opened.add(number)
        goes_on_as = take_break(connection, run_id, number, by=by, at=at, earlier=case.case_id, again=True)
        if goes_on_as == case.case_id:
            continue
        if case.assigned_to is not None:
            connection.execute(
                update(money_case)
                .where(money_case.c.case_id == goes_on_as, money_case.c.state == "open")
                .values(state="assigned", assigned_to=case.assigned_to)
            )
        if case.state != "closed":
            _end(connection, case.case_id, f"{_GOES_ON}{goes_on_as}", at=at)
    for key in sorted(lost):
        number = places.break_of([key], [])
        if number is not None and number not in opened:
            # The same break may have been in a case before its payment was settled.
            take_break(connection, run_id, number, by=by, at=at, again=True)
            opened.add(number)
    return ended, len(opened)


class _Places:
    """Where payments and rows stand after the correction."""

    def __init__(self, done: Done, new_file: str) -> None:
        self._breaks: dict[object, int] = {}
        self.matched: set[PaymentKey] = set()
        """Payments that a row of the new file settles."""
        lines = {line.key: line for line in done.inputs.lines}
        for number, decision in enumerate(done.decisions, 1):
            if decision.bucket is Bucket.MATCHED and any(file_id == new_file for file_id, _ in decision.lines):
                self.matched.update(decision.payments)
            if decision.is_break:
                self._note(decision, number, lines, new_file)

    def _note(self, decision: Decision, number: int, lines: dict[LineKey, LineInput], new_file: str) -> None:
        for key in decision.payments:
            self._breaks.setdefault(key, number)
        for line in decision.lines:
            if line[0] == new_file:
                self._breaks.setdefault(_identity(lines[line]), number)

    def break_of(self, payments: Iterable[PaymentKey], identities: Iterable[object]) -> int | None:
        """Return the number of the break in which one of these stands, or None."""
        return next((self._breaks[key] for key in (*payments, *identities) if key in self._breaks), None)


def _identity(line: LineInput) -> object:
    """Return what makes rows of two files the same row of the acquirer's."""
    number: object = number_key(line.rrn) or (number_key(line.stan), line.local_date)
    return ("line", number_key(line.terminal_id), number, line.type)


def _break_cases(connection: Connection, old: list[LineInput], matched: set[PaymentKey]) -> list[Any]:
    """Return the cases of breaks that rows of the old file are in; and open ones of payments now settled."""
    table = money_case.c
    file_id = old[0].file_id
    of_file = func.jsonb_path_exists(table.facts, cast(f'$.lines[*] ? (@[0] == "{file_id}")', JSONPATH))
    of_matched = and_(tuple_(table.office_id, table.payment_id).in_(sorted(matched)), table.state != "closed")
    return list(
        connection.execute(
            select(money_case)
            .where(table.kind.in_(sorted(BREAKS)), or_(of_file, of_matched))
            .order_by(table.ordinal)
            .with_for_update()
        )
    )


def _payments_of(case: Any) -> list[PaymentKey]:
    return [(office_id, payment_id) for office_id, payment_id in case.facts.get("payments", ())]


def _lines_of(case: Any) -> list[LineKey]:
    return [(file_id, number) for file_id, number in case.facts.get("lines", ())]


def _end(connection: Connection, case_id: str, note: str, *, at: datetime) -> None:
    write_note(connection, case_id, note, by=CENTRAL, at=at)
    close_case(connection, case_id, outcome=CORRECTED, by=CENTRAL, at=at)


def _contradictions(connection: Connection, old_file: str, new_file: str, done: Done, *, at: datetime) -> int:
    """Open a case for each answer that was told and that the corrected file contradicts; return how many there are.

    *Charged* by a row of the old file that no row says any more, and *not charged* where a row of the new file says the
    contrary; of a reversal, likewise.
    """
    answer = acquirer_answer.c
    old_files = _line_of_files(connection, old_file)
    named = {key for each in done.decisions if any(line[0] == new_file for line in each.lines) for key in each.payments}
    told = connection.execute(
        select(acquirer_answer, office_payment.c.amount_rial)
        .join(
            office_payment,
            and_(office_payment.c.office_id == answer.office_id, office_payment.c.payment_id == answer.payment_id),
        )
        .where(or_(answer.file_id.in_(old_files), tuple_(answer.office_id, answer.payment_id).in_(sorted(named))))
        .order_by(answer.ordinal)
    ).all()
    if not told:
        return 0
    inputs = inputs_named(connection, {(row.office_id, row.payment_id) for row in told})
    findings = findings_of(connection, inputs, Rules())
    payments = {payment.key: payment for payment in inputs.payments}
    count = 0
    for row in told:
        says = findings.row_says(payments[row.office_id, row.payment_id], reversal=bool(row.refund_id))
        proof_gone = row.file_id in old_files and says is None
        if not proof_gone and says in (None, row.charged):
            continue
        new = NewCase(
            kind="answer_contradicted",
            about=f"{row.office_id}/{row.payment_id}/{row.refund_id}/{row.charged}",
            amount_rial=row.amount_rial,
            office_id=row.office_id,
            payment_id=row.payment_id,
            facts={
                "charged": row.charged,
                "rule": row.rule,
                "refund_id": row.refund_id,
                "old_file": old_file,
                "new_file": new_file,
            },
        )
        open_case(connection, new, at=at, again=True)
        count += 1
    return count


def _line_of_files(connection: Connection, file_id: str) -> list[str]:
    """Return a file and all that it corrected, however many times."""
    table = settlement_correction.c
    found, wanted = [file_id], [file_id]
    while wanted:
        wanted = list(connection.execute(select(table.file_id).where(table.by_file_id.in_(wanted))).scalars())
        found += wanted
    return found
