"""What is known of each paper when it is printed. Typed facts and sums of them, no words and no rows.

Members that are not known are None, and their rows are left out. Amounts are whole rials.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from shared.card import MaskedPan
from shared.day import card_net, summed
from shared.events import BillKind, DayClosed
from shared.identifiers import BillType
from shared.receipt import PlateNumber, ReceiptKind

Confirmation = Literal["none", "queued", "confirmed", "refused"]
"""What the provider said of a payment: nothing was asked, waiting to be asked, yes, no."""
GroupState = Literal["paid", "confirmed", "refused", "declined", "in_doubt", "not_sent"]
"""How one bill of a group stands; only `paid` and `confirmed` are in its sum."""
CheckState = Literal["good", "bad", "not_done"]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What every paper carries."""

    document: ClassVar[ReceiptKind]
    office_name: str
    office_code: str


class CardFacts(Facts, frozen=True, kw_only=True):
    """What a terminal gave, and where the entry that says so stands in the journal."""

    pan: MaskedPan | None = None
    stan: str | None = None
    rrn: str | None = None
    terminal_number: str | None = None
    journal_index: int
    leaf: str
    """Leaf hash of that entry, hex."""
    verify_url: str | None = None


class BillReceiptFacts(CardFacts, frozen=True, kw_only=True):
    """A paid bill."""

    document: ClassVar[ReceiptKind] = "bill_receipt"
    bill_kind: BillType
    bill_id: str
    bill_payment_id: str
    amount_rial: int
    paid_at: datetime
    operator: str
    confirmation: Confirmation = "none"
    provider_reference: str | None = None
    case_id: str | None = None
    stated_by: str | None = None
    """The supervisor by whose word it counts as charged, where no terminal and no acquirer has said so."""
    stated_slip: str | None = None


class ServiceReceiptFacts(CardFacts, frozen=True, kw_only=True):
    """The paid fee of a service. Its answer is shown only after this was printed."""

    document: ClassVar[ReceiptKind] = "service_receipt"
    service: str
    """The service's title in the paper's language."""
    applicant: str | None = None
    """Whom it is for as the history shows them: a plate, a masked number; never a full national code."""
    plate: PlateNumber | None = None
    amount_rial: int
    vat_rial: int | None = None
    """What of it is value added tax, where that is known."""
    tracking_code: str | None = None
    """The provider's number of the inquiry."""
    ticket: int | None = None
    """The number by which the customer asks for an answer that is not here yet."""
    paid_at: datetime
    operator: str
    stated_by: str | None = None
    """The supervisor by whose word it counts as charged."""
    stated_slip: str | None = None


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One violation of a plate."""

    kind: str
    amount_rial: int
    at: datetime | None = None
    location: str | None = None
    serial: str | None = None
    bill_id: str | None = None
    bill_payment_id: str | None = None


class FineReceiptFacts(CardFacts, frozen=True, kw_only=True):
    """Paid fines of a vehicle: all of it as one sum, or violation by violation."""

    document: ClassVar[ReceiptKind] = "fine_receipt"
    plate: PlateNumber | None = None
    """None for a motorcycle's, and where the month's key is forgotten."""
    applicant: str | None = None
    """The plate as text, where it is not drawn."""
    amount_rial: int
    violations: tuple[Violation, ...] = ()
    bill_id: str | None = None
    bill_payment_id: str | None = None
    paid_at: datetime
    operator: str
    confirmation: Confirmation = "none"
    provider_reference: str | None = None
    case_id: str | None = None
    stated_by: str | None = None
    stated_slip: str | None = None

    @property
    def violation_count(self) -> int | None:
        """Return how many there are, None when only the sum is known."""
        return len(self.violations) or None


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """Something the customer bought and takes home on the paper."""

    name: Literal["pin", "serial", "other"]
    value: str


class OrderReceiptFacts(CardFacts, frozen=True, kw_only=True):
    """A paid order, and what was handed over for it once the provider has confirmed."""

    document: ClassVar[ReceiptKind] = "order_receipt"
    service: str
    """The transaction's name in the paper's language."""
    applicant: str | None = None
    order_id: str
    amount_rial: int
    handed: tuple[Handed, ...] = ()
    paid_at: datetime
    operator: str
    confirmation: Confirmation = "none"
    provider_reference: str | None = None
    case_id: str | None = None
    stated_by: str | None = None
    stated_slip: str | None = None


class GroupBill(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a group."""

    bill_kind: BillType
    bill_id: str
    bill_payment_id: str
    amount_rial: int
    state: GroupState
    stan: str | None = None
    rrn: str | None = None


class GroupSlipFacts(Facts, frozen=True, kw_only=True):
    """Bills that were paid together. Each stands for itself: a group may be half paid."""

    document: ClassVar[ReceiptKind] = "group_slip"
    bills: tuple[GroupBill, ...]
    terminal_number: str | None = None
    paid_at: datetime
    operator: str
    verify_url: str | None = None

    @property
    def paid_rial(self) -> int:
        """Return the sum of what is paid."""
        return sum(bill.amount_rial for bill in self._in("paid", "confirmed"))

    @property
    def paid_count(self) -> int:
        """Return how many are paid."""
        return len(self._in("paid", "confirmed"))

    @property
    def bill_count(self) -> int:
        """Return how many bills there are."""
        return len(self.bills)

    @property
    def doubt_count(self) -> int:
        """Return how many are in doubt."""
        return len(self._in("in_doubt"))

    @property
    def doubt_rial(self) -> int:
        """Return the sum of what is in doubt."""
        return sum(bill.amount_rial for bill in self._in("in_doubt"))

    @property
    def unpaid_count(self) -> int:
        """Return how many are certainly not paid."""
        return len(self._in("declined", "not_sent"))

    @property
    def refused_count(self) -> int:
        """Return how many are paid and were refused by their company."""
        return len(self._in("refused"))

    def _in(self, *states: GroupState) -> Sequence[GroupBill]:
        return [bill for bill in self.bills if bill.state in states]


class InquiryTicketFacts(Facts, frozen=True, kw_only=True):
    """What the customer of a waiting inquiry takes home."""

    document: ClassVar[ReceiptKind] = "inquiry_ticket"
    ticket: int
    bill_kind: BillKind
    parameter_tail: str
    """The last digits of the subscriber's number; the number itself is not printed."""
    requested_at: datetime
    journal_index: int
    operator: str
    verify_url: str | None = None


class ServiceTicketFacts(Facts, frozen=True, kw_only=True):
    """What the customer of a waiting request for a service takes home."""

    document: ClassVar[ReceiptKind] = "service_ticket"
    ticket: int
    service: str
    """The service's title in the paper's language."""
    applicant_tail: str
    """The last characters of whom it is about; the whole is not printed."""
    fee: Literal["none", "paid", "due"]
    fee_rial: int | None = None
    """None where there is no fee."""
    requested_at: datetime
    journal_index: int
    operator: str
    status_url: str | None = None
    """The public page that says how it stands."""


class RefundSlipFacts(CardFacts, frozen=True, kw_only=True):
    """A request to give money back, as it stands when its slip is printed."""

    document: ClassVar[ReceiptKind] = "refund_slip"
    refund_id: str
    means: Literal["reversal", "void", "central"]
    state: Literal["proposed", "agreed", "dropped", "sent", "in_doubt", "done", "refused"]
    amount_rial: int
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal's own report of its day beside the journal."""

    terminal: str
    agreement: Literal["none", "agrees", "differs"]
    count: int | None
    amount_rial: int | None


class DaySlipFacts(Facts, frozen=True, kw_only=True):
    """A closed day, and what the journal was then.

    A slip is kept: a journal that has lost its end since does not reach the size that stands here, or has another root.
    """

    document: ClassVar[ReceiptKind] = "day_slip"
    number: int
    closed_at: datetime
    clock: str
    """What the box knew of its wall clock: none, floor, ntp or central."""
    journal_index: int
    leaf: str
    """Leaf hash of the entry that closed the day, hex."""
    body: DayClosed
    verify_url: str | None = None

    @property
    def net_rial(self) -> int:
        """Return what was taken less what was given back, and no less than nothing."""
        return max(0, self._net[1])

    @property
    def net_count(self) -> int:
        """Return the same of the payments' count."""
        return max(0, self._net[0])

    @property
    def more_undone_rial(self) -> int | None:
        """Return what was given back beyond what was taken, None when it was not more."""
        return -self._net[1] if self._net[1] < 0 else None

    @property
    def last(self) -> int:
        """Return the last entry of the day."""
        return max(self.body.first, self.body.size - 1)

    @property
    def batches(self) -> tuple[BatchLine, ...]:
        """Return each terminal's own report, compared with the journal."""
        return tuple(
            BatchLine(
                terminal=batch.terminal,
                agreement="none"
                if batch.count is None or batch.amount_rial is None
                else "agrees"
                if (batch.count, batch.amount_rial) == card_net(self.body, batch.terminal)
                else "differs",
                count=batch.count,
                amount_rial=batch.amount_rial,
            )
            for batch in self.body.batches
        )

    @property
    def _net(self) -> tuple[int, int]:
        taken_count, taken_rial = summed(self.body.totals)
        undone_count, undone_rial = summed(self.body.undone)
        return taken_count - undone_count, taken_rial - undone_rial


class PrinterTestFacts(Facts, frozen=True, kw_only=True):
    """What a technician wants to read on the first paper of a printer."""

    document: ClassVar[ReceiptKind] = "test_page"
    sample_rial: ClassVar[int] = 1_234_567_890
    printer_title: str
    printer_address: str
    paper_width_mm: int
    printable_dots: int
    printed_at: datetime
    url: str | None = None


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it was set up."""

    kind: Literal["terminal", "printer"]
    name: str
    profile: str
    address: str
    state: CheckState
    terminal_number: str | None = None


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """A test of the setting up: the words of `provisioning_report.toml` name each."""

    check: str
    state: CheckState


class ProvisioningReportFacts(Facts, frozen=True, kw_only=True):
    """How a box was set up: for the office's folder, signed by the technician and the office."""

    document: ClassVar[ReceiptKind] = "provisioning_report"
    box: str
    journal_id: str
    key_fingerprint: str
    """The first digits of the SHA-256 of the box's public key, hex."""
    central: str | None = None
    version: str
    devices: tuple[DeviceLine, ...]
    checks: tuple[CheckLine, ...] = ()
    technician: str
    set_up_at: datetime
    verify_url: str | None = None

    @property
    def bad_count(self) -> int:
        """Return how many devices and tests are not good."""
        states = [device.state for device in self.devices] + [check.state for check in self.checks]
        return len(states) - states.count("good")
