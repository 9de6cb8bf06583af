"""Checks of the two source tables, and the size of what was built from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import mysql.connector

from python_scoring.base import quarantine
from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.profile import Target
from python_scoring.base.source_tables import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from python_scoring.doctor.findings import Finding, fail, ok, warn

# Where the incremental models look; the project adds no index to a source table.
INDEXED_COLUMNS = {
    "call_history": ("history_id", "context_start_time"),
    "call_scores": ("id", "history_id"),
}


def check_sources(target: Target, probe: Probe) -> Iterator[Finding]:
    for name in REQUIRED_COLUMNS:
        yield from _check_table(target, probe, name)


def _check_table(target: Target, probe: Probe, name: str) -> Iterator[Finding]:
    schema, table = target.source_schema, target.source_table(name)
    columns = {
        column: (kind, collation)
        for column, kind, collation in probe.rows(
            "select lower(column_name), lower(column_type), collation_name"
            " from information_schema.columns where table_schema = %s and table_name = %s"
            " and locate('select', lower(privileges)) > 0",
            (schema, table),
        )
    }
    if not columns:
        yield fail(
            name,
            f"{schema}.{table} is not there, or {target.user} may not see it",
            f"set source_schema and {name}_identifier in --vars, or grant select on"
            f" {quoted(schema, table)}",
        )
        return
    missing = [column for column in REQUIRED_COLUMNS[name] if column not in columns]
    if missing:
        yield fail(
            name,
            f"{schema}.{table} lacks {', '.join(missing)}, or {target.user} may not read them",
            f"see that {name}_identifier names the right table, and grant select on these columns:"
            " they are required",
        )
    else:
        yield ok(name, f"{schema}.{table} has the required columns")
    absent = [column for column in OPTIONAL_COLUMNS[name] if column not in columns]
    if absent:
        yield warn(
            f"{name} columns",
            f"no {', '.join(absent)}, or no right to read them",
            "nothing, or grant select on them: they are read as null, and metrics that use them"
            " know less",
        )
    yield from _check_types(name, columns)
    yield from _check_indexes(probe, name, schema, table)
    if not missing:
        yield from _check_rows(target, probe, name, schema, table, "call_date" in columns)


def _check_types(name: str, columns: dict[str, tuple[str, str | None]]) -> Iterator[Finding]:
    shown = ("history_id",) if name == "call_history" else ("id", "history_id", "call_score")
    kinds = ", ".join(f"{column} {columns[column][0]}" for column in shown if column in columns)
    collations = sorted({collation for _, collation in columns.values() if collation})
    yield ok(f"{name} types", f"{kinds}; text in {', '.join(collations) or 'no collation'}")
    history_id = columns.get("history_id", ("", None))[0]
    if history_id and not (history_id.startswith("int") and "unsigned" in history_id):
        yield warn(
            f"{name} types",
            f"history_id is {history_id}, not int unsigned",
            "set lm_foreign_keys to false: a foreign key needs the same type",
        )


def _check_indexes(probe: Probe, name: str, schema: str, table: str) -> Iterator[Finding]:
    first = {
        column
        for (column,) in probe.rows(
            "select lower(column_name) from information_schema.statistics"
            " where table_schema = %s and table_name = %s and seq_in_index = 1",
            (schema, table),
        )
    }
    bare = [column for column in INDEXED_COLUMNS[name] if column not in first]
    if bare:
        yield warn(
            f"{name} indexes",
            f"no index begins with {', '.join(bare)}",
            "each run reads the whole table: ask its owner for an index",
        )


def _check_rows(
    target: Target, probe: Probe, name: str, schema: str, table: str, dated: bool
) -> Iterator[Finding]:
    check = f"{name} rows"
    source = quoted(schema, table)
    try:
        count = probe.one(f"select count(*) from {source}")[0]
        if name == "call_history":
            first, last = probe.one(
                "select min(context_start_time), max(context_start_time)"
                f" from {source} where context_start_time > 0"
            )
            first, last = _local(target, first), _local(target, last)
        else:
            moment = "call_date" if dated else "score_date"
            first, last = probe.one(f"select min({moment}), max({moment}) from {source}")
    except mysql.connector.Error as error:
        yield fail(check, str(error), f"grant select on {source} to this user")
        return
    if not count:
        yield warn(check, "none", "nothing to compute until calls arrive")
        return
    yield ok(check, f"{count:,}, {first} to {last}")
    if name == "call_history" and last and last > _now(target) + timedelta(days=1):
        yield warn(
            check,
            f"the newest call lies in the future: {last}",
            "see context_start_time and the server's clock",
        )


def check_refused(target: Target, probe: Probe) -> Iterator[Finding]:
    """Calls whose operator or another field was left out; none before a build counts them."""
    columns = {
        row[0]
        for row in probe.rows(
            "select column_name from information_schema.columns where table_schema = %s"
            " and table_name = 'fct_call'"
            " and column_name in ('has_refused_operator', 'refused_fields')",
            (target.schema,),
        )
    }
    if len(columns) < 2:
        return
    calls = quoted(target.schema, "fct_call")
    count, refused = probe.one(
        f"select count(*), coalesce(sum(has_refused_operator), 0) from {calls}"
        " where direction in ('in', 'out')"
    )
    if refused:
        yield warn(
            "operators",
            f"{int(refused):,} of {count:,} calls have a phone number, an address of mail, a long"
            " text or a name that may be the caller's where the operator should be: it is left out",
            "let the phone system write operators' names into called_info (incoming) and"
            " caller_info (outgoing), and name in lm_operators who is one; days stand in"
            " vw_lm_data_quality, check_kind refused",
        )
    else:
        yield ok("operators", f"none of {count:,} calls had its operator left out")
    fields: Counter[str] = Counter()
    for names, found in probe.rows(
        f"select refused_fields, count(*) from {calls} where refused_fields is not null group by 1"
    ):
        fields.update(dict.fromkeys(set(str(names).split(",")), int(found)))
    if fields:
        told = ", ".join(f"{name} {found:,}" for name, found in fields.most_common())
        yield warn(
            "refused values",
            f"left out as impossible or personal, in calls: {told}",
            "see vw_lm_data_quality, check_kind refused; correct the rows where they are written",
        )
    else:
        yield ok("refused values", "none: every text, number and time can be one")


def check_quarantine(target: Target, probe: Probe) -> Iterator[Finding]:
    """Calls left out of the statistics; nothing before the first build."""
    if quarantine.TABLE not in table_names(probe, target.schema):
        return
    count = quarantine.calls(probe, target)
    if not count:
        yield ok("quarantine", "no call is left out of the statistics")
    for name, calls, since, todo in quarantine.checks(probe, target):
        yield warn(
            "quarantine",
            f"{calls:,} call{'s fail' if calls > 1 else ' fails'} {name} since {since}",
            todo,
        )


def check_target_size(target: Target, probe: Probe) -> Iterator[Finding]:
    built = probe.rows(
        "select table_name, coalesce(table_rows, 0),"
        " coalesce(data_length, 0) + coalesce(index_length, 0)"
        " from information_schema.tables where table_schema = %s and table_type = 'BASE TABLE'"
        " and (table_name like 'lm\\_%' or table_name like 'fct\\_%') order by 3 desc",
        (target.schema,),
    )
    if not built:
        yield ok("built tables", f"none in {target.schema} yet: lm run builds them")
        return
    size = sum(int(row[2]) for row in built)
    biggest = ", ".join(f"{table} about {int(rows):,} rows" for table, rows, _ in built[:3])
    yield ok("built tables", f"{len(built)} in {target.schema}, {size / 2**20:,.0f} MB: {biggest}")


def _local(target: Target, stamp: int | None) -> datetime | None:
    """A UNIX time on the clinic's clock."""
    if stamp is None:
        return None
    return datetime.fromtimestamp(int(stamp), target.zone).replace(tzinfo=None)


def _now(target: Target) -> datetime:
    return datetime.now(target.zone).replace(tzinfo=None)
