"""Parts of a whole: sharing out its forecast, the remainder 'other', sums that agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from python_scoring.forecasting.result import Result
from python_scoring.forecasting.series import Key, Series
from python_scoring.forecasting.settings import WEEK, Settings
from python_scoring.forecasting.windows import PUBLISHED

SHARE = "share_of_total"
OTHER = "other"
HALF_LIFE = 42.0
# Days of the whole by which a weekday's own share is pulled to that of all days.
SHRINK_DAYS = 6.0


def share_forecasts(
    part: pd.Series, total: Result, origins: np.ndarray, horizon: int
) -> np.ndarray | None:
    """The whole's forecasts times the part's share, (origins, horizon), nothing looked ahead.

    The share of a weekday is a ratio of sums with fading weights, pulled towards the
    share of all days. None where the whole has no forecast at one of the origins.
    """
    if total.windows is None or total.trained_through != part.index[-1]:
        return None
    whole = total.windows
    # Both end on the same day: an origin is known by its distance from it.
    behind = dict(zip((whole.origins[-1] - whole.origins).tolist(), range(99999), strict=False))
    places = [behind.get(int(len(part) - origin)) for origin in origins]
    if any(place is None for place in places) or total.values is None:
        return None
    numerator = part.to_numpy(float)
    denominator = total.values.reindex(part.index).to_numpy(float)
    usable = np.isfinite(numerator) & np.isfinite(denominator)
    numerator = np.where(usable, numerator, 0.0)
    denominator = np.where(usable, denominator, 0.0)
    phases = np.arange(len(part)) % WEEK
    result = np.empty((len(origins), horizon))
    for i, (origin, place) in enumerate(zip(origins, places, strict=True)):
        weight = 0.5 ** (np.arange(origin)[::-1] / HALF_LIFE)
        mine = np.bincount(phases[:origin], weight * numerator[:origin], WEEK)
        all_ = np.bincount(phases[:origin], weight * denominator[:origin], WEEK)
        share = mine.sum() / max(all_.sum(), 1e-9)
        prior = SHRINK_DAYS * all_.sum() / max(weight.sum(), 1e-9)
        weekday = (mine + share * prior) / np.maximum(all_ + prior, 1e-9)
        ahead = (origin + np.arange(horizon)) % WEEK
        result[i] = whole.forecasts[PUBLISHED][place][:horizon] * weekday[ahead]
    return result


def partition(
    total: Series, parts: list[Series], settings: Settings
) -> tuple[list[Series], list[tuple[Key, float]]]:
    """Parts on the whole's days, the small ones and what is left joined as 'other'.

    A day of the whole on which a part has no value is zero for that part. Returns the
    parts that add up to the whole (as far as the given ones do not exceed it) and
    the keys that joined 'other', with their sum in the last `part_days` days.
    """
    days = total.values.index
    kept, joined = [], []
    sum_of_kept = pd.Series(0.0, days)
    for part in parts:
        values = part.values.reindex(days).fillna(0.0)
        recent = float(values.iloc[-settings.part_days :].sum())
        if recent < settings.min_part_total or part.key.dimension_value == OTHER:
            if part.key.dimension_value != OTHER:
                joined.append((part.key, recent))
            continue
        kept.append(replace(part, values=values.where(total.values.notna())))
        sum_of_kept = sum_of_kept + values
    rest = (total.values - sum_of_kept).clip(lower=0.0)
    # Sums of minutes leave dust of the rounding.
    if rest.sum() > 1e-6 * max(float(total.values.sum()), 1.0) and parts:
        key = replace(parts[0].key, dimension_value=OTHER)
        kept.append(Series(key, rest, None, total.kind))
    return kept, joined


def shared_out(total: Result, parts: list[Result]) -> list[Result]:
    """Parts scaled day by day so that they add up to the whole, bounds with them.

    Top-down by forecast proportions (Athanasopoulos, Ahmed and Hyndman 2009,
    International Journal of Forecasting 25): shares keep parts from going below zero and a
    zero part stays zero. A day on which all parts are zero is shared out by their sums.
    """
    if not parts:
        return []
    stacked = np.stack([part.yhat for part in parts])
    daily = stacked.sum(axis=0)
    overall = stacked.sum(axis=1) + 1e-12
    shares = np.where(daily > 0, stacked / np.where(daily > 0, daily, 1.0), 0.0)
    shares[:, daily <= 0] = (overall / overall.sum())[:, None]
    scaled = []
    for part, share in zip(parts, shares, strict=True):
        yhat = share * total.yhat
        factor = np.where(part.yhat > 0, yhat / np.where(part.yhat > 0, part.yhat, 1.0), 1.0)
        limits = part.bounds * factor
        limits[:2] = np.minimum(limits[:2], yhat)
        limits[2:] = np.maximum(limits[2:], yhat)
        scaled.append(replace(part, yhat=yhat, bounds=limits, totals=scaled_totals(part, yhat)))
    return scaled


def scaled_totals(part: Result, yhat: np.ndarray) -> dict[int, np.ndarray]:
    """Sums of the scaled days, bounds moved in proportion."""
    result = {}
    for days, row in part.totals.items():
        new = float(yhat[part.skip : part.skip + days].sum())
        factor = new / row[0] if row[0] > 0 else 1.0
        limits = row[1:] * factor
        limits[:2] = np.minimum(limits[:2], new)
        limits[2:] = np.maximum(limits[2:], new)
        result[days] = np.concatenate([[new], limits])
    return result
