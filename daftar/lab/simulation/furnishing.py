"""What stands in an office on a day: its terminals, of either kind, and its printer."""

from typing import TYPE_CHECKING, Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.box_run import CONFIRMS, KNOWS_REFERENCES, REPORTS
from daftar.lab.simulation.devices import OfficeTerminal
from daftar.lab.simulation.last_sale_terminals import OfficeConfirmingTerminal, OfficeReportingTerminal
from edge.settings import PrinterSettings, Settings, TerminalSettings

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

AnyTerminal = OfficeTerminal | OfficeConfirmingTerminal | OfficeReportingTerminal

TERMINALS_MAX: Final = 3
FIRST_PORT: Final = 1_024
_LAST_SALE_ONLY: Final = 0.6
"""On how many days one of the terminals can be asked for its last sale only, of either kind."""
_PAYS_BILLS: Final = 0.5
"""On how many days the first of the others pays bills by their ids."""


def furnished(chance: Chance) -> Settings:
    """Return the settings of a box whose office has what is drawn."""
    profiles = [KNOWS_REFERENCES] * (1 + chance.below(TERMINALS_MAX))
    if chance.coin(_LAST_SALE_ONLY):
        profiles[-1] = chance.pick((CONFIRMS, REPORTS))
    pays_bills = profiles[0] == KNOWS_REFERENCES and chance.coin(_PAYS_BILLS)
    terminals = (
        TerminalSettings(
            name=f"terminal-{number}",
            host="127.0.0.1",
            port=FIRST_PORT + number,
            profile=profile,
            pays_bills=pays_bills and number == 0,
        )
        for number, profile in enumerate(profiles)
    )
    return Settings(
        office_name="دفتر آزمایشگاه",
        terminals=tuple(terminals),
        printer=PrinterSettings(host="127.0.0.1", port=9_100, profile="generic/escpos_80mm"),
        verify_base="http://127.0.0.1:1",
        device_check_every_s=600,
        exchange_every_s=600,
    )


def placed(office: "Office", number: int, settings: TerminalSettings) -> AnyTerminal:
    """Return the terminal that some settings are about, switched off."""
    if settings.profile == CONFIRMS:
        return OfficeConfirmingTerminal(office, number, settings.name)
    if settings.profile == REPORTS:
        return OfficeReportingTerminal(office, number, settings.name)
    return OfficeTerminal(office, number)
