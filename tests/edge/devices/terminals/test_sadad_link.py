"""What is sent again on a link to a Sadad terminal, and above all what is not."""

import pytest

from edge.devices.terminals.sadad import sale_request, signal
from edge.devices.terminals.sadad_framing import Damaged
from edge.devices.terminals.sadad_link import SENDS_MAX, SadadLink
from edge.devices.terminals.sadad_reports import Report, device_request

REQUEST = sale_request(amount_rial=1_000, reference="1", api_version=None)
QUESTION = device_request()
INM, ACK, NACK, EOT = signal("INM"), signal("ACK"), signal("NACK"), signal("EOT")
LOST_ANSWER, LOST_SIGNAL = Damaged(284), Damaged(10)


@pytest.fixture
def link() -> SadadLink:
    link = SadadLink(ack_timeout_ms=5_000)
    link.begin(REQUEST, repeatable=False)
    assert link.data_to_send() == INM
    return link


def wait(link: SadadLink, now_ms: int) -> str | None:
    """Let the link learn what time it is, and then that its patience is over."""
    assert link.deadline() == 0
    assert link.tick(now_ms) is None
    assert link.deadline() == now_ms + 5_000
    assert link.tick(now_ms + 4_999) is None
    return link.tick(now_ms + 5_000)


def test_a_request_leaves_when_the_greeting_was_acknowledged(link: SadadLink) -> None:
    assert not link.request_left
    assert link.take("ACK") is None
    assert (link.data_to_send(), link.request_left) == (REQUEST, True)
    assert link.take("ACK") is None
    assert (link.data_to_send(), link.deadline()) == (b"", None)


def test_a_greeting_is_sent_three_times_and_the_request_never_when_nobody_answers(link: SadadLink) -> None:
    for now in (0, 5_000):
        assert wait(link, now) is None
        assert link.data_to_send() == INM
    assert wait(link, 10_000) == "unheard"
    assert (link.data_to_send(), link.request_left, link.deadline()) == (b"", False, None)
    assert link.take("ACK") is None
    assert link.data_to_send() == b""


def test_a_refused_greeting_is_sent_again(link: SadadLink) -> None:
    for _ in range(SENDS_MAX - 1):
        assert link.take("NACK") is None
        assert link.data_to_send() == INM
    assert link.take("NACK") == "unheard"
    assert not link.request_left


def test_a_payments_request_is_not_sent_again_because_of_silence(link: SadadLink) -> None:
    link.take("ACK")
    assert link.data_to_send() == REQUEST
    assert link.deadline() is None
    assert link.tick(1_000_000) is None
    assert link.data_to_send() == b""


def test_a_question_is_sent_again_three_times_in_all() -> None:
    link = SadadLink(ack_timeout_ms=5_000)
    link.begin(QUESTION, repeatable=True)
    link.take("ACK")
    assert link.data_to_send() == INM + QUESTION
    for now in (0, 5_000):
        assert wait(link, now) is None
        assert link.data_to_send() == QUESTION
    assert wait(link, 10_000) is None
    assert (link.data_to_send(), link.deadline()) == (b"", None)


def test_a_payments_request_that_the_terminal_refused_is_refused_and_not_sent_again(link: SadadLink) -> None:
    link.take("ACK")
    assert link.data_to_send() == REQUEST
    assert link.take("NACK") == "refused"
    assert link.data_to_send() == b""


def test_a_refusal_after_the_request_was_taken_back_is_not_the_requests(link: SadadLink) -> None:
    link.take("ACK")
    link.take_back()
    assert link.data_to_send() == REQUEST + EOT
    # The request's acknowledgement got lost, and the terminal will not drop what it works on.
    assert link.take("NACK") is None
    assert link.take("EOT") == "ended"


def test_a_question_that_the_terminal_refused_is_sent_again() -> None:
    link = SadadLink(ack_timeout_ms=5_000)
    link.begin(QUESTION, repeatable=True)
    link.take("ACK")
    assert link.data_to_send() == INM + QUESTION
    for _ in range(SENDS_MAX - 1):
        assert link.take("NACK") is None
        assert link.data_to_send() == QUESTION
    assert link.take("NACK") == "refused"
    assert link.data_to_send() == b""


def test_a_refusal_that_may_be_of_a_greeting_is_not_the_requests(link: SadadLink) -> None:
    wait(link, 0)
    assert link.data_to_send() == INM
    link.take("ACK")
    assert link.data_to_send() == REQUEST
    # Two greetings, one answer so far: this may be the other's.
    assert link.take("NACK") is None
    # Now every greeting has its answer, and this one is the request's.
    assert link.take("NACK") == "refused"
    assert link.data_to_send() == b""


def test_an_acknowledgement_that_may_be_of_a_greeting_does_not_pass_for_the_requests(link: SadadLink) -> None:
    wait(link, 0)
    link.take("ACK")
    link.data_to_send()
    link.take("ACK")
    link.take("ACK")
    assert link.take("NACK") is None
    assert link.data_to_send() == b""


def test_after_damage_a_refusal_proves_nothing(link: SadadLink) -> None:
    link.take("ACK")
    link.data_to_send()
    assert link.take(LOST_SIGNAL) is None
    assert link.take("NACK") is None
    assert link.data_to_send() == b""


def test_after_the_acknowledgement_a_refusal_means_nothing(link: SadadLink) -> None:
    link.take("ACK")
    link.take("ACK")
    link.data_to_send()
    assert link.take("NACK") is None
    assert link.data_to_send() == b""


def test_every_answer_is_acknowledged_also_one_that_comes_again(link: SadadLink) -> None:
    link.take("ACK")
    link.take("ACK")
    link.data_to_send()
    answer = Report(function="0016", code="346")
    assert link.take(answer) is None
    assert link.data_to_send() == ACK
    link.finish()
    assert link.take(answer) is None
    assert link.data_to_send() == ACK


def test_a_damaged_answer_is_asked_for_again_and_given_up_at_the_third(link: SadadLink) -> None:
    link.take("ACK")
    link.take("ACK")
    link.data_to_send()
    for _ in range(SENDS_MAX - 1):
        assert link.take(LOST_ANSWER) is None
        assert link.data_to_send() == NACK
    assert link.take(LOST_ANSWER) == "garbled"
    assert link.data_to_send() == b""


def test_a_damaged_answer_that_does_not_come_again_is_given_up(link: SadadLink) -> None:
    link.take("ACK")
    link.take("ACK")
    link.data_to_send()
    link.take(LOST_ANSWER)
    assert link.data_to_send() == NACK
    assert wait(link, 0) == "garbled"


def test_the_terminals_end_is_its_cancel(link: SadadLink) -> None:
    link.take("ACK")
    link.take("ACK")
    assert link.take("EOT") == "ended"
    assert link.take("EOT") is None


def test_an_end_before_the_request_left_sends_no_request(link: SadadLink) -> None:
    assert link.take("EOT") == "ended"
    link.take("ACK")
    assert (link.data_to_send(), link.request_left) == (b"", False)


@pytest.mark.parametrize("damage", [LOST_ANSWER, LOST_SIGNAL])
def test_after_damage_the_terminals_end_proves_nothing(link: SadadLink, damage: Damaged) -> None:
    link.take("ACK")
    link.take(damage)
    assert link.take("EOT") == "garbled"


def test_noise_before_the_request_left_is_nobodys_answer(link: SadadLink) -> None:
    assert link.take(LOST_ANSWER) is None
    assert link.data_to_send() == b""
    link.take("ACK")
    assert link.data_to_send() == REQUEST


def test_a_new_link_begins_anew(link: SadadLink) -> None:
    link.take("ACK")
    link.take(LOST_ANSWER)
    link.reset()
    assert (link.data_to_send(), link.deadline(), link.request_left) == (b"", None, False)
    link.begin(REQUEST, repeatable=False)
    link.take("ACK")
    assert link.data_to_send() == INM + REQUEST
    assert link.take("EOT") == "ended"
