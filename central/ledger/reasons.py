"""Why a person of finance decided something: what is kept of the words, so that a second one can agree to them."""

from typing import Final

REASON_SIZE_MAX: Final = 500


def plain_reason(typed: str) -> str | None:
    """Return a reason without control characters; None where nothing is left of it, or it is too long."""
    words = "".join(letter for letter in typed.strip() if letter.isprintable() or letter == "\u200c")
    return words if 0 < len(words) <= REASON_SIZE_MAX else None
