"""`daftar edge diagnose`, as a technician types it."""

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar import cli_edge_diagnose
from daftar.cli_edge import edge
from tests.edge.store.boxes import Box


def test_an_archive_is_written_for_a_box_and_onto_its_stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Box(tmp_path) as box:
        folder = box.path.parent
    stick = tmp_path / "stick"
    stick.mkdir()
    monkeypatch.setattr(cli_edge_diagnose, "LISTEN_S", 0.01)
    monkeypatch.setattr(cli_edge_diagnose, "find_stick", lambda: stick)
    out = tmp_path / "diagnosis.zip"
    written = CliRunner().invoke(edge, ["diagnose", "--data", str(folder), str(out)])
    assert written.exit_code == 0, written.output
    assert "journal.json" in zipfile.ZipFile(out).namelist()

    on_stick = CliRunner().invoke(edge, ["diagnose", "--data", str(folder), "--stick"])
    assert on_stick.exit_code == 0, on_stick.output
    (found,) = stick.iterdir()
    assert found.name in on_stick.output
    assert zipfile.ZipFile(found).testzip() is None

    neither = CliRunner().invoke(edge, ["diagnose", "--data", str(folder)])
    assert "give OUT, or --stick" in neither.output
