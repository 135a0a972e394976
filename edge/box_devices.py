"""The devices of a box, made out of its settings: terminals, printer, and what tries them. A part of `edge.app`."""

from collections.abc import Mapping, Sequence

from edge.box_parts import BoxParts
from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.places import place_of
from edge.devices.terminals.driver import TerminalDriver
from edge.services.counter import Counter
from edge.services.devices.device_profiles import check_bills
from edge.services.devices.find_devices import FindDevices
from edge.services.devices.try_devices import TryDevices
from edge.services.events import BoxEvent
from edge.services.health.diagnose import RunningBox
from edge.services.papers.documents import Letterhead, page_to_test
from edge.services.papers.print_documents import PrintDocuments
from edge.services.papers.service_papers import ServicePapers
from edge.services.payments.terminal_worker import TerminalWorker
from edge.settings import TerminalSettings
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.registry import ProfileRegistry
from shared.errors import DeviceError, IntegrityError


def make_terminals(parts: BoxParts, profiles: Sequence[TerminalProfile]) -> list[TerminalDriver]:
    """Return a driver for each terminal of the settings; `profiles` are theirs, in the same order.

    Raises DeviceError `terminal.pays_no_bills`.
    """
    pairs = zip(parts.settings.terminals, profiles, strict=True)
    return [_make_terminal(parts, settings, profile) for settings, profile in pairs]


def _make_terminal(parts: BoxParts, settings: TerminalSettings, profile: TerminalProfile) -> TerminalDriver:
    check_bills(settings, profile)
    driver = TerminalDriver(
        name=settings.name,
        profile=profile,
        address=settings.place,
        clock=parts.clock,
        entropy=parts.entropy,
    )
    driver.on_change = lambda _: parts.hub.publish(BoxEvent("terminal", settings.name))
    return driver


def _letterhead(parts: BoxParts) -> Letterhead:
    return Letterhead(
        office_name=parts.settings.office_name,
        office_code=parts.identity.office,
        journal_id=parts.identity.journal_id,
        verify_base=parts.settings.verify_base,
        demo=parts.settings.demo or parts.settings.training,
    )


def make_documents(parts: BoxParts, profile: PrinterProfile) -> PrintDocuments:
    """Return the owner of the printer."""
    place = place_of(parts.settings.printer.place, profile)
    try:
        cut_off = bool(parts.queries.print_jobs_in(("printing",)))
    except (IntegrityError, DeviceError):
        # A spool that cannot be read keeps no page away.
        cut_off = True
    return PrintDocuments(
        writer=parts.writer,
        queries=parts.queries,
        printer=PrinterDriver(place=place, profile=profile, cut_off=cut_off),
        profile=profile,
        head=_letterhead(parts),
        hub=parts.hub,
        entropy=parts.entropy,
        more_papers=ServicePapers(parts.queries, parts.service_views, _letterhead(parts)).makers,
    )


def make_trials(
    parts: BoxParts, workers: Mapping[str, TerminalWorker], documents: PrintDocuments, profile: PrinterProfile
) -> TryDevices:
    """Return what tries the devices on a press."""
    head, address = _letterhead(parts), str(place_of(parts.settings.printer.place, profile))
    return TryDevices(
        workers=workers,
        documents=documents,
        test_page=lambda: page_to_test(profile, address, head, parts.clock.now()),
        clock=parts.clock,
        hub=parts.hub,
    )


def make_finding(parts: BoxParts, registry: ProfileRegistry) -> FindDevices:
    """Return what looks for devices that are not set up."""
    return FindDevices(
        settings=parts.settings, registry=registry, clock=parts.clock, entropy=parts.entropy, hub=parts.hub
    )


def running_box(counter: Counter) -> RunningBox:
    """Return what a box that runs says of itself."""
    return RunningBox(
        terminals=counter.terminals(),
        printer=counter.printer(),
        line=counter.line(),
        health=counter.health(),
        profiles=counter.profiles(),
    )
