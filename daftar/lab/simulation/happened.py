"""What really happened on a simulated day, kept by who was there, and the rules that are judged at every step."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from edge.devices.virtual.terminal_memory import Transaction
from edge.journal.writer import Recorded
from edge.services.payments.may_pay import obligations
from shared import receipt
from shared.events import (
    JOURNAL_BODIES,
    Body,
    PaymentNotCharged,
    PaymentRequested,
    PaymentSent,
    ReversalRequested,
    decode_body,
)
from shared.journal.entry import decode_entry, leaf_hash
from shared.receipt import Receipt


class Happened:
    """The truth, and what broke a rule."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.leaves: dict[int, bytes] = {}
        """Of acknowledged entries, by index."""
        self.bodies: dict[int, Body] = {}
        self.requested: dict[str, PaymentRequested] = {}
        """By reference, of acknowledged entries."""
        self._by_id: dict[str, PaymentRequested] = {}
        self.sent: set[str] = set()
        """Payments whose `payment.sent` was acknowledged."""
        self.newest_at: dict[str, PaymentRequested] = {}
        """The payment whose `payment.sent` was acknowledged last, by terminal."""
        self.reversals: set[str] = set()
        """Payments whose `payment.reversal_requested` was acknowledged."""
        self.charges: list[Transaction] = []
        """All that were made, those that were given back too."""
        self.charged: Counter[str] = Counter()
        """Captures that were not given back, by obligation."""
        self.originals: Counter[tuple[str, str]] = Counter()
        """Papers without the mark of a copy, by document and what they are about."""
        self.is_in_hand: Callable[[PaymentRequested], bool] = lambda _: False
        """Whether a terminal still waits for a payment's card."""
        self.papers = 0
        self.answered: dict[str, str] = {}
        """Payment ids that the API gave, by key."""
        self.cosigned_size = 0
        self.counts: Counter[str] = Counter()

    def wrong(self, what: str) -> None:
        """Note that a rule was broken."""
        self.violations.append(what)

    def acknowledged(self, records: Sequence[Recorded]) -> None:
        """Hear an answer of the writer, at the moment it is given."""
        for record in records:
            known = self.leaves.get(record.index)
            if known is not None and known != record.leaf:
                self.wrong(f"I4 entry {record.index} was acknowledged twice, differently")
            self.leaves[record.index] = record.leaf
            self.bodies[record.index] = record.body
            self.counts[record.body.type] += 1
            match record.body:
                case PaymentRequested():
                    self.requested[record.body.reference] = record.body
                    self._by_id[record.body.payment_id] = record.body
                case PaymentSent():
                    self.sent.add(record.body.payment_id)
                    self.newest_at[self._by_id[record.body.payment_id].terminal] = self._by_id[record.body.payment_id]
                case PaymentNotCharged():
                    if self.is_in_hand(self._by_id[record.body.payment_id]):
                        self.wrong(f"I2 {record.body.payment_id} is not charged while its terminal may still charge it")
                case ReversalRequested():
                    self.reversals.add(record.body.payment_id)

    def amount_arrived(self, reference: str | None, amount_rial: int) -> None:
        """Hear a terminal that is given an amount."""
        wanted = self.requested.get(reference or "")
        if wanted is None or wanted.payment_id not in self.sent:
            self.wrong(f"I2 an amount reached the terminal before payment.sent stood ({reference})")
        elif wanted.amount_rial != amount_rial:
            self.wrong(f"I2 another amount reached the terminal for {wanted.payment_id}")

    def card_charged(self, charge: Transaction) -> None:
        """Hear a terminal that charged a card."""
        self.charges.append(charge)
        wanted = self.requested.get(charge.reference or "")
        if wanted is None:
            self.wrong(f"I2 a charge of no payment ({charge.reference})")
            return
        for obligation in obligations(wanted):
            self.charged[obligation] += 1
            if self.charged[obligation] > 1:
                self.wrong(f"I2 {obligation} was charged {self.charged[obligation]} times")

    def card_given_back(self, charge: Transaction) -> None:
        """Hear a terminal that undid a charge: by itself, or because it was ordered to."""
        wanted = self.requested.get(charge.reference or "")
        if wanted is None:
            return
        for obligation in obligations(wanted):
            self.charged[obligation] -= 1
        self.counts[f"given back by {charge.reversed_by}"] += 1
        if charge.reversed_by == "order" and wanted.payment_id not in self.reversals:
            self.wrong(f"I2 {wanted.payment_id} was undone before payment.reversal_requested stood")

    def paper_came_out(self, data: bytes) -> None:
        """Look at a paper."""
        self.papers += 1
        paper = receipt.decode(data)
        about = _journal_index(paper)
        leaf = self.leaves.get(about)
        if leaf is None:
            self.wrong(f"I3 a paper is out about entry {about}, which was not acknowledged")
        elif leaf.hex()[: receipt.LEAF_DIGITS] not in data.decode():
            self.wrong(f"I3 a paper about entry {about} carries another leaf")
        if not paper.copy:
            name = (paper.kind, str(about))
            self.originals[name] += 1
            if self.originals[name] > 1:
                self.wrong(f"I3 two unmarked papers of kind {paper.kind} are out about entry {about}")

    def central_cosigned(self, size: int) -> None:
        """Hear what size central cosigned."""
        if size < self.cosigned_size:
            self.wrong(f"I6 the cosigned size fell from {self.cosigned_size} to {size}")
        self.cosigned_size = size

    def journal_stands(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Hold the journal of a start against what was acknowledged."""
        stored = [data for data, _ in entries]
        leaves = [leaf_hash(data) for data in stored]
        for index, leaf in self.leaves.items():
            if index >= len(leaves):
                self.wrong(f"I1 acknowledged entry {index} is lost")
            elif leaves[index] != leaf:
                self.wrong(f"I4 acknowledged entry {index} is another one")
        # What stands there unasked - written, and cut off before it could be said - is a fact from now on.
        for index, data in enumerate(stored):
            if index not in self.leaves:
                self.leaves[index] = leaves[index]
                self._stands_unasked(data)

    def _stands_unasked(self, data: bytes) -> None:
        """Know a payment from an entry that nobody was told of: who presses again, under the same key, gets its id."""
        entry = decode_entry(data)
        if entry.type == PaymentRequested.type:
            body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
            if isinstance(body, PaymentRequested):
                self.requested[body.reference] = body
                self._by_id[body.payment_id] = body

    def digest(self) -> str:
        """Return what tells two days apart."""
        told = b"".join(self.leaves[index] for index in sorted(self.leaves))
        return hashlib.sha256(told + repr(self.charges).encode()).hexdigest()


def _journal_index(paper: Receipt) -> int:
    """Return the entry that a paper names in its QR code: `…/<journal>/<index>/<leaf>`."""
    urls = [row.url for row in paper.rows if isinstance(row, receipt.QrCode)]
    return int(urls[0].rstrip("/").split("/")[-2]) if urls else -1
