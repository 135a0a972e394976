"""The virtual terminal of each protocol: for each, who makes it. One line a family, as in the engines' own table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from edge.devices.virtual.asan_pardakht_terminal import VirtualAsanPardakhtTerminal
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.sadad_terminal import VirtualSadadTerminal
from edge.devices.virtual.telium_e_terminal import VirtualTeliumETerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.zvt_terminal import VirtualZvtTerminal
from firmware_profiles.profile import ProtocolName, TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy

Simulator = TerminalMachine[Any]
SimulatorMaker = Callable[[TerminalProfile, Clock, Entropy, Path | None], Simulator]
"""Profile, clock, entropy, and where it keeps its memory (None: nowhere)."""

SIMULATORS: Final[dict[ProtocolName, SimulatorMaker]] = {
    "behpardakht": lambda _, clock, entropy, memory: VirtualTerminal(clock=clock, entropy=entropy, memory=memory),
    "asan_pardakht": lambda _, clock, entropy, memory: VirtualAsanPardakhtTerminal(
        clock=clock, entropy=entropy, memory=memory
    ),
    "pna": lambda _, clock, entropy, memory: VirtualPnaTerminal(clock=clock, entropy=entropy, memory=memory),
    "sadad": lambda _, clock, entropy, memory: VirtualSadadTerminal(clock=clock, entropy=entropy, memory=memory),
    "telium_e": lambda _, clock, entropy, memory: VirtualTeliumETerminal(clock=clock, entropy=entropy, memory=memory),
    "zvt": lambda _, clock, entropy, memory: VirtualZvtTerminal(clock=clock, entropy=entropy, memory=memory),
}


def make_simulator(profile: TerminalProfile, clock: Clock, entropy: Entropy, memory: Path | None = None) -> Simulator:
    """Return a terminal of that model, switched off. Raises KeyError for a protocol that nobody simulates."""
    return SIMULATORS[profile.protocol](profile, clock, entropy, memory)
