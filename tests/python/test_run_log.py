"""lm_run_log: what each run leaves of itself, and where that is told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import mysql.connector
import pytest
from conftest import TestTarget
from pipeline_cases import BUILD, NOW, PATIENT, clinic, execute, fill, moment, own_schema, run

from python_scoring import cli
from python_scoring.base import run_log
from python_scoring.base.database import Probe
from python_scoring.base.errors import BusyError, LmError, TimeLimitError
from python_scoring.base.run_log import RunLog, Step
from python_scoring.daily import command as daily
from python_scoring.daily import lock
from python_scoring.doctor import last_run
from python_scoring.report import inputs

AT_NOW = ("--vars", f"{{as_of: '{moment(NOW)}'}}")


@pytest.fixture(scope="module")
def built(target: TestTarget) -> Iterator[TestTarget]:
    """Seeds and models of the clinic, by plain dbt."""
    with own_schema(target, "log") as here:
        fill(here, clinic())
        run(here, *BUILD)
        yield here


def log_of(here: TestTarget) -> list[Step]:
    with closing(here.connect()) as connection:
        return run_log.last_run(Probe(connection), here.load())


def dated_back(here: TestTarget, days: int) -> None:
    execute(
        here,
        f"update `{here.schema}`.lm_run_log set started_at = date_sub(started_at, interval {days}"
        f" day), ended_at = date_sub(ended_at, interval {days} day)",
    )


def test_plain_dbt_logs_its_step(built: TestTarget) -> None:
    (step,) = log_of(built)
    assert (step.step, step.status, step.error) == ("dbt build", "done", None)
    assert step.rows_read == len(clinic().history)
    (written,) = built.rows("select count(*) from lm_value")[0]
    assert step.rows_written and step.rows_written > written
    assert step.ended_at and timedelta(0) < step.ended_at - step.started_at < timedelta(minutes=10)
    now = run_log.clock(built.load())
    assert now - timedelta(minutes=15) < step.started_at <= now, "local time, whatever as_of says"


def test_lm_run_logs_every_step(built: TestTarget) -> None:
    # Models alone: tests of the data are another module's.
    with mock.patch("python_scoring.base.dbt_runner.BUILD", BUILD):
        done = built.lm("run", "--no-forecast", *AT_NOW, check=True)
    steps = {step.step: step for step in log_of(built)}
    assert list(steps) == ["run", "dbt build", "train", "score", "dbt run", "report"], done.stdout
    assert {step.status for step in steps.values()} == {"done"}
    assert steps["score"].rows_read == len(clinic().history)
    assert steps["score"].rows_written == 3 * len(clinic().history)
    with closing(built.connect()) as connection:
        good = run_log.last_good_end(Probe(connection), built.load())
    assert good == steps["run"].ended_at
    told = built.lm("doctor", "--last-run", check=True)
    assert "score done" in told.stdout and "rows written" in told.stdout
    assert run_log.VARIABLE not in os.environ


def test_a_failed_model_is_logged_without_values(built: TestTarget) -> None:
    """A word that the server quotes in its message stays out of the log."""
    word = PATIENT.split()[1]
    done = run(built, check=False, lm_batch_calls=word)
    assert word in done.stdout, "the server should have quoted it"
    (step,) = log_of(built)
    assert (step.step, step.status) == ("dbt run", "failed")
    assert step.error and re.search(r"int_name_sightings \d{4} ", step.error), step.error
    assert word not in step.error and "'" not in step.error
    told = built.lm("doctor", "--last-run")
    assert told.returncode == 1 and "FAIL  last run" in told.stdout


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LmError("no"), "failed"),
        (BusyError("no"), "busy"),
        (TimeLimitError("no"), "time_limit"),
        (KeyboardInterrupt(), "interrupted"),
        (mysql.connector.Error("gone", errno=2013), "busy"),
        (mysql.connector.Error("denied", errno=1142), "failed"),
        (ValueError("no"), "failed"),
    ],
)
def test_every_end_has_its_word(built: TestTarget, error: BaseException, status: str) -> None:
    log = RunLog(built.load())
    with pytest.raises(type(error)), log.whole(), log.step("score"):
        raise error
    whole, step = log_of(built)
    assert (whole.step, whole.status, step.status) == ("run", status, status)
    assert whole.ended_at and step.error is not None


def test_errors_hold_no_values() -> None:
    number = "+7 (912) 555-44-33"
    for error in (
        mysql.connector.Error(f"Duplicate entry '{PATIENT}' for key", errno=1062),
        LmError(f"the caller '{PATIENT}', {number}, a@b.example is \"{PATIENT}\""),
        ValueError(PATIENT),
    ):
        told = run_log.without_values(error)
        assert not any(part in told for part in (*PATIENT.split(), "912", "555", "b.example"))


def test_the_next_run_finds_the_killed(built: TestTarget) -> None:
    dead = RunLog(built.load())
    dead.write(Step(dead.run_id, "run", run_log.clock(built.load()) - timedelta(hours=1)))
    dead.write(Step(dead.run_id, "score", run_log.clock(built.load()) - timedelta(hours=1)))
    with closing(built.connect()) as connection:
        (finding,) = last_run.check_last_run(built.load(), Probe(connection))
    assert finding.status == "warn" and "score was killed" in finding.what
    with lock.only_run(built.load()), closing(built.connect()) as connection:
        (finding,) = last_run.check_last_run(built.load(), Probe(connection))
    assert "killed" not in finding.what, "its lock is held"
    with lock.only_run(built.load()), RunLog(built.load()).whole():
        pass
    rows = built.rows("select status from lm_run_log where run_id = %s", (dead.run_id,))
    assert rows == [("killed",), ("killed",)]


def test_old_rows_go(built: TestTarget) -> None:
    execute(
        built,
        f"insert into `{built.schema}`.lm_run_log (run_id, step, started_at, status) values"
        " ('old', 'run', date_sub(now(), interval 401 day), 'done'),"
        " ('young', 'run', date_sub(now(), interval 398 day), 'done')",
    )
    run(built, "run", "--select", "int_profile_params")
    found = built.rows("select run_id from lm_run_log where run_id in ('old', 'young')")
    assert found == [("young",)]


def test_the_page_tells_of_failed_and_stale_runs(built: TestTarget) -> None:
    log = RunLog(built.load())
    with log.whole(), log.step("score"):
        pass
    assert problems(built) == {"bad_steps": [], "is_stale": False, "is_dead": False}
    dated_back(built, 3)
    assert problems(built) == {"bad_steps": [], "is_stale": True, "is_dead": False}
    page = built.lm("report", "--format", "text", "--lang", "en", *AT_NOW, check=True).stdout
    assert "No run came last night" in page
    failing = RunLog(built.load())
    with failing.whole(), daily._told_alone("forecast", failing):
        raise LmError("no calls")
    assert problems(built)["bad_steps"] == [("forecast", "failed")]
    page = built.lm("report", "--format", "text", "--lang", "en", *AT_NOW, check=True).stdout
    assert "forecast (failed)" in page
    assert not built.lm("doctor", "--last-run").stdout.startswith("ok    last run")


def problems(here: TestTarget) -> dict[str, Any]:
    with closing(here.connect()) as connection:
        found = inputs.last_run(Probe(connection), here.load())
    return {name: found[name] for name in ("bad_steps", "is_stale", "is_dead")}


def test_a_log_that_cannot_be_written_stops_no_run(
    built: TestTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = mysql.connector.Error("denied", errno=1142)
    log = RunLog(built.load())
    with mock.patch.object(Probe, "rows", side_effect=denied), log.whole(), log.step("score"):
        pass
    assert capsys.readouterr().err.count("lm_run_log is not written") == 1


def test_before_the_first_build(target: TestTarget, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(target.load())
    with log.whole(), log.step("score"):
        pass
    assert capsys.readouterr().err == ""
    with closing(target.connect()) as connection:
        (finding,) = last_run.check_last_run(target.load(), Probe(connection))
    assert finding.status == "ok"
    assert cli.build_parser().parse_args(["doctor", "--last-run"]).last_run
    assert isinstance(run_log.clock(target.load()), datetime)
