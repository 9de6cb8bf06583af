"""Operators needed by hour for the forecast calls, and what a roster achieves.

Waits follow Erlang A: callers hang up after a patience that is estimated from the clinic's own
waits. Outgoing and internal calls are work of the same people. Without --roster the operators who
talked in each hour of the last four weeks are compared; who was there and idle is not known.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.staffing import inputs, roster
from python_scoring.staffing.plan import Goal, by_day, plan

ROSTER_HELP = """\
a roster is a CSV file with the columns day,from,to,people; whole hours, shifts add up:
  day,from,to,people
  mon,8,20,2
  2026-03-31,10,16,1
a date that has lines of its own keeps none of its weekday's
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    goal = Goal()
    parser = subparsers.add_parser(
        "staff",
        help="operators needed by hour, and what a roster achieves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=ROSTER_HELP,
    )
    profile.add_arguments(parser)
    parser.add_argument("--days", type=int, default=7, help="days to plan, 1 to 14 (7)")
    parser.add_argument(
        "--service-level",
        type=float,
        default=goal.service_level,
        help=f"share answered within the threshold ({goal.service_level})",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=goal.threshold_sec,
        metavar="SECONDS",
        help=f"a call is answered in time within so many seconds ({goal.threshold_sec:g})",
    )
    parser.add_argument(
        "--occupancy",
        type=float,
        default=goal.max_occupancy,
        help=f"share of their time that operators may be busy ({goal.max_occupancy})",
    )
    parser.add_argument(
        "--shrinkage",
        type=float,
        default=goal.shrinkage,
        help="share of planned time off the phones: breaks, training, illness (0)",
    )
    parser.add_argument("--roster", type=Path, metavar="FILE", help="the roster to try (CSV)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    goal = Goal(args.service_level, args.threshold, args.occupancy, args.shrinkage)
    check(goal, args.days)
    shifts = roster.read(args.roster) if args.roster else None
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        result = build(connection, target, args.days, goal, shifts)
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    else:
        print(render(result))
    return EXIT_OK


def check(goal: Goal, days: int) -> None:
    limits = (
        ("--days", days, 1, 14),
        ("--service-level", goal.service_level, 0.01, 0.999),
        ("--threshold", goal.threshold_sec, 1, 3600),
        ("--occupancy", goal.max_occupancy, 0.1, 1),
        ("--shrinkage", goal.shrinkage, 0, 0.9),
    )
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise ConfigurationError(f"{name} must be {low} to {high}, got {value:g}")


def build(
    connection: MySQLConnectionAbstract,
    target: Target,
    days: int,
    goal: Goal,
    shifts: list[roster.Shift] | None = None,
) -> dict[str, Any]:
    """The plan as one document: settings, where each number comes from, days, hours."""
    probe = Probe(connection)
    forecast = inputs.forecast_hours(probe, target, days)
    found = inputs.history(probe, target, inputs.first_day_of(forecast), goal.threshold_sec)
    service, patience = found.service, found.patience
    if service.ring_sec >= goal.threshold_sec:
        raise ConfigurationError(
            f"--threshold {goal.threshold_sec:g}: nine of ten answers took {service.ring_sec:g} s"
            " or longer even so far: choose a longer one"
        )
    hours = inputs.staffed_hours(forecast, found)
    if shifts is not None:
        hours["people"] = [
            roster.people_at(shifts, day, hour) * (1 - goal.shrinkage)
            for day, hour in zip(hours["day"], hours["hour"], strict=True)
        ]
    is_open = hours["people"] > 0
    planned = plan(hours[is_open].reset_index(drop=True), service, goal)
    closed = hours[~is_open]
    past = inputs.looking_back(found, goal.threshold_sec)
    return {
        "first_day": found.first_day,
        "goal": vars(goal),
        "roster": "file" if shifts is not None else "operators who talked, last four weeks",
        "sources": {
            "aht_sec": {"value": service.aht_sec, "calls": found.handled_calls},
            "patience_sec": None
            if patience is None
            else {
                "value": patience.mean_sec,
                "low95": patience.low_sec,
                "high95": patience.high_sec,
                "abandoned": patience.abandoned,
                "calls": patience.calls,
                "largest_gap_to_kaplan_meier": patience.largest_gap,
                "at_sec": patience.at_sec,
            },
            "patience_note": _patience_note(found),
            "ring_sec": service.ring_sec,
            "hidden_work": {"value": service.hidden_work, "hours": found.hidden_work_hours},
            "booking_share": {"value": found.booking_share, "reviewed_talks": found.booking_calls},
            "won_back_share": {"value": found.won_back_share, "missed_calls": found.missed_calls},
            "history_days": inputs.HISTORY_DAYS,
        },
        "looking_back": {"days": found.judged_days, **_overall(past)},
        "looking_back_by_hour": _records(past.reset_index()),
        "closed_hours_calls": float(closed["calls"].sum()),
        "days": _records(by_day(planned).reset_index()) if len(planned) else [],
        "hours": _records(planned),
    }


def _overall(past: pd.DataFrame) -> dict[str, float | None]:
    calls = past["calls"].sum()
    shares = past.drop(columns="calls").mul(past["calls"], axis=0).sum()
    return {"calls": calls, **{str(k): v / calls if calls else None for k, v in shares.items()}}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is not known, as JSON has no nan and no inf."""
    finite = frame.replace([float("inf"), float("-inf")], float("nan"))
    return finite.astype(object).where(finite.notna(), None).to_dict("records")


def _patience_note(found: inputs.History) -> str:
    if found.patience is None:
        return found.patience_note
    if found.patience.is_exponential:
        return ""
    return (
        "patience is not exponential here: at"
        f" {found.patience.at_sec:.0f} s the share still waiting differs by"
        f" {found.patience.largest_gap:.0%} from what was counted; mind that in waits and hang-ups"
    )


def render(result: Mapping[str, Any]) -> str:
    goal, sources = result["goal"], result["sources"]
    patience = sources["patience_sec"]
    lines = [
        f"operators on the phones for {goal['service_level']:.0%} answered within"
        f" {goal['threshold_sec']:g} s, at most {goal['max_occupancy']:.0%} busy;"
        f" {'Erlang A' if patience else 'Erlang C'}",
        f"AHT {sources['aht_sec']['value']:.0f} s ({sources['aht_sec']['calls']:,} calls,"
        f" {sources['history_days']} days)"
        + (
            f", patience {patience['value']:.0f} s (95 %: {patience['low95']:.0f} to"
            f" {patience['high95']:.0f}; {patience['abandoned']:,} of {patience['calls']:,} waiting"
            " callers hung up)"
            if patience
            else ""
        )
        + f", quickest answers after {sources['ring_sec']:.0f} s",
        f"a call counts as {sources['hidden_work']['value']:.2f} of its handle time"
        + (
            f": so the model answers as many in time as were ({sources['hidden_work']['hours']:,}"
            " earlier hours)"
            if sources["hidden_work"]["hours"]
            else ": too few hours to learn what is not recorded"
        ),
    ]
    if sources["patience_note"]:
        lines.append(f"! {sources['patience_note']}")
    if not result["days"]:
        return "\n".join([*lines, "no hour has operators: give a --roster"])
    lines += ["", "needed / there by hour; ! where more are needed", *_grid(result["hours"])]
    if goal["shrinkage"]:
        lines.append(f"to roster: {goal['shrinkage']:.0%} more than needed are off the phones")
    lines += ["", f"what it achieves ({result['roster']})", *_days(result["days"])]
    lines.append(
        f"lost bookings: callers who hang up x {sources['booking_share']['value']:.0%} who book"
        f" (n = {sources['booking_share']['reviewed_talks']:,}) x"
        f" {1 - sources['won_back_share']['value']:.0%} who are not reached within 24 hours"
        f" (n = {sources['won_back_share']['missed_calls']:,});"
        " an assumption: those who hang up would book like those who were answered"
    )
    if (back := result["looking_back"])["calls"]:
        lines.append(
            f"the model on the last {back['days']} days: {back['model_service_level']:.1%} answered"
            f" in time, it was {back['service_level']:.1%}; {back['model_abandonment']:.1%} hung"
            f" up, it was {back['abandonment']:.1%} (n = {back['calls']:,.0f})"
        )
    if result["closed_hours_calls"] >= 1:
        lines.append(
            f"{result['closed_hours_calls']:.0f} more incoming calls are expected in hours"
            " without operators"
        )
    return "\n".join(lines)


def _grid(hours: list[dict[str, Any]]) -> list[str]:
    frame = pd.DataFrame(hours)
    days = sorted(frame["day"].unique())
    cells = frame.set_index(["hour", "day"])
    lines = ["hour " + "".join(f"{day:%a %d.%m}".rjust(11) for day in days)]
    for hour in sorted(frame["hour"].unique()):
        row = f"{hour:02d}   "
        for day in days:
            if (hour, day) in cells.index:
                cell = cells.loc[(hour, day)]
                short = "!" if cell["people"] < cell["needed"] else " "
                row += f"{cell['needed']:.0f} / {cell['people']:g}{short}".rjust(11)
            else:
                row += "-".rjust(10) + " "
        lines.append(row.rstrip())
    return lines


def _days(days: list[dict[str, Any]]) -> list[str]:
    lines = [
        "day         incoming  needed h  there h  service level     ASA  abandoned  lost bookings"
    ]
    for day in days:
        asa = f"{day['asa_sec']:.0f} s" if day["asa_sec"] is not None else "-"
        lines.append(
            f"{day['day']:%a %d.%m}  {day['calls']:>10.0f}{day['needed_hours']:>10.0f}"
            f"{day['people_hours']:>9.0f}{day['service_level']:>14.0%} {asa:>8}"
            f"{day['abandonment']:>10.1%}{day['lost_bookings']:>15.1f}"
        )
    return lines
