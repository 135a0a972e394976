"""What every page asks of the file, in as few statements as that takes."""

from typing import Final

import apsw

from edge.journal.standing import Exposure, ExposurePolicy, Glance
from edge.journal.views import Identity, PaymentView
from shared.payment import PaymentState

IN_DOUBT: Final = frozenset({PaymentState.IN_DOUBT, PaymentState.REVERSAL_IN_DOUBT})
UNSETTLED: Final = IN_DOUBT | {PaymentState.REQUESTED, PaymentState.SENT}
"""States of payments that a glance is about."""


def glance(
    connection: apsw.Connection,
    identity: Identity,
    unsettled: list[PaymentView],
    policy: ExposurePolicy | None,
    exposure: Exposure,
) -> Glance:
    """Return a glance, given the payments in UNSETTLED and what is read elsewhere. Consistent only in a transaction."""
    row = next(
        connection.execute(
            "SELECT (SELECT coalesce(max(entry_index) + 1, 0) FROM entry) - cosigned_size, "
            "last_exchange_at, last_error, "
            "(SELECT count FROM queued_sum), (SELECT amount_rial FROM queued_sum), "
            "(SELECT count(*) FROM print_job WHERE state = 'waiting') FROM exchange_state"
        )
    )
    unsent_count, last_exchange_at, last_error, queued_count, queued_rial, waiting_papers = row
    return Glance(
        office=identity.office,
        unsent_count=unsent_count,
        unconfirmed_count=queued_count,
        unconfirmed_rial=queued_rial,
        last_exchange_at=last_exchange_at,
        last_exchange_error=last_error,
        in_doubt=tuple(payment for payment in unsettled if payment.state in IN_DOUBT),
        is_under_way=any(payment.state not in IN_DOUBT for payment in unsettled),
        waiting_papers=waiting_papers,
        policy=policy,
        exposure=exposure,
    )
