"""Which payments and lines a run compares, and reading them.

A scope names a start; whatever shares a key with it joins, so that a run never calls a row unknown or missing because
its partner, or the row it repeats, lies on the other side of the scope's edge.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Date, Text, and_, bindparam, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from central.reconciliation.breaks import Bucket
from central.reconciliation.inputs import SAID_NOT_CHARGED, LineInput, LineKey, PaymentInput, PaymentKey, number_key
from central.reconciliation.matching import Rules
from central.store.books import office_payment
from central.store.settlements import (
    acquirer_terminal,
    in_force,
    recon_decision,
    recon_member,
    settlement_file,
    settlement_line,
    settlement_reach,
)
from shared.errors import OperatorError
from shared.payment import PaymentState


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What to reconcile: a range of financial dates (both ends in it), or with none given all that is open."""

    financial_from: date | None = None
    financial_to: date | None = None

    def check(self) -> None:
        """Raise OperatorError `recon.bad_scope` for half a range or one that is the wrong way round."""
        first, last = self.financial_from, self.financial_to
        if (first is None) != (last is None) or (first is not None and last is not None and first > last):
            raise OperatorError("recon.bad_scope", field="financial_from")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a run compares. `covered_to` is the last financial date that any imported file reaches."""

    payments: tuple[PaymentInput, ...]
    lines: tuple[LineInput, ...]
    covered_to: date | None


PAYMENT_COLUMNS: Final = [office_payment.c[name] for name in PaymentInput.__struct_fields__ if name in office_payment.c]
_LINE_COLUMNS: Final = [settlement_line.c[name] for name in LineInput.__struct_fields__]
_ZERO: Final[ColumnElement[str]] = literal_column("'0'")
"""Not a parameter: the indexes are over this very expression."""
_DONE_WITH: Final = (Bucket.MATCHED, Bucket.NOT_SETTLED)


def select_inputs(connection: Connection, scope: Scope, rules: Rules) -> Inputs:
    """Return the inputs of a run. Raises OperatorError `recon.bad_scope`."""
    scope.check()
    # Read first: a file that is imported while the others are read may add rows, but never makes a payment overdue.
    covered_to = connection.execute(
        select(func.max(settlement_file.c.financial_to)).where(in_force(settlement_file.c.file_id))
    ).scalar()
    reach = _reach(connection)
    lines = {line.key: line for line in _lines(connection, _lines_of_scope(scope))}
    payments = {each.key: each for each in _payments(connection, _payments_of_scope(scope, lines.values(), rules))}
    _add(payments, _payments_named_by(connection, lines.values()))
    joined = _lines_named_by(connection, payments.values())
    _add(payments, _payments_named_by(connection, [line for line in joined if line.key not in lines]))
    _add(lines, joined)
    covered = _covered(connection, payments.values(), reach)
    return Inputs(payments=tuple(covered), lines=tuple(lines.values()), covered_to=covered_to)


def _reach(connection: Connection) -> dict[str, date]:
    """Return the last financial date that the files of each acquirer reach."""
    table = settlement_reach.c
    query = (
        select(table.psp, func.max(table.financial_to).label("last")).where(in_force(table.file_id)).group_by(table.psp)
    )
    return {row.psp: row.last for row in connection.execute(query)}


def _covered(
    connection: Connection, payments: Iterable[PaymentInput], reach: Mapping[str, date]
) -> Iterator[PaymentInput]:
    """Yield the payments with how far their own acquirer's files reach: another's file makes none of them due."""
    table = acquirer_terminal.c
    # Two acquirers, or one that has no file in force: then any file counts, as for a terminal that none ever named.
    known = connection.execute(
        select(table.terminal, func.min(table.psp)).group_by(table.terminal).having(func.count() == 1)
    )
    of_terminal = {terminal: reach[psp] for terminal, psp in known if psp in reach}
    for payment in payments:
        last = of_terminal.get(number_key(payment.terminal_number) or "")
        yield payment if last is None else msgspec.structs.replace(payment, covered_to=last)


def inputs_around(
    connection: Connection, keys: Iterable[PaymentKey], *, since: date, terminals: Iterable[str]
) -> Inputs:
    """Return these payments, every line of their terminals from a day on, and all that shares a key with either.

    What belongs to another payment is then matched with it, and is nobody else's.
    """
    table, line = office_payment.c, settlement_line.c
    numbers = sorted({number for terminal in terminals if (number := number_key(terminal)) is not None})
    payments = {
        each.key: each for each in _payments(connection, tuple_(table.office_id, table.payment_id).in_(sorted(keys)))
    }
    at_terminals = func.ltrim(line.terminal_id, _ZERO).in_(numbers)
    lines = {each.key: each for each in _lines(connection, and_(at_terminals, line.local_date >= since))}
    _add(payments, _payments_named_by(connection, lines.values()))
    joined = _lines_named_by(connection, payments.values())
    _add(payments, _payments_named_by(connection, [each for each in joined if each.key not in lines]))
    _add(lines, joined)
    return Inputs(payments=tuple(payments.values()), lines=tuple(lines.values()), covered_to=None)


def inputs_named(connection: Connection, keys: Iterable[PaymentKey]) -> Inputs:
    """Return these payments, the lines that name them, and all that these may name instead."""
    table = office_payment.c
    wanted = tuple_(table.office_id, table.payment_id).in_(sorted(keys))
    payments = {each.key: each for each in _payments(connection, wanted)}
    lines = {each.key: each for each in _lines_named_by(connection, payments.values())}
    _add(payments, _payments_named_by(connection, lines.values()))
    _add(lines, _lines_named_by(connection, payments.values()))
    return Inputs(payments=tuple(payments.values()), lines=tuple(lines.values()), covered_to=None)


def _add(known: dict[Any, Any], more: Iterable[Any]) -> None:
    for each in more:
        known.setdefault(each.key, each)


def _lines_of_scope(scope: Scope) -> ColumnElement[bool]:
    if scope.financial_from is not None:
        return settlement_line.c.financial_date.between(scope.financial_from, scope.financial_to)
    done_with = (
        select(recon_member.c.run_id)
        .join(
            recon_decision,
            and_(recon_decision.c.run_id == recon_member.c.run_id, recon_decision.c.number == recon_member.c.number),
        )
        .where(
            recon_member.c.file_id == settlement_line.c.file_id,
            recon_member.c.line_number == settlement_line.c.line_number,
            recon_decision.c.bucket.in_([str(bucket) for bucket in _DONE_WITH]),
        )
    )
    return ~done_with.exists()


def _payments_of_scope(scope: Scope, lines: Iterable[LineInput], rules: Rules) -> ColumnElement[bool]:
    table = office_payment
    days = [line.local_date for line in lines]
    window = timedelta(days=rules.window_days)
    if scope.financial_from is not None:
        # Rows of a financial day are of the day before, mostly: the payments of the rows' own days are asked too.
        return table.c.local_date.between(min([scope.financial_from, *days]) - window, scope.financial_to)
    said_not = table.c.state.in_(sorted(str(state) for state in SAID_NOT_CHARGED | {PaymentState.REVERSED}))
    # What was settled and is said since not to be charged stays open until its row is taken back, too.
    open_ones = or_(and_(table.c.settled_file.is_(None), ~said_not), and_(table.c.settled_file.is_not(None), said_not))
    if not days:
        return open_ones
    # A payment that is said not to be charged matters only where a line could tell otherwise.
    near = and_(table.c.settled_file.is_(None), table.c.local_date.between(min(days) - window, max(days) + window))
    return or_(open_ones, near)


def _payments(connection: Connection, where: ColumnElement[bool]) -> list[PaymentInput]:
    rows = connection.execute(select(*PAYMENT_COLUMNS).where(where)).mappings()
    return [PaymentInput(**{**row, "state": PaymentState(row["state"])}) for row in rows]


def _lines(connection: Connection, where: ColumnElement[bool]) -> list[LineInput]:
    query = select(*_LINE_COLUMNS).where(where, in_force(settlement_line.c.file_id))
    return [LineInput(**row) for row in connection.execute(query).mappings()]


def _keyed(
    terminal: ColumnElement[Any], number: ColumnElement[Any], keys: Sequence[tuple[str, str]], name: str
) -> ColumnElement[bool]:
    """Return the condition that (terminal, number), without leading zeros, is one of the keys."""
    wanted = (
        func.unnest(
            bindparam(f"{name}_terminals", [key[0] for key in keys], type_=ARRAY(Text)),
            bindparam(f"{name}_numbers", [key[1] for key in keys], type_=ARRAY(Text)),
        )
        .table_valued("terminal", "number", name=name)
        .render_derived()
    )
    return and_(
        number != "",
        func.row(func.ltrim(terminal, _ZERO), func.ltrim(number, _ZERO)).in_(
            select(wanted.c.terminal, wanted.c.number)
        ),
    )


def _keyed_by_day(
    terminal: ColumnElement[Any],
    number: ColumnElement[Any],
    day: ColumnElement[Any],
    keys: Sequence[tuple[str, str, date]],
    name: str,
) -> ColumnElement[bool]:
    """Return the condition that (terminal, number, day) is one of the keys."""
    wanted = (
        func.unnest(
            bindparam(f"{name}_terminals", [key[0] for key in keys], type_=ARRAY(Text)),
            bindparam(f"{name}_numbers", [key[1] for key in keys], type_=ARRAY(Text)),
            bindparam(f"{name}_days", [key[2] for key in keys], type_=ARRAY(Date)),
        )
        .table_valued("terminal", "number", "day", name=name)
        .render_derived()
    )
    return and_(
        number != "",
        func.row(func.ltrim(terminal, _ZERO), func.ltrim(number, _ZERO), day).in_(
            select(wanted.c.terminal, wanted.c.number, wanted.c.day)
        ),
    )


def _pairs(pairs: Iterable[tuple[str | None, str | None]]) -> list[tuple[str, str]]:
    """Return keys without leading zeros, those with an empty part left out, sorted."""
    keys = {(number_key(terminal), number_key(number)) for terminal, number in pairs}
    return sorted((terminal, number) for terminal, number in keys if terminal is not None and number is not None)


def _days(triples: Iterable[tuple[str | None, str | None, date]]) -> list[tuple[str, str, date]]:
    keys = {(number_key(terminal), number_key(number), day) for terminal, number, day in triples}
    return sorted((first, second, day) for first, second, day in keys if first is not None and second is not None)


def _payments_named_by(connection: Connection, lines: Iterable[LineInput]) -> list[PaymentInput]:
    """Return the payments that these lines may be about."""
    given = list(lines)
    if not given:
        return []
    by_rrn = _pairs(
        (line.terminal_id, number) for line in given for number in (line.rrn, line.original_rrn, line.share_of)
    )
    by_stan = _days((line.terminal_id, line.stan, line.local_date) for line in given)
    table = office_payment.c
    found = _payments(connection, _keyed(table.terminal_number, table.rrn, by_rrn, "rrn"))
    return found + _payments(
        connection, _keyed_by_day(table.terminal_number, table.stan, table.local_date, by_stan, "stan")
    )


def _lines_named_by(connection: Connection, payments: Iterable[PaymentInput]) -> list[LineInput]:
    """Return the lines that may be about these payments: sales, their shares, what was taken back."""
    given = list(payments)
    if not given:
        return []
    by_rrn = _pairs((payment.terminal_number, payment.rrn) for payment in given)
    by_stan = _days((payment.terminal_number, payment.stan, payment.local_date) for payment in given)
    table = settlement_line.c
    found: dict[LineKey, LineInput] = {}
    for number in (table.rrn, table.original_rrn, table.share_of):
        _add(found, _lines(connection, _keyed(table.terminal_id, number, by_rrn, "rrn")))
    _add(found, _lines(connection, _keyed_by_day(table.terminal_id, table.stan, table.local_date, by_stan, "stan")))
    return list(found.values())
