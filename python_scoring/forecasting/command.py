"""Forecast calls, bookings and their value, losses, risks, load, conversion and quality.

Every run is kept in lm_forecast and the tables beside it, so that what was said can be compared
with what came (vw_lm_forecast_accuracy). vw_lm_outlook shows the newest run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.base.progress import ProgressLine, Tell, progress
from python_scoring.base.settings import as_of, whole_number
from python_scoring.base.watermarks import prepare_session
from python_scoring.forecasting import Settings, forecast
from python_scoring.forecasting import inputs as forecast_inputs
from python_scoring.forecasting import store as forecast_store

DAYS = 28
MOST_DAYS = 90
LEAST_HISTORY = 7
# What the outlook tells, in this order: target, name, digits.
TOLD = (
    ("bookings", "bookings", 0),
    ("booked_value", "roubles booked", 0),
    ("lost", "lost", 0),
    ("risky", "risky", 0),
    ("calls", "calls", 0),
    ("conversion_rate", "conversion", 1),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "forecast",
        help="forecast calls, bookings, losses and load of the next weeks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit code 0 also when there is too little data: the message says so, and nothing"
        " is written.",
    )
    profile.add_arguments(parser)
    parser.add_argument(
        "--days", type=int, default=DAYS, help=f"days to forecast, 7 to {MOST_DAYS} ({DAYS})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not 7 <= args.days <= MOST_DAYS:
        raise ConfigurationError(f"--days must be 7 to {MOST_DAYS}, got {args.days}")
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        result = build(connection, target, args.days)
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    else:
        print(render(result))
    return EXIT_OK


def build(
    connection: MySQLConnectionAbstract, target: Target, days: int = DAYS, tell: Tell | None = None
) -> dict[str, Any]:
    """Forecast and keep it; returns status ('ok', or 'skipped' and why), run_id and outlook."""
    tell = tell or progress
    probe = Probe(connection)
    keep_days = whole_number(target, "lm_forecast_keep_days")
    forecast_store.require(probe, target)
    prepare_session(probe, target)
    moment = as_of(target)
    inputs = forecast_inputs.read(probe, target, moment)
    # A reader's snapshot must not last as long as the models take.
    probe.do("commit")
    if inputs is None:
        return {"status": "skipped", "reason": f"there are no calls before {moment}"}
    series = forecast_inputs.all_series(inputs)
    known = max(len(one.values) for one in series)
    if known < LEAST_HISTORY:
        return {
            "status": "skipped",
            "reason": f"{known} days of calls, at least {LEAST_HISTORY} are needed",
        }
    tell(
        f"forecasting {len(series)} series from {inputs.span.first_day}, calls known through"
        f" {inputs.span.calls_through}, reviews through {inputs.span.reviews_through}"
    )
    with ProgressLine("forecast") as line:
        forecasts = forecast(
            series,
            forecast_inputs.hours(inputs),
            inputs.calendar,
            Settings(first_day=inputs.span.first_day, days=days, hour_days=min(14, days)),
            lambda done, total: line.show(done, total),
        )
    if forecasts.rows.empty:
        return {"status": "skipped", "reason": "no series could be forecast: see their history"}
    totals = forecast_store.totals(forecasts, series)
    first_day = np.datetime64(inputs.span.first_day)
    run_id = forecast_store.write(
        probe, target, moment, days, inputs.span, forecasts, totals, keep_days
    )
    whole = totals[totals["dimension"] == forecast_inputs.ALL].to_dict("records")
    return {
        "status": "ok",
        "run_id": run_id,
        "first_day": inputs.span.first_day,
        "calls_through": inputs.span.calls_through,
        "reviews_through": inputs.span.reviews_through,
        "series": len(series),
        "rows_written": int((forecasts.rows["period_start"] >= first_day).sum()) + len(totals),
        "notes": len(forecasts.notes),
        "outlook": whole,
    }


def render(result: Mapping[str, Any]) -> str:
    """The outlook in a line for each number of days; 80 % intervals in brackets."""
    if result["status"] == "skipped":
        return f"no forecast: {result['reason']}"
    rows = result["outlook"]
    lines = [
        sentence(length, [row for row in rows if row["days"] == length])
        for length in sorted({row["days"] for row in rows})
    ]
    return "\n".join(
        [f"run {result['run_id']}, from {result['first_day']} (80 % intervals)", *lines]
    )


def sentence(days: int, rows: Sequence[Mapping[str, Any]]) -> str:
    """next 7 days: 120 bookings (100–140), ..."""
    by_target = {row["target"]: row for row in rows}
    parts = []
    for target, name, digits in TOLD:
        if row := by_target.get(target):
            scale, unit = (100, " %") if target == "conversion_rate" else (1, "")
            middle, low, high = (
                f"{scale * row[column]:,.{digits}f}"
                for column in ("yhat", "yhat_lo80", "yhat_hi80")
            )
            parts.append(f"{middle}{unit} {name} ({low}–{high})")
    return f"next {days} days: {', '.join(parts)}"
