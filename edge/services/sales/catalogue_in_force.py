"""Which catalogue is in force: the office feed's newest, else the network's, else the one that came with the program.

A published catalogue replaces whole. One that does not make sense, or that this release cannot read, is refused with an
alarm, and the one before it on its feed stands. Read on every page, so what was decided is kept until another came.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from edge.journal.services import CataloguePlace, ServiceRequestView
from edge.journal.writer import JournalWriter, Recorded, StoreView
from edge.store.service_reads import ServiceReads
from shared.catalogue import Catalogue, Service, Words
from shared.events import AlarmRaised, Body, FeedReceived
from shared.ids import NETWORK_FEED

REFUSED_ALARM: Final = "catalogue_refused"
UNREADABLE: Final = "not readable by this release"


class _Standing(msgspec.Struct, frozen=True):
    """What is in force while `newest` are the newest catalogues, and what was refused on the way."""

    newest: tuple[tuple[str, int], ...]
    catalogue: Catalogue
    refused: tuple[str, ...]
    """Name and reason of each."""


class CatalogueInForce:
    """Catalogues, by what is in force and by name."""

    def __init__(self, reads: ServiceReads, feeds: Sequence[str], built_in: Catalogue) -> None:
        """`feeds` are those that this box reads."""
        self._reads = reads
        # An office's own goes before the network's.
        self._feeds = sorted(feeds, key=lambda feed: feed == NETWORK_FEED)
        self._built_in = built_in
        self._standing: _Standing | None = None
        self._named: dict[tuple[str, int], Catalogue | None] = {}

    def current(self) -> Catalogue:
        """Return the catalogue in force."""
        return self._now().catalogue

    def refused(self) -> tuple[str, ...]:
        """Return name and reason of what was refused in favour of an older one."""
        return self._now().refused

    def alarmed(self, alarm: AlarmRaised) -> bool:
        """Return whether an alarm was raised before."""
        return self._reads.alarmed(alarm.kind, alarm.detail)

    def service_of(self, asked: ServiceRequestView) -> Service:
        """Return the service of a request as it stood in the catalogue that it was asked by.

        Where that one is gone (it came with another release of the program), as it stands now; where no catalogue knows
        it any more, its code alone.
        """
        then = self._by_name(asked.catalogue_id)
        found = (then and then.service(asked.service)) or self.current().service(asked.service)
        return found or _nameless(asked.service)

    def _now(self) -> _Standing:
        newest = self._reads.newest_catalogues()
        standing = self._standing
        if standing is None or standing.newest != newest:
            standing = self._standing = self._decide(newest)
        return standing

    def _decide(self, newest: tuple[tuple[str, int], ...]) -> _Standing:
        refused: list[str] = []
        for feed in self._feeds:
            for place in self._reads.catalogues(feed):
                if place.withdrawn:
                    break
                found, why = self._checked(place)
                if found is not None:
                    return _Standing(newest, found, tuple(refused))
                refused.append(f"{place.catalogue_id}: {why}")
        return _Standing(newest, self._built_in, tuple(refused))

    def _checked(self, place: CataloguePlace) -> tuple[Catalogue | None, str]:
        published = self._reads.catalogue(place)
        if published is None:
            return None, UNREADABLE
        try:
            return Catalogue.checked(published.catalogue_id, published.services), ""
        except ValueError as error:
            return None, str(error)

    def _by_name(self, catalogue_id: str) -> Catalogue | None:
        if catalogue_id == self._built_in.catalogue_id:
            return self._built_in
        current = self.current()
        if catalogue_id == current.catalogue_id:
            return current
        for place in self._reads.catalogues_named(catalogue_id):
            where = (place.feed, place.feed_index)
            if where not in self._named:
                self._named[where] = self._checked(place)[0]
            if (found := self._named[where]) is not None:
                return found
        return None


class TellRefusedCatalogues:
    """Raises an alarm about each catalogue that was refused, once."""

    def __init__(self, writer: JournalWriter, catalogues: CatalogueInForce) -> None:
        self._writer = writer
        self._catalogues = catalogues
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    def heard(self, records: Sequence[Recorded]) -> None:
        """Listen to the journal writer, on its thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and any(isinstance(one.body, FeedReceived) for one in records):
            loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Look at what stands, and again whenever a feed brought something, for ever."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            await self.tell()
            await self._wake.wait()

    async def tell(self) -> None:
        """Journal the alarms that were not raised yet."""
        alarms = [AlarmRaised(kind=REFUSED_ALARM, detail=why) for why in self._catalogues.refused()]
        if any(not self._catalogues.alarmed(alarm) for alarm in alarms):

            def decide(view: StoreView) -> Sequence[Body]:
                return [alarm for alarm in alarms if not view.services.alarmed(alarm.kind, alarm.detail)]

            await self._writer.commit(decide)


def _nameless(code: str) -> Service:
    """Return what is known of a service that no catalogue has any more: what was answered can still be seen."""
    return Service(
        code=code,
        category="vehicle",
        name=Words(fa=code, en=code),
        fields=(),
        provider="none",
        call="none",
        active=False,
    )
