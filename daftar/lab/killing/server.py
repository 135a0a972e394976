"""The real server as a child: `daftar edge serve`, forked from a process that has only imported it.

A start then costs what the box's own start costs, not what an interpreter's does. The child is a process of its own
with its own sockets and files; killed with -9 nothing of it runs any more. It never outlives the lab.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from contextlib import nullcontext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import httpx

from daftar.cli_edge import edge
from daftar.lab.killing.mutants import named

_PR_SET_PDEATHSIG: Final = 1
_READY: Final = "daftar.lab.killing.ready"
START_TIMEOUT_S: Final = 120.0
_LOOK_EVERY_S: Final = 0.01


def _serve(folder: str, mutant: str | None) -> None:
    """Be the server. Runs in the child."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_the_lab, daemon=True).start()
    with (Path(folder) / "server.log").open("ab") as log_file:
        os.dup2(log_file.fileno(), sys.stdout.fileno())
        os.dup2(log_file.fileno(), sys.stderr.fileno())
    with nullcontext() if mutant is None else named(mutant).apply():
        edge.main(["serve", "--data", folder], standalone_mode=False)


def _end_with_the_lab() -> None:
    """End when the lab does, however it ended: it is not the parent, the process that forks is."""
    lab = multiprocessing.parent_process()
    if lab is not None:
        lab.join()
        os.kill(os.getpid(), signal.SIGKILL)


class Server:
    """One office's server, started and killed many times."""

    def __init__(self, folder: Path, port: int, mutant: str | None = None) -> None:
        self._folder = folder
        self._mutant = mutant
        self._port = port
        context: Any = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([_READY])
        self._context = context
        self._child: BaseProcess | None = None
        self.kills = 0

    @property
    def running(self) -> bool:
        """Return whether it runs."""
        return self._child is not None and self._child.is_alive()

    def launch(self) -> None:
        """Start it; it answers a moment later."""
        self._child = self._context.Process(target=_serve, args=(str(self._folder), self._mutant), daemon=True)
        self._child.start()

    async def ready(self, client: httpx.AsyncClient) -> bool:
        """Wait until it answers; return False when it ended before. Raises TimeoutError."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while self.running:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health")).status_code == httpx.codes.OK:
                        return True
                await asyncio.sleep(_LOOK_EVERY_S)
        return False

    def kill(self) -> None:
        """Kill it here and now."""
        child, self._child = self._child, None
        if child is None or child.pid is None or not child.is_alive():
            return
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        self.kills += 1

    def log_tail(self) -> str:
        """Return the end of what it logged."""
        path = self._folder / "server.log"
        return path.read_text(errors="replace")[-2_000:] if path.exists() else ""
