import pytest

from edge.devices.printers.status import PrinterStatus, is_end_of_job_byte, is_status_byte, meaning

WELL = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({}, PrinterStatus.OK),
        ({1: 0x16}, PrinterStatus.OK),  # the drawer's pin is high
        ({4: 0x1E}, PrinterStatus.PAPER_NEAR_END),
        ({1: 0x1A, 2: 0x32, 4: 0x72}, PrinterStatus.PAPER_END),
        ({1: 0x1A, 2: 0x32}, PrinterStatus.PAPER_END),
        ({1: 0x1A, 2: 0x36, 4: 0x7E}, PrinterStatus.COVER_OPEN),
        ({1: 0x1A, 2: 0x52, 3: 0x1A}, PrinterStatus.CUTTER),
        ({1: 0x1A, 2: 0x52, 3: 0x32}, PrinterStatus.OFFLINE),
        ({1: 0x1A}, PrinterStatus.OFFLINE),
    ],
)
def test_the_most_helpful_trouble_is_named(answers: dict[int, int], status: PrinterStatus) -> None:
    assert meaning(WELL | answers) == status


def test_a_question_without_answer_leaves_it_unknown() -> None:
    for question in WELL:
        assert meaning({key: byte for key, byte in WELL.items() if key != question}) == PrinterStatus.UNKNOWN


def test_answers_of_the_two_kinds_are_told_apart() -> None:
    assert not any(is_status_byte(byte) and is_end_of_job_byte(byte) for byte in range(256))
    assert all(is_status_byte(byte) for byte in (0x12, 0x16, 0x1A, 0x1E, 0x72, 0x7E))
    assert all(is_end_of_job_byte(byte) for byte in (0x00, 0x03, 0x0C, 0x0F))
    assert not any(is_status_byte(byte) or is_end_of_job_byte(byte) for byte in (0x11, 0x13, 0x90, 0xFF))
