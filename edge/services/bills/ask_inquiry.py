"""Take a customer's question for a provider: journaled and sealed, its ticket spooled, its answer on the feed."""

from collections.abc import Sequence

from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import INQUIRY_TICKET, spool
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import INQUIRY_PARAMETER_PURPOSE, BillKind, Body, InquiryRequested
from shared.identifiers import check_subscriber
from shared.sealed import seal

SERVICE = "bill_inquiry"
_TAIL_DIGITS = 3


class AskInquiry:
    """Accepts inquiries, online or not: there is no other way in."""

    def __init__(self, writer: JournalWriter, entropy: Entropy) -> None:
        self._writer = writer
        self._entropy = entropy

    async def request(self, kind: BillKind, parameter: str, *, operator: str, inquiry_id: str | None = None) -> str:
        """Journal the question and spool its ticket; return our inquiry id.

        An `inquiry_id` of the caller's own makes a repeated request the same inquiry: it asks nothing again.
        Raises OperatorError with field `parameter` for a number that kind cannot have, `payment.box_quarantined`.
        """
        number = check_subscriber(kind, parameter)
        asked_id = inquiry_id or random_name(self._entropy, "q")

        def decide(view: StoreView) -> Sequence[Body]:
            if view.inquiry(asked_id) is not None:
                return []
            if view.quarantined():
                raise OperatorError("payment.box_quarantined")
            new_key = view.data_key_body()
            key = view.data_key() if new_key is None else new_key
            sealed = seal(
                number.encode(),
                key_id=key.key_id,
                public_key=bytes.fromhex(key.public_key),
                purpose=INQUIRY_PARAMETER_PURPOSE,
            )
            asked = InquiryRequested(
                inquiry_id=asked_id,
                ticket=view.next_ticket(),
                service=SERVICE,
                kind=kind,
                parameter=sealed,
                parameter_tail=number[-_TAIL_DIGITS:],
                operator=operator,
            )
            spool(view, self._entropy, document=INQUIRY_TICKET, about=asked_id, copy=False)
            return [asked] if new_key is None else [new_key, asked]

        await self._writer.commit(decide)
        return asked_id
