"""What every page asks of the file, in as few statements as that takes."""

from collections.abc import Callable
from typing import Final

import apsw

from edge.journal.standing import Exposure, Glance
from edge.journal.views import PaymentView
from edge.store import exposure_rows
from edge.store.row_views import identity_of
from shared.payment import DOUBTFUL, UNDER_WAY

UNSETTLED: Final = DOUBTFUL | UNDER_WAY
"""States of payments that a glance is about."""


_SAYS: Final = (
    "SELECT (SELECT value FROM setting WHERE name = 'identity'), "  # noqa: S608 - constants of ours
    "(SELECT coalesce(max(entry_index) + 1, 0) FROM entry) - cosigned_size, last_exchange_at, last_error, "
    "(SELECT count FROM queued_sum), (SELECT amount_rial FROM queued_sum), "
    "(SELECT count(*) FROM print_job WHERE state = 'waiting'), EXISTS (SELECT 1 FROM exposure_policy), "
    f"EXISTS (SELECT 1 FROM payment WHERE state IN ({', '.join(repr(str(state)) for state in sorted(UNSETTLED))})) "
    "FROM exchange_state"
)


def glance(connection: apsw.Connection, read_unsettled: Callable[[], list[PaymentView]], exposure: Exposure) -> Glance:
    """Return a glance, given what reads the payments in UNSETTLED, and what is read elsewhere.

    Consistent only in a transaction.
    """
    identity, unsent_count, last_exchange_at, last_error, queued_count, queued_rial, waiting_papers, limited, open_ = (
        next(connection.execute(_SAYS))
    )
    unsettled = read_unsettled() if open_ else []
    return Glance(
        office=identity_of(identity).office,
        unsent_count=unsent_count,
        unconfirmed_count=queued_count,
        unconfirmed_rial=queued_rial,
        last_exchange_at=last_exchange_at,
        last_exchange_error=last_error,
        in_doubt=tuple(payment for payment in unsettled if payment.state in DOUBTFUL),
        is_under_way=any(payment.state in UNDER_WAY for payment in unsettled),
        waiting_papers=waiting_papers,
        policy=exposure_rows.policy(connection) if limited else None,
        exposure=exposure,
    )
