"""Known-bad servers: a kill at the right moment must show each."""

from typing import Final

from daftar.lab.mutants import Mutant
from daftar.lab.mutants import named as crash_mutant
from daftar.lab.service_mutants import SERVICE_MUTANTS, ServiceMutant

_OF_CRASHES: Final = ("failed_not_in_doubt", "tail_dropped", "projection_skipped")
_OF_SERVICES: Final = ("amount_first", "not_found_too_early")

KILL_MUTANTS: Final[tuple[Mutant | ServiceMutant, ...]] = (
    *(crash_mutant(name) for name in _OF_CRASHES),
    *(mutant for mutant in SERVICE_MUTANTS if mutant.name in _OF_SERVICES),
)


def named(name: str) -> Mutant | ServiceMutant:
    """Return a mutant. Raises KeyError."""
    return {mutant.name: mutant for mutant in KILL_MUTANTS}[name]
