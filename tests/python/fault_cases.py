"""A clinic's life under faults: a first load and a night by `lm run`, disturbed at chosen moments,
and what the tables must then be."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import mysql.connector
from conftest import ROOT, TestTarget
from oracle_data import Source
from pipeline_cases import (
    END,
    NOW,
    Table,
    clinic,
    fill,
    meaning,
    moment,
    own_schema,
    read,
    unlike,
    until,
)

from python_scoring.base import dbt_runner, engine, watermarks
from python_scoring.base.database import Probe
from python_scoring.base.errors import LmError
from python_scoring.base.run_log import last_run

# `lm run` without the tests of the data, which are no matter of faults.
LM = (
    "import sys\nfrom python_scoring import cli\nfrom python_scoring.base import dbt_runner\n"
    "dbt_runner.BUILD = ('build', '--resource-type', 'seed', '--resource-type', 'model')\n"
    "raise SystemExit(cli.main(sys.argv[1:]))"
)
COMPARED = (
    *("int_calls", "fct_call", "lm_reference", "int_week_facts", "int_known_facts", "lm_value"),
    *("int_review_batches", "lm_daily_stats", "lm_daily_facts"),
)
FORECAST = (
    "select grain, target, dimension, dimension_value, concat(period_start), horizon,"
    " round(yhat, 6), round(yhat_lo80, 6), round(yhat_hi80, 6), model from lm_forecast"
    " where run_id = (select run_id from lm_forecast_run order by id desc limit 1)"
    " order by 1, 2, 3, 4, 5"
)
# Of the first load, and of the night after it.
MOMENTS = (END - timedelta(days=4), NOW)
# Small, so that a kill finds work half done.
BATCH_CALLS = 60
NOTHING_YET = "not at work yet"


@dataclass(frozen=True)
class State:
    """What the tables mean, times and ids apart."""

    tables: dict[str, Table]
    forecast: list[tuple[Any, ...]]

    def differences(self, other: State) -> dict[str, int]:
        """Rows that differ, by table; {} when all are the same."""
        found = {
            name: len(unlike(table, other.tables[name])) for name, table in self.tables.items()
        }
        mine, others = ({str(row) for row in one.forecast} for one in (self, other))
        found["lm_forecast"] = len(mine ^ others)
        return {name: count for name, count in found.items() if count}


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, seconds, what it said, and what was at work at the fault."""

    code: int
    seconds: float
    said: str
    in_flight: str = ""

    @property
    def last_line(self) -> str:
        return self.said.strip().splitlines()[-1] if self.said.strip() else ""


@dataclass
class Life:
    """A schema whose sources fill in two parts."""

    target: TestTarget
    source: Source = field(default_factory=clinic)

    def arrive(self, part: int) -> None:
        begin = datetime.min if part == 0 else MOMENTS[0]
        fill(self.target, until(self.source, (MOMENTS[0], END)[part], begin))

    def run(
        self,
        part: int,
        disturb: Callable[[subprocess.Popen[bytes]], str] | None = None,
        *words: str,
        **variables: Any,
    ) -> Ended:
        """`lm run` at the part's moment; `disturb` is called with it as it begins."""
        given = {"as_of": moment(MOMENTS[part]), "lm_batch_calls": BATCH_CALLS, **variables}
        words = ("run", "--no-report", "--target", self.target.name, *words)
        output = self.target.folder / "lm.txt"
        environment = self.target.environment | dbt_runner.SETTINGS
        environment["LM_MODEL_DIR"] = str(self.target.folder / "models")
        began = time.monotonic()
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", LM, *words, "--vars", json.dumps(given)],
                cwd=ROOT,
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                in_flight = disturb(process) if disturb else ""
                process.wait(600)
            finally:
                kill(process)
        code = process.returncode
        return Ended(code, time.monotonic() - began, output.read_text(errors="replace"), in_flight)

    def state(self) -> State:
        tables = {name: meaning(read(self.target, name)) for name in COMPARED}
        return State(tables, self.target.rows(FORECAST))

    def at_work(self) -> str:
        """What the run is doing now: the models whose batch is being written, else its step."""
        with suppress(mysql.connector.Error, LmError), closing(self.target.connect()) as connection:
            probe = Probe(connection)
            names = [
                name
                for (name,) in probe.rows(
                    "select model_name from lm_watermark where feed = 'lock' order by model_name"
                )
                if not _free(probe, name)
            ]
            if names:
                return ", ".join(names)
            steps = last_run(probe, self.target.load())
            running = [step.step for step in steps if step.status == "running"]
            return f"{running[-1]}, between batches" if running else NOTHING_YET
        return NOTHING_YET


def _free(probe: Probe, name: str) -> bool:
    is_free = watermarks.is_free(probe, "lm_watermark", name, "lock")
    if is_free:
        probe.do("rollback")
    return is_free


@contextmanager
def life(target: TestTarget, name: str, source: Source | None = None) -> Iterator[Life]:
    with own_schema(target, name) as here:
        yield Life(here, source or clinic())


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, children too."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def killed_after(
    one: Life, seconds: float
) -> Callable[[subprocess.Popen[bytes]], str]:  # fmt: skip
    """A disturbance: SIGKILL after so long, and not before the run is at work."""

    def disturb(process: subprocess.Popen[bytes]) -> str:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return "ended before"
        in_flight = one.at_work()
        while in_flight == NOTHING_YET and process.poll() is None:
            time.sleep(0.05)
            in_flight = one.at_work()
        if process.poll() is not None:
            return "ended before"
        kill(process)
        return in_flight

    return disturb


def cut_after(one: Life, seconds: float) -> Callable[[subprocess.Popen[bytes]], str]:
    """A disturbance: after so long the first statement seen at work loses its connection.

    The embedded engine dies as a whole.
    """

    def disturb(process: subprocess.Popen[bytes]) -> str:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return "ended before"
        in_flight = one.at_work()
        if one.target.name == "embedded":
            kill_engine(one.target)
            return in_flight
        with closing(one.target.connect()) as connection:
            probe = Probe(connection)
            while process.poll() is None:
                for number, info in probe.rows(
                    "select id, info from information_schema.processlist where id <>"
                    " connection_id() and command = 'Query' and info like %s",
                    (f"%{one.target.schema}%",),
                ):
                    with suppress(mysql.connector.Error):
                        probe.do(f"kill connection {number}")
                        return f"{in_flight}: {' '.join(str(info).split())[:60]}"
                time.sleep(0.005)
        return "ended before"

    return disturb


def kill_engine(here: TestTarget) -> None:
    """kill -9 of the embedded engine's server and of the daemon that keeps it."""
    folder = engine.dir_of_socket(Path(here.settings["LM_SOCKET"]))
    for name in ("daemon.pid", "run/seekdb.pid"):
        with suppress(OSError):
            os.kill(int((folder / name).read_text().split()[0]), signal.SIGKILL)


def moments(seed: int, count: int, seconds: float) -> list[float]:
    """Random moments of a run that takes so long, after most of its start-up."""
    random_ = random.Random(seed)
    return sorted(random_.uniform(0.3, 0.8) * seconds for _ in range(count))
