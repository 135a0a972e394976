"""The box's commands about its journal and its key, on a real box's file."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daftar.cli_edge import edge
from edge.journal.signer import FileSigner
from edge.settings import KEY_NAME
from shared.events import AlarmRaised
from shared.journal.export import verify_export
from tests.edge.store.boxes import JOURNAL, Box


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    with Box(folder) as box:
        box.write(AlarmRaised(kind="a"), AlarmRaised(kind="b"))
    return folder


def call(data: Path, command: str, *rest: str) -> Result:
    return CliRunner().invoke(edge, [command, "--data", str(data), *rest])


def test_an_export_to_a_file_names_the_keys_to_check_it_with(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    done = call(data, "export", str(file))
    assert done.exit_code == 0, done.output
    assert "3 entries; box key daftar.journal/72101001/box1/1+" in done.output
    assert verify_export(file.read_text().splitlines(), FileSigner.load(data / KEY_NAME).public_key, None).holds


def test_a_dash_is_standard_output_and_nothing_else_is_on_it(data: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "daftar", "edge", "export", "--data", str(data), "--from", "1", "--to", "1", "-"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    report = verify_export(done.stdout.splitlines(), FileSigner.load(data / KEY_NAME).public_key, None, origin=JOURNAL)
    assert report.holds, report.findings
    assert report.size == 1
    assert b"1 entries; box key" in done.stderr
    assert not (tmp_path / "-").exists()


def test_a_range_that_is_none_is_said_in_a_sentence(data: Path) -> None:
    refused = call(data, "export", "--from", "3", "-")
    assert refused.exit_code == 1
    assert "The journal has 3 entries" in refused.output


def test_the_stick_s_files_are_named_with_their_hashes(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    done = call(data, "stick", str(folder))
    assert done.exit_code == 0, done.output
    assert "entries 0 to 2 of daftar.journal/72101001/box1/1, written and read back" in done.output
    assert done.output.count("SHA-256") == len(list(folder.iterdir())) == 3


def test_a_rotated_key_signs_the_next_export(data: Path, tmp_path: Path) -> None:
    old = FileSigner.load(data / KEY_NAME).public_key
    done = call(data, "rotate-key", "--operator", "maryam")
    assert done.exit_code == 0, done.output
    new = FileSigner.load(data / KEY_NAME).public_key
    assert new != old
    file = tmp_path / "journal.jsonl"
    call(data, "export", str(file))
    for key in (old, new):
        assert verify_export(file.read_text().splitlines(), key, None).holds
