"""Central's command line, with its embedded PostgreSQL, as a newcomer types it."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.system]

DEADLINE_S = 60


@pytest.fixture
def data() -> Iterator[Path]:
    # Not under pytest's own folder: PostgreSQL runs as somebody else when we are root.
    folder = Path(tempfile.mkdtemp(prefix="daftar-test-central-"))
    yield folder / "central"
    shutil.rmtree(folder)


def _run(data: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daftar", "central", *arguments, "--data", str(data)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=DEADLINE_S)


def test_central_is_set_up_served_asked_beside_and_stopped_leaving_nothing_behind(data: Path) -> None:
    assert _run(data, "init").returncode == 0
    added = _run(data, "office", "add", "72101001", "دفتر نمونه")
    assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", added.stdout.split()[-1])
    again = _run(data, "office", "add", "72101001", "دفتر نمونه")
    assert again.returncode == 1
    assert "office.exists" in again.stderr
    assert "Traceback" not in again.stderr

    server = subprocess.Popen(
        [sys.executable, "-m", "daftar", "central", "serve", "--data", str(data), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        url = _address(server.stderr.readline())
        assert httpx.get(url + "/health", trust_env=False, timeout=60).status_code == 200
        # A command beside a central that serves uses its database; a second central is refused.
        assert _run(data, "user", "add", "finance", stdin="a-good-password\n").returncode == 0
        assert "central.data_in_use" in _run(data, "serve", "--port", "0").stderr
        file = data.parent / "services.toml"
        file.write_bytes(files("shared").joinpath("services", "civil.toml").read_bytes())
        published = _run(data, "catalogue", "publish", "--all", "--note", "تعرفه", str(file)).stdout.splitlines()
        assert published[0].split()[:2] == ["removed", "active_plates"]
        assert published[-1].endswith("1 services is signed for all offices")
        assert "تعرفه" in _run(data, "catalogue", "list").stdout
        alone = _run(data, "quarantine", "agree", "1", "--person", "finance", stdin="a-good-password\n")
        assert "quarantine.no_decision" in alone.stderr
        postgres = int((data / "postgres" / "postmaster.pid").read_text().split()[0])
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=DEADLINE_S)
    # Stopped in order, uvicorn lets the signal have its last word.
    assert server.returncode in (0, -signal.SIGTERM)
    assert not Path(f"/proc/{postgres}").exists()
    shown = _run(data, "keys", "show").stdout
    assert [line.split()[0] for line in shown.splitlines()] == ["witness", "feed", "exchange", "wrapping"]


def _address(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found[0]
