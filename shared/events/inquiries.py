"""Facts of inquiries: what a customer asks a provider through us."""

from shared.events.body import BillKind, Body, Count
from shared.sealed import Sealed

INQUIRY_PARAMETER_PURPOSE = "inquiry.parameter"
"""`purpose` of `InquiryRequested.parameter`: the digits as UTF-8."""
INQUIRY_CUSTOMER_PURPOSE = "inquiry.customer"
"""`purpose` of `InquiryAnswered.customer`: a JSON object of texts, for example `{"name": …, "address": …}`."""


class InquiryRequested(Body, frozen=True, kw_only=True):
    """A customer asks a provider through us; it waits in the journal until central has asked."""

    type = "inquiry.requested"
    inquiry_id: str
    ticket: Count
    service: str
    kind: BillKind
    parameter: Sealed
    """The subscriber's number, sealed to the office's monthly data key."""
    parameter_tail: str
    """Its last three digits: enough for the operator to tell two waiting customers apart."""
    operator: str
