"""Rolling-origin windows of a daily series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_scoring.forecasting.calendar import day_effects
from python_scoring.forecasting.choice import published, with_combination
from python_scoring.forecasting.intervals import bounds
from python_scoring.forecasting.methods import NAIVE
from python_scoring.forecasting.prepare import Prepared
from python_scoring.forecasting.settings import WEEK, Settings

FIRST_ORIGIN = 28
PUBLISHED = "published"


@dataclass(frozen=True)
class Windows:
    """Forecasts of all origins, oldest first; the last origin is the end of the history.

    origins   (origins,) number of known days
    actual    (origins, days) what came, NaN where not known
    forecasts by method, (origins, days) each; PUBLISHED is what the choice of that
              moment would have shown
    chosen    method published at each origin
    """

    origins: np.ndarray
    actual: np.ndarray
    forecasts: dict[str, np.ndarray]
    chosen: list[str]

    @property
    def weeks_apart(self) -> float:
        """Weeks between origins."""
        return float(self.origins[-1] - self.origins[-2]) / WEEK if len(self.origins) > 1 else 1.0


def origins_of(days: int, settings: Settings) -> np.ndarray:
    """Origins a week apart, closer together where the history is short; the last is its end."""
    room = days - FIRST_ORIGIN
    step = WEEK if room >= WEEK * (settings.min_windows + 2) else max(1, room // 12)
    count = min(settings.error_origins, room // step) + 1
    return days - step * np.arange(count)[::-1]


def actuals(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    """What came after each origin, (origins, horizon), NaN past the end."""
    padded = np.concatenate([values, np.full(horizon, np.nan)])
    return padded[origins[:, None] + np.arange(horizon)]


def apply_calendar(
    forecasts: dict[str, np.ndarray], prepared: Prepared, origins: np.ndarray
) -> dict[str, np.ndarray]:
    """Usual days become special where the calendar says so; the naive stays as it is."""
    horizon = next(iter(forecasts.values())).shape[1]
    effects = np.ones((len(origins), horizon))
    for i, origin in enumerate(origins):
        ahead = slice(int(origin), int(origin) + horizon)
        if np.any(prepared.kinds[ahead] != ""):
            effects[i] = day_effects(
                prepared.kinds, prepared.names, prepared.raw, prepared.usual, ahead
            )
    return {n: f if n == NAIVE else f * effects for n, f in forecasts.items()}


def judged(
    forecasts: dict[str, np.ndarray], actual: np.ndarray, origins: np.ndarray, settings: Settings
) -> Windows:
    """Add the combination and what would have been published."""
    forecasts = with_combination(forecasts)
    shown, chosen = published(forecasts, actual, origins, settings.min_windows)
    return Windows(origins, actual, {**forecasts, PUBLISHED: shown}, chosen)


def window_bounds(windows: Windows, name: str, number: int, kind: str) -> np.ndarray:
    """Bounds (4, days) of one origin's forecast, from what was known then."""
    ahead = np.arange(windows.actual.shape[1])
    origin = windows.origins[number]
    known = windows.origins[:number, None] + ahead < origin
    past = windows.forecasts[name]
    seen = np.where(known, windows.actual[:number], np.nan)
    return bounds(past[number], past[:number], seen, kind, apart=windows.weeks_apart)
