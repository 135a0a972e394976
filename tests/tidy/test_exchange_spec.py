"""The exchange's specification says what the code does: members, statuses, codes, limits, kinds of alarms."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from central.ingest.entries import Disposition
from central.ingest.receiver import ANSWERS_KEPT
from central.ingest.routes import STATUS_OF
from sync.backoff import CAP_MS, FIRST_MS
from sync.central_session import AlarmKind
from sync.enrolment import CentralTrust, Enrolment, EnrolmentRequest
from sync.envelope import (
    ENROLMENT_REQUEST,
    ENROLMENT_RESPONSE,
    EXCHANGE_REQUEST,
    EXCHANGE_RESPONSE,
    REQUEST_SIZE_MAX_BYTES,
    RESPONSE_SIZE_MAX_BYTES,
    WIRE_MEDIA_TYPE,
)
from sync.messages import WINDOW_ENTRIES_MAX, WINDOW_SIZE_MAX_BYTES, Request, Response, Status

SPEC = (Path(__file__).parents[2] / "docs" / "spec" / "exchange.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return SPEC.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The words in code marks in the first column of a section's tables."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", text, flags=re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize(("heading", "message"), [("Request", Request), ("Answer", Response)])
def test_each_member_of_a_message_has_its_row(heading, message):
    members = [name for name in first_cells(section(heading)) if name not in get_args(Status)]
    assert members == list(message.__struct_fields__)


def test_each_status_of_an_answer_has_its_row():
    assert set(get_args(Status)) <= set(first_cells(section("Answer")))


def test_the_media_types_are_those_of_the_code():
    for media_type in (
        EXCHANGE_REQUEST,
        EXCHANGE_RESPONSE,
        ENROLMENT_REQUEST,
        ENROLMENT_RESPONSE,
        WIRE_MEDIA_TYPE,
    ):
        assert f"`{media_type}`" in SPEC


def test_refusals_have_their_status():
    rows = re.findall(r"^\| ((?:`exchange\.\w+`(?:, )?)+) \| (\d{3}) \|", SPEC, flags=re.MULTILINE)
    told = {code: int(status) for codes, status in rows for code in re.findall(r"`([^`]+)`", codes)}
    assert told == {code: status for code, status in STATUS_OF.items() if code.startswith("exchange.")}


def test_dispositions_and_alarms_are_named():
    assert not [kind for kind in get_args(Disposition) if f"| `{kind}` |" not in SPEC]
    assert not [kind for kind in get_args(AlarmKind) if f"`{kind}`" not in SPEC]


def test_limits_are_those_of_the_code():
    mib, kib = 1024 * 1024, 1024
    for text in (
        f"A request is at most {REQUEST_SIZE_MAX_BYTES // mib} MiB",
        f"an answer at most {RESPONSE_SIZE_MAX_BYTES // mib} MiB",
        f"at most {WINDOW_ENTRIES_MAX} entries and at most {WINDOW_SIZE_MAX_BYTES // kib} KiB",
        f"newest {ANSWERS_KEPT} answers",
        f"({FIRST_MS / 1000} s, doubling, at most {CAP_MS // 1000} s",
    ):
        assert text in SPEC


def test_the_enrolment_s_messages_are_spelled_out():
    text = section("Enrolment")
    for message in (EnrolmentRequest, Enrolment, CentralTrust):
        for field in msgspec.structs.fields(message):
            assert re.search(rf"\b{field.name}\b", text), field.name
