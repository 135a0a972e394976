"""What an operator reads when something went wrong: for each code what happened, whether money moved, what to do now.

Words are data; `describe` only fills them. A text may name members of the error's data as `{member}`. A member that is
missing shows as «…»: an error page that fails hides the error it was made for.
"""

import re
from typing import Final, Literal

import msgspec

from shared.errors import DaftarError, Money
from shared.text import persian_digits

Language = Literal["fa", "en"]


class ErrorText(msgspec.Struct, frozen=True):
    """The texts of one code. `fa`, `en`: what happened; `do_fa`, `do_en`: what to do now."""

    fa: str
    en: str
    money: Money
    do_fa: str
    do_en: str


class Described(msgspec.Struct, frozen=True):
    """An error in words of one language. `money` is empty where the matter has none."""

    what: str
    money: str
    do: str


MONEY_TEXTS: Final[dict[Money, dict[Language, str]]] = {
    "none": {"fa": "", "en": ""},
    "not_moved": {"fa": "پولی جابه‌جا نشده است.", "en": "No money has moved."},
    "may_have_moved": {
        "fa": "شاید پول جابه‌جا شده باشد؛ تا روشن شدن وضعیت دوباره کارت نکشید.",
        "en": "Money may have moved; do not charge the card again until this is settled.",
    },
    "moved": {"fa": "پول جابه‌جا شده است.", "en": "Money has moved."},
}

UNKNOWN_CODE: Final = ErrorText(
    fa="خطایی پیش آمد که برای آن توضیحی نداریم ({code}).",
    en="Something went wrong that we have no words for ({code}).",
    money="may_have_moved",
    do_fa="وضعیت را در «سوابق» ببینید و این کد را به پشتیبانی بگویید.",
    do_en="Look at the history for the state, and tell support this code.",
)
"""Shown for a code that is not in the table; it promises nothing about money."""

_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _shown(name: str, value: object, language: Language) -> str:
    """Return a datum as a page shows it: amounts grouped, numbers in the language's digits, all else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:,}" if name.endswith("_rial") else str(value)
        return persian_digits(text.replace(",", "٬")) if language == "fa" else text
    return str(value)


def _filled(text: str, data: dict[str, object], language: Language) -> str:
    return _PLACEHOLDER.sub(
        lambda found: _shown(found[1], data[found[1]], language) if found[1] in data else "…",
        text,
    )


def describe(error: DaftarError, language: Language) -> Described:
    """Return the error in words. Raises nothing, whatever the code and data are."""
    text = ERROR_TEXTS.get(error.code, UNKNOWN_CODE)
    what, do = (text.fa, text.do_fa) if language == "fa" else (text.en, text.do_en)
    data = {"code": error.code, **error.data}
    return Described(_filled(what, data, language), MONEY_TEXTS[text.money][language], _filled(do, data, language))


ERROR_TEXTS: Final[dict[str, ErrorText]] = {
    # --- journal format: signed facts disagree -----------------------------------------------------------------------
    "journal.bad_entry": ErrorText(
        fa="یک ثبت دفتر روزنامه خوانا نیست ({why}).",
        en="An entry of the journal cannot be read ({why}).",
        money="none",
        do_fa="چیزی را پاک یا اصلاح نکنید؛ با پشتیبانی تماس بگیرید.",
        do_en="Delete or repair nothing; call support.",
    ),
    "journal.other_origin": ErrorText(
        fa="این امضا برای دفتر روزنامهٔ دیگری است ({origin}).",
        en="This signature is of another journal ({origin}).",
        money="none",
        do_fa="پروندهٔ همین دستگاه را بدهید.",
        do_en="Give the file of this very box.",
    ),
    "journal.rollback": ErrorText(
        fa="دفتر روزنامه کوتاه‌تر از چیزی است که پیش‌تر امضا شده بود ({signed} به جای دست‌کم {known}).",
        en="The journal is shorter than what it signed before ({signed}, at least {known} is known).",
        money="may_have_moved",
        do_fa="دستگاه کنار گذاشته می‌شود؛ با پشتیبانی تماس بگیرید.",
        do_en="The box is set aside; call support.",
    ),
    "journal.fork": ErrorText(
        fa="دو سرگذشت متفاوت از یک دفتر روزنامه امضا شده است (از ثبت {known}).",
        en="Two different histories of one journal are signed (known size {known}).",
        money="may_have_moved",
        do_fa="هر دو نگه داشته می‌شود و دستگاه کنار گذاشته می‌شود؛ با پشتیبانی تماس بگیرید.",
        do_en="Both are kept and the box is set aside; call support.",
    ),
    "signature.wrong": ErrorText(
        fa="امضا درست نیست.",
        en="The signature is wrong.",
        money="none",
        do_fa="این داده را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this data; call support.",
    ),
    "note.malformed": ErrorText(
        fa="برگهٔ امضاشده خوانا نیست.",
        en="The signed note cannot be read.",
        money="none",
        do_fa="پرونده را دوباره بگیرید.",
        do_en="Get the file again.",
    ),
    "note.unsigned": ErrorText(
        fa="برگه را «{name}» امضا نکرده است.",
        en="The note is not signed by “{name}”.",
        money="none",
        do_fa="کلید درست را بدهید یا برگه را دوباره بگیرید.",
        do_en="Give the right key, or get the note again.",
    ),
    "note.bad_key": ErrorText(
        fa="کلید وارسی درست نوشته نشده است.",
        en="The verifier key is not written right.",
        money="none",
        do_fa="کلید را کامل و بی‌تغییر کپی کنید.",
        do_en="Copy the key whole and unchanged.",
    ),
    "checkpoint.malformed": ErrorText(
        fa="برگهٔ اندازهٔ دفتر روزنامه خوانا نیست.",
        en="The checkpoint cannot be read.",
        money="none",
        do_fa="پرونده را دوباره بگیرید.",
        do_en="Get the file again.",
    ),
    "tree.not_included": ErrorText(
        fa="ثبت {index} در دفتر روزنامهٔ {size} ثبتی نیست.",
        en="Entry {index} is not in the journal of {size} entries.",
        money="none",
        do_fa="این ثبت را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this entry; call support.",
    ),
    "tree.not_consistent": ErrorText(
        fa="دفتر روزنامه با {new} ثبت دنبالهٔ همان دفتر با {old} ثبت نیست.",
        en="The journal of {new} entries does not continue the one of {old}.",
        money="none",
        do_fa="این دفتر روزنامه را نپذیرید؛ با پشتیبانی تماس بگیرید.",
        do_en="Do not believe this journal; call support.",
    ),
    "sealed.cannot_open": ErrorText(
        fa="دادهٔ مهرشده با این کلید باز نمی‌شود ({key_id}).",
        en="The sealed data does not open with this key ({key_id}).",
        money="none",
        do_fa="اگر کلید آن ماه فراموش شده است از مرکز بپرسید.",
        do_en="If that month's key is forgotten, ask central.",
    ),
    # --- payments ----------------------------------------------------------------------------------------------------
    "payment.move_not_allowed": ErrorText(
        fa="پرداخت از وضعیت {state} به {to} نمی‌رود.",
        en="A payment cannot go from {state} to {to}.",
        money="may_have_moved",
        do_fa="وضعیت پرداخت را در «سوابق» ببینید و این پیام را به پشتیبانی بگویید.",
        do_en="Look at the payment in the history and tell support this message.",
    ),
}
