"""Seasonal ARIMA by conditional least squares, with the seasonal difference always taken."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.signal import lfilter

from python_scoring.forecasting.grids import grid_weights
from python_scoring.forecasting.settings import WEEK

PHIS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0)
THETAS = (0.0, -0.2, -0.4, -0.6, -0.75, -0.9)
SEASONAL_THETAS = (-0.5, -0.7, -0.85, -0.95)


def arima(
    values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
) -> np.ndarray:
    """ARIMA(1,0,1)(0,1,1) of period 7; phi 1 is the airline model ARIMA(0,1,1)(0,1,1).

    Conditional least squares: Box, Jenkins and Reinsel (2008), "Time Series Analysis",
    section 7.1. The difference over a week is forced: tests for it leave a weak week
    out, and the forecast goes flat. Shapes as in `smoothing`.
    """
    if origins.min() <= 2 * WEEK:
        raise ValueError(f"{origins.min()} days are too few, expected more than {2 * WEEK}")
    grid = [
        point
        for point in itertools.product(PHIS, THETAS, SEASONAL_THETAS)
        # Near phi = -theta the two cancel; below it the model is a moving average of noise.
        if point[0] + point[1] >= -0.2
    ]
    difference = values[WEEK:] - values[:-WEEK]
    errors = np.empty((len(values), len(grid)))
    errors[:WEEK] = 0.0
    for i, (phi, theta, seasonal) in enumerate(grid):
        moving = np.zeros(WEEK + 2)
        moving[[0, 1, WEEK, WEEK + 1]] = 1.0, theta, seasonal, theta * seasonal
        errors[WEEK:, i] = lfilter([1.0, -phi], moving, difference)
    losses = np.where(observed[:, None] > 0, np.abs(errors), 0.0)
    losses[: 2 * WEEK] = 0.0
    weights = grid_weights(losses, origins)
    phi, theta, seasonal = np.array(grid).T
    # Past shocks by age: known up to the origin, zero after it.
    shocks = np.zeros((len(origins), horizon + WEEK + 1, len(grid)))
    for age in range(WEEK + 1):
        shocks[:, WEEK - age] = errors[origins - 1 - age]
    previous = np.repeat(difference[origins - WEEK - 1][:, None], len(grid), axis=1)
    steps = np.empty((len(origins), horizon))
    for h in range(horizon):
        now = h + WEEK + 1
        previous = (
            phi * previous
            + theta * shocks[:, now - 1]
            + seasonal * shocks[:, now - WEEK]
            + theta * seasonal * shocks[:, now - WEEK - 1]
        )
        steps[:, h] = (previous * weights).sum(axis=1)
    result = np.empty_like(steps)
    for h in range(horizon):
        base = values[origins + h - WEEK] if h < WEEK else result[:, h - WEEK]
        result[:, h] = base + steps[:, h]
    return result
