"""A simulated clinic on the embedded engine, from nothing to numbers one can look at."""

from __future__ import annotations

import argparse
import contextlib
import time

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import dbt_runner, profile
from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.errors import EXIT_OK, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.project import parse_vars
from python_scoring.daily import command as daily
from python_scoring.demo import summary as demo_summary
from python_scoring.demo.marker import MARKER, count_calls, held
from python_scoring.report import command as report
from python_scoring.simulation import simulate

TRUTH_FILE = "demo_truth.csv.gz"
SOURCES = ("call_history", "call_scores")
VALUES = "lm_value"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "demo", help="try everything on a simulated clinic", description=__doc__
    )
    parser.add_argument("--days", type=int, default=120, help="length of its history (120)")
    parser.add_argument(
        "--seed", type=int, default=simulate.DEFAULT_SEED, help="same seed, same clinic"
    )
    profile.add_arguments(parser)
    dbt_runner.add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.days < 1:
        raise ConfigurationError(f"--days must be at least 1, got {args.days}")
    started = time.monotonic()
    target = profile.from_args(args)
    _require_own_sources(target)
    print(f"[1/6] database {target.name} ({target.place}), schema {target.schema}", flush=True)
    with contextlib.closing(profile.connect(target)) as connection:
        probe = Probe(connection)
        as_of = _held(probe, target, args.days, args.seed)
        if as_of:
            print(f"[2/6] {args.days} days of calls, seed {args.seed}: there already", flush=True)
        else:
            print(f"[2/6] simulating {args.days} days of calls, seed {args.seed}", flush=True)
            as_of = _fill(connection, target, args.days, args.seed)

        print(f"[3/6] dbt build as of {as_of}: seeds, models, tests", flush=True)
        given = {"as_of": as_of, **parse_vars(args.vars)}
        if not dbt_runner.run(target, dbt_runner.BUILD, variables=given, verbose=args.verbose):
            raise LmError("dbt build failed: the messages above say which model or test")

        print("[4/6] probabilities: training on what became of the calls, scoring", flush=True)
        with_moment = profile.from_args(args, given)
        daily.forecasts(connection, with_moment, given)

        print("[5/6] the weeks to come: forecast", flush=True)
        daily.outlook(connection, with_moment)
        daily.page(connection, with_moment)

        print(f"[6/6] what came out, after {time.monotonic() - started:.0f} s\n", flush=True)
        print(demo_summary.summary(probe, target, as_of))
    print(_where(target))
    return EXIT_OK


def _require_own_sources(target: Target) -> None:
    """ConfigurationError where the variables name other sources than those that the demo makes."""
    names = [target.source_table(name) for name in SOURCES]
    if target.source_schema != target.schema or names != list(SOURCES):
        raise ConfigurationError(
            f"the demo makes call_history and call_scores in the schema {target.schema}, and the"
            f" vars name {target.source_schema}.{names[0]} and {target.source_schema}.{names[1]}"
            " as the sources: leave source_schema, call_history_identifier and"
            " call_scores_identifier empty for the demo, and give it a schema of its own with"
            " LM_SCHEMA"
        )


def _held(probe: Probe, target: Target, days: int, seed: int) -> str:
    """The end of this very simulation if the schema holds it; else an empty schema and ''.

    A schema that holds anything that is not the demo's is refused, and left as it is.
    """
    tables = table_names(probe, target.schema)
    mark = held(probe, target)
    is_begun = MARKER in tables and not probe.rows(f"select 1 from {quoted(target.schema, MARKER)}")
    if foreign := _not_the_demos(probe, target, tables, is_held=bool(mark), is_begun=is_begun):
        raise ConfigurationError(
            f"schema {target.schema} has {foreign} that are not the demo's:"
            " give the demo a schema of its own with LM_SCHEMA"
        )
    if mark and (mark["days"], mark["seed"]) == (days, seed):
        return str(mark["as_of"])
    if mark or is_begun:
        probe.do(f"drop database {quoted(target.schema)}")
    probe.do(f"create database if not exists {quoted(target.schema)} character set utf8mb4")
    return ""


def _not_the_demos(
    probe: Probe, target: Target, tables: set[str], *, is_held: bool, is_begun: bool
) -> str:
    """What the schema holds of somebody else's, in a word or two; '' where there is nothing."""
    if not is_held and not is_begun:
        return "calls" if "call_history" in tables else ("tables" if tables else "")
    if VALUES not in tables:
        return ""
    # The demo marks its calls before dbt makes anything of them.
    if is_begun:
        return "values"
    # A run that read its calls elsewhere wrote here: its keys say so, or calls nobody knows here.
    elsewhere = probe.rows(
        "select 1 from information_schema.key_column_usage where table_schema = %s"
        " and table_name = %s and referenced_table_schema <> %s",
        (target.schema, VALUES, target.schema),
    )
    unknown = probe.rows(
        f"select 1 from {quoted(target.schema, VALUES)} as lm_value"
        f" left join {quoted(target.schema, 'call_history')} as calls"
        " on lm_value.history_id = calls.history_id where calls.history_id is null limit 1"
    )
    return "values" if elsewhere or unknown else ""


def _fill(connection: MySQLConnectionAbstract, target: Target, days: int, seed: int) -> str:
    """Simulated source tables and the file of their truth; returns their end, local time."""
    probe = Probe(connection)
    marker = quoted(target.schema, MARKER)
    probe.do(f"create table {marker} (days int, seed bigint, calls int, as_of datetime)")
    simulation = simulate.simulate(
        days=days, seed=seed, utc_offset_hours=int(target.utc_offset.partition(":")[0])
    )
    simulate.load(connection, simulation, target.schema)
    truth = target.project_dir / ".lm" / TRUTH_FILE
    truth.parent.mkdir(exist_ok=True)
    simulation.write_truth(truth)
    as_of = str(simulation.as_of)
    # Last: an interrupted run leaves no row, and the next one starts over.
    probe.rows(
        f"insert into {marker} values (%s, %s, %s, %s)",
        (days, seed, count_calls(probe, target), as_of),
    )
    return as_of


def _where(target: Target) -> str:
    return f"""
Where things lie
  tables and views   schema {target.schema} on {target.name} ({target.place})
  true probabilities .lm/{TRUTH_FILE}
  manager's page     target/{report.FILE}
Look at them
  .venv/bin/lm shell
  .venv/bin/lm shell -e "select * from lm_metric_dictionary"
  .venv/bin/lm engine stop"""
