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
MOST_SMEARING = 1.5


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
    """The method on log(1 + value): a week whose swings grow with the level.

    A mean of logs leads back to a median, of small counts well below the mean, and
    sums over a week would fall short: see `smearing`.
    """

    def logged(
        values: np.ndarray, observed: np.ndarray, origins: np.ndarray, horizon: int
    ) -> np.ndarray:
        logs = np.log1p(np.maximum(values, 0.0))
        ahead = np.expm1(np.clip(method(logs, observed, origins, horizon), 0.0, 30.0))
        return ahead * smearing(values, logs, origins)[:, None]

    return logged


def smearing(values: np.ndarray, logs: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Arithmetic over geometric mean of like days before each origin, (origins,).

    The idea of Duan (1983), Journal of the American Statistical Association 78, on groups
    of four same weekdays running in the last year; a group's four values show three
    quarters of the variance.
    """
    weeks = 4
    days = len(values) - (weeks - 1) * WEEK
    if days < 1:
        return np.ones(len(origins))
    spans = [slice(week * WEEK, week * WEEK + days) for week in range(weeks)]
    plain = np.mean([values[span] for span in spans], axis=0)
    through_logs = np.expm1(np.mean([logs[span] for span in spans], axis=0))
    result = np.ones(len(origins))
    for i, origin in enumerate(origins):
        # The group that ends on day t starts three weeks earlier.
        stop = max(int(origin) - (weeks - 1) * WEEK, 0)
        year = slice(max(stop - 52 * WEEK, 0), stop)
        below = through_logs[year].sum()
        if below > 0:
            result[i] = 1 + (plain[year].sum() / below - 1) * weeks / (weeks - 1)
    return np.clip(result, 1.0, MOST_SMEARING)


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
