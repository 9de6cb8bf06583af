"""Which calls are on vw_lm_action_list and until when, and vw_lm_call_features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from oracle_marts import flag, told, value_of

Row = Mapping[str, Any]

SAME_AS_CALL = ("operator_name", "source_channel", "service_name", "direction")


def action_list(
    calls: pd.DataFrame, values: pd.DataFrame, lists: Iterable[Row], as_of: datetime
) -> dict[tuple[str, int], dict[str, Any]]:
    """Key (list_code, history_id) to vw_lm_action_list without its sentences and sort_key."""
    by_metric = {code: part.set_index("history_id") for code, part in values.groupby("metric_code")}
    loss = told(values, "lost_opportunity_score", "loss_rub")
    free = calls[
        calls["next_booking_at"].isna()
        & calls["next_outgoing_answered_at"].isna()
        & calls["next_need_at"].isna()
        & ~flag(calls["is_booked"])
        & ~flag(calls["is_frequent_number"])
        & calls["caller_key"].notna()
    ]
    found = {}
    for row in lists:
        own = by_metric[row["metric_code"]]
        if row["list_code"] == "callback":
            for history_id, value in own[own["value_label"] == row["value_label"]].iterrows():
                if history_id in calls.index:
                    promise = value["told"]
                    due = datetime.fromisoformat(promise["due_at"])
                    key = (row["list_code"], history_id)
                    found[key] = (row, value, due, promise["priority"])
            continue
        for history_id, call in free.iterrows():
            value = own.loc[history_id]
            start = call["call_started_at"].to_pydatetime()
            if is_due(row, value, start, as_of):
                due = start + timedelta(hours=row["due_hours"])
                found[(row["list_code"], history_id)] = (row, value, due, row["priority"])
    return {key: entry(calls.loc[key[1]], loss, *rest, as_of) for key, rest in found.items()}


def is_due(row: Row, value: Any, start: datetime, as_of: datetime) -> bool:
    labelled = row["value_label"] is None or value["value_label"] == row["value_label"]
    high = row["value_from"] is None or value["value"] >= row["value_from"]
    young = as_of - timedelta(days=row["window_days"]) <= start
    return bool(labelled and high and young)


def entry(
    call: Any, loss: pd.Series, row: Row, value: Any, due: datetime, priority: int, as_of: datetime
) -> dict[str, Any]:
    return {
        "list_name_ru": row["name_ru"],
        "list_name_en": row["name_en"],
        "call_started_at": call["call_started_at"].to_pydatetime(),
        "call_date": call["call_date"],
        **{name: call[name] for name in SAME_AS_CALL},
        "priority": priority,
        "due_at": due,
        "is_overdue": int(due < as_of),
        "attempts": call["attempts_14d"],
        "metric_code": row["metric_code"],
        "value_numeric": value["value"],
        "value_label": value["value_label"],
        "loss_rub": loss[call["history_id"]],
    }


def call_features(
    calls: Iterable[Row], values: pd.DataFrame, columns: Iterable[str]
) -> dict[tuple[int], dict[str, Any]]:
    """Key (history_id,) to the columns of vw_lm_call_features that are of fct_call, and metrics."""
    metrics = values[~values["metric_code"].isin(("lm_version", "calc_profile", "feature_pack"))]
    numbers = {code: value_of(metrics, code) for code in metrics["metric_code"].unique()}
    labels = values.set_index(["metric_code", "history_id"])["value_label"]
    found = {}
    for call in calls:
        key = call["history_id"]
        row = {name: call[name] for name in columns if name in call and name != "history_id"}
        for code, column in numbers.items():
            number = column.get(key)
            row[code] = None if pd.isna(number) else number
            row[f"{code}_label"] = text(labels.get((code, key)))
        for code in ("lm_version", "calc_profile"):
            row[code] = text(labels.get((code, key)))
        found[(key,)] = row
    return found


def text(value: Any) -> Any:
    return None if pd.isna(value) else value
