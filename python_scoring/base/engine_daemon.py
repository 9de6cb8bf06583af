"""The process that keeps the embedded engine open; started by engine.py, run as a file.

    python -P engine_daemon.py DIR

It holds a lock on DIR/daemon.pid as long as it lives, so a lock that can be taken means
that no engine runs, whatever a killed process left lying. The engine's own server process
ends with its last holder. Imports nothing of the package: it is run without it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

PID_FILE = "daemon.pid"
READY = "ready"
POLL_SECONDS = 0.2
# Set at each start. The engine's own defaults end a statement after 10 seconds, put the clock
# on +08:00, write a busy log and give one statement too little memory for all metrics at once.
SETTINGS = (
    "set global time_zone = '+00:00'",
    "set global ob_query_timeout = 7200000000",
    "set global ob_trx_timeout = 86400000000",
    "alter system set syslog_level = 'ERROR'",
    "alter system set query_memory_limit_percentage = 100",
    # Now and then an engine that was killed comes back with its tables locked for good: it answers
    # queries, and hangs here. Its starter sees that it is not ready, and starts it once more.
    "create database if not exists lm_engine_is_ready",
    "drop database lm_engine_is_ready",
)


def hold(folder: Path) -> int:
    """Open the engine in `folder` and stay until SIGTERM or until its server dies."""
    with (folder / PID_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another daemon was faster
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)

        stopping = False

        def stop(_signal: int, _frame: object) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

        import pylibseekdb

        instance = pylibseekdb.open(str(folder))
        connection = instance.connect(database="oceanbase")
        for statement in SETTINGS:
            connection.cursor().execute(statement)
        connection.close()
        print(READY, file=lock, flush=True)
        print("engine open", flush=True)
        while not stopping:
            time.sleep(POLL_SECONDS)
            if _child_died():
                print("the engine's server process died", flush=True)
                return 1
        instance.close()
        # The server closes its files after the handle: stopped means it is gone.
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not _child_died():
            time.sleep(0.05)
        print("engine closed", flush=True)
        return 0


def _child_died() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


if __name__ == "__main__":
    raise SystemExit(hold(Path(sys.argv[1])))
