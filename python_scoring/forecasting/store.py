"""The tables lm_forecast*: a run is written whole or not at all, and never changed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from python_scoring.base.database import Probe, quoted, require_tables
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert, next_run_id
from python_scoring.base.watermarks import Watermarks, writing_values
from python_scoring.forecasting import Forecasts, Series
from python_scoring.forecasting.inputs import CALENDARS, Span

RUNS = "lm_forecast_run"
TABLES = ("lm_forecast", "lm_forecast_total", "lm_forecast_backtest", "lm_forecast_note")
# Backtests and notes are many, and only the newest are looked at.
DETAIL_DAYS = 30
# What counts as usual: the spans of so many days before the forecast.
USUAL_DAYS = 56
TEXT_LENGTH = 1000


@dataclass(frozen=True)
class Run:
    """A row of lm_forecast_run."""

    run_id: str
    made_at: datetime
    first_day: date
    days: int


def require(probe: Probe, target: Target) -> None:
    """LmError when dbt has not made the tables."""
    needed = (RUNS, *TABLES, "lm_watermark", "lm_daily_facts", "fct_call", *CALENDARS)
    require_tables(probe, target.schema, needed)


def newest(probe: Probe, target: Target) -> Run | None:
    rows = probe.rows(
        f"select run_id, made_at, first_day, days from {quoted(target.schema, RUNS)}"
        " order by id desc limit 1"
    )
    return Run(*rows[0]) if rows else None


def write(
    probe: Probe,
    target: Target,
    made_at: datetime,
    days: int,
    span: Span,
    forecasts: Forecasts,
    totals: pd.DataFrame,
    keep_days: int,
) -> str:
    """Add the run and drop those older than `keep_days`; returns its run_id.

    One transaction, under the lock of lm_value's writers: of two runs the second waits.
    """
    with writing_values(Watermarks(probe, target, "lm_forecast")):
        run_id = next_run_id(probe, quoted(target.schema, RUNS), made_at)
        rows = forecasts.rows
        rows = rows[rows["period_start"] >= pd.Timestamp(span.first_day)]
        series = len(rows[["target", "dimension", "dimension_value", "grain"]].drop_duplicates())
        header = {
            "made_at": made_at,
            "first_day": span.first_day,
            "days": days,
            "calls_through": span.calls_through,
            "reviews_through": span.reviews_through,
            "series": series,
        }
        _insert(probe, target, RUNS, run_id, pd.DataFrame([header], dtype=object))
        _insert(probe, target, "lm_forecast", run_id, rows.assign(made_at=made_at))
        _insert(probe, target, "lm_forecast_total", run_id, totals)
        _insert(probe, target, "lm_forecast_backtest", run_id, forecasts.backtest)
        notes = forecasts.notes.assign(
            **{name: forecasts.notes[name].str[:TEXT_LENGTH] for name in ("text_en", "text_ru")}
        )
        _insert(probe, target, "lm_forecast_note", run_id, notes)
        _prune(probe, target, made_at, keep_days)
    return run_id


def totals(forecasts: Forecasts, series: Sequence[Series]) -> pd.DataFrame:
    """Rows of lm_forecast_total: the forecast totals beside what the same spans were before.

    previous_value  the last `days` days that are known, summed (of rates and levels the mean
                    weighted by calls); None when one of them is not
    usual_low, usual_high  the lowest and highest such value of the last USUAL_DAYS
    """
    by_key = {
        (one.key.target, one.key.dimension, one.key.dimension_value): one
        for one in series
        if one.key.grain == "day"
    }
    through = forecasts.rows[forecasts.rows["grain"] == "day"]
    columns = ["target", "dimension", "dimension_value"]
    last_days = through.groupby(columns)["trained_through"].max().to_dict()
    rows = []
    for row in forecasts.totals.to_dict("records"):
        key = (row["target"], row["dimension"], row["dimension_value"])
        one = by_key.get(key)
        spans = past_spans(one, int(row["days"])) if one is not None else []
        known = [value for value in spans if value is not None]
        rows.append(
            {
                **dict(zip(columns, key, strict=True)),
                "days": int(row["days"]),
                "trained_through": last_days[key],
                **{f"yhat_{end}": row[end] for end in ("lo80", "hi80", "lo95", "hi95")},
                "yhat": row["yhat"],
                "previous_value": spans[0] if spans else None,
                "usual_low": min(known) if known else None,
                "usual_high": max(known) if known else None,
                "usual_spans": len(known),
            }
        )
    return pd.DataFrame(rows, dtype=object)


def past_spans(one: Series, days: int) -> list[float | None]:
    """Values of the last spans of `days` days, the newest first; None for one not fully known."""
    values = one.values.to_numpy(float)
    weights = None if one.weights is None else one.weights.to_numpy(float)
    found: list[float | None] = []
    for number in range(USUAL_DAYS // days):
        stop = len(values) - number * days
        if stop < days:
            break
        part = values[stop - days : stop]
        if weights is None:
            found.append(None if np.isnan(part).any() else float(part.sum()))
        else:
            weight = np.where(np.isnan(part), 0.0, weights[stop - days : stop])
            mean = float(np.nansum(part * weight) / weight.sum()) if weight.sum() else None
            found.append(mean)
    return found


def _prune(probe: Probe, target: Target, made_at: datetime, keep_days: int) -> None:
    runs = quoted(target.schema, RUNS)
    for days, tables in (
        (min(DETAIL_DAYS, keep_days), TABLES[2:]),
        (keep_days, TABLES[:2]),
    ):
        old = f"select run_id from {runs} where made_at < %s"
        for table in tables:
            probe.rows(
                f"delete from {quoted(target.schema, table)} where run_id in ({old})",
                (made_at - timedelta(days=days),),
            )
    probe.rows(f"delete from {runs} where made_at < %s", (made_at - timedelta(days=keep_days),))


def _insert(probe: Probe, target: Target, table: str, run_id: str, frame: pd.DataFrame) -> None:
    rows = ((run_id, *row) for row in frame.itertuples(index=False, name=None))
    insert(probe, quoted(target.schema, table), ["run_id", *frame.columns], rows)
