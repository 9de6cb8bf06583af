"""Poisson regression on the weekday, with weights that fade and a level of its own."""

from __future__ import annotations

import numpy as np

from python_scoring.forecasting.settings import WEEK

WEEKDAY_HALF_LIFE = 120.0
LEVEL_HALF_LIVES = (10.0, 21.0, 42.0)
YEAR = 365.25
# Two full years before a yearly wave is told from a trend.
YEARLY_DAYS = 730
RIDGE = 1.0
STEPS = 8


def poisson_regression(
    values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
) -> np.ndarray:
    """Quasi-Poisson regression by iteratively reweighted least squares.

    McCullagh and Nelder (1989), "Generalized Linear Models", section 2.5. Regressors:
    weekday, and a yearly wave once there are two years. The fitted week is then
    brought to the recent level: the mean of actual over fitted sums with three
    half-lives, so that the week learns from months and the level from weeks, and after
    a new level only from the days since.
    Shapes as in `smoothing`; zero where the history is zero.
    """
    last = int(origins.max()) + horizon
    design = regressors(last)
    result = np.zeros((len(origins), horizon))
    for i, origin in enumerate(origins):
        age = np.arange(origin)[::-1]
        known = (observed[:origin] > 0).astype(float)
        new = np.flatnonzero(observed[:origin] > 1)
        since = known * (np.arange(origin) >= new[-1] - WEEK) if len(new) else known
        y = np.maximum(values[:origin], 0.0)
        if not (y * known).sum() > 0:
            continue
        columns = design[:, : WEEK if origin < YEARLY_DAYS else design.shape[1]]
        weight = known * 0.5 ** (age / WEEKDAY_HALF_LIFE)
        if origin >= YEARLY_DAYS:
            weight = known * 0.5 ** (age / YEAR)
        fitted = fit_predict(columns[:origin], y, weight, columns[: origin + horizon])
        levels = []
        for half_life in LEVEL_HALF_LIVES:
            fade = since * 0.5 ** (age / half_life)
            levels.append((fade @ y) / max(fade @ fitted[:origin], 1e-9))
        result[i] = fitted[origin:] * np.mean(levels)
    return result


def regressors(days: int) -> np.ndarray:
    """Columns: seven weekdays, then two yearly waves; shape (days, 11)."""
    time = np.arange(days)
    week = np.eye(WEEK)[time % WEEK]
    angle = 2 * np.pi * time[:, None] / YEAR * np.array([1, 2])
    return np.hstack([week, np.sin(angle), np.cos(angle)])


def fit_predict(x: np.ndarray, y: np.ndarray, weight: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Means of a log-linear Poisson regression with a slight ridge, at `ahead`."""
    mean = max(float(weight @ y / max(weight.sum(), 1e-9)), 1e-6)
    penalty = np.diag([1e-6 * mean] * WEEK + [RIDGE * mean] * (x.shape[1] - WEEK))
    eta = np.log(0.9 * y + 0.1 * mean)
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        mu = np.exp(np.clip(eta, -20.0, 20.0))
        work = weight * mu
        gram = x.T @ (work[:, None] * x) + penalty
        target = x.T @ (work * (eta + (y - mu) / mu))
        beta = np.linalg.solve(gram, target)
        eta = np.clip(x @ beta, -20.0, 20.0)
    return np.exp(np.clip(ahead @ beta, -20.0, 20.0))
