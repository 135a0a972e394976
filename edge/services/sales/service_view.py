"""A request for a service as a page shows it: opened only as far as its gate allows."""

import contextlib
from typing import Literal

from edge.journal.services import ServiceImageView, ServiceRequestView, ServiceView
from edge.journal.views import PaymentView
from edge.services.payments.disagreement import disputed
from edge.services.payments.same_debt import OtherAnswers, is_refused
from edge.services.payments.service_checks import opened_state
from edge.services.sales.catalogue_in_force import CatalogueInForce
from edge.services.sales.open_answer import OpenDocument, open_document, open_fields, open_fulfilment
from edge.services.sales.pay_answer import answer_wanted, expired, obligation_of, same_debt
from edge.store.queries import Queries
from shared.answer_document import AnswerDocument
from shared.catalogue import Service
from shared.clock import Clock
from shared.errors import OperatorError
from shared.service_fields import applicant_of
from shared.service_state import SEEN, ServiceState, awaits_print, fee_of

BELIEVED = frozenset({"ntp", "central"})
"""Qualities of a wall clock that can tell whether an offer is over."""


class ServiceViews:
    """Makes views of requests."""

    def __init__(self, queries: Queries, catalogues: CatalogueInForce, clock: Clock) -> None:
        self._queries = queries
        self.catalogues = catalogues
        self._clock = clock

    def known(self, inquiry_id: str) -> ServiceRequestView:
        """Return a request that must be there. Raises OperatorError `inquiry.unknown`."""
        asked = self._queries.services.request(inquiry_id)
        if asked is None:
            raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
        return asked

    def service_of(self, asked: ServiceRequestView) -> Service:
        """See `CatalogueInForce.service_of`."""
        return self.catalogues.service_of(asked)

    def ended(self, document: AnswerDocument) -> frozenset[str]:
        """Return the keys of offers that are over, as far as the clock is believed."""
        return expired(document, self._clock.now()) if self._clock.quality() in BELIEVED else frozenset()

    def view(self, inquiry_id: str) -> ServiceView:
        """Return a request. Raises OperatorError `inquiry.unknown`."""
        asked = self.known(inquiry_id)
        service = self.catalogues.service_of(asked)
        fields = open_fields(self._queries.services, asked)
        opened = open_document(self._queries.services, asked)
        state = opened_state(asked, opened)
        document = opened.document if state in SEEN else None
        others = OtherAnswers(self._queries.services, asked, document)
        return ServiceView(
            inquiry_id=asked.inquiry_id,
            ticket=asked.ticket,
            service=service,
            fields=fields,
            applicant=(fields and applicant_of(service, fields)) or asked.applicant_tail,
            requested_at=asked.requested_at,
            requested_index=asked.requested_index,
            operator=asked.operator,
            state=state,
            fee_rial=asked.fee_rial,
            fee=None if asked.fee_payment_id is None else self._queries.payment(asked.fee_payment_id),
            fee_back=asked.fee_back,
            outcome=asked.outcome if state in _TOLD else None,
            reason=asked.reason or "" if state in _TOLD else "",
            provider=asked.provider or "",
            track_id=asked.track_id or "",
            case_id=asked.case_id,
            answered_at=asked.answered_at,
            document=document,
            document_state=_document_state(opened, state),
            missing=_missing(asked, state),
            may_retry=state is ServiceState.NEEDS_REVIEW,
            may_release=awaits_print(asked.facts()) and fee_of(asked.facts()) == "settled",
            retried=asked.retried,
            payments={} if document is None else self._payments(document),
            payable=frozenset() if document is None else self._payable(service, inquiry_id, document, others),
            expired=frozenset() if document is None else self.ended(document),
            fulfilments={} if document is None else self._fulfilments(asked, document),
            images={} if document is None else self._images(asked),
            images_asked=frozenset() if document is None else self._queries.services.images_asked(inquiry_id),
            printed=asked.printed,
            released_by=asked.released_by,
            paid_unseen=tuple(others.paid_unseen(self._queries)),
        )

    def _payments(self, document: AnswerDocument) -> dict[str, PaymentView]:
        """Return, by key, the payment that holds what is payable, or the newest attempt."""
        found: dict[str, PaymentView] = {}
        for payable in document.payables():
            obligation = obligation_of(payable)
            if obligation is None:
                continue
            holder = self._queries.payment_by_obligation(obligation)
            for payment in [holder] if holder else self._queries.payments_of(obligation)[-1:]:
                found[payable.key] = payment
        return found

    def _payable(
        self, service: Service, inquiry_id: str, document: AnswerDocument, others: OtherAnswers
    ) -> frozenset[str]:
        """Return the keys that could be paid now: a part or the whole of the same debt is neither held nor disputed."""
        ended, found = self.ended(document), set()
        named = {one for payable in document.payables() if (one := obligation_of(payable)) is not None}
        shut = {one for one in named if self._is_shut(one)}
        for payable in document.payables():
            key = payable.key
            with contextlib.suppress(OperatorError):
                answer_wanted(document, [key], service=service, inquiry_id=inquiry_id, ended=ended)
                same = others.same_as([obligation_of(payable) or ""])
                if shut.isdisjoint(same_debt(document, [key])) and not any(map(self._is_paid_elsewhere, same)):
                    found.add(key)
        return frozenset(found)

    def _is_shut(self, obligation: str) -> bool:
        """Return whether an obligation is held, here or by another box of the office, or is disputed."""
        others = self._queries.others
        held = self._queries.payment_by_obligation(obligation) or others.holder_of(obligation)
        whole = self._queries.whole_of(obligation) or others.whole_of(obligation)
        return bool(held or whole) or disputed(self._queries, obligation) is not None

    def _is_paid_elsewhere(self, obligation: str) -> bool:
        """Return the same of an obligation of another answer: one whose provider refused the money is owed still."""
        held = self._queries.payment_by_obligation(obligation) or self._queries.others.holder_of(obligation)
        return self._is_shut(obligation) and not (held is not None and is_refused(held, obligation))

    def _fulfilments(self, asked: ServiceRequestView, document: AnswerDocument) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for payable in document.payables():
            obligation = obligation_of(payable) if payable.order_id is not None else None
            payment = None if obligation is None else self._queries.payment_by_obligation(obligation)
            if payment is not None and (handed := self.handed_over(asked, payment)) is not None:
                found[payable.key] = handed
        return found

    def handed_over(self, asked: ServiceRequestView, payment: PaymentView) -> dict[str, str] | None:
        """Return what a payment of a request's answer bought; None where there is nothing to be read here."""
        if payment.inquiry_id != asked.inquiry_id:
            return None
        sealed = self._queries.services.fulfilment(payment.payment_id)
        return open_fulfilment(self._queries.services, asked, sealed)

    def _images(self, asked: ServiceRequestView) -> dict[str, tuple[ServiceImageView, ...]]:
        came = self._queries.services.images(asked.inquiry_id)
        return {item: tuple(one for one in came if one.item == item) for item in {one.item for one in came}}


_TOLD = SEEN | {ServiceState.REFUSED, ServiceState.NEEDS_REVIEW}
"""States in which what the provider answered is no secret of the gate's."""


def _document_state(
    opened: OpenDocument, state: ServiceState
) -> Literal["none", "shut", "open", "forgotten", "unreadable"]:
    shut = opened.state in ("open", "forgotten") and state not in SEEN
    return "shut" if shut else opened.state


def _missing(asked: ServiceRequestView, state: ServiceState) -> frozenset[Literal["fee", "answer", "print"]]:
    if state in _TOLD:
        return frozenset()
    facts = asked.facts()
    lacks: dict[Literal["fee", "answer", "print"], bool] = {
        "fee": fee_of(facts) != "settled",
        "answer": facts.outcome is None,
        "print": awaits_print(facts),
    }
    return frozenset(name for name, lacking in lacks.items() if lacking)
