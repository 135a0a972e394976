"""Facts of catalogue services: what a customer asks for, what is asked again, what was shown of the answer."""

from typing import Literal

from shared.events.body import Body, Count, Rial
from shared.sealed import Sealed

SERVICE_FIELDS_PURPOSE = "service.fields"
"""`purpose` of `ServiceRequested.fields`: a JSON object of texts, the service's fields in canonical form."""
SERVICE_ANSWER_PURPOSE = "service.answer"
"""`purpose` of `ServiceAnswered.document`: a `shared.answer_document.AnswerDocument` as JSON."""
SERVICE_IMAGE_PURPOSE = "service.image"
"""`purpose` of `ImageAnswered.image`: the bytes of a JPEG or PNG picture."""
FULFILMENT_PURPOSE = "payment.fulfilment"
"""`purpose` of `PaymentConfirmed.fulfilment`: a JSON object of texts, for example `{"pin": …, "serial": …}`."""

Gate = Literal["fee_first", "answer_first"]
"""When a service's fee is taken: before the provider is asked, or when its answer is there and before it is shown."""


class ServiceRequested(Body, frozen=True, kw_only=True):
    """A customer asks for a service of the catalogue; it waits in the journal until central has asked the provider."""

    type = "service.requested"
    inquiry_id: str
    ticket: Count
    service: str
    """The service's code in the catalogue."""
    catalogue_id: str
    """The catalogue that was in force: its tariff and its rules are the ones that hold."""
    fields: Sealed
    applicant_tail: str
    """The last three characters of who or what is asked about: enough to tell two waiting customers apart."""
    search_key: str
    """HMAC-SHA-256 of the applicant under the month's data key, hex: finds this request while the key is kept."""
    fee_rial: Rial
    gate: Gate
    print_first: bool
    """Whether the answer is shown only once the service's receipt is out of the printer."""
    rules_accepted: bool
    operator: str


class ServiceRetried(Body, frozen=True, kw_only=True):
    """A request that was paid and has no result is asked again. No second fee."""

    type = "service.retried"
    inquiry_id: str
    operator: str


class ServiceReleased(Body, frozen=True, kw_only=True):
    """The manager states that the receipt is in the customer's hand, or cannot be: the answer may be shown."""

    type = "service.released"
    inquiry_id: str
    operator: str
    reason: str


class ServiceShown(Body, frozen=True, kw_only=True):
    """The answer was shown, for the first time."""

    type = "service.shown"
    inquiry_id: str
    operator: str


class ImageAsked(Body, frozen=True, kw_only=True):
    """The pictures of one item of an answer are wanted."""

    type = "service.image_asked"
    inquiry_id: str
    item: str
    """The item's key in the answer."""
    operator: str
