"""The embedded database engine as a process in the background."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, ConfigurationError, LmError
from python_scoring.base.project import project_dir

DEFAULT_DIR = Path(".lm") / "engine"
SOCKET = Path("run") / "sql.sock"
PID_FILE = "daemon.pid"
READY = "ready"
LOG_FILE = "daemon.log"
DAEMON = Path(__file__).with_name("engine_daemon.py")
SERVER_PID_FILE = Path("run") / "seekdb.pid"
START_SECONDS = 40
START_ATTEMPTS = 3
STOP_SECONDS = 30


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "engine", help="start, stop or look at the embedded database", description=__doc__
    )
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument(
        "--dir", type=Path, help=f"its data (default: by LM_SOCKET, else {DEFAULT_DIR})"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    folder = (args.dir or default_dir()).resolve()
    if args.action == "stop":
        print("engine stopped" if stop(folder) else "engine was not running")
        return EXIT_OK
    if args.action == "start":
        start(folder)
    pid = running_pid(folder)
    if pid is None:
        print(f"engine not running ({folder})")
        return EXIT_PROBLEM
    print(f"engine running, process {pid}\n  data    {folder}\n  socket  {socket_of(folder)}")
    if folder != default_dir().resolve():
        print(f"  to use  export LM_SOCKET={socket_of(folder)}")
    return EXIT_OK


def default_dir() -> Path:
    """Where the profile's target `embedded` looks for the engine."""
    named = os.environ.get("LM_SOCKET")
    return dir_of_socket(project_dir() / named) if named else project_dir() / DEFAULT_DIR


def socket_of(folder: Path) -> Path:
    return folder / SOCKET


def dir_of_socket(path: Path) -> Path:
    """The engine's folder, from the socket that it makes there."""
    if path.parts[-2:] != SOCKET.parts:
        raise ConfigurationError(
            f"the embedded engine's socket is FOLDER/{SOCKET}, got {path}: unset LM_SOCKET,"
            " or choose another --target"
        )
    return path.parent.parent


def running_pid(folder: Path) -> int | None:
    """The daemon's process id, or None when none runs in `folder`."""
    words = _daemon_says(folder)
    return int(words[0]) if words else None


def is_ready(folder: Path) -> bool:
    words = _daemon_says(folder)
    # A daemon that has just taken the lock may not have wiped its dead predecessor's words.
    return READY in words and _is_alive(int(words[0])) and _accepts(folder)


def _daemon_says(folder: Path) -> list[str]:
    """Process id and readiness, empty when no daemon holds the lock on its file."""
    import fcntl  # not on Windows, where the engine is not either

    try:
        with (folder / PID_FILE).open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().split()
    except FileNotFoundError:
        pass
    return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _accepts(folder: Path) -> bool:
    """Whether the server takes connections: a killed one leaves its socket behind."""
    try:
        # By its bare name: a Unix socket's path may not be longer than about 100 bytes.
        with (
            contextlib.chdir(socket_of(folder).parent),
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link,
        ):
            link.connect(SOCKET.name)
    except OSError:
        return False
    return True


def ensure(folder: Path) -> None:
    """Start the engine unless it runs."""
    if not is_ready(folder):
        start(folder)


def start(folder: Path) -> None:
    """Start the engine and wait until it answers. Does nothing where it runs already."""
    if importlib.util.find_spec("pylibseekdb") is None:
        raise LmError(
            f"the embedded engine has no package for {sys.platform} {platform.machine()}:"
            " use Linux x86_64 or arm64 (glibc) or macOS arm64, or a server with --target"
        )
    if is_ready(folder):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(START_ATTEMPTS):
        started = time.time()
        if _start_once(folder):
            return
        _kill(folder, started)
    raise LmError(
        f"the engine did not answer in {START_SECONDS} s, {START_ATTEMPTS} times;"
        f" see {folder / LOG_FILE}"
    )


def _start_once(folder: Path) -> bool:
    """Whether the engine is ready in time."""
    daemon = _spawn(folder)
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(folder):
        if daemon.poll():
            raise LmError(f"the engine did not start: {_last_words(folder)}")
        if daemon.poll() == 0:
            # It found another one at work, which is starting too, or dying.
            time.sleep(0.2)
            daemon = _spawn(folder)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _kill(folder: Path, started: float) -> None:
    """End a daemon that does not get ready, and the server that it has started since."""
    pids = [running_pid(folder)]
    server = folder / SERVER_PID_FILE
    with contextlib.suppress(OSError, ValueError, IndexError):
        # An older file may name a process that has nothing to do with us.
        if server.stat().st_mtime >= started:
            pids.append(int(server.read_text().split()[0]))
    for pid in pids:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOP_SECONDS
    while running_pid(folder) is not None and time.monotonic() < deadline:
        time.sleep(0.1)


def stop(folder: Path) -> bool:
    """Stop the engine and wait until it is gone; False when none ran."""
    pid = running_pid(folder)
    if pid is None:
        return False
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if running_pid(folder) is None:
                return True
            time.sleep(0.05)
    raise LmError(f"the engine's process {pid} does not end")


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    """The daemon, in a session of its own and with none of our streams open."""
    # Its vendor's usage reports are on by default: nothing leaves a clinic's machine.
    environment = {**os.environ, "TELEMETRY_ENABLED": "false"}
    with (folder / LOG_FILE).open("ab") as log:
        return subprocess.Popen(
            # -P: modules beside the file must not stand in for the standard library's.
            [sys.executable, "-P", str(DAEMON), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )


def _last_words(folder: Path) -> str:
    log = folder / LOG_FILE
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = [line for line in lines if line.strip()][-1:]
    return f"{last[0].strip() if last else 'no message'} (see {log})"
