import asyncio

import pytest

from daftar.lab.fuzz import Conversation, conversations, fuzz


@pytest.fixture(scope="module")
def heard() -> list[Conversation]:
    return asyncio.run(conversations())


def test_every_family_is_listened_to_on_every_link_whose_bytes_differ(heard: list[Conversation]) -> None:
    assert len({(one.profile.protocol, one.link_kind, one.mood) for one in heard}) == 4 * 7
    assert all(one.heard for one in heard)


def test_terminals_that_talk_rubbish_break_no_rule(heard: list[Conversation]) -> None:
    tally = fuzz(heard, 1_000, seed=0)
    assert tally.violations == []
    assert tally.inputs == 1_000
    assert {"sale approved", "sale in_doubt", "sale declined"} <= set(tally.ended), "it reaches what it is about"


def test_a_session_that_believes_any_amount_is_caught(
    heard: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.devices.terminals.judgement._vouches", lambda *_, **__: True)
    monkeypatch.setattr("edge.devices.terminals.judgement._contradicts", lambda *_: False)
    tally = fuzz(heard, 200, seed=0)
    assert any("approved another amount" in what for _, what in tally.violations)
