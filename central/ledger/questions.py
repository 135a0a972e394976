"""Questions to providers, queued in the transaction that found the reason; `central.providers` works them."""

import hashlib
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from central.store.books import provider_task

TaskKind = Literal["confirm", "inquire", "serve", "image"]
"""A payment is to be taken; a subscriber's debt; a service of the catalogue; the pictures of one item of an answer."""
BILLS: Final = "billing"
"""Where bills are asked about and confirmed, and nothing else is said."""
_TRACK_ID_SIZE: Final = 40


def task_id(kind: TaskKind, subject: str, item: int | None = None) -> str:
    """Return the id of the question of this kind about a payment, one of its items, or an inquiry."""
    return f"{kind}/{subject}" if item is None else f"{kind}-item/{item}/{subject}"


def track_id(kind: TaskKind, office_id: str, subject: str, item: int | None = None) -> str:
    """Return the name under which a provider is asked: one letter and 39 hex digits of SHA-256.

    It follows from what is asked, so however often and from wherever a question is sent, the provider sees one.
    """
    asked = f"{kind}|{office_id}|{subject}" if item is None else f"{kind}-item|{item}|{office_id}|{subject}"
    return (kind[0] + hashlib.sha256(asked.encode()).hexdigest())[:_TRACK_ID_SIZE]


def ask_provider(
    connection: Connection,
    kind: TaskKind,
    office_id: str,
    subject: str,
    at: datetime,
    *,
    item: int | None = None,
    route: str = BILLS,
) -> None:
    """Queue a question to a provider, once; one that was withdrawn unanswered is queued again."""
    connection.execute(
        insert(provider_task)
        .values(
            office_id=office_id,
            task_id=task_id(kind, subject, item),
            kind=kind,
            subject=subject,
            item=item,
            route=route,
            track_id=track_id(kind, office_id, subject, item),
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
