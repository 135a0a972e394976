"""How facts are shown on pages: status words with their tones, counts and moments. Pure formatting, no decisions.

The table of status words is the only one: box, central and papers read it, so that "queued" and "confirmed" never share
a word or a tone, and no page invents its own. A tone never stands alone: each row carries an icon and a word as well.
"""

from datetime import date, datetime
from typing import Final, Literal

import msgspec

from shared.calendar import jalali_date_text, jalali_text, time_text
from shared.clock import parse_instant
from shared.money import group_digits
from shared.payment import PaymentState
from shared.text import Language, persian_digits

Tone = Literal["blue", "green", "grey", "amber", "violet", "red"]
Weight = Literal["soft", "outline", "solid"]


class Status(msgspec.Struct, frozen=True):
    """A row of the table: words, tone, how strong the tone is drawn, icon, and whether something is under way."""

    fa: str
    en: str
    tone: Tone
    icon: str
    """Name of a symbol in `shared/assets/icons.svg`."""
    weight: Weight = "soft"
    moving: bool = False

    def word(self, language: Language) -> str:
        """Return the status word in a language."""
        return self.fa if language == "fa" else self.en


StatusKey = Literal[
    "waiting_for_terminal",
    "preparing",
    "waiting_for_card",
    "not_sent",
    "approved",
    "paid",
    "confirmed",
    "declined",
    "cancelled",
    "in_doubt",
    "not_charged",
    "stated_charged",
    "stated_not_charged",
    "needs_review",
    "reversing",
    "reversal_in_doubt",
    "reversed",
    "inquiry_waiting",
    "inquiry_owed",
    "inquiry_nothing_owed",
    "inquiry_wrong_parameter",
    "inquiry_refused",
]

STATUSES: Final[dict[StatusKey, Status]] = {
    "waiting_for_terminal": Status("در صف کارتخوان", "Waiting for the terminal", "blue", "clock", moving=True),
    "preparing": Status("در حال اتصال به کارتخوان", "Connecting to the terminal", "blue", "terminal", moving=True),
    "waiting_for_card": Status("در انتظار کارت", "Waiting for the card", "blue", "card", moving=True),
    "not_sent": Status("ارسال نشد", "Not sent", "grey", "cross-circle"),
    "approved": Status("پرداخت شد · در صف تأیید", "Paid · queued for confirmation", "green", "check", "outline"),
    "paid": Status("پرداخت شد", "Paid", "green", "check-circle"),
    "confirmed": Status("تأیید شد", "Confirmed", "green", "check-twice", "solid"),
    "declined": Status("ناموفق", "Failed", "grey", "cross-circle"),
    "cancelled": Status("لغو شد", "Cancelled", "grey", "cross-circle"),
    "in_doubt": Status("نامشخص · دوباره نکشید", "In doubt · do not charge again", "amber", "question", "outline"),
    "not_charged": Status("ناموفق · برداشت نشده", "Failed · not charged", "grey", "cross-circle"),
    "stated_charged": Status(
        "پرداخت شد · با گواهی سرپرست", "Paid · stated by a supervisor", "green", "person", "outline"
    ),
    "stated_not_charged": Status("ناموفق · با گواهی سرپرست", "Failed · stated by a supervisor", "grey", "cross-circle"),
    "needs_review": Status("نیاز به بررسی", "Needs review", "amber", "warning"),
    "reversing": Status("در حال برگشت", "Being reversed", "violet", "undo", "outline", moving=True),
    "reversal_in_doubt": Status("برگشت نامشخص", "Reversal in doubt", "amber", "question", "outline"),
    "reversed": Status("برگشت خورد", "Reversed", "violet", "undo"),
    "inquiry_waiting": Status("در صف استعلام", "Inquiry queued", "blue", "clock", "outline"),
    "inquiry_owed": Status("بدهی دارد", "Amount due", "blue", "bill"),
    "inquiry_nothing_owed": Status("بدهی ندارد", "Nothing due", "grey", "check-circle"),
    "inquiry_wrong_parameter": Status("شماره نادرست", "Wrong number", "grey", "cross-circle"),
    "inquiry_refused": Status("نیاز به بررسی", "Needs review", "amber", "warning"),
}

_OF_STATE: Final[dict[PaymentState, StatusKey]] = {
    PaymentState.REQUESTED: "preparing",
    PaymentState.NOT_SENT: "not_sent",
    PaymentState.SENT: "waiting_for_card",
    PaymentState.APPROVED: "approved",
    PaymentState.DECLINED: "declined",
    PaymentState.CANCELLED: "cancelled",
    PaymentState.IN_DOUBT: "in_doubt",
    PaymentState.NOT_CHARGED: "not_charged",
    PaymentState.OVERRIDDEN_CHARGED: "stated_charged",
    PaymentState.OVERRIDDEN_NOT_CHARGED: "stated_not_charged",
    PaymentState.ACKNOWLEDGED: "approved",
    PaymentState.REVERSAL_REQUESTED: "reversing",
    PaymentState.REVERSED: "reversed",
    PaymentState.REVERSAL_IN_DOUBT: "reversal_in_doubt",
}

_PAID: Final = frozenset({PaymentState.APPROVED, PaymentState.ACKNOWLEDGED, PaymentState.OVERRIDDEN_CHARGED})


def payment_status_key(state: PaymentState, confirmation: str = "none", *, purpose: str = "bill") -> StatusKey:
    """Return the row for a payment. `confirmation`: none, queued, confirmed or refused, the provider's word on it.

    A fee is ours to take: nobody confirms it, and it waits for nobody.
    """
    if purpose == "inquiry_fee" and _OF_STATE[state] == "approved":
        return "paid"
    if state in _PAID and confirmation == "confirmed":
        return "confirmed"
    if state in _PAID and confirmation == "refused":
        return "needs_review"
    return _OF_STATE[state]


def payment_status(state: PaymentState, confirmation: str = "none", *, purpose: str = "bill") -> Status:
    """Return the status row of a payment, see `payment_status_key`."""
    return STATUSES[payment_status_key(state, confirmation, purpose=purpose)]


def inquiry_status_key(outcome: str | None) -> StatusKey:
    """Return the row for an inquiry by its answer's outcome; None while no answer came."""
    return _OF_OUTCOME[outcome]


def inquiry_status(outcome: str | None) -> Status:
    """Return the status row of an inquiry, see `inquiry_status_key`."""
    return STATUSES[inquiry_status_key(outcome)]


_OF_OUTCOME: Final[dict[str | None, StatusKey]] = {
    None: "inquiry_waiting",
    "owed": "inquiry_owed",
    "nothing_owed": "inquiry_nothing_owed",
    "wrong_parameter": "inquiry_wrong_parameter",
    "refused": "inquiry_refused",
}


def digits_text(text: str, language: Language) -> str:
    """Return a text with digits as a language reads them. Not for what is typed or compared with paper."""
    return persian_digits(text) if language == "fa" else text


def _instant(at: str | datetime) -> datetime:
    return parse_instant(at) if isinstance(at, str) else at


def date_text(at: str | datetime, language: Language) -> str:
    """Return the Jalali date in Iran at an instant, or at the text of one: «۱۴۰۵/۰۹/۰۱»."""
    return jalali_date_text(_instant(at), language)


def day_text(day: str, language: Language) -> str:
    """Return a day that somebody else wrote: an ISO date in the Jalali calendar, anything else in its own words."""
    try:
        return jalali_text(date.fromisoformat(day), language)
    except ValueError:
        return digits_text(day, language)


def clock_text(at: str | datetime, language: Language) -> str:
    """Return the time of day in Iran without seconds: «۱۵:۱۷»."""
    return time_text(_instant(at), language)[:5]


def moment_text(at: str | datetime, language: Language) -> str:
    """Return time and date in the order the offices' tables have them: «۱۵:۱۷:۳۴ ۱۴۰۱/۰۵/۳۰»."""
    instant = _instant(at)
    # An en space: set solid in a table, time and date would read as one number.
    return f"{time_text(instant, language)}\N{EN SPACE}{jalali_date_text(instant, language)}"


_MINUTE_S: Final = 60
_HOUR_S: Final = 60 * _MINUTE_S
_DAY_S: Final = 24 * _HOUR_S
_NOW_S: Final = 10
_UNITS: Final[tuple[tuple[int, str, str, str], ...]] = (
    (_DAY_S, "روز", "day", "days"),
    (_HOUR_S, "ساعت", "hour", "hours"),
    (_MINUTE_S, "دقیقه", "minute", "minutes"),
    (1, "ثانیه", "second", "seconds"),
)


def ago_text(at: str | datetime, now: datetime, language: Language) -> str:
    """Return how long ago an instant was, in its largest unit; an instant ahead of `now` counts as now."""
    elapsed_s = int((now - _instant(at)).total_seconds())
    if elapsed_s < _NOW_S:
        return "هم‌اکنون" if language == "fa" else "just now"
    size_s, fa, one, many = next(unit for unit in _UNITS if elapsed_s >= unit[0])
    count = elapsed_s // size_s
    return f"{group_digits(count)} {fa} پیش" if language == "fa" else f"{count} {one if count == 1 else many} ago"
