import json

import pytest
from click.testing import CliRunner, Result

from daftar.__main__ import main


def lab(*words: str) -> Result:
    return CliRunner().invoke(main, ["lab", *words])


def figures(result: Result) -> dict[str, int]:
    found: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_a_good_box_gives_figures_and_exit_code_nought():
    result = lab("crash", "--runs", "1", "--seed", "5", "--every-io")
    assert result.exit_code == 0, result.output
    assert figures(result)["crash_points"] > 50
    assert figures(result)["violations"] == 0


def test_a_bad_box_gives_exit_code_one_and_the_command_that_shows_it_again():
    result = lab("crash", "--runs", "1", "--seed", "0", "--mutant", "synchronous_normal")
    assert result.exit_code == 1
    assert figures(result)["violations"] > 0
    command = next(line for line in result.stdout.splitlines() if "daftar lab crash" in line)
    again = lab(*command.split()[2:])
    assert again.exit_code == 1
    assert figures(again)["runs"] == 1
    assert command in again.stdout


@pytest.mark.parametrize("disk", ["lying", "deaf"])
def test_a_disk_can_be_chosen(disk: str):
    result = lab("crash", "--runs", "1", "--seed", "5", "--disk", disk)
    assert result.exit_code == 0, result.output


def test_a_disk_that_refuses_is_tried_for_good_and_for_a_while():
    result = lab("faults", "--runs", "1", "--seed", "2", "--decisions", "1", "--step", "19")
    assert result.exit_code == 0, result.output
    assert figures(result)["cases"] > 5
    assert figures(result)["healed"] > 15
    assert figures(result)["wrong"] == 0
