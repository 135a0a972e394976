import re

import pytest

from edge.devices.catalogue import load_catalogue
from firmware_profiles.profile import UNKNOWN_CODE, TerminalProfile
from shared.payment import CERTAINLY_UNCHARGED, PaymentState

PROFILES = load_catalogue().terminals
NAMES = [profile.name for profile in PROFILES]
NOT_PROOF = ["09", "68", "84", "86", "90", "91", "94", "96", "98", "FD", "FF"]


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_codes_that_do_not_prove_that_nothing_was_charged_are_in_doubt(profile: TerminalProfile) -> None:
    assert [code for code in NOT_PROOF if profile.meaning(code).outcome != "in_doubt"] == []


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_the_outcomes_a_terminal_must_be_able_to_give(profile: TerminalProfile) -> None:
    given = {code: profile.meaning(code).outcome for code in ("00", "51", "55", "17", "FU", "FA", "EA")}
    assert given == {
        "00": "approved",
        "51": "declined",
        "55": "declined",
        "17": "cancelled",
        "FU": "cancelled",
        "FA": "declined",
        "EA": "not_found",
    }
    assert [code for code, meaning in profile.codes.items() if meaning.outcome == "approved"] == ["00"]


@pytest.mark.parametrize("profile", PROFILES, ids=NAMES)
def test_no_link_to_the_centre_is_known_from_the_code(profile: TerminalProfile) -> None:
    assert profile.meaning("FA").centre == "not_reached"
    assert profile.meaning("51").centre == "reached"
    assert profile.meaning("FU").centre == "not_said"


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


def test_a_real_terminal_is_given_the_time_a_person_and_a_slow_centre_need() -> None:
    times = load_catalogue().terminal("behpardakht/pos_pc_viii").times
    assert times.answer_timeout_ms >= 60_000
    assert times.longest_ms >= 180_000
