"""Erase what was made of one caller's calls.

Their rows leave every table that has a row a call, here and for good: a run does not bring them
back, though the sources may still hold the calls. The sources are not written to, unless
--from-sources says so. The statistics of the calls' days are added up anew, without them, by the
next run.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import mysql.connector

from python_scoring.base import caller_salt, profile
from python_scoring.base.database import Probe, quoted, require_tables, table_names
from python_scoring.base.errors import EXIT_OK, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert
from python_scoring.base.text_table import format_table
from python_scoring.base.watermarks import VALUES, Watermarks, prepare_session

FORGOTTEN = "lm_forgotten_call"
DAYS = "lm_value_changes"
# Tables with rows of single calls, children first. The locks are taken in the order in which dbt
# takes them: no two runs wait for each other.
OF_CALLS = (VALUES, "int_metric_inputs", "fct_call", "int_calls")
LOCKS = ("fct_call", "int_calls", "int_metric_inputs", VALUES)
OPTIONAL = ("lm_quarantine",)
# Which operators the caller has met.
SIGHTINGS = "int_name_sightings"
CALLS_IN_STATEMENT = 1_000
# What counts many calls together and names no caller; said, so that nobody has to ask.
KEPT = {
    "lm_reference, int_week_facts, int_known_facts, int_review_batches": (
        "learnt rates and medians of whole weeks and days"
    ),
    "int_operators": "keyed hashes of names, without numbers: which are operators'",
    "lm_forecast*, lm_scenario*, lm_model_run, lm_model_drift": (
        "forecasts, scenarios and how good the models are: sums over calls"
    ),
    "model files": "weights learnt from thousands of calls; the next training is without these",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "forget",
        help="erase what was made of one caller's calls",
        description=__doc__,
        epilog="A number on the command line is seen by other users of the machine and kept in the"
        " shell's history: --caller - asks for it, or reads it from the standard input.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profile.add_arguments(parser)
    parser.add_argument(
        "--caller", required=True, metavar="NUMBER", help="the caller's phone number; -: ask for it"
    )
    parser.add_argument(
        "--from-sources",
        action="store_true",
        help="delete the calls and their reviews from the source tables too (needs DELETE there)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what there is, erase nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    number = _asked() if args.caller == "-" else str(args.caller)
    least = int(str(target.vars.get("lm_min_number_digits") or 5))
    if len(caller_salt.number_digits(number)) < least:
        # The number itself is not repeated: messages end up in logs.
        raise ConfigurationError(f"the number must have {least} digits at least")
    with contextlib.closing(profile.connect(target)) as connection:
        probe = Probe(connection)
        prepare_session(probe, target)
        needed = (*OF_CALLS, SIGHTINGS, DAYS, FORGOTTEN, "lm_watermark")
        require_tables(probe, target.schema, needed)
        marks = Watermarks(probe, target, "int_calls")
        key = _salt(marks, target).caller_key(number)
        with _writing(marks, ends_with="rollback" if args.dry_run else "commit"):
            calls = _calls(probe, target, key)
            if not calls:
                raise LmError(
                    "no call of this number is known here: check the number, and run `lm run` first"
                    " where its calls are newer than the last run"
                )
            removed, days = _erase(probe, target, marks, calls, args.from_sources)
            where = f"where caller_key = '{key}'"
            _delete(probe, SIGHTINGS, quoted(target.schema, SIGHTINGS), where, removed)
    print(_json(calls, removed, days, args) if args.json else _told(calls, removed, days, args))
    return EXIT_OK


def _asked() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("number (not shown): ")
    return sys.stdin.readline().strip()


def _salt(marks: Watermarks, target: Target) -> caller_salt.CallerSalt:
    """The salt of the keys that the tables hold now."""
    known = marks.get("caller_salt").fingerprint
    if not known or marks.get("full_pass").cursor is not None:
        raise LmError("the keys of callers are being made or changed: let `lm run` finish first")
    salt = caller_salt.find(target.project_dir, known)
    if salt.fingerprint != known:
        raise ConfigurationError(
            f"{caller_salt.VARIABLE} is not the one that the keys of callers were made with: set it"
            " as for the last run"
        )
    return salt


@contextlib.contextmanager
def _writing(marks: Watermarks, ends_with: str) -> Iterator[None]:
    """One transaction that holds the locks of all that it writes."""
    probe = marks.probe
    probe.do("start transaction")
    try:
        for model in LOCKS:
            probe.rows(
                f"select position from {marks.table} where model_name = %s and feed = 'lock'"
                " for update",
                (model,),
            )
        yield
        probe.do(ends_with)
    except mysql.connector.Error as error:
        with contextlib.suppress(mysql.connector.Error):
            probe.do("rollback")
        raise LmError(f"nothing is erased: {error.msg}") from error
    except BaseException:
        with contextlib.suppress(mysql.connector.Error):
            probe.do("rollback")
        raise


def _calls(probe: Probe, target: Target, key: str) -> list[int]:
    rows = probe.rows(
        f"select history_id from {quoted(target.schema, 'int_calls')} where contact_key = %s",
        (key,),
    )
    return sorted(int(call) for (call,) in rows)


def _erase(
    probe: Probe, target: Target, marks: Watermarks, calls: Sequence[int], from_sources: bool
) -> tuple[dict[str, int], list[str]]:
    """Rows removed by table, and the days whose statistics are to be added up anew."""
    days: set[Any] = set()
    removed: dict[str, int] = {}
    present = table_names(probe, target.schema)
    tables = [name for name in (*OPTIONAL, *OF_CALLS) if name in present]
    for some in _chunks(calls):
        where = f"where history_id in ({', '.join(map(str, some))})"
        for (day,) in probe.rows(
            f"select distinct call_date from {quoted(target.schema, 'fct_call')} {where}"
            " and call_date is not null"
        ):
            days.add(day)
        for name in tables:
            _delete(probe, name, quoted(target.schema, name), where, removed)
        if from_sources:
            for name in ("call_scores", "call_history"):
                table = quoted(target.source_schema, target.source_table(name))
                _delete(probe, f"source {name}", table, where, removed)
    if not from_sources:
        insert(
            probe,
            quoted(target.schema, FORGOTTEN),
            ("history_id",),
            ((call,) for call in calls),
            update=("history_id",),
        )
    if days:
        number = marks.next_change()
        insert(
            probe,
            quoted(target.schema, DAYS),
            ("call_date", "change_id", "rule_change_id"),
            ((day, number, number) for day in sorted(days)),
            update=("change_id", "rule_change_id"),
        )
    return removed, [str(day) for day in sorted(days)]


def _delete(probe: Probe, name: str, table: str, where: str, removed: dict[str, int]) -> None:
    (count,) = probe.one(f"select count(*) from {table} {where}")
    probe.do(f"delete from {table} {where}")
    removed[name] = removed.get(name, 0) + int(count)


def _chunks(calls: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(calls), CALLS_IN_STATEMENT):
        yield calls[start : start + CALLS_IN_STATEMENT]


def _json(
    calls: Sequence[int], removed: dict[str, int], days: Sequence[str], args: argparse.Namespace
) -> str:
    document = {
        "is_dry_run": bool(args.dry_run),
        "calls": len(calls),
        "removed": removed,
        "days_to_add_up": list(days),
        "sources_written": bool(args.from_sources),
        "kept": KEPT,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _told(
    calls: Sequence[int], removed: dict[str, int], days: Sequence[str], args: argparse.Namespace
) -> str:
    head = "would be erased" if args.dry_run else "erased"
    lines = [
        f"{head}: {len(calls)} calls of the caller",
        format_table(("table", "rows"), list(removed.items())),
        "",
        "what stays, and names no caller:",
        *(f"  {names}: {what}" for names, what in KEPT.items()),
        "",
        f"the statistics of {len(days)} days are added up without these calls by the next `lm run`;"
        " the page, models' scores and lists follow with it",
    ]
    if not args.from_sources:
        lines.append(
            "the sources still hold the calls, unless they were deleted there: no run reads them"
            " again here"
        )
    return "\n".join(lines)
