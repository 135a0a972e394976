"""Enrolment at central: offices, single-use codes, and the binding of a box's key to an office and a journal."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError as RowExists

from central.fleet.feed import feeds_of
from central.fleet.keys import CentralKeys
from central.store import fleet, journals
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError, PeerError
from shared.ids import BoxId, OfficeId, journal_id
from shared.journal.tree import EMPTY_ROOT
from sync.enrolment import (
    CODE_LETTERS,
    VERSION,
    Enrolment,
    EnrolmentRequest,
    decode_enrolment_request,
    normal_code,
)
from sync.envelope import (
    ENROLMENT_REQUEST,
    ENROLMENT_RESPONSE,
    REQUEST_SIZE_MAX_BYTES,
    Envelope,
    encode_payload,
    pack,
    unpack,
    verify,
)
from sync.messages import TOKEN_SIZE_BYTES

CODE_LIFE: Final = timedelta(hours=24)

Replaced = Callable[[Connection, str, str, datetime], object]
"""Told of an office, of its journal that another one takes over from, and of when."""
Newcomer = Callable[[Connection, str, str, str | None], int]
"""Told of an office, of a journal that begins there, and of the one that it takes over from, if any. Returns how much
of the office's feed that journal's box reads before it takes money: what the others hold."""


def add_office(engine: Engine, office: OfficeId, name: str, *, clock: Clock) -> None:
    """Add an office. Raises OperatorError `office.exists` (field `office`)."""
    try:
        with engine.begin() as connection:
            connection.execute(insert(fleet.office).values(office_id=office, name=name, added_at=clock.now()))
    except RowExists as error:
        raise OperatorError("office.exists", field="office", office=office) from error


def issue_code(engine: Engine, office: OfficeId, *, clock: Clock, entropy: Entropy, replaces: str | None = None) -> str:
    """Return a new single-use code for a box of this office: twelve letters in groups of four, good for a day.

    With `replaces`, a box's name, whoever uses it opens the next journal of that box. Only the code's hash is kept.
    Raises OperatorError `office.unknown` (field `office`), `enrolment.no_such_box` (field `box`).
    """
    code = normal_code(random_name(entropy, "")[:CODE_LETTERS])
    now = clock.now()
    with engine.begin() as connection:
        _office_name(connection, office)
        if replaces is not None and _newest_journal(connection, office, replaces) is None:
            raise OperatorError("enrolment.no_such_box", field="box", box=replaces)
        connection.execute(
            insert(fleet.enrolment_code).values(
                code_sha256=_digest(code),
                office_id=office,
                replaces=replaces,
                issued_at=now,
                expires_at=now + CODE_LIFE,
            )
        )
    return code


def enrol(
    engine: Engine,
    wire: bytes,
    *,
    keys: CentralKeys,
    clock: Clock,
    entropy: Entropy,
    replaced: Replaced = lambda *_: 0,
    newcomer: Newcomer = lambda *_: 0,
) -> bytes:
    """Return the signed answer to an enrolment request, after its commit.

    `replaced` is told, in the transaction, of the journal that a new one takes over from, `newcomer` of each new one.
    Raises PeerError `exchange.malformed`, `exchange.too_large`, `exchange.wrong_signature`, `enrolment.code_unknown`,
    `enrolment.code_expired`, `enrolment.code_used` (by another key), `enrolment.key_bound` (to another office).
    """
    envelope = unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
    request = decode_enrolment_request(envelope.payload)
    verify(envelope, ENROLMENT_REQUEST, request.public_key)
    digest = _digest(normal_code(request.code))

    def work(connection: Connection) -> tuple[str, Row[Any]]:
        code = connection.execute(
            select(fleet.enrolment_code).where(fleet.enrolment_code.c.code_sha256 == digest).with_for_update()
        ).one_or_none()
        if code is None:
            raise PeerError("enrolment.code_unknown")
        office = OfficeId(code.office_id)
        # One enrolment of an office at a time, so that box numbers are dense and one key is bound once.
        name = _office_name(connection, office, lock=True)
        bound = _bound_journal(connection, request.public_key)
        if bound is None:
            _check_code(code, clock)
            if code.replaces is None:
                bound = _bind(connection, office, request, clock=clock, entropy=entropy)
            else:
                bound = _succeed(connection, office, code.replaces, request, clock=clock, entropy=entropy)
                replaced(connection, office, bound.predecessor, clock.now())
            feed_size = newcomer(connection, office, bound.journal_id, bound.predecessor)
            bound = _reads_first(connection, bound, feed_size)
            connection.execute(
                update(fleet.enrolment_code)
                .where(fleet.enrolment_code.c.code_sha256 == digest)
                .values(used_at=clock.now(), public_key=request.public_key, journal_id=bound.journal_id)
            )
        elif bound.office_id != office:
            raise PeerError("enrolment.key_bound", office=bound.office_id)
        return name, bound

    # Exchanges of the office's other journals, and whoever tells its feed anything, may wait for each other with it.
    return _answer(envelope, *in_transaction(engine, work), keys)


def _check_code(code: Row[Any], clock: Clock) -> None:
    if code.used_at is not None:
        raise PeerError("enrolment.code_used")
    if code.expires_at < clock.now():
        raise PeerError("enrolment.code_expired")


def _bound_journal(connection: Connection, public_key: bytes) -> Row[Any] | None:
    return connection.execute(
        select(journals.journal)
        .where(journals.journal.c.public_key == public_key)
        .order_by(journals.journal.c.opened_at.desc())
        .limit(1)
    ).one_or_none()


def _bind(
    connection: Connection, office: OfficeId, request: EnrolmentRequest, *, clock: Clock, entropy: Entropy
) -> Row[Any]:
    """Make the box and its journal's mirror, empty, with the first ratchet token."""
    count = connection.execute(
        select(func.count()).select_from(fleet.box).where(fleet.box.c.office_id == office)
    ).scalar_one()
    box = BoxId(str(count + 1))
    connection.execute(
        insert(fleet.box).values(
            office_id=office,
            box_id=box,
            public_key=request.public_key,
            software=request.software,
            enrolled_at=clock.now(),
        )
    )
    return _open_journal(connection, office, box, 1, request, clock=clock, entropy=entropy)


def _succeed(
    connection: Connection, office: OfficeId, box_id: str, request: EnrolmentRequest, *, clock: Clock, entropy: Entropy
) -> Row[Any]:
    """Give a box its new key and its next journal, which names the one before."""
    before = _newest_journal(connection, office, box_id)
    if before is None:
        raise PeerError("enrolment.code_unknown")
    connection.execute(
        update(fleet.box)
        .where(fleet.box.c.office_id == office, fleet.box.c.box_id == box_id)
        .values(public_key=request.public_key, software=request.software, enrolled_at=clock.now())
    )
    number = int(before.journal_id.rpartition("/")[2]) + 1
    return _open_journal(
        connection, office, BoxId(box_id), number, request, clock=clock, entropy=entropy, before=before
    )


def _newest_journal(connection: Connection, office: str, box_id: str) -> Row[Any] | None:
    """Return a box's newest journal, locked: no exchange of it goes on meanwhile."""
    table = journals.journal
    rows = connection.execute(
        select(table).where(table.c.office_id == office, table.c.box_id == box_id).with_for_update()
    ).all()
    return max(rows, key=lambda row: int(row.journal_id.rpartition("/")[2]), default=None)


def _open_journal(
    connection: Connection,
    office: OfficeId,
    box: BoxId,
    number: int,
    request: EnrolmentRequest,
    *,
    clock: Clock,
    entropy: Entropy,
    before: Row[Any] | None = None,
) -> Row[Any]:
    """Make a journal's mirror, empty, with the first ratchet token."""
    now, token = clock.now(), entropy.token_bytes(TOKEN_SIZE_BYTES)
    return connection.execute(
        insert(journals.journal)
        .values(
            office_id=office,
            journal_id=journal_id(office, box, number),
            box_id=box,
            predecessor=None if before is None else before.journal_id,
            predecessor_cosigned_size=None if before is None else before.cosigned_size,
            public_key=request.public_key,
            size=0,
            root=EMPTY_ROOT,
            token=token,
            first_token=token,
            cosigned_size=0,
            cosigned_at_s=0,
            cosigned_note="",
            opened_at=now,
        )
        .returning(journals.journal)
    ).one()


def _reads_first(connection: Connection, bound: Row[Any], feed_size: int) -> Row[Any]:
    """Keep how much of the office's feed a journal's box reads first; the same is answered when it asks again."""
    table = journals.journal
    return connection.execute(
        update(table)
        .where(table.c.office_id == bound.office_id, table.c.journal_id == bound.journal_id)
        .values(feed_size=feed_size)
        .returning(table)
    ).one()


def _answer(envelope: Envelope, office_name: str, bound: Row[Any], keys: CentralKeys) -> bytes:
    enrolment = Enrolment(
        v=VERSION,
        request_sha256=envelope.sha256,
        office=bound.office_id,
        office_name=office_name,
        box=bound.box_id,
        journal=bound.journal_id,
        # The first token, not the current one: a box that asks again after it has exchanged has lost its state, and its
        # next exchange is to show it.
        token=bound.first_token,
        feeds=tuple(feeds_of(OfficeId(bound.office_id))),
        trust=keys.trust(),
        predecessor=bound.predecessor,
        predecessor_cosigned_size=bound.predecessor_cosigned_size,
        feed_size=bound.feed_size,
    )
    return pack(ENROLMENT_RESPONSE, encode_payload(enrolment), keys.exchange.sign)


def _office_name(connection: Connection, office: OfficeId, *, lock: bool = False) -> str:
    query = select(fleet.office.c.name).where(fleet.office.c.office_id == office)
    name = connection.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if name is None:
        raise OperatorError("office.unknown", field="office", office=office)
    return str(name)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
