"""Writing bookings to PostgreSQL, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accounts import Account, AccountKind
from central.ledger.booking import ItemBook, PaymentBook, Transfer
from central.ledger.items import with_words
from central.store.books import ledger_account, ledger_transfer, office_payment, office_payment_item
from shared.calendar import tehran_date
from shared.clock import parse_instant
from shared.errors import IntegrityError
from shared.payment import PaymentState

SourceKind = Literal["entry", "provider", "settlement", "case", "paid_out"]

_OLDEST_CLAIM: Final = timedelta(days=366)
_CLOCK_AHEAD_MAX: Final = timedelta(days=1)
_BOOK_COLUMNS: Final = [office_payment.c[name] for name in PaymentBook.__struct_fields__ if name != "items"]
_ITEM_COLUMNS: Final = [office_payment_item.c[name] for name in ItemBook.__struct_fields__]


def load_payment(connection: Connection, office_id: str, payment_id: str) -> PaymentBook | None:
    """Return a payment with its items and lock its row, or None."""
    table = office_payment.c
    row = (
        connection.execute(
            select(*_BOOK_COLUMNS).where(table.office_id == office_id, table.payment_id == payment_id).with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    items = _items(connection, office_id, payment_id) if row["item_count"] else ()
    return PaymentBook(**{**row, "state": PaymentState(row["state"]), "items": items})


def _items(connection: Connection, office_id: str, payment_id: str) -> tuple[ItemBook, ...]:
    table = office_payment_item.c
    query = select(*_ITEM_COLUMNS).where(table.office_id == office_id, table.payment_id == payment_id)
    return tuple(ItemBook(**row) for row in connection.execute(query.order_by(table.item)).mappings())


def save_payment(connection: Connection, payment: PaymentBook, received_at: datetime, *, is_new: bool) -> None:
    """Insert or change a payment's rows. `received_at` stays that of the first entry.

    `is_new` is what `load_payment` found: of two that make the same payment at once, the second fails on the key.
    """
    values = {
        **{column.name: getattr(payment, column.name) for column in _BOOK_COLUMNS},
        "state": str(payment.state),
        "local_date": local_date(payment, received_at),
    }
    if is_new:
        connection.execute(insert(office_payment).values(**values, received_at=received_at, changed_at=received_at))
    else:
        connection.execute(
            update(office_payment)
            .where(office_payment.c.office_id == payment.office_id, office_payment.c.payment_id == payment.payment_id)
            .values(**values, changed_at=received_at)
        )
    if payment.items:
        named = {"office_id": payment.office_id, "payment_id": payment.payment_id}
        rows = insert(office_payment_item)
        connection.execute(
            rows.on_conflict_do_update(
                index_elements=list(office_payment_item.primary_key),
                set_={"confirmation": rows.excluded.confirmation},
            ),
            [{**named, **msgspec.structs.asdict(item)} for item in payment.items],
        )


def local_date(payment: PaymentBook, received_at: datetime) -> date:
    """Return the day in Iran on which the payment was made, by the box's claim.

    A claim that cannot be (after its arrival, or more than a year before) is not used; the day of arrival is.
    """
    claim = payment.approved_claim or payment.sent_claim or payment.requested_claim
    try:
        at = parse_instant(claim)
        believable = received_at - _OLDEST_CLAIM <= at <= received_at + _CLOCK_AHEAD_MAX
        return tehran_date(at if believable else received_at)
    except (ValueError, OverflowError):
        return tehran_date(received_at)


def set_confirmation(
    connection: Connection,
    payment: PaymentBook,
    *,
    item: int | None = None,
    confirmation: Literal["confirmed", "refused"],
    provider: str,
    at: datetime,
    provider_reference: str | None = None,
    reason: str | None = None,
) -> PaymentBook:
    """Record what the provider said of a payment or one of its items; return the payment as it is then.

    A payment with items keeps what its items say together, and the last reason for which one was refused.
    """
    after = with_words(payment, {item: confirmation})
    said = {
        "provider": provider,
        "provider_reference": provider_reference,
        "refusal_reason": reason,
        "confirmed_at": at if confirmation == "confirmed" else None,
    }
    if item is not None:
        table = office_payment_item.c
        connection.execute(
            update(office_payment_item)
            .where(table.office_id == payment.office_id, table.payment_id == payment.payment_id, table.item == item)
            .values(confirmation=confirmation, **said)
        )
        said = {"provider": provider, "confirmed_at": at if after.confirmation == "confirmed" else None}
        said |= {} if reason is None else {"refusal_reason": reason}
    connection.execute(
        update(office_payment)
        .where(office_payment.c.office_id == payment.office_id, office_payment.c.payment_id == payment.payment_id)
        .values(confirmation=after.confirmation, changed_at=at, **said)
    )
    return after


def withdraw_question(
    connection: Connection, payment: PaymentBook, *, item: int | None = None, at: datetime
) -> PaymentBook:
    """Record that a payment or one of its items is not asked about any more; return the payment as it is then."""
    return _set_word(connection, payment, item, "none", at=at)


def queue_question(
    connection: Connection, payment: PaymentBook, *, item: int | None = None, at: datetime
) -> PaymentBook:
    """Record that a payment or one of its items is asked about again; return the payment as it is then."""
    return _set_word(connection, payment, item, "queued", at=at)


def _set_word(
    connection: Connection, payment: PaymentBook, item: int | None, word: str, *, at: datetime
) -> PaymentBook:
    after = with_words(payment, {item: word})
    if item is not None:
        table = office_payment_item.c
        connection.execute(
            update(office_payment_item)
            .where(table.office_id == payment.office_id, table.payment_id == payment.payment_id, table.item == item)
            .values(confirmation=word)
        )
    connection.execute(
        update(office_payment)
        .where(office_payment.c.office_id == payment.office_id, office_payment.c.payment_id == payment.payment_id)
        .values(confirmation=after.confirmation, changed_at=at)
    )
    return after


def ensure_accounts(connection: Connection, codes: Iterable[str]) -> None:
    """Make the accounts that do not exist yet."""
    wanted = sorted(set(codes))
    known = set(
        connection.execute(select(ledger_account.c.code).where(ledger_account.c.code.in_(wanted))).scalars().all()
    )
    for code in wanted:
        if code in known:
            continue
        account = account_of(code)
        connection.execute(
            insert(ledger_account)
            .values(code=code, kind=account.kind, detail=account.detail, side=account.side)
            .on_conflict_do_nothing()
        )


def account_of(code: str) -> Account:
    """Return the account of a code. Raises IntegrityError `books.unknown_account`."""
    kind, _, detail = code.partition(":")
    try:
        return Account(msgspec.convert(kind, AccountKind), detail)
    except msgspec.ValidationError as error:
        raise IntegrityError("books.unknown_account", account=code) from error


def write_transfers(
    connection: Connection,
    office_id: str,
    transfers: Sequence[Transfer],
    *,
    payment_id: str | None,
    source_kind: SourceKind,
    source: str,
    at: datetime,
) -> int:
    """Write transfers that are not written yet; return how many were new.

    A transfer's id follows from its source, so writing again changes nothing. A pending transfer that is to be ended
    twice is refused by the database (`uq_ledger_transfer_ends_once`).
    """
    if not transfers:
        return 0
    ensure_accounts(connection, [code for transfer in transfers for code in (transfer.debit, transfer.credit)])
    written = 0
    for transfer in transfers:
        done = connection.execute(
            insert(ledger_transfer)
            .values(
                office_id=office_id,
                **msgspec.structs.asdict(transfer),
                payment_id=payment_id,
                source_kind=source_kind,
                source=source,
                made_at=at,
            )
            .on_conflict_do_nothing(index_elements=[ledger_transfer.c.office_id, ledger_transfer.c.transfer_id])
            .returning(ledger_transfer.c.transfer_id)
        ).one_or_none()
        written += done is not None
    return written


class OfficeTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer of one of many offices, for writing many at once."""

    office_id: str
    payment_id: str
    source: str
    transfer: Transfer


def write_many(
    connection: Connection, transfers: Sequence[OfficeTransfer], *, source_kind: SourceKind, at: datetime
) -> None:
    """Write transfers of many offices that are not written yet."""
    if not transfers:
        return
    ensure_accounts(connection, {code for each in transfers for code in (each.transfer.debit, each.transfer.credit)})
    connection.execute(
        insert(ledger_transfer).on_conflict_do_nothing(
            index_elements=[ledger_transfer.c.office_id, ledger_transfer.c.transfer_id]
        ),
        [
            {
                "office_id": each.office_id,
                **msgspec.structs.asdict(each.transfer),
                "payment_id": each.payment_id,
                "source_kind": source_kind,
                "source": each.source,
                "made_at": at,
            }
            for each in transfers
        ],
    )
