"""The protocols that the box speaks: for each, who makes its conversation. One line a family."""

from collections.abc import Callable
from typing import Final

from edge.devices.terminals.asan_pardakht_session import AsanPardakhtSession
from edge.devices.terminals.behpardakht_session import BehpardakhtSession
from edge.devices.terminals.pna_session import PnaSession
from edge.devices.terminals.sadad_session import SadadSession
from edge.devices.terminals.session import Session
from edge.devices.terminals.telium_e_session import TeliumESession
from edge.devices.terminals.zvt_session import ZvtSession
from firmware_profiles.links import LinkKind
from firmware_profiles.profile import ProtocolName, TerminalProfile
from shared.clock import Clock

SessionMaker = Callable[[TerminalProfile, LinkKind, Clock], Session]
"""Some protocols frame their messages otherwise on a serial line than over the network."""

ENGINES: Final[dict[ProtocolName, SessionMaker]] = {
    "behpardakht": lambda profile, *_: BehpardakhtSession(profile),
    "asan_pardakht": lambda profile, _, clock: AsanPardakhtSession(profile, clock),
    "pna": lambda profile, *_: PnaSession(profile),
    "sadad": lambda profile, *_: SadadSession(profile),
    "telium_e": lambda profile, *_: TeliumESession(profile),
    "zvt": lambda profile, link_kind, _: ZvtSession(profile, link_kind),
}

NUMBER_IS_APART: Final[frozenset[ProtocolName]] = frozenset({"sadad"})
"""Protocols whose answer about a sale does not say which terminal gives it: who it is has to be asked just before."""


def make_session(profile: TerminalProfile, link_kind: LinkKind, clock: Clock) -> Session:
    """Return the conversation that a model's protocol needs on such a link. Raises KeyError for one nobody speaks."""
    return ENGINES[profile.protocol](profile, link_kind, clock)
