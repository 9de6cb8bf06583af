"""Which method to publish: the combination, unless one has been clearly better here."""

from __future__ import annotations

import numpy as np

from python_scoring.forecasting.methods import COMBINATION, NAIVE

MARGIN = 0.05
HALF_LIFE_WINDOWS = 13.0


def with_combination(forecasts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The forecasts and their median over the methods, the naive left out."""
    members = [ahead for name, ahead in forecasts.items() if name != NAIVE]
    return {**forecasts, COMBINATION: np.median(members, axis=0)}


def choose(
    forecasts: dict[str, np.ndarray], actual: np.ndarray, origins: np.ndarray, upto: int, least: int
) -> str:
    """Name of the method to publish at the origin number `upto`.

    forecasts (origins, days) by name, actual alike; only days before that origin
    count, newer windows more. With fewer than `least` windows: the combination.
    """
    ahead = np.arange(actual.shape[1])
    known = (origins[:upto, None] + ahead < origins[upto]) & np.isfinite(actual[:upto])
    if known.any(axis=1).sum() < least:
        return COMBINATION
    age = np.arange(upto)[::-1]
    weight = known * (0.5 ** (age / HALF_LIFE_WINDOWS))[:, None]
    true = np.where(known, actual[:upto], 0.0)
    losses = {
        name: float((weight * np.abs(true - np.where(known, ahead[:upto], 0.0))).sum())
        for name, ahead in forecasts.items()
    }
    best = min(losses, key=lambda name: losses[name])
    return best if losses[best] < (1 - MARGIN) * losses[COMBINATION] else COMBINATION


def published(
    forecasts: dict[str, np.ndarray], actual: np.ndarray, origins: np.ndarray, least: int
) -> tuple[np.ndarray, list[str]]:
    """What the choice would have published at each origin (origins, days), and the names."""
    names = [choose(forecasts, actual, origins, i, least) for i in range(len(origins))]
    return np.stack([forecasts[name][i] for i, name in enumerate(names)]), names
