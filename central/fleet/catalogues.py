"""Catalogues of services: signed onto the feed of an office or of the whole network, and found again by their name.

The newest of a feed stands, whole; an office's own goes before the network's, and that before the one that comes with
the program. What stands is read from the feeds themselves: there is no second place that could differ.
"""

import threading
from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from central.fleet.policies import AppendFeed, feed_of
from central.store import fleet
from shared.catalogue import Catalogue, Service
from shared.catalogue_files import BUILT_IN, built_in_catalogue, read_services
from shared.clock import instant_text
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import FEED_BODIES, CataloguePublished, decode_body
from shared.ids import NETWORK_FEED, FeedId, OfficeId, office_feed
from shared.journal.entry import decode_entry

CATALOGUE_SIZE_MAX_BYTES: Final = 60 * 1024
"""As it is signed: an entry of a feed holds 64 KiB."""


class PublishedCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue on a feed."""

    feed: FeedId
    body: CataloguePublished
    published_at: str

    @property
    def catalogue(self) -> Catalogue:
        """Return its services under its name."""
        return Catalogue(catalogue_id=self.body.catalogue_id, services=self.body.services)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a catalogue changes of the one before it, for one service. `members`: what of it is another."""

    code: str
    kind: str
    """added, removed, changed."""
    members: tuple[str, ...] = ()
    fee_before_rial: int | None = None
    fee_rial: int | None = None


def catalogue_of(data: bytes, *, note: str, by: str, entropy: Entropy) -> CataloguePublished:
    """Return the services of a TOML file as they are signed.

    Raises OperatorError `catalogue.not_understood`, `catalogue.wrong` (`why`), `catalogue.empty`,
    `catalogue.too_large`.
    """
    try:
        services = read_services(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("catalogue.not_understood", field="services", why=str(error)) from error
    if not services:
        raise OperatorError("catalogue.empty", field="services")
    name = random_name(entropy, "catalogue-")
    try:
        Catalogue.checked(name, services)
    except ValueError as error:
        raise OperatorError("catalogue.wrong", field="services", why=str(error)) from error
    made = CataloguePublished(catalogue_id=name, services=services, note=note, published_by=by)
    size_bytes = len(msgspec.json.encode(made))
    if size_bytes > CATALOGUE_SIZE_MAX_BYTES:
        raise OperatorError("catalogue.too_large", size_bytes=size_bytes, most_bytes=CATALOGUE_SIZE_MAX_BYTES)
    return made


def withdrawal_of(*, note: str, by: str, entropy: Entropy) -> CataloguePublished:
    """Return what says that a feed publishes no catalogue any more."""
    name = random_name(entropy, "catalogue-")
    return CataloguePublished(catalogue_id=name, note=note, published_by=by, withdrawn=True)


def publish(connection: Connection, office: str | None, body: CataloguePublished, append: AppendFeed) -> None:
    """Sign a catalogue onto an office's feed, or with None onto the network's. Does not commit.

    Raises OperatorError `office.unknown`.
    """
    append(connection, feed_of(connection, office), body)


def published_catalogues(connection: Connection) -> list[PublishedCatalogue]:
    """Return all catalogues ever published, newest first."""
    entry = fleet.feed_entry
    rows = connection.execute(
        select(entry.c.feed_id, entry.c.data, entry.c.appended_at)
        .where(entry.c.type == CataloguePublished.type)
        .order_by(entry.c.appended_at.desc(), entry.c.feed_id, entry.c.entry_index.desc())
    )
    found = []
    for feed_id, data, appended_at in rows:
        said = decode_entry(data)
        body = decode_body(said.type, bytes(said.body), FEED_BODIES)
        if isinstance(body, CataloguePublished):
            found.append(PublishedCatalogue(feed=feed_id, body=body, published_at=instant_text(appended_at)))
    return found


def standing_catalogues(connection: Connection) -> list[PublishedCatalogue]:
    """Return the newest catalogue of each feed, the network's first; withdrawn ones too."""
    newest: dict[FeedId, PublishedCatalogue] = {}
    for one in published_catalogues(connection):
        newest.setdefault(one.feed, one)
    return sorted(newest.values(), key=lambda one: (one.feed != NETWORK_FEED, one.feed))


def in_force(connection: Connection, office: str | None) -> Catalogue:
    """Return the catalogue an office sells by, or with None one that has none of its own."""
    standing = {one.feed: one for one in standing_catalogues(connection)}
    feeds = [NETWORK_FEED] if office is None else [office_feed(OfficeId(office)), NETWORK_FEED]
    for feed_id in feeds:
        one = standing.get(feed_id)
        if one is not None and not one.body.withdrawn:
            return one.catalogue
    return built_in_catalogue()


def changes(before: Iterable[Service], after: Iterable[Service]) -> list[Change]:
    """Return what is another from one list of services to the next, by code."""
    old, new = ({service.code: service for service in services} for services in (before, after))
    found = []
    for code in sorted(old.keys() | new.keys()):
        was, now = old.get(code), new.get(code)
        if was == now:
            continue
        kind = "added" if was is None else "removed" if now is None else "changed"
        members = () if was is None or now is None else _differing(was, now)
        found.append(
            Change(
                code=code,
                kind=kind,
                members=members,
                fee_before_rial=None if was is None else was.tariff.fee_rial,
                fee_rial=None if now is None else now.tariff.fee_rial,
            )
        )
    return found


def _differing(was: Service, now: Service) -> tuple[str, ...]:
    return tuple(name for name in Service.__struct_fields__ if getattr(was, name) != getattr(now, name))


class Catalogues:
    """Finds the service that a request names. A catalogue never changes once it is signed, so it is read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Catalogue] = {}

    def service(self, connection: Connection, catalogue_id: str, code: str) -> Service | None:
        """Return a service as a catalogue has it; None where either is not known here."""
        if catalogue_id == BUILT_IN:
            return built_in_catalogue().service(code)
        with self._lock:
            known = self._known.get(catalogue_id)
        if known is None:
            published = {one.body.catalogue_id: one.catalogue for one in published_catalogues(connection)}
            with self._lock:
                self._known.update(published)
            known = published.get(catalogue_id)
        return None if known is None else known.service(code)


CATALOGUES: Final = Catalogues()
"""This process's own: what is signed is the same for everybody who reads it."""
