"""Running a reconciliation: read the inputs, match, prove that nothing was lost, keep the result, book what is settled.

One run at a time, in one transaction. The same inputs must give the same result as before: a run that differs from an
earlier one over equal inputs is refused, for then one of the two was not a function of its inputs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, and_, func, insert, select

from central.reconciliation.conservation import Totals, break_key, check_conservation, result_sha256
from central.reconciliation.inputs import LineKey, PaymentKey, inputs_sha256
from central.reconciliation.matching import Decision, Rules, match
from central.reconciliation.queries import run
from central.reconciliation.selecting import Inputs, Scope, select_inputs
from central.reconciliation.settling import newly_settled_of, settle, take_back
from central.reconciliation.views import RunView
from central.store.copying import copy_rows
from central.store.settlements import recon_bucket, recon_decision, recon_member, recon_run
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.errors import BugError, IntegrityError

_LOCK_KEY: Final = 0x6461667461720002
"""The advisory lock of runs: "daftar" and a number."""


def reconcile(engine: Engine, scope: Scope, *, started_by: str, clock: Clock, rules: Rules | None = None) -> RunView:
    """Run a reconciliation and return it, kept.

    Raises OperatorError `recon.bad_scope`; IntegrityError `recon.not_conserved`, `recon.not_repeatable` (nothing is
    kept then).
    """

    def work(connection: Connection) -> RunView:
        hold_runs(connection)
        return run_now(connection, scope, started_by=started_by, clock=clock, rules=rules).view

    return in_transaction(engine, work)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was made: what is kept, what it compared, what it decided (decision n is number n + 1 of the run)."""

    view: RunView
    inputs: Inputs
    decisions: tuple[Decision, ...]


def hold_runs(connection: Connection) -> None:
    """Let no other run be made until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
    # A run over many files takes longer than a page may.
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def run_now(connection: Connection, scope: Scope, *, started_by: str, clock: Clock, rules: Rules | None = None) -> Done:
    """Run a reconciliation in the caller's transaction, which holds the runs. Raises what `reconcile` does."""
    rules = rules or Rules()
    inputs = select_inputs(connection, scope, rules)
    decisions = match(inputs.payments, inputs.lines, covered_to=inputs.covered_to, rules=rules)
    totals = check_conservation(inputs.payments, inputs.lines, decisions)
    newly_settled = newly_settled_of(connection, inputs.payments, decisions)
    run_id = _keep(
        connection,
        inputs,
        decisions,
        totals,
        {
            "started_at": clock.now(),
            "started_by": started_by,
            "scope": {**msgspec.to_builtins(scope), "covered_to": msgspec.to_builtins(inputs.covered_to)},
            "rules": msgspec.to_builtins(rules),
            "settled_count": len(newly_settled),
        },
    )
    take_back(connection, decisions, at=clock.now())
    settle(connection, newly_settled, run_id, clock.now())
    kept = run(connection, run_id)
    if kept is None:
        raise BugError("recon.not_kept")
    return Done(view=kept, inputs=inputs, decisions=decisions)


def _keep(
    connection: Connection, inputs: Inputs, decisions: Sequence[Decision], totals: Totals, facts: dict[str, Any]
) -> int:
    values = {
        **facts,
        "payments_sha256": inputs_sha256(inputs.payments),
        "lines_sha256": inputs_sha256(inputs.lines),
        "result_sha256": result_sha256(decisions),
        "payment_count": totals.payment_count,
        "line_count": totals.line_count,
        "office_rial": totals.office_rial,
        "acquirer_rial": totals.acquirer_rial,
        "break_count": totals.break_count,
    }
    _check_repeatable(connection, values)
    run_id: int = connection.execute(insert(recon_run).values(**values).returning(recon_run.c.run_id)).scalar_one()
    connection.execute(
        insert(recon_bucket),
        [{"run_id": run_id, **msgspec.structs.asdict(total), "bucket": str(total.bucket)} for total in totals.buckets],
    )
    copy_rows(
        connection,
        recon_decision,
        _DECISION_COLUMNS,
        (_decision_row(run_id, *each) for each in enumerate(decisions, 1)),
    )
    worth: dict[PaymentKey | LineKey, int] = {payment.key: payment.value_rial for payment in inputs.payments}
    worth.update((line.key, line.value_rial) for line in inputs.lines)
    copy_rows(
        connection,
        recon_member,
        _MEMBER_COLUMNS,
        (row for number, each in enumerate(decisions, 1) for row in _member_rows(run_id, number, each, worth)),
    )
    return run_id


def _check_repeatable(connection: Connection, values: dict[str, Any]) -> None:
    same = ("payments_sha256", "lines_sha256", "scope", "rules")
    earlier = connection.execute(
        select(recon_run.c.run_id, recon_run.c.result_sha256)
        .where(and_(*(recon_run.c[name] == values[name] for name in same)))
        .order_by(recon_run.c.run_id.desc())
        .limit(1)
    ).one_or_none()
    if earlier is not None and earlier.result_sha256 != values["result_sha256"]:
        raise IntegrityError("recon.not_repeatable", run_id=earlier.run_id)


_DECISION_COLUMNS: Final = (
    "run_id",
    "number",
    "bucket",
    "rule",
    "is_break",
    "office_rial",
    "acquirer_rial",
    "break_key",
)


def _decision_row(run_id: int, number: int, decision: Decision) -> tuple[object, ...]:
    return (
        run_id,
        number,
        str(decision.bucket),
        decision.rule,
        decision.is_break,
        decision.office_rial,
        decision.acquirer_rial,
        break_key(decision),
    )


_MEMBER_COLUMNS: Final = (
    "run_id",
    "number",
    "side",
    "place",
    "office_id",
    "payment_id",
    "file_id",
    "line_number",
    "value_rial",
)


def _member_rows(
    run_id: int, number: int, decision: Decision, worth: Mapping[PaymentKey | LineKey, int]
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of one decision's members. `worth` says what each input is worth in rial."""
    for place, key in enumerate(decision.payments):
        yield run_id, number, "office", place, *key, None, None, worth[key]
    for place, line in enumerate(decision.lines):
        yield run_id, number, "acquirer", place, None, None, *line, worth[line]
