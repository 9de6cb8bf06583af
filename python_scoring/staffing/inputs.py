"""What `lm staff` reads: the hourly forecast, and how the clinic has handled its calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from python_scoring.database import Probe, built_view, quoted
from python_scoring.errors import LmError
from python_scoring.profile import Target
from python_scoring.staffing import patience as patience_of
from python_scoring.staffing.plan import Service

# How far back AHT, patience and bookings are learnt from, and the habits of the hours.
HISTORY_DAYS = 90
HABIT_DAYS = 28
# An hour of the week is open when operators talked in it in at least this share of the weeks.
OPEN_SHARE = 0.5
RING_QUANTILE = 0.1
LEAST_CALLS = 50


@dataclass(frozen=True)
class History:
    """What is known of the last HISTORY_DAYS days before `first_day`.

    habits          by weekday and hour: incoming_share, other_load (erlangs), people
    patience        None where too few callers hung up; patience_note says so
    booking_share   bookings an answered and reviewed incoming talk
    won_back_share  missed callers who were talked to within 24 hours, whoever rang
    """

    first_day: date
    service: Service
    handled_calls: int
    patience: patience_of.Patience | None
    patience_note: str
    booking_share: float
    booking_calls: int
    won_back_share: float
    missed_calls: int
    habits: pd.DataFrame


def history(probe: Probe, target: Target, first_day: date) -> History:
    """The clinic's own figures; LmError where there are too few calls to learn from."""
    begin = first_day - timedelta(days=HISTORY_DAYS)
    facts = quoted(target.schema, "lm_daily_facts")
    with built_view(target.schema, "lm_daily_facts"):
        handled, handle_sec, bookings, reviewed, missed, reached = (
            float(value or 0)
            for value in probe.one(
                "select sum(handle_calls), sum(handle_sec), sum(bookings), sum(reviewed_talks),"
                f" sum(missed_calls), sum(missed_reached) from {facts}"
                " where dimension = 'direction' and dimension_value = 'in'"
                " and stat_date >= %s and stat_date < %s",
                (begin, first_day),
            )
        )
    if handled < LEAST_CALLS:
        raise LmError(
            f"{handled:.0f} answered incoming calls in the {HISTORY_DAYS} days before {first_day},"
            f" at least {LEAST_CALLS} are needed to know how long one takes"
        )
    waits = _waits(probe, target, begin, first_day)
    patience, note = None, ""
    try:
        patience = patience_of.estimate(waits)
    except patience_of.TooFewAbandoned as error:
        note = f"{error}: every caller is taken to wait (Erlang C)"
    booking_share = bookings / reviewed if reviewed else 0.0
    won_back = reached / missed if missed else 0.0
    service = Service(
        aht_sec=handle_sec / handled,
        patience_sec=patience.mean_sec if patience else None,
        ring_sec=_ring_sec(waits),
        lost_share=booking_share * (1 - won_back),
    )
    return History(
        first_day,
        service,
        int(handled),
        patience,
        note,
        booking_share,
        int(reviewed),
        won_back,
        int(missed),
        _habits(probe, target, first_day, service.aht_sec),
    )


def forecast_hours(probe: Probe, target: Target, days: int) -> pd.DataFrame:
    """Columns period_start, calls, calls_high of the newest forecast, every hour of its days."""
    with built_view(target.schema, "vw_lm_forecast"):
        rows = probe.rows(
            "select period_start, yhat, yhat_hi80"
            f" from {quoted(target.schema, 'vw_lm_forecast')}"
            " where target = 'calls' and dimension = 'all' and grain = 'hour'"
            " order by period_start"
        )
    if not rows:
        raise LmError("there is no forecast by hour: run `lm forecast` first")
    frame = pd.DataFrame(rows, columns=["period_start", "calls", "calls_high"])
    frame["period_start"] = pd.to_datetime(frame["period_start"])
    last = frame["period_start"].min().normalize() + timedelta(days=days)
    frame = frame[frame["period_start"] < last]
    return frame.astype({"calls": float, "calls_high": float}).reset_index(drop=True)


def _waits(probe: Probe, target: Target, begin: date, end: date) -> pd.DataFrame:
    """Waits of incoming calls in hours in which somebody talked: else no operator was there."""
    rows = probe.rows(
        "select calls.await_sec, calls.is_answered, count(*)"
        f" from {quoted(target.schema, 'fct_call')} as calls"
        f" inner join {quoted(target.schema, 'lm_daily_facts')} as hours"
        " on hours.stat_date = calls.call_date and hours.dimension = 'hour'"
        " and hours.dimension_value = lpad(calls.call_hour, 2, '0') and hours.operators > 0"
        " where calls.call_date >= %s and calls.call_date < %s and calls.direction = 'in'"
        " and calls.is_frequent_number = 0 and calls.await_sec is not null"
        " group by calls.await_sec, calls.is_answered",
        (begin, end),
    )
    return pd.DataFrame(rows, columns=["wait_sec", "answered", "calls"]).astype(
        {"wait_sec": float, "answered": bool, "calls": float}
    )


def _ring_sec(waits: pd.DataFrame) -> float:
    """The wait that a tenth of the answered callers stay under: what ringing alone takes."""
    answered = waits[waits["answered"]].sort_values("wait_sec")
    if answered.empty:
        return 0.0
    place = answered["calls"].cumsum().searchsorted(RING_QUANTILE * answered["calls"].sum())
    return float(answered["wait_sec"].iloc[int(place)])


def _habits(probe: Probe, target: Target, first_day: date, aht_sec: float) -> pd.DataFrame:
    """Index (weekday, hour), Monday 0: what the last HABIT_DAYS days had, by the week's hours."""
    begin = first_day - timedelta(days=HABIT_DAYS)
    rows = probe.rows(
        "select stat_date, dimension_value, calls, incoming_calls, incoming_answered, work_sec,"
        f" operators from {quoted(target.schema, 'lm_daily_facts')}"
        " where dimension = 'hour' and stat_date >= %s and stat_date < %s"
        " and dimension_value between '00' and '23'",
        (begin, first_day),
    )
    names = ["day", "hour", "calls", "incoming", "answered", "work_sec", "people"]
    hours = pd.DataFrame(rows, columns=names)
    hours = hours.astype(dict.fromkeys(names[1:], float)).astype({"hour": int})
    hours["weekday"] = pd.to_datetime(hours["day"]).dt.weekday
    hours["other_load"] = (hours["work_sec"] - aht_sec * hours["answered"]) / 3600
    hours["open"] = (hours["people"] > 0).astype(float)
    week = hours.groupby(["weekday", "hour"])
    weeks = HABIT_DAYS / 7
    sums = week[["calls", "incoming", "other_load", "open"]].sum()
    # Operators of the days on which the hour was open: a holiday says nothing of the others.
    people = hours[hours["people"] > 0].groupby(["weekday", "hour"])["people"].median()
    share_of_all = hours["incoming"].sum() / max(hours["calls"].sum(), 1.0)
    is_open = sums["open"] / weeks >= OPEN_SHARE
    return pd.DataFrame(
        {
            # Few calls of an hour of the week say little: pulled to the share of all.
            "incoming_share": (sums["incoming"] + 10 * share_of_all) / (sums["calls"] + 10),
            "other_load": (sums["other_load"] / weeks).clip(lower=0.0),
            "people": people.reindex(sums.index).where(is_open, 0.0),
        }
    )


def staffed_hours(forecast: pd.DataFrame, found: History) -> pd.DataFrame:
    """Incoming calls and other work of every forecast hour, and the operators there usually are."""
    start = forecast["period_start"].dt
    place = pd.MultiIndex.from_arrays([start.weekday, start.hour], names=["weekday", "hour"])
    habits = found.habits.reindex(place).reset_index()
    share = habits["incoming_share"].fillna(1.0)
    return pd.DataFrame(
        {
            "day": start.date,
            "hour": start.hour,
            "calls": forecast["calls"] * share,
            "calls_high": forecast["calls_high"] * share,
            "other_load": habits["other_load"].fillna(0.0),
            "people": habits["people"].fillna(0.0),
        }
    )


def first_day_of(forecast: pd.DataFrame) -> date:
    begin: datetime = forecast["period_start"].iloc[0].to_pydatetime()
    return begin.date()
