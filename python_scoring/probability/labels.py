"""Matured calls, whether the event came, and the cuts in time between slices.

A label over h days is known h days after the call, and later still where a review has to show it
(delayed feedback): younger calls are no examples, and between a slice and the next
one there is the same gap, so that no label of the older slice lies in the newer one's time.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from python_scoring.probability.features import numbers
from python_scoring.probability.settings import SPECS, ProbabilitySettings

DEFAULT_LAG_DAYS = 7
MAX_LAG_DAYS = 21
MIN_REVIEWS = 20
FOLDS = 3
PLENTY = 40_000
# The longest look-back that a count is not scaled for.
LOOK_BACK_DAYS = 7


def review_lag_days(frame: pd.DataFrame) -> int:
    """Days in which nine reviews of ten have come, 0 to 21; 7 while reviews are few."""
    delay = (moments(frame["reviewed_at"]) - moments(frame["call_started_at"])).dropna()
    if len(delay) < MIN_REVIEWS:
        return DEFAULT_LAG_DAYS
    days = float(delay.dt.total_seconds().quantile(0.9)) / 86400
    return int(min(MAX_LAG_DAYS, max(0, math.ceil(days))))


def moments(values: pd.Series) -> pd.Series:
    """Datetimes, whatever the driver gave; NaT where there is none."""
    return pd.to_datetime(values, errors="coerce").astype("datetime64[us]")


@dataclass(frozen=True)
class MaturedCalls:
    """Calls with a known label, oldest first; `label` is 0 or 1, one a row."""

    frame: pd.DataFrame
    label: np.ndarray
    start: np.ndarray
    gap: np.timedelta64

    def __len__(self) -> int:
        return len(self.label)

    @property
    def weight(self) -> np.ndarray:
        """How much of the week before each call the log holds, above 0 to 1.

        Of the log's first days nobody knows who had called before.
        """
        days = numbers(self.frame["log_days"]).fillna(LOOK_BACK_DAYS).to_numpy()
        return np.clip((days + 0.5) / LOOK_BACK_DAYS, 0, 1)

    @property
    def callers(self) -> np.ndarray:
        """Whose call each is: calls of one caller are alike."""
        return self.frame["caller_key"].to_numpy(dtype=str)

    def take(self, keep: np.ndarray) -> MaturedCalls:
        """Some of the rows: a boolean mask."""
        return MaturedCalls(self.frame[keep], self.label[keep], self.start[keep], self.gap)


def matured_calls(
    frame: pd.DataFrame, metric: str, as_of: datetime, settings: ProbabilitySettings
) -> MaturedCalls:
    """The calls that can teach `metric` as of a moment: not gated, matured, `max_rows` at most."""
    spec = SPECS[metric]
    horizon = pd.Timedelta(days=settings.horizon_days(metric))
    start = moments(frame["call_started_at"])
    now = pd.Timestamp(as_of)
    known = frame.loc[start <= now, ["reviewed_at", "call_started_at"]]
    lag = pd.Timedelta(days=review_lag_days(known) if spec.needs_reviews else 0)
    newest = now - horizon - lag
    keep = (
        (start <= newest)
        & (start > newest - pd.Timedelta(days=settings.history_days))
        & frame[spec.gate_column(metric)].isna()
        & frame["caller_key"].notna()
    )
    # Places first, rows last: a long history is not copied.
    place = np.flatnonzero(keep)
    order = np.lexsort((frame["history_id"].to_numpy()[place], start.to_numpy()[place]))
    rows = frame.iloc[place[order][-settings.max_rows :]]
    begin = moments(rows["call_started_at"])
    event = moments(rows[spec.event_column])
    label = (event.notna() & (event > begin) & (event <= begin + horizon)).to_numpy(dtype=int)
    return MaturedCalls(rows, label, begin.to_numpy(), (horizon + lag).to_timedelta64())


class Fold(NamedTuple):
    """Calls to learn from, and newer ones, a gap later, to predict."""

    learn: MaturedCalls
    predict: MaturedCalls


@dataclass(frozen=True)
class Slices:
    """Parts of the matured calls by time, from old to new.

    Candidates learn and are chosen and calibrated on `folds`, one newer than the other; the chosen
    one learns again on `older`, which holds them all, and is judged on `test`, a gap later.
    """

    folds: tuple[Fold, ...]
    older: MaturedCalls
    test: MaturedCalls


def slices(calls: MaturedCalls, share: float = 0.15, at_least: int = 1000) -> Slices:
    """Cut by time. The newest slice has `share` of the rows or `at_least`, never over a third.

    Where a full gap would leave too little, it is half of the time there is before the cut.
    The newer half of the older calls is predicted in FOLDS parts; one when calls are plenty.
    """
    size = min(max(int(len(calls) * share), at_least), len(calls) // 3)
    none = calls.take(np.zeros(len(calls), dtype=bool))
    if size == 0:
        return Slices((), calls, none)
    test_from = calls.start[-size]
    gap = min(calls.gap, (test_from - calls.start[0]) / 2)
    older = calls.take(calls.start < test_from - gap)
    test = calls.take(calls.start >= test_from)
    count = FOLDS if len(older) < PLENTY else 1
    first = len(older) // 2 if count > 1 else len(older) * 3 // 4
    cuts = np.linspace(first, len(older), count + 1).astype(int)
    edges = [*older.start[cuts[:-1]], test_from] if len(older) >= 2 * FOLDS else []
    if edges:
        gap = min(gap, (edges[0] - older.start[0]) / 2)
    folds = tuple(
        Fold(
            older.take(older.start < begin - gap),
            older.take((older.start >= begin) & (older.start < end)),
        )
        for begin, end in itertools.pairwise(edges)
    )
    return Slices(folds, older, test)
