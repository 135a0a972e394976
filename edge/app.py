"""The box put together: the one place that joins its parts, starts them in order and stops them in reverse.

Order of a start: lock and upgrade the file, verify the journal's end, journal the boot and what the last run left open,
and only then let anybody in: pages, devices, the line.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
from litestar import Litestar

from edge.box_devices import make_documents, make_finding, make_terminals, make_trials, running_box
from edge.box_line import make_uplink
from edge.box_parts import BoxParts
from edge.box_people import make_people
from edge.box_services import make_services, service_views
from edge.jobs import end, every, keep_running, timetable
from edge.journal.box_clock import BoxClock, last_known_time
from edge.journal.head_copy import HeadCopy, compare
from edge.journal.recovery import Recovery, Start
from edge.journal.signer import FileSigner
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.services.atms import Atms
from edge.services.bills.ask_inquiry import AskInquiry
from edge.services.close_day import CloseDay, check_last_close
from edge.services.counter import Counter, Parts
from edge.services.counter_services import ServiceParts
from edge.services.devices.device_profiles import profiles_in_use
from edge.services.events import BoxEvent, EventHub
from edge.services.health.box_health import LOOK_EVERY_S, BoxHealth, HealthParts
from edge.services.health.support import Support
from edge.services.health.watch_disk import WatchDisk
from edge.services.idempotent import Idempotent
from edge.services.journal.export_journal import ExportJournal
from edge.services.journal.keep_head import KeepHead, read_in_time
from edge.services.journal.rotate_key import open_signer
from edge.services.journal.verify_whole import VerifyWhole
from edge.services.line import Line
from edge.services.payments.acquirer_answers import AcquirerAnswers
from edge.services.payments.ask_on_demand import AskOnDemand
from edge.services.payments.give_back import GiveBack
from edge.services.payments.override_payment import OverridePayment
from edge.services.payments.resolve_in_doubt import ResolveInDoubt
from edge.services.payments.take_payment import TakePayment
from edge.services.people.sign_in import SignIn
from edge.settings import KEY_NAME, SOFTWARE, STORE_NAME, Settings, load_settings
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.journal_store import SqliteJournalStore
from edge.store.people import People
from edge.store.queries import Queries
from edge.store.reserve import Reserve, usage_of
from edge.web.help import create_help, health_route
from edge.web.router import create_app as create_web
from edge.web.waiting import Waiting
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import BugError, DeviceError, IntegrityError

_log = structlog.get_logger()


class Box:
    """One office's box on its folder: opened and recovered when made, alive inside `running`."""

    def __init__(self, folder: Path, clock: Clock, entropy: Entropy) -> None:
        """Open the file, recover, join the parts; nothing listens and no device is spoken to yet.

        Raises what `load_settings`, `profiles_in_use`, `FileSigner.load` and `SqliteJournalStore.open` raise. A journal
        that opens and does not hold is no reason to raise: the box shows it and takes nothing.
        """
        self._folder = folder
        self.settings: Settings = load_settings(folder)
        self._clock = BoxClock(clock)
        self._entropy = entropy
        self._disk = WatchDisk(folder, Reserve(folder), usage_of)
        try:
            self._disk.prepare()
            with ExitStack() as opened:
                self._open(folder, opened)
                self._recover()
                self._join()
                self._opened = opened.pop_all()
        except OSError as error:
            raise DeviceError("store.unreadable", why=str(error)) from error

    def _open(self, folder: Path, opened: ExitStack) -> None:
        """Open the file and everything that reads or writes it; closed in reverse."""
        path = folder / STORE_NAME
        FileSigner.load(folder / KEY_NAME)  # A box without its key is told so before its file is touched.
        self._store = SqliteJournalStore.open(path, self._clock, self._entropy)
        opened.callback(self._store.close)
        self._queries = Queries(path)
        opened.callback(self._queries.close)
        self._identity: Identity = self._queries.identity()
        self._profiles = profiles_in_use(self._queries, self.settings)
        # Named wrongly, a model stops the start here, before anything is journaled about it.
        self._terminal_profiles = [self._profiles.registry.terminal(one.profile) for one in self.settings.terminals]
        self._printer_profile = self._profiles.registry.printer(self.settings.printer.profile)
        self._signer = open_signer(folder / KEY_NAME, self._queries, self._identity)
        self._people = People(path)
        opened.callback(self._people.close)
        self._writer = JournalWriter(self._store, self._signer, self._clock, self._entropy)
        self._writer.on_failure = self._disk.failed
        self._exchange = SqliteExchangeStore(self._queries, self._writer)
        self._writer.start()
        opened.callback(self._writer.close)
        named = self.settings.head_copy_folder
        self._head_copy = HeadCopy(None if named is None else Path(named), self._identity)
        self._verify = VerifyWhole(path, self._identity, self._writer, self._clock)
        self._health = BoxHealth(
            HealthParts(
                clock=self._clock,
                disk=self._disk,
                verify=self._verify,
                head=KeepHead(self._head_copy, self._queries, self._signer, self._writer, self._clock),
                writer=self._writer,
                support_line=self.settings.support_line,
            )
        )

    def _recover(self) -> None:
        """Verify the journal's end and settle what was left open; one that does not hold is shown and takes nothing."""
        self._recovery: Recovery | None = None
        queries, writer = self._queries, self._writer
        try:
            heads = read_in_time(self._head_copy, queries)
            compare(queries, heads)
            check_last_close(queries, next(iter(queries.closed_days(None, 1)), None))
            self._clock.learn_floor(last_known_time(queries, self._identity, queries.cosigned_note()))
            start = Start(
                software=SOFTWARE,
                clock=self._clock.quality(),
                beside_size=max((head.size for head in heads), default=None),
                profile_bundles=self._profiles.bundle_ids,
                alarms=self._profiles.alarms(queries),
            )
            self._recovery = recovery = Recovery(queries, self._identity, start)
            self._verify.on_sound = lambda: _run_again(recovery, writer, self._signer.public_key)
            if (unsound := self._verify.set_aside()) is not None:
                raise unsound
            found = recovery.run(writer, self._signer.public_key)
            _log.info("started", size=found.found_size, in_doubt=found.in_doubt, not_sent=found.not_sent)
        except (IntegrityError, BugError) as error:
            writer.seal(error if isinstance(error, IntegrityError) else IntegrityError("store.corrupt", why=str(error)))
            _log.critical("started to show and to be read only", code=error.code, why=str(error))
        except DeviceError as error:
            _log.critical("started on a medium that takes nothing yet", code=error.code, why=str(error))

    @property
    def clock(self) -> Clock:
        """The clock that entries and pages go by."""
        return self._clock

    def _join(self) -> None:
        """Make the use cases out of the parts."""
        self._hub = EventHub()
        self._line = Line(self._hub)
        self._parts = parts = self._make_parts()
        self._terminals = make_terminals(parts, self._terminal_profiles)
        self._documents = make_documents(parts, self._printer_profile)
        self._make_payments()
        if self._recovery is not None:
            self._recovery.under_way = lambda payment_id: self.counter.progress(payment_id) is not None
        self._staff = make_people(parts, self._people)
        sign_in = self._staff.sign_in
        self._give_back = self._make_give_back(sign_in)
        self._trials = make_trials(parts, self._payments.workers, self._documents, self._printer_profile)
        self._finding = make_finding(parts, self._profiles.registry)
        self._services = self._make_services(parts)
        self._asking = AskOnDemand(self._resolve, self._queries, self._hub)
        self.counter = Counter(
            Parts(
                queries=self._queries,
                payments=self._payments,
                asking=self._asking,
                documents=self._documents,
                closing=self._make_close_day(),
                inquiries=AskInquiry(self._writer, self._entropy),
                override=OverridePayment(self._writer, sign_in, self._entropy, self._payments.call_back_others),
                exporting=ExportJournal(self._writer, self._queries, self._identity, self._signer, sign_in),
                give_back=self._give_back,
                sign_in=sign_in,
                permissions=self._staff.permissions,
                people=self._staff.desk,
                idempotent=Idempotent(self._people, self._identity.journal_id),
                line=self._line,
                hub=self._hub,
                journal=self._writer,
                clock=self._clock,
                health=self._health,
                profiles=self._profiles,
                trials=self._trials,
                finding=self._finding,
                support=self._make_support(),
                atms=Atms(self._writer, self._entropy),
                services=self._services,
            )
        )

    def _make_payments(self) -> None:
        """Make what takes payments, asks about doubts, and hears the acquirer."""
        self._payments = TakePayment(
            writer=self._writer,
            queries=self._queries,
            terminals=self._terminals,
            clock=self._clock,
            entropy=self._entropy,
            on_progress=lambda payment_id: self._hub.publish(BoxEvent("payment", payment_id)),
            bill_terminals={terminal.name for terminal in self.settings.terminals if terminal.pays_bills},
        )
        self._resolve = ResolveInDoubt(
            writer=self._writer,
            queries=self._queries,
            payments=self._payments,
            clock=self._clock,
            entropy=self._entropy,
            unasked_every_s=self.settings.doubt_every_s,
        )
        on_charged = self._payments.call_back_others
        self._acquirer = AcquirerAnswers(
            writer=self._writer, queries=self._queries, entropy=self._entropy, on_charged=on_charged
        )

    def _make_services(self, parts: BoxParts) -> ServiceParts:
        return make_services(
            parts,
            self._payments,
            self._documents,
            sign_in=self._staff.sign_in,
            permissions=self._staff.permissions,
            health=self._health,
            line=self._line,
        )

    def _make_support(self) -> Support:
        return Support(
            self._folder,
            clock=self._clock,
            software=SOFTWARE,
            finding=self._finding,
            running=lambda: running_box(self.counter),
        )

    def _make_parts(self) -> BoxParts:
        return BoxParts(
            settings=self.settings,
            identity=self._identity,
            writer=self._writer,
            queries=self._queries,
            hub=self._hub,
            clock=self._clock,
            entropy=self._entropy,
            service_views=service_views(self._queries, self._identity, self._clock),
        )

    def _make_give_back(self, sign_in: SignIn) -> GiveBack:
        return GiveBack(
            writer=self._writer,
            queries=self._queries,
            payments=self._payments,
            sign_in=sign_in,
            entropy=self._entropy,
            on_progress=lambda payment_id: self._hub.publish(BoxEvent("payment", payment_id)),
        )

    def close(self) -> None:
        """Close the file, after `running` ended."""
        self._opened.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Bring devices, printer, line and timetable to life; stop all of it at the end."""
        self._hub.open()
        self._writer.subscribe(self._hub.committed)
        async with AsyncExitStack() as stack:
            if self._queries.closed_at() is not None:
                # Nothing can be journaled any more: the box shows what was, and hands over what central lacks.
                self._keep_line(stack)
                yield
                return
            self._health.start()
            stack.push_async_callback(asyncio.to_thread, self._health.stop)
            self._keep_up(stack, "health", lambda: every(LOOK_EVERY_S, "health", self._health.look))
            await asyncio.gather(*(terminal.start() for terminal in self._terminals))
            # Last of all, what the terminals said until their lines were closed.
            stack.push_async_callback(self._payments.finish)
            stack.push_async_callback(self._close_terminals)
            stack.push_async_callback(self._asking.finish)
            stack.push_async_callback(self._trials.finish)
            stack.push_async_callback(self._finding.finish)
            stack.push_async_callback(self._payments.finish)
            stack.push_async_callback(self._give_back.finish)
            self._keep_up(stack, "printer", self._documents.run)
            self._writer.subscribe(self._documents.heard)
            self._writer.subscribe(self._acquirer.heard)
            self._keep_up(stack, "acquirer's answers", self._acquirer.run)
            self._writer.subscribe(self._services.refused.heard)
            self._keep_up(stack, "refused catalogues", self._services.refused.run)
            self._keep_line(stack)
            for name, job in timetable(
                ask_in_doubt=self._resolve.ask_all,
                doubt_every_s=self.settings.doubt_every_s,
                look_at_printer=self._documents.look,
                device_check_every_s=self.settings.device_check_every_s,
                journal_people=self._staff.managing.journal_command_line,
            ).items():
                self._keep_up(stack, name, job)
            yield

    def _keep_line(self, stack: AsyncExitStack) -> None:
        """Exchange with central, where there is one."""
        central = self._identity.central
        if central is not None:
            uplink = make_uplink(
                self._parts,
                central,
                self._exchange,
                self._signer,
                on_attempt=self._line.attempted,
                on_central_time=self._health.heard_central,
            )
            self._writer.subscribe(lambda _: uplink.wake())
            self._keep_up(stack, "uplink", uplink.run)

    def _keep_up(self, stack: AsyncExitStack, name: str, start: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run a part for as long as the box runs, whatever it raises."""
        stack.push_async_callback(end, asyncio.create_task(keep_running(name, start, self._clock), name=name))

    async def _close_terminals(self) -> None:
        await asyncio.gather(*(terminal.close() for terminal in self._terminals))

    def _make_close_day(self) -> CloseDay:
        names = [terminal.name for terminal in self._terminals]
        return CloseDay(writer=self._writer, queries=self._queries, entropy=self._entropy, terminals=names)


def _run_again(recovery: Recovery, writer: JournalWriter, public_key: bytes) -> None:
    """Do what a start does on a journal that was set aside and has passed its check."""
    recovery.run(writer, public_key)


def create_app(folder: Path, clock: Clock, entropy: Entropy) -> Litestar | Waiting:
    """Return the box's application; its lifespan brings devices and line to life and closes the file at the end.

    A file that cannot be opened or does not say who it is gives an application that says so, and whom to call, in its
    place: a box that only crashed would be started again for ever. One whose medium cannot be read is tried again.
    Raises OperatorError as `Box` does.
    """
    try:
        return _serve(Box(folder, clock, entropy), entropy)
    except (IntegrityError, DeviceError, BugError) as error:
        _log.critical("the box cannot start; it says so on its pages", code=error.code, why=str(error))
        settings = load_settings(folder)
        help_of = partial(create_help, support_line=settings.support_line, version=version("daftar"))
        if not isinstance(error, DeviceError):
            return help_of(error)

        async def again() -> Litestar:
            # Opening may take as long as a sick medium does; pages go on saying so meanwhile.
            return _serve(await asyncio.to_thread(Box, folder, clock, entropy), entropy)

        return Waiting(error, again=again, help_of=help_of)


def _serve(box: Box, entropy: Entropy) -> Litestar:
    """Return the application of a box that is open."""

    @asynccontextmanager
    async def live(_: Litestar) -> AsyncIterator[None]:
        try:
            async with box.running():
                yield
        finally:
            box.close()

    settings = box.settings
    app = create_web(
        box.counter,
        clock=box.clock,
        entropy=entropy,
        version=version("daftar"),
        demo=settings.demo,
        training=settings.training,
        training_address=settings.training_address,
        # The Host header carries the port wherever it is not the scheme's own.
        allowed_hosts=[name for host in settings.allowed_hosts for name in (host, f"{host}:{settings.port}")],
        lifespan=[live],
    )
    app.register(health_route(box.counter, support_line=settings.support_line))
    return app
