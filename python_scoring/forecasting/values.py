"""Forecast of what bookings are worth: the bookings' own forecast times what one brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from python_scoring.forecasting.intervals import PROBABILITIES, ordered
from python_scoring.forecasting.methods import NAIVE
from python_scoring.forecasting.rates import naive
from python_scoring.forecasting.result import Result, backtest_rows, sums
from python_scoring.forecasting.series import Series
from python_scoring.forecasting.settings import WEEK, Settings
from python_scoring.forecasting.shares import OTHER, shared_out
from python_scoring.forecasting.windows import PUBLISHED, Windows, actuals, window_bounds

# What is worth something: target of the value, target of what is counted.
WORTH_OF = {"booked_value": "bookings"}
MODEL = "count_x_worth"
# Prices change slowly, and dear services are few: half of the weight is the last 8 weeks'.
HALF_LIFE = 56.0
# Bookings by which a part's worth is pulled to that of the whole.
PART_BOOKINGS = 20.0


def forecast_values(
    values: Sequence[Series], counted: Sequence[Result], settings: Settings
) -> list[Result]:
    """A result for each one of `counted` whose value is given: both agree day by day.

    A part 'other' of `counted` is worth what the whole has beyond the parts. Parts are scaled
    to the whole, so that a day's value adds up over each dimension.
    """
    found: list[Result] = []
    for target, count_target in WORTH_OF.items():
        given = {
            (one.key.dimension, one.key.dimension_value): one
            for one in values
            if one.key.target == target
        }
        own = [result for result in counted if result.key.target == count_target]
        wholes = [result for result in own if result.key.dimension == "all"]
        if not wholes or ("all", "all") not in given:
            continue
        whole_series = given["all", "all"]
        whole = forecast_value(wholes[0], whole_series, settings)
        found.append(whole)
        for dimension in sorted({result.key.dimension for result in own} - {"all"}):
            parts = [result for result in own if result.key.dimension == dimension]
            kept = {result.key.dimension_value for result in parts} - {OTHER}
            days = whole_series.values.index
            listed = [
                given[dimension, value].values.reindex(days).fillna(0.0)
                for value in sorted(kept)
                if (dimension, value) in given
            ]
            rest = whole_series.values - sum(listed, pd.Series(0.0, days))
            series = {value: given.get((dimension, value)) for value in kept}
            series[OTHER] = replace(
                whole_series,
                key=replace(whole_series.key, dimension=dimension, dimension_value=OTHER),
                values=rest.clip(lower=0.0),
            )
            prior = (wholes[0], whole_series)
            results = [
                forecast_value(part, one, settings, prior)
                for part in parts
                if (one := series[part.key.dimension_value]) is not None
            ]
            found += shared_out(whole, results)
    return found


def forecast_value(
    counted: Result,
    value: Series,
    settings: Settings,
    whole: tuple[Result, Series] | None = None,
) -> Result:
    """The value of what `counted` forecasts, with intervals from its own past errors.

    `whole`: the result and the value of what this is a part of. A past origin uses what
    was known then of both: its forecast of the count, and the worth of one until then. Without
    past origins the intervals are those of the count and of the worth together.
    """
    assert counted.values is not None
    counts = counted.values
    values = value.values.reindex(counts.index)
    horizon = len(counted.yhat)
    windows = counted.windows
    origins = np.array([len(counts)]) if windows is None else windows.origins
    past_counts = counted.yhat[None] if windows is None else windows.forecasts[PUBLISHED]
    prior = np.zeros(len(origins)) if whole is None else worth_of_whole(whole, counts, origins)
    worth = worths(counts, values, origins, prior, 0.0 if whole is None else PART_BOOKINGS)
    shown = past_counts * worth[:, None]
    shown[-1] = counted.yhat * worth[-1]
    raw = values.to_numpy(float)
    actual = actuals(raw, origins, horizon)
    before = np.stack([naive(raw[:origin], horizon) for origin in origins])
    told = Windows(origins, actual, {PUBLISHED: shown, NAIVE: before}, [MODEL] * len(origins))
    if windows is None:
        one = worth_deviation(counts.to_numpy(float), raw, worth[-1])
        limits = compound_bounds(counted.yhat, counted.bounds, worth[-1], one)
        totals = {
            days: np.concatenate(
                [
                    [row[0] * worth[-1]],
                    compound_bounds(row[:1], row[1:, None], worth[-1], one)[:, 0],
                ]
            )
            for days, row in counted.totals.items()
        }
    else:
        step = float(origins[1] - origins[0]) if len(origins) > 1 else float(WEEK)
        limits = window_bounds(told, PUBLISHED, len(origins) - 1, "amount")
        totals = sums(shown[-1], shown[:-1], actual[:-1], "amount", step, counted.skip)
    return Result(
        key=replace(value.key),
        kind="amount",
        trained_through=counted.trained_through,
        yhat=shown[-1],
        bounds=limits,
        model=MODEL,
        totals=totals,
        backtest=pd.DataFrame()
        if windows is None
        else backtest_rows(told, counts.index, raw, "amount", settings),
        windows=told,
        values=values,
        skip=counted.skip,
    )


def worth_deviation(counts: np.ndarray, values: np.ndarray, worth: float) -> float:
    """Standard deviation of the worth of one: a day's n are worth n x worth, with n times its
    variance."""
    known = np.isfinite(counts) & np.isfinite(values) & (counts > 0)
    if not known.any():
        return 0.0
    squares = (values[known] - worth * counts[known]) ** 2
    return float(np.sqrt(squares.sum() / counts[known].sum()))


def compound_bounds(
    counts: np.ndarray, limits: np.ndarray, worth: float, deviation: float
) -> np.ndarray:
    """Bounds (4, n) of sums of `counts` (n,) worths, by the variance of a compound sum.

    limits (4, n) are those of the counts; each worth has the `deviation`.
    """
    apart = worth * (limits - counts)
    spread = stats.norm.ppf(PROBABILITIES)[:, None] * deviation * np.sqrt(np.maximum(counts, 0.0))
    reach = np.sign(PROBABILITIES - 0.5)[:, None] * np.hypot(apart, spread)
    return ordered(counts * worth + reach, counts * worth)


def worths(
    counts: pd.Series, values: pd.Series, origins: np.ndarray, prior: np.ndarray, weight: float
) -> np.ndarray:
    """Value of one at each origin, (origins,): a ratio of sums whose weights fade.

    `prior` counts as much as `weight` more of them.
    """
    count, value = counts.to_numpy(float), values.to_numpy(float)
    known = np.isfinite(count) & np.isfinite(value)
    count, value = np.where(known, count, 0.0), np.where(known, value, 0.0)
    found = np.zeros(len(origins))
    for place, origin in enumerate(origins):
        fade = 0.5 ** (np.arange(origin)[::-1] / HALF_LIFE)
        total = fade @ count[:origin] + weight
        if total > 0:
            found[place] = (fade @ value[:origin] + weight * prior[place]) / total
    return found


def worth_of_whole(
    whole: tuple[Result, Series], counts: pd.Series, origins: np.ndarray
) -> np.ndarray:
    """The whole's worth at the days on which a part's origins are."""
    result, series = whole
    assert result.values is not None
    behind = len(counts) - origins
    last = result.values.index.get_loc(counts.index[-1]) + 1
    places = np.maximum(last - behind, 0)
    values = series.values.reindex(result.values.index)
    return worths(result.values, values, places, np.zeros(len(places)), 0.0)
