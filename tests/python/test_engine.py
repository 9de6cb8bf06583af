"""The embedded engine survives what users and machines do to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DBT, ROOT, clean_environment

from python_scoring.base import engine

pytest.importorskip("pylibseekdb", reason="no package for this platform")

Lm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a folder whose path is longer than a Unix socket's may be."""
    folder = tmp_path_factory.mktemp("engine") / ("long" * 25)
    folder.mkdir()
    (folder / "dbt_project.yml").write_text(
        "name: operabot_lm\nprofile: operabot_lm\nversion: 1.0.0\nvars: {utc_offset: '+03:00'}\n"
    )
    (folder / "profiles.yml").write_bytes((ROOT / "profiles.example.yml").read_bytes())
    (folder / "models").mkdir()
    (folder / "models" / "one.sql").write_text("select 1 as n")
    return folder


@pytest.fixture(scope="module")
def lm(project: Path) -> Iterator[Lm]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "python_scoring", *arguments],
            cwd=project,
            env=clean_environment() | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            # A daemon that kept our pipes open would make this wait for ever.
            timeout=180,
            check=False,
        )

    yield run
    run("engine", "stop")


def test_start_status_stop(lm: Lm) -> None:
    assert lm("engine", "status").returncode == 1
    first = lm("engine", "start")
    assert first.returncode == 0, first.stderr
    again = lm("engine", "start")
    assert again.stdout == first.stdout
    assert lm("engine", "status").returncode == 0
    assert lm("engine", "stop").stdout == "engine stopped\n"
    assert lm("engine", "status").returncode == 1
    assert lm("engine", "stop").stdout == "engine was not running\n"


@pytest.mark.parametrize("victim", ["engine/daemon.pid", "engine/run/seekdb.pid"])
def test_data_outlives_kill_9(victim: str, lm: Lm, project: Path) -> None:
    filled = lm("shell", "-e", "create database if not exists d; create table d.t (n int);"
                " insert into d.t values (1), (2)")  # fmt: skip
    assert filled.returncode == 0, filled.stderr
    os.kill(int((project / ".lm" / victim).read_text().split()[0]), signal.SIGKILL)
    counted = lm("shell", "-e", "select count(*) as n from d.t; drop table d.t")
    assert counted.returncode == 0, counted.stderr
    assert counted.stdout.split()[2] == "2"


def test_nothing_stays_when_the_daemon_is_killed(lm: Lm, project: Path) -> None:
    assert lm("engine", "start").returncode == 0
    server = int((project / ".lm/engine/run/seekdb.pid").read_text())
    os.kill(int((project / ".lm/engine/daemon.pid").read_text().split()[0]), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and Path(f"/proc/{server}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{server}").exists()
    assert lm("engine", "status").returncode == 1


def test_dbt_connects_from_a_long_path(lm: Lm, project: Path) -> None:
    assert lm("engine", "start").returncode == 0
    done = subprocess.run(
        [DBT, "build"],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Completed successfully" in done.stdout, done.stdout


def test_two_starts_at_once_make_one_engine(lm: Lm, project: Path) -> None:
    lm("engine", "stop")
    starts = [
        subprocess.Popen(
            [sys.executable, "-m", "python_scoring", "engine", "start"],
            cwd=project,
            env=clean_environment() | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    shown = {start.communicate(timeout=180)[0] for start in starts}
    assert len(shown) == 1
    assert "engine running" in shown.pop()


def test_clock_is_utc_and_statements_may_take_long(lm: Lm) -> None:
    shown = lm("shell", "-e", "select @@global.time_zone, @@ob_query_timeout").stdout
    assert "+00:00" in shown
    assert "7200000000" in shown


def test_a_hung_start_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first daemon takes the lock and never gets ready; the second one is well."""
    script = tmp_path / "hangs_once.py"
    script.write_text(
        "import fcntl, os, sys, time\n"
        "from pathlib import Path\n"
        "folder = Path(sys.argv[1])\n"
        "if not (folder / 'tried').exists():\n"
        "    (folder / 'tried').touch()\n"
        "    lock = (folder / 'daemon.pid').open('a+')\n"
        "    fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "    print(os.getpid(), file=lock, flush=True)\n"
        "    time.sleep(600)\n"
        f"os.execv(sys.executable, [sys.executable, '-P', {str(engine.DAEMON)!r}, sys.argv[1]])\n"
    )
    monkeypatch.setattr(engine, "DAEMON", script)
    monkeypatch.setattr(engine, "START_SECONDS", 12)
    folder = Path(tempfile.mkdtemp(prefix="lm-"))
    try:
        engine.start(folder)
        assert engine.is_ready(folder)
        assert (folder / "tried").exists()
    finally:
        engine.stop(folder)
        shutil.rmtree(folder)


def test_broken_data_is_told_in_a_line(lm: Lm, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    done = lm("engine", "start", "--dir", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("lm: the engine did not start: ")
    assert "Traceback" not in done.stderr
