"""The box put together: the one place that joins its parts, starts them in order and stops them in reverse.

Order of a start: lock and upgrade the file, verify the journal's end, journal the boot and what the last run left open,
and only then let anybody in: pages, devices, the line.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog
from litestar import Litestar, Response, get
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE

from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrinterDriver
from edge.devices.terminals.driver import TerminalDriver
from edge.jobs import keep_running, timetable
from edge.journal.recovery import recover
from edge.journal.signer import FileSigner, settle_next
from edge.journal.verify import current_key
from edge.journal.views import CentralLink, Identity
from edge.journal.writer import JournalWriter
from edge.services.acquirer_answers import AcquirerAnswers
from edge.services.ask_inquiry import AskInquiry
from edge.services.counter import Counter, Parts
from edge.services.documents import Letterhead
from edge.services.events import BoxEvent, EventHub
from edge.services.idempotent import Idempotent
from edge.services.line import Line
from edge.services.print_documents import PrintDocuments
from edge.services.resolve_in_doubt import ResolveInDoubt
from edge.services.sign_in import SignIn
from edge.services.take_payment import TakePayment
from edge.settings import KEY_NAME, STORE_NAME, Settings, TerminalSettings, load_settings
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.journal_store import SqliteJournalStore
from edge.store.people import People
from edge.store.queries import Queries
from edge.uplink.client import Uplink, UplinkSettings
from edge.web.router import create_app as create_web
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy

SOFTWARE: Final = f"daftar {version('daftar')}"

_INQUIRIES_WATCHED: Final = 50
"""Newest inquiries that are looked at for one that waits; older ones are answered on the timetable."""

_log = structlog.get_logger()


class Box:
    """One office's box on its folder: opened and recovered when made, alive inside `running`."""

    def __init__(self, folder: Path, clock: Clock, entropy: Entropy) -> None:
        """Open the file, recover, join the parts; nothing listens and no device is spoken to yet.

        Raises what `load_settings`, `load_catalogue`, `FileSigner.load`, `SqliteJournalStore.open` and `recover` raise.
        """
        self.settings: Settings = load_settings(folder)
        profiles = self.settings.profiles_folder
        catalogue = load_catalogue(None if profiles is None else Path(profiles))
        # Named wrongly, a model stops the start here, before anything is journaled about it.
        self._terminal_profiles = [catalogue.terminal(terminal.profile) for terminal in self.settings.terminals]
        self._printer_profile = catalogue.printer(self.settings.printer.profile)
        self._clock = clock
        self._entropy = entropy
        path = folder / STORE_NAME
        FileSigner.load(folder / KEY_NAME)  # A box without its key is told so before its file is touched.
        self._store = SqliteJournalStore.open(path, clock, entropy)
        self._queries = Queries(path)
        self._identity: Identity = self._queries.identity()
        self._signer = settle_next(folder / KEY_NAME, current_key(self._queries, self._identity))
        self._writer = JournalWriter(self._store, self._signer, clock, entropy)
        self._writer.start()
        self._people = People(path)
        self._exchange = SqliteExchangeStore(path, self._writer)
        recovered = recover(self._writer, self._queries, self._identity, self._signer.public_key, software=SOFTWARE)
        _log.info("started", size=recovered.found_size, in_doubt=recovered.in_doubt, not_sent=recovered.not_sent)
        self._join()

    def _join(self) -> None:
        """Make the use cases out of the parts."""
        self._hub = EventHub()
        self._line = Line(self._hub)
        self._terminals = [
            self._make_terminal(settings, profile)
            for settings, profile in zip(self.settings.terminals, self._terminal_profiles, strict=True)
        ]
        self._documents = self._make_documents()
        self._payments = TakePayment(
            writer=self._writer,
            queries=self._queries,
            terminals=self._terminals,
            clock=self._clock,
            entropy=self._entropy,
            on_progress=lambda payment_id: self._hub.publish(BoxEvent("payment", payment_id)),
        )
        self._resolve = ResolveInDoubt(
            writer=self._writer,
            queries=self._queries,
            payments=self._payments,
            clock=self._clock,
            entropy=self._entropy,
            unasked_every_s=self.settings.doubt_every_s,
        )
        self._acquirer = AcquirerAnswers(
            writer=self._writer,
            queries=self._queries,
            entropy=self._entropy,
            on_charged=self._payments.call_back_others,
        )
        self.counter = Counter(
            Parts(
                queries=self._queries,
                payments=self._payments,
                resolve=self._resolve,
                documents=self._documents,
                inquiries=AskInquiry(self._writer, self._entropy),
                sign_in=SignIn(self._people, self._clock, self._entropy, self._writer.boot),
                idempotent=Idempotent(self._people, self._identity.journal_id),
                line=self._line,
                hub=self._hub,
                journal=self._writer,
            )
        )

    def close(self) -> None:
        """Close the file, after `running` ended."""
        self._writer.close()
        self._exchange.close()
        self._people.close()
        self._queries.close()
        self._store.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Bring devices, printer, line and timetable to life; stop all of it at the end."""
        self._hub.open()
        self._writer.subscribe(self._hub.committed)
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(terminal.start() for terminal in self._terminals))
            # Last of all, what the terminals said until their lines were closed.
            stack.push_async_callback(self._payments.finish)
            stack.push_async_callback(self._close_terminals)
            stack.push_async_callback(self._payments.finish)
            self._keep_up(stack, "printer", self._documents.run)
            self._keep_up(stack, "spool", lambda: self._documents.follow(self._hub))
            self._writer.subscribe(self._acquirer.heard)
            self._keep_up(stack, "acquirer's answers", self._acquirer.run)
            central = self._identity.central
            if central is not None:
                uplink = self._make_uplink(central)
                self._writer.subscribe(lambda _: uplink.wake())
                self._keep_up(stack, "uplink", uplink.run)
            for name, job in timetable(
                ask_in_doubt=self._resolve.ask_all,
                doubt_every_s=self.settings.doubt_every_s,
                look_at_printer=self._documents.look,
                device_check_every_s=self.settings.device_check_every_s,
            ).items():
                self._keep_up(stack, name, job)
            yield

    def _keep_up(self, stack: AsyncExitStack, name: str, start: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run a part for as long as the box runs, whatever it raises."""
        stack.push_async_callback(_end, asyncio.create_task(keep_running(name, start, self._clock), name=name))

    async def _close_terminals(self) -> None:
        await asyncio.gather(*(terminal.close() for terminal in self._terminals))

    def _make_terminal(self, settings: TerminalSettings, profile: TerminalProfile) -> TerminalDriver:
        driver = TerminalDriver(
            name=settings.name,
            profile=profile,
            host=settings.host,
            port=settings.port,
            clock=self._clock,
            entropy=self._entropy,
        )
        driver.on_change = lambda _: self._hub.publish(BoxEvent("terminal", settings.name))
        return driver

    def _make_documents(self) -> PrintDocuments:
        settings = self.settings.printer
        profile = self._printer_profile
        head = Letterhead(
            office_name=self.settings.office_name,
            office_code=self._identity.office,
            journal_id=self._identity.journal_id,
            verify_base=self.settings.verify_base,
            demo=self.settings.demo,
        )
        return PrintDocuments(
            writer=self._writer,
            queries=self._queries,
            printer=PrinterDriver(host=settings.host, port=settings.port, profile=profile),
            profile=profile,
            head=head,
            hub=self._hub,
            entropy=self._entropy,
        )

    def _make_uplink(self, central: CentralLink) -> Uplink:
        return Uplink(
            UplinkSettings(central_url=central.url, idle_ms=self.settings.exchange_every_s * 1000),
            journal_id=self._identity.journal_id,
            boot=self._writer.boot,
            trust=central.trust,
            store=self._exchange,
            journal=self._queries,
            signer=self._signer,
            clock=self._clock,
            entropy=self._entropy,
            expecting=self._expecting,
            on_attempt=self._line.attempted,
        )

    def _expecting(self) -> bool:
        """Return whether an answer of central is awaited: a confirmation, or one of the newest inquiries'."""
        waiting = any(inquiry.outcome is None for inquiry in self._queries.inquiries(None, _INQUIRIES_WATCHED))
        return waiting or self._queries.status().unconfirmed_count > 0


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def create_app(folder: Path, clock: Clock, entropy: Entropy) -> Litestar:
    """Return the box's application; its lifespan brings devices and line to life and closes the file at the end.

    Raises what `Box` raises.
    """
    box = Box(folder, clock, entropy)

    @asynccontextmanager
    async def live(_: Litestar) -> AsyncIterator[None]:
        try:
            async with box.running():
                yield
        finally:
            box.close()

    app = create_web(
        box.counter,
        clock=clock,
        entropy=entropy,
        version=version("daftar"),
        demo=box.settings.demo,
        # The Host header carries the port wherever it is not the scheme's own.
        allowed_hosts=[name for host in box.settings.allowed_hosts for name in (host, f"{host}:{box.settings.port}")],
        lifespan=[live],
    )

    @get("/health", sync_to_thread=False)
    def health() -> Response[dict[str, str]]:
        """Say whether the box takes entries: for supervisors; tells nothing of the office."""
        failure = box.counter.journal_failure()
        if failure is None:
            return Response({"status": "ok"})
        return Response({"status": "journal_stopped", "code": failure}, status_code=HTTP_503_SERVICE_UNAVAILABLE)

    app.register(health)
    return app
