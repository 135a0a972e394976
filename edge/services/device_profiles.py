"""Which device profiles a run works with: those of the program, over them central's bundles, beside them a folder's.

Bundles come signed down the feeds and take effect at the next start. One that does not join with the rest,
or by which the office's terminals could not be reached, is refused whole, and the run works without it: a bad bundle
must not cost an office its terminal.
"""

from pathlib import Path
from typing import Final

import msgspec

from edge.devices.catalogue import load_catalogue
from edge.devices.ways import way_to
from edge.journal.views import ProfileBundleView, ProfilesView, RefusedBundle
from edge.settings import Settings
from edge.store.queries import Queries
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

    Raises OperatorError `profile_bundle.unknown`; what `load_catalogue` raises for the program's own and the folder's.
    """
    folder = None if settings.profiles_folder is None else Path(settings.profiles_folder)
    in_use = ProfilesInUse(registry=load_catalogue(folder), wanted=settings.profile_bundle)
    newer: dict[str, str] = {}
    for bundle in chosen(queries.profile_bundles(), in_use.wanted):
        newer = {**newer, **{document.path: document.text for document in queries.profile_documents(bundle)}}
        try:
            registry = load_catalogue(folder, newer)
            for terminal in settings.terminals:
                way_to(terminal.place, registry.terminal(terminal.profile))
        except DeviceError as error:
            refused = RefusedBundle(bundle_id=bundle.bundle_id, why=f"{error.code} {error.data.get('why', '')}".strip())
            return msgspec.structs.replace(in_use, refused=refused)
        in_use = msgspec.structs.replace(in_use, registry=registry, bundles=(*in_use.bundles, bundle))
    return in_use
