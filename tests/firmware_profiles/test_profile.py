import re

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from firmware_profiles.profile import UNKNOWN_CODE, TerminalProfile
from shared.payment import CERTAINLY_UNCHARGED, PaymentState

PROFILES = load_catalogue().terminals
NAMES = [profile.name for profile in PROFILES]
NOT_PROOF = ["09", "50", "68", "81", "84", "86", "90", "91", "94", "96", "98", "FD", "FF"]
NOT_PROOF_IN_ZVT = ["44", "50", "5B", "60", "63", "66", "7D", "9A", "9B", "9C", "A1", "A3", "CC", "FF"]
"""There a code is a byte in hexadecimal: 5B is the 91 of the others."""
OUTCOMES = {
    "behpardakht": {
        "00": "approved",
        "51": "declined",
        "55": "declined",
        "17": "cancelled",
        "FU": "cancelled",
        "FA": "declined",
        "EA": "not_found",
    },
    "pna": {"00": "approved", "12": "declined", "51": "declined", "55": "declined", "99": "cancelled"},
    "sadad": {
        "00": "approved",
        "51": "declined",
        "63": "in_doubt",
        "335": "declined",
        "336": "in_doubt",
        "346": "not_found",
        "354": "in_doubt",
        "EOT": "cancelled",
        "NACK": "declined",
        "NONE": "not_found",
    },
    "asan_pardakht": {
        "0": "approved",
        "00": "approved",
        "51": "declined",
        "55": "declined",
        "17": "cancelled",
        "99": "cancelled",
    },
    "zvt": {
        "00": "approved",
        "33": "declined",
        "37": "declined",
        "6C": "cancelled",
        "B4": "declined",
        "F0": "declined",
    },
    "telium_e": {"0": "approved", "7": "declined", "9": "in_doubt", "NAK": "declined", "ENQ": "declined"},
}
CENTRES = {
    "behpardakht": {"FA": "not_reached", "51": "reached", "FU": "not_said"},
    "pna": {"50": "not_reached", "90": "not_reached", "51": "reached", "99": "not_said"},
    "sadad": {"335": "not_reached", "333": "not_reached", "51": "reached", "EOT": "not_said"},
    "asan_pardakht": {"0": "reached", "51": "reached", "99": "not_said"},
    "zvt": {"A3": "not_reached", "7D": "not_reached", "33": "reached", "6C": "not_said"},
    "telium_e": {"0": "reached", "7": "not_said", "9": "not_said"},
}


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_codes_that_do_not_prove_that_nothing_was_charged_are_in_doubt(profile: TerminalProfile) -> None:
    codes = NOT_PROOF_IN_ZVT if profile.protocol == "zvt" else NOT_PROOF
    assert [code for code in codes if profile.meaning(code).outcome != "in_doubt"] == []


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_the_outcomes_a_terminal_must_be_able_to_give(profile: TerminalProfile) -> None:
    wanted = OUTCOMES[profile.protocol]
    assert {code: profile.meaning(code).outcome for code in wanted} == wanted
    said_yes = {code for code, meaning in profile.codes.items() if meaning.outcome == "approved"}
    assert said_yes == {code for code in wanted if wanted[code] == "approved"}


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_no_link_to_the_centre_is_known_from_the_code(profile: TerminalProfile) -> None:
    wanted = CENTRES[profile.protocol]
    assert {code: profile.meaning(code).centre for code in wanted} == wanted


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_every_code_has_a_persian_and_an_english_sentence(profile: TerminalProfile) -> None:
    for code, meaning in profile.codes.items():
        assert re.fullmatch(r"[آ-ی‌ٔ‌؛،ءأؤئۀ ‌َُِّ]+\.", meaning.fa), code
        assert re.fullmatch(r"[A-Z][A-Za-z ,;'-]+\.", meaning.en), code


def test_a_code_that_is_not_listed_proves_nothing() -> None:
    assert PROFILES[0].meaning("ZZ") is UNKNOWN_CODE
    assert UNKNOWN_CODE.outcome == "in_doubt"


def test_outcomes_that_free_the_obligation_are_those_the_payment_table_calls_uncharged() -> None:
    assert {PaymentState.DECLINED, PaymentState.CANCELLED} <= CERTAINLY_UNCHARGED
    assert PaymentState.IN_DOUBT not in CERTAINLY_UNCHARGED


@pytest.mark.parametrize("name", ["behpardakht/pos_pc_viii", "pna/pcpos"])
def test_a_real_terminal_is_given_the_time_a_person_and_a_slow_centre_need(name: str) -> None:
    times = load_catalogue().terminal(name).times
    assert times.answer_timeout_ms >= 60_000
    assert times.longest_ms >= 180_000


@pytest.mark.parametrize("can", [{"query_by_reference": True}, {"confirming": True, "query_last": False}])
def test_capabilities_that_cannot_go_together_are_refused(can: dict[str, bool]) -> None:
    profile = load_catalogue().terminal("pna/pcpos")
    with pytest.raises(ValueError, match="needs"):
        msgspec.structs.replace(profile, capabilities=msgspec.structs.replace(profile.capabilities, **can))
