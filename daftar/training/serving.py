"""Serving a training: its box, its desk and its centre in one process, until told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvicorn
from litestar.types import ASGIApp

from daftar.demo.desk.app import create_desk_app
from daftar.demo.desk.settings import DeskSettings, SignIn
from daftar.demo.run_desk import SAMPLES
from daftar.training.centre import centre_app
from daftar.training.office import FOLDER, TERMINAL_MODEL, Ports, make_office
from daftar.training.own_cookies import with_own_cookies
from edge.app import create_app
from edge.devices.catalogue import load_catalogue
from edge.settings import load_settings
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import OperatorError

LOOPBACK: Final = "127.0.0.1"
_SHUTDOWN_TIMEOUT_S: Final = 2
_LOOPBACK_PORTS: Final = 5


class _Server(uvicorn.Server):
    """One of several in a process: signals are heard once, by whoever serves them all."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _free_ports() -> list[int]:
    """Return ports of loopback that are free now. All are held open together, so that no two are the same."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(_LOOPBACK_PORTS)]
        for listener in listeners:
            listener.bind((LOOPBACK, 0))
        return [listener.getsockname()[1] for listener in listeners]


def _listener(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OperatorError `training.cannot_listen`."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise OperatorError("training.cannot_listen", port=port, why=str(error.strerror)) from error


def serve_training(data: Path, *, port: int, desk_port: int, clock: Clock, entropy: Entropy) -> None:
    """Serve the training of the box in `data` on the host of its pages. SIGTERM or Ctrl-C stops it.

    Raises OperatorError `training.cannot_listen`, and what `make_office` raises.
    """
    real = load_settings(data)
    with ExitStack() as opened:
        sockets = [opened.enter_context(_listener(real.host, one)) for one in (port, desk_port)]
        first, second, printer, line, centre_port = _free_ports()
        box_port, desk_at = (one.getsockname()[1] for one in sockets)
        ports = Ports(
            box=box_port, desk=desk_at, terminals=(first, second), printer=printer, line=line, centre=centre_port
        )
        folder, centre = make_office(data, real, ports, clock, entropy)
        desk = DeskSettings(
            port=ports.desk,
            line_port=ports.line,
            terminal_ports=ports.terminals,
            printer_port=ports.printer,
            central_port=ports.centre,
            folder=data / FOLDER / "desk",
            box=SignIn(url=f":{ports.box}"),
            central=None,
            samples=SAMPLES,
            training=True,
            terminal_model=load_catalogue().terminal(TERMINAL_MODEL),
        )
        desk.folder.mkdir()
        box = with_own_cookies(create_app(folder, clock, entropy))  # type: ignore[arg-type]
        apps: list[tuple[ASGIApp, socket.socket]] = [
            (centre_app(centre), opened.enter_context(_listener(LOOPBACK, ports.centre))),
            (create_desk_app(desk, clock=clock, entropy=entropy), sockets[1]),
            (box, sockets[0]),
        ]
        asyncio.run(_serve(apps))


async def _serve(apps: list[tuple[ASGIApp, socket.socket]]) -> None:
    servers = [
        _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
            )
        )
        for app, _ in apps
    ]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    running = [
        asyncio.create_task(server.serve([listener])) for server, (_, listener) in zip(servers, apps, strict=True)
    ]
    # None of them is of use without the others.
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    stop()
    await asyncio.gather(*running)
