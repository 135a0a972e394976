"""What every page asks of the file, in as few statements as that takes."""

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
    "SELECT (SELECT value FROM setting WHERE name = 'identity'), "
    "(SELECT coalesce(max(entry_index) + 1, 0) FROM entry) - cosigned_size, last_exchange_at, last_error, "
    "(SELECT count FROM queued_sum), (SELECT amount_rial FROM queued_sum), "
    "(SELECT count(*) FROM print_job WHERE state = 'waiting'), EXISTS (SELECT 1 FROM exposure_policy) "
    "FROM exchange_state"
)


def glance(connection: apsw.Connection, unsettled: list[PaymentView], exposure: Exposure) -> Glance:
    """Return a glance, given the payments in UNSETTLED and what is read elsewhere. Consistent only in a transaction."""
    identity, unsent_count, last_exchange_at, last_error, queued_count, queued_rial, waiting_papers, limited = next(
        connection.execute(_SAYS)
    )
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
