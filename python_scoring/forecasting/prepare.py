"""History made fit for smoothing: special days, gaps and outliers replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from python_scoring.forecasting.calendar import Calendar
from python_scoring.forecasting.settings import WEEK

SAME_WEEKDAYS = 5
SPREAD_DAYS = 56
# Residuals are compared across weekdays by this power of the usual value: between
# Poisson's (a half) and a constant share of it (one).
SPREAD_POWER = 0.75
# Robust standard deviations from the usual value at which a day is cut down to that bound.
OUTLIER_SD = 4.0
# So many outlying days on the same side running are a new level, not outliers.
NEW_LEVEL_RUN = 3
# A day belongs to such a run from this share of the bound on.
RUN_SHARE = 0.4
GAP_DAYS = 7
MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Prepared:
    """Arrays over the days of history, (days,) each; `kinds` and `names` reach into the future.

    raw      as it came, NaN unknown
    clean    without NaN; special days and outliers replaced
    usual    what the days before would have led to expect; special days against this
    observed 0 where `clean` is not an observation and a model learns nothing, 2 in the first
             week of a new level, where it learns faster, else 1
    outliers how many days were cut down
    """

    days: pd.DatetimeIndex
    raw: np.ndarray
    clean: np.ndarray
    usual: np.ndarray
    observed: np.ndarray
    kinds: np.ndarray
    names: np.ndarray
    outliers: int


def prepare(
    values: pd.Series, calendar: Calendar, horizon: int, whole: pd.Series | None = None
) -> Prepared:
    """Prepare a regular daily series (no missing days in the index, at least one value).

    A part has its gaps where the `whole` has: an operator's week off is no missing record.
    Every replacement uses earlier days only, so that a backtest may cut the result
    at any day and sees nothing of the future.
    """
    raw = values.to_numpy(float)
    if whole is None:
        raw = without_gaps(raw)
    else:
        recorded = pd.Series(without_gaps(whole.to_numpy(float)), whole.index)
        raw = np.where(recorded.reindex(values.index).isna(), np.nan, raw)
    days = pd.date_range(values.index[0], periods=len(raw) + horizon, freq="D")
    kinds, names = calendar.labels(days)
    special = (kinds[: len(raw)] != "") | np.isnan(raw)
    start = opening(raw, special)
    clean, usual, residuals = np.empty_like(raw), np.empty_like(raw), np.zeros_like(raw)
    observed = np.where(special, 0.0, 1.0)
    run, outliers = 0, 0
    for t in range(len(raw)):
        same = clean[t % WEEK : t : WEEK][-SAME_WEEKDAYS:]
        usual[t] = np.median(same) if len(same) else start[t % WEEK]
        if special[t]:
            clean[t] = usual[t]
            continue
        unit = max(usual[t], 1.0) ** SPREAD_POWER
        residuals[t] = (raw[t] - usual[t]) / unit
        clean[t] = raw[t]
        if t < 3 * WEEK:
            continue
        bound = OUTLIER_SD * spread(residuals[max(0, t - SPREAD_DAYS) : t], usual[t], unit)
        far, side = abs(raw[t] - usual[t]), int(np.sign(residuals[t]))
        # Days well off on the same side make a run, of which one or two may be milder.
        run = (run + side if run * side >= 0 else side) if far > RUN_SHARE * bound else 0
        if far <= bound:
            continue
        if abs(run) > NEW_LEVEL_RUN:
            observed[t] = 2.0 if abs(run) <= NEW_LEVEL_RUN + WEEK else 1.0
        else:
            # Pulled back the further the farther it is (Hampel's redescending function).
            clean[t] = max(usual[t] + side * max(2 * bound - far, 0.0), 0.0)
            outliers += 1
    return Prepared(days, raw, clean, usual, observed, kinds, names, outliers)


def spread(residuals: np.ndarray, usual: float, unit: float) -> float:
    """Robust standard deviation from residuals per `unit`, at least Poisson's, never zero."""
    used = residuals[residuals != 0]
    deviation = MAD_TO_SD * float(np.median(np.abs(used))) if len(used) else 0.0
    return max(deviation * unit, float(np.sqrt(max(usual, 0.0))), 1e-9)


def opening(raw: np.ndarray, special: np.ndarray) -> np.ndarray:
    """Usual value of each phase of the week before anything is known of it; shape (7,)."""
    head = np.where(special, np.nan, raw)[: 4 * WEEK]
    if np.isnan(head).all():
        head = raw[: 4 * WEEK]
    level = 0.0 if np.isnan(head).all() else float(np.nanmedian(head))
    phases = [head[phase::WEEK] for phase in range(WEEK)]
    return np.array([np.nanmedian(p) if np.isfinite(p).any() else level for p in phases])


def without_gaps(raw: np.ndarray) -> np.ndarray:
    """Zeros of a week or more between busy days are days without a record: NaN."""
    result = raw.copy()
    zero = np.nan_to_num(raw, nan=0.0) == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], zero.astype(int), [0]])))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        before = raw[max(0, start - 4 * WEEK) : start]
        busy = before[np.isfinite(before)]
        inside = start > 0 and stop < len(raw) and stop - start >= GAP_DAYS
        # Poisson's chance of such a run of zeros is below one in a million.
        if inside and len(busy) and busy.mean() * (stop - start) > 14:
            result[start:stop] = np.nan
    return result
