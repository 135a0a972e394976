"""Which device profiles a run works with: those of the program, over them central's bundles, beside them a folder's.

Bundles come signed down the feeds and take effect at the next start. One that does not join with the rest, or by which
the office's terminals could not be reached or could not pay the bills they are to, is refused whole, and the run works
without it: a bad bundle must not cost an office its terminal.
"""

from pathlib import Path
from typing import Final

import msgspec

from edge.devices.catalogue import load_catalogue
from edge.devices.ways import way_to
from edge.journal.views import ProfileBundleView, ProfilesView, RefusedBundle
from edge.settings import Settings, TerminalSettings
from edge.store.queries import Queries
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.registry import ProfileRegistry
from shared.errors import DeviceError, OperatorError
from shared.events import AlarmRaised

NEWEST: Final = "newest"
NONE: Final = "none"
REFUSED_ALARM: Final = "profile_bundle_refused"


class ProfilesInUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with."""

    registry: ProfileRegistry
    wanted: str
    bundles: tuple[ProfileBundleView, ...] = ()
    refused: RefusedBundle | None = None
    goes_back: bool = False
    """It stands although newer ones came: they do not know a model that the office works with."""

    @property
    def bundle_ids(self) -> tuple[str, ...]:
        """Return the names of the bundles in use."""
        return tuple(bundle.bundle_id for bundle in self.bundles)

    def alarms(self, queries: Queries) -> tuple[AlarmRaised, ...]:
        """Return the alarm that a refused bundle deserves; none if it was raised for this bundle before."""
        if self.refused is None:
            return ()
        alarm = AlarmRaised(kind=REFUSED_ALARM, detail=f"{self.refused.bundle_id}: {self.refused.why}")
        told = any((one.kind, one.detail) == (alarm.kind, alarm.detail) for one in queries.status().alarms)
        return () if told else (alarm,)

    def view(self, queries: Queries) -> ProfilesView:
        """Return what is in use, what the next start will take up where it is another, and what was refused."""
        try:
            coming = chosen(queries.profile_bundles(), self.wanted)
        except OperatorError:
            coming = []
        if self.refused is not None:
            coming = [bundle for bundle in coming if bundle.bundle_id != self.refused.bundle_id]
        if self.goes_back and not coming:
            coming = list(self.bundles)
        waits = coming != list(self.bundles)
        return ProfilesView(
            wanted=self.wanted,
            in_use=self.bundles,
            waiting=tuple(coming) if waits else (),
            none_next=waits and not coming,
            refused=self.refused,
        )


def standing(bundles: list[ProfileBundleView]) -> list[ProfileBundleView]:
    """Return the newest bundle of each feed, the network's first; none for a feed that gives none any more.

    `bundles` are in the order of `Queries.profile_bundles`.
    """
    newest: dict[str, ProfileBundleView] = {}
    for bundle in bundles:
        newest.setdefault(bundle.feed, bundle)
    return [bundle for bundle in newest.values() if not bundle.withdrawn]


def chosen(bundles: list[ProfileBundleView], wanted: str) -> list[ProfileBundleView]:
    """Return the bundles that a box's settings want. Raises OperatorError `profile_bundle.unknown`."""
    if wanted == NONE:
        return []
    if wanted == NEWEST:
        return standing(bundles)
    found = [bundle for bundle in bundles if bundle.bundle_id == wanted and not bundle.withdrawn]
    if not found:
        raise OperatorError("profile_bundle.unknown", bundle_id=wanted, field="profile_bundle")
    return found[:1]


def profiles_in_use(queries: Queries, settings: Settings) -> ProfilesInUse:
    """Return the profiles of this run. A bundle of the network's stands without the office's that does not join.

    Where neither these nor the program know a model that the office works with, the newest bundle before them that
    does stands. Raises OperatorError `profile_bundle.unknown`; what `load_catalogue` raises for the program's own and
    the folder's.
    """
    folder = None if settings.profiles_folder is None else Path(settings.profiles_folder)
    own = ProfilesInUse(registry=load_catalogue(folder), wanted=settings.profile_bundle)
    received = queries.profile_bundles()
    in_use = _joined(own, chosen(received, own.wanted), queries, settings)
    if own.wanted != NEWEST or not received or (why := _why_not(in_use.registry, settings)) is None:
        return in_use
    refused = in_use.refused or RefusedBundle(bundle_id=received[0].bundle_id, why=why)
    for bundle in received:
        known = own if bundle.withdrawn else _joined(own, [bundle], queries, settings)
        if known.bundles:
            return msgspec.structs.replace(known, refused=refused, goes_back=True)
    return in_use


def _joined(
    in_use: ProfilesInUse, bundles: list[ProfileBundleView], queries: Queries, settings: Settings
) -> ProfilesInUse:
    """Return what is in use once bundles are laid over it, one after another, up to the first that does not join."""
    folder = None if settings.profiles_folder is None else Path(settings.profiles_folder)
    newer: dict[str, str] = {}
    for bundle in bundles:
        newer = {**newer, **{document.path: document.text for document in queries.profile_documents(bundle)}}
        try:
            registry, why = load_catalogue(folder, newer), None
        except DeviceError as error:
            registry, why = in_use.registry, _words(error)
        if why := why or _why_not(registry, settings):
            return msgspec.structs.replace(in_use, refused=RefusedBundle(bundle_id=bundle.bundle_id, why=why))
        in_use = msgspec.structs.replace(in_use, registry=registry, bundles=(*in_use.bundles, bundle))
    return in_use


def _why_not(registry: ProfileRegistry, settings: Settings) -> str | None:
    """Return why the office's devices cannot be worked with by these profiles, or None."""
    try:
        for terminal in settings.terminals:
            profile = registry.terminal(terminal.profile)
            way_to(terminal.place, profile)
            check_bills(terminal, profile)
        registry.printer(settings.printer.profile)
    except DeviceError as error:
        return _words(error)
    return None


def check_bills(terminal: TerminalSettings, profile: TerminalProfile) -> None:
    """Check that a terminal that is to pay bills by their ids can. Raises DeviceError `terminal.pays_no_bills`."""
    if terminal.pays_bills and not profile.capabilities.bill:
        raise DeviceError("terminal.pays_no_bills", terminal=terminal.name, profile=terminal.profile)


def _words(error: DeviceError) -> str:
    return f"{error.code} {error.data.get('why', '')}".strip()
