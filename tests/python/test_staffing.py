"""Erlang C and A, patience from censored waits, and operators by hour."""

from __future__ import annotations

import heapq
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_scoring.base.errors import ConfigurationError
from python_scoring.staffing import inputs, roster
from python_scoring.staffing.erlang import erlang_a, erlang_b, erlang_c
from python_scoring.staffing.patience import TooFewAbandoned, estimate
from python_scoring.staffing.plan import Goal, Service, people_needed, performance, plan


# Published tables: load in erlangs that so many servers carry at a blocking of 1 %
# (ITU-T teletraffic handbook, table of Erlang's B formula).
@pytest.mark.parametrize(
    ("agents", "load"), [(1, 0.0101), (5, 1.361), (10, 4.461), (20, 12.03), (50, 37.90)]
)
def test_erlang_b_agrees_with_the_published_table(agents: int, load: float) -> None:
    assert erlang_b(load, agents) == pytest.approx(0.01, rel=2e-3)


def test_erlang_c_is_the_formula() -> None:
    """24 erlangs, 28 operators, by the sums of Erlang's formula as they stand in the books."""
    found = erlang_c(360, 240, 28, 15)
    terms = np.cumprod([1.0, *(24 / k for k in range(1, 28))])
    last = terms[-1] * 24 / 28 * 28 / 4
    assert found.wait_probability == pytest.approx(last / (terms.sum() + last), rel=1e-12)
    assert found.asa_sec == pytest.approx(found.wait_probability * 240 / 4)
    assert found.occupancy == pytest.approx(24 / 28)
    assert erlang_c(360, 240, 24, 15).service_level == 0
    assert erlang_c(360, 240, 24, 15).asa_sec == np.inf


def steady_state(rate: float, handle: float, patience: float, n: int) -> tuple[float, float]:
    """Abandonment and mean wait of all callers, from the birth-death chain itself."""
    size = 6000
    weights = np.zeros(size)
    for k in range(1, size):
        leave = min(k, n) / handle + max(k - n, 0) / patience
        weights[k] = weights[k - 1] + np.log(rate / leave)
    chances = np.exp(weights - weights.max())
    queue = float((np.maximum(np.arange(size) - n, 0) * chances).sum() / chances.sum())
    return queue / patience / rate, queue / rate


@pytest.mark.parametrize(
    ("calls", "handle", "patience", "agents"),
    [
        (100, 180, 60, 5),
        (100, 180, 60, 4),
        (1000, 240, 120, 60),
        (2, 300, 60, 1),
        (20_000, 180, 100, 900),
        (20_000, 180, 100, 1100),
        (60, 600, 3, 2),
        (30, 90, 4000, 2),
    ],
)
def test_erlang_a_agrees_with_the_chain(
    calls: float, handle: float, patience: float, agents: int
) -> None:
    found = erlang_a(calls, handle, patience, agents, 20)
    abandonment, wait = steady_state(calls / 3600, handle, patience, agents)
    assert found.abandonment == pytest.approx(abandonment, rel=1e-6, abs=1e-9)
    # Mean wait of all is abandonment times patience (Garnett et al. 2002).
    assert wait == pytest.approx(float(found.abandonment) * patience, rel=1e-6, abs=1e-9)
    assert found.occupancy == pytest.approx(
        calls / 3600 * handle * (1 - abandonment) / agents, rel=1e-6
    )


def test_erlang_a_agrees_with_the_published_example() -> None:
    """Garnett, Mandelbaum and Reiman (2002): 48 calls a minute of a minute, 50 operators, patience
    of two minutes: 3.1 % hang up, 3.7 s of waiting, 93 % busy; without hang-ups 20.8 s and 96 %.
    """
    found, patient = erlang_a(2880, 60, 120, 50, 20), erlang_c(2880, 60, 50, 20)
    assert round(100 * float(found.abandonment), 1) == 3.1
    assert round(120 * float(found.abandonment), 1) == 3.7
    assert round(float(found.occupancy), 2) == 0.93
    assert round(float(patient.asa_sec), 1) == 20.8
    assert round(float(patient.occupancy), 2) == 0.96


def test_endless_patience_is_erlang_c() -> None:
    patient, waiting = erlang_a(100, 180, 1e8, 7, 20), erlang_c(100, 180, 7, 20)
    for name in ("service_level", "asa_sec", "occupancy", "wait_probability"):
        assert getattr(patient, name) == pytest.approx(getattr(waiting, name), rel=1e-4)


def simulated(
    rate: float, handle: float, patience: float, n: int, calls: int, seed: int
) -> pd.DataFrame:
    """Waits of a queue played call by call: first come, first served."""
    random = np.random.default_rng(seed)
    arrivals = random.exponential(1 / rate, calls).cumsum()
    handles, patiences = random.exponential(handle, calls), random.exponential(patience, calls)
    free = [0.0] * n
    rows = []
    for at, talk, limit in zip(arrivals, handles, patiences, strict=True):
        wait = max(free[0] - at, 0.0)
        if wait < limit:
            heapq.heapreplace(free, at + wait + talk)
        rows.append((min(wait, limit), wait < limit, 1))
    return pd.DataFrame(rows, columns=["wait_sec", "answered", "calls"])


@pytest.mark.parametrize(
    ("calls", "handle", "patience", "agents"),
    [(100, 180, 60, 5), (100, 180, 60, 7), (1000, 240, 120, 60), (40, 300, 200, 3)],
)
def test_a_queue_played_call_by_call_agrees(
    calls: float, handle: float, patience: float, agents: int
) -> None:
    waits = simulated(calls / 3600, handle, patience, agents, 60_000, seed=agents)
    found = erlang_a(calls, handle, patience, agents, 20)
    in_time = (waits["answered"] & (waits["wait_sec"] <= 20)).mean()
    assert in_time == pytest.approx(float(found.service_level), abs=0.02)
    assert 1 - waits["answered"].mean() == pytest.approx(float(found.abandonment), abs=0.015)
    asa = waits.loc[waits["answered"], "wait_sec"].mean()
    assert asa == pytest.approx(float(found.asa_sec), rel=0.12)
    learnt = estimate(waits)
    assert learnt.mean_sec == pytest.approx(patience, rel=0.10)
    assert learnt.low_sec < learnt.mean_sec < learnt.high_sec
    assert learnt.is_exponential


def test_another_shape_of_patience_is_noticed() -> None:
    """Everybody hangs up at a minute sharp: no exponential has that."""
    random = np.random.default_rng(5)
    offered = random.exponential(60, 20_000)
    waits = pd.DataFrame(
        {"wait_sec": np.minimum(offered, 60), "answered": offered < 60, "calls": 1}
    )
    assert not estimate(waits).is_exponential


def test_too_few_hang_ups_are_said() -> None:
    waits = pd.DataFrame({"wait_sec": [30.0, 40.0], "answered": [True, False], "calls": [900, 19]})
    with pytest.raises(TooFewAbandoned, match="19 callers hung up"):
        estimate(waits)


QUEUES = {
    "calls": st.floats(0.1, 3000),
    "handle": st.floats(5, 1800),
    "patience": st.floats(1, 5000),
    "agents": st.integers(1, 80),
    "threshold": st.floats(0, 300),
}


@settings(max_examples=150, deadline=None)
@given(**QUEUES)
def test_more_operators_and_more_time_never_hurt(
    calls: float, handle: float, patience: float, agents: int, threshold: float
) -> None:
    found = erlang_a(calls, handle, patience, [agents, agents + 1], threshold)
    later = erlang_a(calls, handle, patience, agents, threshold + 10)
    slack = 1e-9
    assert found.service_level[0] <= found.service_level[1] + slack
    assert found.abandonment[0] >= found.abandonment[1] - slack
    assert found.service_level[0] <= later.service_level + slack
    assert found.service_level[0] <= 1 - found.abandonment[0] + slack
    assert found.occupancy.min() >= 0 and found.occupancy.max() <= 1


@settings(max_examples=60, deadline=None)
@given(calls=st.floats(0.1, 400), handle=st.floats(10, 900), patience=st.floats(5, 1000))
def test_needed_is_enough_and_one_less_is_not(calls: float, handle: float, patience: float) -> None:
    for patient in (patience, None):
        needed = people_needed(calls, 0, Service(handle, patient), Goal(0.8, 20, 0.85))

        def reached(agents: int, patient: float | None = patient) -> bool:
            found = (
                erlang_a(calls, handle, patient, agents, 20)
                if patient
                else erlang_c(calls, handle, agents, 20)
            )
            return bool(found.service_level >= 0.8 and found.occupancy <= 0.85)

        assert reached(needed) and (needed == 1 or not reached(needed - 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calls_per_hour": -1.0}, "calls_per_hour"),
        ({"aht_sec": 0.0}, "aht_sec"),
        ({"patience_sec": float("nan")}, "patience_sec"),
        ({"agents": 2.5}, "whole people"),
    ],
)
def test_impossible_queues_are_refused(change: dict[str, float], message: str) -> None:
    queue = {"calls_per_hour": 10, "aht_sec": 60, "patience_sec": 60, "agents": 2}
    with pytest.raises(ValueError, match=message):
        erlang_a(**(queue | change), threshold_sec=20)


def test_other_work_takes_operators_away() -> None:
    """Two of four operators are busy with calls out: incoming ones find two."""
    service = Service(aht_sec=180, patience_sec=60)
    whole = performance(40, 2.0, 4, service, 20)
    alone = performance(40, 0.0, 2, service, 20)
    assert whole.service_level == alone.service_level
    between = performance(40, 1.5, 4, service, 20).service_level
    assert between == pytest.approx(
        (alone.service_level + performance(40, 0.0, 3, service, 20).service_level) / 2
    )
    # Ringing takes five of the twenty seconds.
    ringing = Service(aht_sec=180, patience_sec=60, ring_sec=5)
    assert performance(40, 0, 2, ringing, 20).service_level == pytest.approx(
        float(performance(40, 0, 2, service, 15).service_level)
    )
    assert people_needed(0, 0, service, Goal()) == 0
    assert people_needed(0, 1.0, service, Goal(max_occupancy=0.5)) == 2


def test_plan_of_an_hour_by_hand() -> None:
    hours = pd.DataFrame(
        {
            "day": [date(2026, 3, 2)] * 2,
            "hour": [9, 10],
            "calls": [40.0, 0.0],
            "calls_high": [60.0, 0.0],
            "other_load": [0.0, 0.0],
            "people": [2.0, np.nan],
        }
    )
    service = Service(aht_sec=180, patience_sec=60, lost_share=0.25)
    first, second = plan(hours, service, Goal(shrinkage=0.3)).to_dict("records")
    found = erlang_a(40, 180, 60, 2, 20)
    assert first["erlangs"] == 2.0
    assert first["needed"] == people_needed(40, 0, service, Goal()) == 4
    assert first["needed_high"] == people_needed(60, 0, service, Goal()) == 5
    assert first["needed_erlang_c"] == people_needed(40, 0, Service(180, None), Goal()) == 4
    assert first["to_roster"] == np.ceil(first["needed"] / 0.7)
    assert first["abandoned"] == pytest.approx(40 * float(found.abandonment))
    assert first["lost_bookings"] == pytest.approx(10 * float(found.abandonment))
    assert second["needed"] == 0 and np.isnan(second["service_level"])


def test_hidden_work_is_found_again() -> None:
    """Hours that went as if each call took 1.5 times its handle time."""
    random = np.random.default_rng(1)
    hours = pd.DataFrame(
        {"calls": random.integers(5, 30, 200), "other_load": 0.0, "people": 2.0, "in_time": 0.0}
    )
    service = Service(aht_sec=150, patience_sec=80)
    true = Service(aht_sec=225, patience_sec=80)
    hours["in_time"] = [
        calls * float(performance(calls, 0, 2, true, 20).service_level) for calls in hours["calls"]
    ]
    assert inputs.learnt_hidden_work(hours, service, 20) == pytest.approx(1.5, abs=0.02)
    assert inputs.learnt_hidden_work(hours.head(10), service, 20) is None
    assert inputs.learnt_hidden_work(hours.assign(in_time=hours["calls"]), service, 20) == 1.0


GOOD = "day,from,to,people\nmon,8,20,2\nMon,10,14,1\n2026-03-02,9,12,1.5\n"


def test_shifts_add_up_and_a_date_replaces_its_weekday() -> None:
    shifts = roster.parse(GOOD.splitlines(keepends=True), "r.csv")
    monday, next_monday = date(2026, 3, 2), date(2026, 3, 9)
    assert [roster.people_at(shifts, next_monday, h) for h in (7, 8, 10, 14, 20)] == [0, 2, 3, 2, 0]
    assert [roster.people_at(shifts, monday, h) for h in (8, 9, 12)] == [0, 1.5, 0]


def test_every_mistake_of_a_roster_is_told_with_its_line() -> None:
    lines = ["day,from,to,people\n", "funday,8,20,2\n", "mon,20,8,2\n", "tue,8,25,x\n"]
    with pytest.raises(ConfigurationError) as error:
        roster.parse(lines, "r.csv")
    text = str(error.value)
    for words in ("line 2: day is 'funday'", "line 3: from 20 to 8", "line 4: to is '25'"):
        assert words in text
    assert "line 4: people is 'x'" in text
    for wrong in ("", "day;from;to;people\n", "day,from,to,people\n"):
        with pytest.raises(ConfigurationError):
            roster.parse(wrong.splitlines(keepends=True), "r.csv")
