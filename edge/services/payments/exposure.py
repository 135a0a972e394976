"""How much may be taken that central has not seen: the limits of a signed policy, and what is left of them.

`check` runs inside the transaction that journals `payment.requested`, over what cannot change before that is durable.
Time is running time by the journal (`edge.store.exposure_rows`): no wall clock decides, a box that is off loses none
of it, and a restart gives none of it back. Without a policy there is no limit; pages say so.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from edge.journal.standing import Exposure, ExposurePolicy
from edge.journal.writer import StoreView
from shared.errors import OperatorError
from shared.events import PaymentRequested

Level = Literal["none", "calm", "amber", "red"]
"""None without a limit; amber from half of it on, red from nine tenths."""

HOUR_MS: Final = 3_600_000
_AMBER_PERCENT: Final = 50
_RED_PERCENT: Final = 90


class LimitView(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: rial, payments or milliseconds. `max` and `left` are None where there is none."""

    used: int
    max: int | None
    left: int | None
    level: Level


class ExposureView(msgspec.Struct, frozen=True, kw_only=True):
    """What central has not seen, and how much more may be taken without it."""

    policy_id: str | None
    of_network: bool
    """Whether the policy is the whole network's, not this office's own."""
    payment_max_rial: int | None
    total: LimitView
    count: LimitView
    running: LimitView
    level: Level
    """The worst of the three."""
    reached: str | None
    """The code with which the smallest payment would be refused now."""

    @property
    def is_limited(self) -> bool:
        """Return whether a policy limits anything."""
        limits = (self.total.max, self.count.max, self.running.max, self.payment_max_rial)
        return any(limit is not None for limit in limits)


def exposure_allows(view: StoreView, wanted: PaymentRequested) -> None:
    """Check a payment against the policy in force.

    Raises OperatorError `exposure.payment`, `exposure.total`, `exposure.count` or `exposure.hours`.
    """
    exposure_allows_together(view, [wanted])


def exposure_allows_together(view: StoreView, wanted: Sequence[PaymentRequested]) -> None:
    """Check payments that are to begin in one commit: each counts for those behind it. Raises as `exposure_allows`."""
    policy = view.exposure_policy()
    if policy is None:
        return
    now = view.exposure()
    for one in wanted:
        refusal = _refusal(policy, now, one.amount_rial)
        if refusal is not None:
            raise refusal
        now = msgspec.structs.replace(now, open_count=now.open_count + 1, open_rial=now.open_rial + one.amount_rial)


def exposure_view(policy: ExposurePolicy | None, now: Exposure, network_feed: str) -> ExposureView:
    """Return how things stand against the policy."""
    hours_max = None if policy is None else policy.running_hours_max
    total = _limit(now.amount_rial, None if policy is None else policy.total_max_rial)
    count = _limit(now.count, None if policy is None else policy.count_max)
    running = _limit(now.running_ms, None if hours_max is None else hours_max * HOUR_MS)
    refusal = None if policy is None else _refusal(policy, now, 1)
    return ExposureView(
        policy_id=None if policy is None else policy.policy_id,
        of_network=policy is not None and policy.feed == network_feed,
        payment_max_rial=None if policy is None else policy.payment_max_rial,
        total=total,
        count=count,
        running=running,
        level=max((total.level, count.level, running.level), key=("none", "calm", "amber", "red").index),
        reached=None if refusal is None else refusal.code,
    )


def _refusal(policy: ExposurePolicy, now: Exposure, amount_rial: int) -> OperatorError | None:
    """Return why a payment of this amount may not be taken, None when it may."""
    if policy.payment_max_rial is not None and amount_rial > policy.payment_max_rial:
        return OperatorError("exposure.payment", amount_rial=amount_rial, max_rial=policy.payment_max_rial)
    if policy.running_hours_max is not None and now.running_ms >= policy.running_hours_max * HOUR_MS:
        return OperatorError("exposure.hours", hours_max=policy.running_hours_max)
    if policy.count_max is not None and now.count >= policy.count_max:
        return OperatorError("exposure.count", count=now.count, count_max=policy.count_max)
    if policy.total_max_rial is not None and now.amount_rial + amount_rial > policy.total_max_rial:
        return OperatorError(
            "exposure.total",
            amount_rial=amount_rial,
            left_rial=max(0, policy.total_max_rial - now.amount_rial),
            max_rial=policy.total_max_rial,
        )
    return None


def _limit(used: int, limit: int | None) -> LimitView:
    if limit is None:
        return LimitView(used=used, max=None, left=None, level="none")
    percent = 100 * used // limit if limit else 100
    level: Level = "red" if percent >= _RED_PERCENT else "amber" if percent >= _AMBER_PERCENT else "calm"
    return LimitView(used=used, max=limit, left=max(0, limit - used), level=level)
