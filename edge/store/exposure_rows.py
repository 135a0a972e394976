"""Rows of exposure: the policy, sums of payments by where their newest move stands, and running time by boots.

The sum of all payments from an index on is asked for at each payment and on each page, and offline there is no bound to
their number. So payments are summed up in buckets of BUCKET entries: a question reads the buckets and the payments of
one, however long the journal is.
"""

from typing import Any, Final

import apsw

from edge.journal.ports import Recorded
from edge.journal.standing import Exposure, ExposurePolicy
from edge.store.schema.payment_tables import HOLDS_OBLIGATION
from shared.events import Body, BootStarted, ExposurePolicySet, JournalOpened
from shared.ids import NETWORK_FEED
from shared.journal.entry import decode_entry
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, UNDER_WAY, PaymentState

BUCKET: Final = 1024

_CHARGED: Final = ", ".join(f"'{state}'" for state in sorted(CHARGED))
_UNDER_WAY: Final = ", ".join(f"'{state}'" for state in sorted(UNDER_WAY))
_POLICY: Final = ("policy_id", "payment_max_rial", "total_max_rial", "count_max", "running_hours_max")


def moved(
    connection: apsw.Connection, amount_rial: int, left: tuple[PaymentState, int] | None, to: tuple[PaymentState, int]
) -> None:
    """Take a payment out of the sums where its move before stood, and into them where its new one stands.

    Each is a state and the index of its entry; `left` is None for a payment that is new.
    """
    before, after = None if left is None else _place(left), _place(to)
    if before == after:
        return
    if before is not None:
        _add(connection, before, -1, -amount_rial)
    if after is not None:
        _add(connection, after, 1, amount_rial)


def _place(at: tuple[PaymentState, int]) -> tuple[int, bool] | None:
    """Return the bucket that a move counts in, and whether as charged; None where it holds nothing."""
    state, index = at
    return None if state in CERTAINLY_UNCHARGED else (index // BUCKET, state in CHARGED)


def _add(connection: apsw.Connection, place: tuple[int, bool], count: int, amount_rial: int) -> None:
    bucket, is_charged = place
    charged = (count, amount_rial) if is_charged else (0, 0)
    opened = (0, 0) if is_charged else (count, amount_rial)
    connection.execute(
        "INSERT INTO exposure_sum VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (bucket) DO UPDATE SET "
        "charged_count = charged_count + ?2, charged_rial = charged_rial + ?3, "
        "open_count = open_count + ?4, open_rial = open_rial + ?5",
        (bucket, *charged, *opened),
    )


def boot(connection: apsw.Connection, at: Recorded, _: JournalOpened | BootStarted) -> None:
    """Note where a run of the program begins, and how long the box had run before it.

    Monotonic clocks of two runs share their zero or do not, nobody can say: the smaller of the two readings is a time
    that has certainly passed. So a restart takes off nothing, and what is counted is never more than what was run.
    """
    before_ms = 0
    earlier = next(
        connection.execute("SELECT first_monotonic_ms, before_ms FROM boot_time ORDER BY first_index DESC LIMIT 1"),
        None,
    )
    last = next(connection.execute("SELECT data FROM entry WHERE entry_index = ?", (at.index - 1,)), None)
    if earlier is not None and last is not None:
        last_ms = decode_entry(last[0]).monotonic_ms
        since_ms = at.entry.monotonic_ms - last_ms
        before_ms = _running(earlier, last_ms) + (since_ms if since_ms >= 0 else at.entry.monotonic_ms)
    connection.execute(
        "INSERT INTO boot_time (first_index, first_monotonic_ms, before_ms) VALUES (?, ?, ?)",
        (at.index, at.entry.monotonic_ms, before_ms),
    )


def _running(row: tuple[Any, ...], monotonic_ms: int) -> int:
    first_ms, before_ms = row
    return int(before_ms + max(0, monotonic_ms - first_ms))


def running_ms(connection: apsw.Connection, monotonic_ms: int) -> int:
    """Return how long the box has run since its journal began, at a reading of this run's monotonic clock."""
    row = next(
        connection.execute("SELECT first_monotonic_ms, before_ms FROM boot_time ORDER BY first_index DESC LIMIT 1"),
        None,
    )
    return 0 if row is None else _running(row, monotonic_ms)


def note_cosigned(connection: apsw.Connection, monotonic_ms: int) -> None:
    """Note that central cosigned now: by running time, and in which run."""
    connection.execute(
        "UPDATE exchange_state SET cosigned_running_ms = ?, "
        "cosigned_boot = (SELECT coalesce(max(first_index), 0) FROM boot_time)",
        (running_ms(connection, monotonic_ms),),
    )


def _cosigned(connection: apsw.Connection, monotonic_ms: int) -> tuple[int, int]:
    """Return the size that central cosigned, and the running time since it did.

    What a run did after its last entry is not known to the next one. Had central cosigned in that while, the next run
    begins before it by its own count; then it is the next run's beginning, or that while would be time without limits.
    """
    size, noted_ms, next_run_ms, *newest_run = next(
        connection.execute(
            "SELECT cosigned_size, cosigned_running_ms, (SELECT before_ms FROM boot_time "
            "WHERE first_index > cosigned_boot ORDER BY first_index LIMIT 1), first_monotonic_ms, before_ms "
            "FROM exchange_state LEFT JOIN boot_time ON first_index = (SELECT max(first_index) FROM boot_time)"
        )
    )
    running = 0 if newest_run[0] is None else _running(tuple(newest_run), monotonic_ms)
    return size, max(0, running - int(noted_ms if next_run_ms is None else min(noted_ms, next_run_ms)))


def policy_set(connection: apsw.Connection, at: Recorded, feed: str, body: Body) -> None:
    """Let a feed's newest policy stand; nothing for other bodies."""
    if not isinstance(body, ExposurePolicySet):
        return
    connection.execute("DELETE FROM exposure_policy WHERE feed = ?", (feed,))
    if not body.withdrawn:
        connection.execute(
            f"INSERT INTO exposure_policy (feed, received_at, {', '.join(_POLICY)}) "  # noqa: S608 - names of ours
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (feed, at.entry.at, *(getattr(body, name) for name in _POLICY)),
        )


def policy(connection: apsw.Connection) -> ExposurePolicy | None:
    """Return the policy in force."""
    names = ("feed", "received_at", *_POLICY)
    row = next(
        connection.execute(
            f"SELECT {', '.join(names)} FROM exposure_policy ORDER BY feed = ? LIMIT 1",  # noqa: S608 - names of ours
            (NETWORK_FEED,),
        ),
        None,
    )
    return None if row is None else ExposurePolicy(**dict(zip(names, row, strict=True)))


def exposure(connection: apsw.Connection, monotonic_ms: int) -> Exposure:
    """Return what central has not cosigned, at a reading of this run's monotonic clock."""
    cosigned, uncosigned_ms = _cosigned(connection, monotonic_ms)
    whole = -(-cosigned // BUCKET)
    charged_count, charged_rial, open_count, open_rial = next(
        connection.execute(
            "SELECT coalesce(sum(charged_count), 0), coalesce(sum(charged_rial), 0), coalesce(sum(open_count), 0), "
            "coalesce(sum(open_rial), 0) FROM exposure_sum WHERE bucket >= ?",
            (whole,),
        )
    )
    # The bucket that central has cosigned a part of, and what is under way whatever central has seen of it.
    rest = connection.execute(
        f"SELECT state IN ({_CHARGED}), count(*), sum(amount_rial) FROM payment "  # noqa: S608 - constants of ours
        f"WHERE {HOLDS_OBLIGATION} AND moved_index >= ? AND moved_index < ? GROUP BY 1 UNION ALL "
        f"SELECT 0, count(*), coalesce(sum(amount_rial), 0) FROM payment WHERE state IN ({_UNDER_WAY}) "
        "AND moved_index < ?",
        (cosigned, whole * BUCKET, cosigned),
    )
    for is_charged, count, amount_rial in rest:
        if is_charged:
            charged_count, charged_rial = charged_count + count, charged_rial + amount_rial
        else:
            open_count, open_rial = open_count + count, open_rial + amount_rial
    return Exposure(
        charged_count=charged_count,
        charged_rial=charged_rial,
        open_count=open_count,
        open_rial=open_rial,
        running_ms=uncosigned_ms,
    )
