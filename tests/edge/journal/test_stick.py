import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from edge.journal.export import Exported, export_lines
from edge.journal.stick import README_NAME, VERIFIER_NAME, find_stick, write_stick
from shared.errors import IntegrityError, OperatorError
from shared.events import AlarmRaised
from shared.journal.note import NoteKey
from tests.edge.store.boxes import JOURNAL, Box


def write(box: Box, folder: Path) -> list[Path]:
    exported = export_lines(box.queries, box.identity, box.signer, first=1, last=2)
    key = NoteKey(JOURNAL, box.signer.public_key).text()
    written = write_stick(folder, exported, journal=JOURNAL, key=key, witness="w+1+A")
    for one in written:
        data = one.path.read_bytes()
        assert (one.size_bytes, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return [one.path for one in written]


def test_an_auditor_checks_the_stick_with_what_is_on_it(box: Box, tmp_path: Path):
    box.write(AlarmRaised(kind="a"), AlarmRaised(kind="b"), AlarmRaised(kind="c"))
    folder = tmp_path / "stick"
    folder.mkdir()
    journal, verifier, readme = write(box, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["daftar-journal-72101001-box1-1-1-2.jsonl", VERIFIER_NAME, README_NAME]
    )
    key = box.signer.public_key.hex()
    done = subprocess.run(
        [sys.executable, "-I", verifier.name, journal.name, "--key", key],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode()
    assert "entries 1 to 2 of the journal" in readme.read_text(encoding="utf-8")
    assert write(box, folder)[0] == journal


def test_a_medium_that_keeps_other_bytes_is_found(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.journal.stick._sha256_on_medium", lambda _: "00")
    with pytest.raises(IntegrityError, match=r"export\.not_read_back"):
        write_stick(tmp_path, Exported(0, 1, 1, iter(["x"])), journal="j", key="k", witness="")


def test_the_one_stick_is_found_and_none_or_several_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mounted: set[str] = set()
    monkeypatch.setattr("os.path.ismount", lambda path: str(path) in mounted)
    first, second = tmp_path / "usb", tmp_path / "sara" / "stick"
    for folder in (first, second):
        folder.mkdir(parents=True)
    with pytest.raises(OperatorError, match=r"export\.no_stick"):
        find_stick([tmp_path, tmp_path / "absent"])
    mounted.add(str(second))
    assert find_stick([tmp_path]) == second
    mounted.add(str(first))
    with pytest.raises(OperatorError, match=r"export\.several_sticks"):
        find_stick([tmp_path])


def test_a_folder_that_is_not_there_is_no_stick(box: Box, tmp_path: Path):
    box.write(AlarmRaised(kind="a"), AlarmRaised(kind="b"))
    with pytest.raises(OperatorError, match=r"export\.no_stick"):
        write(box, tmp_path / "absent")
