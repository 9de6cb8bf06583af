"""The table lm_scenario_result: a run is written whole or not at all, and never changed again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from python_scoring.base.database import Probe, quoted, require_tables
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert, next_run_id
from python_scoring.base.watermarks import Watermarks, writing_values
from python_scoring.whatif.engine import Outcome

TABLE = "lm_scenario_result"


def require(probe: Probe, target: Target) -> None:
    """LmError when dbt has not made the table."""
    require_tables(probe, target.schema, (TABLE,))


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
        run_id = next_run_id(probe, table, made_at)
        frame = pd.concat([one.rows for one in outcomes], ignore_index=True)
        head = {
            "run_id": run_id,
            "made_at": made_at,
            "forecast_run_id": forecast_run_id,
            "days": days,
        }
        rows = ((*head.values(), *row) for row in frame.itertuples(index=False, name=None))
        insert(probe, table, [*head, *frame.columns], rows)
        probe.rows(
            f"delete from {table} where made_at < %s", (made_at - timedelta(days=keep_days),)
        )
    return run_id
