"""The table lm_scenario_result: a run is written whole or not at all, and never changed again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from python_scoring.base.database import Probe, quoted
from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target
from python_scoring.base.watermarks import Watermarks, writing_values
from python_scoring.whatif.engine import Outcome

TABLE = "lm_scenario_result"
ROWS_IN_STATEMENT = 200


def require(probe: Probe, target: Target) -> None:
    """LmError when dbt has not made the table."""
    found = probe.rows(
        "select 1 from information_schema.tables where table_schema = %s and table_name = %s",
        (target.schema, TABLE),
    )
    if not found:
        raise LmError(f"schema {target.schema} lacks {TABLE}: run `lm run` or `dbt build` first")


def write(
    probe: Probe,
    target: Target,
    made_at: datetime,
    forecast_run_id: str,
    days: int,
    outcomes: list[Outcome],
    keep_days: int,
) -> str:
    """Add the run and drop those older than `keep_days`; returns its run_id."""
    table = quoted(target.schema, TABLE)
    with writing_values(Watermarks(probe, target, TABLE)):
        (number,) = probe.one(
            f"select count(distinct run_id) from {table} where made_at = %s", (made_at,)
        )
        run_id = f"{made_at:%Y%m%d%H%M%S}_{number + 1}"
        frame = pd.concat([one.rows for one in outcomes], ignore_index=True)
        head = ["run_id", "made_at", "forecast_run_id", "days"]
        names = [*head, *frame.columns]
        marks = "(" + ", ".join(["%s"] * len(names)) + ")"
        rows = [
            (run_id, made_at, forecast_run_id, days, *row)
            for row in frame.astype(object).itertuples(index=False, name=None)
        ]
        for start in range(0, len(rows), ROWS_IN_STATEMENT):
            some = rows[start : start + ROWS_IN_STATEMENT]
            probe.rows(
                f"insert into {table} ({', '.join(names)}) values "
                + ", ".join([marks] * len(some)),
                [cell for row in some for cell in row],
            )
        probe.rows(
            f"delete from {table} where made_at < %s", (made_at - timedelta(days=keep_days),)
        )
    return run_id
