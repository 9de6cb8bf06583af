"""What the daily marts should hold, by pandas and NumPy, from calls and values as they are stored.

Made from the descriptions of the columns and the dictionary, not from the SQL. Moments are local,
waits and talks in seconds, money in roubles.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

Row = Mapping[str, Any]

DIMENSIONS = ("all", "operator", "source", "service", "service_group", "direction", "hour")
# Columns of fct_call; hour is made of call_hour.
COLUMN_OF = {
    "operator": "operator_name",
    "source": "source_channel",
    "service": "service_name",
    "service_group": "service_group",
    "direction": "direction",
}
SLICE = ["stat_date", "dimension", "dimension_value"]
BAD_WAIT_SEC = 3600  # longer is no wait, but a mistake
DAY = pd.Timedelta(days=1)
REPEAT = pd.Timedelta(days=7)
MOMENTS = (
    "call_started_at",
    "reviewed_at",
    "next_call_in_at",
    "next_incoming_answered_at",
    "next_outgoing_answered_at",
)
NUMBERS = ("await_sec", "talk_sec", "call_hour")


def calls_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Calls with a date, indexed by history_id, moments and numbers as pandas has them."""
    frame = pd.DataFrame([dict(row) for row in rows])
    frame = frame[frame["call_date"].notna()].set_index("history_id", drop=False).rename_axis(None)
    for name in MOMENTS:
        frame[name] = pd.to_datetime(frame[name])
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name])
    return frame


def values_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Values of the metrics that have statistics, value_json as a dict."""
    frame = pd.DataFrame([dict(row) for row in rows])
    frame["value"] = pd.to_numeric(frame["value_numeric"])
    frame["told"] = frame["value_json"].map(lambda text: json.loads(text) if text else {})
    return frame


def with_slices(frame: pd.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
    """Each call once a dimension, with stat_date, dimension and dimension_value."""
    parts = []
    for name in dimensions:
        part = frame.assign(stat_date=frame["call_date"], dimension=name)
        part["dimension_value"] = slice_of(frame, name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def slice_of(frame: pd.DataFrame, dimension: str) -> pd.Series:
    if dimension == "all":
        return pd.Series("all", index=frame.index)
    if dimension == "hour":
        return frame["call_hour"].map(lambda hour: "unknown" if pd.isna(hour) else f"{hour:02.0f}")
    return frame[COLUMN_OF[dimension]]


def daily_stats(calls: pd.DataFrame, values: pd.DataFrame) -> dict[tuple[Any, ...], Row]:
    """Key (stat_date, dimension, dimension_value, metric_code) to the columns of lm_daily_stats."""
    sliced = with_slices(calls[["history_id", "call_date", "call_hour", *COLUMN_OF.values()]])
    calls_of = sliced.groupby(SLICE).size().rename("calls")
    values = values[values["metric_group"] != "aux"]
    own = values[["history_id", "metric_code", "metric_group", "value", "value_label"]]
    rows = sliced[[*SLICE, "history_id"]].merge(own, on="history_id")
    rows["square"] = rows["value"] ** 2
    by = rows.groupby([*SLICE, "metric_code"])
    found = statistics(by).join(calls_of, on=SLICE)
    found["metric_group"] = by["metric_group"].first()
    counts = label_counts(rows)
    return {
        key: {**row, **labels(counts.get(key, {}))} for key, row in records_by_key(found).items()
    }


def statistics(by: Any) -> pd.DataFrame:
    """Of the numbers of each slice; without any, only counts and sums are known."""
    values = by["value"]
    percentiles = values.quantile([0.50, 0.90, 0.95]).unstack()
    return pd.DataFrame(
        {
            "value_count": values.count(),
            "value_sum": values.sum(),
            "value_sum_sq": by["square"].sum(),
            "value_avg": values.mean(),
            "value_min": values.min(),
            "value_p50": percentiles[0.50],
            "value_p90": percentiles[0.90],
            "value_p95": percentiles[0.95],
            "value_max": values.max(),
        }
    )


def records_by_key(frame: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by the frame's index, as Python's own numbers, null for what is not known."""
    plain = frame.astype(object).where(frame.notna(), None)
    return dict(zip(plain.index, plain.to_dict("records"), strict=True))


def label_counts(rows: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, int]]:
    counts: dict[tuple[Any, ...], dict[str, int]] = {}
    sizes = rows.groupby([*SLICE, "metric_code", "value_label"]).size()
    for key, count in sizes.items():
        counts.setdefault(key[:-1], {})[key[-1]] = int(count)
    return counts


def labels(counts: dict[str, int]) -> dict[str, Any]:
    named = {f"{name}_count": counts.get(name, 0) for name in ("true", "low", "medium", "high")}
    return {**named, "label_counts": counts}


def told(values: pd.DataFrame, metric: str, key: str) -> pd.Series:
    """A number, text or truth of a metric's value_json, by history_id; null where it is absent."""
    own = values[values["metric_code"] == metric]
    return pd.Series([row.get(key) for row in own["told"]], index=own["history_id"], dtype=object)


def value_of(values: pd.DataFrame, metric: str) -> pd.Series:
    own = values[values["metric_code"] == metric]
    return own.set_index("history_id")["value"]


def label_of(values: pd.DataFrame, metric: str) -> pd.Series:
    own = values[values["metric_code"] == metric]
    return own.set_index("history_id")["value_label"]


def call_facts(calls: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """What each call adds to the counts and sums of lm_daily_facts, and what they are told by."""
    facts = calls[["call_date", "call_hour", "caller_key", "operator_key", *COLUMN_OF.values()]]
    lost = flag(calls["wants_booking"]) & ~flag(calls["is_booked"])
    refusal = calls["refusal_code"].fillna("missing").where(lost)
    columns = {
        **access(calls, values),
        **returns(calls),
        **handling(calls, values),
        **results(calls, values),
        **quality(calls, values),
    }
    return facts.assign(refusal=refusal, **columns)


def flag(column: pd.Series) -> pd.Series:
    return column.fillna(0).astype(int) == 1


def amount(column: pd.Series, rows: pd.Series, power: int = 1) -> pd.Series:
    """The number where it counts and is known, else nothing."""
    return (pd.to_numeric(column) ** power).where(rows, 0).fillna(0)


def access(calls: pd.DataFrame, values: pd.DataFrame) -> dict[str, pd.Series]:
    incoming, answered = calls["direction"] == "in", flag(calls["is_answered"])
    wait, short = calls["await_sec"], flag(calls["is_short_abandon"])
    profile_sec = pd.to_numeric(told(values, "calc_profile", "sla_sec").reindex(calls.index))
    rule = told(values, "calc_profile", "rule").reindex(calls.index)
    # A missed call without a wait is missed all the same (M1); a wait of hours is a mistake.
    judged = incoming & ~short & (wait.notna() | ~answered) & ~(wait > BAD_WAIT_SEC)
    waited, gave_up = incoming & answered & wait.notna(), incoming & ~answered & wait.notna()
    return {
        "incoming_calls": incoming,
        "incoming_answered": incoming & answered,
        "incoming_abandoned": incoming & ~answered,
        "short_abandons": incoming & short,
        "sla_calls": judged,
        "answered_in_sla": judged & answered & (wait <= profile_sec),
        "answer_wait_calls": waited,
        "answer_wait_sec": amount(wait, waited),
        "answer_wait_sec_sq": amount(wait, waited, 2),
        "abandon_wait_calls": gave_up,
        "abandon_wait_sec": amount(wait, gave_up),
        "max_wait_sec": wait.where(incoming),
        "out_of_hours_calls": incoming & (rule == "night"),
        "outgoing_calls": calls["direction"] == "out",
        "outgoing_answered": (calls["direction"] == "out") & answered,
        "internal_calls": calls["direction"] == "internal",
    }


def returns(calls: pd.DataFrame) -> dict[str, pd.Series]:
    """Missed calls that could be returned, and what became of them within a day."""
    missed = (
        (calls["direction"] == "in")
        & ~flag(calls["is_answered"])
        & ~flag(calls["is_short_abandon"])
        & calls["caller_key"].notna()
        & ~flag(calls["is_frequent_number"])
    )
    start, rung = calls["call_started_at"], calls["next_outgoing_answered_at"]
    got_through = calls["next_incoming_answered_at"]
    reached = (rung <= start + DAY) | (got_through <= start + DAY)
    returned = missed & (rung <= start + DAY) & ~(got_through <= rung)
    return {
        "missed_calls": missed,
        "missed_reached": missed & reached,
        "missed_called_back": returned,
        "callback_min": amount((rung - start).dt.total_seconds() / 60, returned),
    }


def handling(calls: pd.DataFrame, values: pd.DataFrame) -> dict[str, pd.Series]:
    answered = flag(calls["is_answered"])
    talked = answered & calls["direction"].isin(("in", "out"))
    work = pd.to_numeric(told(values, "queue_impact_index", "work_sec").reindex(calls.index))
    handled = talked & work.notna()
    # A person may have several extensions. A talk by nobody known is no operator's.
    named = calls["operator_name"] != "unknown"
    known = named | (calls["operator_key"] != "unknown")
    operator = calls["operator_name"].where(named, calls["operator_key"]).where(talked & known)
    hour = operator + calls["call_hour"].map(" {:02.0f}".format)
    return {
        "talking": operator,
        "operator_hour": hour,
        "talk_calls": talked,
        "talk_sec": amount(calls["talk_sec"], talked),
        "talk_sec_sq": amount(calls["talk_sec"], talked, 2),
        "handle_calls": handled,
        "handle_sec": amount(work, handled),
        "handle_sec_sq": amount(work, handled, 2),
        "work_sec": amount(work, answered),
    }


def results(calls: pd.DataFrame, values: pd.DataFrame) -> dict[str, pd.Series]:
    reviewed, target = flag(calls["is_reviewed"]), flag(calls["is_target"])
    talked = flag(calls["is_answered"]) & calls["direction"].isin(("in", "out"))
    lag = (calls["reviewed_at"] - calls["call_started_at"]).dt.total_seconds() / 86_400
    new = target & ~flag(calls["is_service_call"])
    booked, wanting = flag(calls["is_booked"]), flag(calls["wants_booking"])
    cancelled = (calls["call_category"] == "cancel") | calls["outcome"].isin(
        ("cancelled_by_patient", "cancelled_by_operator")
    )
    expected = pd.to_numeric(told(values, "conversion_score", "expected_rub").reindex(calls.index))
    booked_value = pd.to_numeric(calls["booked_value"])
    loss = pd.to_numeric(told(values, "lost_opportunity_score", "loss_rub").reindex(calls.index))
    return {
        "reviewed_calls": reviewed,
        "reviewed_talks": reviewed & talked,
        "review_lag_days": amount(lag, reviewed),
        "target_calls": reviewed & target,
        "target_new_calls": new,
        "wanting_calls": wanting,
        "bookings": booked,
        "new_bookings": booked & new,
        "lost_calls": wanting & ~booked,
        "booked_value": amount(booked_value, booked_value.notna()),
        "expected_rub": amount(expected, expected.notna()),
        "loss_rub": amount(loss, loss.notna()),
        "loss_known_calls": loss.notna(),
        "cancellations": cancelled,
        "reschedules": ~cancelled & (calls["call_category"] == "reschedule"),
    }


def quality(calls: pd.DataFrame, values: pd.DataFrame) -> dict[str, pd.Series]:
    base = (
        (calls["direction"] == "in")
        & flag(calls["is_answered"])
        & calls["caller_key"].notna()
        & ~flag(calls["is_frequent_number"])
        & ~flag(calls["is_excluded_category"])
    )
    repeat = base & (calls["next_call_in_at"] <= calls["call_started_at"] + REPEAT)
    score = value_of(values, "normalized_call_score").reindex(calls.index)
    coverage = value_of(values, "checklist_coverage_ratio").reindex(calls.index)
    is_open = value_of(values, "followup_needed_flag").reindex(calls.index) == 1
    overdue = told(values, "followup_needed_flag", "overdue").reindex(calls.index)
    closed_by = told(values, "followup_needed_flag", "closed_by").reindex(calls.index)
    complaint = label_of(values, "complaint_risk_flag").reindex(calls.index)
    churn = label_of(values, "churn_risk_level").reindex(calls.index)
    return {
        "complaints": calls["call_category"] == "complaint",
        "repeat_base_calls": base,
        "repeat_calls": repeat,
        "qa_calls": score.notna(),
        "qa_score": amount(score, score.notna()),
        "qa_score_sq": amount(score, score.notna(), 2),
        "coverage_calls": coverage.notna(),
        "checklist_coverage": amount(coverage, coverage.notna()),
        "checklist_coverage_sq": amount(coverage, coverage.notna(), 2),
        "followups_open": is_open,
        "followups_overdue": is_open & overdue.map(lambda told: told is True),
        "followups_closed": closed_by.notna(),
        "risk_known_calls": complaint.notna() | churn.notna(),
        "risky_calls": (complaint == "true") | (churn == "high"),
    }


# Not summed over the calls of a slice.
UNLIKE_SUMS = ("max_wait_sec", "talking", "operator_hour")


def daily_facts(facts: pd.DataFrame) -> dict[tuple[Any, ...], Row]:
    """Key (stat_date, dimension, dimension_value) to the columns of lm_daily_facts."""
    lost = facts[facts["refusal"].notna()]
    by_refusal = lost.assign(
        stat_date=lost["call_date"], dimension="refusal", dimension_value=lost["refusal"]
    )
    rows = pd.concat([with_slices(facts), by_refusal], ignore_index=True)
    first = list(facts.columns).index("incoming_calls")
    summed = [name for name in facts.columns[first:] if name not in UNLIKE_SUMS]
    rows[summed] = rows[summed].astype(float)
    by = rows.groupby(SLICE)
    found = by[summed].sum()
    found["calls"] = by.size()
    found["callers"] = by["caller_key"].nunique()
    found["operators"] = by["talking"].nunique()
    found["operator_hours"] = by["operator_hour"].nunique()
    found["max_wait_sec"] = by["max_wait_sec"].max()
    return records_by_key(found)
