"""lm_run_log: when each step of a run began and ended, how much it did, and what went wrong.

dbt's hooks write its own steps (macros/shared/run_log.sql), `lm run` the others and the whole.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import mysql.connector
from mysql.connector.errorcode import ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE

from python_scoring.base import faults, profile
from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.errors import BusyError, LmError, TimeLimitError
from python_scoring.base.profile import Target
from python_scoring.base.rows import run_id

TABLE = "lm_run_log"
WHOLE = "run"
# dbt's hooks find the run they belong to in it.
VARIABLE = "LM_RUN_ID"
COLUMNS = (
    *("run_id", "step", "started_at", "ended_at", "rows_read", "rows_written", "status", "error"),
)
LONGEST_ERROR = 500
KILLED = "ended without a word: killed, or its machine or connection was lost"
# A night may be late, not missing.
STALE_AFTER = timedelta(hours=36)
# In quotes and in long numbers a message may hold what stands in a row.
VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[+(]?\d[\d\s()-]{4,}\d|\S+@\S+")


@dataclass
class Step:
    """A row of the table; what the step counts it fills in itself."""

    run_id: str
    step: str
    started_at: datetime
    ended_at: datetime | None = None
    rows_read: int | None = None
    rows_written: int | None = None
    status: str = "running"
    error: str | None = None


class RunLog:
    """The rows of one run. Where they cannot be written that is told once, and the run goes on."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.run_id = run_id(clock(target), secrets.token_hex(4))
        self._is_told = False

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """The run itself, to be entered under its lock: who is still running then, was killed."""
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.run_id
        try:
            self._bury()
            with self.step(WHOLE):
                yield
        finally:
            if before is None:
                os.environ.pop(VARIABLE, None)
            else:
                os.environ[VARIABLE] = before

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """One step, for its `rows_read` and `rows_written`; its error is noted and passed on."""
        step = Step(self.run_id, name, clock(self.target))
        self.write(step)
        try:
            yield step
        except BaseException as error:
            self.end(step, error)
            raise
        self.end(step)

    def end(self, step: Step, error: BaseException | None = None) -> None:
        """Note how a step ended; an error may have been noted before."""
        step.ended_at = clock(self.target)
        if error is not None:
            step.status, step.error = status_of(error), without_values(error)
        elif step.status == "running":
            step.status = "done"
        self.write(step)

    def write(self, step: Step) -> None:
        names = ", ".join(COLUMNS)
        values = ", ".join(["%s"] * len(COLUMNS))
        updates = ", ".join(f"{name} = values({name})" for name in COLUMNS[2:])
        self._do(
            f"insert into {{table}} ({names}) values ({values}) on duplicate key update {updates}",
            [getattr(step, name) for name in COLUMNS],
        )

    def _bury(self) -> None:
        self._do(
            "update {table} set status = 'killed', error = %s where status = 'running'", [KILLED]
        )

    def _do(self, statement: str, values: Sequence[object]) -> None:
        table = quoted(self.target.schema, TABLE)
        try:
            with contextlib.closing(profile.connect(self.target)) as connection:
                Probe(connection).rows(statement.format(table=table), values)
        except (LmError, mysql.connector.Error) as error:
            cause = error if isinstance(error, mysql.connector.Error) else error.__cause__
            # Before the first build there is no table. A lost database is told by the run itself.
            if _is_expected(cause):
                return
            if not self._is_told:
                self._is_told = True
                print(f"lm: {TABLE} is not written: {error}", file=sys.stderr, flush=True)


def _is_expected(error: BaseException | None) -> bool:
    if not isinstance(error, mysql.connector.Error):
        return False
    is_unbuilt = error.errno in (ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR)
    return is_unbuilt or faults.kind_of(error) is faults.PASSING


def clock(target: Target) -> datetime:
    """Local time as it is, whatever the var as_of says."""
    return datetime.now(target.zone).replace(tzinfo=None, microsecond=0)


def status_of(error: BaseException) -> str:
    """What a step that ended with this error has come to."""
    if isinstance(error, TimeLimitError):
        return "time_limit"
    if isinstance(error, BusyError):
        return "busy"
    if isinstance(error, mysql.connector.Error):
        return "busy" if faults.kind_of(error) is faults.PASSING else "failed"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    # An alarm or a signal on its way to the top.
    return "failed" if isinstance(error, Exception) else "time_limit"


def without_values(error: BaseException) -> str:
    """The error in one line, without anything that may come from a row."""
    if isinstance(error, mysql.connector.Error):
        return f"{error.errno}: {faults.kind_of(error).what}"
    text = VALUES.sub("…", " ".join(str(error).split()))
    if not isinstance(error, LmError):
        text = type(error).__name__
    return text[:LONGEST_ERROR]


def last_run(probe: Probe, target: Target) -> list[Step]:
    """The steps of the newest run, the whole first; none before the first."""
    if TABLE not in table_names(probe, target.schema):
        return []
    table = quoted(target.schema, TABLE)
    rows = probe.rows(
        f"select {', '.join(COLUMNS)} from {table} where run_id = (select run_id from {table}"
        " order by id desc limit 1) order by step <> %s, id",
        (WHOLE,),
    )
    return [Step(*row) for row in rows]


def last_good_end(probe: Probe, target: Target) -> datetime | None:
    """When the newest run ended that was done as a whole; None without any."""
    if TABLE not in table_names(probe, target.schema):
        return None
    table = quoted(target.schema, TABLE)
    # Plain dbt has no row of the whole.
    return probe.one(
        f"select max(ended_at) from {table} as log where status = 'done' and (step = %s or"
        f" step = 'dbt build' and not exists (select 1 from {table} as whole where"
        " whole.run_id = log.run_id and whole.step = %s))"
        f" and not exists (select 1 from {table} as bad where bad.run_id = log.run_id"
        " and bad.status not in ('done', 'running'))",
        (WHOLE, WHOLE),
    )[0]


def bad_steps(steps: Sequence[Step]) -> list[Step]:
    """What did not end as it should, the run as a whole only where no step says more."""
    bad = [step for step in steps if step.status not in ("done", "running")]
    return [step for step in bad if step.step != WHOLE] or bad


def is_stale(good: datetime | None, now: datetime) -> bool:
    """Whether the newest good run is older than a night may be late."""
    return good is None or now - good > STALE_AFTER
