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
    ServiceRequested,
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
        self.sent: dict[str, PaymentSent] = {}
        """By payment, of acknowledged entries."""
        self.newest_at: dict[str, PaymentRequested] = {}
        """The payment whose `payment.sent` was acknowledged last, by terminal."""
        self.reversals: set[str] = set()
        """Payments whose `payment.reversal_requested` was acknowledged."""
        self.charges: list[Transaction] = []
        """All that were made, those that were given back too."""
        self.charged: Counter[str] = Counter()
        """Captures that were not given back, by obligation."""
        self._names: dict[str, frozenset[str]] = {}
        """What obligations of answers stand for besides themselves."""
        self._taken: dict[str, set[str]] = {}
        """By name of a debt: the payments that took its money, and were neither given back nor refused."""
        self._by_terminals: dict[str, str] = {}
        """Bills that a terminal paid by their ids, with their payments."""
        self._by_providers: set[str] = set()
        """Names of debts that a provider took."""
        self.services: dict[str, ServiceRequested] = {}
        """By inquiry id, of acknowledged entries."""
        self.originals: Counter[tuple[str, str]] = Counter()
        """Papers without the mark of a copy, by document and what they are about."""
        self.is_in_hand: Callable[[PaymentRequested], bool] = lambda _: False
        """Whether a terminal still waits for a payment's card."""
        self.papers = 0
        self.answered: dict[str, str] = {}
        """Ids that the API gave, by key."""
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
                    self.sent[record.body.payment_id] = record.body
                    self.newest_at[self._by_id[record.body.payment_id].terminal] = self._by_id[record.body.payment_id]
                case ServiceRequested():
                    self.services[record.body.inquiry_id] = record.body
                case PaymentNotCharged():
                    if self.is_in_hand(self._by_id[record.body.payment_id]):
                        self.wrong(f"I2 {record.body.payment_id} is not charged while its terminal may still charge it")
                case ReversalRequested():
                    self.reversals.add(record.body.payment_id)

    def answered_to(self, key: str, made: str) -> None:
        """Hear the id of a payment or a request that the API gave for a key."""
        if self.answered.setdefault(key, made) != made:
            self.wrong(f"I1 the same request was answered {made} after {self.answered[key]}")
        if made not in self._by_id and made not in self.services:
            self.wrong(f"I1 the API answered {made}, which was not journaled")

    def amount_arrived(self, reference: str | None, amount_rial: int, bill: tuple[int, int] | None = None) -> None:
        """Hear a terminal that is given an amount, and the ids of the bill that it is to pay."""
        wanted = self.requested.get(reference or "")
        if wanted is None or wanted.payment_id not in self.sent:
            self.wrong(f"I2 an amount reached the terminal before payment.sent stood ({reference})")
        elif wanted.amount_rial != amount_rial:
            self.wrong(f"I2 another amount reached the terminal for {wanted.payment_id}")
        elif bill != (_ids_of(wanted) if self.sent[wanted.payment_id].pays_bill else None):
            self.wrong(f"I2 the terminal was told to pay {bill} for {wanted.payment_id}")

    def card_charged(self, charge: Transaction, bill: tuple[int, int] | None = None) -> None:
        """Hear a terminal that charged a card, and paid this bill with it."""
        self.charges.append(charge)
        wanted = self.requested.get(charge.reference or "")
        if wanted is None:
            self.wrong(f"I2 a charge of no payment ({charge.reference})")
            return
        self.counts[f"charged {_kind_of(wanted, bill)}"] += 1
        for obligation in obligations(wanted):
            self.charged[obligation] += 1
            if self.charged[obligation] > 1:
                self.wrong(f"I2 {obligation} was charged {self.charged[obligation]} times")
            for name in self._named(obligation):
                took = self._taken.setdefault(name, set())
                if took - {wanted.payment_id}:
                    self.wrong(f"I2 {wanted.payment_id} charges {obligation}, of which {name} is paid by {took}")
                took.add(wanted.payment_id)
            if bill is not None:
                self._by_terminals[obligation] = wanted.payment_id

    def card_given_back(self, charge: Transaction) -> None:
        """Hear a terminal that undid a charge: by itself, or because it was ordered to."""
        wanted = self.requested.get(charge.reference or "")
        if wanted is None:
            return
        for obligation in obligations(wanted):
            self.charged[obligation] -= 1
            self._by_terminals.pop(obligation, None)
            for name in self._named(obligation):
                self._taken.setdefault(name, set()).discard(wanted.payment_id)
        self.counts[f"given back by {charge.reversed_by}"] += 1
        if charge.reversed_by == "order" and wanted.payment_id not in self.reversals:
            self.wrong(f"I2 {wanted.payment_id} was undone before payment.reversal_requested stood")

    # --- what providers are asked ------------------------------------------------------------------------------------

    def debt_named(self, obligation: str, names: Iterable[str]) -> None:
        """Hear what an obligation of an answer stands for. It stays that."""
        self._names[obligation] = frozenset(names)

    def _named(self, obligation: str) -> frozenset[str]:
        return self._names.get(obligation, frozenset()) | {obligation}

    def provider_asked(self, payment_id: str, obligation: str) -> bool:
        """Hear central ask whether a provider takes a payment; return whether nobody was paid for it before."""
        if (by := self._by_terminals.get(obligation)) is not None:
            self.wrong(f"I2 {obligation}, which a terminal paid with {by}, is handed to its provider with {payment_id}")
        return self._by_providers.isdisjoint(self._named(obligation))

    def provider_took(self, obligation: str) -> None:
        """Hear a provider that was paid."""
        self._by_providers |= self._named(obligation)

    def provider_refused(self, payment_id: str, obligation: str) -> None:
        """Hear central say that a payment's money is owed back: under another name the debt is owed as before."""
        for name in self._named(obligation) - {obligation}:
            self._taken.get(name, set()).discard(payment_id)

    def paper_came_out(self, data: bytes) -> None:
        """Look at a paper."""
        self.papers += 1
        paper = receipt.decode(data)
        asked = _inquiry_of(paper)
        about = "" if asked is not None else str(_journal_index(paper))
        if asked is not None:
            about = f"request {asked}"
            if asked not in self.services:
                self.wrong(f"I3 a ticket is out of {asked}, which was not acknowledged")
        elif (leaf := self.leaves.get(int(about))) is None:
            self.wrong(f"I3 a paper is out about entry {about}, which was not acknowledged")
        elif leaf.hex()[: receipt.LEAF_DIGITS] not in data.decode():
            self.wrong(f"I3 a paper about entry {about} carries another leaf")
        if not paper.copy:
            name = (paper.kind, about)
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
        """Know what was asked for by an entry that nobody was told of: who presses again gets the same id."""
        entry = decode_entry(data)
        if entry.type not in (PaymentRequested.type, ServiceRequested.type):
            return
        body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        if isinstance(body, PaymentRequested):
            self.requested[body.reference] = body
            self._by_id[body.payment_id] = body
        elif isinstance(body, ServiceRequested):
            self.services[body.inquiry_id] = body

    def digest(self) -> str:
        """Return what tells two days apart."""
        told = b"".join(self.leaves[index] for index in sorted(self.leaves))
        return hashlib.sha256(told + repr(self.charges).encode()).hexdigest()


def _ids_of(wanted: PaymentRequested) -> tuple[int, int] | None:
    """Return the ids of a payment's bill as a terminal hears them."""
    if wanted.bill_id is None or wanted.bill_payment_id is None:
        return None
    return int(wanted.bill_id), int(wanted.bill_payment_id)


def _kind_of(wanted: PaymentRequested, bill: tuple[int, int] | None) -> str:
    """Return what is bought with a charge."""
    if bill is not None:
        return "bill by its terminal"
    if wanted.covers:
        return "whole of fines"
    return f"{wanted.purpose} of a service" if wanted.service else wanted.purpose


def _url_of(paper: Receipt) -> list[str]:
    """Return the parts of the address in a paper's QR code."""
    return next((row.url.rstrip("/").split("/") for row in paper.rows if isinstance(row, receipt.QrCode)), [])


def _journal_index(paper: Receipt) -> int:
    """Return the entry that a paper names in its QR code: `…/<journal>/<index>/<leaf>`."""
    url = _url_of(paper)
    return int(url[-2]) if url else -1


def _inquiry_of(paper: Receipt) -> str | None:
    """Return the request that a ticket names in its QR code, None for any other paper: `…/status/<inquiry>`."""
    return url[-1] if (url := _url_of(paper))[-2:-1] == ["status"] else None
