"""What has to hold before a payment begins, and again before its amount leaves. Read inside the write transaction.

Two lists, each in the order in which a person should hear of it. A new rule is a function and a line in a list.
"""

from collections.abc import Callable
from typing import Final

from edge.journal.elsewhere import ElsewherePayment
from edge.journal.writer import StoreView
from edge.services.payments.disagreement import disputed
from edge.services.payments.exposure import exposure_allows
from edge.services.payments.same_debt import charges_of, is_refused
from edge.services.payments.service_checks import debt_of, service_agrees
from shared.errors import OperatorError
from shared.events import PaymentRequested
from shared.ids import bill_obligation

Check = Callable[[StoreView, PaymentRequested], None]
"""Raises OperatorError when a payment may not begin; nothing is written then."""
Obstacle = Callable[[StoreView, PaymentRequested], str | None]
"""Returns why the amount must not leave any more, None when nothing is in its way: the reason of `payment.not_sent`."""


def obligations(wanted: PaymentRequested) -> tuple[str, ...]:
    """Return all that an intent pays."""
    return tuple(item.obligation for item in wanted.items) or (wanted.obligation,)


def _debt(view: StoreView, wanted: PaymentRequested) -> tuple[str, ...]:
    """Return all that stands for what an intent pays: of an answer, a part and the whole of it too."""
    return debt_of(view.services, wanted, obligations(wanted))


# --- before a payment begins -----------------------------------------------------------------------------------------


def _not_closed(view: StoreView, _: PaymentRequested) -> None:
    if view.closed_at() is not None:
        raise OperatorError("journal.is_closed")


def _not_quarantined(view: StoreView, _: PaymentRequested) -> None:
    if view.quarantined():
        raise OperatorError("payment.box_quarantined")


def _obligation_is_free(view: StoreView, wanted: PaymentRequested) -> None:
    for obligation in obligations(wanted):
        if held := view.holder_of(obligation) or view.whole_of(obligation):
            raise OperatorError("payment.obligation_held", payment_id=held.payment_id, obligation=obligation)


def _others_are_heard(view: StoreView, _: PaymentRequested) -> None:
    """Check that central has told what the office's other journals held when this one took over from them."""
    if view.others.are_awaited():
        raise OperatorError("payment.predecessor_unheard")


def _held_elsewhere(view: StoreView, wanted: PaymentRequested, obligation: str) -> ElsewherePayment | None:
    """Return the payment of another box that holds an obligation, or the whole that this is a part of.

    What its provider refused does not count for the parts of a whole, nor for the same debt under another answer.
    """
    held = view.others.holder_of(obligation)
    owed_still = held is not None and obligation not in obligations(wanted) and is_refused(held, obligation)
    return (None if owed_still else held) or view.others.whole_of(obligation)


def _free_elsewhere(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that no other box of the office took what is paid, or may have, by what central told of them."""
    for obligation in _debt(view, wanted):
        if held := _held_elsewhere(view, wanted, obligation):
            data = {"payment_id": held.payment_id, "state": str(held.state), "journal": held.journal}
            raise OperatorError("payment.held_elsewhere", obligation=obligation, **data)


def _charge_is_undisputed(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that no charge was spoken of an earlier payment that counts as not charged: who is right is not known."""
    for obligation in _debt(view, wanted):
        if earlier := disputed(view, obligation):
            raise OperatorError("payment.charge_disputed", payment_id=earlier.payment_id, obligation=obligation)


def _terminal_is_free(view: StoreView, wanted: PaymentRequested) -> None:
    if locked := view.lock_of(wanted.terminal):
        raise OperatorError("payment.terminal_locked", payment_id=locked)


def _inquiry_agrees(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that the inquiry of a bill's debt was answered with this very bill."""
    if wanted.inquiry_id is None or wanted.service:
        return
    inquiry = view.inquiry(wanted.inquiry_id)
    if inquiry is None:
        raise OperatorError("inquiry.unknown", inquiry_id=wanted.inquiry_id)
    if inquiry.bill_id is None or inquiry.bill_payment_id is None:
        raise OperatorError("inquiry.other_bill", inquiry_id=wanted.inquiry_id)
    if bill_obligation(inquiry.bill_id, inquiry.bill_payment_id) != wanted.obligation:
        raise OperatorError("inquiry.other_bill", inquiry_id=wanted.inquiry_id)


def _service_agrees(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that what is paid for a service is what its request asks for, now."""
    if wanted.service:
        service_agrees(view, wanted)


CHECKS: Final[tuple[Check, ...]] = (
    _not_closed,
    _not_quarantined,
    _others_are_heard,
    _obligation_is_free,
    _free_elsewhere,
    _charge_is_undisputed,
    exposure_allows,
    _terminal_is_free,
    _inquiry_agrees,
    _service_agrees,
)

# --- before the amount leaves ----------------------------------------------------------------------------------------


def _is_quarantined(view: StoreView, _: PaymentRequested) -> str | None:
    return "payment.box_quarantined" if view.quarantined() else None


def _terminal_got_locked(view: StoreView, wanted: PaymentRequested) -> str | None:
    return "payment.terminal_locked" if view.lock_of(wanted.terminal) else None


def _was_charged_after_all(view: StoreView, wanted: PaymentRequested) -> str | None:
    """A late answer may have proved meanwhile that an earlier payment of the same debt was charged."""
    charged = next(charges_of(view, _debt(view, wanted)), None)
    return None if charged is None else "payment.obligation_held"


def _is_held_elsewhere(view: StoreView, wanted: PaymentRequested) -> str | None:
    """Central may have told meanwhile that another box of the office took it."""
    held = any(_held_elsewhere(view, wanted, obligation) for obligation in _debt(view, wanted))
    return "payment.held_elsewhere" if held else None


def _charge_got_disputed(view: StoreView, wanted: PaymentRequested) -> str | None:
    found = any(disputed(view, obligation) for obligation in _debt(view, wanted))
    return "payment.charge_disputed" if found else None


OBSTACLES: Final[tuple[Obstacle, ...]] = (
    _is_quarantined,
    _terminal_got_locked,
    _was_charged_after_all,
    _is_held_elsewhere,
    _charge_got_disputed,
)
