"""What is worth another try: a lost connection, a deadlock, a lock waited for in vain."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import mysql.connector

from python_scoring.base import profile
from python_scoring.base.errors import BusyError, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.daily.limits import TimeLimit

# Of the servers: too many connections, shutdown, lock wait, deadlock, killed; of the client: no
# connection (2002, 2003), gone, lost, lost in the handshake (2055).
PASSING = (1040, 1053, 1205, 1213, 1927, 2002, 2003, 2006, 2013, 2055)
# As dbt writes an error: its number and SQL state, or the driver's words without a number.
PASSING_TEXT = re.compile(
    rf"\b({'|'.join(map(str, PASSING))}) \(\w+\):"
    r"|\b(2002|2003|2006|2013|2055)\b.*(connect|server)"
    r"|MySQL Connection not available|Lost connection|server has gone away",
    re.IGNORECASE,
)
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0

Result = TypeVar("Result")


class PassingError(BusyError):
    """dbt failed by nothing but passing trouble."""


def is_passing(error: BaseException | None) -> bool:
    """Whether the error, or what caused it, may be gone at the next try."""
    while error is not None:
        if isinstance(error, PassingError):
            return True
        if isinstance(error, mysql.connector.Error):
            return error.errno in PASSING or bool(PASSING_TEXT.search(str(error)))
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
                raise BusyError(str(error)) from error
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
    results_file(target).unlink(missing_ok=True)
    if not limit.run_dbt(target, arguments, variables, verbose=verbose):
        if what := passing_failure(target):
            raise PassingError(f"dbt {arguments[0]} failed: {what}")
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
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    bad = [row for row in results if row["status"] in ("error", "runtime error")]
    messages = [" ".join(str(row.get("message") or "").split()) for row in bad]
    if not bad or not all(map(PASSING_TEXT.search, messages)):
        return ""
    return f"{bad[0]['unique_id']}: {messages[0]}"
