"""The box's commands about people and programs, on a real box's file."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daftar.cli_edge import edge
from edge.services.people.sign_in import token_sha256
from edge.settings import STORE_NAME
from edge.store.people import People
from tests.edge.store.boxes import Box


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Box(tmp_path)
    assert (tmp_path / STORE_NAME).exists()
    return tmp_path


def call(data: Path, *arguments: str, typed: str = "") -> Result:
    group, command, *rest = arguments
    return CliRunner().invoke(edge, [group, command, "--data", str(data), *rest], input=typed)


def test_an_operator_is_added_denied_and_let_in_again(data: Path) -> None:
    assert call(data, "operator", "add", "Sara", typed="گذرواژهٔ بلند\n").exit_code == 0
    people = People(data / STORE_NAME)
    people.open_session(b"session", "sara", boot="b", monotonic_ms=0)
    assert call(data, "operator", "deny", "sara").exit_code == 0
    assert people.verifier("sara") is None
    assert people.session(b"session") is None
    assert call(data, "operator", "allow", "sara").exit_code == 0
    assert people.verifier("sara") is not None
    people.close()


def test_what_is_changed_waits_to_be_journaled_by_the_box(data: Path) -> None:
    assert call(data, "operator", "add", "Mina", "--role", "manager", typed="گذرواژهٔ بلند\n").exit_code == 0
    assert call(data, "operator", "add", "sara", "--name", "سارا", "--temporary", typed="گذرواژهٔ بلند\n").exit_code == 0
    assert call(data, "operator", "add", "sara", typed="گذرواژهٔ دیگر\n").exit_code == 0
    assert call(data, "operator", "deny", "sara").exit_code == 0
    assert call(data, "operator", "deny", "sara").exit_code == 0
    people = People(data / STORE_NAME)
    kinds = [row[0] for row in people._do("SELECT kind FROM person_change ORDER BY number")]
    assert kinds == ["person.added", "person.added", "person.password_set", "person.denied"]
    sara = people.operator("sara")
    assert sara is not None
    assert (sara.name, sara.must_change) == ("سارا", False)
    people.close()


def test_the_last_manager_stays_and_names_are_told_apart_from_programs(data: Path) -> None:
    assert call(data, "operator", "add", "mina", "--role", "manager", typed="گذرواژهٔ بلند\n").exit_code == 0
    for arguments in (("deny", "mina"), ("add", "mina", "--role", "operator"), ("add", "api:kiosk"), ("add", " ")):
        refused = call(data, "operator", *arguments, typed="گذرواژهٔ بلند\n")
        assert refused.exit_code == 1, arguments
        assert "Traceback" not in refused.output


def test_a_name_that_is_not_there_is_said_and_changes_nothing(data: Path) -> None:
    for arguments in (("operator", "deny", "nobody"), ("token", "revoke", "nobody")):
        refused = call(data, *arguments)
        assert refused.exit_code == 1
        assert "nobody" in refused.output


def test_a_short_password_is_refused_in_a_sentence(data: Path) -> None:
    refused = call(data, "operator", "add", "sara", typed="short\n")
    assert refused.exit_code == 1
    assert call(data, "operator", "add", "sara", typed="sara-sara\n").exit_code == 1
    assert "Traceback" not in refused.output


def test_a_token_is_made_for_a_person_who_is_there(data: Path) -> None:
    assert call(data, "operator", "add", "Sara", typed="گذرواژهٔ بلند\n").exit_code == 0
    scope = ("--scope", "refunds:write")
    made = call(data, "token", "add", "crm", *scope, "--for", "SARA")
    people = People(data / STORE_NAME)
    caller = people.api_caller(token_sha256(made.output.strip()))
    assert caller is not None
    assert caller.operator == "api:crm/sara"
    for arguments in (("crm", *scope, "--for", "nobody"), ("crm/sara", *scope)):
        assert call(data, "token", "add", *arguments).exit_code == 1
    assert people.api_callers() == [caller]
    people.close()


def test_a_programs_token_is_shown_once_and_ends_when_it_is_revoked(data: Path) -> None:
    made = call(data, "token", "add", "kiosk", "--scope", "payments:read")
    shown = made.output.strip()
    people = People(data / STORE_NAME)
    assert people.api_caller(token_sha256(shown)) is not None
    assert call(data, "token", "revoke", "kiosk").exit_code == 0
    assert people.api_caller(token_sha256(shown)) is None
    people.close()
