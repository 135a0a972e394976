"""What the virtual terminal shows and the words of its keys and switches."""

from typing import Final, Literal, get_args

import msgspec

from shared.text import persian_digits

Key = Literal["approve", "decline", "cancel"]
Fault = Literal[
    "none",
    "go_silent",
    "answer_late",
    "die_after_charging",
    "no_link_to_centre",
    "wrong_amount",
    "wrong_reference",
    "wrong_terminal_number",
    "bad_crc",
    "split_segments",
]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
Phase = Literal["off", "idle", "waiting_card", "processing"]

RESULTS: Final = {
    "00": "پرداخت موفق",
    "51": "موجودی کافی نیست",
    "17": "انصراف مشتری",
    "FU": "تراکنش لغو شد",
    "FA": "خطای ارتباط با مرکز",
    "09": "تراکنش پیشین پایان نیافته است",
    "99": "تراکنش لغو شد",
    "50": "خطای ارتباط با مرکز",
    "33": "موجودی کافی نیست",
    "6C": "تراکنش لغو شد",
    "A3": "خطای ارتباط با مرکز",
    "0": "پرداخت موفق",
    "7": "پرداخت انجام نشد",
    "9": "خطای ارتباط با مرکز",
    "EOT": "تراکنش لغو شد",
    "335": "خطای ارتباط با مرکز",
    "999": "خطای ارتباط با مرکز",
}
"""What it shows for a response code."""


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What a person sees. `lines` are Persian, top to bottom; `last` is the result of the sale before, or empty."""

    phase: Phase
    lines: tuple[str, ...]
    amount_rial: int | None = None
    last: str = ""
    fault: Fault = "none"
    auto: Key | None = None
    connections: int = 0

    @property
    def waiting(self) -> bool:
        """Return whether the keys do something now."""
        return self.phase == "waiting_card"


def screen_lines(phase: Phase, amount_rial: int | None, last: str) -> tuple[str, ...]:
    """Return the Persian lines of the screen, top to bottom."""
    money = persian_digits(f"{amount_rial or 0:,}".replace(",", "٬")) + " ریال"
    match phase:
        case "off":
            return ("",)
        case "waiting_card":
            return ("خرید", money, "کارت بکشید")
        case "processing":
            return ("خرید", money, "در حال ارتباط با مرکز…")
        case "idle":
            return (last, "آماده") if last else ("آماده",)
