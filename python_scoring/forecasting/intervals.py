"""Prediction intervals from a method's own past errors."""

from __future__ import annotations

import numpy as np
from scipy import stats

from python_scoring.forecasting.settings import WEEK

# Order of all bounds here: lo95, lo80, hi80, hi95.
PROBABILITIES = np.array([0.025, 0.1, 0.9, 0.975])
# Below it a day's count is given the quantiles of a counting distribution.
SMALL_COUNT = 20.0
# Forecasts below it are taken for it, so that a spread is never nothing.
SMALLEST = 0.05
# Spread of a day's rate around its mean where nothing is known of it yet.
UNKNOWN_CV = 0.3
POOLED_DAYS = 30
GROWTH_PER_WEEK = 1.05
HALF_LIFE_WEEKS = 10.0
WIDEN = 2.0
CLIP = 5.0
# With fewer windows that share no days, errors give a spread but no quantiles.
FEW_WINDOWS = 1.5
# Distance of the 97.5 % quantile over that of the 90 %: normal 1.53, tails a little heavier.
NORMAL_RATIO = 1.6


def bounds(
    forecast: np.ndarray,
    past: np.ndarray,
    actual: np.ndarray,
    kind: str,
    week: int = WEEK,
    apart: float = 1.0,
) -> np.ndarray:
    """Bounds (4, days) of `forecast` (days,) from earlier windows, `apart` weeks apart.

    `week` is the number of steps a week. past, actual (windows, days): earlier
    forecasts of the same method and what came, NaN where it is not known yet. Errors
    are standardised by a spread that follows the level, and by horizon in weeks; their
    empirical quantiles, newer windows counting more, are the bounds.
    Counts below SMALL_COUNT get negative binomial quantiles of the same variance,
    which is at least Poisson's.
    """
    known = np.isfinite(actual) & np.isfinite(past)
    age = apart * np.arange(len(past))[::-1, None]
    weight = np.where(known, 0.5 ** (age / HALF_LIFE_WEEKS), 0.0)
    model = spread_model(past, np.where(known, actual, past), weight, kind)
    sd = deviation(forecast, model, kind)
    z = np.where(known, actual - past, 0.0) / deviation(past, model, kind)
    growth = growth_by_week(z, weight, week)
    weeks = np.arange(len(forecast)) // week
    z = z / growth[weeks]
    # Windows closer than a week share their days.
    windows = float(known.any(axis=1).sum()) * min(apart, 1.0)
    quantiles = error_quantiles(z[known], weight[known], windows)
    result = forecast + quantiles[:, None] * sd * growth[weeks]
    if kind == "count":
        spread = weighted_rms(z, weight) if known.any() else 1.0
        variance = (sd * growth[weeks] * max(spread, 1.0)) ** 2
        small = forecast < SMALL_COUNT
        result[:, small] = count_quantiles(forecast[small], variance[small])
    return ordered(result, forecast)


def weighted_rms(z: np.ndarray, weight: np.ndarray) -> float:
    """Root mean square, single errors beyond CLIP cut down to it."""
    total = weight.sum()
    return float(np.sqrt((weight * np.clip(z, -CLIP, CLIP) ** 2).sum() / max(total, 1e-12)))


def spread_model(
    past: np.ndarray, actual: np.ndarray, weight: np.ndarray, kind: str
) -> tuple[float, float]:
    """(c, p) of the variance floor + c x level^p, the floor being Poisson's for counts.

    p is 0, 1 or 2, the likeliest for normal errors: a week's errors may grow with the
    level or not; with p 2 a count's variance is the negative binomial one. c by moments.
    """
    if not weight.any():
        return UNKNOWN_CV**2, 2.0
    level = np.maximum(past, SMALLEST)
    floor = level if kind == "count" else np.zeros_like(level)
    square = (actual - past) ** 2
    square = np.minimum(square, CLIP**2 * (weight * square).sum() / weight.sum())
    best, least = (0.0, 2.0), np.inf
    for power in (2.0, 1.0, 0.0):
        excess = (weight * (square - floor)).sum() / (weight * level**power).sum()
        variance = floor + max(float(excess), 0.0) * level**power + 1e-9
        loss = (weight * (np.log(variance) + square / variance)).sum()
        if loss < least - 1e-9:
            best, least = (max(float(excess), 0.0), power), loss
    return best


def deviation(level: np.ndarray, model: tuple[float, float], kind: str) -> np.ndarray:
    """Standard deviation at each level by a `spread_model`."""
    level = np.maximum(level, SMALLEST)
    floor = level if kind == "count" else 0.0
    return np.sqrt(floor + model[0] * level ** model[1] + 1e-9)


def growth_by_week(z: np.ndarray, weight: np.ndarray, steps: int) -> np.ndarray:
    """How the spread of errors grows with the week of the horizon; never shrinks."""
    weeks = -(-max(z.shape[1], 1) // steps)
    squares = weight * np.clip(z, -CLIP, CLIP) ** 2
    overall = squares.sum() / max(weight.sum(), 1e-12)
    growth = np.ones(weeks)
    level = 0.0
    for week in range(weeks):
        if overall <= 0:
            break
        span = slice(week * steps, (week + 1) * steps)
        count = weight[:, span].sum() * WEEK / steps
        mean = squares[:, span].sum() * WEEK / steps + POOLED_DAYS * overall
        mean /= count + POOLED_DAYS
        floor = level * (1.0 if count else GROWTH_PER_WEEK**2)
        level = max(mean / overall, floor)
        growth[week] = np.sqrt(level)
    return growth


def error_quantiles(z: np.ndarray, weight: np.ndarray, windows: float) -> np.ndarray:
    """Quantiles (4,) of standardised errors, a little wider where windows are few.

    The outer ones are at least as far as a normal distribution puts them from the inner.
    """
    if len(z) < 2 * WEEK:
        return stats.t.ppf(PROBABILITIES, 3)
    if windows < FEW_WINDOWS:
        return stats.t.ppf(PROBABILITIES, 3) * weighted_rms(z, weight)
    tails = np.minimum(PROBABILITIES, 1 - PROBABILITIES)
    # Split conformal: of n errors the (n + 1)(1 - a)-th; errors of one window go together.
    tails = np.maximum(tails - (0.5 - tails) / (WIDEN * max(windows, 1.0)), 0.0)
    order = np.argsort(z)
    reached = np.cumsum(weight[order])
    reached = (reached - 0.5 * weight[order]) / reached[-1]
    quantiles = np.interp(np.where(PROBABILITIES < 0.5, tails, 1 - tails), reached, z[order])
    outer = NORMAL_RATIO * quantiles[[1, 2]]
    quantiles[0], quantiles[3] = min(quantiles[0], outer[0]), max(quantiles[3], outer[1])
    return quantiles


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
    by moments, newer windows counting more, with Student's t as these are few; at least
    Poisson's for counts.
    """
    ratio, independent = UNKNOWN_CV**2, 0.0
    if len(past) >= 2:
        # Ten independent windows back a window counts half.
        weight = 0.5 ** (np.arange(len(past))[::-1] / (HALF_LIFE_WEEKS * overlap))
        square = (actual - past) ** 2
        square = np.minimum(square, CLIP**2 * np.median(square) + past)
        excess = weight * (square - (past if kind == "count" else 0.0))
        ratio = max(float(excess.sum() / max((weight * past**2).sum(), 1e-9)), 0.0)
        independent = float(weight.sum() ** 2 / (weight**2).sum()) / overlap
    # Few windows of one stretch say too little of how far the level may wander.
    ratio *= 1 + 2 / max(independent, 1.0)
    ratio = max(ratio, UNKNOWN_CV**2 * (1 - independent / 2))
    variance = ratio * forecast**2 + (forecast if kind == "count" else 0.0)
    freedom = max(independent / 2, 3.0)
    if kind == "count" and forecast < SMALL_COUNT:
        result = count_quantiles(np.array([forecast]), np.array([variance]))
    else:
        quantiles = stats.t.ppf(PROBABILITIES, freedom)
        result = forecast + quantiles[:, None] * np.sqrt(variance)
    return ordered(result, np.array([forecast]))[:, 0]
