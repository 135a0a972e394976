"""Programs that serve, as processes of their own, and a browser that keeps its connection."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlencode

import msgspec

from daftar.bench.grown_box import PASSWORD, USERNAME, set_port
from edge.settings import STORE_NAME

START_MAX_S: Final = 300.0
_LOOK_EVERY_S: Final = 0.005
_FORM_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')
_REDIRECT: Final = 303
_OK: Final = 200


class Serving(msgspec.Struct, frozen=True):
    """A program that answers."""

    pid: int
    port: int
    start_s: float
    """From the call that made the process until it answered."""
    start_worked_s: float
    """Time that processors worked for it until then."""

    def worked_ns(self) -> int:
        """Return how long processors have worked for the process: nothing that others do on the machine is in it."""
        return worked_ns(self.pid)

    def rss_bytes(self) -> int:
        """Return the memory of the process that is in the machine's, by the kernel."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0


def worked_ns(pid: int) -> int:
    """Return how long processors have worked for a process, all its threads together, by the kernel's scheduler."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[Serving]:
    """Run a program until it takes connections, and stop it at the end. Raises TimeoutError, ChildProcessError."""
    begun = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        start_s = _wait(process, port, begun)
        yield Serving(process.pid, port, start_s, worked_ns(process.pid) / 1e9)
    finally:
        process.terminate()
        process.wait(START_MAX_S)


def _wait(process: "subprocess.Popen[bytes]", port: int, begun: float) -> float:
    """Return how long it took until somebody answered a request there."""
    while time.perf_counter() - begun < START_MAX_S:
        if process.poll() is not None:
            raise ChildProcessError(f"it ended with {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_MAX_S)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except (ConnectionError, TimeoutError):
            _wait_a_moment(process)
        else:
            return time.perf_counter() - begun
        finally:
            connection.close()
    raise TimeoutError(f"nobody answers on port {port}")


def _wait_a_moment(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LOOK_EVERY_S)


@contextmanager
def serve_box(home: Path) -> Iterator[Serving]:
    """Serve the box of a folder, its file out of the machine's cache as after a power cut."""
    port = set_port(home)
    forget(home / STORE_NAME)
    with serving(["daftar", "edge", "serve", "--data", str(home)], port) as served:
        yield served


def forget(path: Path) -> None:
    """Have the kernel drop what it holds of a file in memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


class Browser:
    """One connection that is kept, with its cookies."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_MAX_S)
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> str:
        """Return a page. Raises ValueError for anything but a page."""
        status, body = self._ask("GET", path)
        if status != _OK:
            raise ValueError(f"{path}: {status}")
        return body

    def sign_in(self) -> None:
        """Sign in as the operator of a grown box."""
        found = _FORM_TOKEN.search(self.get("/sign-in"))
        fields = {"csrf": found[1] if found else "", "username": USERNAME, "password": PASSWORD}
        status, _ = self._ask("POST", "/sign-in", urlencode(fields))
        if status != _REDIRECT:
            raise ValueError(f"signing in: {status}")

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, form, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.read().decode()
