"""What is worth another try: a lost connection, a deadlock, a lock waited for in vain."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import mysql.connector

from python_scoring.base import dbt_runner, faults, profile
from python_scoring.base.database import Probe, quoted
from python_scoring.base.errors import BusyError, ConfigurationError, LmError, PassingError
from python_scoring.base.profile import Target
from python_scoring.daily.limits import TimeLimit

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0

Result = TypeVar("Result")


def is_passing(error: BaseException | None) -> bool:
    """Whether the error, or what caused it, may be gone at the next try."""
    while error is not None:
        if isinstance(error, PassingError):
            return True
        if isinstance(error, mysql.connector.Error):
            return faults.kind_of(error) is faults.PASSING
        error = error.__cause__
    return False


def retried(
    step: Callable[[], Result],
    retries: int,
    limit: TimeLimit,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """The step's result, after up to `retries` more tries. BusyError if the last one fails too."""
    for attempt in range(retries + 1):
        try:
            return step()
        except (LmError, mysql.connector.Error) as error:
            if not is_passing(error):
                raise
            if attempt == retries:
                raise BusyError(f"{error}: {faults.PASSING.todo}") from error
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt, limit.left())
            print(
                f"lm: {error}: trying again in {pause:.0f} s ({attempt + 1} of {retries})",
                file=sys.stderr,
                flush=True,
            )
            sleep(pause)
            limit.check()
    raise AssertionError("unreachable")


def results_file(target: Target) -> Path:
    return target.project_dir / os.environ.get("DBT_TARGET_PATH", "target") / "run_results.json"


def build(
    target: Target,
    arguments: list[str],
    variables: Mapping[str, Any],
    limit: TimeLimit,
    *,
    verbose: bool = False,
) -> None:
    """`dbt ARGUMENTS`; PassingError or, for any other failure, LmError."""
    dbt_runner.prepare(target)
    results_file(target).unlink(missing_ok=True)
    try:
        is_done = limit.run_dbt(target, arguments, variables, verbose=verbose)
    except PassingError:
        # If it is still lost, this tells why: a setting may be wrong.
        profile.connect(target).close()
        raise
    if not is_done:
        if what := passing_failure(target):
            raise PassingError(f"dbt {arguments[0]} failed: {what}")
        fault = lasting_failure(target)
        if fault.codes:
            raise fault.error(f"dbt {arguments[0]} failed: {fault.sentence()}")
        raise LmError(f"dbt {arguments[0]} failed: the messages above say which model or test")


def passing_failure(target: Target) -> str:
    """The first passing trouble of dbt's last command; '' without any, or with other errors.

    Failed tests beside it do not count: they fail again at the next try, which goes further.
    """
    path = results_file(target)
    if not path.is_file():
        # It ended before the first model: for want of a connection, or by an error of the project.
        try:
            with contextlib.closing(profile.connect(target)):
                return ""
        except ConfigurationError:
            raise
        except LmError as error:
            return str(error) if is_passing(error) else ""
    bad = failures(path)
    if not bad or any(faults.kind_in(message) is not faults.PASSING for _, message in bad):
        return ""
    return ": ".join(bad[0])


def lasting_failure(target: Target) -> faults.Fault:
    """The kind of the first error of dbt's last command; OTHER where no kind is known."""
    path = results_file(target)
    if path.is_file():
        bad = failures(path)
        return faults.kind_in(bad[0][1]) if bad else faults.OTHER
    # It ended before the first model: the server is asked to do what dbt does first.
    try:
        with contextlib.closing(profile.connect(target)) as connection:
            probe, schema = Probe(connection), quoted(target.schema)
            probe.do(f"create database if not exists {schema}")
            probe.do(f"create table if not exists {schema}.lm_trial (x int)")
            probe.do(f"drop table {schema}.lm_trial")
    except mysql.connector.Error as error:
        return faults.kind_of(error)
    except LmError:
        pass
    return faults.OTHER


def failures(results: Path) -> list[tuple[str, str]]:
    """Node and message, in one line, of each error that dbt's run_results.json tells."""
    return [
        (row["unique_id"], " ".join(str(row.get("message") or "").split()))
        for row in json.loads(results.read_text(encoding="utf-8"))["results"]
        if row["status"] in ("error", "runtime error")
    ]
