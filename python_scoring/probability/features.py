"""Inputs of the probabilities: what is known of a call once it is over and reviewed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

KEY_COLUMNS = (
    "history_id",
    "change_id",
    "call_score_id",
    "call_date",
    "call_started_at",
    "caller_key",
    "log_days",
    "is_last_of_caller",
    "reviewed_at",
)
GATE_COLUMNS = (
    "conversion_prob_forecast_gate",
    "second_call_prob_gate",
    "complaint_prob_gate",
)
# What came after the call: labels only.
LABEL_COLUMNS = ("next_booking_at", "next_call_in_at", "next_complaint_at")


@dataclass(frozen=True)
class Feature:
    """A column of int_forecast_inputs; features of one group are explained together.

    `is_log`: a length or a count, whose logarithm is what matters. `is_code`: no order.
    """

    column: str
    group: str
    is_code: bool = False
    is_log: bool = False


# The first number of a group stands for it in explanations.
FEATURES = (
    Feature("direction", "DIRECTION", is_code=True),
    Feature("is_answered", "ANSWERED"),
    Feature("is_short_abandon", "ANSWERED"),
    Feature("pbx_status", "ANSWERED"),
    Feature("outcome", "OUTCOME", is_code=True),
    Feature("is_reviewed", "OUTCOME"),
    Feature("is_target", "OUTCOME"),
    Feature("call_category", "CATEGORY", is_code=True),
    Feature("refusal_code", "REFUSAL", is_code=True),
    Feature("service_group", "SERVICE_GROUP", is_code=True),
    Feature("source_channel", "SOURCE", is_code=True),
    Feature("operator_key", "OPERATOR", is_code=True),
    Feature("call_hour", "HOUR_BLOCK"),
    Feature("call_weekday", "WEEKDAY", is_code=True),
    Feature("talk_sec", "TALK_SEC", is_log=True),
    Feature("await_sec", "AWAIT_SEC", is_log=True),
    Feature("calls_7d", "CALLS_7D", is_log=True),
    Feature("calls_in_72h", "CALLS_7D", is_log=True),
    Feature("calls_2d", "CALLS_7D", is_log=True),
    Feature("unanswered_7d", "CALLS_7D", is_log=True),
    Feature("calls_30d", "CALLS_30D", is_log=True),
    Feature("days_since_last_call", "DAYS_SINCE_LAST_CALL", is_log=True),
    Feature("bookings_365d", "BOOKINGS_365D", is_log=True),
    Feature("bookings_180d", "BOOKINGS_365D", is_log=True),
    Feature("cancellations_180d", "CANCELLATIONS_180D", is_log=True),
    Feature("score", "SCORE"),
    Feature("coverage", "COVERAGE"),
    Feature("complaint_points", "COMPLAINT_POINTS"),
)
GROUPS = tuple(dict.fromkeys(feature.group for feature in FEATURES))
FEATURE_COLUMNS = tuple(feature.column for feature in FEATURES)
INPUT_COLUMNS = (*KEY_COLUMNS, *GATE_COLUMNS, *FEATURE_COLUMNS, *LABEL_COLUMNS)
BY_COLUMN = {feature.column: feature for feature in FEATURES}

MISSING = "missing"

# A month's calls are counted to the month that the log does not yet hold; a week has to be there.
MONTH_DAYS, LEAST_DAYS = 30, 7


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """The features of each row: floats (NaN: missing) and codes (str), nothing else.

    Raises ValueError when a column is not there.
    """
    needed = (*FEATURE_COLUMNS, "log_days")
    absent = [column for column in needed if column not in frame.columns]
    if absent:
        raise ValueError(f"int_forecast_inputs has no column {', '.join(absent)}: run dbt first")
    columns = {}
    for feature in FEATURES:
        values = frame[feature.column]
        if feature.column == "operator_key":
            # Nobody took part in a call that was not answered, whoever's phone rang.
            is_answered = numbers(frame["is_answered"]) != 0
            columns[feature.column] = hidden_names(values.where(is_answered, "unknown"))
        elif feature.is_code:
            columns[feature.column] = codes(values)
        else:
            columns[feature.column] = numbers(values)
    columns["calls_30d"] = columns["calls_30d"] * MONTH_DAYS / days_of_month(frame)
    return pd.DataFrame(columns, index=frame.index)


def days_of_month(frame: pd.DataFrame) -> pd.Series:
    """How many of the month's days before each call the log holds, 7 to 30.

    In a young log the same caller's count grows from day to day by itself, and a model that has
    learnt from the first weeks would take everybody for a frequent caller.
    """
    return numbers(frame["log_days"]).fillna(MONTH_DAYS).clip(LEAST_DAYS, MONTH_DAYS)


def numbers(values: pd.Series) -> pd.Series:
    """Floats; what is no finite number is missing."""
    plain = pd.to_numeric(values, errors="coerce").astype(float)
    return plain.replace([np.inf, -np.inf], np.nan)


def codes(values: pd.Series) -> pd.Series:
    """Texts; whole numbers without a decimal point, whatever pandas made of them."""
    if pd.api.types.is_float_dtype(values):
        values = values.astype("Int64")
    text = values.astype(object)
    return text.where(text.notna(), MISSING).map(str).astype(object)


def hidden_names(values: pd.Series) -> pd.Series:
    """Operators as short hashes: a key may be a name, and names stay out of artefacts."""
    text = codes(values)
    return text.map(
        {
            key: "unknown" if key in ("unknown", MISSING) else _short_hash(key)
            for key in text.unique()
        }
    ).astype(object)


def _short_hash(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
