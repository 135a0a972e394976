"""What stands in an office on a day: its terminals, of either kind, and its printer."""

from typing import Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.box_run import CONFIRMS, KNOWS_REFERENCES
from edge.settings import PrinterSettings, Settings, TerminalSettings

TERMINALS_MAX: Final = 3
FIRST_PORT: Final = 1_024
_CONFIRMING: Final = 0.5
"""On how many days one of the terminals is a confirming one."""
_PAYS_BILLS: Final = 0.5
"""On how many days the first of the others pays bills by their ids."""


def furnished(chance: Chance) -> Settings:
    """Return the settings of a box whose office has what is drawn."""
    profiles = [KNOWS_REFERENCES] * (1 + chance.below(TERMINALS_MAX))
    if chance.coin(_CONFIRMING):
        profiles[-1] = CONFIRMS
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
