"""Alarms: what a person must look at. One open alarm of a kind for each journal is enough to be looked at."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, insert, select

from central.store import fleet


class Subject(Protocol):
    """Whose alarm it is."""

    @property
    def office(self) -> str:
        """The office's code."""

    @property
    def box(self) -> str:
        """The box's name in its office."""

    @property
    def journal(self) -> str:
        """The journal's name."""


def raise_alarm(
    connection: Connection,
    subject: Subject,
    kind: str,
    detail: str,
    *,
    at: datetime,
    index: int | None = None,
    leaf: bytes | None = None,
) -> None:
    """Raise an alarm about a journal. Does nothing when the same is open: same kind, same journal, same entry."""
    table = fleet.alarm
    same_entry = table.c.leaf.is_(None) if leaf is None else table.c.leaf == leaf
    is_open = select(table.c.alarm_id).where(
        table.c.journal_id == subject.journal, table.c.kind == kind, table.c.closed_at.is_(None), same_entry
    )
    if connection.execute(is_open).first() is not None:
        return
    connection.execute(
        insert(table).values(
            office_id=subject.office,
            box_id=subject.box,
            journal_id=subject.journal,
            kind=kind,
            detail=detail,
            entry_index=index,
            leaf=leaf,
            raised_at=at,
        )
    )
