"""Models fitted on a grid of parameters at once: a fit at every origin for the price of one pass.

A method that looks only backwards gives, in one pass over the history, its errors
and its state at every day for every point of a parameter grid. The fit at an origin is
then a weighting of the grid by the errors up to that origin: nothing of the future
is seen, no optimiser can fail, and a dozen refits cost no more than one.
"""

from __future__ import annotations

import numpy as np

from python_scoring.forecasting.settings import WEEK

FADE_DAYS = 365.0
# Points of the grid within this share of the least error count most.
TEMPERATURE = 0.01
# Least share of an error that moves the level while a new level is being learned.
NEW_LEVEL_ALPHA = 0.4


def grid_weights(losses: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Weight of each grid point at each origin from its past losses.

    losses (days, points): loss known at the end of that day, NaN where none;
    origins (origins,): number of known days. Result (origins, points), rows sum to 1.
    """
    days = np.arange(len(losses))
    age = origins[:, None] - 1 - days[None, :]
    fade = np.where(age >= 0, 0.5 ** (age / FADE_DAYS), 0.0)
    total = fade @ np.nan_to_num(losses)
    least = total.min(axis=1, keepdims=True)
    worse = total / np.maximum(least, 1e-12) - 1
    weights = np.exp(-np.minimum(worse / TEMPERATURE, 50.0))
    return weights / weights.sum(axis=1, keepdims=True)


def smooth_levels(
    adjusted: np.ndarray, observed: np.ndarray, origins: np.ndarray, alphas: np.ndarray
) -> np.ndarray:
    """Level at each origin by simple exponential smoothing; alpha by one-step errors.

    adjusted (origins, days): each origin's own seasonally adjusted history;
    observed (days,) as in `Prepared`. Result (origins,).
    """
    days = adjusted.shape[1]
    level = np.repeat(adjusted[:, :WEEK].mean(axis=1)[:, None], len(alphas), axis=1)
    loss = np.zeros_like(level)
    keep = 0.5 ** (1 / FADE_DAYS)
    for t in range(days):
        if not observed[t]:
            continue
        error = np.where((t < origins)[:, None], adjusted[:, t, None] - level, 0.0)
        loss = np.where((t < origins)[:, None], loss * keep + np.abs(error), loss)
        step = np.maximum(alphas, NEW_LEVEL_ALPHA) if observed[t] > 1 else alphas
        level = level + step * error
    worse = loss / np.maximum(loss.min(axis=1, keepdims=True), 1e-12) - 1
    weights = np.exp(-np.minimum(worse / TEMPERATURE, 50.0))
    return (level * weights).sum(axis=1) / weights.sum(axis=1)
