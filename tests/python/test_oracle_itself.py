"""The oracle on data without a database: worked contacts, bounds, and the comparison itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hostile import hostile_source
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_base import KEPT_REASONS, Context, Expected, flat_params, fold, profile_of_call
from oracle_calls import calls_of, latest_reviews, outside_number, readable_score
from oracle_compare import FEATURES, compare_calls, compare_values, derived_features
from oracle_conversion import loss_scale
from oracle_metrics import metrics_of_call
from oracle_reference import Monday, reference_of
from oracle_risk import BLAMING
from oracle_scores import review_batches
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


def mondays_of(calls: list[dict[str, Any]]) -> set[date]:
    """The weeks of the calls and of their reviews: every Monday whose constants are used."""
    days = {call["call_date"] for call in calls} | {call["review_date"] for call in calls}
    return {day - timedelta(days=day.weekday()) for day in days if day is not None}


def context_of(calls: list[dict[str, Any]], as_of: datetime) -> Context:
    reference = reference_of(calls, mondays_of(calls), SEEDS)
    return Context(
        as_of,
        lambda constant, key, day: reference.get((constant, key, day)),
        SEEDS.median_ticket,
        SEEDS.affinity,
        SEEDS.calibration,
        SEEDS.checklists,
        SEEDS.is_working_day,
        batches=review_batches(calls, reference, SEEDS),
    )


def metrics(calls: list[dict[str, Any]], as_of: datetime = AS_OF) -> list[dict[str, Expected]]:
    context = context_of(calls, as_of)
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
    assert one["next_call_at"] == one["next_need_at"] == NOON + timedelta(minutes=2)
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


def test_what_a_review_does_not_know_is_watched() -> None:
    told = {
        "outcome": "?",
        "context_type": "исходящий",
        "refusal_category_code": " None ",
        "refusal_reason": "сам не знает",
        "requested_service_name": "Телепортация",
    }
    call, other, known = calls_of(
        [source_call(1, 0), source_call(2, 1, context_type=7), source_call(3, 2)],
        [
            review(1, **told),
            review(2, **told, requested_service_id=112),
            review(3, refusal_category_code="?", refusal_reason="Дорого"),
        ],
        SEEDS,
    )
    assert call["unknown_labels"] == "outcome,refusal_reason,requested_service"
    assert (call["direction"], call["has_direction_conflict"]) == ("in", 1)
    assert (other["direction"], other["has_direction_conflict"]) == ("out", 0)
    assert other["unknown_labels"] == "outcome,refusal_reason"
    assert (call["refusal_code"], known["refusal_code"]) == ("OTHER_REASON", "PRICE")
    assert known["unknown_labels"] == "refusal_category_code"


@pytest.mark.parametrize(
    ("outcome", "category", "conflict"),
    [
        ("record", "Лид (без записи)", 1),
        ("record", "Не определено", 0),
        ("record", "Запись на услугу (успешная)", 0),
        ("lead_no_record", "Запись на услугу (успешная)", 1),
        (None, "Запись на услугу (успешная)", 0),
        ("?", "Запись на услугу (успешная)", 0),
    ],
)
def test_outcome_against_category(outcome: str | None, category: str, conflict: int) -> None:
    scores = [review(1, outcome=outcome, call_category=category)]
    assert calls_of([source_call(1, 0)], scores, SEEDS)[0]["has_outcome_conflict"] == conflict


@pytest.mark.parametrize(("seconds", "conflict"), [(0, 0), (60, 0), (61, 1), (-61, 1)])
def test_two_starts(seconds: int, conflict: int) -> None:
    stamp = int((NOON - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600 + seconds
    call = calls_of([source_call(1, 0, context_start_time=stamp)], [], SEEDS)[0]
    assert (call["has_start_conflict"], call["call_started_at"]) == (conflict, NOON)


def known_call(monday: date, **changes: Any) -> dict[str, Any]:
    """A reviewed lead, at noon of the Monday."""
    start = datetime(monday.year, monday.month, monday.day, 12)
    history = [source_call(1, (start - NOON).total_seconds() / 60)]
    scores = [review(1, score_date=start + timedelta(days=1))]
    return calls_of(history, scores, SEEDS)[0] | changes


@pytest.mark.parametrize(
    ("constant", "key", "first", "last"),
    [
        ("booking_share", "all", 1, 26),
        ("talk_length", "lead", 1, 26),
        ("load_factor", "1|12", 1, 8),
        ("late_booking_rate", "lead_no_record", 4, 26),  # 14 days and a lag of 7
        ("cross_sell_any", "dentistry", 27, 52),
        ("score_mean", "lead_no_record", 1, 26),
    ],
)
def test_weeks_a_constant_is_learnt_from(constant: str, key: str, first: int, last: int) -> None:
    monday = date(2025, 3, 10)
    call = known_call(monday, service_group="dentistry")
    found = [
        weeks
        for weeks in range(60)
        if (constant, key) in Monday([call], monday + timedelta(weeks=weeks), SEEDS).constants()
    ]
    assert found == list(range(first, last + 1))


def test_a_late_review_is_not_known_yet() -> None:
    monday = date(2025, 3, 10)
    call = known_call(monday, review_date=monday + timedelta(weeks=2))
    shares = [
        ("booking_share", "all") in Monday([call], monday + timedelta(weeks=w), SEEDS).constants()
        for w in range(5)
    ]
    assert shares == [False, False, False, True, True]


def test_a_suggestion_needs_calls_and_lift() -> None:
    """Of 20 calls about dentistry 10 are followed by therapy, of 60 calls 14: a lift of 2.14."""
    monday = date(2025, 3, 10)

    def calls(group: str, count: int, following: int) -> list[dict[str, Any]]:
        call = known_call(monday, service_group=group)
        soon = {
            "next_other_service_at": call["call_started_at"] + timedelta(days=180),
            "next_other_service_group": "therapy",
        }
        return [call | soon] * following + [call] * (count - following)

    both = calls("dentistry", 20, 10) + calls("massage", 40, 4)
    rows = Monday(both, monday + timedelta(weeks=30), SEEDS).constants()
    suggested = {key: row for (name, key), row in rows.items() if name == "cross_sell_suggest"}
    assert list(suggested) == ["dentistry|1"]
    row = suggested["dentistry|1"]
    assert (row.value, row.spread, row.n, row.label) == (
        0.5,
        pytest.approx(0.5 * 60 / 14),
        20,
        "therapy",
    )
    few = calls("dentistry", 19, 10) + calls("massage", 40, 4)
    rows = Monday(few, monday + timedelta(weeks=30), SEEDS).constants()
    assert not any(name == "cross_sell_suggest" for name, _ in rows)


def test_a_batch_is_read_on_one_scale() -> None:
    """Half above 10: the 8 of that day is an 8 of 100; the mean is of every mark by itself."""
    monday = date(2025, 3, 10)
    day = monday + timedelta(days=7)
    old = [known_call(monday, call_score_raw=mark) for mark in (7, 9)]
    new = [
        known_call(monday, call_score_raw=mark, review_date=day, operator_key=who)
        for mark, who in ((80, "1"), (90, "2"), (8, "2"), (0, "3"))
    ]
    reference = reference_of([*old, *new], [day], SEEDS)
    assert reference["score_mean", "lead_no_record", day].value == 80
    batch = review_batches(new, reference, SEEDS)[day]
    assert (batch.review_count, batch.operator_count) == (3, 2)
    assert batch.share_over_10 == pytest.approx(2 / 3)
    assert batch.mean_residual == pytest.approx((0 + 10 - 72) / 3)


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


def as_stored(
    call: dict[str, Any], metric: str, rows: Mapping[str, Expected], context: Context
) -> dict[str, Any]:
    """The row as lm_value would hold it."""
    row = rows[metric]
    reasons: Mapping[str, float] = row.reasons
    if row.kind != "factors":
        reasons = fold(reasons)
    told = {
        "status": row.status,
        "gate": row.gate,
        "kind": row.kind,
        "base": row.base,
        "reasons": [
            {"code": code, "points": points} | details(row, code)
            for code, points in reasons.items()
        ],
        "missing": sorted(row.missing or ()),
        **row.extras,
    }
    told |= factors_of(metric, row, call, context)
    if "suggest" in told:
        told["suggest"] = [
            {"group": one.label, "confidence": one.value, "lift": one.spread, "n": one.n}
            for one in row.extras["suggest"]
        ]
    if row.learnt is not None:
        constant, keys = row.learnt
        learnt = [context.constant(constant, key, call) for key in keys]
        n = next((one.n for one in reversed(learnt) if one is not None), 0)
        told["ref"] = {"as_of": str(call["week_start_date"]), "n": n}
    if metric == "feature_pack":
        profile = str(rows["calc_profile"].value_label)
        params = flat_params(SEEDS.params, profile)
        told = {name: call.get(name) for name in FEATURES}
        told |= derived_features(call, profile, params, context)
    told = {name: value for name, value in told.items() if value is not None}
    return {
        "history_id": call["history_id"],
        "call_score_id": call["call_score_id"],
        "lm_version": "lm_test",
        "metric_code": metric,
        "value_numeric": row.value_numeric,
        "value_label": row.value_label,
        "calc_method": row.method,
        "value_json": json.dumps(told),
    }


def factors_of(
    metric: str, row: Expected, call: dict[str, Any], context: Context
) -> dict[str, Any]:
    if row.kind != "factors":
        return {}
    told: dict[str, Any] = {"product": prod(row.reasons.values()), "link": "identity"}
    if metric == "queue_impact_index":
        told |= {"link": "saturation", "scale": 180}
    if metric == "lost_opportunity_score":
        params = flat_params(SEEDS.params, "default_v1")
        told |= {"link": "ratio", "scale": loss_scale(call, params, context)}
    return told


def details(row: Expected, code: str) -> dict[str, Any]:
    value, ref = row.details.get(code, (None, None))
    return {"value": value, "ref": ref}


def test_comparison_finds_what_differs_and_nothing_else() -> None:
    calls = calls_of(*hostile_source(5, 120), SEEDS)
    reference = reference_of(calls, mondays_of(calls), SEEDS)
    batches = review_batches(calls, reference, SEEDS)
    context = context_of(calls, AS_OF)
    values = [
        as_stored(call, metric, rows, context)
        for call, rows in zip(calls, metrics(calls), strict=True)
        for metric in rows
    ]

    def compared(rows: list[dict[str, Any]]) -> dict[str, int]:
        return compare_values(calls, reference, batches, rows, SEEDS, AS_OF, "lm_test").counts

    assert compared(values) == {}
    speed = next(row for row in values if row["value_numeric"] == 100)
    speed["value_numeric"] = 99.9
    code = speed["metric_code"]
    assert compared(values) == {f"{code}: value": 1, f"{code}: sum": 1}

    changed = [
        {**call, "contact_key": call["caller_key"] or f"#{call['history_id']}"} for call in calls
    ]
    assert not compare_calls(calls, changed)
    changed[7]["is_booked"] = 1 - changed[7]["is_booked"]
    assert compare_calls(calls, changed).counts == {"fct_call.is_booked": 1}
