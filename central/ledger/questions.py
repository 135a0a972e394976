"""Questions to providers, queued in the transaction that found the reason; `central.providers` works them."""

import hashlib
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from central.store.books import provider_task

TaskKind = Literal["confirm", "inquire"]
_TRACK_ID_SIZE: Final = 40


def task_id(kind: TaskKind, subject: str) -> str:
    """Return the id of the question of this kind about a payment or an inquiry."""
    return f"{kind}/{subject}"


def track_id(kind: TaskKind, office_id: str, subject: str) -> str:
    """Return the name under which a provider is asked: one letter and 39 hex digits of SHA-256.

    It follows from what is asked, so however often and from wherever a question is sent, the provider sees one.
    """
    digest = hashlib.sha256(f"{kind}|{office_id}|{subject}".encode()).hexdigest()
    return (kind[0] + digest)[:_TRACK_ID_SIZE]


def ask_provider(connection: Connection, kind: TaskKind, office_id: str, subject: str, at: datetime) -> None:
    """Queue a question to a provider, once; one that was withdrawn unanswered is queued again."""
    connection.execute(
        insert(provider_task)
        .values(
            office_id=office_id,
            task_id=task_id(kind, subject),
            kind=kind,
            subject=subject,
            track_id=track_id(kind, office_id, subject),
            state="waiting",
            next_at=at,
            made_at=at,
        )
        .on_conflict_do_update(
            index_elements=[provider_task.c.office_id, provider_task.c.task_id],
            set_={"state": "waiting", "next_at": at, "outcome": None, "finished_at": None},
            where=provider_task.c.outcome == "withdrawn",
        )
    )
