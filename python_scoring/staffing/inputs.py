"""What `lm staff` reads: the hourly forecast, and how the clinic has handled its calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from python_scoring.base.database import Probe, built_view, quoted
from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target
from python_scoring.staffing import patience as patience_of
from python_scoring.staffing.plan import Service, performance

# How far back AHT, patience, hidden work and bookings are learnt from, and the habits of the hours.
HISTORY_DAYS = 90
HABIT_DAYS = 28
LEAST_HOURS = 50
MOST_HIDDEN_WORK = 3.0
# An hour of the week is open when operators talked in it in at least this share of the weeks.
OPEN_SHARE = 0.5
RING_QUANTILE = 0.1
LEAST_CALLS = 50


@dataclass(frozen=True)
class History:
    """What is known of the last HISTORY_DAYS days before `first_day`.

    habits          by weekday and hour: incoming_share, other_load (erlangs), people
    past_hours      day, hour, is_judged, calls (incoming), other_load, people, in_time, left

    Hidden work is learnt from the hours before those that the model `is_judged` by: the last
    HABIT_DAYS days, or the later half of a history that is shorter than twice as many.
    hidden_work_hours  hours it is learnt from; 0: too few, there is taken to be none
    patience        None where too few callers hung up; patience_note says so
    booking_share   bookings an answered and reviewed incoming talk
    won_back_share  missed callers who were talked to within 24 hours, whoever rang
    """

    first_day: date
    service: Service
    hidden_work_hours: int
    handled_calls: int
    patience: patience_of.Patience | None
    patience_note: str
    booking_share: float
    booking_calls: int
    won_back_share: float
    missed_calls: int
    habits: pd.DataFrame
    past_hours: pd.DataFrame

    @property
    def judged_days(self) -> int:
        """Days that the model is judged by."""
        return int(self.past_hours.loc[self.past_hours["is_judged"], "day"].nunique())


def history(probe: Probe, target: Target, first_day: date, threshold_sec: float) -> History:
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
    aht_sec = handle_sec / handled
    past_hours = _past_hours(probe, target, first_day, aht_sec, threshold_sec)
    habits = _habits(past_hours[past_hours["day"] >= first_day - timedelta(HABIT_DAYS)])
    waits = _waits(probe, target, first_day, habits.index[habits["people"] > 0])
    patience, note = None, ""
    try:
        patience = patience_of.estimate(waits)
    except patience_of.TooFewAbandoned as error:
        note = f"{error}: every caller is taken to wait (Erlang C)"
    booking_share = bookings / reviewed if reviewed else 0.0
    won_back = reached / missed if missed else 0.0
    service = Service(
        aht_sec=aht_sec,
        patience_sec=patience.mean_sec if patience else None,
        ring_sec=_ring_sec(waits),
        lost_share=booking_share * (1 - won_back),
    )
    open_hours = past_hours[past_hours["people"] > 0].reset_index(drop=True)
    hidden_work = learnt_hidden_work(open_hours[~open_hours["is_judged"]], service, threshold_sec)
    return History(
        first_day=first_day,
        service=replace(service, hidden_work=hidden_work or 1.0),
        hidden_work_hours=int((~open_hours["is_judged"]).sum()) if hidden_work else 0,
        handled_calls=int(handled),
        patience=patience,
        patience_note=note,
        booking_share=booking_share,
        booking_calls=int(reviewed),
        won_back_share=won_back,
        missed_calls=int(missed),
        habits=habits,
        past_hours=open_hours,
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


def _waits(
    probe: Probe, target: Target, first_day: date, open_hours: pd.MultiIndex
) -> pd.DataFrame:
    """Waits of callers in open hours of the week: in others no operator was there."""
    rows = probe.rows(
        "select call_weekday, call_hour, await_sec, is_answered, count(*)"
        f" from {quoted(target.schema, 'fct_call')}"
        " where call_date >= %s and call_date < %s and direction = 'in'"
        " and is_frequent_number = 0 and await_sec is not null"
        " group by call_weekday, call_hour, await_sec, is_answered",
        (first_day - timedelta(days=HISTORY_DAYS), first_day),
    )
    names = ["weekday", "hour", "wait_sec", "answered", "calls"]
    kinds = (int, int, float, bool, float)
    waits = pd.DataFrame(rows, columns=names).astype(dict(zip(names, kinds, strict=True)))
    places = pd.MultiIndex.from_arrays([waits["weekday"] - 1, waits["hour"]])
    return waits[places.isin(open_hours)]


def _ring_sec(waits: pd.DataFrame) -> float:
    """The wait that a tenth of the answered callers stay under: what ringing alone takes."""
    answered = waits[waits["answered"]].sort_values("wait_sec")
    if answered.empty:
        return 0.0
    place = answered["calls"].cumsum().searchsorted(RING_QUANTILE * answered["calls"].sum())
    return float(answered["wait_sec"].iloc[int(place)])


def _past_hours(
    probe: Probe, target: Target, first_day: date, aht_sec: float, threshold_sec: float
) -> pd.DataFrame:
    """Every hour with calls of the last HISTORY_DAYS days."""
    begin = first_day - timedelta(days=HISTORY_DAYS)
    rows = probe.rows(
        "select stat_date, dimension_value, calls, incoming_calls, incoming_answered, work_sec,"
        f" operators from {quoted(target.schema, 'lm_daily_facts')}"
        " where dimension = 'hour' and stat_date >= %s and stat_date < %s"
        " and dimension_value between '00' and '23'",
        (begin, first_day),
    )
    names = ["day", "hour", "all_calls", "calls", "answered", "work_sec", "people"]
    hours = pd.DataFrame(rows, columns=names)
    hours = hours.astype(dict.fromkeys(names[1:], float)).astype({"hour": int})
    rows = probe.rows(
        "select call_date, call_hour, count(*)"
        f" from {quoted(target.schema, 'fct_call')}"
        " where call_date >= %s and call_date < %s and direction = 'in' and is_answered = 1"
        " and await_sec <= %s group by call_date, call_hour",
        (begin, first_day, threshold_sec),
    )
    in_time = pd.DataFrame(rows, columns=["day", "hour", "in_time"])
    hours = hours.merge(in_time.astype({"hour": int, "in_time": float}), "left", ["day", "hour"])
    return hours.assign(
        in_time=hours["in_time"].fillna(0.0),
        left=hours["calls"] - hours["answered"],
        # Work beyond the answered calls' usual handle time.
        other_load=((hours["work_sec"] - aht_sec * hours["answered"]) / 3600).clip(lower=0.0),
        is_judged=hours["day"] >= _judged_from(hours["day"], first_day),
    )


def _judged_from(days: pd.Series, first_day: date) -> date:
    known = (first_day - days.min()).days if len(days) else 0
    return first_day - timedelta(days=min(HABIT_DAYS, known // 2))


def _habits(hours: pd.DataFrame) -> pd.DataFrame:
    """Index (weekday, hour), Monday 0: the means of the week's hours."""
    week = hours.assign(
        weekday=pd.to_datetime(hours["day"]).dt.day_of_week, is_open=(hours["people"] > 0) * 1.0
    ).groupby(["weekday", "hour"])
    sums = week[["all_calls", "calls", "other_load", "is_open"]].sum()
    weeks = HABIT_DAYS / 7
    # Of the days on which the hour was open: a holiday says nothing of the others.
    people = week["people"].apply(lambda own: own[own > 0].quantile(0.5, interpolation="lower"))
    share_of_all = hours["calls"].sum() / max(hours["all_calls"].sum(), 1.0)
    return pd.DataFrame(
        {
            # Few calls of an hour of the week say little: pulled to the share of all.
            "incoming_share": (sums["calls"] + 10 * share_of_all) / (sums["all_calls"] + 10),
            "other_load": sums["other_load"] / weeks,
            "people": people.where(sums["is_open"] / weeks >= OPEN_SHARE, 0.0),
        }
    )


def staffed_hours(forecast: pd.DataFrame, found: History) -> pd.DataFrame:
    """Incoming calls and other work of every forecast hour, and the operators there usually are."""
    start = forecast["period_start"].dt
    place = pd.MultiIndex.from_arrays([start.day_of_week, start.hour], names=["weekday", "hour"])
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


def looking_back(found: History, threshold_sec: float) -> pd.DataFrame:
    """By hour of day, the days it is judged by as they were and as the model has them.

    Index hour; columns calls, service_level, abandonment, model_service_level, model_abandonment.
    """
    hours = found.past_hours[found.past_hours["is_judged"]]
    levels, lefts = _modelled(hours, found.service, threshold_sec)
    sums = (
        hours.assign(model_in_time=levels * hours["calls"], model_left=lefts * hours["calls"])
        .groupby("hour")[["calls", "in_time", "left", "model_in_time", "model_left"]]
        .sum()
    )
    sums = sums[sums["calls"] > 0]
    return pd.DataFrame(
        {
            "calls": sums["calls"],
            "service_level": sums["in_time"] / sums["calls"],
            "abandonment": sums["left"] / sums["calls"],
            "model_service_level": sums["model_in_time"] / sums["calls"],
            "model_abandonment": sums["model_left"] / sums["calls"],
        }
    )


def learnt_hidden_work(hours: pd.DataFrame, service: Service, threshold_sec: float) -> float | None:
    """The multiple of the handle time with which the model answers as many calls in time as were.

    Between 1 and MOST_HIDDEN_WORK; None where there are too few hours. It stands for all that keeps
    operators from answering and is not recorded: work after calls, breaks, calls in bunches.
    """
    if len(hours) < LEAST_HOURS:
        return None
    wanted = hours["in_time"].sum()

    def surplus(factor: float) -> float:
        levels, _ = _modelled(hours, replace(service, hidden_work=factor), threshold_sec)
        return float(levels @ hours["calls"] - wanted)

    if surplus(1.0) <= 0:
        return 1.0
    if surplus(MOST_HIDDEN_WORK) >= 0:
        return MOST_HIDDEN_WORK
    return float(brentq(surplus, 1.0, MOST_HIDDEN_WORK, xtol=0.01))


def _modelled(
    hours: pd.DataFrame, service: Service, threshold_sec: float
) -> tuple[np.ndarray, np.ndarray]:
    """Service level and abandonment of each hour by the model."""
    found = [
        performance(hour.calls, hour.other_load, hour.people, service, threshold_sec)
        for hour in hours.itertuples()
    ]
    return (
        np.array([float(one.service_level) for one in found]),
        np.array([float(one.abandonment) for one in found]),
    )
