"""The proof that a reconciliation lost nothing: every input in one decision, and the buckets tie out to the rial."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from central.reconciliation.breaks import Bucket
from central.reconciliation.inputs import LineInput, PaymentInput
from central.reconciliation.matching import Decision
from shared.errors import IntegrityError

_BREAK_KEY_DIGITS: Final = 32


class BucketTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one bucket holds."""

    bucket: Bucket
    decision_count: int
    payment_count: int
    line_count: int
    office_rial: int
    acquirer_rial: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole run holds. `buckets` has every bucket, empty ones too."""

    payment_count: int
    line_count: int
    office_rial: int
    acquirer_rial: int
    break_count: int
    buckets: tuple[BucketTotal, ...]


def totals_of(decisions: Sequence[Decision]) -> Totals:
    """Return the sums of decisions."""
    buckets = tuple(_total(bucket, [each for each in decisions if each.bucket is bucket]) for bucket in Bucket)
    return Totals(
        payment_count=sum(total.payment_count for total in buckets),
        line_count=sum(total.line_count for total in buckets),
        office_rial=sum(total.office_rial for total in buckets),
        acquirer_rial=sum(total.acquirer_rial for total in buckets),
        break_count=sum(decision.is_break for decision in decisions),
        buckets=buckets,
    )


def _total(bucket: Bucket, decisions: Sequence[Decision]) -> BucketTotal:
    return BucketTotal(
        bucket=bucket,
        decision_count=len(decisions),
        payment_count=sum(len(decision.payments) for decision in decisions),
        line_count=sum(len(decision.lines) for decision in decisions),
        office_rial=sum(decision.office_rial for decision in decisions),
        acquirer_rial=sum(decision.acquirer_rial for decision in decisions),
    )


def check_conservation(
    payments: Sequence[PaymentInput], lines: Sequence[LineInput], decisions: Sequence[Decision]
) -> Totals:
    """Return the totals. Raises IntegrityError `recon.not_conserved` when an input is lost, doubled, or worth else."""
    placed_payments = Counter(key for decision in decisions for key in decision.payments)
    placed_lines = Counter(key for decision in decisions for key in decision.lines)
    totals = totals_of(decisions)
    whole = (
        placed_payments == Counter(payment.key for payment in payments)
        and placed_lines == Counter(line.key for line in lines)
        and totals.office_rial == sum(payment.value_rial for payment in payments)
        and totals.acquirer_rial == sum(line.value_rial for line in lines)
    )
    if not whole:
        raise IntegrityError(
            "recon.not_conserved",
            payments=len(payments),
            payments_placed=placed_payments.total(),
            lines=len(lines),
            lines_placed=placed_lines.total(),
        )
    return totals


def result_sha256(decisions: Sequence[Decision]) -> bytes:
    """Return the hash of decisions, in their order."""
    encoder = msgspec.json.Encoder(order="deterministic")
    return hashlib.sha256(b"".join(encoder.encode(decision) + b"\n" for decision in decisions)).digest()


def break_key(decision: Decision) -> str:
    """Return what makes two decisions of two runs the same break: bucket, payments and lines."""
    encoded = msgspec.json.encode([decision.bucket, decision.payments, decision.lines])
    return hashlib.sha256(encoded).hexdigest()[:_BREAK_KEY_DIGITS]
