"""The daily run: seeds, models and their tests."""

from __future__ import annotations

import argparse

from python_scoring import dbt_runner, profile
from python_scoring.errors import EXIT_OK, LmError
from python_scoring.project import parse_vars


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "run", help="bring every table up to date and test it", description=__doc__
    )
    profile.add_arguments(parser)
    parser.add_argument(
        "--full-refresh", action="store_true", help="recompute every stored row in place"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    arguments = ["build"]
    if args.full_refresh:
        arguments.append("--full-refresh")
    print(f"dbt build on {target.name} ({target.place}), schema {target.schema}")
    code = dbt_runner.run(target, arguments, variables=parse_vars(args.vars))
    if code != EXIT_OK:
        raise LmError("dbt build failed: the messages above say which model or test")
    return EXIT_OK
