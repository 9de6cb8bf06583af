"""What `lm forecast` learns from: rows of int_forecast_series as series, hours and a calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from python_scoring.base.database import Probe, built_view, quoted
from python_scoring.base.profile import Target
from python_scoring.forecasting import Calendar, Key, Series

VIEW = "int_forecast_series"
ALL = "all"
# Target: kind. `REVIEWED` ones are known only when the reviews are in.
KINDS = {
    "calls": "count",
    "bookings": "count",
    "booked_value": "amount",
    "lost": "count",
    "risky": "count",
    "talk_minutes": "amount",
    "conversion_rate": "rate",
    "quality": "level",
}
REVIEWED = ("bookings", "booked_value", "lost", "risky", "conversion_rate", "quality")
BY_HOUR = ("calls", "bookings", "lost", "talk_minutes")
DIMENSIONS = {
    "calls": ("source", "direction", "operator", "service"),
    "bookings": ("source", "operator", "service"),
    "booked_value": ("source", "operator", "service"),
    "lost": ("source", "operator", "service"),
    "risky": ("source", "operator", "service"),
    "talk_minutes": ("direction", "operator"),
    "conversion_rate": ("source", "operator", "service"),
    "quality": ("operator",),
}
LEAST_BASE = 30
PART_DAYS = 90
# Two years and a half: what a year's pattern can be learnt from.
HISTORY_DAYS = 914
# The review lag is that of reviews made within so many days, on calls of this many more.
LAG_DAYS = 90
LATE_DAYS = 30
CALENDARS = ("lm_holidays", "lm_special_days")
LAG_SHARE = 0.9


@dataclass(frozen=True)
class Span:
    """Days of a run.

    first_day       first day to forecast
    calls_through   last day whose calls are known
    reviews_through last day whose reviews are in; None without any review
    """

    first_day: date
    calls_through: date
    reviews_through: date | None

    def through(self, target: str) -> date | None:
        return self.reviews_through if target in REVIEWED else self.calls_through


@dataclass(frozen=True)
class Inputs:
    """What a run is given. `daily` has one row a day, dimension and value."""

    span: Span
    daily: pd.DataFrame
    calendar: Calendar


def first_day(moment: datetime) -> date:
    """The day of `moment`, the first that is not over; 23:59:59 is the end of its day."""
    return (moment + timedelta(seconds=1)).date()


def read(probe: Probe, target: Target, moment: datetime) -> Inputs | None:
    """Everything known before the day of `moment`; None when there is no day of calls."""
    begin = first_day(moment)
    daily = _daily(probe, target, begin)
    days = daily.loc[daily["dimension"] == ALL, "stat_date"]
    if days.empty:
        return None
    last = days.max().date()
    lag = review_lag(probe, target, moment)
    reviewed = None
    if lag is not None:
        reviewed = min(last, first_day(moment - timedelta(days=lag)) - timedelta(days=1))
    return Inputs(Span(begin, last, reviewed), daily, _calendar(probe, target))


def review_lag(probe: Probe, target: Target, moment: datetime) -> int | None:
    """Days in which nine of ten reviews of the last LAG_DAYS came, rounded up; None without any."""
    first = moment - timedelta(days=LAG_DAYS)
    rows = probe.rows(
        "select greatest(0, ceiling(timestampdiff(second, call_started_at, reviewed_at) / 86400e0))"
        f", count(*) from {quoted(target.schema, 'fct_call')} where call_date between %s and %s"
        " and reviewed_at between %s and %s group by 1 order by 1",
        ((first - timedelta(days=LATE_DAYS)).date(), moment.date(), first, moment),
    )
    total = sum(count for _, count in rows)
    seen = 0
    for days, count in rows:
        seen += count
        if seen >= LAG_SHARE * total:
            return int(days)
    return None


def all_series(inputs: Inputs) -> list[Series]:
    """The series of every target, wholes before parts, in a fixed order."""
    found = []
    for target in KINDS:
        for dimension in (ALL, *DIMENSIONS[target]):
            found += series_of(inputs, target, dimension)
    return found


def series_of(inputs: Inputs, target: str, dimension: str) -> list[Series]:
    """One series a value of the dimension, from the first day of calls to the last known one.

    A day without a row is 0 calls, bookings and so on. A day with calls but no review at all
    is unknown in what takes a review. Rates and levels of a value with fewer than LEAST_BASE calls
    in the last PART_DAYS are left out.
    """
    through = inputs.span.through(target)
    daily = inputs.daily
    rows = daily[daily["dimension"] == dimension]
    if through is None or rows.empty:
        return []
    whole = daily[daily["dimension"] == ALL].set_index("stat_date")
    if whole.index.min() > pd.Timestamp(through):
        return []
    days = pd.date_range(whole.index.min(), through, freq="D")
    unknown = np.zeros(len(days), dtype=bool)
    if target in REVIEWED:
        calls = whole["calls"].reindex(days, fill_value=0)
        unknown = ((calls > 0) & (whole["reviewed_calls"].reindex(days, fill_value=0) == 0)).values
    found = []
    for value, own in rows.groupby("dimension_value", sort=True):
        by_day = own.set_index("stat_date").reindex(days)
        additive = KINDS[target] in ("count", "amount")
        values = by_day[target].fillna(0.0) if additive else by_day[target]
        weights = None if additive else by_day[f"{target}_base"].fillna(0.0).astype(float)
        if weights is not None and dimension != ALL and weights[-PART_DAYS:].sum() < LEAST_BASE:
            continue
        key = Key(target, dimension, str(value))
        found.append(Series(key, values.mask(unknown).astype(float), weights, KINDS[target]))
    return found


def hours(inputs: Inputs) -> pd.DataFrame:
    """Columns day, hour and the targets that are told by hour, of all calls with a known hour."""
    rows = inputs.daily[inputs.daily["dimension"] == "hour"]
    rows = rows[rows["dimension_value"].str.fullmatch(r"\d\d")]
    frame = rows[["stat_date", *BY_HOUR]].rename(columns={"stat_date": "day"})
    return frame.assign(hour=rows["dimension_value"].astype(int)).reset_index(drop=True)


def _daily(probe: Probe, target: Target, begin: date) -> pd.DataFrame:
    bases = [f"{name}_base" for name, kind in KINDS.items() if kind in ("rate", "level")]
    numbers = ["reviewed_calls", *KINDS, *bases]
    columns = ["stat_date", "dimension", "dimension_value", *numbers]
    wanted = sorted({ALL, "hour", *(name for names in DIMENSIONS.values() for name in names)})
    with built_view(target.schema, VIEW):
        rows: list[tuple[Any, ...]] = probe.rows(
            f"select {', '.join(columns)} from {quoted(target.schema, VIEW)}"
            " where stat_date >= %s and stat_date < %s"
            f" and dimension in ({', '.join(['%s'] * len(wanted))})"
            " order by stat_date, dimension, dimension_value",
            (begin - timedelta(days=HISTORY_DAYS), begin, *wanted),
        )
    frame = pd.DataFrame(rows, columns=columns)
    frame["stat_date"] = pd.to_datetime(frame["stat_date"])
    return frame.astype(dict.fromkeys(numbers, float))


def _calendar(probe: Probe, target: Target) -> Calendar:
    """Public holidays, and the clinic's own days, which count where both have one."""
    columns = ["date", "day_kind", "name"]
    days: list[tuple[Any, ...]] = []
    for seed in CALENDARS:
        days += probe.rows(
            f"select calendar_date, day_kind, name_en from {quoted(target.schema, seed)}"
            " order by calendar_date"
        )
    calendar = Calendar.of(pd.DataFrame(days, columns=columns))
    return replace(calendar, zone=target.zone) if target.vars.get("timezone") else calendar
