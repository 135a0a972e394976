from hypothesis import given
from hypothesis import strategies as st

from sync.window import window

PAIRS = st.lists(st.tuples(st.binary(max_size=50), st.binary(max_size=10)), max_size=20)


@given(pairs=PAIRS, entries_max=st.integers(1, 10), size_max_bytes=st.integers(1, 200))
def test_a_window_is_the_longest_beginning_within_both_limits(
    pairs: list[tuple[bytes, bytes]], entries_max: int, size_max_bytes: int
) -> None:
    taken = window(pairs, entries_max=entries_max, size_max_bytes=size_max_bytes)

    def fits(count: int) -> bool:
        return count <= entries_max and sum(len(a) + len(b) for a, b in pairs[:count]) <= size_max_bytes

    assert list(taken) == pairs[: len(taken)]
    assert len(taken) <= 1 or fits(len(taken))
    assert bool(taken) == bool(pairs)
    if taken and len(taken) < len(pairs):
        assert not fits(len(taken) + 1)
