"""What a password must be: long, and not the first thing that anybody would try. No rule about kinds of letters.

Rules that ask for digits and signs make people write the same word with a 1 behind it (NIST SP 800-63B says so too).
"""

import unicodedata
from itertools import pairwise
from typing import Final

from shared.errors import OperatorError
from shared.text import fold_digits

PASSWORD_LETTERS_MIN: Final = 8
OWN_LETTERS_MIN: Final = 5
"""Letters that a password must have beside the user name and the office's code, which anybody knows."""
_DIFFERENT_MIN: Final = 4


def folded_password(password: str) -> bytes:
    """Return the bytes of a password that are hashed: Arabic and Persian keyboards give the same ones.

    Letters keep their case; only digits, yeh and kaf are folded (RFC 8265 asks for one spelling of each letter).
    """
    return unicodedata.normalize("NFKC", fold_digits(password)).replace("ي", "ی").replace("ك", "ک").encode()


def check_password(password: str, *, username: str = "", office: str = "", field: str = "password") -> None:
    """Let a password pass that may be set. Raises OperatorError `auth.password_short`, `auth.password_easy`."""
    if len(password) < PASSWORD_LETTERS_MIN:
        raise OperatorError("auth.password_short", field=field, letters=PASSWORD_LETTERS_MIN)
    typed = folded_password(password).decode().casefold()
    rest = typed
    for known in (username, office):
        if known:
            rest = rest.replace(folded_password(known).decode().casefold(), "")
    if len(rest) < OWN_LETTERS_MIN or len(set(typed)) < _DIFFERENT_MIN or _is_run(typed) or _is_run(rest):
        raise OperatorError("auth.password_easy", field=field)


def _is_run(text: str) -> bool:
    """Return whether each letter follows the one before, up or down: `12345678`, `hgfedcba`; after 9 comes 0."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return {step % 10 for step in steps} in ({1}, {9}) if text.isdigit() else steps in ({1}, {-1})
