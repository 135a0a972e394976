import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from central.store.embedded import EmbeddedPostgres
from central.store.engine import open_engine
from shared.errors import DeviceError

pytestmark = pytest.mark.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="daftar-test-pg-"))
    yield made / "pg"
    shutil.rmtree(made)


def _ask(server: EmbeddedPostgres, statement: str) -> object:
    engine = open_engine(server.url())
    try:
        with engine.begin() as connection:
            return connection.execute(text(statement)).scalar()
    finally:
        engine.dispose()


def test_a_server_whose_owner_was_killed_is_taken_over_with_its_data_and_stopped_with_us(folder: Path) -> None:
    script = (
        "import sys, pathlib; from central.store.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    orphan = int(owner.stdout.readline())
    with pytest.raises(DeviceError, match=r"central\.data_in_use"):
        EmbeddedPostgres(folder)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()

    with EmbeddedPostgres(folder, durable=False) as server:
        assert server.pid == orphan
        assert _ask(server, "SELECT 42") == 42
    assert not Path(f"/proc/{orphan}").exists()


def test_a_killed_server_is_started_again_and_a_stale_pid_file_is_not_believed(folder: Path) -> None:
    first = EmbeddedPostgres(folder, durable=False)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    pid_file = folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with EmbeddedPostgres(folder, durable=False) as second:
        assert _ask(second, "SELECT 1") == 1
        assert _ask(second, "SHOW listen_addresses") == ""


def test_the_children_of_a_killed_server_are_waited_for(folder: Path) -> None:
    first = EmbeddedPostgres(folder, durable=False)
    child = int(Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()[0])
    os.kill(child, signal.SIGSTOP)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    with ThreadPoolExecutor() as pool:
        try:
            starting = pool.submit(EmbeddedPostgres, folder, durable=False)
            # The child still holds the memory, so the first try is refused.
            while "pre-existing shared memory block" not in (folder / "server.log").read_text():
                assert not starting.done()
        finally:
            os.kill(child, signal.SIGCONT)
        with starting.result(60) as second:
            assert _ask(second, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_gets_a_socket_elsewhere(folder: Path) -> None:
    deep = folder.parent / ("d" * 60) / ("e" * 60) / "pg"
    with EmbeddedPostgres(deep, durable=False) as server:
        assert _ask(server, "SELECT 1") == 1
