"""How long to wait after failures: doubling, with a cap and jitter. Pure; the caller waits."""

from typing import Final

from shared.entropy import Entropy

FIRST_MS: Final = 500
CAP_MS: Final = 60_000
_JITTER_BYTES: Final = 4


class Backoff:
    """The waits of one line. A good exchange or a sign that the line is back resets it."""

    def __init__(self, entropy: Entropy, *, first_ms: int = FIRST_MS, cap_ms: int = CAP_MS) -> None:
        self._entropy = entropy
        self._first_ms = first_ms
        self._cap_ms = cap_ms
        self.failures = 0

    def reset(self) -> None:
        """Forget the failures."""
        self.failures = 0

    def failed(self) -> int:
        """Count a failure and return the wait in ms: between half and all of min(first * 2**failures, cap).

        Half is kept fixed so that a wait is never nothing; the other half is chance, so that ten thousand offices do
        not come back in one instant.
        """
        # Beyond 32 doublings the cap has long been reached; the bound keeps the number small.
        ceiling_ms = min(self._first_ms << min(self.failures, 32), self._cap_ms)
        self.failures += 1
        half_ms = ceiling_ms // 2
        fraction = int.from_bytes(self._entropy.token_bytes(_JITTER_BYTES), "big")
        return half_ms + (fraction * (ceiling_ms - half_ms) >> (8 * _JITTER_BYTES))
