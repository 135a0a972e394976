"""Whether a receipt's number still names the sale that was given it: terminals have few of them, and begin anew."""

from typing import Final

import apsw

from shared.payment import CERTAINLY_UNCHARGED, PaymentState

_UNSOLD: Final = CERTAINLY_UNCHARGED - {PaymentState.REVERSED}
"""States of a payment of which a terminal keeps no sale; one that was undone has its receipt all the same."""
_CLOSED_SINCE: Final = "SELECT 1 FROM day_close WHERE closed_index > ? LIMIT 1"
_GIVEN_AGAIN: Final = (
    "SELECT 1 FROM payment WHERE terminal = ? AND receipt_number = ? AND requested_index > ? "  # noqa: S608
    f"AND state NOT IN ({', '.join('?' * len(_UNSOLD))}) LIMIT 1"
)


def names_its_sale(connection: apsw.Connection, *, terminal: str, receipt_number: str, index: int) -> bool:
    """Return whether the receipt's number of the payment that was requested there names no other sale by now.

    A terminal's own close begins the numbers anew, and is done with the box's: before the last one nothing is sure.
    """
    if next(connection.execute(_CLOSED_SINCE, (index,)), None) is not None:
        return False
    again = (terminal, receipt_number, index, *map(str, _UNSOLD))
    return next(connection.execute(_GIVEN_AGAIN, again), None) is None
