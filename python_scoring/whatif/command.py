"""Compare scenarios with the forecast: of traffic, shifts, answering, conversion, call-backs.

A scenario is a list of effects in a YAML file; `lm what-if --example` prints one with the names of
your own log. Forecast and scenario share their luck, so the difference is told more exactly than
either. Nothing is changed but lm_scenario_result, which keeps every run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
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
from python_scoring.whatif.render import render

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
    parser.add_argument("--by-day", action="store_true", help="show the days, too")
    parser.add_argument("--lang", choices=("ru", "en"), default="ru", help="language (ru)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.days <= MOST_DAYS:
        raise ConfigurationError(f"--days must be 1 to {MOST_DAYS}, got {args.days}")
    if bool(args.files) == args.example:
        raise ConfigurationError("give scenario files, or --example to see one")
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        if args.example:
            probe = Probe(connection)
            prepare_session(probe, target)
            print(example(inputs.read(probe, target, args.days)[0], args.lang), end="")
            return EXIT_OK
        result = build(connection, target, args.files, args.days)
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    else:
        print(render(result, args.lang, args.by_day))
    return EXIT_OK


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
