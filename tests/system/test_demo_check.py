import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system]


def test_the_whole_job_once_headless(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "daftar", "demo", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=240,
    )
    summary = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout
    assert summary["ok"] is True
    assert len(summary["steps"]) == 8
    assert not list(tmp_path.iterdir()), "it leaves nothing where it was started"
