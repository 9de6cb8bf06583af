"""Calls that the statistics leave out because one of their rows fails a check."""

from __future__ import annotations

from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.profile import Target

TABLE = "lm_quarantine"


def calls(probe: Probe, target: Target) -> int:
    """Calls in quarantine; 0 before the first build."""
    if TABLE not in table_names(probe, target.schema):
        return 0
    table = quoted(target.schema, TABLE)
    return int(probe.one(f"select count(distinct history_id) from {table}")[0])


def checks(probe: Probe, target: Target) -> list[tuple[str, int, str, str]]:
    """Failed checks: name, calls, since when, what to do."""
    table = quoted(target.schema, TABLE)
    rows = probe.rows(
        f"select check_name, count(*), min(since), min(todo_en) from {table}"
        " group by 1 order by 2 desc"
    )
    return [(str(name), int(count), str(since), str(todo)) for name, count, since, todo in rows]


def told(count: int) -> str:
    return (
        f"quarantine: {count:,} call{'s are' if count > 1 else ' is'} left out of the statistics,"
        " for a row fails a check: lm_quarantine says which and what to do"
    )
