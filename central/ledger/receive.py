"""The receiver's hook: accepted entries become payments, transfers, provider tasks and cases, in its transaction.

An entry that makes no sense for the books blocks nobody: it is undone to its own savepoint, marked `unposted`, and
becomes a case. Trouble with the database itself is raised, for the receiver to try the whole exchange again. Entries
that are handed over again after `central.ledger.reopening` are booked as if they came now.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.atms import keep_atm
from central.ledger.booking import NotPostable
from central.ledger.cases import NewCase, open_case, unposted_about
from central.ledger.days import check_close
from central.ledger.handled import OFFICE_FACTS, OTHER_FACTS
from central.ledger.keeping import keep_asked
from central.ledger.lives import note_entry
from central.ledger.locking import lock_obligations, lock_payments_of
from central.ledger.obligations import obligations_of
from central.ledger.payments import post_payment
from central.ledger.posting import PAYMENT_FACTS
from central.ledger.questions import ask_provider
from central.ledger.services import post_service
from central.ledger.storable import is_own_fault, name_or_none, shown
from central.ledger.store import load_payment
from central.ledger.tariffs import hear_feed
from central.store.books import (
    office_data_key,
    office_fact,
    office_inquiry,
    posted_entry,
)
from shared.errors import DaftarError
from shared.events import (
    ATM_FACTS,
    AlarmRaised,
    Body,
    ChargeRuledOut,
    DataKeyMade,
    DayClosed,
    FeedReceived,
    ImageAsked,
    InquiryRequested,
    PaymentApproved,
    PaymentRequested,
    ReceiptPrinted,
    ServiceRequested,
    ServiceRetried,
    StatusQueried,
)
from shared.journal.entry import Entry


def post_entries(connection: Connection, journal: object, accepted: Sequence[AcceptedEntry]) -> None:
    """Book accepted entries. Entries that were booked before change nothing. Does not commit."""
    del journal  # each entry names its office and journal
    lock_obligations(connection, obligations_of(connection, accepted))
    _lock_payments(connection, accepted)
    for entry in accepted:
        _post_once(connection, entry)


def _lock_payments(connection: Connection, accepted: Sequence[AcceptedEntry]) -> None:
    """Lock all payments that the entries may move, in the order of `central.ledger.locking`."""
    for office in sorted({entry.office for entry in accepted}):
        bodies = [entry.body for entry in accepted if entry.office == office]
        named = {
            member: {name for body in bodies if (name := name_or_none(getattr(body, member, None))) is not None}
            for member in ("payment_id", "inquiry_id")
        }
        lock_payments_of(connection, office, payments=named["payment_id"], requests=named["inquiry_id"])


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
        post_payment(connection, accepted, body)
    elif isinstance(body, StatusQueried | ChargeRuledOut):
        note_entry(connection, accepted, body.payment_id)
    elif isinstance(body, ReceiptPrinted):
        _note_if_known(connection, accepted, body.about)
    elif body is not None and body.type in OFFICE_FACTS:
        _post_office_fact(connection, accepted, body)
    elif isinstance(body, DataKeyMade):
        _keep_data_key(connection, accepted, body)
    elif isinstance(body, FeedReceived):
        hear_feed(connection, accepted, body)
    elif isinstance(body, InquiryRequested):
        _keep_inquiry(connection, accepted, body)
    elif isinstance(body, ServiceRequested | ServiceRetried | ImageAsked):
        post_service(connection, accepted, body)
    elif isinstance(body, ATM_FACTS):
        keep_atm(connection, accepted, body)


def _post_office_fact(connection: Connection, accepted: AcceptedEntry, body: Body) -> None:
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


def _note_if_known(connection: Connection, accepted: AcceptedEntry, payment_id: str | None) -> None:
    """Put the entry into the life of a payment that there is."""
    if payment_id is not None and load_payment(connection, accepted.office, payment_id) is not None:
        note_entry(connection, accepted, payment_id)


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
    keep_asked(
        connection,
        office_inquiry,
        accepted,
        body,
        kind=body.kind,
        parameter_key_id=body.parameter.key_id,
        parameter_ciphertext=body.parameter.ciphertext,
        parameter_tail=body.parameter_tail,
    )
    ask_provider(connection, "inquire", accepted.office, body.inquiry_id, accepted.received_at)


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
