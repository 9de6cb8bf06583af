"""Rates and levels: weighted means whose weights fade, with the calls behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from python_scoring.forecasting.intervals import PROBABILITIES, error_quantiles, ordered
from python_scoring.forecasting.methods import NAIVE
from python_scoring.forecasting.result import Result, backtest_rows
from python_scoring.forecasting.series import UPPER, Series
from python_scoring.forecasting.settings import TOTAL_DAYS, WEEK, Settings
from python_scoring.forecasting.windows import PUBLISHED, Windows, actuals

HALF_LIVES = (7.0, 14.0, 28.0, 56.0, 112.0, 224.0)
# Calls by which a part's mean is pulled to that of the whole, a weekday's to all days'.
PART_CALLS = 30.0
WEEKDAY_CALLS = 100.0
# Finished windows before their own errors make the interval of a mean over days.
LEAST_WINDOWS = 4
MODELS = {f"mean_{h:.0f}": (h, False) for h in HALF_LIVES} | {
    f"weekday_mean_{h:.0f}": (h, True) for h in (56.0, 224.0)
}


@dataclass(frozen=True)
class Past:
    """What was forecast from past origins and what came: means and calls, (origins, days)."""

    forecasts: np.ndarray
    actual: np.ndarray
    calls: np.ndarray

    @property
    def known(self) -> np.ndarray:
        return np.isfinite(self.actual) & (self.calls > 0)


def forecast_rate(series: Series, settings: Settings, total: Result | None = None) -> Result:
    """Forecast a regular series of rates (0..1) or levels (0..100).

    Weighted exponential smoothing: sum of value x calls over sum of calls, weights
    halved every so many days; the half-life by weighted squared errors of past
    windows. A part with few calls is pulled to the whole's mean. For the conversion this
    is the ratio of smoothed bookings to smoothed target calls: it agrees with the
    forecasts of these two as far as they move together.
    """
    days = len(series.values)
    skip = max((settings.first_day - series.last_day).days - 1, 0)
    horizon = settings.days + skip
    values = series.values.to_numpy(float)
    weights = np.zeros(days) if series.weights is None else series.weights.to_numpy(float)
    weights = np.where(np.isnan(values), 0.0, weights)
    first = min(28, max(days // 2, 1))
    step = WEEK if days - first >= 10 * WEEK else max(1, (days - first) // 12)
    count = min(settings.error_origins, (days - first) // step) + 1
    origins = days - step * np.arange(count)[::-1]
    prior = whole_means(total, days, origins)
    forecasts = {
        name: np.stack(
            [
                smoothed(values[:o], weights[:o], horizon, half_life, weekly, p)
                for o, p in zip(origins, prior, strict=True)
            ]
        )
        for name, (half_life, weekly) in MODELS.items()
    }
    forecasts[NAIVE] = np.stack([naive(values[:o], horizon) for o in origins])
    actual = actuals(values, origins, horizon)
    calls = np.nan_to_num(actuals(weights, origins, horizon))
    chosen = [choose(forecasts, actual, calls, origins, i) for i in range(count)]
    shown = np.stack([forecasts[name][i] for i, name in enumerate(chosen)])
    windows = Windows(origins, actual, {**forecasts, PUBLISHED: shown}, chosen)
    upper = UPPER[series.kind]
    ahead_calls = expected_calls(weights, horizon)
    yhat = np.clip(shown[-1], 0.0, upper)
    past = Past(shown[:-1], actual[:-1], calls[:-1])
    spread = spread_of_days(float(np.average(yhat, weights=ahead_calls)), past, upper)
    limits = mean_bounds(yhat, ahead_calls, past, spread, upper)
    totals = {}
    errors: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))
    for length in TOTAL_DAYS:
        span = slice(skip, skip + length)
        if length <= settings.days:
            found = window_errors(past, span)
            # Too few windows of a length are told by those of the next shorter one.
            errors = found if len(found[0]) >= LEAST_WINDOWS or not len(errors[0]) else errors
            totals[length] = window_mean(yhat[span], ahead_calls[span], spread[0], *errors, upper)
    notes: list[tuple[str, dict[str, object]]] = []
    if days < settings.min_backtest_days:
        notes.append(("short_history", {"days": days}))
    return Result(
        key=series.key,
        kind=series.kind,
        trained_through=series.values.index[-1],
        yhat=yhat,
        bounds=limits,
        model=chosen[-1],
        totals=totals,
        backtest=backtest_rows(windows, series.values.index, values, series.kind, settings),
        notes=notes,
        windows=windows,
        values=series.values,
        skip=skip,
    )


def smoothed(
    values: np.ndarray,
    weights: np.ndarray,
    horizon: int,
    half_life: float,
    weekly: bool,
    prior: float,
) -> np.ndarray:
    """Weighted mean (horizon,), with shrunken weekday means where `weekly`; NaN prior: none."""
    age = np.arange(len(values))[::-1]
    fade = weights * 0.5 ** (age / half_life)
    known = np.nan_to_num(values)
    calls = fade.sum()
    if np.isfinite(prior):
        level = (fade @ known + PART_CALLS * prior) / (calls + PART_CALLS)
    else:
        level = (fade @ known) / calls if calls > 0 else np.nan
    if np.isnan(level):
        level = float(np.average(known, weights=weights)) if weights.any() else 0.0
    if not weekly:
        return np.full(horizon, level)
    phases = np.arange(len(values)) % WEEK
    above = np.bincount(phases, fade * (known - level), WEEK)
    effect = above / (np.bincount(phases, fade, WEEK) + WEEKDAY_CALLS)
    return level + effect[(len(values) + np.arange(horizon)) % WEEK]


def naive(values: np.ndarray, horizon: int) -> np.ndarray:
    """The last known value of the same weekday, else the mean of the known ones."""
    known = values[np.isfinite(values)]
    result = np.full(horizon, known.mean() if len(known) else 0.0)
    for h in range(horizon):
        same = values[(len(values) + h) % WEEK :: WEEK]
        same = same[np.isfinite(same)]
        if len(same):
            result[h] = same[-1]
    return result


def whole_means(total: Result | None, days: int, origins: np.ndarray) -> np.ndarray:
    """The whole's mean forecast at each origin, NaN where there is none."""
    result = np.full(len(origins), np.nan)
    if total is None or total.windows is None:
        return result
    behind = total.windows.origins[-1] - total.windows.origins
    for i, origin in enumerate(origins):
        # The nearest origin of the whole that is not later than ours.
        earlier = np.flatnonzero(behind >= days - origin)
        if len(earlier):
            result[i] = total.windows.forecasts[PUBLISHED][earlier[-1]].mean()
    return result


def choose(
    forecasts: dict[str, np.ndarray],
    actual: np.ndarray,
    calls: np.ndarray,
    origins: np.ndarray,
    upto: int,
) -> str:
    """The model with the least weighted squared error before the origin number `upto`."""
    ahead = np.arange(actual.shape[1])
    known = (origins[:upto, None] + ahead < origins[upto]) & np.isfinite(actual[:upto])
    if known.sum() < 2 * WEEK:
        return "mean_56"
    weight = np.where(known, calls[:upto], 0.0)
    true = np.where(known, actual[:upto], 0.0)
    losses = {
        name: float((weight * (true - f[:upto]) ** 2).sum())
        for name, f in forecasts.items()
        if name != NAIVE
    }
    return min(losses, key=lambda name: losses[name])


def expected_calls(weights: np.ndarray, horizon: int) -> np.ndarray:
    """Calls behind each coming day: mean of the last four same weekdays, at least 0.5."""
    recent = weights[-4 * WEEK :]
    ahead = np.empty(horizon)
    for h in range(horizon):
        same = recent[::-1][(WEEK - 1 - h % WEEK) :: WEEK]
        ahead[h] = same.mean() if len(same) else recent.mean()
    return np.maximum(ahead, 0.5)


def mean_bounds(
    yhat: np.ndarray, calls: np.ndarray, past: Past, spread: tuple[float, float], upper: float
) -> np.ndarray:
    """Bounds (4, days) of daily means of variance a / calls + b, `spread` being (a, b).

    The quantiles are those of the standardised past errors.
    """
    a, b = spread
    known = past.known
    error, n = (past.actual - past.forecasts)[known], past.calls[known]
    z = error / np.sqrt(a / n + b) if len(error) else error
    quantiles = error_quantiles(z, np.ones(len(z)), int(known.any(axis=1).sum()))
    result = yhat + quantiles[:, None] * np.sqrt(a / calls + b)
    return ordered(result, yhat, upper)


def spread_of_days(level: float, past: Past, upper: float) -> tuple[float, float]:
    """(a, b) of the variance a / calls + b of a day's mean; a guess where little is known.

    A rate's a is at least p (1 - p), p being its `level`.
    """
    known = past.known
    floor = level * (1 - level) if upper <= 1.0 else 1.0
    if known.sum() < 2 * WEEK:
        return floor, (0.1 * upper) ** 2
    return spread_by_calls((past.actual - past.forecasts)[known], past.calls[known], floor)


def spread_by_calls(error: np.ndarray, n: np.ndarray, floor: float) -> tuple[float, float]:
    """Least squares of squared errors on 1 / calls and 1, neither below zero."""
    square = error**2
    weight = n**2 / (1 + n) ** 2
    design = np.stack([1 / n, np.ones_like(n)], axis=1) * np.sqrt(weight)[:, None]
    (a, b), *_ = np.linalg.lstsq(design, square * np.sqrt(weight), rcond=None)
    if b < 0:
        a, b = float((weight * square / n).sum() / (weight / n**2).sum()), 0.0
    a = max(float(a), floor)
    b = max(float(np.average(square - a / n, weights=weight)), 1e-9)
    return a, b


def window_errors(past: Past, span: slice) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the weighted means of whole windows' `span`, and the calls behind each."""
    forecasts, actual, calls = past.forecasts[:, span], past.actual[:, span], past.calls[:, span]
    weight = np.where(np.isfinite(actual), calls, 0.0)
    full = (np.isfinite(actual) | (calls == 0)).all(axis=1) & (weight.sum(axis=1) > 0)
    weight = weight[full]
    n = weight.sum(axis=1)
    return (weight * (np.nan_to_num(actual[full]) - forecasts[full])).sum(axis=1) / n, n


def window_mean(
    yhat: np.ndarray,
    calls: np.ndarray,
    a: float,
    error: np.ndarray,
    n: np.ndarray,
    upper: float,
) -> np.ndarray:
    """(yhat, lo95, lo80, hi80, hi95) of the weighted mean of several days.

    Variance a / calls + b: a is that of one call, b by moments from past windows, enlarged
    and with Student's t as these are few.
    """
    mean = np.array([float(np.average(yhat, weights=calls))])
    count = len(error)
    b = (0.1 * upper) ** 2
    if count >= LEAST_WINDOWS:
        b = max(float(np.mean(error**2 - a / n)), 0.0) * (1 + 2 / count)
    quantiles = stats.t.ppf(PROBABILITIES, max(count / 2, 3.0))
    result = mean + quantiles[:, None] * np.sqrt(a / calls.sum() + b)
    return np.concatenate([mean, ordered(result, mean, upper)[:, 0]])
