"""Hours: the day's forecast times a profile of hours by weekday."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from python_scoring.forecasting.accuracy import measures, naive_scale
from python_scoring.forecasting.intervals import bounds, count_quantiles, ordered
from python_scoring.forecasting.methods import NAIVE
from python_scoring.forecasting.result import ROW_COLUMNS, Result
from python_scoring.forecasting.settings import WEEK, Settings
from python_scoring.forecasting.windows import PUBLISHED

HOURS = 24
PROFILE_DAYS = 182
HALF_LIFE = 56.0
# Days of the weekday by which its profile is pulled to that of all days.
SHRINK_DAYS = 1.0
PROFILE = "profile"
# Calls an hour below which an hour counts as closed.
OPEN = 0.05


@dataclass(frozen=True)
class Hourly:
    """Forecast of hours: rows of ROW_COLUMNS and of the backtest without the key."""

    rows: pd.DataFrame
    backtest: pd.DataFrame


def hour_matrix(hourly: pd.DataFrame, target: str, days: pd.DatetimeIndex) -> np.ndarray:
    """(days, 24) of the target; hours without a row are zero. Raises on an hour outside 0..23."""
    if not hourly["hour"].between(0, HOURS - 1).all():
        wrong = hourly.loc[~hourly["hour"].between(0, HOURS - 1), "hour"].iloc[0]
        raise ValueError(f"hour {wrong}, expected 0 to 23")
    day = pd.to_datetime(hourly["day"]).dt.normalize()
    place = days.get_indexer(day)
    inside = place >= 0
    matrix = np.zeros((len(days), HOURS))
    amount = hourly[target].fillna(0.0).clip(lower=0.0).to_numpy(float)[inside]
    np.add.at(matrix, (place[inside], hourly["hour"].to_numpy(int)[inside]), amount)
    return matrix


def profile(
    matrix: np.ndarray, horizon: int, special: np.ndarray, passes: np.ndarray | None = None
) -> np.ndarray:
    """Share of each hour in each coming day, (horizon, 24), rows sum to 1.

    matrix (days, 24) up to the origin; `special` (days + horizon,) True on holidays and
    the like: these have a profile of their own, pulled to that of their weekday.
    Ratio of sums over half a year with fading weights, a weekday pulled to all days.
    `passes` (days + horizon, 24): how often clocks pass the hour, where they change.
    """
    days = len(matrix)
    start = max(0, days - PROFILE_DAYS)
    age = np.arange(days - start)[::-1]
    weight = 0.5 ** (age / HALF_LIFE)
    recent = matrix[start:]
    if passes is not None:
        recent = per_pass(recent, passes[start:days], weight)
    usual = weight * ~special[start:days]
    phases = np.arange(start, days) % WEEK
    overall = normalised(usual @ recent, np.full(HOURS, 1 / HOURS))
    typical = (usual @ recent).sum() / max(usual.sum(), 1e-9)
    result = np.empty((horizon, HOURS))
    for h in range(horizon):
        same = usual * (phases == (days + h) % WEEK)
        mine = same @ recent
        result[h] = normalised(mine + SHRINK_DAYS * typical * overall, overall)
        if special[days + h]:
            odd = weight * special[start:days]
            # Two days' worth of the weekday's own profile until holidays have shown theirs.
            result[h] = normalised(odd @ recent + 2 * typical * result[h], overall)
        if passes is not None:
            result[h] = normalised(result[h] * passes[days + h], result[h])
    return result


def per_pass(recent: np.ndarray, passes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Amounts as if clocks passed each hour once: an hour left out has its mean of other days."""
    known = weight[:, None] * (passes > 0)
    means = (known * recent / np.maximum(passes, 1)).sum(axis=0) / np.maximum(
        known.sum(axis=0), 1e-9
    )
    return np.where(passes > 0, recent / np.maximum(passes, 1), means)


def normalised(amounts: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    total = amounts.sum()
    return amounts / total if total > 0 else otherwise


def forecast_hours(
    hourly: pd.DataFrame,
    target: str,
    day: Result,
    special: np.ndarray,
    settings: Settings,
    passes: np.ndarray | None = None,
) -> Hourly:
    """Hours of the first `hour_days` days to forecast of one target, adding up to its days.

    Spread of an hour: the day's forecast times the profile against what came, in past
    windows; `special` (days + horizon,) and `passes` (the same, 24) of the calendar. Rates and
    levels have no hours.
    """
    assert day.values is not None
    index = day.values.index
    matrix = hour_matrix(hourly, target, index)
    covered = np.isfinite(day.values.to_numpy(float))
    horizon = min(day.skip + settings.hour_days, len(day.yhat))
    now = profile(matrix, horizon, special, passes)
    yhat = (day.yhat[:horizon, None] * now).ravel()
    origins, past_days = np.array([len(matrix)]), day.yhat[None, :horizon]
    if day.windows is not None:
        origins = day.windows.origins
        past_days = day.windows.forecasts[PUBLISHED][:, :horizon]
    said, came = [], []
    for i, origin in enumerate(origins[:-1]):
        shares = profile(matrix[:origin], horizon, special, passes)
        said.append((past_days[i][:, None] * shares).ravel())
        seen = np.full((horizon, HOURS), np.nan)
        known = matrix[origin : origin + horizon]
        seen[: len(known)] = np.where(covered[origin : origin + horizon, None], known, np.nan)
        came.append(seen.ravel())
    past = np.array(said).reshape(-1, horizon * HOURS)
    actual = np.array(came).reshape(-1, horizon * HOURS)
    limits = hour_bounds(yhat, past, actual, day.kind)
    start = day.trained_through + pd.Timedelta(days=1)
    lo95, lo80, hi80, hi95 = limits
    rows = pd.DataFrame(
        {
            **{**day.key.as_dict(), "grain": "hour"},
            "period_start": pd.date_range(start, periods=horizon * HOURS, freq="h"),
            "horizon": np.repeat(np.arange(1, horizon + 1), HOURS),
            "yhat": yhat,
            "yhat_lo80": lo80,
            "yhat_hi80": hi80,
            "yhat_lo95": lo95,
            "yhat_hi95": hi95,
            "model": PROFILE,
            "trained_through": day.trained_through.date(),
        }
    )[ROW_COLUMNS]
    return Hourly(rows, hour_backtest(matrix, origins, past, actual, day, settings))


def hour_bounds(yhat: np.ndarray, past: np.ndarray, actual: np.ndarray, kind: str) -> np.ndarray:
    """Bounds (4, hours) from earlier windows (windows, hours), closed hours left out."""
    if len(past) < 2:
        if kind == "count":
            return ordered(count_quantiles(yhat, yhat + 0.25 * yhat**2), yhat)
        return ordered(np.array([0.0, 0.3, 2.0, 4.0])[:, None] * yhat, yhat)
    open_hours = np.where((past >= OPEN) | (actual > 0), actual, np.nan)
    return bounds(yhat, past, open_hours, kind, WEEK * HOURS)


def hour_backtest(
    matrix: np.ndarray,
    origins: np.ndarray,
    past: np.ndarray,
    actual: np.ndarray,
    day: Result,
    settings: Settings,
) -> pd.DataFrame:
    """The profile against last week's same hour: one row an origin and week of the horizon.

    Hours that are closed, in the forecast and in fact, are not counted.
    """
    assert day.values is not None
    rows = []
    horizon = min(settings.backtest_horizon, settings.hour_days)
    ends = np.flatnonzero(origins[:-1] + horizon <= len(matrix))
    for number in ends[-settings.origins :]:
        origin = int(origins[number])
        history = matrix[:origin].ravel()
        scale = naive_scale(history, WEEK * HOURS)
        week = matrix[origin - WEEK : origin]
        came = np.where((past[number] >= OPEN) | (actual[number] > 0), actual[number], np.nan)
        models = {PROFILE: past[number], NAIVE: np.resize(week, past[number].shape)}
        ahead = np.arange(past.shape[1])
        known = origins[:number, None] + ahead // HOURS < origin
        limits = np.full((4, past.shape[1]), np.nan)
        if number >= settings.min_windows:
            seen = np.where(known, actual[:number], np.nan)
            limits = hour_bounds(past[number], past[:number], seen, day.kind)
        for start in range(0, horizon, WEEK):
            stop = min(start + WEEK, horizon)
            part = slice(start * HOURS, stop * HOURS)
            for name, ahead_of in models.items():
                shown = (
                    limits[:, part] if name == PROFILE else np.full_like(limits[:, part], np.nan)
                )
                rows.append(
                    {
                        "model": name,
                        "origin": day.values.index[origin - 1].date(),
                        "horizon": stop,
                        **measures(came[part], ahead_of[part], shown, scale),
                        "chosen": int(name == PROFILE),
                    }
                )
    return pd.DataFrame(rows)
