"""What pages and the API ask of the box about services of the catalogue; a part of `edge.web.ports.counter`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge.journal.services import Picture, ServiceRequestView, ServiceView
from shared.catalogue import Catalogue

__all__ = ["Picture", "ServiceQueries", "ServiceRequestView", "ServiceView", "ServicesCounter"]


class ServiceReads(Protocol):
    """Requests for services, sealed as they stand."""

    def request(self, inquiry_id: str) -> ServiceRequestView | None:
        """Return a request."""

    def requests(self, before_index: int | None, limit: int) -> list[ServiceRequestView]:
        """Return requests, newest first, whose `requested_index` is below `before_index` (None: from the newest)."""


class ServiceQueries(Protocol):
    """What the journal says of services."""

    @property
    def services(self) -> ServiceReads:
        """What customers asked for."""


class ServicesCounter(Protocol):
    """Use cases of catalogue services. All raise DaftarError; `field` names the input an OperatorError is about."""

    def catalogue(self) -> Catalogue:
        """Return the services in force: published for the office, else for the network, else built in."""

    async def request_service(
        self, code: str, fields: Mapping[str, str], *, rules_accepted: bool, operator: str, name: str | None = None
    ) -> str:
        """Ask for a service; return the inquiry's name, which follows from `name` when that is given."""

    def service_view(self, inquiry_id: str) -> ServiceView:
        """Return a request, opened as far as its gate allows. Raises OperatorError `inquiry.unknown`."""

    async def pay_fee(
        self, inquiry_id: str, *, operator: str, terminal: str | None = None, name: str | None = None
    ) -> str:
        """Begin the fee's payment; return its name."""

    async def pay_answer(
        self,
        inquiry_id: str,
        keys: Sequence[str],
        *,
        operator: str,
        terminal: str | None = None,
        name: str | None = None,
    ) -> str:
        """Begin one charge of what is payable under these keys of the answer; return the payment's name."""

    async def retry_service(self, inquiry_id: str, *, operator: str) -> None:
        """Ask again what was paid and has no result. No second fee."""

    async def release_service(self, inquiry_id: str, *, reason: str, username: str, password: str) -> None:
        """Let the answer be shown without the printer's word, on a manager's."""

    async def show_service(self, inquiry_id: str, *, operator: str) -> None:
        """Say that the answer was shown."""

    async def ask_image(self, inquiry_id: str, item: str, *, operator: str) -> None:
        """Ask for the pictures of an item of the answer."""

    def image(self, inquiry_id: str, item: str, number: int) -> Picture | None:
        """Return a picture; None while it is not there."""

    async def print_service_receipt(self, inquiry_id: str, *, operator: str) -> str:
        """Queue the service's receipt; a second one says that it is a copy. Return the print job."""
