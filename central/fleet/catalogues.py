"""Catalogues of services, published for an office or for the whole network, and found again by their name.

The newest of a feed stands, whole; an office's own goes before the network's, and that before the one that comes with
the program.
"""

import threading
from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection

from central.fleet.publishing import published, standing
from shared.catalogue import Catalogue, Service
from shared.catalogue_files import BUILT_IN, built_in_catalogue, read_services
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import CataloguePublished
from shared.ids import NETWORK_FEED, OfficeId, office_feed

CATALOGUE_SIZE_MAX_BYTES: Final = 60 * 1024
"""As it is signed: an entry of a feed holds 64 KiB."""


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


def in_force(connection: Connection, office: str | None) -> Catalogue:
    """Return the catalogue an office sells by, or with None one that has none of its own."""
    newest = {one.feed: one.body for one in standing(connection, CataloguePublished)}
    feeds = [NETWORK_FEED] if office is None else [office_feed(OfficeId(office)), NETWORK_FEED]
    for feed_id in feeds:
        body = newest.get(feed_id)
        if body is not None and not body.withdrawn:
            return _catalogue(body)
    return built_in_catalogue()


def _catalogue(body: CataloguePublished) -> Catalogue:
    return Catalogue(catalogue_id=body.catalogue_id, services=body.services)


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
            found = {one.body.catalogue_id: _catalogue(one.body) for one in published(connection, CataloguePublished)}
            with self._lock:
                self._known.update(found)
            known = found.get(catalogue_id)
        return None if known is None else known.service(code)


CATALOGUES: Final = Catalogues()
"""This process's own: what is signed is the same for everybody who reads it."""
