"""A payment of another journal of the office, as pages show it: read only, and what to do. Decides nothing."""

from edge.journal.elsewhere import ElsewherePayment
from shared.display import STATUSES, Status, StatusKey, payment_status_key
from shared.payment import CERTAINLY_UNCHARGED


def elsewhere_status_key(held: ElsewherePayment) -> StatusKey:
    """Return its row of the status table. What is open there is in doubt here: its terminal is not ours to ask."""
    return "in_doubt" if held.is_open else payment_status_key(held.state, held.items[0].confirmation)


def elsewhere_status(held: ElsewherePayment) -> Status:
    """Return how it stands, see `elsewhere_status_key`."""
    return STATUSES[elsewhere_status_key(held)]


def elsewhere_text(held: ElsewherePayment) -> str:
    """Return the key of the sentence that says why a bill is not paid here."""
    return "elsewhere.held_open" if held.is_open else "elsewhere.held_paid"


def elsewhere_do(held: ElsewherePayment) -> str:
    """Return the key of what to do."""
    if held.state in CERTAINLY_UNCHARGED:
        return "elsewhere.do_free"
    return "elsewhere.do_open" if held.is_open else "elsewhere.do_paid"
