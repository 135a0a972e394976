"""The counter of catalogue services, made out of a box's parts. A part of `edge.app`."""

from edge.box_parts import BoxParts
from edge.journal.views import Identity
from edge.services.counter_services import ServiceParts
from edge.services.health.box_health import BoxHealth
from edge.services.line import Line
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments.take_payment import TakePayment
from edge.services.people.sign_in import SignIn
from edge.services.sales.catalogue_in_force import CatalogueInForce, TellRefusedCatalogues
from edge.services.sales.sell_service import MaySell, SellParts, SellService
from edge.services.sales.service_view import ServiceViews
from edge.store.queries import Queries
from shared.catalogue_files import built_in_catalogue
from shared.clock import Clock


def service_views(queries: Queries, identity: Identity, clock: Clock) -> ServiceViews:
    """Return what shows requests, by the catalogues that this box reads."""
    feeds = () if identity.central is None else identity.central.feeds
    return ServiceViews(queries, CatalogueInForce(queries.services, feeds, built_in_catalogue()), clock)


def make_services(
    parts: BoxParts,
    payments: TakePayment,
    documents: PrintDocuments,
    *,
    sign_in: SignIn,
    permissions: MaySell,
    health: BoxHealth,
    line: Line,
) -> ServiceParts:
    """Return the use cases of services."""
    views = parts.service_views
    selling = SellService(
        SellParts(
            writer=parts.writer,
            queries=parts.queries,
            catalogues=views.catalogues,
            payments=payments,
            sign_in=sign_in,
            permissions=permissions,
            views=views,
            entropy=parts.entropy,
            has_line=lambda: line.state == "good",
        )
    )
    return ServiceParts(
        catalogues=views.catalogues,
        views=views,
        selling=selling,
        refused=TellRefusedCatalogues(parts.writer, views.catalogues),
        documents=documents,
        health=health,
        queries=parts.queries,
    )
