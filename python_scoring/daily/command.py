"""The daily run: seeds, models and their tests; then probabilities, trained anew when due, and
the forecast of the days to come."""

from __future__ import annotations

import argparse
import contextlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import dbt_runner, profile, quarantine
from python_scoring.base.database import Probe
from python_scoring.base.errors import (
    EXIT_OK,
    EXIT_QUARANTINE,
    ConfigurationError,
    LmError,
)
from python_scoring.base.profile import Target
from python_scoring.base.project import parse_vars
from python_scoring.base.run_log import RunLog, Step
from python_scoring.base.settings import as_of, whole_number
from python_scoring.daily import retries
from python_scoring.daily.limits import TimeLimit
from python_scoring.daily.lock import only_run
from python_scoring.forecasting import command as forecast
from python_scoring.model_registry import model_runs, model_store
from python_scoring.probability.settings import METRICS
from python_scoring.report import command as report
from python_scoring.scoring import score
from python_scoring.scoring import train as trainer

# The model that adds the forecasts up by day.
STATISTICS = "lm_daily_stats"
MINUTES_OF_A_WEEK = 7 * 24 * 60


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "run", help="bring every table up to date and test it", description=__doc__
    )
    profile.add_arguments(parser)
    dbt_runner.add_arguments(parser)
    parser.add_argument(
        "--full-refresh", action="store_true", help="recompute every stored row in place"
    )
    parser.add_argument(
        "--no-train", action="store_true", help="keep the models, however old they are"
    )
    parser.add_argument(
        "--no-score", action="store_true", help="leave the forecast metrics as they are"
    )
    parser.add_argument(
        "--no-forecast", action="store_true", help="make no new forecast of the days to come"
    )
    parser.add_argument(
        "--no-report", action="store_true", help="leave the manager's page as it is"
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="MINUTES",
        help="end after so long, between two batches; exit code 3, and the next run goes on",
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=0,
        metavar="N",
        help="further tries after a lost connection, a deadlock or a lock waited for in vain (0)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    variables = parse_vars(args.vars)
    check(args, target)
    limit = TimeLimit(args.time_limit)

    def whole() -> None:
        with only_run(target), (log := RunLog(target)).whole():
            steps(args, target, variables, limit, log)

    retries.retried(whole, args.retries, limit)
    with contextlib.closing(profile.connect(target)) as connection:
        calls = quarantine.calls(Probe(connection), target)
    if calls:
        print(quarantine.told(calls), file=sys.stderr, flush=True)
        return EXIT_QUARANTINE
    return EXIT_OK


def check(args: argparse.Namespace, target: Target) -> None:
    if args.retries < 0:
        raise ConfigurationError(f"--retries must be 0 or more, got {args.retries}")
    if args.time_limit is None:
        return
    if not 0 < args.time_limit <= MINUTES_OF_A_WEEK:
        raise ConfigurationError(f"--time-limit must be above 0 minutes, got {args.time_limit:g}")
    is_sweep = str(target.vars.get("lm_sweep")).lower() in ("true", "1", "yes")
    if args.full_refresh or is_sweep:
        raise ConfigurationError(
            "--time-limit does not go with --full-refresh or lm_sweep: the next run would not go"
            " on with them"
        )


def steps(
    args: argparse.Namespace,
    target: Target,
    variables: Mapping[str, Any],
    limit: TimeLimit,
    log: RunLog,
) -> None:
    """The run's steps; each begins where the last run stopped in it."""
    arguments = [*dbt_runner.BUILD, *(["--full-refresh"] if args.full_refresh else [])]
    print(f"dbt build on {target.name} ({target.place}), schema {target.schema}")
    retries.build(target, arguments, variables, limit, verbose=args.verbose)
    if not (args.no_train and args.no_score):
        with limit.over_python(), contextlib.closing(profile.connect(target)) as connection:
            forecasts(
                connection,
                target,
                variables,
                trains=not args.no_train,
                scores=not args.no_score,
                log=log,
            )
    if not args.no_forecast:
        with limit.over_python(), contextlib.closing(profile.connect(target)) as connection:
            outlook(connection, target, log)
    if not args.no_report:
        with limit.over_python(), contextlib.closing(profile.connect(target)) as connection:
            page(connection, target, log)


def outlook(connection: MySQLConnectionAbstract, target: Target, log: RunLog | None = None) -> None:
    """Forecast the days to come."""
    with _told_alone("forecast", log) as step:
        result = forecast.build(connection, target)
        step.rows_written = result.get("rows_written")
        print(forecast.render(result), flush=True)


def page(connection: MySQLConnectionAbstract, target: Target, log: RunLog | None = None) -> None:
    """Write the manager's page."""
    with _told_alone("report", log):
        path = report.default_path(target)
        report.write(path, report.build(connection, target))
        print(f"report: {path}", flush=True)


@contextlib.contextmanager
def _told_alone(name: str, log: RunLog | None) -> Iterator[Step]:
    """A step after the statistics: where it fails that is told, and the night's work stays.

    A lost database or a lock is the run's affair, which tries again.
    """
    try:
        with _logged(log, name) as step:
            yield step
    except ConfigurationError:
        raise
    except Exception as error:
        if retries.is_passing(error):
            raise
        if not isinstance(error, LmError | mysql.connector.Error):
            traceback.print_exc()
        print(f"no {name}: {error}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _logged(log: RunLog | None, name: str) -> Iterator[Step]:
    """A step's row in the log, or one that nobody keeps."""
    if log is None:
        yield Step("", name, datetime.min)
    else:
        with log.step(name) as step:
            yield step


def forecasts(
    connection: MySQLConnectionAbstract,
    target: Target,
    variables: Mapping[str, Any],
    *,
    trains: bool = True,
    scores: bool = True,
    log: RunLog | None = None,
) -> None:
    """Train the metrics that are due, score, and let the statistics by day follow.

    `variables` are those given on the command line.
    """
    if trains:
        due = due_metrics(connection, target)
        for metric, why in due.items():
            print(f"{metric}: training is due, {why}", flush=True)
        if due:
            with _logged(log, "train") as step:
                runs = trainer.train(connection, target, list(due))
                step.rows_read = max(int(run["n_train"]) + int(run["n_test"]) for run in runs)
                step.rows_written = len(runs)
            print(trainer.report(runs), flush=True)
    if scores:
        with _logged(log, "score") as step:
            tally = score.score(connection, target)
            step.rows_read, step.rows_written = tally.calls, tally.rows_written
        print(f"forecasts: {score.render(tally)}", flush=True)
        if tally.rows_written:
            failure = dbt_runner.run_quietly(
                target, ["run", "--select", STATISTICS], variables=variables
            )
            if failure:
                raise LmError(f"dbt run of {STATISTICS} failed:\n{failure}")


def due_metrics(connection: MySQLConnectionAbstract, target: Target) -> dict[str, str]:
    """The metrics that need a training now, and why."""
    probe = Probe(connection)
    model_runs.require(probe, target)
    runs = model_runs.in_use(probe, target)
    folder = model_store.model_dir(target)
    days = whole_number(target, "lm_train_every_days")
    moment = as_of(target)
    due = {}
    for metric in METRICS:
        why = model_runs.why_due(runs.get(metric), moment, days, str(target.vars["lm_version"]))
        if not why:
            try:
                model_store.trusted_bytes(folder, metric, runs[metric]["artifact_sha256"])
            except model_store.UnusableModelError as error:
                why = str(error)
        if why:
            due[metric] = why
    return due
