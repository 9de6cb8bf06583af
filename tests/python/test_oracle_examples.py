"""Worked examples of the metrics' definitions, as tests of the oracle itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle_base import Batch, Context, Expected, Row, flat_params, fold, profile_of_call
from oracle_conversion import affinity_prior
from oracle_metrics import metrics_of_call
from oracle_operational import queue_impact_index
from oracle_seeds import Seeds, load_seeds, read_seed

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
AS_OF = datetime(2025, 3, 20, 12, 0)
START = datetime(2025, 3, 10, 11, 0)  # a Monday, by day
DEFAULT = {"calc_profile": "default_v1", "rule": "default"}
CALL: dict[str, Any] = {
    "history_id": 1,
    "caller_key": "9161234567",
    "call_started_at": START,
    "call_date": START.date(),
    "call_hour": 11,
    "call_weekday": 1,
    "week_start_date": START.date(),
    "direction": "in",
    "is_answered": 1,
    "await_sec": 10,
    "talk_sec": 74,
    "total_sec": 90,
    "is_short_abandon": 0,
    "pbx_status": 1,
    "source_channel": "сайт",
    "service_group": "therapy",
    "service_ticket": 2000,
    "service_recurrence": "unknown",
    "is_reviewed": 1,
    "review_date": date(2025, 3, 11),
    "call_category": "booking",
    "outcome": "record",
    "is_target": 1,
    "call_score_raw": 8,
    "refusal_code": None,
    "checklist": None,
    "checklist_items": None,
    "call_type": "accepted",
    "is_booked": 1,
    "wants_booking": 1,
    "calls_in_72h": 0,
    "bookings_72h": 0,
    "is_last_of_caller": 1,
}
LEAD = {"outcome": "lead_no_record", "call_category": "lead", "is_booked": 0}
MISSED = {
    "is_answered": 0,
    "talk_sec": 0,
    "total_sec": 30,
    "await_sec": 30,
    "is_reviewed": 0,
    "is_target": 0,
    "is_booked": 0,
    "wants_booking": 0,
    "outcome": "none",
    "call_category": "none",
}


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return load_seeds(SEEDS)


def no_history(constant: str, key: str, day: date | None) -> Row | None:
    return None


def one_row(constant: str, key: str, row: Row) -> Any:
    return lambda name, told, day: row if (name, told) == (constant, key) else None


def expected(
    seeds: Seeds, metric: str, profile: dict[str, str] | None = None, context: Any = None, **changes
) -> Expected:
    profile = profile or DEFAULT
    params = flat_params(seeds.params, profile["calc_profile"])
    context = context or Context(AS_OF, no_history, median_ticket=2500)
    return metrics_of_call({**CALL, **changes}, params, profile, context)[metric]


@pytest.mark.parametrize(
    ("wait", "value", "label"),
    [
        (0, 100, "within_sla"),
        (20, 100, "within_sla"),
        (40, 50, "late"),
        (60, 25, "late"),
        (90, 8.8388, "late"),
    ],
)
def test_speed_by_day(seeds: Seeds, wait: int, value: float, label: str) -> None:
    row = expected(seeds, "response_speed_score", await_sec=wait)
    assert (row.value_numeric, row.value_label) == (pytest.approx(value), label)


@pytest.mark.parametrize(
    ("name", "wait"), [("weekend_v1", 60), ("night_shift_v1", 80), ("holiday_v1", 80)]
)
def test_speed_halves_by_profile(seeds: Seeds, name: str, wait: int) -> None:
    profile = {"calc_profile": name, "rule": name.split("_")[0]}
    row = expected(seeds, "response_speed_score", profile, await_sec=wait)
    assert row.value_numeric == 50
    assert ("OUT_OF_HOURS" in row.reasons) == (name == "night_shift_v1")


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"direction": "internal"}, "INTERNAL"),
        ({"direction": "out"}, "NOT_INCOMING"),
        ({**MISSED, "is_short_abandon": 1, "await_sec": 4}, "SHORT_ABANDON"),
        ({"await_sec": None}, "NO_WAIT"),
        ({"await_sec": 3601}, "BAD_VALUE"),
    ],
)
def test_speed_gates(seeds: Seeds, changes: dict[str, Any], gate: str) -> None:
    row = expected(seeds, "response_speed_score", **changes)
    assert (row.gate, row.value_numeric, row.value_label) == (gate, None, None)


def test_missed_call_without_wait_is_zero_and_partial(seeds: Seeds) -> None:
    row = expected(seeds, "response_speed_score", **{**MISSED, "await_sec": None})
    assert (row.value_numeric, row.value_label, row.status) == (0, "missed", "partial")


@pytest.mark.parametrize(
    ("outcome", "talk", "total", "value", "label"),
    [
        ("record", 74, 90, 94.67, "high"),
        ("lead_no_record", 12, 40, 53.9, "normal"),
        # The text does not say how long the line was busy: 46.1 needs 6 s of waiting.
        ("non_target", 254, 260, 46.1, "low"),
    ],
)
def test_talk_time_efficiency(
    seeds: Seeds, outcome: str, talk: int, total: int, value: float, label: str
) -> None:
    changes = {"outcome": outcome, "talk_sec": talk, "total_sec": total, "is_booked": 0}
    row = expected(seeds, "talk_time_efficiency", **changes)
    assert (row.value_numeric, row.value_label) == (pytest.approx(value, abs=0.05), label)


def test_talk_time_without_review_and_duration_is_length_alone(seeds: Seeds) -> None:
    changes = {"outcome": "none", "call_category": "none", "talk_sec": 45, "total_sec": None}
    row = expected(seeds, "talk_time_efficiency", **changes)
    assert (row.value_numeric, row.status) == (100, "partial")
    assert row.missing == {"outcome", "duration"}
    assert row.reasons == {"LENGTH_TYPICAL": 100}


@pytest.mark.parametrize(
    ("line_sec", "busy", "value"),
    [(60, 1, 28), (60, 2, 49), (180, 1, 63), (300, 1, 81)],
)
def test_queue_impact(seeds: Seeds, line_sec: int, busy: float, value: float) -> None:
    """The text's seconds are the weighted load, so the assumed wrap-up is part of them."""
    params = flat_params(seeds.params, "default_v1")
    context = Context(AS_OF, one_row("load_factor", "1|11", Row(busy, None, 40)))
    total = line_sec - params["wrapup_sec"]
    row = queue_impact_index({**CALL, "total_sec": total, "talk_sec": 30}, params, context)
    assert row.value_numeric == pytest.approx(value, abs=0.5)
    assert row.extras["load_sec"] == line_sec
    assert row.extras["work_sec"] == 30 + params["wrapup_sec"]


def test_missed_call_loads_half_and_has_no_wrapup(seeds: Seeds) -> None:
    row = expected(seeds, "queue_impact_index", **MISSED)
    assert (row.extras["load_sec"], row.extras["work_sec"]) == (15, 0)


def test_booked_is_100_and_has_no_expected_loss(seeds: Seeds) -> None:
    row = expected(seeds, "conversion_score")
    assert (row.value_numeric, row.value_label, row.method) == (100, "booked", "rule")
    row = expected(seeds, "lost_opportunity_score")
    assert (row.value_numeric, row.reasons, row.method) == (0, {"BOOKED": 0}, "rule")


@pytest.mark.parametrize(
    ("outcome", "value"), [("lead_no_record", 15), ("refused", 5), ("info_only", 8), ("other", 5)]
)
def test_late_booking_priors(seeds: Seeds, outcome: str, value: float) -> None:
    row = expected(seeds, "conversion_score", is_booked=0, call_category="info", outcome=outcome)
    assert (row.value_numeric, row.method) == (value, "empirical_bayes")


def test_late_booking_levels_add_up(seeds: Seeds) -> None:
    rates = {"lead_no_record": 0.2, "lead_no_record|lead": 0.18, "lead_no_record|lead|therapy": 0.3}

    def learnt(constant: str, key: str, day: date | None) -> Row | None:
        return Row(rates[key], None, 40) if key in rates else None

    row = expected(seeds, "conversion_score", context=Context(AS_OF, learnt), **LEAD)
    assert row.reasons == {"OUTCOME": 20, "CATEGORY": -2, "SERVICE": 12}
    assert (row.value_numeric, row.value_label) == (30, "likely")


def test_typical_loss_scores_near_50(seeds: Seeds) -> None:
    """2500 x .6 x (1 - .15) x .7 = 892.50 against M0 = .6 x 2500 x .6 = 900."""
    row = expected(seeds, "lost_opportunity_score", **LEAD, service_ticket=2500)
    assert row.extras["loss_rub"] == pytest.approx(892.5)
    assert row.value_numeric == pytest.approx(100 * 892.5 / 1792.5, abs=1e-4)
    assert "REASON_MISSING" in row.reasons


def test_missed_call_is_lost_after_a_day_without_contact(seeds: Seeds) -> None:
    metric = "lost_opportunity_score"
    row = expected(seeds, metric, **MISSED)
    assert (row.status, row.extras["loss_rub"]) == ("partial", 2500 * 0.5 * 0.6 * 0.6)
    soon = START + timedelta(hours=23)
    row = expected(seeds, metric, **MISSED, next_outgoing_answered_at=soon)
    assert (row.value_numeric, list(row.reasons)) == (0, ["CONTACTED_LATER"])
    late = START + timedelta(hours=25)
    row = expected(seeds, metric, **MISSED, next_outgoing_answered_at=late)
    assert "MISSED_NO_CONTACT" in row.reasons
    young = Context(START + timedelta(hours=1), no_history, median_ticket=2500)
    assert expected(seeds, metric, context=young, **MISSED).gate == "IMMATURE"


def test_cross_sell_without_history_uses_the_prior(seeds: Seeds) -> None:
    assert affinity_prior([0.2, 0.1], 0.15) == pytest.approx(0.28)
    row = expected(seeds, "cross_sell_potential", **LEAD)
    assert row.value_numeric == pytest.approx(15 * 0.7)
    row = expected(seeds, "cross_sell_potential", call_category="complaint")
    assert row.gate == "ALREADY_COMPLAINT"


def test_checklist_seven_of_nine(seeds: Seeds) -> None:
    """Equal weights give n/N; the interval is the lightest and the heaviest seven."""
    weights = [10, 12, 9, 8, 15, 11, 10, 14, 11]
    context = Context(AS_OF, no_history, checklists={"звонок": [(None, weights)]})
    changes = {"checklist": "звонок", "checklist_items": 7}
    row = expected(seeds, "checklist_coverage_ratio", context=context, **changes)
    assert row.value_numeric == pytest.approx(75)
    assert (row.extras["lo"], row.extras["hi"]) == (pytest.approx(71), pytest.approx(83))
    even = Context(AS_OF, no_history, checklists={"звонок": [(None, [1] * 9)]})
    row = expected(seeds, "checklist_coverage_ratio", context=even, **changes)
    assert row.value_numeric == pytest.approx(100 * 7 / 9, abs=1e-4)


def test_unknown_checklist_has_at_least_ten_items(seeds: Seeds) -> None:
    row = expected(seeds, "checklist_coverage_ratio", checklist_items=7)
    assert (row.value_numeric, row.status) == (70, "partial")
    row = expected(seeds, "checklist_coverage_ratio", checklist_items=12)
    assert row.value_numeric == 100
    assert "OVER_MAX" in row.reasons


@pytest.mark.parametrize(
    ("raw", "share", "n", "value"),
    [(8, 0.0, 40, 80), (80, 0.9, 40, 80), (8, 0.9, 40, 8), (8, 0.1, 40, 80), (8, 0.0, 3, 80)],
)
def test_score_scale(seeds: Seeds, raw: float, share: float, n: int, value: float) -> None:
    context = Context(AS_OF, no_history, batches={CALL["review_date"]: Batch(n, share)})
    row = expected(seeds, "normalized_call_score", context=context, call_score_raw=raw)
    assert row.value_numeric == value
    assert ("SCALE_GUESS" in row.reasons) == (n < 5)


def test_score_gates(seeds: Seeds) -> None:
    metric = "normalized_call_score"
    assert expected(seeds, metric, call_score_raw=101).gate == "BAD_VALUE"
    assert expected(seeds, metric, call_score_raw=None).gate == "BAD_VALUE"
    assert expected(seeds, metric, call_score_raw=0, is_target=0).gate == "NOT_SCORED"
    assert expected(seeds, metric, call_score_raw=0).value_numeric == 0


def test_script_risk_needs_a_gap(seeds: Seeds) -> None:
    row = expected(seeds, "script_risk_index", call_score_raw=None)
    assert (row.status, row.value_numeric) == ("no_data", None)
    # Score 80, checklist unknown: .70 * 20, less 5 for a booking.
    row = expected(seeds, "script_risk_index")
    assert (row.value_numeric, row.status, row.missing) == (9, "partial", {"checklist"})


def test_churn_of_a_second_cancellation_is_high(seeds: Seeds) -> None:
    """The text's card: cancelled, for the second time in half a year."""
    cancelled = {"outcome": "cancelled_by_patient", "call_category": "cancel", "is_booked": 0}
    row = expected(
        seeds,
        "churn_risk_level",
        **cancelled,
        wants_booking=0,
        cancellations_180d=1,
        service_recurrence="course",
    )
    assert (row.value_numeric, row.value_label) == (20 + 35 + 5 + 10, "high")


def test_complaint_card_of_the_text(seeds: Seeds) -> None:
    """PROMISE_NOT_KEPT 35 and REPEAT_CALL 25 make 60, true."""
    row = expected(
        seeds, "complaint_risk_flag", **LEAD, refusal_code="OPERATOR_WILL_CLARIFY", calls_in_72h=2
    )
    assert row.reasons == {"PROMISE_NOT_KEPT": 35, "REPEAT_CALL": 25}
    assert (row.value_numeric, row.value_label) == (60, "true")


@pytest.mark.parametrize(("earlier", "points"), [(1, None), (2, 25), (3, 35), (4, 45), (9, 45)])
def test_repeat_calls_are_capped(seeds: Seeds, earlier: int, points: float | None) -> None:
    row = expected(seeds, "complaint_risk_flag", **LEAD, calls_in_72h=earlier)
    assert row.reasons.get("REPEAT_CALL") == points


def test_no_flag_without_a_trigger_that_blames_the_clinic(seeds: Seeds) -> None:
    changes = {**LEAD, "refusal_code": "URGENCY_NO_SLOTS", "calls_in_72h": 4}
    row = expected(seeds, "complaint_risk_flag", **changes)
    assert row.reasons["NO_CLINIC_TRIGGER"] == -20
    assert (row.value_numeric, row.value_label) == (40, "false")


def test_gated_card_of_the_text(seeds: Seeds) -> None:
    row = expected(seeds, "complaint_risk_flag", talk_sec=9)
    assert (row.status, row.gate, row.value_numeric) == ("gated", "SHORT_TALK", None)
    row = expected(seeds, "complaint_risk_flag", talk_sec=9, call_category="complaint")
    assert (row.value_numeric, row.value_label) == (100, "true")


def test_missed_call_by_day_is_due_in_half_an_hour(seeds: Seeds) -> None:
    row = expected(seeds, "followup_needed_flag", **MISSED)
    assert (row.value_numeric, row.value_label) == (1, "true")
    assert row.extras["due_at"] == "2025-03-10 11:30"
    assert (row.extras["need"], row.extras["priority"], row.extras["overdue"]) == ("N1", 1, True)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (datetime(2025, 3, 14, 21), "2025-03-17 10:00"),  # Friday night: Monday
        (datetime(2025, 3, 13, 21), "2025-03-14 10:00"),
        (datetime(2025, 3, 14, 6), "2025-03-14 10:00"),  # before work: today
    ],
)
def test_night_call_is_due_at_ten_of_a_working_day(seeds: Seeds, start: datetime, due: str) -> None:
    night = {"calc_profile": "night_shift_v1", "rule": "night"}
    row = expected(seeds, "followup_needed_flag", night, **{**MISSED, "call_started_at": start})
    assert row.extras["due_at"] == due


@pytest.mark.parametrize(
    ("later", "code", "minutes"),
    [
        ({"next_outgoing_answered_at": 20}, "CLOSED_BY_CALLBACK", 20),
        ({"next_incoming_answered_at": 9, "next_need_at": 9}, "CLOSED_BY_CLIENT", 9),
        ({"next_need_at": 5, "next_incoming_answered_at": 9}, "SUPERSEDED", 5),
        ({"next_booking_at": 7, "next_need_at": 7}, "CLOSED_BY_BOOKING", 7),
    ],
)
def test_what_closes_a_followup(
    seeds: Seeds, later: dict[str, int], code: str, minutes: int
) -> None:
    events = {name: START + timedelta(minutes=value) for name, value in later.items()}
    row = expected(seeds, "followup_needed_flag", **MISSED, **events)
    assert row.reasons == {"NEED_N1": 1, code: -1}
    assert (row.value_numeric, row.extras["minutes_to_close"]) == (0, minutes)


def test_followup_expires(seeds: Seeds) -> None:
    late = Context(START + timedelta(days=14, minutes=1), no_history)
    row = expected(seeds, "followup_needed_flag", context=late, **MISSED)
    assert row.reasons == {"NEED_N1": 1, "EXPIRED": -1}


def test_fold_keeps_five_and_the_sum() -> None:
    reasons = {"A": 1.0, "B": -7.0, "C": 2.0, "D": 3.0, "E": 1.0, "F": 0.5, "G": 4.0}
    folded = fold(reasons)
    assert list(folded) == ["B", "G", "D", "C", "A", "OTHER"]
    assert sum(folded.values()) == sum(reasons.values())


def test_additive_rows_add_up(seeds: Seeds) -> None:
    params = flat_params(seeds.params, "default_v1")
    context = Context(AS_OF, no_history, median_ticket=2500)
    for changes in ({}, LEAD, MISSED, {"outcome": "non_target"}):
        rows = metrics_of_call({**CALL, **changes}, params, DEFAULT, context)
        assert set(rows) == {
            row["metric_code"]
            for row in read_seed(SEEDS, "lm_metric_dictionary")
            if row["metric_group"] != "forecast"
        }
        for metric, row in rows.items():
            if row.kind in ("additive", "lookup") and row.value_numeric is not None:
                total = (row.base or 0) + sum(row.reasons.values())
                assert row.value_numeric == pytest.approx(total), metric


@pytest.mark.parametrize(
    ("start", "source", "profile"),
    [
        (datetime(2025, 3, 12, 11), "сайт", "default_v1"),
        (datetime(2025, 3, 12, 11), "2гис", "campaign_2025q1"),
        (datetime(2025, 4, 1, 11), "2гис", "default_v1"),
        (datetime(2025, 3, 12, 20), "сайт", "night_shift_v1"),
        (datetime(2025, 3, 12, 7, 59), "сайт", "night_shift_v1"),
        (datetime(2025, 3, 15, 11), "сайт", "weekend_v1"),
        (datetime(2025, 3, 15, 22), "сайт", "night_shift_v1"),
        (datetime(2025, 1, 1, 22), "сайт", "holiday_v1"),
        (datetime(2024, 4, 27, 11), "сайт", "default_v1"),  # a working Saturday
        (None, "сайт", "default_v1"),
    ],
)
def test_profiles(seeds: Seeds, start: datetime | None, source: str, profile: str) -> None:
    call = {**CALL, "call_started_at": start, "source_channel": source}
    found = profile_of_call(call, seeds.profiles, seeds.is_holiday, seeds.is_weekend)
    assert found[0] == profile
