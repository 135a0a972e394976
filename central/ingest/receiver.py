"""The receiver of exchanges: one transaction for each, serialised for each journal by a lock on its row.

The order inside is the rule "commit before the answer": entries, tree nodes, books, the journal's new state and the
answer's own bytes are stored together; only then does anybody see the answer. A reply that is lost is found again by
the hash of its request.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, insert, select, update

from central.ingest.accepted import JournalContext, Posting
from central.ingest.entries import store_aside, store_close, store_main, store_rotations
from central.ingest.quarantine import note_asker
from central.ledger.elsewhere import successor_of
from central.store import journals
from central.store.alarms import raise_alarm
from central.store.journal_branches import StoredBranches
from central.store.transactions import in_transaction
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import PeerError
from shared.journal.cosignature import cosign
from shared.journal.note import NoteKey, format_note
from shared.journal.rotation import Rotation
from sync.central_session import Held, Verdict, judge, make_response
from sync.checked_request import CheckedRequest, check_request
from sync.envelope import REQUEST_SIZE_MAX_BYTES, unpack
from sync.messages import TOKEN_SIZE_BYTES, SignedPair, Status, decode_request

ANSWERS_KEPT: Final = 64
"""How many of a journal's answers are kept as bytes; of older ones only the request's hash, for ever."""

_log = structlog.get_logger()


class SigningKey(Protocol):
    """One of central's Ed25519 keys."""

    @property
    def key(self) -> NoteKey:
        """The key's name and public half."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over the bytes as they are."""


FeedWindows = Callable[[Connection, str, Mapping[str, int]], tuple[Mapping[str, tuple[SignedPair, ...]], bool]]
"""Return the next entries of the feeds an office asks for by cursor, within one window, and whether there are more."""


class Receiver:
    """Takes requests of boxes, from any thread."""

    def __init__(
        self,
        engine: Engine,
        *,
        witness: SigningKey,
        answering: SigningKey,
        feed_windows: FeedWindows,
        posting: Posting,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """`witness` cosigns checkpoints, `answering` signs answers."""
        self._engine = engine
        self._witness = witness
        self._answering = answering
        self._feed_windows = feed_windows
        self._posting = posting
        self._clock = clock
        self._entropy = entropy

    def receive(self, wire: bytes) -> bytes:
        """Return the signed answer to a request, after its commit.

        Raises PeerError, with nothing stored: `exchange.too_large`, `exchange.malformed`, `exchange.other_version`,
        `exchange.unknown_journal`, and what `check_request` and `judge` raise. Database trouble passes through: the box
        asks again with the same bytes.
        """
        envelope = unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
        request = decode_request(envelope.payload)
        # The key a journal was opened with never changes, and a request carries every rotation since: the slow part,
        # the signatures, needs no lock.
        with self._engine.connect() as connection:
            key = connection.execute(
                select(journals.journal.c.public_key).where(journals.journal.c.journal_id == request.journal)
            ).scalar_one_or_none()
        if key is None:
            raise PeerError("exchange.unknown_journal", journal=request.journal)
        checked = check_request(envelope, request, key)
        return in_transaction(self._engine, lambda connection: self._receive_locked(connection, checked))

    def _receive_locked(self, connection: Connection, checked: CheckedRequest) -> bytes:
        row = connection.execute(
            select(journals.journal).where(journals.journal.c.journal_id == checked.request.journal).with_for_update()
        ).one()
        earlier = connection.execute(
            select(journals.exchange.c.response).where(_answer_to(row, checked.sha256))
        ).one_or_none()
        if earlier is not None:
            return earlier.response if earlier.response is not None else self._stale(checked, row)
        request = checked.request
        branches = StoredBranches(
            connection,
            office=row.office_id,
            journal=row.journal_id,
            size=row.size,
            first=request.first,
            end=checked.checkpoint.size,
        )
        verdict = judge(checked, _held(row, _rotations(connection, row)), branches, self._witness.key)
        now = self._clock.now()
        context = JournalContext(
            office=row.office_id, box=row.box_id, journal=row.journal_id, public_key=row.public_key
        )
        store_main(connection, context, verdict, posting=self._posting, received_at=now)
        store_rotations(connection, context, verdict)
        store_close(connection, context, verdict, received_at=now)
        store_aside(connection, context, verdict, received_at=now)
        for alarm in verdict.alarms:
            raise_alarm(connection, context, alarm.kind, alarm.detail, at=now, index=alarm.index, leaf=alarm.leaf)
        if verdict.quarantine:
            note_asker(connection, context, checked, verdict, held=row.size, at=now)
        answer = self._answer(connection, checked, verdict, row, now)
        _keep_answer(connection, row, checked.sha256, status=verdict.status, answer=answer, now=now)
        _log.info(
            "exchange", journal=row.journal_id, status=verdict.status, first=request.first,
            entries=len(request.entries), size=verdict.size, alarms=[alarm.kind for alarm in verdict.alarms],
        )  # fmt: skip
        return answer

    def _answer(
        self, connection: Connection, checked: CheckedRequest, verdict: Verdict, row: Row[Any], now: datetime
    ) -> bytes:
        """Store the journal's new state and return the answer that tells of it."""
        changes: dict[str, object] = {"size": verdict.size, "root": verdict.root, "last_exchange_at": now}
        token, note_text = None, ""
        if verdict.renew_token:
            token = self._entropy.token_bytes(TOKEN_SIZE_BYTES)
            changes |= {"token": token, "spent_token": row.token}
        if verdict.status == "ok":
            # Never earlier than the one before, whatever the clock did: newer cosignatures must look newer.
            at_s = max(int(now.timestamp()), row.cosigned_at_s)
            note = cosign(checked.note, self._witness.key, self._witness.sign, time_s=at_s)
            note_text = format_note(note)
            changes |= {"cosigned_size": verdict.size, "cosigned_at_s": at_s, "cosigned_note": note_text}
        if verdict.quarantine and row.quarantined_at is None:
            changes["quarantined_at"] = now
        connection.execute(
            update(journals.journal).where(journals.journal.c.journal_id == row.journal_id).values(changes)
        )
        feeds: Mapping[str, tuple[SignedPair, ...]] = {}
        more = False
        if verdict.status != "quarantined":
            feeds, more = self._feed_windows(connection, row.office_id, checked.request.feeds)
        return make_response(
            checked,
            status=verdict.status,
            next_index=verdict.next,
            note_text=note_text,
            token=token,
            feeds=feeds,
            more=more,
            central_time=instant_text(now),
            sign=self._answering.sign,
            successor=successor_of(connection, row.office_id, row.journal_id),
        )

    def _stale(self, checked: CheckedRequest, row: Row[Any]) -> bytes:
        return make_response(
            checked,
            status="stale",
            next_index=row.size,
            note_text="",
            token=None,
            feeds={},
            more=False,
            central_time=instant_text(self._clock.now()),
            sign=self._answering.sign,
        )


def _rotations(connection: Connection, row: Row[Any]) -> tuple[Rotation, ...]:
    table = journals.journal_key
    found = connection.execute(
        select(table.c.entry_index, table.c.leaf, table.c.public_key)
        .where(table.c.office_id == row.office_id, table.c.journal_id == row.journal_id)
        .order_by(table.c.entry_index)
    )
    return tuple(Rotation(index, leaf, public_key) for index, leaf, public_key in found)


def _held(row: Row[Any], rotations: tuple[Rotation, ...]) -> Held:
    return Held(
        journal=row.journal_id,
        public_key=row.public_key,
        size=row.size,
        root=row.root,
        token=row.token,
        spent_token=row.spent_token,
        cosigned_size=row.cosigned_size,
        cosigned_at_s=row.cosigned_at_s,
        quarantined=row.quarantined_at is not None,
        rotations=rotations,
    )


def _answer_to(row: Row[Any], request_sha256: bytes) -> ColumnElement[bool]:
    table = journals.exchange.c
    return and_(
        table.office_id == row.office_id,
        table.journal_id == row.journal_id,
        table.request_sha256 == request_sha256,
    )


def _keep_answer(
    connection: Connection, row: Row[Any], request_sha256: bytes, *, status: Status, answer: bytes, now: datetime
) -> None:
    """Keep the answer's bytes for a repeat, and let go those of answers that no living box can ask for again."""
    table = journals.exchange
    connection.execute(
        insert(table).values(
            office_id=row.office_id,
            journal_id=row.journal_id,
            request_sha256=request_sha256,
            status=status,
            response=answer,
            answered_at=now,
        )
    )
    of_journal = and_(table.c.office_id == row.office_id, table.c.journal_id == row.journal_id)
    oldest_kept = (
        select(table.c.ordinal)
        .where(of_journal)
        .order_by(table.c.ordinal.desc())
        .offset(ANSWERS_KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(
        update(table)
        .where(of_journal, table.c.response.is_not(None), table.c.ordinal < oldest_kept)
        .values(response=None)
    )
