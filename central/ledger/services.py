"""Requests for services of the catalogue: kept, and put to their provider once their fee allows it.

    gate answer_first, or no fee    asked as soon as the request is known
    gate fee_first                  asked once the fee is charged

The fee and the request may come in any order, and the fee may be charged, undone and charged again. A request that is
asked anew (`service.retried`) costs no second fee: one whose result its box could not read is told it again, one that
waits is asked at once, and one that a provider refused is asked under a new name. Where finance paid the fee back
nobody is asked, and the box, whose journal does not know of that, is told that it is refused.
"""

from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, select, update

from central.fleet.catalogues import CATALOGUES
from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import NotPostable, PaymentBook, case_about
from central.ledger.cases import CaseKind, NewCase, open_case
from central.ledger.fees import give_fee
from central.ledger.giving_back import agreed_for_finance
from central.ledger.keeping import keep_asked
from central.ledger.locking import lock_payments, lock_payments_of
from central.ledger.paying_out import paid_back
from central.ledger.questions import BILLS, ask_provider, task_id, track_id
from central.ledger.storable import name_or_none
from central.ledger.store import load_payment
from central.ledger.tariffs import check_charge, check_request
from central.store.books import office_payment, provider_task
from central.store.services import service_request
from shared.events import ImageAsked, ServiceRequested, ServiceRetried
from shared.payment import CHARGED, PaymentState

HAS_RESULT: Final = ("done", "nothing")
"""Outcomes that are results; the others are none."""
NO_RESULT: Final = ("wrong_parameter", "refused")
_STANDING: Final = (PaymentState.APPROVED, PaymentState.ACKNOWLEDGED, PaymentState.OVERRIDDEN_CHARGED)


def post_service(
    connection: Connection, accepted: AcceptedEntry, body: ServiceRequested | ServiceRetried | ImageAsked
) -> None:
    """Do what an entry about a service asks for. Raises NotPostable; does not commit."""
    if isinstance(body, ServiceRequested):
        _keep_request(connection, accepted, body)
    elif isinstance(body, ServiceRetried):
        _retry_request(connection, accepted, body)
    else:
        _ask_image(connection, accepted, body)


def _keep_request(connection: Connection, accepted: AcceptedEntry, body: ServiceRequested) -> None:
    """Keep a request, and ask if it may be asked. Raises NotPostable for one that is known already, or has no name."""
    if name_or_none(body.inquiry_id) is None:
        # Questions and messages are named after it: their names have to fit an index as well.
        raise NotPostable("books.not_storable")
    keep_asked(
        connection,
        service_request,
        accepted,
        body,
        catalogue_id=body.catalogue_id,
        fields_key_id=body.fields.key_id,
        fields_ciphertext=body.fields.ciphertext,
        applicant_tail=body.applicant_tail,
        fee_rial=body.fee_rial,
        gate=body.gate,
    )
    row = _row(connection, accepted.office, body.inquiry_id, lock=True)
    check_request(connection, row, accepted.received_at)
    fee = charged_fee(connection, accepted.office, body.inquiry_id)
    if fee is not None:
        check_charge(connection, fee, accepted.received_at)
    _ask(connection, row, accepted.received_at)


def _retry_request(connection: Connection, accepted: AcceptedEntry, body: ServiceRetried) -> None:
    """Ask again, without a second fee. Raises NotPostable for a request that is not known."""
    office, at = accepted.office, accepted.received_at
    charged_fee(connection, office, body.inquiry_id)
    row = _row(connection, office, body.inquiry_id, lock=True)
    if row is None:
        raise NotPostable("books.unknown_inquiry", inquiry_id=body.inquiry_id)
    if row.outcome in HAS_RESULT:
        # Its box could not read the result, and waits: its provider is asked what it answered, by the same name.
        _put_again(connection, row, at)
        return
    if row.outcome in NO_RESULT:
        _ask_anew(connection, row, at)
        return
    table = provider_task
    connection.execute(
        update(table)
        .where(
            table.c.office_id == office,
            table.c.task_id == task_id("serve", body.inquiry_id),
            table.c.state == "waiting",
            table.c.next_at > at,
        )
        .values(next_at=at)
    )
    _ask(connection, row, at)


def _ask_image(connection: Connection, accepted: AcceptedEntry, body: ImageAsked) -> None:
    """Ask for the pictures of an item; asked for again once they were asked for, they are fetched anew.

    Raises NotPostable for a request that is not known.
    """
    office, at = accepted.office, accepted.received_at
    row = _row(connection, office, body.inquiry_id, lock=True)
    if row is None:
        raise NotPostable("books.unknown_inquiry", inquiry_id=body.inquiry_id)
    subject = f"{body.inquiry_id}/{body.item}"
    ask_provider(connection, "image", office, subject, at, route=_route(connection, row))
    table = provider_task
    connection.execute(
        update(table)
        .where(table.c.office_id == office, table.c.task_id == task_id("image", subject), table.c.state == "done")
        .values(state="waiting", next_at=at, attempts=0, asked_at=None, out_since=None, outcome=None, finished_at=None)
    )


def fee_charged(connection: Connection, office_id: str, inquiry_id: str, at: datetime) -> None:
    """Take note that the fee of a request is charged. Does not commit.

    Called in the transaction that books the charge, and again for each evidence of it; the request may not be known.
    A fee of what was answered already is earned, and one of what was refused is owed back.
    """
    row = _row(connection, office_id, inquiry_id, lock=True)
    if row is None:
        return
    fee = None if row.outcome is None else charged_fee(connection, office_id, inquiry_id)
    # A fee that was paid again, the first being given back, has a case of its own.
    if fee is not None and row.outcome in NO_RESULT and row.case_id != _case_of_fee(fee, row.outcome).case_id:
        case_id = owe_fee_back(connection, office_id, inquiry_id, reason=row.outcome, at=at)
        _set(connection, row, case_id=case_id)
    if fee is not None and row.outcome in (*HAS_RESULT, "refused"):
        word: Literal["confirmed", "refused"] = "refused" if row.outcome == "refused" else "confirmed"
        give_fee(connection, fee, word, provider=row.provider, track_id=row.track_id, at=at)
    _ask(connection, row, at)


def fee_undone(connection: Connection, office_id: str, inquiry_id: str, at: datetime) -> None:
    """Take note that the fee of a request is not charged any more: given back, or in doubt again. Does not commit.

    A question that did not leave yet is taken back; what left or was answered stays.
    """
    if may_ask(connection, office_id, inquiry_id):
        return
    table = provider_task
    connection.execute(
        update(table)
        .where(
            table.c.office_id == office_id,
            table.c.task_id == task_id("serve", inquiry_id),
            table.c.state == "waiting",
            table.c.asked_at.is_(None),
        )
        .values(state="done", outcome="withdrawn", finished_at=at)
    )


def may_ask(connection: Connection, office_id: str, inquiry_id: str) -> bool:
    """Return whether a request's provider may be asked: by its gate and its fee."""
    row = _row(connection, office_id, inquiry_id)
    return row is not None and _may_ask(connection, row)


def stands(fee: PaymentBook) -> bool:
    """Return whether a fee is charged, its terminal will not take it back by itself, and nobody is to have it back.

    A supervisor's word is enough, and a reversal under way too much.
    """
    return fee.state in _STANDING and not fee.unacknowledged and not agreed_for_finance(fee)


def charged_fee(connection: Connection, office_id: str, inquiry_id: str) -> PaymentBook | None:
    """Return the payment by which a request's fee stands, its row locked, or None.

    One that finance paid back does not stand, though its charge does.
    """
    table = office_payment
    query = (
        select(table.c.payment_id)
        .where(
            table.c.office_id == office_id,
            table.c.purpose == "inquiry_fee",
            table.c.inquiry_id == inquiry_id,
            table.c.state.in_([str(state) for state in _STANDING]),
        )
        .order_by(table.c.ordinal)
    )
    found = connection.execute(query).scalars().all()
    lock_payments(connection, ((office_id, payment_id) for payment_id in found))
    fees = (load_payment(connection, office_id, payment_id) for payment_id in found)
    return next((fee for fee in fees if fee is not None and stands(fee) and not paid_back(connection, fee)), None)


def fee_of_answer(connection: Connection, office_id: str, inquiry_id: str) -> PaymentBook | None:
    """Return the payment whose money an answer that is there now is about, or None where no fee is charged.

    That by which the fee stands. Else the newest that is charged, though it goes back or finance paid it back while the
    provider was asked: the books hold of it what they would if the answer had come the moment before.
    """
    standing = charged_fee(connection, office_id, inquiry_id)
    if standing is not None:
        return standing
    table = office_payment.c
    found = connection.execute(
        select(table.payment_id)
        .where(
            table.office_id == office_id,
            table.inquiry_id == inquiry_id,
            table.purpose == "inquiry_fee",
            table.state.in_(sorted(CHARGED)),
            table.unacknowledged.is_(False),
        )
        .order_by(table.ordinal.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if found is None else load_payment(connection, office_id, found)


def fee_paid_back(connection: Connection, office_id: str, inquiry_id: str) -> str | None:
    """Return by which case finance paid the fee of a request back, or None where that is not so or another one stands.

    Its box does not know: by its journal the fee is charged.
    """
    if charged_fee(connection, office_id, inquiry_id) is not None:
        return None
    table = office_payment.c
    of_request = (table.office_id == office_id, table.inquiry_id == inquiry_id, table.purpose == "inquiry_fee")
    charged = table.state.in_([str(state) for state in _STANDING])
    found = connection.execute(select(table.payment_id).where(*of_request, charged).order_by(table.ordinal)).scalars()
    fees = [load_payment(connection, office_id, payment_id) for payment_id in found.all()]
    return next((case for fee in fees if fee is not None and (case := paid_back(connection, fee)) is not None), None)


def lock_request(connection: Connection, office_id: str, inquiry_id: str) -> None:
    """Lock the payments of a request, one by which its fee goes back among them, then the request."""
    lock_payments_of(connection, office_id, payments=(), requests=(inquiry_id,))
    _row(connection, office_id, inquiry_id, lock=True)


def owe_fee_back(
    connection: Connection, office_id: str, inquiry_id: str, *, reason: str, at: datetime, **facts: Any
) -> str | None:
    """Open the case of a fee without a result; return its id, or None where no fee is charged.

    Refused for good: the fee is owed back. Wrong parameters: whose fault it was is a person's to say.
    """
    fee = charged_fee(connection, office_id, inquiry_id)
    if fee is None:
        return None
    case = _case_of_fee(fee, reason, inquiry=inquiry_id, reason=reason, **facts)
    return open_case(connection, case, at=at, again=True)


def _case_of_fee(fee: PaymentBook, outcome: str, **facts: Any) -> NewCase:
    """Return the case of a fee without a result."""
    kind: CaseKind = "refund" if outcome == "refused" else "no_result"
    return case_about(fee, kind, **facts)


def route_of(connection: Connection, office_id: str, inquiry_id: str | None) -> str:
    """Return whom to tell of a payment: who answered what it pays, or the bills' provider where nobody did."""
    row = None if inquiry_id is None else _row(connection, office_id, inquiry_id)
    return BILLS if row is None else _route(connection, row)


def order_of(obligation: str) -> str:
    """Return the order that a payment with this obligation pays."""
    return obligation.removeprefix("order:")


def _ask(connection: Connection, row: Any, at: datetime) -> None:
    """Queue the question of a request without an outcome, if it may be asked."""
    if row is not None and row.outcome is None and _may_ask(connection, row):
        ask_provider(connection, "serve", row.office_id, row.inquiry_id, at, route=_route(connection, row))


def _ask_anew(connection: Connection, row: Any, at: datetime) -> None:
    """Ask again what was refused, under a name of its own; where the fee went back, its office waits to be told so."""
    fee_is_back = fee_paid_back(connection, row.office_id, row.inquiry_id) is not None
    if not fee_is_back and not _may_ask(connection, row):
        return
    number = row.round + 1
    _set(connection, row, round=number)
    new_name = track_id("serve", row.office_id, f"{row.inquiry_id}|{number}")
    _put_again(connection, row, at, asked_at=None, out_since=None, track_id=new_name)


def _put_again(connection: Connection, row: Any, at: datetime, **values: Any) -> None:
    """Queue the question of a request that was answered once more."""
    table = provider_task
    connection.execute(
        update(table)
        .where(table.c.office_id == row.office_id, table.c.task_id == task_id("serve", row.inquiry_id))
        .where(table.c.state == "done")
        .values(
            state="waiting",
            next_at=at,
            # It waits from now on: what it waited before was answered.
            made_at=at,
            attempts=0,
            outcome=None,
            finished_at=None,
            route=_route(connection, row),
            **values,
        )
    )


def _may_ask(connection: Connection, row: Any) -> bool:
    if row.gate == "answer_first" or row.fee_rial == 0:
        return True
    return charged_fee(connection, row.office_id, row.inquiry_id) is not None


def _route(connection: Connection, row: Any) -> str:
    service = CATALOGUES.service(connection, row.catalogue_id, row.service)
    # What nobody here knows is asked of whoever is there, to be refused with words.
    return BILLS if service is None else service.provider


def _row(connection: Connection, office_id: str, inquiry_id: str, *, lock: bool = False) -> Any:
    table = service_request
    query = select(table).where(table.c.office_id == office_id, table.c.inquiry_id == inquiry_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _set(connection: Connection, row: Any, **values: Any) -> None:
    table = service_request
    connection.execute(
        update(table).where(table.c.office_id == row.office_id, table.c.inquiry_id == row.inquiry_id).values(**values)
    )
