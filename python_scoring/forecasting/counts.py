"""Forecast of one series of counts or amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from python_scoring.forecasting.calendar import Calendar
from python_scoring.forecasting.intervals import bounds
from python_scoring.forecasting.methods import COMBINATION, MEAN4, run_methods
from python_scoring.forecasting.prepare import Prepared, prepare
from python_scoring.forecasting.result import Result, backtest_rows, sums
from python_scoring.forecasting.series import Series
from python_scoring.forecasting.settings import TOTAL_DAYS, WEEK, Settings
from python_scoring.forecasting.shares import SHARE, share_forecasts
from python_scoring.forecasting.windows import (
    PUBLISHED,
    Windows,
    actuals,
    apply_calendar,
    judged,
    origins_of,
    window_bounds,
)

# Spread within a weekday beyond Poisson before it can be measured; and the most
# weeks that the mean of all days stands for beside a weekday's own.
GUESSED_CV = 0.03
MOST_WEEKS = 10.0
# Share of days without anything from which a part is intermittent (Croston, 1972).
INTERMITTENT = 0.25


def forecast_counts(
    series: Series, calendar: Calendar, settings: Settings, total: Result | None = None
) -> Result:
    """Forecast a regular series (see `series.regular`) with at least one day.

    `total`, the result of the whole this series is a part of, adds the method that
    shares out the whole's forecast; a small part gets only that.
    """
    values = series.values
    days = len(values)
    skip = skipped_days(series, settings)
    horizon = settings.days + skip
    notes: list[tuple[str, dict[str, object]]] = []
    if not values.fillna(0.0).any():
        return all_zero(series, skip, settings)
    whole = None if total is None else total.values
    prepared = prepare(values, calendar, horizon, whole)
    gap = int(np.isnan(prepared.raw).sum())
    for code, count in (("outliers", prepared.outliers), ("gap", gap)):
        if count:
            notes.append((code, {"days": count}))
    if days < settings.min_backtest_days:
        code = "short_history" if days < settings.min_days else "few_windows"
        notes.append((code, {"days": days}))
        return short(series, prepared, notes, settings)
    origins = origins_of(days, settings)
    names: tuple[str, ...] | None = None
    if total is not None and is_small_or_intermittent(values, total, settings):
        names = (MEAN4,)
    forecasts = run_methods(prepared, origins, horizon, names)
    forecasts = apply_calendar(forecasts, prepared, origins)
    if total is not None and total.windows is not None:
        shared = share_forecasts(values, total, origins, horizon)
        if shared is not None:
            forecasts[SHARE] = shared
    windows = judged(forecasts, actuals(prepared.raw, origins, horizon), origins, settings)
    windows = closed_weekdays(windows, prepared)
    past, actual = windows.forecasts[PUBLISHED], windows.actual
    step = float(origins[1] - origins[0])
    yhat = past[-1]
    return Result(
        key=series.key,
        kind=series.kind,
        trained_through=values.index[-1],
        yhat=yhat,
        bounds=window_bounds(windows, PUBLISHED, len(origins) - 1, series.kind),
        model=windows.chosen[-1],
        totals=sums(yhat, past[:-1], actual[:-1], series.kind, step, skip),
        backtest=backtest_rows(
            windows,
            values.index,
            prepared.raw,
            series.kind,
            settings,
            None if total is None else {COMBINATION, SHARE},
        ),
        notes=notes,
        windows=windows,
        values=values,
        skip=skip,
    )


def is_small_or_intermittent(values: pd.Series, total: Result, settings: Settings) -> bool:
    """Whether a part of the last eight weeks is too small for a curve of its own, or stands still
    on days on which the whole goes on: weeks on and off are no trend to follow."""
    recent = values.iloc[-8 * WEEK :]
    if recent.mean() < settings.small_mean or total.values is None:
        return True
    busy = total.values.reindex(recent.index).fillna(0.0) > 0
    return bool((recent[busy] == 0).mean() > INTERMITTENT)


def skipped_days(series: Series, settings: Settings) -> int:
    """Days between the last known one and the first to forecast; they are forecast too."""
    return max((settings.first_day - series.last_day).days - 1, 0)


def closed_weekdays(windows: Windows, prepared: Prepared) -> Windows:
    """A weekday that was zero eight times running stays zero in every forecast."""
    for i, origin in enumerate(windows.origins):
        for h in range(min(WEEK, windows.actual.shape[1])):
            same = prepared.clean[: origin + h - WEEK + 1][::-WEEK][:8]
            if len(same) == 8 and not same.any():
                for ahead in windows.forecasts.values():
                    ahead[i, h::WEEK] = 0.0
    return windows


def short(
    series: Series,
    prepared: Prepared,
    notes: list[tuple[str, dict[str, object]]],
    settings: Settings,
) -> Result:
    """Mean of the last four same weekdays, pulled to the mean of all days while weeks are few."""
    days = len(prepared.clean)
    skip = skipped_days(series, settings)
    horizon = settings.days + skip
    origins = np.arange(min(WEEK, days), days + 1)
    forecasts = np.empty((len(origins), horizon))
    for i, origin in enumerate(origins):
        forecasts[i] = mean_of_few(prepared.clean[:origin], horizon)
    forecasts = apply_calendar({MEAN4: forecasts}, prepared, origins)[MEAN4]
    actual = actuals(prepared.raw, origins, horizon)
    past, seen = forecasts[:-1], actual[:-1]
    limits = bounds(forecasts[-1], past, seen, series.kind, apart=1 / WEEK)
    return Result(
        key=series.key,
        kind=series.kind,
        trained_through=series.values.index[-1],
        yhat=forecasts[-1],
        bounds=limits,
        model="mean_of_few" if days < settings.min_days else MEAN4,
        totals=sums(forecasts[-1], past, seen, series.kind, 1.0, skip),
        backtest=pd.DataFrame(),
        notes=notes,
        values=series.values,
        skip=skip,
    )


def mean_of_few(clean: np.ndarray, horizon: int) -> np.ndarray:
    """Weekday means of up to four weeks, shrunk to the mean of all days.

    Empirical Bayes (Efron and Morris 1975): the mean of all days counts as much as
    k more weeks, k being the variance within weekdays over that between them; a strong
    week is kept. Before a weekday has come twice, the variance within is a guess.
    """
    recent = clean[-4 * WEEK :]
    level = float(recent.mean())
    # Phase 0 is the first day to come.
    same = [recent[::-1][WEEK - 1 - phase :: WEEK] for phase in range(WEEK)]
    means = np.array([days.mean() for days in same if len(days)])
    freedom = len(recent) - len(means)
    within = max(level, 1e-9) + (GUESSED_CV * level) ** 2
    if freedom >= WEEK:
        squares = sum(float(((days - days.mean()) ** 2).sum()) for days in same if len(days))
        within = max(squares / freedom, level, 1e-9)
    between = 0.0
    if len(means) > 1:
        between = float(means.var(ddof=1)) - within * len(means) / len(recent)
    weeks = within / max(between, within / MOST_WEEKS)
    few = [(days.sum() + weeks * level) / (len(days) + weeks) for days in same]
    return np.array(few)[np.arange(horizon) % WEEK]


def all_zero(series: Series, skip: int, settings: Settings) -> Result:
    """Zero, with the upper bounds that so many zero days still allow (Jeffreys' prior)."""
    days = len(series.values)
    horizon = settings.days + skip
    yhat = np.zeros(horizon)
    totals = {}
    for length in (1, *TOTAL_DAYS):
        # Posterior predictive of a Poisson count: negative binomial of size 1/2.
        upper = stats.nbinom.ppf([0.9, 0.975], 0.5, days / (days + length))
        totals[length] = np.array([0.0, 0.0, 0.0, *upper])
    limits = np.repeat(totals.pop(1)[1:, None], horizon, axis=1)
    return Result(
        key=series.key,
        kind=series.kind,
        trained_through=series.values.index[-1],
        yhat=yhat,
        bounds=limits,
        model="zero",
        totals={length: t for length, t in totals.items() if length <= settings.days},
        backtest=pd.DataFrame(),
        notes=[("all_zero", {"days": days})],
        values=series.values,
        skip=skip,
    )
