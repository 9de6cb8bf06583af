"""Measures of a forecast against what came."""

from __future__ import annotations

import numpy as np

from python_scoring.forecasting.settings import WEEK


def naive_scale(history: np.ndarray, lag: int = WEEK) -> tuple[float, float]:
    """Mean absolute and root mean squared error of last week's value on the history.

    `lag` is a week in steps of the history: 7 days or 168 hours.
    The denominators of MASE and RMSSE (Hyndman and Koehler 2006, International Journal
    of Forecasting 22), seasonal form. NaN where the history has no pair a week apart
    or never changes.
    """
    if len(history) <= lag:
        return np.nan, np.nan
    change = history[lag:] - history[:-lag]
    change = change[np.isfinite(change)]
    if not len(change) or not np.any(change):
        return np.nan, np.nan
    return float(np.abs(change).mean()), float(np.sqrt((change**2).mean()))


def pinball(actual: np.ndarray, quantile: np.ndarray, probability: float) -> np.ndarray:
    """Quantile loss, in the unit of the values (Koenker and Bassett 1978)."""
    miss = actual - quantile
    return np.maximum(probability * miss, (probability - 1) * miss)


def measures(
    actual: np.ndarray,
    forecast: np.ndarray,
    bounds: np.ndarray,
    scale: tuple[float, float],
) -> dict[str, float]:
    """All measures of one window.

    actual, forecast (days,), NaN in actual is left out; bounds (4, days): lo95, lo80,
    hi80, hi95, NaN where there was no interval. mase, rmsse and pinball80 (mean of the
    losses of the 10 % and 90 % quantiles, over the scale of MASE) have no unit,
    wape and smape are shares, coverages 0..1.
    """
    known = np.isfinite(actual)
    y, f, bounds = actual[known], forecast[known], bounds[:, known]
    miss = np.abs(y - f)
    nan = float("nan")
    if not len(y):
        names = ["mase", "rmsse", "wape", "smape", "pinball80", "coverage80", "coverage95"]
        return {"n": 0, **dict.fromkeys(names, nan)}
    both = np.abs(y) + np.abs(f)
    has_bounds = np.isfinite(bounds).all()
    lo95, lo80, hi80, hi95 = bounds
    tails = (pinball(y, lo80, 0.1) + pinball(y, hi80, 0.9)) / 2
    return {
        "n": len(y),
        "mase": float(miss.mean() / scale[0]),
        "rmsse": float(np.sqrt((miss**2).mean()) / scale[1]),
        "wape": float(miss.sum() / np.abs(y).sum()) if np.any(y) else nan,
        "smape": float(np.where(both > 0, 2 * miss / np.where(both > 0, both, 1.0), 0.0).mean()),
        "pinball80": float(tails.mean() / scale[0]) if has_bounds else nan,
        "coverage80": float(((y >= lo80) & (y <= hi80)).mean()) if has_bounds else nan,
        "coverage95": float(((y >= lo95) & (y <= hi95)).mean()) if has_bounds else nan,
    }
