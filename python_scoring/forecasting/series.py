"""What is forecast: one series a target, dimension value and grain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

KINDS = ("count", "amount", "rate", "level")
ADDITIVE = ("count", "amount")
UPPER = {"count": np.inf, "amount": np.inf, "rate": 1.0, "level": 100.0}
KEY_COLUMNS = ["target", "dimension", "dimension_value", "grain"]


@dataclass(frozen=True)
class Key:
    """Name of a series; `grain` is 'day' or 'hour'."""

    target: str
    dimension: str
    dimension_value: str
    grain: str = "day"

    def as_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in KEY_COLUMNS}


@dataclass(frozen=True)
class Series:
    """Daily values of one key.

    values   float, DatetimeIndex of days, NaN where not known: the day's sum for
             kinds 'count' and 'amount', the day's mean for 'rate' (0..1) and 'level' (0..100)
    weights  rates and levels: how many calls the day's mean stands on (0: none)
    """

    key: Key
    values: pd.Series
    weights: pd.Series | None
    kind: str

    @property
    def additive(self) -> bool:
        return self.kind in ADDITIVE

    @property
    def last_day(self) -> date:
        return self.values.index[-1].date()


def regular(series: Series, first_day: date) -> Series:
    """The series on every day of its span, before `first_day`, without impossible values.

    Days on or after `first_day` are not history yet and are cut off; values that
    are infinite, negative or above the kind's bound become unknown (NaN).
    Raises ValueError for an unknown kind or a repeated day.
    """
    if series.kind not in KINDS:
        raise ValueError(f"{series.key}: kind {series.kind!r} is none of {KINDS}")
    values = on_days(series.values, first_day, f"{series.key}")
    usable = values.ge(0) & values.le(UPPER[series.kind]) & np.isfinite(values)
    values = values.where(usable)
    known = np.flatnonzero(values.notna())
    values = values.iloc[known[0] : known[-1] + 1] if len(known) else values.iloc[:0]
    weights = None
    if not series.additive:
        given = pd.Series(1.0, values.index) if series.weights is None else series.weights
        given = on_days(given, first_day, f"{series.key}, weights")
        given = given.reindex(values.index)
        weights = given.where(np.isfinite(given) & values.notna(), 0.0).clip(lower=0.0)
    return replace(series, values=values, weights=weights)


def on_days(values: pd.Series, first_day: date, name: str) -> pd.Series:
    """Float values on each day from the first to the last before `first_day`."""
    days = pd.DatetimeIndex(pd.to_datetime(values.index)).normalize()
    if days.has_duplicates:
        raise ValueError(f"{name}: {days[days.duplicated()][0].date()} is there twice")
    daily = pd.Series(np.asarray(values, dtype=float), index=days).sort_index()
    daily = daily[daily.index < pd.Timestamp(first_day)]
    if daily.empty:
        return daily
    return daily.reindex(pd.date_range(daily.index[0], daily.index[-1], freq="D"))
