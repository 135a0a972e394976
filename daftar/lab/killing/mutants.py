"""Known-bad servers: a kill at the right moment must show each."""

from typing import Final

from daftar.lab.mutants import Mutant
from daftar.lab.mutants import named as crash_mutant

KILL_MUTANTS: Final[tuple[Mutant, ...]] = (crash_mutant("failed_not_in_doubt"), crash_mutant("tail_dropped"))


def named(name: str) -> Mutant:
    """Return a mutant. Raises KeyError."""
    return {mutant.name: mutant for mutant in KILL_MUTANTS}[name]
