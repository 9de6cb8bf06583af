"""A time limit: the run ends between two batches or steps, and the next run goes on there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mysql.connector

from python_scoring.base import dbt_runner
from python_scoring.base.errors import LmError, PassingError, TimeLimitError
from python_scoring.base.faults import PASSING
from python_scoring.base.profile import Target
from python_scoring.daily import lock

# dbt's models ask it before each batch.
VARIABLE = "LM_DEADLINE"
# A batch takes seconds. One that has not ended by then is rolled back.
LONGEST_BATCH_SECONDS = 600.0
ASK_EVERY_SECONDS = 0.5
OVER = "the time limit is reached: the next run goes on from here"


class Expired(BaseException):
    """Raised by the alarm wherever Python is at work: transactions are rolled back on its way."""


class TimeLimit:
    """Minutes from now, or None for no end."""

    def __init__(self, minutes: float | None) -> None:
        self.end = None if minutes is None else time.time() + 60 * minutes

    def left(self) -> float:
        """Seconds left, never negative; infinite without a limit."""
        return float("inf") if self.end is None else max(0.0, self.end - time.time())

    def check(self) -> None:
        if not self.left():
            raise TimeLimitError(OVER)

    @contextlib.contextmanager
    def over_python(self) -> Iterator[None]:
        """End the block at the limit: what it has not committed is rolled back."""
        self.check()
        if self.end is None:
            yield
            return

        def expire(*_: Any) -> None:
            raise Expired

        before = signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, self.left())
        try:
            yield
        except Expired as error:
            raise TimeLimitError(OVER) from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def run_dbt(
        self,
        target: Target,
        arguments: Sequence[str],
        variables: Mapping[str, Any],
        *,
        verbose: bool = False,
    ) -> bool:
        """As dbt_runner.run. TimeLimitError if the limit cut it short.

        Under a limit dbt has a process of its own, which can be ended.
        """
        self.check()
        if self.end is None:
            return dbt_runner.run(target, arguments, variables=variables, verbose=verbose)
        dbt_runner.prepare(target)
        sys.stdout.flush()
        with subprocess.Popen(
            dbt_runner.command(target, arguments, variables, verbose=verbose),
            cwd=target.project_dir,
            env=os.environ | dbt_runner.SETTINGS | {VARIABLE: str(self.end)},
        ) as process:
            try:
                code = process.wait(self.left())
            except subprocess.TimeoutExpired:
                code = _end(process, target)
        if code and not self.left():
            raise TimeLimitError(OVER)
        if code == PassingError.exit_code:
            raise PassingError(f"dbt {arguments[0]} failed: {PASSING.what}")
        return code == 0


def _end(process: subprocess.Popen[bytes], target: Target) -> int:
    """End dbt as soon as no batch is being written; its models begin no other."""
    end = time.monotonic() + LONGEST_BATCH_SECONDS
    while process.poll() is None and time.monotonic() < end:
        time.sleep(ASK_EVERY_SECONDS)
        with contextlib.suppress(mysql.connector.Error, LmError):
            if lock.is_between_batches(target):
                break
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
