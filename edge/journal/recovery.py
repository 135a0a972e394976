"""What the box does first at every start: believe nothing of its last moments that the journal does not say.

The end of the journal is verified, then one transaction writes `boot.started` and settles what the last run left open:
a payment that was only requested was certainly not sent; one that was sent is in doubt, whatever the terminal did.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from edge.journal.ports import JournalReader, StoreView
from edge.journal.verify import current_key, verify_journal
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from shared.errors import IntegrityError
from shared.events import Body, BootStarted, PaymentInDoubt, PaymentNotSent
from shared.payment import PaymentState

TAIL_ENTRIES: Final = 256
"""Entries verified at each start, the newest; the whole journal is verified on demand and at central."""
RESTART: Final = "restart"
"""The reason that the moves of a start carry."""


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What a start found and settled."""

    found_size: int
    cosigned_size: int
    not_sent: tuple[str, ...]
    """Payments that were only requested."""
    in_doubt: tuple[str, ...]
    """Payments that were sent: their terminals are to be asked."""


def recover(
    writer: JournalWriter, reader: JournalReader, identity: Identity, public_key: bytes, *, software: str
) -> Recovered:
    """Verify the journal's end and settle what the last run left open. Before anything else uses the writer.

    `public_key` is the signer's. Raises IntegrityError `signer.other_key`, `journal.rollback` (shorter than what
    central cosigned), or as `verify_journal` does; nothing was written then, and the box must not go on.
    """
    wanted = current_key(reader, identity)
    if wanted != public_key:
        raise IntegrityError("signer.other_key", wanted=wanted.hex(), found=public_key.hex())
    opening_key = bytes.fromhex(identity.public_key)
    verify_journal(reader, identity.journal_id, opening_key, first=max(0, reader.size() - TAIL_ENTRIES))
    found: list[Recovered] = []

    def decide(view: StoreView) -> Sequence[Body]:
        if view.size() < view.cosigned_size():
            # A medium that lost its last writes: central holds entries that are not here. Going on would fork.
            raise IntegrityError("journal.rollback", known=view.cosigned_size(), signed=view.size())
        view.forget_data_keys()
        requested = view.payments_in({PaymentState.REQUESTED})
        sent = view.payments_in({PaymentState.SENT})
        recovered = Recovered(
            found_size=view.size(),
            cosigned_size=view.cosigned_size(),
            not_sent=tuple(payment.payment_id for payment in requested),
            in_doubt=tuple(payment.payment_id for payment in sent),
        )
        found.append(recovered)
        return [
            BootStarted(found_size=recovered.found_size, cosigned_size=recovered.cosigned_size, software=software),
            *(PaymentNotSent(payment_id=payment_id, reason=RESTART) for payment_id in recovered.not_sent),
            *(PaymentInDoubt(payment_id=payment_id, reason=RESTART) for payment_id in recovered.in_doubt),
        ]

    writer.commit_blocking(decide)
    return found[0]
