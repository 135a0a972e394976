"""How much goes into one message: whole entries from the front, bounded by count and by bytes."""

from collections.abc import Iterable

from sync.messages import WINDOW_ENTRIES_MAX, WINDOW_SIZE_MAX_BYTES

Pair = tuple[bytes, bytes]


def window(
    pairs: Iterable[Pair],
    *,
    entries_max: int = WINDOW_ENTRIES_MAX,
    size_max_bytes: int = WINDOW_SIZE_MAX_BYTES,
) -> tuple[Pair, ...]:
    """Return the longest beginning of `pairs` within both limits; at least one entry, so that none blocks for ever."""
    taken: list[Pair] = []
    size_bytes = 0
    for data, signature in pairs:
        size_bytes += len(data) + len(signature)
        if taken and (len(taken) >= entries_max or size_bytes > size_max_bytes):
            break
        taken.append((data, signature))
    return tuple(taken)
