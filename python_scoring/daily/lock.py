"""One `lm run` at a time on a schema. Batches take turns besides, those of plain dbt too."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

import mysql.connector
from mysql.connector.errorcode import ER_NO_SUCH_TABLE

from python_scoring.base import profile
from python_scoring.base.database import Probe, quoted
from python_scoring.base.errors import BusyError
from python_scoring.base.profile import Target
from python_scoring.base.watermarks import RUN, is_free, prepare_session

ASK_EVERY_SECONDS = 1.0


@contextlib.contextmanager
def only_run(target: Target) -> Iterator[None]:
    """Hold the schema's run lock; BusyError if another run has it for longer than lm_lock_wait_sec.

    Before the first build there is no table to lock, and the batches' own locks must do.
    """
    with contextlib.closing(profile.connect(target)) as connection:
        probe = Probe(connection)
        prepare_session(probe, target)
        _take(probe, target, float(target.vars.get("lm_lock_wait_sec") or 0))
        try:
            yield
        finally:
            # The session may have been closed meanwhile: the lock went with it.
            with contextlib.suppress(mysql.connector.Error):
                probe.do("rollback")


def _take(probe: Probe, target: Target, seconds: float) -> None:
    table = quoted(target.schema, "lm_watermark")
    try:
        # Inserted again, the row would be waited for: another run may hold it.
        if not probe.rows(f"select 1 from {table} where model_name = %s and feed = %s", RUN):
            probe.rows(f"insert ignore into {table} (model_name, feed) values (%s, %s)", RUN)
    except mysql.connector.Error as error:
        if error.errno in (ER_NO_SUCH_TABLE, 1049):
            return
        raise
    end = time.monotonic() + seconds
    is_told = False
    while not is_free(probe, table, *RUN):
        if time.monotonic() >= end:
            raise BusyError(
                f"another `lm run` is at work on schema {target.schema}, and was for the"
                f" {seconds:g} seconds of lm_lock_wait_sec: nothing is done"
            )
        if not is_told:
            print(
                f"another `lm run` is at work on schema {target.schema}: waiting up to"
                f" {seconds:g} s (lm_lock_wait_sec)",
                file=sys.stderr,
                flush=True,
            )
            is_told = True
        time.sleep(ASK_EVERY_SECONDS)


def is_between_batches(target: Target) -> bool:
    """Whether no batch and no seed is being written at this moment."""
    table = quoted(target.schema, "lm_watermark")
    with contextlib.closing(profile.connect(target)) as connection:
        probe = Probe(connection)
        for (name,) in probe.rows(f"select model_name from {table} where feed = 'lock'"):
            if not is_free(probe, table, name, "lock"):
                return False
            probe.do("rollback")
    return True
