"""The one order in which transactions of the books wait for each other, and the locks of it.

    1  the journal's row                    one exchange, repost or end of a quarantine of a journal at a time
    2  runs, imports, answers               one of each at a time (advisory)
    3  obligations, sorted                  two offices that paid one see each other (advisory)
    4  payments, sorted by office and id    all that an entry, an answer, a case's end or a settlement moves
    5  the request that a payment is of     its fee's payments are locked before it
    6  the question to a provider           its payment or request is locked before it
    7  cases                                their payments are locked before them, where what they hold is booked
    8  feeds, one office after the other    sorted

Whoever takes several of one kind takes them sorted and before any of a later kind. A transaction that cannot know all
it will need (a correction, entries that are booked one by one) may be chosen as a deadlock's victim: every transaction
of the books runs in `central.store.transactions.in_transaction`, which tries it once more.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Text, bindparam, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from central.store.books import office_payment


def lock_obligations(connection: Connection, obligations: Iterable[str]) -> None:
    """Hold these obligations until the transaction ends."""
    for obligation in sorted(set(obligations)):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(obligation, 0))))


def lock_payments(connection: Connection, payments: Iterable[tuple[str, str]]) -> None:
    """Lock the rows of these payments, named by office and id; those that are not there yet are left out."""
    wanted = sorted(set(payments))
    if not wanted:
        return
    table = office_payment.c
    named = (
        func.unnest(
            bindparam("offices", [office_id for office_id, _ in wanted], type_=ARRAY(Text)),
            bindparam("payments", [payment_id for _, payment_id in wanted], type_=ARRAY(Text)),
        )
        .table_valued("office_id", "payment_id", name="named")
        .render_derived()
    )
    # Sorted inside: rows are locked as they are read, and a join reads as it likes.
    query = (
        select(table.payment_id)
        .where(tuple_(table.office_id, table.payment_id).in_(select(named.c.office_id, named.c.payment_id)))
        .order_by(table.office_id, table.payment_id)
        .with_for_update()
    )
    connection.execute(query).all()


def lock_payments_of(
    connection: Connection, office_id: str, *, payments: Collection[str], requests: Collection[str]
) -> None:
    """Lock the payments of an office with these ids, all fees of what they are fees of, and those of these requests."""
    if not payments and not requests:
        return
    table = office_payment.c
    named = table.payment_id.in_(sorted(payments))
    # A request may have been paid for more than once.
    of_named = select(table.inquiry_id).where(table.office_id == office_id, named, table.purpose == "inquiry_fee")
    of_requests = or_(table.inquiry_id.in_(sorted(requests)), table.inquiry_id.in_(of_named))
    query = select(table.payment_id).where(table.office_id == office_id, or_(named, of_requests))
    connection.execute(query.order_by(table.payment_id).with_for_update()).all()
