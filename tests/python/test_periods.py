"""The last 7, 14, 30 and 180 days as their reader relies on them: what they hold, when they change.

A hand-made clinic of three operators: Anna books 30 of 40, Boris 20 of 40, Vera 5 of 10, on alike
calls.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import TestTarget
from oracle_data import Source
from pipeline_cases import (
    BUILD,
    a_review,
    assert_same,
    execute,
    fill,
    insert,
    meaning,
    moment,
    own_schema,
    read,
    run,
    unlike,
)

LAST = datetime(2025, 9, 30, 12)
# Ten days without a call: periods go by the calls, not by the day of the calculation.
LATER = LAST + timedelta(days=10)
OPERATORS = {"Анна": (40, 30), "Борис": (40, 20), "Вера": (10, 5)}
MODELS = ["lm_period_stats", "lm_operator_bookings"]
UNREVIEWED = 5000


def a_call(history_id: int, start: datetime, operator: str) -> dict[str, Any]:
    """An answered incoming call of a caller of its own."""
    return {
        "history_id": history_id,
        "context_type": 1,
        "caller_number": f"+7999{history_id:07d}",
        "called_number": "70020000002",
        "called_info": operator,
        "talk_duration": 60,
        "await_sec": 5,
        "duration": 65,
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "context_start_time_dt": moment(start),
        "context_status": 1,
        "entry_id": f"call-{history_id}",
        "answered_user_id": list(OPERATORS).index(operator) + 1,
        "created_at": moment(start + timedelta(minutes=2)),
    }


def source() -> Source:
    """90 reviewed calls of the last week; of earlier times two without a review."""
    history, scores = [], []
    history_id = 0
    for operator, (calls, bookings) in OPERATORS.items():
        for number in range(calls):
            history_id += 1
            start = LAST - timedelta(days=number % 7, minutes=history_id)
            history.append(a_call(history_id, start, operator))
            outcome = {"outcome": "record", "call_category": "Запись на прием (успешная)"}
            booked = {**outcome, "number_category": 1} if number < bookings else {}
            made = start + timedelta(hours=1)
            scores.append(a_review(history_id, history_id, made, **booked))
    history.append(a_call(UNREVIEWED, LAST - timedelta(days=20), "Анна"))
    history.append(a_call(UNREVIEWED + 1, LAST - timedelta(days=100), "Анна"))
    names = list(dict.fromkeys(name for row in scores for name in row))
    return Source(history, [{name: row.get(name) for name in names} for row in scores])


@pytest.fixture(scope="module")
def here(target: TestTarget) -> Iterator[TestTarget]:
    with own_schema(target, "periods") as schema:
        fill(schema, source())
        run(schema, *BUILD, as_of=LATER)
        yield schema


def one(here: TestTarget, columns: str, table: str, **where: Any) -> tuple[Any, ...]:
    condition = " and ".join(f"{name} = %s" for name in where)
    (row,) = here.rows(f"select {columns} from {table} where {condition}", tuple(where.values()))
    return row


def rows_of(here: TestTarget, days: int, columns: str = "*") -> set[tuple[Any, ...]]:
    return set(here.rows(f"select {columns} from lm_period_stats where period_days = {days}"))


def test_periods_end_with_the_last_call(here: TestTarget) -> None:
    ends = here.rows(
        "select period_days, concat(period_start), concat(period_end), calls, value_count"
        " from vw_lm_period_summary where dimension = 'all' and metric_code = 'reviewed_share'"
        " order by period_days"
    )
    assert [tuple(row) for row in ends] == [
        (7, "2025-09-24", "2025-09-30", 90, 90),
        (14, "2025-09-17", "2025-09-30", 90, 90),
        (30, "2025-09-01", "2025-09-30", 91, 91),
        (180, "2025-04-04", "2025-09-30", 92, 92),
    ]


def test_small_samples_are_not_judged(here: TestTarget) -> None:
    found = {
        operator: one(
            here,
            "value_count, level, status",
            "vw_lm_period_summary",
            period_days=7,
            dimension="operator",
            dimension_value=operator,
            metric_code="conversion_rate",
        )
        for operator in OPERATORS
    }
    assert found["Анна"] == (40, pytest.approx(0.75), "good")
    assert found["Борис"] == (40, pytest.approx(0.5), "warning")
    assert found["Вера"] == (10, pytest.approx(0.5), "insufficient_data")


def test_operators_are_compared_with_the_others(here: TestTarget) -> None:
    """On alike calls the expected share is the others' own: 25 of 50, 35 of 50, 50 of 80."""
    columns = "expected_bookings, booking_uplift_per_100, operator_rank, ranked_operators, status"
    found = {
        operator: one(
            here, columns, "vw_lm_operator_scorecard", period_days=7, operator_name=operator
        )
        for operator in OPERATORS
    }
    assert [float(found[name][0]) for name in OPERATORS] == pytest.approx([20, 28, 6.25])
    assert [float(found[name][1]) for name in OPERATORS] == pytest.approx([25, -20, -12.5])
    assert [found[name][2] for name in OPERATORS] == [1, 2, None]
    assert {row[3] for row in found.values()} == {2}
    # 2 standard deviations of luck: 1.96 * sqrt(10 + 20 * 20 / 50) / 40 = 21 and
    # 1.96 * sqrt(8.4 + 28 * 12 / 50) / 40 = 19 points.
    assert [found[name][4] for name in OPERATORS] == [
        "above_peers",
        "below_peers",
        "insufficient_data",
    ]


def test_shrinking_leaves_the_order_and_takes_off_luck(here: TestTarget) -> None:
    rows = here.rows(
        "select booking_uplift_per_100, shrunk_uplift_per_100 from vw_lm_operator_scorecard"
        " where period_days = 7 and operator_rank is not null order by operator_rank"
    )
    # Two uplifts, 25 and -20 points, variances 18 / 1600 and 15.12 / 1600: by DerSimonian and Laird
    # for two the variance of skill is half the square of the difference less the mean variance.
    spread = 0.45**2 / 2 - (18 + 15.12) / 2 / 1600
    shrunk = [25 * spread / (spread + 18 / 1600), -20 * spread / (spread + 15.12 / 1600)]
    assert [float(row[1]) for row in rows] == pytest.approx(shrunk, abs=1e-3)


def test_nothing_is_computed_again_when_nothing_changed(here: TestTarget) -> None:
    done = run(here, as_of=LATER).stdout
    for model in MODELS:
        assert re.search(rf"{model} .*OK 0 batches", done), done


def test_a_late_review_changes_the_periods_of_its_call(here: TestTarget) -> None:
    levels = (
        "dimension, dimension_value, metric_code, calls, value_count, level, level_low, level_high,"
        " value_p50, value_p90, true_share, high_share"
    )
    before = {days: rows_of(here, days, levels) for days in (7, 14, 30, 180)}
    week = rows_of(here, 7)
    insert(here, "call_scores", a_review(UNREVIEWED, UNREVIEWED, LATER - timedelta(hours=1)))
    run(here, as_of=LATER)
    after = {days: rows_of(here, days, levels) for days in (7, 14, 30, 180)}
    assert rows_of(here, 7) == week
    assert after[14] == before[14]
    for days in (30, 180):
        reviewed = one(
            here,
            "level * value_count",
            "vw_lm_period_summary",
            period_days=days,
            dimension="all",
            dimension_value="all",
            metric_code="reviewed_share",
        )
        assert float(reviewed[0]) == pytest.approx(91)
        assert after[days] != before[days]


@pytest.mark.parametrize(
    ("as_of", "end"),
    [
        (datetime(2025, 9, 30, 15), "2025-09-29"),
        (datetime(2025, 9, 30, 23, 59, 59), "2025-09-30"),
    ],
)
def test_a_day_counts_when_it_is_over(here: TestTarget, as_of: datetime, end: str) -> None:
    run(here, "run", "--select", *MODELS, as_of=as_of)
    for model in MODELS:
        assert here.rows(f"select distinct concat(period_end) from {model}") == [(end,)]


def test_statistics_by_day_lose_no_change_when_a_run_ends_between_two_batches(
    here: TestTarget,
) -> None:
    """Of one day the call itself changes and later a metric, and other days in between."""
    random_ = random.Random(18)
    days = [day for (day,) in here.rows("select distinct call_date from fct_call order by 1")]
    (change,) = here.rows("select max(change_id) from lm_value_changes")[0]
    metrics = ("normalized_call_score", "response_speed_score")
    statistics = ("run", "--select", "lm_daily_stats")
    use = f"use `{here.schema}`"
    before = read(here, "lm_daily_stats")
    for _ in range(5):
        for day in random_.choices(days, k=6):
            changed = random_.choice(("call", *metrics))
            change += 1
            values = (
                "update lm_value inner join fct_call on fct_call.history_id = lm_value.history_id"
                " set lm_value.value_numeric = lm_value.value_numeric + 1"
                " where fct_call.call_date = %s and lm_value.metric_code in (%s, %s)"
            )
            row = (
                "insert into lm_value_changes (call_date, changed, change_id) values (%s, %s, %s)"
                " on duplicate key update change_id = values(change_id)"
            )
            of = metrics if changed == "call" else (changed, changed)
            execute(here, use, (values, (day, *of)), (row, (day, changed, change)))
        run(here, *statistics, as_of=LATER, lm_max_batches=1)
    run(here, *statistics, as_of=LATER)
    after = read(here, "lm_daily_stats")
    run(here, *statistics, "--full-refresh", as_of=LATER)
    assert_same(meaning(read(here, "lm_daily_stats")), meaning(after))
    assert len(unlike(before, after)) > 50
