from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daftar.__main__ import main
from edge.devices.catalogue import BUNDLED


def profile(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["profile", *words], input=typed)


def write(folder: Path, text: str) -> str:
    file = folder / "terminals" / "somebody" / "s920.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.fixture
def text() -> str:
    """A model of the technician's own."""
    bundled = (BUNDLED / "terminals/behpardakht/pax.toml").read_text(encoding="utf-8")
    return bundled.replace('"behpardakht"\nmodel = "pax"', '"somebody"\nmodel = "s920"').replace('["PAX"]', '["S920"]')


def test_a_good_file_holds_and_what_only_hardware_can_prove_is_said(tmp_path: Path, text: str) -> None:
    result = profile("check", write(tmp_path, text))
    assert result.exit_code == 0, result.output
    assert "somebody/s920: 16 of 16 held" in result.output
    assert "NOT SO" not in result.output
    assert "Only the device itself can prove:" in result.output


def test_marks_that_another_model_has_are_not_its_own(tmp_path: Path, text: str) -> None:
    result = profile("check", write(tmp_path, text.replace('["S920"]', '["PAX"]')))
    assert result.exit_code == 1
    assert "its mark is not its own" in result.output


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [("[tcp]", "[tpc]", "tpc"), ('"s920"', '"s921"', "profile.misplaced"), ("115200", "115201", "$.serial")],
)
def test_a_file_that_is_not_understood_is_refused_with_the_place(
    tmp_path: Path, text: str, before: str, after: str, said: str
) -> None:
    result = profile("check", write(tmp_path, text.replace(before, after)))
    assert result.exit_code == 1
    assert said in result.output


def test_a_printers_file_is_checked_too() -> None:
    result = profile("check", str(BUNDLED / "printers/generic/escpos_80mm.toml"))
    assert result.exit_code == 0, result.output
    assert "generic/escpos_80mm: 13 of 13 held" in result.output


def test_one_file_or_all() -> None:
    assert profile("check").exit_code == 2


def test_a_terminal_to_play_with_tells_where_it_is_and_does_what_is_typed() -> None:
    typed = "help\napprove\nauto approve\nfault go_silent\ncharges\noff\non\nquit\n"
    result = profile("simulate", "behpardakht/pax", "--pty", typed=typed)
    assert result.exit_code == 0, result.output
    assert "behpardakht/pax at tcp://127.0.0.1:" in result.output
    assert "behpardakht/pax at serial:///dev/pts/" in result.output
    assert "no sale waits for a key" in result.output
    assert "[go_silent]" in result.output
    assert "charged: 0" in result.output


def test_a_printer_to_play_with() -> None:
    result = profile("simulate", "generic/escpos_80mm", typed="fault no_paper\nmend\npapers\nquit\n")
    assert result.exit_code == 0, result.output
    assert "generic/escpos_80mm at tcp://127.0.0.1:" in result.output
    assert "papers: 0" in result.output


def test_a_model_nobody_knows_cannot_be_played() -> None:
    result = profile("simulate", "nobody/nothing")
    assert result.exit_code == 1
    assert "profile.unknown" in result.output


def test_what_is_connected_is_looked_for() -> None:
    result = profile("find", "--seconds", "1")
    assert result.exit_code == 0, result.output
