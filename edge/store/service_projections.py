"""What the facts of catalogue services mean: requests, what was told of them on the feed, catalogues that came."""

from typing import Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store.projecting import Project, insert, instant_or_none
from shared.events import (
    Body,
    CataloguePublished,
    ImageAnswered,
    ImageAsked,
    PaymentConfirmed,
    ServiceAnswered,
    ServiceReleased,
    ServiceRequested,
    ServiceRetried,
    ServiceShown,
)
from shared.journal.entry import decode_entry


class _Named(msgspec.Struct, frozen=True):
    """A catalogue's name, whatever the rest of it is."""

    catalogue_id: str = ""
    withdrawn: bool = False


def catalogue_came(connection: apsw.Connection, at: Recorded, feed: str, feed_index: int, data: bytes) -> None:
    """Note a catalogue that came down a feed; nothing for entries of other types.

    Noted by its name alone: one that this release cannot read is noted too, so that somebody says so.
    """
    entry = decode_entry(data)
    if entry.type != CataloguePublished.type:
        return
    try:
        named = msgspec.json.decode(bytes(entry.body), type=_Named)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        named = _Named()
    insert(
        connection,
        "catalogue",
        feed=feed,
        feed_index=feed_index,
        catalogue_id=named.catalogue_id,
        withdrawn=int(named.withdrawn),
        received_index=at.index,
    )


def told(connection: apsw.Connection, feed: str, feed_index: int, body: Body) -> None:
    """Note where an answer, a picture or what was bought stands in its feed; nothing for other bodies."""
    match body:
        case ServiceAnswered():
            _answered(connection, feed, feed_index, body)
        case ImageAnswered():
            connection.execute(
                "INSERT INTO service_image (inquiry_id, item, number, label, there, feed, feed_index) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (inquiry_id, item, number) DO UPDATE SET "
                "label = excluded.label, there = excluded.there, feed = excluded.feed, "
                "feed_index = excluded.feed_index",
                (body.inquiry_id, body.item, body.number, body.label, int(body.image is not None), feed, feed_index),
            )
        case PaymentConfirmed(fulfilment=sealed) if sealed is not None:
            connection.execute(
                "INSERT INTO fulfilment (payment_id, feed, feed_index) VALUES (?, ?, ?) "
                "ON CONFLICT (payment_id) DO UPDATE SET feed = excluded.feed, feed_index = excluded.feed_index",
                (body.payment_id, feed, feed_index),
            )
        case _:
            return


def _answered(connection: apsw.Connection, feed: str, feed_index: int, body: ServiceAnswered) -> None:
    """Keep the newest answer; a result that is there is replaced by a result only."""
    connection.execute(
        "UPDATE service_request SET outcome = ?1, provider = ?2, track_id = ?3, reason = ?4, case_id = ?5, "
        "answered_at = ?6, answer_feed = ?7, answer_index = ?8 WHERE inquiry_id = ?9 "
        "AND (?1 IN ('done', 'nothing') OR coalesce(outcome, '') NOT IN ('done', 'nothing'))",
        (
            body.outcome,
            body.provider,
            body.track_id,
            body.reason,
            body.case_id,
            instant_or_none(body.answered_at),
            feed,
            feed_index,
            body.inquiry_id,
        ),
    )


def _requested(connection: apsw.Connection, at: Recorded, body: ServiceRequested) -> None:
    insert(
        connection,
        "service_request",
        inquiry_id=body.inquiry_id,
        ticket=body.ticket,
        service=body.service,
        catalogue_id=body.catalogue_id,
        fields=msgspec.json.encode(body.fields).decode(),
        applicant_tail=body.applicant_tail,
        search_key=body.search_key,
        fee_rial=body.fee_rial,
        gate=body.gate,
        print_first=int(body.print_first),
        rules_accepted=int(body.rules_accepted),
        operator=body.operator,
        requested_at=at.entry.at,
        requested_index=at.index,
    )


def _retried(connection: apsw.Connection, _: Recorded, body: ServiceRetried) -> None:
    """Let it wait again: what was answered before was no result."""
    connection.execute(
        "UPDATE service_request SET retried = retried + 1, outcome = NULL, reason = NULL, case_id = NULL, "
        "answered_at = NULL, answer_feed = NULL, answer_index = NULL WHERE inquiry_id = ?",
        (body.inquiry_id,),
    )


def _released(connection: apsw.Connection, _: Recorded, body: ServiceReleased) -> None:
    connection.execute(
        "UPDATE service_request SET released_by = ?, released_reason = ? WHERE inquiry_id = ?",
        (body.operator, body.reason, body.inquiry_id),
    )


def _shown(connection: apsw.Connection, at: Recorded, body: ServiceShown) -> None:
    connection.execute(
        "UPDATE service_request SET shown_at = ? WHERE inquiry_id = ? AND shown_at IS NULL",
        (at.entry.at, body.inquiry_id),
    )


def _image_asked(connection: apsw.Connection, at: Recorded, body: ImageAsked) -> None:
    connection.execute(
        "INSERT INTO service_image_ask (inquiry_id, item, asked_at) VALUES (?, ?, ?) "
        "ON CONFLICT (inquiry_id, item) DO UPDATE SET asked_at = excluded.asked_at",
        (body.inquiry_id, body.item, at.entry.at),
    )


SERVICE_PROJECTORS: Final[dict[type[Body], Project]] = {
    ServiceRequested: _requested,
    ServiceRetried: _retried,
    ServiceReleased: _released,
    ServiceShown: _shown,
    ImageAsked: _image_asked,
}
