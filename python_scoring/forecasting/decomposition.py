"""Methods that take the week out, forecast the rest, and put the week back."""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.seasonal import STL

from python_scoring.forecasting.grids import smooth_levels
from python_scoring.forecasting.settings import WEEK

ALPHAS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9])
SEASON_HALF_LIFE = 56.0
STL_DAYS = 364
STL_SEASON = 15


def theta(
    values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
) -> np.ndarray:
    """Theta method with theta 0 and 2 in equal parts: smoothing plus half the slope.

    Assimakopoulos and Nikolopoulos (2000), International Journal of Forecasting 16,
    in the form of Hyndman and Billah (2003). The week is taken out additively, by
    weekday means whose weights fade. Shapes as in `smoothing`.
    """
    days = len(values)
    phases = np.arange(days) % WEEK
    adjusted = np.zeros((len(origins), days))
    seasons = np.empty((len(origins), WEEK))
    slopes = np.empty(len(origins))
    for i, origin in enumerate(origins):
        history, trend = values[:origin], centred_mean(values[:origin])
        weight = 0.5 ** (np.arange(origin)[::-1] / SEASON_HALF_LIFE) * (
            (observed[:origin] > 0) + 1e-9
        )
        total = np.bincount(phases[:origin], weight, WEEK)
        above = np.bincount(phases[:origin], weight * (history - trend), WEEK)
        season = above / np.maximum(total, 1e-12)
        seasons[i] = season - season.mean()
        adjusted[i, :origin] = history - seasons[i, phases[:origin]]
        time = np.arange(origin) - (origin - 1) / 2
        slopes[i] = time @ adjusted[i, :origin] / max(time @ time, 1.0)
    level = smooth_levels(adjusted, observed, origins, ALPHAS)
    ahead = np.arange(1, horizon + 1)
    week = np.array([seasons[i, (o - 1 + ahead) % WEEK] for i, o in enumerate(origins)])
    return level[:, None] + 0.5 * slopes[:, None] * ahead + week


def centred_mean(values: np.ndarray) -> np.ndarray:
    """Mean of the seven days around each day, the ends continued by the nearest full week."""
    if len(values) < WEEK:
        return np.full(len(values), values.mean())
    middle = np.convolve(values, np.ones(WEEK) / WEEK, "valid")
    side = WEEK // 2
    return np.concatenate([np.full(side, middle[0]), middle, np.full(side, middle[-1])])


def stl(values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """Seasonal decomposition by loess of the last year; the week of its end, smoothed level.

    Cleveland, Cleveland, McRae and Terpenning (1990), Journal of Official Statistics 6.
    Shapes as in `smoothing`.
    """
    adjusted = np.zeros((len(origins), len(values)))
    seasons = np.empty((len(origins), WEEK))
    for i, origin in enumerate(origins):
        start = max(0, int(origin) - STL_DAYS)
        fitted = STL(values[start:origin], period=WEEK, seasonal=STL_SEASON).fit()
        adjusted[i, :start] = values[:start]
        adjusted[i, start:origin] = values[start:origin] - fitted.seasonal
        seasons[i] = fitted.seasonal[-WEEK:]
    level = smooth_levels(adjusted, observed, origins, ALPHAS)
    return level[:, None] + seasons[:, np.arange(horizon) % WEEK]
