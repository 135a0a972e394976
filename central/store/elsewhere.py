"""What the offices' feeds have told of payments to the office's other boxes."""

from typing import Final

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text

from central.store.metadata import METADATA

told_payment: Final = Table(
    "told_payment",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("office_id", "payment_id"),
)
"""The state in which each payment was told last; one that is not here was never told."""
