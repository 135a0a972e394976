from edge.web.kept_searches import KEPT_FOR_MS, KEPT_MAX, Searches
from shared.entropy import SystemEntropy


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def monotonic_ms(self) -> int:
        return self.ms


def searches() -> tuple[Searches, Clock]:
    clock = Clock()
    return Searches(clock, SystemEntropy()), clock  # type: ignore[arg-type]  # a clock of running time is enough


def test_a_session_finds_what_it_searched_for_and_no_other_one_does():
    kept, _ = searches()
    handle = kept.keep("sara's", {"q": "12ب345"})
    assert kept.find("sara's", handle) == {"q": "12ب345"}
    assert kept.find("reza's", handle) is None
    assert kept.find("sara's", "s" + handle) is None


def test_the_same_search_has_the_same_handle_and_another_one_another():
    kept, _ = searches()
    handle = kept.keep("sara's", {"q": "1"})
    assert kept.keep("sara's", {"q": "1"}) == handle
    assert len({handle, kept.keep("reza's", {"q": "1"}), kept.keep("sara's", {"q": "2"})}) == 3


def test_it_is_forgotten_a_while_after_it_was_used_last():
    kept, clock = searches()
    used, unused = kept.keep("sara's", {"q": "1"}), kept.keep("sara's", {"q": "2"})
    clock.ms = KEPT_FOR_MS
    assert kept.find("sara's", used)
    clock.ms += 1
    assert kept.find("sara's", unused) is None
    assert kept.find("sara's", used) == {"q": "1"}


def test_of_too_many_the_ones_used_longest_ago_go_first():
    kept, _ = searches()
    handles = [kept.keep("sara's", {"q": str(number)}) for number in range(KEPT_MAX)]
    kept.find("sara's", handles[0])
    newest = kept.keep("sara's", {"q": "one more"})
    assert kept.find("sara's", handles[1]) is None
    assert kept.find("sara's", handles[0])
    assert kept.find("sara's", newest)
