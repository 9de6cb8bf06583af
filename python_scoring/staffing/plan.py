"""Operators by hour: how many are needed, and what a roster achieves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, isfinite

import numpy as np
import pandas as pd

from python_scoring.staffing.erlang import MOST_AGENTS, Performance, erlang_a, erlang_c


@dataclass(frozen=True)
class Goal:
    """What the clinic wants of an hour.

    service_level   share of the incoming calls answered within `threshold_sec`
    max_occupancy   share of an operator's time on calls, at most
    shrinkage       share of paid time off the phones: breaks, training, illness
    """

    service_level: float = 0.8
    threshold_sec: float = 20.0
    max_occupancy: float = 0.85
    shrinkage: float = 0.0


@dataclass(frozen=True)
class Service:
    """How calls are handled here, from the clinic's own history.

    aht_sec       mean handle time of an answered incoming call
    patience_sec  mean patience; None: callers are taken to wait for ever (Erlang C)
    ring_sec      rings before the quickest answers: even an idle operator takes them
    hidden_work   what a call really takes, as a multiple of the recorded handle time
    lost_share    bookings lost for each caller who hangs up
    """

    aht_sec: float
    patience_sec: float | None
    ring_sec: float = 0.0
    lost_share: float = 0.0
    hidden_work: float = 1.0


def performance(
    calls: float, other_load: float, people: float, service: Service, threshold_sec: float
) -> Performance:
    """One hour with `people` operators who also have other work of `other_load` erlangs.

    Outgoing and internal calls come first, so incoming ones find people - other_load operators:
    between two whole numbers the result lies on the line between theirs.
    """
    aht_sec = service.aht_sec * service.hidden_work
    other_load *= service.hidden_work
    free = max(people - other_load, 0.0)
    low = floor(free)
    part = free - low
    wait_sec = max(threshold_sec - service.ring_sec, 0.0)
    if service.patience_sec is None:
        found = erlang_c(calls, aht_sec, [low, low + 1], wait_sec)
    else:
        found = erlang_a(calls, aht_sec, service.patience_sec, [low, low + 1], wait_sec)
    level, asa, abandonment, _, waiting = (
        _between(values, part)
        for values in (
            found.service_level,
            found.asa_sec,
            found.abandonment,
            found.occupancy,
            found.wait_probability,
        )
    )
    busy = other_load + calls * (1 - abandonment) * aht_sec / 3600
    return Performance(
        service_level=level if wait_sec or not service.ring_sec else np.asarray(0.0),
        asa_sec=asa + service.ring_sec,
        abandonment=abandonment,
        occupancy=np.asarray(min(1.0, busy / people) if people else float(busy > 0)),
        wait_probability=waiting,
    )


def people_needed(calls: float, other_load: float, service: Service, goal: Goal) -> int:
    """The fewest operators on the phones that reach the goal."""
    if calls <= 0 and other_load <= 0:
        return 0
    if service.ring_sec >= goal.threshold_sec:
        raise ValueError(
            f"no roster answers within {goal.threshold_sec:g} s when the quickest answers take"
            f" {service.ring_sec:g} s: choose a longer threshold"
        )

    def enough(people: int) -> bool:
        found = performance(calls, other_load, people, service, goal.threshold_sec)
        reached = calls <= 0 or found.service_level >= goal.service_level
        return bool(reached and found.occupancy <= goal.max_occupancy)

    people = max(1, ceil(other_load * service.hidden_work))
    while not enough(people):
        people += 1
        if people > MOST_AGENTS:
            raise ValueError("the goal takes more people than can be computed")
    return people


def plan(hours: pd.DataFrame, service: Service, goal: Goal) -> pd.DataFrame:
    """`hours` (calls, calls_high, other_load, people) with what is needed and achieved.

    Adds erlangs; operators on the phones: needed, needed_high (at the upper bound of the calls),
    needed_erlang_c; to_roster (needed, with shrinkage); and of the `people` on the phones (nan:
    not known): service_level, asa_sec, abandonment, occupancy, abandoned, lost_bookings.
    """
    patient = replace(service, patience_sec=None)
    rows = []
    for hour in hours.itertuples():
        calls, other = float(hour.calls), float(hour.other_load)
        needed = people_needed(calls, other, service, goal)
        row: dict[str, float] = {
            "erlangs": (calls * service.aht_sec / 3600 + other) * service.hidden_work,
            "needed": needed,
            "needed_high": people_needed(float(hour.calls_high), other, service, goal),
            "needed_erlang_c": people_needed(calls, other, patient, goal),
            "to_roster": ceil(round(needed / (1 - goal.shrinkage), 9)),
        }
        if isfinite(hour.people):
            found = performance(calls, other, float(hour.people), service, goal.threshold_sec)
            row |= {
                "service_level": float(found.service_level),
                "asa_sec": float(found.asa_sec),
                "abandonment": float(found.abandonment),
                "occupancy": float(found.occupancy),
                "abandoned": calls * float(found.abandonment),
                "lost_bookings": calls * float(found.abandonment) * service.lost_share,
            }
        rows.append(row)
    return hours.join(pd.DataFrame(rows, index=hours.index, columns=COLUMNS, dtype=float))


COLUMNS = [
    "erlangs",
    "needed",
    "needed_high",
    "needed_erlang_c",
    "to_roster",
    "service_level",
    "asa_sec",
    "abandonment",
    "occupancy",
    "abandoned",
    "lost_bookings",
]


def by_day(planned: pd.DataFrame) -> pd.DataFrame:
    """Sums and call-weighted means of each `day`; asa_sec is weighted by the answered calls."""
    rows = []
    for day, hours in planned.groupby("day", sort=True):
        calls = hours["calls"].sum()
        answered = hours["calls"] - hours["abandoned"]
        known = np.isfinite(hours["asa_sec"]) & (answered > 0)
        rows.append(
            {
                "day": day,
                "calls": calls,
                "needed_hours": hours["needed"].sum(),
                "people_hours": hours["people"].sum(min_count=1),
                "service_level": _mean(hours["service_level"], hours["calls"]),
                "asa_sec": _mean(hours["asa_sec"][known], answered[known]),
                "abandonment": _mean(hours["abandonment"], hours["calls"]),
                "abandoned": hours["abandoned"].sum(min_count=1),
                "lost_bookings": hours["lost_bookings"].sum(min_count=1),
                "short_hours": int((hours["people"] < hours["needed"]).sum()),
            }
        )
    return pd.DataFrame(rows).set_index("day")


def _mean(values: pd.Series, weights: pd.Series) -> float:
    weights = weights[values.notna()]
    if not weights.sum() > 0:
        return float("nan")
    return float(np.average(values.dropna(), weights=weights))


def _between(values: np.ndarray, part: float) -> np.ndarray:
    low, high = values
    if part == 0:
        return np.asarray(low)
    if np.isnan(low):
        return np.asarray(high)
    if np.isinf(low):
        return np.asarray(low)
    return np.asarray(low + part * (high - low))
