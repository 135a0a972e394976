"""What an operator reads when something went wrong: for each code what happened, whether money moved, what to do now.

Words are data; `describe` only fills them. A text may name members of the error's data as `{member}`. A member that is
missing shows as «…»: an error page that fails hides the error it was made for.
"""

import re
from importlib.resources import files
from typing import Final

import msgspec

from shared.errors import DaftarError, Money
from shared.text import Language, persian_digits


class ErrorText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


ERROR_TEXTS: Final[dict[str, ErrorText]] = msgspec.toml.decode(
    files("shared").joinpath("error_texts.toml").read_bytes(), type=dict[str, ErrorText]
)
"""By code. Raises msgspec.ValidationError at the import of a table that is not whole."""
