"""Rows into the tables that Python writes, and the ids of the runs that wrote them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from python_scoring.base.database import Probe
from python_scoring.base.source_tables import batches

# Far below what a server takes in one statement, 16 MB on MariaDB: a row is a kilobyte or less.
ROWS_IN_STATEMENT = 500
# What the driver takes as it is.
PLAIN_TYPES = (str, int, type(None))


def insert(
    probe: Probe,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    update: Sequence[str] = (),
) -> None:
    """Rows of `columns` into `table`, a name as it stands in SQL; cells may be NumPy's or pandas'.

    `update`: the columns that a row of the same key gets anew.
    """
    head = f"insert into {table} ({', '.join(columns)}) values "
    marks = "(" + ", ".join(["%s"] * len(columns)) + ")"
    tail = ", ".join(f"{name} = values({name})" for name in update)
    tail = f" on duplicate key update {tail}" if tail else ""
    for some in batches(rows, ROWS_IN_STATEMENT):
        cells = [
            cell if type(cell) in PLAIN_TYPES else _plain(cell) for row in some for cell in row
        ]
        probe.rows(head + ", ".join([marks] * len(some)) + tail, cells)


def run_id(moment: datetime, mark: object) -> str:
    """A run of this moment; `mark` tells it from others of the same moment."""
    return f"{moment:%Y%m%d%H%M%S}_{mark}"


def next_run_id(probe: Probe, table: str, moment: datetime) -> str:
    """Of the run that comes after those that `table` has of this moment (its column made_at)."""
    (number,) = probe.one(
        f"select count(distinct run_id) from {table} where made_at = %s", (moment,)
    )
    return run_id(moment, number + 1)


def _plain(value: Any) -> Any:
    """A value as the driver takes it: no types of NumPy or pandas, no NaN."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
