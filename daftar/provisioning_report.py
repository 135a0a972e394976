"""What a technician has set up, tried device by device: the facts of the provisioning report. No payment is made."""

import hashlib
from pathlib import Path

from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.places import place_of
from edge.devices.printers.status import CAN_PRINT
from edge.devices.terminals.driver import TerminalDriver
from edge.settings import SOFTWARE, STORE_NAME, Settings, TerminalSettings, load_settings
from edge.store.queries import Queries
from edge.store.verify_file import verify_file
from firmware_profiles.registry import ProfileRegistry
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import DaftarError, DeviceError
from shared.paper_facts import CheckLine, DeviceLine, ProvisioningReportFacts


def printer_of(settings: Settings, catalogue: ProfileRegistry) -> PrinterDriver:
    """Return the driver of a box's printer. Raises DeviceError `profile.unknown`."""
    profile = catalogue.printer(settings.printer.profile)
    return PrinterDriver(place=place_of(settings.printer.place, profile), profile=profile)


async def provisioning_facts(
    data: Path, technician: str, clock: Clock, entropy: Entropy
) -> tuple[ProvisioningReportFacts, PrinterDriver]:
    """Try every device of a box that does not serve, check its journal, and return what was found.

    Raises OperatorError `settings.unreadable`, `store.missing` and DeviceError `profile.unknown`.
    """
    settings = load_settings(data)
    catalogue = load_catalogue(None if settings.profiles_folder is None else Path(settings.profiles_folder))
    queries = Queries(data / STORE_NAME)
    try:
        identity, cosigned = queries.identity(), bool(queries.cosigned_note())
    finally:
        queries.close()
    devices = [await _terminal(one, catalogue, clock, entropy) for one in settings.terminals]
    printer = printer_of(settings, catalogue)
    works = await printer.status() in CAN_PRINT
    devices.append(
        DeviceLine(
            kind="printer",
            name=printer.profile.identity.title_fa,
            profile=printer.profile.name,
            address=str(printer.place),
            state="good" if works else "bad",
        )
    )
    facts = ProvisioningReportFacts(
        office_name=settings.office_name,
        office_code=identity.office,
        box=identity.box,
        journal_id=identity.journal_id,
        key_fingerprint=hashlib.sha256(bytes.fromhex(identity.public_key)).hexdigest(),
        central=None if identity.central is None else identity.central.url,
        version=SOFTWARE,
        devices=tuple(devices),
        checks=(
            CheckLine(check="journal", state="good" if _holds(data / STORE_NAME) else "bad"),
            CheckLine(check="central", state="good" if cosigned else "not_done"),
        ),
        technician=technician,
        set_up_at=clock.now(),
    )
    return facts, printer


async def _terminal(
    settings: TerminalSettings, catalogue: ProfileRegistry, clock: Clock, entropy: Entropy
) -> DeviceLine:
    """Ask a terminal whether it is there and idle."""
    driver = TerminalDriver(
        name=settings.name,
        profile=catalogue.terminal(settings.profile),
        address=settings.place,
        clock=clock,
        entropy=entropy,
    )
    try:
        await driver.prepare()
        works = True
    except DeviceError:
        works = False
    finally:
        await driver.close()
    return DeviceLine(
        kind="terminal",
        name=settings.name,
        profile=settings.profile,
        address=settings.place.text,
        state="good" if works else "bad",
        terminal_number=driver.state.terminal_number,
    )


def _holds(store: Path) -> bool:
    try:
        verify_file(store, processes=1)
    except DaftarError:
        return False
    return True
