"""The same debt under another answer: what else this journal knows was asked about the same vehicle, and paid.

Who asks for the total and for the details, or asks again a week later, has answers with obligations of their own. They
are the same debt where they share a name: a bill's ids, or the serial number of a violation. A total without parts
shares none: of that a page can only warn.
"""

from collections.abc import Collection, Iterator
from typing import Final, Protocol

from edge.journal.elsewhere import ElsewherePayment
from edge.journal.ports import ServiceReader
from edge.journal.services import ServiceRequestView
from edge.journal.views import PaymentView
from edge.services.sales.open_answer import open_document
from edge.services.sales.pay_answer import obligation_of
from shared.answer_document import AnswerDocument, Payable
from shared.ids import Obligation
from shared.payment import CHARGED

_SERIAL: Final = "serial"
"""The value of an item by which the police name a violation."""
OTHERS_MAX: Final = 20
"""Other answers about one applicant that are opened, the newest first."""


class Paid(Protocol):
    """What was paid for, inside the write transaction and outside."""

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, oldest first."""

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of a whole that an obligation is a part of, oldest first."""


class Holders(Protocol):
    """Who holds an obligation."""

    def payment_by_obligation(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds it."""


def names_of(document: AnswerDocument) -> dict[Obligation, frozenset[str]]:
    """Return what each obligation of an answer stands for: the whole for all parts."""
    found: dict[Obligation, frozenset[str]] = {}
    of_all: set[str] = set()
    for item in document.items:
        names = {f"violation:{item.values[_SERIAL]}"} if item.values.get(_SERIAL) else set()
        if (obligation := _bill_of(item.payable)) is not None:
            names.add(obligation)
            found[obligation] = frozenset(names)
        of_all |= names
    whole = None if document.payable is None else obligation_of(document.payable)
    # An order is nobody else's, but the whole of an answer may be paid as one: it pays what has names.
    if whole is not None and (of_all or _bill_of(document.payable) is not None):
        found[whole] = frozenset({*of_all, whole})
    return found


class OtherAnswers:
    """An answer beside the others about the same applicant. Each is opened once: that is what takes long."""

    def __init__(self, reader: ServiceReader, asked: ServiceRequestView, document: AnswerDocument | None) -> None:
        """`document` is what the answer of the request says, None where it cannot be read."""
        self._asked_index = asked.requested_index
        self._own = {} if document is None else names_of(document)
        self._others = [names_of(other) for other in _others(reader, asked)] if self._own else []

    def same_as(self, wanted: Collection[str]) -> list[Obligation]:
        """Return the obligations of the others that are the same debt as the `wanted` ones of this answer."""
        names = frozenset[str]().union(*(named for one, named in self._own.items() if one in wanted))
        return [
            obligation
            for theirs in self._others
            for obligation, named in theirs.items()
            if obligation not in wanted and not names.isdisjoint(named)
        ]

    def paid_unseen(self, holders: Holders) -> list[PaymentView]:
        """Return payments of the others that this answer may not know of.

        Either answer is one sum without parts, so that nothing tells whether they are the same debt; and that money was
        taken after this was asked, or its provider has not confirmed it.
        """
        found: dict[str, PaymentView] = {}
        for theirs in self._others:
            if not (_is_bare(self._own) or _is_bare(theirs)):
                continue
            for obligation in theirs.keys() - self._own.keys():
                held = holders.payment_by_obligation(obligation)
                if held is not None and (held.confirmation != "confirmed" or held.requested_index > self._asked_index):
                    found[held.payment_id] = held
        return list(found.values())


def is_refused(held: PaymentView | ElsewherePayment, obligation: str) -> bool:
    """Return whether a payment's provider did not take it: its money is owed back, and the debt is owed as before.

    The obligation itself stays held; the same debt under another answer is not.
    """
    words = {item.obligation: item.confirmation for item in held.items}
    if isinstance(held, PaymentView) and not held.items:
        words[held.obligation] = held.confirmation
    return words.get(obligation) == "refused"


def charges_of(paid: Paid, debt: Collection[str]) -> Iterator[PaymentView]:
    """Yield what was charged under any name of a debt, a whole's for its part too, and was not refused."""
    for obligation in debt:
        for payment in paid.payments_of(obligation):
            if payment.state in CHARGED and not is_refused(payment, obligation):
                yield payment
        for whole in paid.wholes_of(obligation):
            if whole.state in CHARGED and not is_refused(whole, whole.obligation):
                yield whole


def _others(reader: ServiceReader, asked: ServiceRequestView) -> Iterator[AnswerDocument]:
    if not asked.search_key:
        return
    for other in reader.requests_about(asked.search_key, OTHERS_MAX):
        if other.inquiry_id != asked.inquiry_id and (document := open_document(reader, other).document) is not None:
            yield document


def _bill_of(payable: Payable | None) -> Obligation | None:
    """Return the bill that a payable is; an order is nobody else's."""
    return None if payable is None or payable.order_id is not None else obligation_of(payable)


def _is_bare(names: dict[Obligation, frozenset[str]]) -> bool:
    """Return whether an answer is one sum of which nothing is known but its own ids."""
    return any(named == {obligation} for obligation, named in names.items())
