"""What each payment holds: its own obligation, or those of its items, each with its provider's word.

A row's state follows its payment by a trigger. Whether a row is a second charge, and what its provider says, stands
here; the payment's own columns `doubled` and `confirmation` sum that up.
"""

from collections.abc import Iterable
from typing import Any, Final

import apsw

from edge.journal.ports import Recorded
from edge.store.projecting import insert
from edge.store.schema.payment_tables import HOLDS_OBLIGATION, holds_obligation
from shared.errors import OperatorError
from shared.events import PaymentConfirmed, PaymentItem, PaymentRefused, PaymentRequested
from shared.payment import PaymentState


def hold(connection: apsw.Connection, at: Recorded, body: PaymentRequested) -> None:
    """Let a payment hold what it pays. Raises OperatorError `payment.obligation_held`, which names who does."""
    own = PaymentItem(
        obligation=body.obligation,
        amount_rial=body.amount_rial,
        bill_id=body.bill_id,
        bill_payment_id=body.bill_payment_id,
    )
    for number, item in enumerate(body.items or (own,)):
        # No name for what reads: the refusal would keep it open, and nothing could be written here while that lives.
        holder = next(
            connection.execute(
                f"SELECT payment_id FROM holding WHERE obligation = ? AND {HOLDS_OBLIGATION} "  # noqa: S608
                "ORDER BY doubled, requested_index DESC",
                (item.obligation,),
            ),
            None,
        )
        if holder is not None:
            raise OperatorError("payment.obligation_held", payment_id=holder[0])
        insert(
            connection,
            "holding",
            payment_id=body.payment_id,
            item=number,
            obligation=item.obligation,
            amount_rial=item.amount_rial,
            bill_id=item.bill_id,
            bill_payment_id=item.bill_payment_id,
            requested_index=at.index,
            state=str(PaymentState.REQUESTED),
        )
    cover(connection, body.payment_id, body.covers)


def cover(connection: apsw.Connection, payment_id: str, parts: Iterable[str]) -> None:
    """Keep of which parts the whole is made that a payment pays."""
    for obligation in dict.fromkeys(parts):
        insert(connection, "covered", obligation=obligation, payment_id=payment_id)


def mark_doubled(connection: apsw.Connection, payment_id: str) -> None:
    """Mark what a payment that turns out to be charged pays a second time: what another one holds by now."""
    connection.execute(
        "UPDATE holding SET doubled = EXISTS (SELECT 1 FROM holding AS other "  # noqa: S608 - a constant of ours
        "WHERE other.obligation = holding.obligation AND other.payment_id <> holding.payment_id "
        f"AND {holds_obligation('other.')}) WHERE payment_id = ?",
        (payment_id,),
    )
    _sum_up(connection, payment_id)


def single_out(connection: apsw.Connection, freed: str) -> None:
    """Let a charge that was thought the second one of an obligation be the only one, now that `freed` is none."""
    obligations = [
        row[0] for row in connection.execute("SELECT obligation FROM holding WHERE payment_id = ?", (freed,))
    ]
    for obligation in obligations:
        left = next(
            connection.execute(
                f"SELECT payment_id, item FROM holding WHERE obligation = ? AND {HOLDS_OBLIGATION} "  # noqa: S608
                "ORDER BY doubled, requested_index LIMIT 1",
                (obligation,),
            ),
            None,
        )
        if left is not None:
            connection.execute("UPDATE holding SET doubled = 0 WHERE payment_id = ? AND item = ?", left)
            _sum_up(connection, left[0])


def await_confirmation(connection: apsw.Connection, payment_id: str, *, by_word: bool = False) -> None:
    """Let a charged bill or order wait for its provider's word, unless it has it or waits already.

    A bill that the terminal paid by its ids is confirmed by evidence of the charge. A person's word that it was charged
    (`by_word`) is none: its biller waits for evidence too.
    """
    connection.execute(
        "UPDATE holding SET confirmation = iif((SELECT pays_bill FROM payment WHERE payment_id = ?1), ?2, 'queued') "
        "WHERE payment_id = ?1 AND confirmation = 'none' "
        "AND (SELECT purpose FROM payment WHERE payment_id = ?1) IN ('bill', 'order')",
        (payment_id, "none" if by_word else "confirmed"),
    )
    _sum_up(connection, payment_id)


def confirmed(connection: apsw.Connection, _: Recorded, body: PaymentConfirmed) -> None:
    """Keep that the provider took it."""
    _said(connection, body, confirmation="confirmed", provider_reference=body.provider_reference)


def refused(connection: apsw.Connection, _: Recorded, body: PaymentRefused) -> None:
    """Keep that the provider does not take it."""
    _said(connection, body, confirmation="refused", refusal_reason=body.reason, case_id=body.case_id)


def _said(connection: apsw.Connection, body: PaymentConfirmed | PaymentRefused, **values: Any) -> None:
    """Keep a provider's word. One that names no item of several says nothing of any of them."""
    pairs = ", ".join(f"{column} = ?" for column in values)
    connection.execute(
        f"UPDATE holding SET {pairs} WHERE payment_id = ? AND item = coalesce(?, "  # noqa: S608 - names of this module
        "(SELECT iif(item_count, NULL, 0) FROM payment WHERE payment.payment_id = holding.payment_id), "
        "(SELECT iif(item_count > 1, NULL, 0) FROM elsewhere WHERE elsewhere.payment_id = holding.payment_id))",
        (*values.values(), body.payment_id, body.item),
    )
    connection.execute(
        f"UPDATE payment SET {pairs} WHERE payment_id = ? AND item_count = 0",  # noqa: S608 - names of this module
        (*values.values(), body.payment_id),
    )
    _sum_up(connection, body.payment_id)


_SUM: Final = (
    "SELECT max(doubled), CASE WHEN max(confirmation = 'queued') THEN 'queued' "
    "WHEN max(confirmation = 'refused') THEN 'refused' WHEN min(confirmation = 'confirmed') THEN 'confirmed' "
    "ELSE 'none' END FROM holding WHERE payment_id = ?"
)


def _sum_up(connection: apsw.Connection, payment_id: str) -> None:
    for doubled, confirmation in connection.execute(_SUM, (payment_id,)):
        connection.execute(
            "UPDATE payment SET doubled = ?1, confirmation = ?2 "
            "WHERE payment_id = ?3 AND (doubled <> ?1 OR confirmation <> ?2)",
            (doubled, confirmation, payment_id),
        )
