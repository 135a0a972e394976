"""Child processes that never outlive their parent, started and stopped in order.

Each child asks the kernel to end it when its parent dies (prctl(2), PR_SET_PDEATHSIG), so that a demo killed with -9
leaves nothing behind.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from shared.errors import PeerError

_PR_SET_PDEATHSIG: Final = 1
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 12.0
_LOOK_EVERY_S: Final = 0.05

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent(parent: int) -> None:
    """Run in the child before it becomes the program."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # The parent died between fork and prctl: the signal will never come.
        os._exit(1)


class Process:
    """One running child and its log file."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log_path: Path) -> None:
        self.name = name
        self.child = child
        self.log_path = log_path

    @property
    def pid(self) -> int:
        """Return the child's process id."""
        return self.child.pid

    def running(self) -> bool:
        """Return whether it has not ended."""
        return self.child.returncode is None

    async def stop(self) -> None:
        """Ask it to end; after STOP_TIMEOUT_S make it."""
        if not self.running():
            return
        self.child.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self.child.wait()
        except TimeoutError:
            self.child.kill()
            await self.child.wait()

    async def kill(self) -> None:
        """End it as a power cut would: no clean-up of its own."""
        if self.running():
            self.child.kill()
            await self.child.wait()


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _append(path: Path, data: bytes) -> None:
    with _opened(path) as log_file:
        log_file.write(data)


async def start(name: str, arguments: Sequence[str], log_folder: Path) -> Process:
    """Start `daftar ARGUMENTS` as a child whose output goes to `log_folder/name.log`."""
    log_path = log_folder / f"{name}.log"
    parent = os.getpid()
    with _opened(log_path) as log_file:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "daftar",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            # Its own group: Ctrl-C reaches the demo alone, which then stops its children in order.
            start_new_session=True,
            preexec_fn=lambda: _die_with_parent(parent),
        )
    return Process(name, child, log_path)


async def run(name: str, arguments: Sequence[str], log_folder: Path, *, stdin: str = "") -> str:
    """Run `daftar ARGUMENTS` to its end and return what it printed. Raises PeerError `demo.step_failed`."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daftar",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate(stdin.encode())
    _append(log_folder / f"{name}.log", err)
    if child.returncode != 0:
        raise PeerError("demo.step_failed", name=name, output=(err or out).decode(errors="replace")[-2000:])
    return out.decode()


async def wait_ready(process: Process, url: str) -> None:
    """Wait until the process answers 200 at `url`. Raises PeerError `demo.not_started` with the end of its log."""
    async with httpx.AsyncClient(timeout=2) as client:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while process.running():
                    try:
                        if (await client.get(url)).status_code == httpx.codes.OK:
                            return
                    except httpx.HTTPError:
                        pass
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            pass
    tail = process.log_path.read_text(errors="replace")[-2000:]
    raise PeerError("demo.not_started", name=process.name, output=tail)
