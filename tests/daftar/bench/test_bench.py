"""Each benchmark runs, small, and says what it has to say. What it measures is not looked at: machines differ."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from daftar.bench.figures import figures
from daftar.bench.grown_box import grown_box
from daftar.cli_bench import bench
from edge.settings import STORE_NAME
from edge.store.verify_file import verify_file


def run(*arguments: str) -> list[dict[str, Any]]:
    """What a benchmark printed. Exit code 1 says that a limit does not hold here, which is no matter of this test."""
    done = CliRunner().invoke(bench, arguments, catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output
    return [msgspec.json.decode(line) for line in done.output.splitlines() if line.startswith("{")]


def check(found: list[dict[str, Any]], *names: str) -> None:
    assert [result["bench"] for result in found] == list(names)
    for result in found:
        assert result.keys() == {"bench", "ratio", "limit", "holds", "ours", "bound", "caller", "note"}
        assert result["ratio"] > 0
        assert result["ours"]["median_us"] > 0
        assert result["bound"]["count"] > 0


def test_the_journal_is_compared_alone_and_in_groups(tmp_path: Path) -> None:
    found = run("journal", "--folder", str(tmp_path), "--rounds", "100")
    check(found, "journal", "groups")
    assert found[0]["caller"]["median_us"] > found[0]["ours"]["median_us"]
    assert list(tmp_path.iterdir()) == []


def test_verification_is_compared(tmp_path: Path) -> None:
    check(run("verify", "--folder", str(tmp_path), "--entries", "600", "--turns", "1"), "verify")


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps the boxes."""
    return tmp_path_factory.mktemp("boxes")


def test_a_grown_box_is_whole_and_is_made_once(boxes: Path) -> None:
    home = grown_box(boxes, 200)
    assert verify_file(home / STORE_NAME, processes=1) > 200
    made_at = (home / STORE_NAME).stat().st_mtime_ns
    assert grown_box(boxes, 200) == home
    assert (home / STORE_NAME).stat().st_mtime_ns == made_at


@pytest.mark.parametrize("name", ["page", "start"])
def test_a_serving_box_is_compared(boxes: Path, name: str) -> None:
    often = ("--rounds", "5", "--warm", "1") if name == "page" else ("--turns", "1")
    check(run(name, "--boxes", str(boxes), "--entries", "200", "--short", "100", *often), name)


def test_a_percentile_of_few_is_one_of_them() -> None:
    assert figures([1000, 3000]).p99_us == 3
    assert figures([5000]).p99_us == 5


def test_a_receipt_is_compared_at_each_width() -> None:
    check(run("receipt", "--rounds", "5"), "receipt generic/escpos_80mm", "receipt generic/escpos_58mm")
