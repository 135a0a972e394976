"""Reading of catalogue services: one face of `edge.store.service_rows` for pages and for decisions alike."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from edge.journal.services import CataloguePlace, ServiceImageView, ServiceRequestView
from edge.store import service_rows
from shared.events import CataloguePublished, ServiceAnswered
from shared.sealed import Sealed

T = TypeVar("T")


class Reading(Protocol):
    """Calls a function of rows with the connection, and says in words what is wrong with the file."""

    def __call__(self, read: Callable[..., T], *values: Any) -> T:
        """Return what the function finds."""


class ServiceReads:
    """`edge.journal.ports.ServiceReader` over whichever connection `reading` uses."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def request(self, inquiry_id: str) -> ServiceRequestView | None:
        """Return a request for a service."""
        return self.reading(service_rows.request, inquiry_id)

    def requests(self, before_index: int | None, limit: int) -> list[ServiceRequestView]:
        """Return requests, newest first, whose `requested_index` is below `before_index` (None: from the newest)."""
        return self.reading(service_rows.requests, before_index, limit)

    def requests_about(self, search_key: str, limit: int) -> list[ServiceRequestView]:
        """Return the newest answered requests about one applicant, by the search key of its month."""
        return self.reading(service_rows.requests_about, search_key, limit)

    def newest_waiting(self, limit: int) -> list[ServiceRequestView]:
        """Return the newest requests that have no answer."""
        return self.reading(service_rows.newest_waiting, limit)

    def answer(self, asked: ServiceRequestView) -> ServiceAnswered | None:
        """Return the answer that a request's row names."""
        return self.reading(service_rows.answer, asked)

    def images(self, inquiry_id: str) -> list[ServiceImageView]:
        """Return the pictures that came of an answer's items, in order."""
        return self.reading(service_rows.images, inquiry_id)

    def images_asked(self, inquiry_id: str) -> frozenset[str]:
        """Return the keys of the items whose pictures were asked for."""
        return self.reading(service_rows.images_asked, inquiry_id)

    def awaits_images(self) -> bool:
        """Return whether pictures were asked for of which none came."""
        return self.reading(service_rows.awaits_images)

    def image(self, place: ServiceImageView) -> Sealed | None:
        """Return the sealed bytes of a picture."""
        return self.reading(service_rows.image, place)

    def fulfilment(self, payment_id: str) -> Sealed | None:
        """Return the sealed text of what a payment bought."""
        return self.reading(service_rows.fulfilment, payment_id)

    def newest_catalogues(self) -> tuple[tuple[str, int], ...]:
        """Return the place of each feed's newest catalogue: what tells whether another is in force by now."""
        return self.reading(service_rows.newest_catalogues)

    def catalogues(self, feed: str) -> list[CataloguePlace]:
        """Return the catalogues of a feed, newest first."""
        return self.reading(service_rows.catalogues, feed)

    def catalogues_named(self, catalogue_id: str) -> list[CataloguePlace]:
        """Return the catalogues of a name, the newest that came first."""
        return self.reading(service_rows.catalogues_named, catalogue_id)

    def catalogue(self, place: CataloguePlace) -> CataloguePublished | None:
        """Return what was published at a place, None where this release cannot read it."""
        return self.reading(service_rows.catalogue, place)

    def alarmed(self, kind: str, detail: str) -> bool:
        """Return whether an alarm was raised before in these very words."""
        return self.reading(service_rows.alarmed, kind, detail)

    def private_key(self, key_id: str) -> bytes | None:
        """Return the private half of a data key, None when it was forgotten."""
        return self.reading(service_rows.private_key, key_id)

    def private_keys(self) -> list[bytes]:
        """Return the private halves of all data keys that are kept, the newest month's first."""
        return self.reading(service_rows.private_keys)
