"""Monthly keys for personal data: made on the box, wrapped to central, forgotten after their window.

What was sealed to a forgotten key can be read at central only; a stolen card shows no national code older than the
window (flash may keep deleted bytes). Months are Jalali, `1405-09`, by the box's own clock. A clock that nobody
vouches for only adds keys and never empties the window; the key of a month that is not here yet stays until one that
was made after it is old. Central has them all.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.entropy import Entropy, random_name
from shared.events import DATA_KEY_PURPOSE, DataKeyMade
from shared.sealed import seal

PRIVATE_KEY_SIZE_BYTES: Final = 32
WINDOW_MONTHS: Final = 2
"""This month and those before it whose private keys are kept: all but one of the window."""
KEYS_KEPT_MAX: Final = 3
"""Private keys that are kept while the clock is not believed: the window's, and one that a wrong clock added."""
_MONTHS: Final = 12
_SEARCH_KEY_BYTES: Final = 32
_SEARCH_PURPOSE: Final = b"daftar/search/v1"


def make_data_key(month: str, *, wrapping_key: bytes, entropy: Entropy) -> tuple[DataKeyMade, bytes]:
    """Return a new key's body and its 32 private bytes, which only the box's own table and the wrapping ever hold."""
    private = entropy.token_bytes(PRIVATE_KEY_SIZE_BYTES)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = random_name(entropy, f"k{month}-")
    wrapped = seal(private, key_id=key_id, public_key=wrapping_key, purpose=DATA_KEY_PURPOSE)
    return DataKeyMade(key_id=key_id, month=month, public_key=public.hex(), wrapped=wrapped.ciphertext), private


def window_start(month: str) -> str:
    """Return the oldest month whose private keys are kept in `month`."""
    year, number = (int(part) for part in month.split("-"))
    count = year * _MONTHS + number - 1 - (WINDOW_MONTHS - 1)
    return f"{count // _MONTHS:04}-{count % _MONTHS + 1:02}"


def search_key(private: bytes, text: str) -> str:
    """Return by what a request is found, hex: the text is not in it, and it is worth nothing without the month's key.

    Forgotten with that key: whoever has the box later cannot try all national codes against it.
    """
    derived = HKDF(algorithm=SHA256(), length=_SEARCH_KEY_BYTES, salt=None, info=_SEARCH_PURPOSE).derive(private)
    return hmac.digest(derived, text.encode(), "sha256").hex()
