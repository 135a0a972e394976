"""Exposure policies: how much an office may take that central has not seen, signed onto its feed.

The newest of a feed stands; an office's own goes before the network's. A policy that is withdrawn from an office's feed
leaves it with the network's. What stands is read from the feeds themselves: there is no second place that could differ.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, func, select

from central.store import fleet
from shared.clock import instant_text
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import FEED_BODIES, Body, ExposurePolicySet, decode_body
from shared.ids import NETWORK_FEED, FeedId, OfficeId, office_feed
from shared.journal.entry import decode_entry

Kind = Literal["limits", "unlimited", "withdrawn"]
"""Set these limits; allow any amount; say nothing any more (an office then follows the network)."""

AppendFeed = Callable[[Connection, FeedId, Body], object]
"""`central.fleet.feed.append` with clock and key given."""

COUNT_MAX: Final = 10**6
HOURS_MAX: Final = 24 * 366


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a policy; None is no limit. Amounts in rial, hours of running time."""

    payment_max_rial: int | None = None
    total_max_rial: int | None = None
    count_max: int | None = None
    running_hours_max: int | None = None


class StandingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The newest policy of one feed."""

    office_id: str | None
    """None: the whole network's."""
    office_name: str | None
    policy: ExposurePolicySet
    set_at: str

    @property
    def is_unlimited(self) -> bool:
        """Return whether it allows any amount."""
        policy = self.policy
        limits = (policy.payment_max_rial, policy.total_max_rial, policy.count_max, policy.running_hours_max)
        return not policy.withdrawn and all(limit is None for limit in limits)


def policy_of(kind: Kind, limits: Limits, *, by: str, entropy: Entropy) -> ExposurePolicySet:
    """Return a policy as it is signed.

    Raises OperatorError `policy.no_limits` for limits of which none is set, `policy.out_of_range` naming the field.
    """
    given = {name: getattr(limits, name) for name in limits.__struct_fields__ if getattr(limits, name) is not None}
    if kind == "limits" and not given:
        raise OperatorError("policy.no_limits", field="total_max_rial")
    for field, most in (("count_max", COUNT_MAX), ("running_hours_max", HOURS_MAX)):
        if not 1 <= given.get(field, 1) <= most:
            raise OperatorError("policy.out_of_range", field=field, least=1, most=most)
    return ExposurePolicySet(
        policy_id=random_name(entropy, "policy-"),
        set_by=by,
        withdrawn=kind == "withdrawn",
        **(given if kind == "limits" else {}),
    )


def set_policy(connection: Connection, office: str | None, policy: ExposurePolicySet, append: AppendFeed) -> None:
    """Sign a policy onto an office's feed, or with None onto the network's. Does not commit.

    Raises OperatorError `office.unknown`.
    """
    append(connection, feed_of(connection, office), policy)


def feed_of(connection: Connection, office: str | None) -> FeedId:
    """Return the feed that a policy of an office, or with None of all, goes on. Raises OperatorError."""
    if office is None:
        return NETWORK_FEED
    known = select(fleet.office.c.office_id).where(fleet.office.c.office_id == office)
    if connection.execute(known).one_or_none() is None:
        raise OperatorError("office.unknown", field="office", office=office)
    return office_feed(OfficeId(office))


def standing_policies(connection: Connection) -> list[StandingPolicy]:
    """Return the newest policy of each feed that has one, the network's first, then by office."""
    entry = fleet.feed_entry
    newest = (
        select(entry.c.feed_id, func.max(entry.c.entry_index).label("entry_index"))
        .where(entry.c.type == ExposurePolicySet.type)
        .group_by(entry.c.feed_id)
        .subquery()
    )
    rows = connection.execute(
        select(entry.c.feed_id, entry.c.data, entry.c.appended_at).join(
            newest, (entry.c.feed_id == newest.c.feed_id) & (entry.c.entry_index == newest.c.entry_index)
        )
    )
    names: dict[str, tuple[str, str]] = {
        office_feed(OfficeId(office_id)): (office_id, name)
        for office_id, name in connection.execute(select(fleet.office.c.office_id, fleet.office.c.name))
    }
    found = [_standing(names, *row) for row in rows]
    return sorted(found, key=lambda one: (one.office_id is not None, one.office_id or ""))


def _standing(names: dict[str, tuple[str, str]], feed_id: str, data: bytes, appended_at: Any) -> StandingPolicy:
    entry = decode_entry(data)
    policy = decode_body(entry.type, bytes(entry.body), FEED_BODIES)
    if not isinstance(policy, ExposurePolicySet):
        raise TypeError(f"{entry.type} is no policy")
    office_id, name = names.get(feed_id, (None, None))
    return StandingPolicy(office_id=office_id, office_name=name, policy=policy, set_at=instant_text(appended_at))
