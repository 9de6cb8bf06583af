"""What `lm what-if` reads: calls of the last months, and the newest forecast of their days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from python_scoring.base.database import Probe, built_view, quoted
from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target
from python_scoring.forecasting import store as forecast_store
from python_scoring.whatif.chains import CALL_COLUMNS
from python_scoring.whatif.world import ENDS, World

# What a scenario may rest on: older calls are of another clinic.
HISTORY_DAYS = 180
SLA_SEC, WRAP_UP_SEC = 20.0, 15.0
PROFILE = "default_v1"
# Values of lm_value that a call adds, by column.
VALUES = {
    "loss": "lost_opportunity_score",
    "complaint": "complaint_risk_flag",
    "churn": "churn_risk_level",
    "speed": "response_speed_score",
}


def read(probe: Probe, target: Target, days: int) -> tuple[World, str]:
    """The world of the newest forecast for `days` days at most, and the forecast's run_id."""
    forecast_store.require(probe, target)
    runs = probe.rows(
        "select run_id, first_day, days, calls_through, reviews_through"
        f" from {quoted(target.schema, forecast_store.RUNS)} order by id desc limit 1"
    )
    if not runs:
        raise LmError("there is no forecast to compare with: run `lm forecast` first")
    run_id, first_day, forecast_days, calls_through, reviews_through = runs[0]
    if days > forecast_days:
        raise LmError(
            f"the newest forecast has {forecast_days} days, {days} are asked for: run"
            f" `lm forecast --days {days}` first, or give --days {forecast_days}"
        )
    numbers = parameters(probe, target)
    world = World(
        calls=read_calls(probe, target, calls_through),
        forecast=_forecast(probe, target, first_day, days),
        totals=_totals(probe, target, str(run_id)),
        first_day=first_day,
        days=days,
        calls_through=calls_through.toordinal(),
        reviews_through=reviews_through.toordinal() if reviews_through else None,
        sla_sec=numbers.get("sla_sec", SLA_SEC),
        wrap_up_sec=numbers.get("wrapup_sec", WRAP_UP_SEC),
    )
    return world, str(run_id)


def parameters(probe: Probe, target: Target) -> dict[str, float]:
    """Numbers of the rules: the time to answer in, the work after a call."""
    rows = probe.rows(
        f"select param, value from {quoted(target.schema, 'lm_rule_params')}"
        " where param in ('sla_sec', 'wrapup_sec') and calc_profile = %s",
        (PROFILE,),
    )
    return {name: float(value) for name, value in rows}


def read_calls(probe: Probe, target: Target, through: date) -> pd.DataFrame:
    """chains.CALL_COLUMNS and weekday of the calls of HISTORY_DAYS up to `through`.

    Calls without a start are left out: they have no day.
    """
    values = quoted(target.schema, "lm_value")
    joins = " ".join(
        f"left join {values} as {name} on calls.history_id = {name}.history_id"
        f" and {name}.metric_code = '{metric}'"
        for name, metric in VALUES.items()
    )
    columns = [
        "contact_key",
        "start_epoch",
        "call_date",
        "call_hour",
        "direction",
        "is_answered",
        "await_sec",
        "talk_sec",
        "operator_name",
        "source_channel",
        "service_name",
        "service_group",
        "coalesce(refusal_code, '')",
        "is_booked",
        "wants_booking * (1 - is_booked)",
        "is_frequent_number",
        "json_unquote(json_extract(loss.value_json, '$.loss_rub'))",
        "case when complaint.value_label = 'true' or churn.value_label = 'high' then 1 else 0 end",
        "case when speed.value_label is not null then speed.value_label = 'within_sla' end",
    ]
    rows: list[tuple[Any, ...]] = probe.rows(
        f"select {', '.join(columns)} from {quoted(target.schema, 'fct_call')} as calls {joins}"
        " where call_date between %s and %s and start_epoch is not null",
        (through - timedelta(days=HISTORY_DAYS - 1), through),
    )
    frame = pd.DataFrame(rows, columns=CALL_COLUMNS)
    frame["loss_rub"] = frame["loss_rub"].replace("null", None)
    numbers = ["wait_sec", "talk_sec", "loss_rub", "in_sla"]
    frame[numbers] = frame[numbers].astype(float)
    whole = ["epoch", "hour", "is_answered", "is_booked", "is_lost", "is_machine", "is_risky"]
    frame[whole] = frame[whole].astype(int)
    frame["talk_sec"] = frame["talk_sec"].fillna(0.0)
    frame["day"] = [day.toordinal() for day in frame["day"]]
    # 0 is Monday; the ordinal 1, 1 January of year 1, was one.
    return frame.assign(weekday=(frame["day"] + 6) % 7)


def _forecast(probe: Probe, target: Target, first_day: date, days: int) -> pd.DataFrame:
    columns = ["target", "dimension", "dimension_value", "day", *ENDS]
    with built_view(target.schema, "vw_lm_forecast"):
        rows: list[tuple[Any, ...]] = probe.rows(
            f"select target, dimension, dimension_value, period_start, {', '.join(ENDS)}"
            f" from {quoted(target.schema, 'vw_lm_forecast')}"
            " where grain = 'day' and dimension in ('all', 'source', 'direction')"
            " and period_start >= %s and period_start < %s",
            (first_day, first_day + timedelta(days=days)),
        )
    frame = pd.DataFrame(rows, columns=columns)
    frame["day"] = [moment.toordinal() for moment in frame["day"]]
    return frame.astype(dict.fromkeys(ENDS, float))


def _totals(probe: Probe, target: Target, run_id: str) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = probe.rows(
        f"select target, days, {', '.join(ENDS)} from"
        f" {quoted(target.schema, 'lm_forecast_total')} where run_id = %s and dimension = 'all'",
        (run_id,),
    )
    frame = pd.DataFrame(rows, columns=["target", "days", *ENDS])
    return frame.astype({"days": int, **dict.fromkeys(ENDS, float)})
