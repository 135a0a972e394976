"""What pages read of payments and of the ledger: frozen structs, never rows.

Lists page by cursor: pass the `ordinal` of the last row shown as `before`; newest first.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from central.ledger.accounts import AccountKind, Side, account_name
from central.ledger.item_queries import charges_of_bill, payment_items
from central.ledger.obligations import holders
from central.ledger.unsettled import is_late
from central.store.books import (
    PAYMENT_NAMES,
    ledger_account,
    ledger_transfer,
    money_case,
    office_payment,
    payment_entry,
)
from shared.payment import PaymentState


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the centre knows it. `…_claim` are the box's own times, as it wrote them."""

    office_id: str
    payment_id: str
    ordinal: int
    journal_id: str
    obligation: str
    purpose: str
    method: str
    amount_rial: int
    state: PaymentState
    terminal: str
    terminal_number: str | None
    reference: str
    operator: str
    bill_id: str | None
    bill_payment_id: str | None
    inquiry_id: str | None
    service: str
    """The catalogue's service that it is for; empty for a bill that was scanned or typed."""
    group_id: str
    """Under which bills were put together at the counter, in one charge or in one each."""
    item_count: int
    """How many obligations the charge pays one by one (`item_queries`); 0: it is the one."""
    stan: str | None
    rrn: str | None
    pan: str | None
    response_code: str | None
    in_doubt_reason: str | None
    slip_number: str | None
    requested_index: int
    requested_claim: str
    approved_claim: str | None
    outcome_index: int | None
    outcome_leaf: bytes | None
    received_at: datetime
    changed_at: datetime
    confirmation: str
    """`none` (nothing to confirm), `queued`, `confirmed`, `refused`."""
    refusal_reason: str | None
    provider: str | None
    provider_reference: str | None
    confirmed_at: datetime | None
    settled_file: str | None
    settled_line: int | None
    unacknowledged: bool
    """Approved, and the terminal takes it back unless it is told to keep it; not known to be told."""
    refunds: dict[str, dict[str, Any]]
    """What was said of giving it back, by refund id; as `PaymentBook.refunds`."""
    open_case: str | None
    """A case about it that is not closed, the newest."""


class PaymentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list; None and empty mean all. `text` is an id, RRN, STAN, terminal number or bill id, whole.

    `late_on`: only what is late to be settled on that day.
    """

    office_id: str | None = None
    states: tuple[PaymentState, ...] = ()
    confirmation: str | None = None
    settled: bool | None = None
    late_on: date | None = None
    text: str = ""


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One journal entry of a payment's life. `body` is the entry's body as JSON."""

    journal_id: str
    entry_index: int
    leaf: bytes
    type: str
    at_claim: str
    clock: str
    received_at: datetime
    body: dict[str, Any]


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer. `phase`: pending, posted, post (ends a pending), void (ends a pending)."""

    office_id: str
    transfer_id: str
    ordinal: int
    phase: str
    pending_id: str | None
    debit: str
    credit: str
    amount_rial: int
    reason: str
    payment_id: str | None
    source_kind: str
    source: str
    made_at: datetime


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its sums. `balance_rial` is on the account's own side; pending is in no balance."""

    code: str
    kind: str
    detail: str
    side: Side
    name_fa: str
    name_en: str
    debits_rial: int
    credits_rial: int
    balance_rial: int
    pending_debits_rial: int
    pending_credits_rial: int


class TrialBalance(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts; `debits_rial == credits_rial` always (a test and each run of the books hold it)."""

    accounts: tuple[AccountView, ...]
    debits_rial: int
    credits_rial: int


_OPEN_CASE = (
    select(money_case.c.case_id)
    .where(
        money_case.c.office_id == office_payment.c.office_id,
        money_case.c.payment_id == office_payment.c.payment_id,
        money_case.c.state != "closed",
    )
    .order_by(money_case.c.ordinal.desc())
    .limit(1)
    .scalar_subquery()
    .label("open_case")
)


def payment_rows(*where: Any) -> Select[Any]:
    """Return the SELECT whose rows `to_payments` reads."""
    columns = [office_payment.c[name] for name in PaymentRow.__struct_fields__ if name != "open_case"]
    return select(*columns, _OPEN_CASE).where(*where)


def to_payments(connection: Connection, query: Select[Any]) -> tuple[PaymentRow, ...]:
    """Return the rows of a `payment_rows` query."""
    return tuple(
        PaymentRow(**{**row, "state": PaymentState(row["state"])}) for row in connection.execute(query).mappings()
    )


def payments(
    connection: Connection, wanted: PaymentFilter, *, before: int | None = None, limit: int = 50
) -> tuple[PaymentRow, ...]:
    """Return payments, newest first."""
    where: list[Any] = []
    if wanted.office_id:
        where.append(office_payment.c.office_id == wanted.office_id)
    if wanted.states:
        where.append(office_payment.c.state.in_([str(state) for state in wanted.states]))
    if wanted.confirmation:
        where.append(office_payment.c.confirmation == wanted.confirmation)
    if wanted.settled is not None:
        settled = office_payment.c.settled_file.is_not(None)
        where.append(settled if wanted.settled else ~settled)
    if wanted.late_on is not None:
        where.append(is_late(wanted.late_on))
    if "\x00" in wanted.text:
        return ()
    if wanted.text:
        # Found first, by the index over all names, and ordered then: a name that is nobody's would otherwise be looked
        # for through every payment there is.
        named = select(office_payment.c.ordinal).where(
            literal_column(PAYMENT_NAMES, ARRAY(Text)).contains(cast([wanted.text], ARRAY(Text)))
        )
        found = (
            union(named, charges_of_bill(wanted.text)).cte("named").prefix_with("MATERIALIZED", dialect="postgresql")
        )
        where.append(office_payment.c.ordinal.in_(select(found.c.ordinal)))
    if before is not None:
        where.append(office_payment.c.ordinal < before)
    return to_payments(connection, payment_rows(*where).order_by(office_payment.c.ordinal.desc()).limit(limit))


def payment(connection: Connection, office_id: str, payment_id: str) -> PaymentRow | None:
    """Return one payment, or None."""
    found = to_payments(
        connection,
        payment_rows(office_payment.c.office_id == office_id, office_payment.c.payment_id == payment_id),
    )
    return found[0] if found else None


def same_obligation(connection: Connection, row: PaymentRow) -> tuple[PaymentRow, ...]:
    """Return other payments of the same obligation, or of one of its items', in any office, oldest first."""
    items = payment_items(connection, row.office_id, row.payment_id)
    obligations = {item.obligation for item in items} or {row.obligation}
    own = (row.office_id, row.payment_id)
    others = {(one["office_id"], one["payment_id"]) for one in holders(connection, obligations)} - {own}
    named = tuple_(office_payment.c.office_id, office_payment.c.payment_id).in_(sorted(others))
    return to_payments(connection, payment_rows(named).order_by(office_payment.c.ordinal)) if others else ()


def payment_entries(connection: Connection, office_id: str, payment_id: str) -> tuple[EntryView, ...]:
    """Return the journal entries of a payment's life, in journal order."""
    query = (
        _select(payment_entry, EntryView)
        .where(payment_entry.c.office_id == office_id, payment_entry.c.payment_id == payment_id)
        .order_by(payment_entry.c.journal_id, payment_entry.c.entry_index, payment_entry.c.leaf)
    )
    return tuple(EntryView(**row) for row in connection.execute(query).mappings())


def payment_transfers(connection: Connection, office_id: str, payment_id: str) -> tuple[TransferView, ...]:
    """Return the transfers a payment caused, oldest first."""
    return _transfers(
        connection,
        _select(ledger_transfer, TransferView)
        .where(ledger_transfer.c.office_id == office_id, ledger_transfer.c.payment_id == payment_id)
        .order_by(ledger_transfer.c.ordinal),
    )


def account_transfers(
    connection: Connection, code: str, *, before: int | None = None, limit: int = 50
) -> tuple[TransferView, ...]:
    """Return the transfers of an account, newest first."""
    # Each side by its own index: one condition over both would read all of an account's transfers, and sort them.
    sides = []
    for side in (ledger_transfer.c.debit, ledger_transfer.c.credit):
        query = _select(ledger_transfer, TransferView).where(side == code)
        if before is not None:
            query = query.where(ledger_transfer.c.ordinal < before)
        sides.append(query.order_by(side.desc(), ledger_transfer.c.ordinal.desc()).limit(limit).subquery().select())
    both = union_all(*sides).subquery()
    return _transfers(connection, select(both).order_by(both.c.ordinal.desc()).limit(limit))


def trial_balance(connection: Connection, office_id: str | None = None) -> TrialBalance:
    """Return every account with its sums, of all offices or of one."""
    moves = union_all(_side_moves("debit", office_id), _side_moves("credit", office_id)).subquery()
    query = (
        select(
            ledger_account.c.code,
            ledger_account.c.kind,
            ledger_account.c.detail,
            ledger_account.c.side,
            *(
                func.coalesce(func.sum(moves.c[name]), 0).label(f"{name}_rial")
                for name in ("debits", "credits", "pending_debits", "pending_credits")
            ),
        )
        .select_from(ledger_account)
        .join(moves, moves.c.code == ledger_account.c.code)
        .group_by(ledger_account.c.code, ledger_account.c.kind, ledger_account.c.detail, ledger_account.c.side)
        .order_by(ledger_account.c.code)
    )
    accounts = tuple(_account_view(dict(row)) for row in connection.execute(query).mappings())
    return TrialBalance(
        accounts=accounts,
        debits_rial=sum(account.debits_rial for account in accounts),
        credits_rial=sum(account.credits_rial for account in accounts),
    )


def _account_view(row: dict[str, Any]) -> AccountView:
    kind: AccountKind = row["kind"]
    names = account_name(kind, row["detail"])
    sums = {name: int(row[name]) for name in row if name.endswith("_rial")}
    debit_balance = sums["debits_rial"] - sums["credits_rial"]
    return AccountView(
        code=row["code"],
        kind=kind,
        detail=row["detail"],
        side=row["side"],
        name_fa=names[0],
        name_en=names[1],
        balance_rial=debit_balance if row["side"] == "debit" else -debit_balance,
        **sums,
    )


def _side_moves(side: str, office_id: str | None) -> Select[Any]:
    """Return one side's sums for each account: code, debits, credits, pending_debits, pending_credits."""
    ended = ledger_transfer.alias("ended")
    counts = ledger_transfer.c.phase.in_(("posted", "post"))
    open_pending = and_(
        ledger_transfer.c.phase == "pending",
        ~select(ended.c.transfer_id)
        .where(
            ended.c.office_id == ledger_transfer.c.office_id,
            ended.c.pending_id == ledger_transfer.c.transfer_id,
        )
        .exists(),
    )
    posted = func.sum(case((counts, ledger_transfer.c.amount_rial), else_=0))
    pending = func.sum(case((open_pending, ledger_transfer.c.amount_rial), else_=0))
    nothing = func.sum(0)
    is_debit = side == "debit"
    query = select(
        ledger_transfer.c[side].label("code"),
        (posted if is_debit else nothing).label("debits"),
        (nothing if is_debit else posted).label("credits"),
        (pending if is_debit else nothing).label("pending_debits"),
        (nothing if is_debit else pending).label("pending_credits"),
    ).group_by(ledger_transfer.c[side])
    return query.where(ledger_transfer.c.office_id == office_id) if office_id else query


def _select(table: Table, struct: type[msgspec.Struct]) -> Select[Any]:
    return select(*(table.c[name] for name in struct.__struct_fields__))


def _transfers(connection: Connection, query: Select[Any]) -> tuple[TransferView, ...]:
    rows: Sequence[Any] = connection.execute(query).mappings().all()
    return tuple(TransferView(**row) for row in rows)
