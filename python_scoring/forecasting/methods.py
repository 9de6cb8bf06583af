"""The methods by name; each forecasts all origins of a backtest at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from python_scoring.forecasting.arima import arima
from python_scoring.forecasting.decomposition import stl, theta
from python_scoring.forecasting.prepare import Prepared
from python_scoring.forecasting.regression import poisson_regression
from python_scoring.forecasting.settings import WEEK
from python_scoring.forecasting.smoothing import smoothing

Method = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]

NAIVE = "seasonal_naive"
MEAN4 = "mean_4_weeks"
COMBINATION = "combination"


def weekday_mean(weeks: int) -> Method:
    """Mean of the last `weeks` same weekdays; of one: the seasonal naive."""

    def method(
        values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
    ) -> np.ndarray:
        result = np.empty((len(origins), horizon))
        for i, origin in enumerate(origins):
            level = values[max(0, origin - weeks * WEEK) : origin].mean()
            for h in range(min(horizon, WEEK)):
                same = values[: origin + h - WEEK + 1][::-WEEK][:weeks]
                result[i, h] = same.mean() if len(same) else level
        for h in range(WEEK, horizon):
            result[:, h] = result[:, h - WEEK]
        return result

    return method


def on_log(method: Method) -> Method:
    """The method on log(1 + value): a week whose swings grow with the level."""

    def logged(
        values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
    ) -> np.ndarray:
        ahead = method(np.log1p(np.maximum(values, 0.0)), observed, origins, horizon)
        return np.expm1(np.clip(ahead, 0.0, 30.0))

    return logged


METHODS: dict[str, Method] = {
    MEAN4: weekday_mean(4),
    "smoothing": smoothing,
    "smoothing_log": on_log(smoothing),
    "sarima": arima,
    "sarima_log": on_log(arima),
    "theta": on_log(theta),
    "stl": stl,
    "poisson": poisson_regression,
}


def run_methods(
    prepared: Prepared, origins: np.ndarray, horizon: int, names: tuple[str, ...] | None = None
) -> dict[str, np.ndarray]:
    """Forecasts of usual days by method, (origins, horizon) each, never below zero.

    The seasonal naive repeats the last week as it came (unknown days as replaced):
    it is the yardstick, and is not helped by the calendar.
    """
    observed = prepared.observed
    forecasts = {}
    for name, method in METHODS.items():
        if names is None or name in names:
            ahead = method(prepared.clean, observed, origins, horizon)
            forecasts[name] = np.maximum(np.nan_to_num(ahead, posinf=0.0), 0.0)
    as_it_came = np.where(np.isnan(prepared.raw), prepared.clean, prepared.raw)
    forecasts[NAIVE] = weekday_mean(1)(as_it_came, observed, origins, horizon)
    return forecasts
