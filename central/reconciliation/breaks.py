"""The buckets of a reconciliation: every payment and every settlement line ends in exactly one.

A bucket that is a *break* is a difference somebody must look at; the others need nobody.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Bucket(StrEnum):
    """Where a payment, a line, or a pair of them stands. In reading order."""

    MATCHED = "matched"
    AMOUNT_DIFFERS = "amount_differs"
    STATUS_DIFFERS = "status_differs"
    MISSING_AT_ACQUIRER = "missing_at_acquirer"
    MISSING_AT_OFFICE = "missing_at_office"
    DUPLICATE = "duplicate"
    IN_DOUBT_SETTLED = "in_doubt_settled"
    IN_DOUBT = "in_doubt"
    NOT_DUE = "not_due"
    NOT_CHARGED = "not_charged"
    NOT_SETTLED = "not_settled"


class BucketText(msgspec.Struct, frozen=True):
    """A bucket's name and meaning, Persian and English."""

    fa: str
    en: str
    meaning_fa: str
    meaning_en: str


BREAKS: Final = frozenset(
    {
        Bucket.AMOUNT_DIFFERS,
        Bucket.STATUS_DIFFERS,
        Bucket.MISSING_AT_ACQUIRER,
        Bucket.MISSING_AT_OFFICE,
        Bucket.DUPLICATE,
        Bucket.IN_DOUBT_SETTLED,
    }
)

BUCKET_TEXTS: Final[dict[Bucket, BucketText]] = {
    Bucket.MATCHED: BucketText(
        "مطابق",
        "Matched",
        "دفتر و پذیرنده یک مبلغ را گفته‌اند.",
        "Office and acquirer say the same.",
    ),
    Bucket.AMOUNT_DIFFERS: BucketText(
        "مغایرت مبلغ",
        "Amount differs",
        "هر دو آن را می‌شناسند، با دو مبلغ.",
        "Both know it, with two amounts.",
    ),
    Bucket.STATUS_DIFFERS: BucketText(
        "مغایرت وضعیت",
        "Status differs",
        "یکی آن را گرفته‌شده می‌داند و دیگری نه.",
        "One side says charged, the other says not.",
    ),
    Bucket.MISSING_AT_ACQUIRER: BucketText(
        "نزد پذیرنده نیست",
        "Missing at the acquirer",
        "دفتر آن را گرفته است و در فایل‌های پذیرنده نیست.",
        "The office charged it; the acquirer's files do not hold it.",
    ),
    Bucket.MISSING_AT_OFFICE: BucketText(
        "نزد دفتر نیست",
        "Missing at the office",
        "پذیرنده آن را تسویه کرده است و در هیچ دفتر رویدادی نیست.",
        "The acquirer settled it; no journal holds it.",
    ),
    Bucket.DUPLICATE: BucketText(
        "تکراری",
        "Duplicate",
        "یک تراکنش بیش از یک بار آمده است.",
        "One transaction stands more than once.",
    ),
    Bucket.IN_DOUBT_SETTLED: BucketText(
        "نامشخصِ تسویه‌شده",
        "In doubt, settled",
        "نزد دفتر نامشخص است و پذیرنده آن را تسویه کرده است: گواه محکمِ برداشت.",
        "In doubt at the office, settled by the acquirer: strong evidence of a charge.",
    ),
    Bucket.IN_DOUBT: BucketText(
        "نامشخص",
        "In doubt",
        "نزد دفتر نامشخص است و در فایل‌های پذیرنده دیده نشده است.",
        "In doubt at the office; not seen in the acquirer's files.",
    ),
    Bucket.NOT_DUE: BucketText(
        "هنوز موعد تسویه نیست",
        "Not due yet",
        "فایلی که باید آن را داشته باشد هنوز نرسیده است.",
        "The file that should hold it has not come yet.",
    ),
    Bucket.NOT_CHARGED: BucketText(
        "برداشت نشده",
        "Not charged",
        "دفتر پولی نگرفته است و پذیرنده هم چیزی نمی‌گوید.",
        "The office took no money and the acquirer says nothing else.",
    ),
    Bucket.NOT_SETTLED: BucketText(
        "ردیف بی‌اثر",
        "Row without effect",
        "ردیف ناموفق یا خنثی‌شده‌ای که پولی با آن جابه‌جا نشده است.",
        "A failed or cancelled-out row by which no money moved.",
    ),
}
