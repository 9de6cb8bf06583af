"""A simulated clinic: both source tables, and the truth behind every call.

`simulate` gives the tables as frames, `load` writes them into a schema. The same
seed gives the same clinic; with `changed` a mechanism is replaced from a date on
while callers keep their luck, which is what a what-if has to agree with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.source_tables import (
    CALL_HISTORY,
    CALL_SCORES,
    create_source_tables,
    insert_rows,
)
from python_scoring.simulation import arrivals, events
from python_scoring.simulation import mechanism as m
from python_scoring.simulation.clinic import RUN_UP_DAYS, ClinicConfig
from python_scoring.simulation.history import directions, history_rows
from python_scoring.simulation.reviews import review_rows
from python_scoring.simulation.truth import TARGETS, true_probabilities

DEFAULT_SEED = 20260101
DEFAULT_START = date(2025, 9, 1)


@dataclass(frozen=True)
class Simulation:
    """The two source tables, and what only a simulator can know.

    `truth` has one row a call: its caller, kind, result, operator, service, source,
    patience and true probabilities. `truth_hourly` has the expected incoming calls
    by date, hour and source, and the operators on shift. `as_of` is the
    local moment after which nothing is known.
    """

    call_history: pd.DataFrame
    call_scores: pd.DataFrame
    truth: pd.DataFrame
    truth_hourly: pd.DataFrame
    as_of: datetime

    def write_truth(self, path: Path) -> None:
        """The truth as CSV (gz by its name); the hourly truth beside it as *_hourly."""
        self.truth.to_csv(path, index=False)
        self.truth_hourly.to_csv(hourly_path(path), index=False)


def hourly_path(path: Path) -> Path:
    stem, dot, suffixes = path.name.partition(".")
    return path.with_name(f"{stem}_hourly{dot}{suffixes}")


def simulate(
    days: int = 120,
    seed: int = DEFAULT_SEED,
    start: date = DEFAULT_START,
    *,
    config: ClinicConfig | None = None,
    changed: ClinicConfig | None = None,
    changed_from: date | None = None,
    utc_offset_hours: int = 3,
    probabilities: bool = True,
) -> Simulation:
    """Simulate `days` days from `start`, after a run-up that fills the clinic.

    From `changed_from` on, the mechanism is `changed`. Both configs must have the
    same services, sources and operators. Without `probabilities` those columns are null
    and a short run takes a second instead of five.
    """
    if days < 1:
        raise ValueError(f"days must be 1 or more, not {days}")
    base = config or ClinicConfig()
    after = changed or base
    if (changed is None) != (changed_from is None):
        raise ValueError("changed and changed_from go together")
    origin = start - timedelta(days=RUN_UP_DAYS)
    # Weeks start on a Monday for the reviewers' bursts.
    origin -= timedelta(days=origin.weekday())
    run_up = (start - origin).days
    total = run_up + days
    changed_day = (changed_from - origin).days if changed_from else total + 1
    mechanisms = (m.Mechanism.of(base), m.Mechanism.of(after))
    roots = arrivals.arrivals(base, after, changed_day, origin, total, seed)
    clinic = events.Clinic(mechanisms, changed_day * arrivals.DAY_SEC, origin, total)
    calls = pd.DataFrame(clinic.run(roots), columns=list(events.Call._fields))
    calls = calls.sort_values("time", kind="stable", ignore_index=True)
    if probabilities:
        parts = calls.groupby("changed", sort=True)
        true = pd.concat(true_probabilities(c, mechanisms[int(w)]) for w, c in parts).sort_index()
    else:
        true = pd.DataFrame(index=calls.index, columns=[t.column for t in TARGETS], dtype=float)
    seen = (calls["time"] >= run_up * arrivals.DAY_SEC).to_numpy()
    expected = expected_calls(calls, roots.expected, clinic, run_up)
    calls = calls[seen].reset_index(drop=True)

    history = history_rows(calls, base, origin, utc_offset_hours, seed)
    history.insert(0, "history_id", np.arange(1, len(history) + 1))
    reviews = review_rows(calls, history, base, origin, total, seed)
    truth = truth_rows(calls, history, base, origin, reviews)
    truth = pd.concat([truth, true[seen].reset_index(drop=True)], axis=1)
    as_of = datetime.combine(start + timedelta(days=days), time())
    return Simulation(history, reviews, truth, expected, as_of)


def truth_rows(
    calls: pd.DataFrame,
    history: pd.DataFrame,
    config: ClinicConfig,
    origin: date,
    reviews: pd.DataFrame,
) -> pd.DataFrame:
    """What each call really was, without the probabilities."""
    results = ["record", *["lead"] * len(m.REFUSALS), "info", "navigation", "cancel", "reschedule"]
    results += ["complaint", "non_target", "reminded", "missed", "not_reached"]
    refusals = [""] * m.LEAD + list(m.REFUSALS) + [""] * (m.RESULTS - m.INFO)
    services = [s.service_id for s in config.services] + [0]
    return pd.DataFrame(
        {
            "history_id": history["history_id"],
            "started_at": pd.Timestamp(origin)
            + pd.to_timedelta(calls["time"].astype("int64"), unit="s"),
            "direction": directions(calls),
            "kind": np.array(events.KINDS, dtype=object)[calls["kind"]],
            # 0 is a hidden number, below 0 a machine or another call centre.
            "caller_id": calls["caller"],
            "earlier_in_chain": calls["earlier"],
            "intent": np.array([*m.INTENTS, ""], dtype=object)[calls["intent"]],
            "result": np.array(results, dtype=object)[calls["result"]],
            "refusal_code": np.array(refusals, dtype=object)[calls["result"]],
            "service_id": np.array(services)[calls["service"]],
            "source": np.array([s.label or "" for s in config.sources], dtype=object)[
                calls["source"]
            ],
            "operator": np.array([o.name for o in config.operators] + [""], dtype=object)[
                calls["operator"]
            ],
            "wait_sec": calls["wait"],
            "talk_sec": calls["talk"],
            "patience_sec": calls["patience"].round(1).where(calls["patience"] > 0),
            "is_changed": calls["changed"],
            "is_reviewed": history["history_id"].isin(reviews["history_id"]).astype(int),
        }
    )


def expected_calls(
    calls: pd.DataFrame, fresh: pd.DataFrame, clinic: events.Clinic, run_up: int
) -> pd.DataFrame:
    """Expected incoming calls by hour and source, and who is there to answer.

    First calls are exact. `expected_calls` adds the calls that follow from earlier
    ones at the simulated mean rate, spread by the simulated profile of such calls.
    """
    kinds = calls["kind"]
    chain = kinds.isin([events.K_AGAIN, events.K_REDIAL, events.K_COMPLAINT, events.K_NEW_NEED])
    hour = (calls["time"] % arrivals.DAY_SEC // 3600).astype(int)
    day = (calls["time"] // arrivals.DAY_SEC).astype(int)
    profile = np.bincount(hour[chain], minlength=24) / max(1, int(chain.sum()))
    first = fresh.copy()
    a_day = 24 * fresh["source"].nunique()
    first["day"] = np.repeat(np.arange(len(fresh) // a_day), a_day)
    total_first = first.groupby("day")["expected_fresh"].sum()
    # Follow-ups lag by days: smooth them over a week of the expected first calls.
    smooth = total_first.rolling(7, min_periods=1).mean()
    rate = int(chain.sum()) / max(1.0, float(smooth.sum()))
    by_source = np.bincount(calls.loc[chain, "source"], minlength=first["source"].nunique())
    shares = by_source / max(1, by_source.sum())
    labels = [s.label or "" for s in clinic.mechanisms[0].config.sources]
    share_of = dict(zip(labels, shares, strict=True))
    follow = (
        smooth.to_numpy()[first["day"]]
        * rate
        * profile[first["call_hour"]]
        * first["source"].map(share_of).to_numpy()
    )
    machines = calls[kinds.isin([events.K_ROBOT, events.K_PARTNER])]
    counts = np.zeros((int(first["day"].max()) + 1, 24))
    np.add.at(counts, (day[machines.index], hour[machines.index]), 1)
    first["expected_calls"] = first["expected_fresh"] + follow
    # Robots come as they come: given as they were, on the calls without a source.
    no_source = (first["source"] == "").to_numpy()
    first["machine_calls"] = np.where(no_source, counts[first["day"], first["call_hour"]], 0)
    first["operators"] = [
        staffed(clinic, int(d), int(h))
        for d, h in zip(first["day"], first["call_hour"], strict=True)
    ]
    return first[first["day"] >= run_up].drop(columns="day").reset_index(drop=True)


def staffed(clinic: events.Clinic, day: int, hour: int) -> int:
    """Operators on shift in an hour, by the mechanism in force."""
    begin = day * arrivals.DAY_SEC + hour * 3600
    changed = int(begin >= clinic.changed_from)
    return sum(start <= begin < end for _, start, end in clinic.staff[day][changed])


def load(
    connection: MySQLConnectionAbstract,
    simulation: Simulation,
    schema: str,
    *,
    call_history: str = CALL_HISTORY,
    call_scores: str = CALL_SCORES,
) -> None:
    """Create the source tables where missing and insert the simulated rows."""
    create_source_tables(connection, schema, call_history=call_history, call_scores=call_scores)
    for table, frame in (
        (call_history, simulation.call_history),
        (call_scores, simulation.call_scores),
    ):
        insert_rows(connection, schema, table, list(frame.columns), plain_rows(frame))


def plain_rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of plain Python values, as the driver takes them; any missing value is None."""
    columns = []
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.dt.strftime("%Y-%m-%d %H:%M:%S")
        values = column.astype(object)
        columns.append(values.where(values.notna(), None).tolist())
    return zip(*columns, strict=True)
