"""The receiver's hook: accepted entries become payments, transfers, provider tasks and cases, in its transaction.

An entry that makes no sense for the books blocks nobody: it is undone to its own savepoint, marked `unposted`, and
becomes a case. Trouble with the database itself is raised, for the receiver to try the whole exchange again. Entries
that are handed over again after `central.ledger.reopening` are booked as if they came now.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, Protocol

import msgspec
from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from central.ledger.booking import Booking, Fact, NotPostable, case_about
from central.ledger.cases import NewCase, note_if_there, open_case, unposted_about
from central.ledger.days import check_close
from central.ledger.handled import OFFICE_FACTS, OTHER_FACTS
from central.ledger.posting import PAYMENT_FACTS, book
from central.ledger.storable import is_own_fault, name_or_none, shown
from central.ledger.store import load_payment, lock_obligations, save_payment, write_transfers
from central.store.books import (
    office_data_key,
    office_fact,
    office_inquiry,
    office_payment,
    payment_entry,
    posted_entry,
    provider_task,
)
from shared.errors import DaftarError
from shared.events import (
    AlarmRaised,
    Body,
    ChargeRuledOut,
    DataKeyMade,
    DayClosed,
    InquiryRequested,
    PaymentApproved,
    PaymentRequested,
    ReceiptPrinted,
    StatusQueried,
)
from shared.journal.entry import Entry
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

TaskKind = Literal["confirm", "inquire"]
_TRACK_ID_SIZE: Final = 40


class AcceptedEntry(Protocol):
    """What the hook reads of an accepted entry; the receiver's struct has it."""

    @property
    def office(self) -> str:
        """Return the office's code."""

    @property
    def journal(self) -> str:
        """Return the journal's name."""

    @property
    def index(self) -> int:
        """Return the entry's place in the journal."""

    @property
    def leaf(self) -> bytes:
        """Return the leaf hash, 32 bytes."""

    @property
    def entry(self) -> Entry:
        """Return the envelope."""

    @property
    def body(self) -> Body | None:
        """Return the body, or None for a type of another release."""

    @property
    def received_at(self) -> datetime:
        """Return when central took it."""


def post_entries(connection: Connection, journal: object, accepted: Sequence[AcceptedEntry]) -> None:
    """Book accepted entries. Entries that were booked before change nothing. Does not commit."""
    del journal  # each entry names its office and journal
    lock_obligations(connection, _obligations(connection, accepted))
    for entry in accepted:
        _post_once(connection, entry)


def task_id(kind: TaskKind, subject: str) -> str:
    """Return the id of the question of this kind about a payment or an inquiry."""
    return f"{kind}/{subject}"


def track_id(kind: TaskKind, office_id: str, subject: str) -> str:
    """Return the name under which a provider is asked: one letter and 39 hex digits of SHA-256.

    It follows from what is asked, so however often and from wherever a question is sent, the provider sees one.
    """
    digest = hashlib.sha256(f"{kind}|{office_id}|{subject}".encode()).hexdigest()
    return (kind[0] + digest)[:_TRACK_ID_SIZE]


def _obligations(connection: Connection, accepted: Sequence[AcceptedEntry]) -> set[str]:
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


def _post_once(connection: Connection, accepted: AcceptedEntry) -> None:
    new = connection.execute(
        insert(posted_entry)
        .values(
            office_id=accepted.office,
            journal_id=accepted.journal,
            leaf=accepted.leaf,
            entry_index=accepted.index,
            disposition=_disposition(accepted.body),
        )
        .on_conflict_do_nothing()
        .returning(posted_entry.c.leaf)
    ).one_or_none()
    if new is None:
        return
    try:
        with connection.begin_nested():
            entry, body = shown(accepted.entry, accepted.body)
            _post(connection, _Shown(accepted, entry, body))
    except Exception as error:
        if not is_own_fault(error):
            raise
        _set_aside(connection, accepted, error)


class _Shown:
    """An accepted entry with its texts as the books hold them."""

    def __init__(self, accepted: AcceptedEntry, entry: Entry, body: Body | None) -> None:
        self.office = accepted.office
        self.journal = accepted.journal
        self.index = accepted.index
        self.leaf = accepted.leaf
        self.received_at = accepted.received_at
        self.entry = entry
        self.body = body


def _disposition(body: Body | None) -> str:
    posted: tuple[type[Body], ...] = (*PAYMENT_FACTS, *OTHER_FACTS)
    is_posted = isinstance(body, posted) or (body is not None and body.type in OFFICE_FACTS)
    return "posted" if is_posted else "no_effect"


def _post(connection: Connection, accepted: AcceptedEntry) -> None:
    body = accepted.body
    if isinstance(body, PAYMENT_FACTS):
        _post_payment(connection, accepted, body)
    elif isinstance(body, StatusQueried | ChargeRuledOut):
        _note_entry(connection, accepted, body.payment_id)
    elif isinstance(body, ReceiptPrinted):
        _note_if_known(connection, accepted, body.about)
    elif body is not None and body.type in OFFICE_FACTS:
        _keep_fact(connection, accepted)
        if isinstance(body, AlarmRaised):
            _note_if_known(connection, accepted, body.payment_id)
        if isinstance(body, DayClosed):
            check_close(
                connection,
                office=accepted.office,
                journal=accepted.journal,
                index=accepted.index,
                leaf=accepted.leaf,
                body=body,
                at=accepted.received_at,
            )
    elif isinstance(body, DataKeyMade):
        _keep_data_key(connection, accepted, body)
    elif isinstance(body, InquiryRequested):
        _keep_inquiry(connection, accepted, body)


def _post_payment(connection: Connection, accepted: AcceptedEntry, body: Any) -> None:
    fact = Fact(
        office_id=accepted.office,
        journal_id=accepted.journal,
        index=accepted.index,
        leaf=accepted.leaf,
        at_claim=accepted.entry.at,
        body=body,
    )
    before = load_payment(connection, accepted.office, body.payment_id)
    booking = book(before, fact)
    at = accepted.received_at
    save_payment(connection, booking.payment, at, is_new=before is None)
    _note_entry(connection, accepted, body.payment_id)
    write_transfers(
        connection,
        accepted.office,
        booking.transfers,
        payment_id=body.payment_id,
        source_kind="entry",
        source=f"{accepted.journal}#{accepted.index}",
        at=at,
    )
    for new in booking.cases:
        open_case(connection, new, at=at, again=True)
    for note in booking.notes:
        note_if_there(connection, note.case_id, note.text, closes=note.closes, at=at)
    if booking.charged:
        _look_for_second_charge(connection, booking, at)
    if booking.confirm:
        _ask_provider(connection, "confirm", accepted.office, body.payment_id, at)


def _look_for_second_charge(connection: Connection, booking: Booking, at: datetime) -> None:
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


def _ask_provider(connection: Connection, kind: TaskKind, office_id: str, subject: str, at: datetime) -> None:
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


def _note_if_known(connection: Connection, accepted: AcceptedEntry, payment_id: str | None) -> None:
    """Put the entry into the life of a payment that there is."""
    if payment_id is not None and load_payment(connection, accepted.office, payment_id) is not None:
        _note_entry(connection, accepted, payment_id)


def _note_entry(connection: Connection, accepted: AcceptedEntry, payment_id: str) -> None:
    """Put the entry into the payment's life."""
    connection.execute(
        insert(payment_entry)
        .values(
            office_id=accepted.office,
            payment_id=payment_id,
            journal_id=accepted.journal,
            leaf=accepted.leaf,
            entry_index=accepted.index,
            type=accepted.entry.type,
            at_claim=accepted.entry.at,
            clock=accepted.entry.clock,
            received_at=accepted.received_at,
            body=msgspec.json.decode(accepted.entry.body),
        )
        .on_conflict_do_nothing()
    )


def _keep_fact(connection: Connection, accepted: AcceptedEntry) -> None:
    """Keep what a box says of itself."""
    connection.execute(
        insert(office_fact).values(
            office_id=accepted.office,
            journal_id=accepted.journal,
            leaf=accepted.leaf,
            entry_index=accepted.index,
            type=accepted.entry.type,
            at_claim=accepted.entry.at,
            clock=accepted.entry.clock,
            received_at=accepted.received_at,
            body=msgspec.json.decode(accepted.entry.body),
        )
    )


def _keep_data_key(connection: Connection, accepted: AcceptedEntry, body: DataKeyMade) -> None:
    """Keep a data key. A second key under a known name is set aside: the first one stays."""
    new = connection.execute(
        insert(office_data_key)
        .values(
            office_id=accepted.office,
            key_id=body.key_id,
            journal_id=accepted.journal,
            month=body.month,
            public_key=body.public_key,
            wrapped=body.wrapped,
        )
        .on_conflict_do_nothing()
        .returning(office_data_key.c.key_id)
    ).one_or_none()
    if new is None:
        raise NotPostable("books.data_key_known_already", key_id=body.key_id)


def _keep_inquiry(connection: Connection, accepted: AcceptedEntry, body: InquiryRequested) -> None:
    new = connection.execute(
        insert(office_inquiry)
        .values(
            office_id=accepted.office,
            inquiry_id=body.inquiry_id,
            journal_id=accepted.journal,
            entry_index=accepted.index,
            ticket=body.ticket,
            service=body.service,
            kind=body.kind,
            parameter_key_id=body.parameter.key_id,
            parameter_ciphertext=body.parameter.ciphertext,
            parameter_tail=body.parameter_tail,
            operator=body.operator,
            requested_claim=accepted.entry.at,
            received_at=accepted.received_at,
        )
        .on_conflict_do_nothing()
        .returning(office_inquiry.c.inquiry_id)
    ).one_or_none()
    if new is None:
        raise NotPostable("books.inquiry_known_already", inquiry_id=body.inquiry_id)
    _ask_provider(connection, "inquire", accepted.office, body.inquiry_id, accepted.received_at)


def _set_aside(connection: Connection, accepted: AcceptedEntry, error: Exception) -> None:
    """Mark the entry unposted and open a case about it."""
    connection.execute(
        posted_entry.update()
        .where(
            posted_entry.c.office_id == accepted.office,
            posted_entry.c.journal_id == accepted.journal,
            posted_entry.c.leaf == accepted.leaf,
        )
        .values(disposition="unposted")
    )
    amount = accepted.body.amount_rial if isinstance(accepted.body, PaymentRequested) else 0
    new = NewCase(
        kind="unposted",
        about=unposted_about(accepted.journal, accepted.leaf),
        amount_rial=amount if 0 < amount < 2**63 else 0,
        office_id=accepted.office,
        payment_id=name_or_none(getattr(accepted.body, "payment_id", None)),
        facts={
            "journal": accepted.journal,
            "index": accepted.index,
            "leaf": accepted.leaf.hex(),
            "type": "" if accepted.body is None else accepted.body.type,
            "code": error.code if isinstance(error, DaftarError) else "books.not_storable",
            "charged": isinstance(accepted.body, PaymentApproved),
        },
    )
    open_case(connection, new, at=accepted.received_at)
