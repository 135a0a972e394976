"""What customers were charged, held against what they should have been: a difference is a case, never a refusal.

    fee         a request's fee, and its payment: the tariff of the catalogue that the request names, shares and all
    catalogue   the catalogue that a request names: the one its box's own journal says it sold by
    order       the payment of an order: the order's amount, as its provider made it
    bill        the payment of a bill: the amount in the bill's own payment id

A box may be behind: what counts is what it had received by then, which its journal says (`feed.received`). A request
that was being typed while a newer catalogue came may still name the one before it.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from central.fleet.catalogues import CATALOGUES
from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import ItemBook, PaymentBook, case_about
from central.ledger.cases import NewCase, note_if_there, open_case
from central.store import fleet
from central.store.books import office_fact
from central.store.services import catalogue_heard, service_order, service_request
from shared.catalogue import Service, Tariff
from shared.catalogue_files import BUILT_IN
from shared.errors import OperatorError
from shared.events import FEED_BODIES, AlarmRaised, CataloguePublished, FeedReceived, decode_body
from shared.identifiers import parse_bill
from shared.ids import NETWORK_FEED, FeedId, OfficeId, office_feed
from shared.journal.entry import decode_entry

STILL_NAMED: Final = 32
"""Entries of a journal after a newer catalogue came, in which a request may still name the one before it."""
REFUSED_ALARM: Final = "catalogue_refused"
"""By it a box says that it does not sell by a catalogue; its detail begins with the catalogue's name."""
CHARGED_SINCE: Final = "کارمزد برداشت شد و پروندهٔ خود را دارد · the fee was charged: its payment's case goes on"
_SHARES: Final = ("company_rial", "provider_rial", "office_rial", "vat_rial")


def hear_feed(connection: Connection, accepted: AcceptedEntry, body: FeedReceived) -> None:
    """Keep which catalogues a box has from this entry of its journal on."""
    table = fleet.feed_entry.c
    rows = connection.execute(
        select(table.entry_index, table.data).where(
            table.feed_id == body.feed,
            table.type == CataloguePublished.type,
            table.entry_index >= body.first,
            table.entry_index <= body.last,
        )
    ).all()
    for entry_index, data in rows:
        said = decode_entry(data)
        published = decode_body(said.type, bytes(said.body), FEED_BODIES)
        if not isinstance(published, CataloguePublished):
            continue
        connection.execute(
            insert(catalogue_heard)
            .values(
                office_id=accepted.office,
                journal_id=accepted.journal,
                entry_index=accepted.index,
                feed_id=body.feed,
                feed_index=entry_index,
                catalogue_id="" if published.withdrawn else published.catalogue_id,
            )
            .on_conflict_do_nothing()
        )


def check_request(connection: Connection, row: Any, at: datetime) -> None:
    """Open a case for a request whose fee or catalogue is not the one that its office should have asked it by."""
    facts = _of_request(connection, row)
    if facts is None:
        return
    new = NewCase(
        kind="tariff_differs",
        about=_about_request(row),
        amount_rial=0,
        office_id=row.office_id,
        facts={**facts, "inquiry": row.inquiry_id},
    )
    open_case(connection, new, at=at)


def check_charge(connection: Connection, payment: PaymentBook, at: datetime) -> None:
    """Open a case for each thing that this payment charges otherwise than it should. The payment's row is locked."""
    if payment.purpose == "inquiry_fee":
        _check_fee(connection, payment, at)
        return
    expected = _order_rial(connection, payment) if payment.purpose == "order" else None
    if expected is not None:
        _open(connection, payment, None, "order", expected, at=at)
    for part in payment.items or (payment,):
        amount_rial = _bill_rial(part)
        if amount_rial is not None:
            _open(connection, payment, part.item if isinstance(part, ItemBook) else None, "bill", amount_rial, at=at)


def _of_request(connection: Connection, row: Any) -> dict[str, Any] | None:
    """Return what is wrong with a request by its catalogue, or None."""
    service = CATALOGUES.service(connection, row.catalogue_id, row.service)
    named = {"catalogue": row.catalogue_id, "service": row.service}
    if service is None:
        return {"differs": "unknown_catalogue", **named, "charged_rial": row.fee_rial}
    if service.tariff.fee_rial != row.fee_rial:
        return {
            "differs": "fee",
            **named,
            "expected_rial": service.tariff.fee_rial,
            "charged_rial": row.fee_rial,
        }
    in_force = _sold_by(connection, row)
    if row.catalogue_id not in in_force:
        return {"differs": "catalogue", **named, "in_force": in_force[0]}
    return None


def _check_fee(connection: Connection, payment: PaymentBook, at: datetime) -> None:
    table = service_request
    row = connection.execute(
        select(table).where(table.c.office_id == payment.office_id, table.c.inquiry_id == payment.inquiry_id)
    ).one_or_none()
    if row is None:
        # Looked at again when the request comes.
        return
    service = CATALOGUES.service(connection, row.catalogue_id, row.service)
    wrong = _of_request(connection, row) or {}
    if service is not None:
        wrong |= _of_payment(payment, service)
    if not wrong:
        return
    case = case_about(payment, "tariff_differs", amount_rial=_too_much(wrong), inquiry=row.inquiry_id, **wrong)
    open_case(connection, case, at=at)
    asked = NewCase(kind="tariff_differs", about=_about_request(row), amount_rial=0)
    note_if_there(connection, asked.case_id, CHARGED_SINCE, closes=True, at=at)


def _of_payment(payment: PaymentBook, service: Service) -> dict[str, Any]:
    """Return what is wrong with a fee's payment by the tariff."""
    tariff = service.tariff
    if payment.amount_rial != tariff.fee_rial:
        return {"differs": "fee", "expected_rial": tariff.fee_rial, "charged_rial": payment.amount_rial}
    wrong = [name for name in _SHARES if payment.split.get(name, 0) != getattr(tariff, name)]
    return {"differs": "shares", "shares": _shares(tariff)} if wrong else {}


def _shares(tariff: Tariff) -> str:
    return " + ".join(str(getattr(tariff, name)) for name in _SHARES)


def _too_much(wrong: dict[str, Any]) -> int:
    """Return what the customer paid too much: only that is money that a case's end may move."""
    return max(0, int(wrong.get("charged_rial", 0)) - int(wrong.get("expected_rial", wrong.get("charged_rial", 0))))


def _about_request(row: Any) -> str:
    return f"request/{row.office_id}/{row.inquiry_id}"


def _order_rial(connection: Connection, payment: PaymentBook) -> int | None:
    table = service_order.c
    order_id = payment.obligation.removeprefix("order:")
    query = select(table.amount_rial).where(table.office_id == payment.office_id, table.order_id == order_id)
    return connection.execute(query).scalar()


def _bill_rial(part: PaymentBook | ItemBook) -> int | None:
    """Return the amount that a bill's ids say; None where it has none, or they are none."""
    try:
        return parse_bill(part.bill_id or "", part.bill_payment_id or "").amount_rial
    except OperatorError:
        return None


def _open(
    connection: Connection, payment: PaymentBook, item: int | None, what: str, expected_rial: int, *, at: datetime
) -> None:
    charged_rial = payment.amount_rial if item is None else payment.items[item].amount_rial
    if charged_rial == expected_rial:
        return
    wrong = {"differs": what, "expected_rial": expected_rial, "charged_rial": charged_rial}
    open_case(
        connection, case_about(payment, "tariff_differs", item=item, amount_rial=_too_much(wrong), **wrong), at=at
    )


def _sold_by(connection: Connection, row: Any) -> list[str]:
    """Return the catalogues that an office may have asked by at a request's entry, the one in force first."""
    refused = _refused(connection, row.office_id)
    heard = catalogue_heard.c
    found = connection.execute(
        select(heard.feed_id, heard.entry_index, heard.catalogue_id)
        .where(
            heard.office_id == row.office_id,
            heard.journal_id == row.journal_id,
            heard.entry_index < row.entry_index,
        )
        .order_by(heard.feed_index.desc())
    ).all()
    had = [each for each in found if each.catalogue_id not in refused]
    settled = [each for each in had if each.entry_index < row.entry_index - STILL_NAMED]
    newest = [_standing(each, row.office_id) for each in (had, settled)]
    return list(dict.fromkeys(newest))


def _standing(heard: list[Any], office_id: str) -> str:
    """Return what stands of the catalogues that a box heard of, newest first; a withdrawn one has no name."""
    feeds: tuple[FeedId, ...] = (office_feed(OfficeId(office_id)), NETWORK_FEED)
    for feed_id in feeds:
        newest = next((each.catalogue_id for each in heard if each.feed_id == feed_id), "")
        if newest:
            return newest
    return BUILT_IN


def _refused(connection: Connection, office_id: str) -> set[str]:
    table = office_fact.c
    told = connection.execute(
        select(table.body["detail"].astext).where(
            table.office_id == office_id,
            table.type == AlarmRaised.type,
            table.body["kind"].astext == REFUSED_ALARM,
        )
    ).scalars()
    return {detail.partition(":")[0] for detail in told}
