"""How many callers give up, by the people on shift: Erlang A, set right by the own log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from python_scoring.staffing import patience
from python_scoring.staffing.erlang import erlang_a
from python_scoring.whatif.chains import RECENT_DAYS
from python_scoring.whatif.world import World

# Shares nearer to 0 or 1 tell nothing: a log of weeks does not show them.
LEAST_SHARE = 0.01
PRIOR_SD = 0.3
LEAST_MISSED = 30
MIN_CALLS_A_DAY = 3


@dataclass(frozen=True)
class Queue:
    """What the log tells of waits.

    load      (7, 24) calls an hour by weekday and hour, both directions
    incoming  (7, 24) incoming ones
    aht_sec, patience_sec   means of the log
    slope     (R,) how strongly the log-odds of a missed call follow Erlang A's; 1 is as in theory
    level     (R,) their intercept
    sl_slope, sl_level      the same of calls answered in time
    knows_people   the log names operators; without them every hour is like the mean one
    n_missed  missed calls it rests on
    """

    load: np.ndarray
    incoming: np.ndarray
    aht_sec: float
    patience_sec: float
    level: np.ndarray
    slope: np.ndarray
    sl_level: np.ndarray
    sl_slope: np.ndarray
    sla_sec: float
    knows_people: bool
    n_calls: int
    n_missed: int
    slope_fit: tuple[float, float]


@lru_cache(maxsize=20_000)
def performance(
    calls_per_hour: float, aht_sec: float, patience_sec: float, agents: int, threshold_sec: float
) -> tuple[float, float]:
    """(share answered within the threshold, share that gives up) by Erlang A."""
    found = erlang_a(calls_per_hour, aht_sec, patience_sec, agents, threshold_sec)
    return float(found.service_level), float(found.abandonment)


def patience_of(incoming: pd.DataFrame) -> float:
    """Mean patience in seconds; where too few hung up, the longest that the waits allow."""
    waits = pd.DataFrame(
        {
            "wait_sec": incoming["wait_sec"].fillna(0.0),
            "answered": incoming["is_answered"] == 1,
            "calls": 1,
        }
    )
    try:
        return patience.estimate(waits).mean_sec
    except patience.TooFewAbandoned:
        return max(60.0, float(waits["wait_sec"].sum()) / patience.LEAST_ABANDONED)


def presence(calls: pd.DataFrame) -> pd.DataFrame:
    """operator, day, hour: from the first to the last call of an operator's day.

    Log-in times are not in the tables; fewer than MIN_CALLS_A_DAY calls are no shift.
    """
    own = calls[(calls["operator"] != "unknown") & (calls["is_answered"] == 1)]
    spans = own.groupby(["operator", "day"])["hour"].agg(["min", "max", "size"]).reset_index()
    spans = spans[spans["size"] >= MIN_CALLS_A_DAY]
    length = (spans["max"] - spans["min"] + 1).to_numpy(dtype=int)
    rows = spans.loc[spans.index.repeat(length), ["operator", "day"]].reset_index(drop=True)
    begin = np.repeat(spans["min"].to_numpy(dtype=int), length)
    within = np.arange(len(begin)) - np.repeat(length.cumsum() - length, length)
    rows["hour"] = begin + within
    return rows


def roster(shown: pd.DataFrame, first: int, days: int, last: int) -> dict[str, np.ndarray]:
    """operator -> (days, 24) chance to be there, from the same weekdays of the last weeks.

    Where people change every other week, the weeks of the same parity count: the period that
    repeats better in the last RECENT_DAYS is taken.
    """
    recent = shown[shown["day"] > last - RECENT_DAYS]
    if recent.empty:
        return {}
    names = sorted(set(recent["operator"]))
    begin = int(recent["day"].min())
    seen = np.zeros((len(names), last - begin + 1, 24))
    place = {name: i for i, name in enumerate(names)}
    seen[recent["operator"].map(place), recent["day"] - begin, recent["hour"]] = 1
    period = 7
    if last - begin + 1 >= 28:
        errors = {p: np.abs(seen[:, p:] - seen[:, :-p]).mean() for p in (7, 14)}
        period = 14 if errors[14] < errors[7] * 0.9 else 7
    result = np.zeros((len(names), days, 24))
    for day in range(days):
        back = [at for at in range(first + day - period, begin - 1, -period) if at <= last]
        picked = [at - begin for at in back[: 4 if period == 7 else 3]]
        if picked:
            result[:, day] = seen[:, picked].mean(axis=1)
    return dict(zip(names, result, strict=True))


def learn_queue(calls: pd.DataFrame, world: World, draws: int, seed: int) -> Queue:
    """Fit on the last RECENT_DAYS; `calls` has CALL_COLUMNS and weekday (0 Monday)."""
    last, sla_sec = world.calls_through, world.sla_sec
    recent = calls[(calls["day"] > last - RECENT_DAYS) & (calls["direction"] != "internal")]
    weeks = max(1, min(RECENT_DAYS, last - int(calls["day"].min()) + 1)) / 7
    incoming = recent[recent["direction"] == "in"]
    load, arriving = (_week(part) / weeks for part in (recent, incoming))
    talks = recent.loc[recent["is_answered"] == 1, "talk_sec"].dropna()
    aht = float(talks.mean()) + world.wrap_up_sec if len(talks) else 180.0
    missed = int((incoming["is_answered"] == 0).sum())
    stays = patience_of(incoming)
    shown = presence(recent)
    people = shown.groupby(["day", "hour"])["operator"].nunique()
    cells = incoming.groupby(["day", "hour"]).agg(
        n=("is_answered", "size"), answered=("is_answered", "sum"), in_time=("in_sla", "sum")
    )
    cells["people"] = people.reindex(cells.index).fillna(0).astype(int)
    cells = cells.reset_index()
    weekdays = (cells["day"] + recent_weekday_shift(recent)) % 7
    cells["load"] = load[weekdays, cells["hour"]]
    knows_people = bool((cells["people"] > 0).any())
    if knows_people:
        # Nobody was on shift at night, and no queue explains that.
        cells = cells[cells["people"] > 0]
    told = [
        performance(load_, aht, stays, people_, sla_sec)
        for load_, people_ in zip(_step(cells["load"]), cells["people"].tolist(), strict=True)
    ]
    served, gives_up = np.array(told).reshape(-1, 2).T
    random = np.random.default_rng([seed, 12])
    n = cells["n"].to_numpy(float)
    fits = []
    for share, hits in (
        (gives_up, n - cells["answered"].to_numpy(float)),
        (served, cells["in_time"].fillna(0).to_numpy(float)),
    ):
        fits.append(_logistic(log_odds(share), hits, n))
    drawn = [random.multivariate_normal(m, c, draws, method="cholesky") for m, c in fits]
    return Queue(
        load=load,
        incoming=arriving,
        aht_sec=aht,
        patience_sec=stays,
        level=drawn[0][:, 0],
        slope=np.maximum(drawn[0][:, 1], 0.0),
        sl_level=drawn[1][:, 0],
        sl_slope=np.maximum(drawn[1][:, 1], 0.0),
        sla_sec=sla_sec,
        knows_people=knows_people,
        n_calls=len(incoming),
        n_missed=missed,
        slope_fit=(float(fits[0][0][1]), float(np.sqrt(fits[0][1][1, 1]))),
    )


def recent_weekday_shift(calls: pd.DataFrame) -> int:
    """What to add to a day's number so that its rest by 7 is the weekday."""
    row = calls.iloc[0]
    return int((row["weekday"] - row["day"]) % 7)


def log_odds(share: np.ndarray, least: float = LEAST_SHARE) -> np.ndarray:
    """Log-odds of shares kept `least` away from 0 and 1."""
    within = np.clip(share, least, 1 - least)
    result: np.ndarray = logit(within)
    return result


def shares(queue: Queue, load: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R, hours) shares missed and answered in time, for loads and (expected) people of hours.

    Two people on every other such day are half of two and half of none, not one.
    """
    found = {}
    keys = list(zip(_step(load), np.round(people, 2).tolist(), strict=True))
    for calls, staff in set(keys):
        low = int(staff)
        part = staff - low
        ends = [
            performance(calls, queue.aht_sec, queue.patience_sec, count, queue.sla_sec)
            for count in ((low, low + 1) if part else (low,))
        ]
        found[calls, staff] = [
            sum(w * e[i] for w, e in zip((1 - part, part), ends, strict=False)) for i in (0, 1)
        ]
    served, gives_up = np.array([found[key] for key in keys]).T
    missed = queue.level[:, None] + queue.slope[:, None] * log_odds(gives_up)
    in_time = queue.sl_level[:, None] + queue.sl_slope[:, None] * log_odds(served)
    nobody = (people <= 0) & queue.knows_people
    return (
        np.where(nobody, 1.0, expit(missed)),
        np.where(nobody, 0.0, expit(in_time)),
    )


def _step(load: ArrayLike) -> list[float]:
    """Loads in steps of a quarter call an hour: finer ones change nothing that is seen."""
    steps: list[float] = (np.round(np.asarray(load, float) * 4) / 4).tolist()
    return steps


def _week(calls: pd.DataFrame) -> np.ndarray:
    counts = np.zeros((7, 24))
    np.add.at(counts, (calls["weekday"].to_numpy(int), calls["hour"].to_numpy(int)), 1)
    return counts


def _logistic(x: np.ndarray, hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (intercept, slope); the slope's prior is N(1, PRIOR_SD)."""
    beta = np.array([0.0, 1.0])
    design = np.column_stack([np.ones_like(x), x])
    prior = np.diag([1e-4, 1 / PRIOR_SD**2])
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (hits - n * p) - prior @ (beta - np.array([0.0, 1.0]))
        inverse = np.linalg.inv(design.T @ (design * (n * p * (1 - p))[:, None]) + prior)
        step = inverse @ gradient
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return beta, inverse
