"""What the project's rules would change in the published values: nothing published is touched.

The rules are computed in a scratch schema for the calls of some days, as of the last finished run,
over the published calls and learnt constants; with --whole over the sources, as a full refresh
would. The scratch schema is emptied again. Forecast metrics follow with the training that a new
version brings, and are not compared.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import dbt_runner, profile
from python_scoring.base.database import Probe, built_view, quoted
from python_scoring.base.errors import EXIT_OK, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.project import parse_vars
from python_scoring.base.watermarks import VALUES, Watermarks
from python_scoring.versions import changes, scratch
from python_scoring.versions.moved import tally
from python_scoring.versions.render import render

CHUNK = 10_000
LONGEST_SCHEMA_NAME = 64


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "compare-versions",
        help="what a changed rule would change, before it is published",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profile.add_arguments(parser)
    dbt_runner.add_arguments(parser)
    parser.add_argument("--days", type=int, default=28, help="the last so many days of calls (28)")
    parser.add_argument(
        "--from", dest="first_day", type=date.fromisoformat, metavar="DAY", help="from this day on"
    )
    parser.add_argument(
        "--to", dest="last_day", type=date.fromisoformat, metavar="DAY", help="up to this day"
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help="compute calls and learnt constants anew too; reads all calls, whatever the days",
    )
    parser.add_argument(
        "--scratch", metavar="SCHEMA", help="schema to compute in (the target schema's _compare)"
    )
    parser.add_argument("--movers", type=int, default=5, help="calls to show for each metric (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.days < 1 or args.movers < 1:
        raise ConfigurationError("--days and --movers must be at least 1")
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        days = sample(Probe(connection), target, args.days, args.first_day, args.last_day)
        document = compare(
            connection,
            target,
            parse_vars(args.vars),
            days,
            name=args.scratch or f"{target.schema[: LONGEST_SCHEMA_NAME - 8]}_compare",
            whole=args.whole,
            most=args.movers,
            verbose=args.verbose,
        )
    if args.json:
        print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
    else:
        print(render(document))
    return EXIT_OK


def last_run(probe: Probe, target: Target) -> str:
    """The moment that counted as now in the last finished run."""
    with built_view(target.schema, "lm_watermark"):
        moment = Watermarks(probe, target, VALUES).get("clock").moment
    if moment is None:
        raise LmError(f"schema {target.schema} has no finished run to compare with: `lm run` first")
    return moment


def sample(
    probe: Probe, target: Target, days: int, first_day: date | None, last_day: date | None
) -> tuple[date, date]:
    """First and last day of the calls to compare."""
    if last_day is None:
        moment = datetime.fromisoformat(last_run(probe, target))
        with built_view(target.schema, "fct_call"):
            (last_day,) = probe.one(
                f"select max(call_date) from {quoted(target.schema, 'fct_call')}"
                " where call_date <= %s",
                (moment.date(),),
            )
        if last_day is None:
            raise LmError(f"schema {target.schema} has no calls: `lm run` first")
    first_day = first_day or last_day - timedelta(days=days - 1)
    if first_day > last_day:
        raise ConfigurationError(f"no days from {first_day} to {last_day}")
    return first_day, last_day


def compare(
    connection: MySQLConnectionAbstract,
    target: Target,
    variables: Mapping[str, Any],
    days: tuple[date, date],
    *,
    name: str,
    whole: bool = False,
    most: int = 5,
    verbose: bool = False,
) -> dict[str, Any]:
    """The comparison as one document; `variables` are those given on the command line."""
    probe = Probe(connection)
    moment = last_run(probe, target)
    variables = {
        **variables,
        "source_schema": target.source_schema,
        "as_of": moment,
        "calc_source": "compare_versions",
        "lm_foreign_keys": False,
        "lm_max_batches": 0,
        "lm_sweep": False,
    }
    with (
        scratch.scratch_schema(probe, target, name) as empty,
        scratch.project_in(empty) as here,
    ):
        if not whole:
            scratch.take_over(probe, target, here, *days)
        scratch.build(here, variables, whole=whole, verbose=verbose)
        seeds = changes.changed_seeds(
            probe, target, here, changes.behind(changes.manifest(here), [VALUES])
        )
        params = changes.changed_params(probe, target, here) if changes.PARAMS in seeds else []
        metrics, calls, moved = tally(rows(connection, target, here, days), most)
        shown = {metric: metrics[metric].document() for metric in sorted(metrics)}
        for metric, found in shown.items():
            found["movers"] = [
                {
                    "history_id": call,
                    "old": one_value(probe, target, metric, call),
                    "new": one_value(probe, here, metric, call),
                }
                for call in found["movers"]
            ]
        return {
            "published": {
                "schema": target.schema,
                "as_of": moment,
                "lm_versions": published_versions(probe, target, days),
            },
            "lm_version": str(target.vars["lm_version"]),
            "whole": whole,
            "from": days[0],
            "to": days[1],
            "calls": len(calls),
            "calls_moved": len(moved),
            "changed_params": params,
            "changed_seeds": [seed for seed in seeds if seed != changes.PARAMS],
            "not_shown": [] if whole else changes.not_shown(here, variables, seeds, params),
            "only_published": only_published(probe, target, here, days),
            "metrics": shown,
        }


GATE = (
    "coalesce(json_unquote(json_extract({0}.value_json, '$.gate')),"
    " case when json_unquote(json_extract({0}.value_json, '$.status')) = 'no_data'"
    " then 'NO_DATA' end)"
)


def rows(
    connection: MySQLConnectionAbstract, published: Target, here: Target, days: tuple[date, date]
) -> Iterator[tuple[Any, ...]]:
    """What `tally` reads: the scratch schema's rows of these days beside the published ones."""
    statement = f"""
        select
            new_rows.metric_code, new_rows.history_id, calls.call_date,
            old_rows.history_id is not null,
            old_rows.value_numeric, old_rows.value_label, {GATE.format("old_rows")},
            new_rows.value_numeric, new_rows.value_label, {GATE.format("new_rows")},
            json_extract(new_rows.value_json, '$') <=> json_extract(old_rows.value_json, '$')
        from {quoted(here.schema, VALUES)} as new_rows
        inner join {quoted(here.schema, "fct_call")} as calls
            on new_rows.history_id = calls.history_id
        left join {quoted(published.schema, VALUES)} as old_rows
            on new_rows.history_id = old_rows.history_id
            and new_rows.metric_code = old_rows.metric_code
        where calls.call_date between %s and %s and new_rows.metric_code <> 'lm_version'
    """
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(statement, days)
        while chunk := cursor.fetchmany(CHUNK):
            for row in chunk:
                yield tuple(map(_plain, row))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return value.decode()
    # Decimals have four places: as floats they are told apart just as well.
    return float(value) if type(value).__name__ == "Decimal" else value


def published_versions(probe: Probe, target: Target, days: tuple[date, date]) -> dict[str, int]:
    """Rows of the rule metrics by version."""
    return dict(
        probe.rows(
            f"select kept.lm_version, count(*) from {quoted(target.schema, VALUES)} as kept"
            f" inner join {quoted(target.schema, 'fct_call')} as calls"
            " on kept.history_id = calls.history_id"
            " where calls.call_date between %s and %s and kept.metric_group <> 'forecast'"
            " group by kept.lm_version order by kept.lm_version",
            days,
        )
    )


def only_published(
    probe: Probe, published: Target, here: Target, days: tuple[date, date]
) -> dict[str, int]:
    """Published rows, by metric, that the project would not make."""
    return dict(
        probe.rows(
            f"select kept.metric_code, count(*) from {quoted(published.schema, VALUES)} as kept"
            f" inner join {quoted(published.schema, 'fct_call')} as calls"
            " on kept.history_id = calls.history_id"
            f" left join {quoted(here.schema, VALUES)} as new_rows"
            " on kept.history_id = new_rows.history_id"
            " and kept.metric_code = new_rows.metric_code"
            " where calls.call_date between %s and %s and kept.metric_group <> 'forecast'"
            " and new_rows.history_id is null"
            " group by kept.metric_code order by kept.metric_code",
            days,
        )
    )


def one_value(probe: Probe, target: Target, metric: str, call: int) -> dict[str, Any]:
    number, label, text = probe.one(
        "select value_numeric, value_label, value_json"
        f" from {quoted(target.schema, VALUES)} where history_id = %s and metric_code = %s",
        (call, metric),
    )
    said = json.loads(text)
    return {
        "value": None if number is None else float(number),
        "label": label,
        "gate": said.get("gate"),
        "base": said.get("base"),
        "reasons": said.get("reasons", []),
    }
