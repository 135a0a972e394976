"""What pages and programs may ask of the box about services of the catalogue; a part of `edge.services.counter`."""

from collections.abc import Mapping, Sequence

import msgspec

from edge.journal.services import Picture, ServiceView
from edge.services.health.box_health import BoxHealth
from edge.services.papers.print_documents import PrintDocuments
from edge.services.sales.catalogue_in_force import CatalogueInForce, TellRefusedCatalogues
from edge.services.sales.sell_service import SellService
from edge.services.sales.service_view import ServiceViews
from edge.store.queries import Queries
from shared.catalogue import Catalogue
from shared.errors import OperatorError


class ServiceParts(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases of services, joined by `edge.app`."""

    catalogues: CatalogueInForce
    views: ServiceViews
    selling: SellService
    refused: TellRefusedCatalogues
    documents: PrintDocuments
    health: BoxHealth
    queries: Queries


class ServiceCounter:
    """The counter of services. `name` is that of `Idempotent.run`: what is made follows from it."""

    def __init__(self, parts: ServiceParts) -> None:
        self._services = parts

    def catalogue(self) -> Catalogue:
        """See `CatalogueInForce.current`."""
        return self._services.catalogues.current()

    async def request_service(
        self, code: str, fields: Mapping[str, str], *, rules_accepted: bool, operator: str, name: str | None = None
    ) -> str:
        """See `SellService.request`."""
        self._services.health.check_room()
        inquiry_id = await self._services.selling.request(
            code, fields, rules_accepted=rules_accepted, operator=operator, inquiry_id=name and f"q{name}"
        )
        self._services.documents.wake()
        return inquiry_id

    def service_view(self, inquiry_id: str) -> ServiceView:
        """See `ServiceViews.view`."""
        return self._services.views.view(inquiry_id)

    async def pay_fee(
        self, inquiry_id: str, *, operator: str, terminal: str | None = None, name: str | None = None
    ) -> str:
        """See `SellService.pay_fee`."""
        self._services.health.check_room()
        return await self._services.selling.pay_fee(
            inquiry_id, operator=operator, terminal=terminal, payment_id=name and f"p{name}"
        )

    async def pay_answer(
        self,
        inquiry_id: str,
        keys: Sequence[str],
        *,
        operator: str,
        terminal: str | None = None,
        name: str | None = None,
    ) -> str:
        """See `SellService.pay_answer`."""
        self._services.health.check_room()
        return await self._services.selling.pay_answer(
            inquiry_id, keys, operator=operator, terminal=terminal, payment_id=name and f"p{name}"
        )

    async def retry_service(self, inquiry_id: str, *, operator: str) -> None:
        """See `SellService.retry`."""
        await self._services.selling.retry(inquiry_id, operator=operator)

    async def release_service(self, inquiry_id: str, *, reason: str, username: str, password: str) -> None:
        """See `SellService.release`."""
        await self._services.selling.release(inquiry_id, reason=reason, username=username, password=password)

    async def show_service(self, inquiry_id: str, *, operator: str) -> None:
        """See `SellService.show`."""
        await self._services.selling.show(inquiry_id, operator=operator)

    async def ask_image(self, inquiry_id: str, item: str, *, operator: str) -> None:
        """See `SellService.ask_image`."""
        await self._services.selling.ask_image(inquiry_id, item, operator=operator)

    def image(self, inquiry_id: str, item: str, number: int) -> Picture | None:
        """See `SellService.image`."""
        return self._services.selling.image(inquiry_id, item, number)

    async def print_service_receipt(self, inquiry_id: str, *, operator: str) -> str:  # noqa: ARG002 - papers name the seller
        """Queue the receipt of a request's fee; return the print job.

        Raises OperatorError `inquiry.unknown`, `service.no_receipt` (no fee was taken), or as `request_receipt` does.
        """
        fee = self._services.views.known(inquiry_id).fee_payment_id
        if fee is None:
            raise OperatorError("service.no_receipt", inquiry_id=inquiry_id)
        return await self._services.documents.request_receipt(fee)
