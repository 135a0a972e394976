"""Central put together: the one place that joins its parts."""

import functools
import threading
from importlib.metadata import version
from pathlib import Path

import structlog
from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Scope

from central.fleet import feed
from central.fleet.enrolment import enrol
from central.ingest.receiver import Receiver
from central.ingest.reposting import repost
from central.ingest.routes import box_router
from central.jobs import ANSWER_EVERY_S, MESSAGE_EVERY_S, PROVIDER_EVERY_S, REPOST_EVERY_S, Timetable
from central.ledger.elsewhere import posting_for_all, tell_newcomer
from central.ledger.left_behind import open_left_behind
from central.opened import Central, append_feed_of
from central.providers.breaker import CircuitBreaker
from central.providers.configuration import ProviderSettings, connected, read_providers, sandbox_providers
from central.providers.data_keys import DataKeys
from central.providers.desk import ProviderDesk
from central.providers.text_gateway import JsonTextGateway, read_gateway
from central.providers.text_messages import end_cut_short, queue_messages, work_messages
from central.providers.worker import work_provider_tasks
from central.reconciliation.answering import answer_doubts
from central.settings import Settings
from central.web.router import create_pages, open_web, page_errors
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import DaftarError

_log = structlog.get_logger()


def receiver_of(central: Central) -> Receiver:
    """Return the receiver joined to keys, feeds and books."""
    return Receiver(
        central.engine,
        witness=central.keys.witness,
        answering=central.keys.exchange,
        feed_windows=feed.windows,
        posting=posting_for_all(append_feed_of(central)),
        clock=central.clock,
        entropy=central.entropy,
    )


class Providers:
    """The desks that ask providers, one each, with the connectors they hold open."""

    def __init__(self, central: Central, providers: dict[str, ProviderSettings]) -> None:
        """Connect. Raises OperatorError `provider.bad_settings`."""
        self._engine = central.engine
        self._stopping = threading.Event()
        self._desks = {name: _desk(central, name, provider) for name, provider in providers.items()}

    @property
    def routes(self) -> tuple[str, ...]:
        """Return whom questions can be asked of."""
        return tuple(self._desks)

    def work(self, route: str) -> None:
        """Ask one provider what is due, one question after the other, until there is none or until `stop`."""
        while not self._stopping.is_set():
            report = work_provider_tasks(self._engine, self._desks[route], limit=1)
            if not report.done + report.waiting + report.troubled:
                return

    def stop(self) -> None:
        """Let `work` end with the question it is at."""
        self._stopping.set()

    def close(self) -> None:
        """Close the connectors, after `work` ended."""
        for desk in self._desks.values():
            desk.connector.close()


def _desk(central: Central, name: str, provider: ProviderSettings) -> ProviderDesk:
    return ProviderDesk(
        connector=connected(name, provider, central.clock),
        breaker=CircuitBreaker(central.clock),
        append_feed=append_feed_of(central),
        data_keys=DataKeys(central.keys.wrapping_private),
        clock=central.clock,
        entropy=central.entropy,
        route=name,
    )


class TextMessages:
    """Tells customers by text message, with the gateway it holds open; None of it without a gateway's file."""

    def __init__(self, central: Central, file: Path | None) -> None:
        """Connect. Raises OperatorError `messages.bad_settings`."""
        self._central = central
        self._data_keys = DataKeys(central.keys.wrapping_private)
        self._gateway = None if file is None else JsonTextGateway(read_gateway(file), clock=central.clock)
        self._stopping = threading.Event()

    def work(self) -> None:
        """Send what is due, one message after the other, until there is none or until `stop`."""
        if self._gateway is None:
            return
        engine, clock = self._central.engine, self._central.clock
        end_cut_short(engine, clock=clock)
        queue_messages(engine, self._data_keys, clock=clock)
        while not self._stopping.is_set():
            report = work_messages(engine, self._gateway, self._data_keys, clock=clock)
            if not report.sent + report.failed + report.uncertain:
                return

    def stop(self) -> None:
        """Let `work` end with the message it is at."""
        self._stopping.set()

    def close(self) -> None:
        """Close the gateway, after `work` ended."""
        if self._gateway is not None:
            self._gateway.close()


def _providers_of(settings: Settings) -> dict[str, ProviderSettings]:
    """Return the providers by name. Raises OperatorError `provider.bad_settings`."""
    found = {} if settings.provider_url is None else sandbox_providers(settings.provider_url)
    return found if settings.providers_file is None else found | read_providers(settings.providers_file)


def create_app(settings: Settings, clock: Clock, entropy: Entropy) -> Litestar:
    """Return the application, its database open and migrated; its shutdown closes them.

    Raises what `Central` raises.
    """
    central = Central(settings, clock, entropy)
    try:
        return _joined(central)
    except BaseException:
        central.close()
        raise


def _joined(central: Central) -> Litestar:
    """Return the routes and jobs of an opened central as one application."""
    settings = central.settings
    timetable = Timetable()
    providers = Providers(central, _providers_of(settings))
    messages = TextMessages(central, settings.messages_file)
    append_feed = append_feed_of(central)
    timetable.every(MESSAGE_EVERY_S, "text messages", messages.work)
    for route in providers.routes:
        timetable.every(PROVIDER_EVERY_S, f"provider {route}", functools.partial(providers.work, route))
    timetable.every(
        REPOST_EVERY_S,
        "repost",
        functools.partial(repost, central.engine, posting_for_all(append_feed), clock=central.clock),
    )

    def start() -> None:
        if settings.jobs:
            timetable.start()

    def stop() -> None:
        providers.stop()
        messages.stop()
        timetable.stop()
        providers.close()
        messages.close()
        central.close()

    timetable.every(
        ANSWER_EVERY_S,
        "answers about doubts",
        functools.partial(answer_doubts, central.engine, append_feed, clock=central.clock),
    )
    web = open_web(
        engine=central.engine,
        clock=central.clock,
        entropy=central.entropy,
        version=version("daftar"),
        append_feed=append_feed,
    )
    for_boxes = box_router(
        receive=receiver_of(central).receive,
        enrol=functools.partial(_enrol, central),
        is_well=central.is_well,
    )
    return Litestar(
        route_handlers=[for_boxes, *create_pages(web)],
        exception_handlers=page_errors(web),
        on_startup=[start],
        on_shutdown=[stop],
        openapi_config=OpenAPIConfig(
            title="Daftar central", version="1", path="/schema", render_plugins=[JsonRenderPlugin()]
        ),
        logging_config=None,
        after_exception=[_log_exception],
    )


def _log_exception(error: Exception, scope: Scope) -> None:
    """Log what no handler expected; a refusal with a code is an answer, not a fault of ours."""
    if not isinstance(error, DaftarError | HTTPException):
        _log.error("request failed", path=scope["path"], exc_info=error)


def _enrol(central: Central, wire: bytes) -> bytes:
    return enrol(
        central.engine,
        wire,
        keys=central.keys,
        clock=central.clock,
        entropy=central.entropy,
        replaced=open_left_behind,
        newcomer=functools.partial(tell_newcomer, append_feed=append_feed_of(central)),
    )
