from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import CAP_MS, FIRST_MS, Backoff


class Fixed:
    def __init__(self, byte: int) -> None:
        self.byte = byte

    def token_bytes(self, size_bytes: int) -> bytes:
        return bytes([self.byte]) * size_bytes


@given(byte=st.integers(0, 255), failures=st.integers(1, 100))
def test_waits_double_up_to_the_cap_and_are_never_nothing(byte: int, failures: int) -> None:
    backoff = Backoff(Fixed(byte))
    waits = [backoff.failed() for _ in range(failures)]
    for number, wait_ms in enumerate(waits):
        ceiling = min(FIRST_MS * 2**number, CAP_MS)
        assert ceiling // 2 <= wait_ms <= ceiling
    backoff.reset()
    assert backoff.failed() <= FIRST_MS
