"""The history at the counter: what is found in it, and whom a request was about while its month's key is kept."""

from collections.abc import Collection

import msgspec

from edge.journal.data_keys import search_key
from edge.services.sales.catalogue_in_force import CatalogueInForce
from edge.services.sales.open_answer import open_fields
from edge.store.history_reads import HistoryReads
from edge.store.queries import Queries
from shared.catalogue import Field


class ApplicantView(msgspec.Struct, frozen=True):
    """Who or what a request is about; made for one page and kept nowhere."""

    field: Field | None
    value: str | None
    """In its one form; None once the month's key is forgotten."""
    tail: str


class History(HistoryReads):
    """`edge.web.ports.history.History`."""

    def __init__(self, queries: Queries, catalogues: CatalogueInForce) -> None:
        super().__init__(queries.history.reading)
        self._services = queries.services
        self._catalogues = catalogues

    def applicants(self, inquiry_ids: Collection[str]) -> dict[str, ApplicantView]:
        """Return who requests are about; nothing for names that are no request's."""
        found = {}
        for inquiry_id in dict.fromkeys(inquiry_ids):
            asked = self._services.request(inquiry_id)
            if asked is not None:
                field = self._catalogues.service_of(asked).applicant
                fields = None if field is None else open_fields(self._services, asked)
                value = fields.get(field.name) if fields is not None and field is not None else None
                found[inquiry_id] = ApplicantView(field, value, asked.applicant_tail)
        return found

    def applicant_keys(self, value: str) -> tuple[str, ...]:
        """Return the search keys of an applicant in the months whose keys are kept."""
        return tuple(search_key(private, value) for private in self._services.private_keys())
