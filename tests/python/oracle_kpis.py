"""The KPIs by their standard names, from sums of lm_daily_facts.

The SQL has the same definitions in macros/statistics/kpis.sql; these are made from the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]

COUNTS = {
    "calls": "calls",
    "calls_offered": "incoming_calls",
    "calls_answered": "incoming_answered",
    "calls_abandoned": "incoming_abandoned",
    "short_abandons": "short_abandons",
    "max_wait_sec": "max_wait_sec",
    "missed_calls": "missed_calls",
    "outgoing_calls": "outgoing_calls",
    "operators": "operators",
    "target_calls": "target_calls",
    "wanting_calls": "wanting_calls",
    "bookings": "bookings",
    "lost_calls": "lost_calls",
    "booked_value_rub": "booked_value",
    "expected_value_rub": "expected_rub",
    "lost_value_rub": "loss_rub",
    "cancellations": "cancellations",
    "reschedules": "reschedules",
    "complaints": "complaints",
    "followups_open": "followups_open",
    "followups_overdue": "followups_overdue",
    "followups_closed": "followups_closed",
    "sla_calls": "sla_calls",
    "talk_calls": "talk_calls",
    "operator_hours": "operator_hours",
    "reviewed_calls": "reviewed_calls",
    "target_new_calls": "target_new_calls",
    "repeat_base_calls": "repeat_base_calls",
    "repeat_calls": "repeat_calls",
    "qa_calls": "qa_calls",
    "coverage_calls": "coverage_calls",
    "callers": "callers",
}
# kpi -> (successes, trials): binomial, so that Wilson's interval fits.
SHARES = {
    "abandonment_rate": ("incoming_abandoned", "incoming_calls"),
    "service_level": ("answered_in_sla", "sla_calls"),
    "out_of_hours_share": ("out_of_hours_calls", "incoming_calls"),
    "callback_rate": ("missed_called_back", "missed_calls"),
    "missed_reached_rate": ("missed_reached", "missed_calls"),
    "outgoing_answer_rate": ("outgoing_answered", "outgoing_calls"),
    "reviewed_share": ("reviewed_talks", "talk_calls"),
    "target_share": ("target_calls", "reviewed_calls"),
    "conversion_rate": ("bookings", "wanting_calls"),
    "target_conversion_rate": ("new_bookings", "target_new_calls"),
    "complaint_rate": ("complaints", "reviewed_calls"),
}
# kpi -> (sum, count, sum of squares): means of which the spread is known.
MEANS = {
    "asa_sec": ("answer_wait_sec", "answer_wait_calls", "answer_wait_sec_sq"),
    "att_sec": ("talk_sec", "talk_calls", "talk_sec_sq"),
    "aht_sec": ("handle_sec", "handle_calls", "handle_sec_sq"),
    "qa_score_avg": ("qa_score", "qa_calls", "qa_score_sq"),
    "checklist_coverage_avg": ("checklist_coverage", "coverage_calls", "checklist_coverage_sq"),
}
RATIOS = {
    "booking_ticket_avg_rub": ("booked_value", "bookings"),
    "abandon_wait_avg_sec": ("abandon_wait_sec", "abandon_wait_calls"),
    "callback_avg_min": ("callback_min", "missed_called_back"),
    "calls_per_operator_hour": ("talk_calls", "operator_hours"),
    "review_lag_avg_days": ("review_lag_days", "reviewed_calls"),
}
# Every column of lm_daily_facts that a KPI divides or is divided by.
SUMS = {
    *(
        column
        for parts in (*SHARES.values(), *MEANS.values(), *RATIOS.values())
        for column in parts
    ),
    "work_sec",
}
# Days that a call must have had before the KPI can be told.
MATURED_AFTER = {
    "fcr_proxy": 7,
    "callback_rate": 1,
    "missed_reached_rate": 1,
    "callback_avg_min": 1,
}


def is_matured(day: date, days: int, as_of: datetime) -> bool:
    """Whether the day's last call has had so many whole days. At 23:59:59 the day is complete."""
    end = datetime(day.year, day.month, day.day) + timedelta(days=1 + days)
    return end <= as_of + timedelta(seconds=1)


def over(numerator: float, base: float) -> float | None:
    return numerator / base if base else None


def kpis_of(facts: Row) -> dict[str, Any]:
    """All KPIs of one row of sums, as if what follows the calls were known to the end."""
    ratios = {**RATIOS, **SHARES, **{name: parts[:2] for name, parts in MEANS.items()}}
    moved = facts["cancellations"] + facts["reschedules"]
    known = over(facts["repeat_calls"], facts["repeat_base_calls"])
    return {
        **{name: facts[column] for name, column in COUNTS.items()},
        **{name: over(facts[part], facts[base]) for name, (part, base) in ratios.items()},
        "work_hours": facts["work_sec"] / 3600,
        "line_use": over(facts["talk_sec"], facts["operator_hours"] * 3600),
        "cancellation_share": over(facts["cancellations"], moved),
        "fcr_proxy": None if known is None else 1 - known,
    }


def kpi_daily(facts: Mapping[tuple[Any, ...], Row], as_of: datetime) -> dict[tuple[Any, ...], Row]:
    """Key (stat_date, dimension, dimension_value) to the columns of vw_lm_kpi_daily."""
    found = {}
    for key, row in facts.items():
        if key[1] == "refusal":
            continue
        found[key] = kpis_of(row)
        for name, days in MATURED_AFTER.items():
            if not is_matured(key[0], days, as_of):
                found[key][name] = None
    return found
