"""Days that are not like their weekday: holidays, closed days, moved workdays, promotions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
import pandas as pd

CLOSED = "closed"
# A kind's own past days against the prior "as usual", a day's own name against its kind.
PRIOR_DAYS = 1.0
MAX_EFFECT = 5.0


@dataclass(frozen=True)
class Calendar:
    """`kinds` and `names` by day; a day that is not there is an ordinary one.

    `zone` is that of a place whose clocks change.
    """

    kinds: pd.Series
    names: pd.Series
    zone: tzinfo | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame | None) -> Calendar:
        """From columns date, day_kind and, where known, name; of a repeated day the last counts."""
        if frame is None or frame.empty:
            empty = pd.Series([], index=pd.DatetimeIndex([]), dtype=object)
            return cls(empty, empty)
        missing = {"date", "day_kind"} - set(frame.columns)
        if missing:
            raise ValueError(f"the calendar has no column {sorted(missing)}")
        index = pd.DatetimeIndex(pd.to_datetime(frame["date"])).normalize()
        kinds = pd.Series(frame["day_kind"].astype(str).to_numpy(object), index)
        named = frame["name"] if "name" in frame else frame["day_kind"]
        names = pd.Series(named.astype(str).to_numpy(object), index)
        last = ~index.duplicated(keep="last")
        return cls(kinds[last].sort_index(), names[last].sort_index())

    def labels(self, days: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
        """Kind and name of each day, '' for an ordinary one; two arrays of `len(days)`."""
        kinds = self.kinds.reindex(days).fillna("").to_numpy(object)
        names = self.names.reindex(days).fillna("").to_numpy(object)
        return kinds, names

    def clock_hours(self, days: pd.DatetimeIndex) -> np.ndarray | None:
        """How often clocks pass each hour of each day, (days, 24): 0 or 2 where they change."""
        if self.zone is None:
            return None
        passes = np.ones((len(days), 24))
        for place, day in enumerate(days.to_pydatetime()):
            begin = day.replace(tzinfo=self.zone)
            end = (day + timedelta(days=1)).replace(tzinfo=self.zone)
            if begin.utcoffset() != end.utcoffset():
                seconds = range(int(begin.timestamp()), int(end.timestamp()), 3600)
                shown = [datetime.fromtimestamp(second, self.zone).hour for second in seconds]
                passes[place] = np.bincount(shown, minlength=24)
        return passes


def day_effects(
    kinds: np.ndarray, names: np.ndarray, actual: np.ndarray, usual: np.ndarray, future: slice
) -> np.ndarray:
    """Factor on the usual value of each day of `future`, learned from the days before it.

    Shapes: all arrays (days,), result (days in future,). A kind's factor is
    (sum actual + prior) / (sum usual + prior) over its past days, the prior being one
    usual day; a name's factor is pulled towards its kind's in the same way. A kind of
    day never seen before has the factor 1, but 'closed' starts from 0.
    """
    past = np.flatnonzero(kinds[: future.start] != "")
    past = past[np.isfinite(actual[past]) & (usual[past] > 0)]
    effects = np.ones(future.stop - future.start)
    for i, (kind, name) in enumerate(zip(kinds[future], names[future], strict=True)):
        if not kind:
            continue
        start = 0.0 if kind == CLOSED else 1.0
        same_kind = past[kinds[past] == kind]
        effect = shrunken(actual[same_kind], usual[same_kind], start)
        same_name = same_kind[names[same_kind] == name]
        effects[i] = shrunken(actual[same_name], usual[same_name], effect)
    return np.clip(effects, 0.0, MAX_EFFECT)


def shrunken(actual: np.ndarray, usual: np.ndarray, start: float) -> float:
    """Ratio of sums, pulled towards `start` as by PRIOR_DAYS more days."""
    if not len(usual):
        return start
    prior = PRIOR_DAYS * float(usual.mean())
    return float((actual.sum() + start * prior) / (usual.sum() + prior))
