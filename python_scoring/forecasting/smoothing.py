"""Exponential smoothing with a damped trend and a weekly season."""

from __future__ import annotations

import itertools

import numpy as np

from python_scoring.forecasting.grids import NEW_LEVEL_ALPHA, grid_weights
from python_scoring.forecasting.settings import WEEK

ALPHAS = (0.02, 0.05, 0.1, 0.17, 0.25, 0.35, 0.5, 0.7)
BETAS = (0.0, 0.02, 0.1)
GAMMAS = (0.0, 0.03, 0.07, 0.15, 0.3)
DAMPING = 0.9
LEADS = (1, 4, 7, 11, 14)
OPENING_DAYS = 28


def smoothing(
    values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
) -> np.ndarray:
    """Additive Holt-Winters with a damped trend in error correction form.

    ETS(A,Ad,A) of Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with
    Exponential Smoothing", section 2.5; beta 0 is ETS(A,N,A). A day that is not
    observed moves the season on and corrects nothing. The parameters are weighted
    by absolute errors 1 to 14 days ahead, as the forecast is used there.

    values (days,), observed (days,) as in `Prepared`, origins (origins,) number of
    known days -> (origins, horizon).
    """
    alpha, beta, gamma = np.array(list(itertools.product(ALPHAS, BETAS, GAMMAS))).T
    beta, fast = beta * alpha, np.maximum(alpha, NEW_LEVEL_ALPHA)
    days = len(values)
    head = values[: min(OPENING_DAYS, int(origins.min()))]
    level = np.full(len(alpha), head.mean())
    trend = np.zeros(len(alpha))
    season = np.zeros((WEEK, len(alpha)))
    for phase in range(WEEK):
        if len(head[phase::WEEK]):
            season[phase] = head[phase::WEEK].mean() - head.mean()
    levels = np.empty((days, len(alpha)))
    trends = np.empty_like(levels)
    seasons = np.empty((days, WEEK, len(alpha)))
    for t in range(days):
        phase = t % WEEK
        damped = DAMPING * trend
        level = level + damped
        if observed[t]:
            error = values[t] - level - season[phase]
            level = level + (fast if observed[t] > 1 else alpha) * error
            trend = damped + beta * error
            season[phase] = season[phase] + gamma * error
        else:
            trend = damped
        levels[t], trends[t], seasons[t] = level, trend, season
    reach = np.cumsum(DAMPING ** np.arange(1, max(horizon, *LEADS) + 1))
    losses = np.zeros_like(levels)
    for lead in LEADS:
        if days <= lead:
            continue
        at = np.arange(days - lead)
        ahead = levels[at] + reach[lead - 1] * trends[at] + seasons[at, (at + lead) % WEEK]
        miss = np.abs(values[lead:, None] - ahead)
        losses[lead:] += np.where(observed[lead:, None] > 0, miss, 0.0)
    weights = grid_weights(losses, origins)
    last = origins - 1
    result = np.empty((len(origins), horizon))
    for h in range(horizon):
        ahead = levels[last] + reach[h] * trends[last] + seasons[last, (last + 1 + h) % WEEK]
        result[:, h] = (ahead * weights).sum(axis=1)
    return result
