"""Compare scenarios with the forecast: of traffic, shifts, answering, conversion, call-backs.

A scenario is a list of effects in a YAML file; `lm what-if --example` prints one with the names of
your own log. Forecast and scenario share their luck, so the difference is told more exactly than
either. Nothing is changed but lm_scenario_result, which keeps every run, and lm_scenario_done: the
scenarios that --done marks as carried out, for vw_lm_scenario_outcome.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.base.settings import as_of, whole_number
from python_scoring.base.watermarks import prepare_session
from python_scoring.whatif import engine, inputs, store
from python_scoring.whatif.example import example
from python_scoring.whatif.reading import read_files
from python_scoring.whatif.render import render, render_list, render_mark

DAYS = 14
MOST_DAYS = 90


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "what-if",
        help="compare scenarios with the forecast",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit code 2 when a file has mistakes: all of them are listed, and nothing is"
        " written.",
    )
    profile.add_arguments(parser)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="scenarios in YAML")
    parser.add_argument("--days", type=int, default=DAYS, help=f"days to compare ({DAYS})")
    parser.add_argument(
        "--example", action="store_true", help="print a commented file made of your own names"
    )
    parser.add_argument("--list", action="store_true", help="show the stored scenarios")
    parser.add_argument(
        "--done", metavar="DATE", help="mark --scenario as carried out from this day on"
    )
    parser.add_argument("--not-done", action="store_true", help="take that mark back")
    parser.add_argument("--scenario", metavar="NAME", help="the stored scenario to mark")
    parser.add_argument("--run", dest="run_id", metavar="RUN_ID", help="its run (the newest)")
    parser.add_argument("--by-day", action="store_true", help="show the days, too")
    parser.add_argument("--lang", choices=("ru", "en"), default="ru", help="language (ru)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.days <= MOST_DAYS:
        raise ConfigurationError(f"--days must be 1 to {MOST_DAYS}, got {args.days}")
    day = _checked(args)
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        if args.example:
            probe = Probe(connection)
            prepare_session(probe, target)
            print(example(inputs.read(probe, target, args.days)[0], args.lang), end="")
            return EXIT_OK
        result: Any
        if args.files:
            result = build(connection, target, args.files, args.days)
            text = render(result, args.lang, args.by_day)
        else:
            result, text = _kept(Probe(connection), target, args, day)
    print(json.dumps(result, ensure_ascii=False, indent=2, default=str) if args.json else text)
    return EXIT_OK


def _checked(args: argparse.Namespace) -> date | None:
    """The day of --done. ConfigurationError where arguments do not go together."""
    marks = args.done is not None or args.not_done
    ways = (bool(args.files), args.example, args.list, args.done is not None, args.not_done)
    if sum(ways) != 1:
        raise ConfigurationError(
            "give scenario files (--example shows one), or one of --list, --done and --not-done"
        )
    if (args.scenario is not None) != marks:
        raise ConfigurationError("--done and --not-done take --scenario NAME, nothing else does")
    if args.run_id is not None and not marks:
        raise ConfigurationError("--run goes with --done or --not-done")
    if args.done is None:
        return None
    try:
        return date.fromisoformat(args.done)
    except ValueError as error:
        raise ConfigurationError(
            f"--done must be a date like 2026-11-30, got {args.done!r}"
        ) from error


def _kept(
    probe: Probe, target: Target, args: argparse.Namespace, day: date | None
) -> tuple[Any, str]:
    """What is stored, or the scenario whose mark has changed: for --json and as text."""
    store.require(probe, target)
    prepare_session(probe, target)
    if args.list:
        known = store.stored(probe, target)
        return [vars(one) for one in known], render_list(known, args.lang)
    if day is None:
        one = store.unmark(probe, target, args.scenario, args.run_id)
    else:
        one = store.mark(probe, target, args.scenario, args.run_id, day, as_of(target))
    return vars(one), render_mark(one, args.lang)


def build(
    connection: MySQLConnectionAbstract, target: Target, files: list[Path], days: int = DAYS
) -> dict[str, Any]:
    """Compare and keep it; the document that --json prints."""
    probe = Probe(connection)
    store.require(probe, target)
    keep_days = whole_number(target, "lm_forecast_keep_days")
    prepare_session(probe, target)
    world, forecast_run_id = inputs.read(probe, target, days)
    # A reader's snapshot must not last as long as the draws take.
    probe.do("commit")
    scenarios = read_files(files, world.known())
    outcomes = engine.compare(world, scenarios)
    moment = as_of(target)
    run_id = store.write(probe, target, moment, forecast_run_id, days, outcomes, keep_days)
    return {
        "status": "ok",
        "run_id": run_id,
        "forecast_run_id": forecast_run_id,
        "first_day": world.first_day,
        "days": days,
        "scenarios": [
            {
                "name": one.scenario.name,
                "title": one.scenario.title,
                "rows": one.rows.drop(columns="scenario").to_dict("records"),
                "effects": [vars(said) for said in one.said],
            }
            for one in outcomes
        ],
    }
