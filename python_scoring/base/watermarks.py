"""How far a step has come, in the table that dbt's models keep theirs in: lm_watermark."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import mysql.connector
from mysql.connector.errorcode import ER_LOCK_NOWAIT, ER_LOCK_WAIT_TIMEOUT

from python_scoring.base.database import Probe, quoted
from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target

# The model whose lock row a writer of lm_value holds, dbt's own runs too.
VALUES = "lm_value"
# The row that `lm run` holds until its session ends, however it ends.
RUN = ("lm_run", "run")
# Another writer has a row: MySQL; MariaDB and the embedded engine.
TAKEN = (ER_LOCK_NOWAIT, ER_LOCK_WAIT_TIMEOUT)


@dataclass(frozen=True)
class Watermark:
    """One row; `cursor` is None when a full pass is done, '' when it has not begun."""

    known: bool = False
    position: int = 0
    cursor: str | None = None
    fingerprint: str | None = None
    moment: str | None = None


class Watermarks:
    """The rows of one step (`model_name`)."""

    def __init__(self, probe: Probe, target: Target, step: str) -> None:
        self.probe = probe
        self.step = step
        self.table = quoted(target.schema, "lm_watermark")

    def get(self, feed: str, step: str = "") -> Watermark:
        rows = self.probe.rows(
            f"select position, cursor_key, fingerprint, concat(moment) from {self.table}"
            " where model_name = %s and feed = %s",
            (step or self.step, feed),
        )
        if not rows:
            return Watermark()
        position, cursor, fingerprint, moment = rows[0]
        return Watermark(True, int(position), cursor, fingerprint, moment)

    def put(
        self,
        feed: str,
        position: int = 0,
        cursor: str | None = None,
        fingerprint: str | None = None,
        step: str = "",
    ) -> None:
        self.probe.rows(
            f"insert into {self.table} (model_name, feed, position, cursor_key, fingerprint)"
            " values (%s, %s, %s, %s, %s) on duplicate key update position = values(position),"
            " cursor_key = values(cursor_key), fingerprint = values(fingerprint)",
            (step or self.step, feed, position, cursor, fingerprint),
        )

    def delete(self, feed: str) -> None:
        self.probe.rows(
            f"delete from {self.table} where model_name = %s and feed = %s", (self.step, feed)
        )

    def next_change(self) -> int:
        """The next number among lm_value's changes. To be asked for under the lock."""
        number = self.get("sequence", VALUES).position + 1
        self.put("sequence", number, step=VALUES)
        return number


def prepare_session(probe: Probe, target: Target) -> None:
    """Reads take no locks on the rows read, and waiting for another writer has an end."""
    probe.do("set session transaction isolation level read committed")
    if "oceanbase" in str(probe.one("select lower(version())")[0]):
        # Its statements end after ten seconds otherwise.
        probe.do("set ob_query_timeout = 7200000000")
        probe.do("set ob_trx_timeout = 86400000000")
    # As dbt's models: the source's rows are not locked by the values that refer to them.
    probe.do("set session foreign_key_checks = 0")
    seconds = int(target.vars.get("lm_lock_wait_sec") or 600)
    probe.do(f"set session innodb_lock_wait_timeout = {seconds}")


def is_free(probe: Probe, table: str, model_name: str, feed: str) -> bool:
    """Whether nobody holds the row; if so, a transaction of ours does now."""
    probe.do("start transaction")
    try:
        probe.rows(
            f"select position from {table} where model_name = %s and feed = %s for update nowait",
            (model_name, feed),
        )
    except mysql.connector.Error as error:
        probe.do("rollback")
        if error.errno in TAKEN:
            return False
        raise
    return True


@contextlib.contextmanager
def writing_values(marks: Watermarks) -> Iterator[None]:
    """A transaction that alone may write lm_value: other writers, dbt's too, wait for its end."""
    probe = marks.probe
    probe.do("start transaction")
    try:
        _lock(marks)
        yield
        probe.do("commit")
    except BaseException:
        # The connection may be gone: the server then rolls back by itself.
        with contextlib.suppress(mysql.connector.Error):
            probe.do("rollback")
        raise


def _lock(marks: Watermarks) -> None:
    try:
        found = marks.probe.rows(
            f"select position from {marks.table}"
            " where model_name = %s and feed = 'lock' for update",
            (VALUES,),
        )
    except mysql.connector.Error as error:
        if error.errno == ER_LOCK_WAIT_TIMEOUT:
            raise LmError(
                "another run holds lm_value longer than lm_lock_wait_sec: wait for its end and"
                " start again"
            ) from error
        raise
    if not found:
        raise LmError(
            "lm_watermark has no lock row for lm_value: run `lm run` or `dbt build` first"
        )
