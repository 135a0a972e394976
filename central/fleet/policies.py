"""Exposure policies: how much an office may take that central has not seen, published on its feed.

The newest of a feed stands; an office's own goes before the network's. A policy that is withdrawn from an office's feed
leaves it with the network's.
"""

from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, select

from central.fleet.publishing import standing
from central.store import fleet
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import ExposurePolicySet
from shared.ids import OfficeId, office_feed

Kind = Literal["limits", "unlimited", "withdrawn"]
"""Set these limits; allow any amount; say nothing any more (an office then follows the network)."""

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


def standing_policies(connection: Connection) -> list[StandingPolicy]:
    """Return the newest policy of each feed that has one, the network's first, then by office."""
    names: dict[str, tuple[str, str]] = {
        office_feed(OfficeId(office_id)): (office_id, name)
        for office_id, name in connection.execute(select(fleet.office.c.office_id, fleet.office.c.name))
    }
    found = []
    for one in standing(connection, ExposurePolicySet):
        office_id, name = names.get(one.feed, (None, None))
        found.append(StandingPolicy(office_id=office_id, office_name=name, policy=one.body, set_at=one.published_at))
    return found
