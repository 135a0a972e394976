"""What the fee of a catalogue service means for its request: whether the provider may be asked about it."""

from datetime import datetime

from sqlalchemy import Connection


def fee_charged(connection: Connection, office_id: str, inquiry_id: str, at: datetime) -> None:
    """Take note that the fee of a request is charged. Does not commit.

    Called in the transaction that books the charge, and again for each evidence of it; the request may not be known.
    """
    del connection, office_id, inquiry_id, at


def fee_undone(connection: Connection, office_id: str, inquiry_id: str, at: datetime) -> None:
    """Take note that the fee of a request is not charged any more: given back, or in doubt again. Does not commit."""
    del connection, office_id, inquiry_id, at
