"""A whole card number in a member that is none: no conversation says it on, and nothing else is lost by that."""

from typing import get_args

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.asan_pardakht_session import AsanPardakhtSession
from edge.devices.terminals.card_free import card_free, card_free_evidence
from edge.devices.terminals.engines import ENGINES, make_session
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.sadad import decode_sale_answer
from edge.devices.terminals.sadad_session import SadadSession
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
)
from firmware_profiles.profile import ProtocolName
from shared.card import passes_luhn
from shared.events import Evidence
from tests.edge.devices.terminals import test_asan_pardakht_session as asan
from tests.edge.devices.terminals import test_sadad_session as sadad


def valid(digits: str) -> str:
    """Return digits with one more behind them that checks them."""
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


CARD = valid("621986" + "1" * 9)
MASKED = f"621986******{CARD[-4:]}"
MEMBERS = ("reference", "rrn", "terminal_number", "merchant_number", "terminal_time", "receipt_number")
SHIFTED = msgspec.structs.replace(Evidence(source="answer", response_code="00"), **dict.fromkeys(MEMBERS, CARD))
OURS = valid("1002003004005006" + "0")


def everything(said: Evidence) -> list[Event]:
    """Return every kind of event that evidence goes out with."""
    return [
        SaleEnded(OURS, TerminalOutcome(kind="approved", evidence=said)),
        LateAnswer(OURS, TerminalOutcome(kind="approved", evidence=said)),
        QueryEnded(OURS, StatusAnswer(kind="approved", evidence=said)),
        LastEnded(LastTransaction(kind="known", evidence=said)),
        OrderEnded(OrderAnswer(kind="done", evidence=said)),
        StrayAnswer(said),
    ]


@pytest.mark.parametrize("protocol", get_args(ProtocolName))
def test_every_family_lets_out_no_card_number_in_any_event(protocol: ProtocolName) -> None:
    models = (one for one in load_catalogue().terminals if one.protocol == protocol)
    session = make_session(next(models), "tcp", asan.CLOCK)
    session._events.extend(everything(SHIFTED))  # type: ignore[attr-defined] # what its codec may make of an answer
    out = session.events()
    assert len(out) == len(everything(SHIFTED))
    assert session.events() == []
    assert CARD.encode() not in msgspec.json.encode(out)
    assert msgspec.json.encode(out).count(MASKED.encode()) == len(MEMBERS) * len(out)


def test_every_event_is_looked_through() -> None:
    assert {type(event) for event in everything(SHIFTED)} == set(get_args(Event)) - {ReadyEnded}
    assert card_free(ReadyEnded(idle=True)) == ReadyEnded(idle=True)
    assert set(ENGINES) == set(get_args(ProtocolName))


def test_our_own_reference_stays_though_it_passes_for_a_card_number() -> None:
    assert len(OURS) == 18
    said = Evidence(source="answer", response_code="00", reference=OURS)
    assert [card_free(event) for event in everything(said)] == everything(said)
    asked = valid("100200300400500600")
    assert card_free_evidence(msgspec.structs.replace(said, reference=asked), asked).reference == asked
    assert card_free_evidence(msgspec.structs.replace(said, reference=asked)).reference != asked


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("rrn", "123456789015"),
        ("merchant_number", "000000" + valid("12345678")),
        ("terminal_time", valid("2026112217001")),
        ("terminal_time", valid("2026112217001")[:8] + " " + valid("2026112217001")[8:]),
        ("merchant_number", CARD[:-1] + str((int(CARD[-1]) + 1) % 10)),
    ],
)
def test_what_is_no_card_number_stays(member: str, text: str) -> None:
    said = msgspec.structs.replace(Evidence(source="answer", response_code="00"), **{member: text})
    assert card_free_evidence(said) == said


@pytest.mark.parametrize(
    "text", [CARD, "0000" + CARD, f"{CARD[:4]}-{CARD[4:8]}-{CARD[8:12]}-{CARD[12:]}", "12" + CARD + "34", f"ID{CARD}X"]
)
def test_a_card_number_is_found_behind_what_stands_around_it(text: str) -> None:
    said = Evidence(source="answer", response_code="00", merchant_number=text)
    clean = card_free_evidence(said).merchant_number
    assert clean is not None
    assert "******" in clean
    assert sum(sign.isdigit() for sign in clean) <= 10


def test_a_shifted_line_of_asan_pardakht_is_judged_as_it_was_said_and_told_masked() -> None:
    session = AsanPardakhtSession(asan.PROFILE, asan.CLOCK)
    session.link_opened()
    asan.start(session)
    out = asan.hear(session, asan.said(message_id=CARD, number=CARD))
    (ended,) = out
    assert isinstance(ended, SaleEnded)
    assert (ended.outcome.kind, ended.outcome.reason) == ("in_doubt", "mismatch")
    assert ended.outcome.evidence is not None
    assert (ended.outcome.evidence.reference, ended.outcome.evidence.terminal_number) == (MASKED, MASKED)


def test_a_decline_of_asan_pardakht_that_names_no_sale_of_ours_still_ends_none() -> None:
    session = AsanPardakhtSession(asan.PROFILE, asan.CLOCK)
    session.link_opened()
    asan.start(session)
    assert asan.hear(session, asan.said(code="51", message_id=CARD)) == []
    assert session.unanswered(200) == asan.REFERENCE


def test_a_merchant_number_of_sadad_that_is_a_card_number_is_told_masked() -> None:
    data = bytearray(sadad.APPROVED[8:-2])
    # Its place and length, in units of two bytes.
    data[2 * 91 : 2 * (91 + 16)] = CARD.encode("utf-16-le")
    said = decode_sale_answer(bytes(data)).evidence("answer")
    assert said.merchant_number == CARD, "the codec takes any sixteen digits there"
    session = SadadSession(sadad.PROFILE)
    session._events.append(StrayAnswer(said))
    (event,) = session.events()
    assert isinstance(event, StrayAnswer)
    assert event.evidence == msgspec.structs.replace(said, merchant_number=MASKED)
