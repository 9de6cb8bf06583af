"""Prediction intervals from a method's own past errors."""

from __future__ import annotations

import numpy as np
from scipy import stats

from python_scoring.forecasting.settings import WEEK

# Order of all bounds here: lo95, lo80, hi80, hi95.
PROBABILITIES = np.array([0.025, 0.1, 0.9, 0.975])
# Below it a day's count is given the quantiles of a counting distribution.
SMALL_COUNT = 20.0
AMOUNT_POWER = 0.75
# Spread of a day's rate around its mean where nothing is known of it yet.
UNKNOWN_CV = 0.5
POOLED_DAYS = 30
GROWTH_PER_WEEK = 1.05


def bounds(
    forecast: np.ndarray, past: np.ndarray, actual: np.ndarray, kind: str, week: int = WEEK
) -> np.ndarray:
    """Bounds (4, days) of `forecast` (days,) from earlier windows; `week` steps a week.

    past, actual (windows, days): earlier forecasts of the same method and what came,
    NaN where it is not known yet. Errors are standardised by a spread that grows with
    the level, and by horizon in weeks; their empirical quantiles are the bounds.
    Counts below SMALL_COUNT get negative binomial quantiles of the same variance,
    which is at least Poisson's.
    """
    known = np.isfinite(actual) & np.isfinite(past)
    ratio = overdispersion(past[known], actual[known], kind)
    sd = deviation(forecast, ratio, kind)
    z = np.where(known, (actual - past) / deviation(past, ratio, kind), np.nan)
    growth = growth_by_week(z, known, week)
    weeks = np.arange(len(forecast)) // week
    z = z / growth[weeks]
    windows = int(known.any(axis=1).sum())
    quantiles = np.asarray(error_quantiles(z[known], windows))
    result = forecast + quantiles[:, None] * sd * growth[weeks]
    if kind == "count":
        spread = float(np.sqrt(np.mean(np.clip(z[known], -4, 4) ** 2))) if known.any() else 1.0
        variance = (sd * growth[weeks] * max(spread, 1.0)) ** 2
        small = forecast < SMALL_COUNT
        result[:, small] = count_quantiles(forecast[small], variance[small])
    return ordered(result, forecast)


def overdispersion(past: np.ndarray, actual: np.ndarray, kind: str) -> float:
    """Squared coefficient of variation beyond Poisson, by moments; amounts: of the power law."""
    if kind != "count":
        return 1.0
    if not len(past):
        return UNKNOWN_CV**2
    error = actual - past
    limit = 6 * np.sqrt(np.mean(error**2))
    excess = np.minimum(error**2, limit**2) - past
    return float(max(excess.sum() / max((past**2).sum(), 1e-9), 0.0))


def deviation(level: np.ndarray, ratio: float, kind: str) -> np.ndarray:
    """Spread expected at a level: negative binomial (counts) or a power of it (amounts)."""
    level = np.maximum(level, 0.0)
    if kind == "count":
        return np.sqrt(np.maximum(level, 0.05) + ratio * level**2)
    return np.maximum(level, 1e-3) ** AMOUNT_POWER


def growth_by_week(z: np.ndarray, known: np.ndarray, steps: int) -> np.ndarray:
    """How the spread of errors grows with the week of the horizon; never shrinks."""
    weeks = -(-max(z.shape[1], 1) // steps)
    squares = np.where(known, np.clip(z, -5, 5) ** 2, 0.0)
    overall = squares.sum() / max(known.sum(), 1)
    growth = np.ones(weeks)
    level = 0.0
    for week in range(weeks):
        span = slice(week * steps, (week + 1) * steps)
        count = known[:, span].sum()
        if overall <= 0:
            break
        mean = (squares[:, span].sum() + POOLED_DAYS * overall) / (count + POOLED_DAYS)
        floor = level * (1.0 if count else GROWTH_PER_WEEK**2)
        level = max(mean / overall, floor)
        growth[week] = np.sqrt(level)
    return growth


def error_quantiles(z: np.ndarray, windows: int) -> np.ndarray:
    """Quantiles of standardised errors (4,), a little wider where windows are few."""
    if len(z) < 2 * WEEK:
        return stats.t.ppf(PROBABILITIES, 3)
    tails = np.minimum(PROBABILITIES, 1 - PROBABILITIES)
    # Split conformal: of n errors the (n + 1)(1 - a)-th; errors of one window go together.
    tails = np.maximum(tails - (0.5 - tails) / (6.0 * max(windows, 1)), 0.0)
    return np.quantile(z, np.where(PROBABILITIES < 0.5, tails, 1 - tails))


def count_quantiles(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Quantiles (4, days) of counts: negative binomial, Poisson where not over-dispersed."""
    mean = np.maximum(mean, 0.0)
    variance = np.maximum(variance, mean * 1.0001 + 1e-9)
    size = np.maximum(mean, 1e-9) ** 2 / (variance - mean)
    chance = np.clip(size / (size + np.maximum(mean, 1e-9)), 1e-12, 1 - 1e-12)
    return np.stack([stats.nbinom.ppf(p, size, chance) for p in PROBABILITIES])


def ordered(result: np.ndarray, forecast: np.ndarray, upper: float = np.inf) -> np.ndarray:
    """Bounds in order around the forecast and within 0..upper."""
    result = np.clip(np.nan_to_num(result, nan=0.0, posinf=1e15), 0.0, upper)
    result[1] = np.minimum(result[1], forecast)
    result[0] = np.minimum(result[0], result[1])
    result[2] = np.maximum(result[2], forecast)
    result[3] = np.maximum(result[3], result[2])
    return result


def total_bounds(
    forecast: float, past: np.ndarray, actual: np.ndarray, kind: str, overlap: float
) -> np.ndarray:
    """Bounds (4,) of a sum over several days, from errors of such sums.

    past, actual (windows,) sums over windows of the same length, without NaN; `overlap`
    windows share their days, so that many fewer are independent. The relative spread is
    by moments, Student's t for few windows, Poisson's spread at least for counts.
    """
    ratio = UNKNOWN_CV**2
    if len(past) >= 2:
        floor = past if kind == "count" else 0.0
        excess = np.sum((actual - past) ** 2 - floor) / max(np.sum(past**2), 1e-9)
        ratio = max(float(excess), 0.0)
    variance = ratio * forecast**2 + (forecast if kind == "count" else 0.0)
    freedom = max(len(past) / overlap - 1, 3.0)
    if kind == "count" and forecast < SMALL_COUNT:
        result = count_quantiles(np.array([forecast]), np.array([variance]))
    else:
        quantiles = stats.t.ppf(PROBABILITIES, freedom)
        result = forecast + quantiles[:, None] * np.sqrt(variance)
    return ordered(result, np.array([forecast]))[:, 0]
