"""What central tells of the office's other journals: their payments hold what they pay, here too.

Such a payment stands as central's books have it, and as the acquirer's records said since of one that was left open:
its own box may never speak again. What another box and this one both charged is marked, like any second charge.
"""

from typing import Final

import apsw

from edge.journal.ports import Recorded
from edge.store.holding_projections import cover, mark_doubled, single_out
from edge.store.projecting import insert, instant_or_none
from shared.events import JournalOpened, ObligationElsewhere, ObligationsHeld, PaymentElsewhere
from shared.ids import OfficeId, office_feed
from shared.payment import CERTAINLY_UNCHARGED, LATE, OPEN, PaymentState

_BACK: Final = frozenset({PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT})


def began(connection: apsw.Connection, _: Recorded, body: JournalOpened) -> None:
    """Note whom this journal follows, and how much of the office's feed is to be read first."""
    insert(
        connection,
        "beginning",
        only=0,
        predecessor=body.predecessor,
        feed=office_feed(OfficeId(body.office)),
        feed_size=body.feed_size,
    )


def told(connection: apsw.Connection, at: Recorded, body: ObligationsHeld) -> None:
    """Keep what payments of another journal hold. Of this journal's own nothing is to be learnt."""
    if body.journal == at.entry.journal:
        return
    connection.execute(
        "INSERT INTO heard_journal VALUES (?1, ?2, ?3) ON CONFLICT (journal) DO UPDATE SET "
        "heard_size = ?2, heard_at = ?3",
        (body.journal, body.heard_size, instant_or_none(body.heard_at or "")),
    )
    for payment in body.payments:
        own = next(connection.execute("SELECT 1 FROM payment WHERE payment_id = ?", (payment.payment_id,)), None)
        if own is None:
            _keep(connection, at, body.journal, payment)


def settle(connection: apsw.Connection, payment_id: str) -> None:
    """Let a payment of another journal stand by what is known of it now; of any other nothing changes."""
    row = next(connection.execute("SELECT told_state, state FROM elsewhere WHERE payment_id = ?", (payment_id,)), None)
    if row is None:
        return
    before, after = PaymentState(row[1]), _standing(connection, payment_id, PaymentState(row[0]))
    if before in CERTAINLY_UNCHARGED and after not in CERTAINLY_UNCHARGED:
        mark_doubled(connection, payment_id)
    connection.execute("UPDATE elsewhere SET state = ? WHERE payment_id = ?", (str(after), payment_id))
    if after in CERTAINLY_UNCHARGED and before not in CERTAINLY_UNCHARGED:
        single_out(connection, payment_id)


def _keep(connection: apsw.Connection, at: Recorded, journal: str, payment: PaymentElsewhere) -> None:
    changes = connection.execute(
        "UPDATE elsewhere SET told_state = ?, stan = ?, rrn = ?, pan = ? WHERE payment_id = ? RETURNING 1",
        (str(payment.state), payment.stan, payment.rrn, payment.pan, payment.payment_id),
    )
    if not list(changes):
        # Holding nothing yet: what it holds is decided below, as for one that stands otherwise than it did.
        insert(
            connection,
            "elsewhere",
            payment_id=payment.payment_id,
            journal=journal,
            told_state=str(payment.state),
            state=str(PaymentState.NOT_SENT),
            terminal=payment.terminal,
            requested_at=instant_or_none(payment.requested_at) or at.entry.at,
            stan=payment.stan,
            rrn=payment.rrn,
            pan=payment.pan,
            item_count=len(payment.obligations),
        )
        held = set[str]()
        for number, item in enumerate(payment.obligations):
            # What one payment names twice it holds once: whatever a box wrote, this one's feed goes on.
            if item.obligation not in held:
                _hold(connection, at, payment.payment_id, number, item)
            held.add(item.obligation)
        cover(connection, payment.payment_id, payment.covers)
    settle(connection, payment.payment_id)


def _hold(connection: apsw.Connection, at: Recorded, payment_id: str, number: int, item: ObligationElsewhere) -> None:
    insert(
        connection,
        "holding",
        payment_id=payment_id,
        item=number,
        obligation=item.obligation,
        # The table takes no nothing; central's books have none either.
        amount_rial=max(item.amount_rial, 1),
        bill_id=item.bill_id,
        bill_payment_id=item.bill_payment_id,
        requested_index=at.index,
        state=str(PaymentState.NOT_SENT),
        confirmation=item.confirmation,
    )


def _standing(connection: apsw.Connection, payment_id: str, told_state: PaymentState) -> PaymentState:
    """Return how a payment stands: as it was told, or what the acquirer's records say of one that is open."""
    words = list(
        connection.execute(
            "SELECT about, charged FROM acquirer_answer WHERE payment_id = ? ORDER BY number", (payment_id,)
        )
    )
    of_sale = [bool(charged) for about, charged in words if about == "sale"]
    of_return = [bool(charged) for about, charged in words if about == "reversal"]
    # Evidence of a charge beats evidence of none.
    if told_state in (OPEN | LATE) and any(of_sale):
        return PaymentState.APPROVED
    if told_state in OPEN and of_sale:
        return PaymentState.NOT_CHARGED
    if told_state in _BACK and of_return:
        return PaymentState.APPROVED if of_return[-1] else PaymentState.REVERSED
    return told_state
