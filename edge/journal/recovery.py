"""What the box does first at every start: believe nothing of its last moments that the journal does not say.

The end of the journal is verified, then one transaction writes `boot.started` and settles what the last run left open:
a payment that was only requested was certainly not sent; one that was sent is in doubt, whatever the terminal did. The
same is done when a medium that failed in mid-run is well again, for payments on which nobody works any more.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from edge.journal.ports import JournalReader, StoreView
from edge.journal.verify import current_key, verify_journal
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from shared.errors import BugError, IntegrityError
from shared.events import AlarmRaised, Body, BootStarted, PaymentInDoubt, PaymentNotSent, ReversalInDoubt
from shared.payment import DOUBTFUL, PaymentState

TAIL_ENTRIES: Final = 256
"""Entries verified at each start, the newest; the whole journal is verified on demand and at central."""
RESTART: Final = "restart"
"""The reason that the moves of a start carry."""
STORAGE: Final = "storage"
"""The reason of moves after a medium failed while the program went on."""
STORAGE_FAILED: Final = "storage_failed"
"""The alarm that a medium failed and is well again."""
NAMED_MAX: Final = 200
"""Payments in doubt that `boot.started` names: an entry has a size."""


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What a start found and settled."""

    found_size: int
    cosigned_size: int
    not_sent: tuple[str, ...]
    """Payments that were only requested."""
    in_doubt: tuple[str, ...]
    """Payments that were cut short with a terminal, which is to be asked."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a start says of itself in `boot.started`."""

    software: str
    signer: str = "file"
    clock: str = ""
    beside_size: int | None = None
    profile_bundles: tuple[str, ...] = ()
    alarms: tuple[AlarmRaised, ...] = ()
    """What the start found that a person must look at."""


class Recovery:
    """Settles what was left open: once at the start, and again whenever the medium had failed and is well."""

    def __init__(self, reader: JournalReader, identity: Identity, start: Start) -> None:
        self._reader = reader
        self._identity = identity
        self._start = start
        self.found: Recovered | None = None
        """What the start found, None while nothing could be written yet."""
        self.under_way: Callable[[str], bool] = lambda _: False
        """Whether somebody works on a payment in this run: then it is not left open."""

    def check(self, public_key: bytes) -> None:
        """Verify the journal's end. Raises IntegrityError `signer.other_key` or as `verify_journal` does."""
        wanted = current_key(self._reader, self._identity)
        if wanted != public_key:
            raise IntegrityError("signer.other_key", wanted=wanted.hex(), found=public_key.hex())
        self._verify_tail()

    def _verify_tail(self) -> None:
        opening_key = bytes.fromhex(self._identity.public_key)
        first = max(0, self._reader.size() - TAIL_ENTRIES)
        verify_journal(self._reader, self._identity.journal_id, opening_key, first=first)

    def run(self, writer: JournalWriter, public_key: bytes) -> Recovered:
        """Verify, then journal the start and what was left open; have the writer do it again after each failure.

        Raises IntegrityError as `check` does, or `journal.rollback`: the box must not go on then. Raises DeviceError
        when the medium takes nothing: the writer goes on trying, and does this first.
        """
        self.check(public_key)
        writer.after_failure = self.decide
        writer.commit_blocking(self.decide)
        if self.found is None:
            raise BugError("journal.closed")
        return self.found

    def decide(self, view: StoreView) -> Sequence[Body]:
        """Return what a start, or a medium that is well again, has to journal first."""
        if view.size() < view.cosigned_size():
            # A medium that lost its last writes: central holds entries that are not here. Going on would fork.
            raise IntegrityError("journal.rollback", known=view.cosigned_size(), signed=view.size())
        if view.closed_at() is not None:
            # It takes no entry any more, not even that of this start; what is left is to hand it over.
            self.found = Recovered(found_size=view.size(), cosigned_size=view.cosigned_size(), not_sent=(), in_doubt=())
            return []
        if self.found is not None and view.size() > self.found.found_size:
            self._verify_tail()
            alarm = AlarmRaised(kind=STORAGE_FAILED, detail=f"entries {view.size()}")
            return [alarm, *self._settle(view, STORAGE)]
        view.forget_data_keys()
        requested = view.payments_in({PaymentState.REQUESTED})
        # Cut short with a terminal: a sale, an acknowledgement, a reversal.
        sent = (*view.payments_in({PaymentState.SENT, PaymentState.REVERSAL_REQUESTED}), *view.unacknowledged())
        doubtful = view.payments_in(DOUBTFUL)
        self.found = Recovered(
            found_size=view.size(),
            cosigned_size=view.cosigned_size(),
            not_sent=tuple(payment.payment_id for payment in requested),
            in_doubt=tuple(payment.payment_id for payment in sent),
        )
        started = BootStarted(
            found_size=self.found.found_size,
            cosigned_size=self.found.cosigned_size,
            software=self._start.software,
            signer=self._start.signer,
            clock=self._start.clock,
            in_doubt=tuple(payment.payment_id for payment in (*doubtful, *sent))[:NAMED_MAX],
            beside_size=self._start.beside_size,
            profile_bundles=self._start.profile_bundles,
        )
        return [started, *self._start.alarms, *self._settle(view, RESTART)]

    def _settle(self, view: StoreView, reason: str) -> list[Body]:
        def left_open(state: PaymentState) -> list[str]:
            found = [payment.payment_id for payment in view.payments_in({state})]
            return [payment_id for payment_id in found if not self.under_way(payment_id)]

        return [
            *(PaymentNotSent(payment_id=name, reason=reason) for name in left_open(PaymentState.REQUESTED)),
            *(PaymentInDoubt(payment_id=name, reason=reason) for name in left_open(PaymentState.SENT)),
            *(
                PaymentInDoubt(payment_id=payment.payment_id, reason=reason)
                for payment in view.unacknowledged()
                if not self.under_way(payment.payment_id)
            ),
            # The order to undo a sale may have left.
            *(ReversalInDoubt(payment_id=name, reason=reason) for name in left_open(PaymentState.REVERSAL_REQUESTED)),
        ]


def recover(
    writer: JournalWriter, reader: JournalReader, identity: Identity, public_key: bytes, *, software: str
) -> Recovered:
    """Verify the journal's end and settle what the last run left open. Before anything else uses the writer.

    `public_key` is the signer's. Raises what `Recovery.run` raises.
    """
    return Recovery(reader, identity, Start(software=software)).run(writer, public_key)
