"""The oracle on data without a database: worked contacts, bounds, and the comparison itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hostile import hostile_source
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_base import KEPT_REASONS, Context, Expected, flat_params, fold, profile_of_call
from oracle_calls import calls_of, latest_reviews, outside_number, readable_score
from oracle_compare import compare_calls, compare_values
from oracle_metrics import metrics_of_call
from oracle_reference import reference_of
from oracle_risk import BLAMING
from oracle_seeds import load_seeds, normalised

SEEDS = load_seeds(Path(__file__).resolve().parents[2] / "seeds")
AS_OF = datetime(2025, 3, 12, 12)
NOON = datetime(2025, 3, 10, 12)
LIMITS = {"followup_needed_flag": (0, 1)}


def source_call(history_id: int, minutes: float, **changes: Any) -> dict[str, Any]:
    return {
        "history_id": history_id,
        "context_type": 1,
        "caller_number": "+7 916 123-45-67",
        "called_number": "+74950000000",
        "talk_duration": 60,
        "await_sec": 10,
        "context_start_time_dt": NOON + timedelta(minutes=minutes),
        **changes,
    }


def review(history_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": history_id,
        "history_id": history_id,
        "score_date": NOON + timedelta(days=1),
        "call_score": 8,
        "call_category": "Лид (без записи)",
        "number_category": 2,
        "is_target": 1,
        "outcome": "lead_no_record",
        **changes,
    }


def metrics(calls: list[dict[str, Any]], as_of: datetime = AS_OF) -> list[dict[str, Expected]]:
    mondays = {call["week_start_date"] for call in calls if call["week_start_date"]}
    reference = reference_of(calls, mondays, SEEDS)
    context = Context(
        as_of,
        lambda constant, key, day: reference.get((constant, key, day)),
        SEEDS.median_ticket,
        SEEDS.affinity,
        SEEDS.calibration,
        SEEDS.checklists,
        SEEDS.is_working_day,
    )
    found = []
    for call in calls:
        code, rule = profile_of_call(call, SEEDS.profiles, SEEDS.is_holiday, SEEDS.is_weekend)
        profile = {"calc_profile": code, "rule": rule}
        found.append(metrics_of_call(call, flat_params(SEEDS.params, code), profile, context))
    return found


@pytest.mark.parametrize(
    ("text", "clean"),
    [(" None ", None), ("", None), ("NaN", None), ("Приём\n  Врача ", "прием врача"), ("0", "0")],
)
def test_normalised(text: str, clean: str | None) -> None:
    assert normalised(text) == clean


@pytest.mark.parametrize(
    ("value", "score"),
    [("8,5", 8.5), (" 7.5 ", 7.5), ("8/10", None), ("nan", None), (8.3, 8.3), (1e9, None)],
)
def test_readable_score(value: Any, score: float | None) -> None:
    assert readable_score(value) == score


def test_caller_is_the_outside_number() -> None:
    call = {"caller_number": "+7 (916) 123-45-67", "called_number": "02"}
    assert outside_number("in", call) == "9161234567"
    assert outside_number("out", call) is None
    assert outside_number("internal", call) is None


def test_latest_review_is_by_date_then_id() -> None:
    rows = [review(1, id=9, score_date=NOON), review(1, id=3), review(1, id=5)]
    assert latest_reviews(rows)[1]["id"] == 5


def test_contacts_of_a_caller() -> None:
    missed = {"talk_duration": 0}
    outgoing = {
        "context_type": 2,
        "caller_number": "101",
        "called_number": "89161234567",
    }
    history = [
        source_call(1, 0, **missed),
        source_call(2, 2, **missed),  # a redial within two minutes
        source_call(3, 60, **outgoing, **missed),
        source_call(4, 90, **outgoing),
        source_call(5, 2000),
        source_call(6, 2000),  # the same second
    ]
    scores = [review(5, outcome="record"), review(4, requested_service_id=112)]
    scores.append(review(1, requested_service_id=115))
    one, _, _, four, five, six = calls_of(history, scores, SEEDS)
    assert one["next_call_at"] == one["next_incoming_at"] == NOON + timedelta(minutes=2)
    assert one["next_call_in_at"] == NOON + timedelta(minutes=2000)
    assert one["next_outgoing_answered_at"] == NOON + timedelta(minutes=90)
    assert one["next_booking_at"] == NOON + timedelta(minutes=2000)
    assert (one["next_other_service_group"], one["attempts_14d"]) == ("dentistry", 1)
    assert four["next_other_service_group"] is None
    assert (one["calls_day"], one["calls_30d"]) == (4, 0)
    assert (four["calls_in_72h"], four["unanswered_7d"], four["calls_2d"]) == (2, 2, 3)
    assert (five["calls_30d"], six["calls_30d"], six["bookings_72h"]) == (4, 4, 0)
    assert (five["is_last_of_caller"], six["is_last_of_caller"]) == (0, 1)
    assert five["next_call_at"] is None


def test_a_robot_is_frequent() -> None:
    history = [source_call(i, 5 * i) for i in range(1, 12)]
    assert all(call["is_frequent_number"] for call in calls_of(history, [], SEEDS))
    assert not any(call["is_frequent_number"] for call in calls_of(history[:10], [], SEEDS))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), as_text=st.booleans(), days=st.integers(-20, 60))
def test_bounds_hold_on_hostile_rows(seed: int, as_text: bool, days: int) -> None:
    calls = calls_of(*hostile_source(seed, 200, score_as_text=as_text), SEEDS)
    for call, rows in zip(calls, metrics(calls, AS_OF + timedelta(days=days)), strict=True):
        for metric, row in rows.items():
            check_row(metric, row)
        speed = rows["response_speed_score"]
        assert not (call["direction"] != "in" and speed.gate is None)
        flagged = rows["complaint_risk_flag"]
        if flagged.value_label == "true":
            assert BLAMING & set(flagged.reasons)


def check_row(metric: str, row: Expected) -> None:
    value = row.value_numeric
    assert (row.gate is not None) == (row.status == "gated")
    if value is None:
        assert row.reasons == {}
        return
    low, high = LIMITS.get(metric, (0, 100))
    assert low <= value <= high, (metric, value)
    if row.kind != "factors":
        assert value == pytest.approx((row.base or 0) + sum(row.reasons.values()), abs=1e-6)
        folded = fold(row.reasons)
        assert len(folded) <= KEPT_REASONS + 1
        assert sum(folded.values()) == pytest.approx(sum(row.reasons.values()), abs=1e-6)


def as_stored(history_id: int, metric: str, row: Expected) -> dict[str, Any]:
    """The row as lm_value would hold it."""
    reasons: Mapping[str, float] = row.reasons
    if row.kind != "factors":
        reasons = fold(reasons)
    told = {
        "status": row.status,
        "gate": row.gate,
        "kind": row.kind,
        "base": row.base,
        "reasons": [{"code": code, "points": points} for code, points in reasons.items()],
        "missing": sorted(row.missing or ()),
        **row.extras,
    }
    told["suggest"] = [{"group": name} for name in row.extras.get("suggest", [])]
    return {
        "history_id": history_id,
        "metric_code": metric,
        "value_numeric": row.value_numeric,
        "value_label": row.value_label,
        "calc_method": row.method,
        "value_json": json.dumps(told),
    }


def test_comparison_finds_what_differs_and_nothing_else() -> None:
    calls = calls_of(*hostile_source(5, 120), SEEDS)
    values = [
        as_stored(call["history_id"], metric, row)
        for call, rows in zip(calls, metrics(calls), strict=True)
        for metric, row in rows.items()
    ]
    mondays = {call["week_start_date"] for call in calls if call["week_start_date"]}
    reference: dict[tuple[str, str, date], Any] = reference_of(calls, mondays, SEEDS)

    def compared(rows: list[dict[str, Any]]) -> dict[str, int]:
        return compare_values(calls, reference, rows, SEEDS, AS_OF, "lm_test").counts

    assert compared(values) == {}
    speed = next(row for row in values if row["value_numeric"] == 100)
    speed["value_numeric"] = 99.9
    assert compared(values) == {f"{speed['metric_code']}: value": 1}

    changed = [dict(call) for call in calls]
    assert not compare_calls(calls, changed)
    changed[7]["is_booked"] = 1 - changed[7]["is_booked"]
    assert compare_calls(calls, changed).counts == {"fct_call.is_booked": 1}
