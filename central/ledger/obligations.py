"""What was paid more than once: the obligations that entries may charge, and other payments of the same."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import Booking, case_about
from central.ledger.cases import open_case
from central.ledger.storable import name_or_none
from central.store.books import office_payment
from shared.events import PaymentRequested
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState


def obligations_of(connection: Connection, accepted: Sequence[AcceptedEntry]) -> set[str]:
    """Return the obligations that these entries may charge. Texts that PostgreSQL cannot hold are left out."""
    bodies = [(entry.office, entry.body) for entry in accepted]
    asked = {
        name
        for _, body in bodies
        if isinstance(body, PaymentRequested) and (name := name_or_none(body.obligation)) is not None
    }
    charged = {
        (office, payment_id)
        for office, body in bodies
        if (payment_id := name_or_none(getattr(body, "payment_id", None))) is not None
    }
    table = office_payment
    same = [and_(table.c.office_id == office, table.c.payment_id == payment) for office, payment in sorted(charged)]
    if same:
        asked |= set(connection.execute(select(table.c.obligation).where(or_(*same))).scalars())
    return asked


def look_for_second_charge(connection: Connection, booking: Booking, at: datetime) -> None:
    """Open a case when another payment of the obligation, in any office, took money or may have.

    One that took it: the customer paid twice, and is owed what this payment took. One that may have: a person looks.
    """
    paid = booking.payment
    table = office_payment
    uncharged = sorted(str(state) for state in (*CERTAINLY_UNCHARGED, PaymentState.REQUESTED))
    others = connection.execute(
        select(table.c.office_id, table.c.payment_id, table.c.state)
        .where(
            table.c.obligation == paid.obligation,
            or_(table.c.office_id != paid.office_id, table.c.payment_id != paid.payment_id),
            table.c.state.not_in(uncharged),
        )
        .order_by(table.c.ordinal)
    ).mappings()
    found = [dict(other) for other in others]
    if any(other["state"] in CHARGED for other in found):
        twice = case_about(paid, "refund", reason="charged_twice", obligation=paid.obligation, others=found)
        open_case(connection, twice, at=at, again=True)
    elif found:
        open_case(connection, case_about(paid, "paid_twice", obligation=paid.obligation, others=found), at=at)
