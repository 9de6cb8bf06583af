"""The tables lm_scenario_result, a run written whole or not at all, and lm_scenario_done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pandas as pd

from python_scoring.base.database import Probe, quoted, require_tables
from python_scoring.base.errors import ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert, next_run_id
from python_scoring.base.watermarks import Watermarks, writing_values
from python_scoring.whatif.engine import Outcome

TABLE = "lm_scenario_result"
DONE = "lm_scenario_done"


@dataclass(frozen=True)
class Stored:
    """A scenario of a run; `done_from` is None unless it is marked as carried out."""

    run_id: str
    scenario: str
    first_day: date
    days: int
    done_from: date | None

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.days - 1)


def require(probe: Probe, target: Target) -> None:
    """LmError when dbt has not made the tables."""
    require_tables(probe, target.schema, (TABLE, DONE))


def write(
    probe: Probe,
    target: Target,
    made_at: datetime,
    forecast_run_id: str,
    days: int,
    outcomes: list[Outcome],
    keep_days: int,
) -> str:
    """Add the run and drop those older than `keep_days`, but no marked one; returns its run_id."""
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
            f"delete from {table} where made_at < %s"
            f" and run_id not in (select run_id from {quoted(target.schema, DONE)})",
            (made_at - timedelta(days=keep_days),),
        )
    return run_id


def stored(probe: Probe, target: Target) -> list[Stored]:
    """Every scenario of every run, the newest run first."""
    rows = probe.rows(
        "select results.run_id, results.scenario, min(results.period_start), max(results.days),"
        f" min(done.done_from) from {quoted(target.schema, TABLE)} as results"
        f" left join {quoted(target.schema, DONE)} as done"
        " on results.run_id = done.run_id and results.scenario = done.scenario"
        " where results.grain = 'total' group by results.made_at, results.run_id, results.scenario"
        # Of one moment the tenth run comes after the ninth.
        " order by results.made_at desc, length(results.run_id) desc, results.run_id desc,"
        " results.scenario"
    )
    return [Stored(*row) for row in rows]


def mark(
    probe: Probe, target: Target, scenario: str, run_id: str | None, day: date, moment: datetime
) -> Stored:
    """The scenario is carried out from `day` on; a mark of before gets the new date.

    Without `run_id` it is the newest run that has the scenario. ConfigurationError where there is
    none, or where the run did not compare the day.
    """
    with writing_values(Watermarks(probe, target, DONE)):
        one = _chosen(stored(probe, target), scenario, run_id, "stored")
        if not one.first_day <= day <= one.last_day:
            raise ConfigurationError(
                f"run {one.run_id} compared {one.first_day} to {one.last_day}, not {day}: give one"
                " of its days, or another run with --run"
            )
        columns = ("run_id", "scenario", "done_from", "marked_at")
        row = (one.run_id, one.scenario, day, moment)
        insert(probe, quoted(target.schema, DONE), columns, [row], update=columns[2:])
    return replace(one, done_from=day)


def unmark(probe: Probe, target: Target, scenario: str, run_id: str | None) -> Stored:
    """Take the mark back, without `run_id` of the newest run that is marked."""
    with writing_values(Watermarks(probe, target, DONE)):
        marked = [one for one in stored(probe, target) if one.done_from]
        one = _chosen(marked, scenario, run_id, "marked")
        probe.rows(
            f"delete from {quoted(target.schema, DONE)} where run_id = %s and scenario = %s",
            (one.run_id, one.scenario),
        )
    return replace(one, done_from=None)


def _chosen(known: list[Stored], scenario: str, run_id: str | None, what: str) -> Stored:
    own = [one for one in known if run_id in (None, one.run_id)]
    for one in own:
        if one.scenario == scenario:
            return one
    of_run = f" in run {run_id}" if run_id else ""
    names = ", ".join(sorted({repr(one.scenario) for one in own}))
    raise ConfigurationError(
        f"no scenario {scenario!r} is {what}{of_run}: "
        + (f"there are {names}" if names else "`lm what-if --list` shows what there is")
    )
