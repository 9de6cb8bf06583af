"""A clinic's calls: those of the first load, and what comes after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from python_scoring.simulation.simulate import simulate

NEW_CALLS = 1_000
LATE_REVIEWS = 200
# All sizes end near this day; the larger ones begin earlier, at the same calls a day.
LAST_DAY = date(2026, 9, 1)
FEWEST_CALLS_A_DAY = 180
LATE_DAYS = 60


@dataclass(frozen=True)
class Arrival:
    """Rows that the sources get at once, and the moment at which they are read."""

    history: pd.DataFrame
    scores: pd.DataFrame
    as_of: datetime


@dataclass(frozen=True)
class Clinic:
    """What is there at first; 1,000 new calls with what reviews came meanwhile; 200 late reviews
    of calls of the last 60 days."""

    stored: Arrival
    new: Arrival
    late: Arrival


def clinic(calls: int, seed: int = 1) -> Clinic:
    days = (calls + NEW_CALLS) // FEWEST_CALLS_A_DAY + 2
    made = simulate(days, seed, LAST_DAY - timedelta(days=days), probabilities=False)
    history, scores = made.call_history, made.call_scores
    if len(history) < calls + NEW_CALLS:
        raise ValueError(f"{days} simulated days have only {len(history)} calls")
    ends = [
        moment_after(history, calls),
        moment_after(history, calls + NEW_CALLS),
    ]
    ends.append(ends[1] + timedelta(hours=1))
    late = late_reviews(scores, history, ends[0])
    rest = scores[~scores["id"].isin(late["id"])]
    stored = rest[(rest["score_date"] <= ends[0]) & (rest["history_id"] <= calls)]
    new = rest[
        ~rest["id"].isin(stored["id"])
        & (rest["score_date"] <= ends[1])
        & (rest["history_id"] <= calls + NEW_CALLS)
    ]
    numbered = [stored, new, late.assign(score_date=ends[2])]
    first_id = 1
    for place, rows in enumerate(numbered):
        # A source numbers its reviews as they come.
        numbered[place] = rows.assign(id=np.arange(first_id, first_id + len(rows)))
        first_id += len(rows)
    ids = history["history_id"]
    return Clinic(
        Arrival(history[ids <= calls], numbered[0], ends[0]),
        Arrival(history[(ids > calls) & (ids <= calls + NEW_CALLS)], numbered[1], ends[1]),
        Arrival(history[:0], numbered[2], ends[2]),
    )


def moment_after(history: pd.DataFrame, calls: int) -> datetime:
    """When the first `calls` calls are all in the source."""
    moment = history["created_at"].iloc[:calls].max()
    return pd.Timestamp(moment).to_pydatetime().replace(microsecond=0) + timedelta(minutes=1)


def late_reviews(scores: pd.DataFrame, history: pd.DataFrame, end: datetime) -> pd.DataFrame:
    """Every so many-th of the first reviews of the last weeks' calls."""
    started = scores["history_id"].map(history.set_index("history_id")["context_start_time_dt"])
    recent = scores[
        (started > end - timedelta(days=LATE_DAYS))
        & (scores["score_date"] <= end)
        & ~scores["history_id"].duplicated(keep=False)
    ]
    step = max(1, len(recent) // LATE_REVIEWS)
    return recent.iloc[::step].head(LATE_REVIEWS)
