"""What is measured on one database with one number of calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from clinic import NEW_CALLS, Arrival, Clinic
from database import Database, Done, empty_copy, plain_copy, run
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.source_tables import CALL_HISTORY, CALL_SCORES, insert_rows
from python_scoring.simulation.simulate import create_source_tables, plain_rows

# What the client sends at once: as base.rows does.
ROWS_IN_STATEMENT = 500
TOLD_VIEWS = {
    "vw_lm_daily_stats, last 30 days": (
        "select * from vw_lm_daily_stats where dimension = 'operator' and stat_date >="
        " (select date_sub(max(call_date), interval 30 day) from fct_call)"
    ),
    "vw_lm_kpi_daily, last 30 days": (
        "select * from vw_lm_kpi_daily where dimension = 'operator' and stat_date >="
        " (select date_sub(max(call_date), interval 30 day) from fct_call)"
    ),
    "vw_lm_period_summary, all": "select * from vw_lm_period_summary",
    "vw_lm_action_list, first 50": "select * from vw_lm_action_list order by sort_key limit 50",
}

# As `lm run` does after scoring.
STATISTICS = ("--select", "lm_daily_stats")

Result = dict[str, Any]


def measure(here: Database, clinic: Clinic, tell: Callable[[str], None]) -> Result:
    """All steps in the order of a clinic's life: first load, models, a night, late reviews."""
    result: Result = {"runs": {}, "tools": {}}

    def night(name: str, as_of: datetime, *words: str) -> Done:
        done = here.dbt("run", *words, as_of=as_of, log="dbt")
        result["runs"][name] = as_result(done)
        tell(f"{name}: {done.models_seconds:.1f} s of models, {done.seconds:.1f} s in all")
        return done

    def tool(name: str, as_of: datetime, *words: str) -> Done:
        done = here.lm(name.split()[0], *words, as_of=as_of, log="lm")
        result["tools"][name] = as_result(done)
        tell(f"lm {name}: {done.seconds:.1f} s")
        return done

    with here.connected() as connection:
        create_source_tables(connection, here.schema)
        arrive(here, clinic.stored)
        as_of = clinic.stored.as_of
        here.dbt("seed", as_of=as_of, log="seed")
        done = night("first load", as_of)
        result["copies"] = copies(connection, done, tell)
        night("nothing to do", as_of)

        tool("train", as_of)
        done = tool("score", as_of)
        result["tools"]["score"].update(upserts(connection, done))
        night("statistics after scoring all", as_of, *STATISTICS)
        tool("forecast", as_of)
        tool("report", as_of, "--output", str(here.folder / "report.html"))
        result["views"] = {name: view_seconds(connection, sql) for name, sql in TOLD_VIEWS.items()}

        arrive(here, clinic.new)
        night(f"{NEW_CALLS:,} new calls", clinic.new.as_of)
        tool("score (new calls)", clinic.new.as_of)
        night("statistics after scoring them", clinic.new.as_of, *STATISTICS)
        arrive(here, clinic.late)
        night(f"{len(clinic.late.scores)} late reviews", clinic.late.as_of)
        night("nothing to do again", clinic.late.as_of)
    return result


def as_result(done: Done) -> Result:
    models = {name: round(seconds, 2) for name, seconds in done.models.items() if seconds >= 0.05}
    return {
        "seconds": round(done.seconds, 2),
        "models_seconds": round(done.models_seconds, 2),
        "memory_mb": done.memory_mb,
        "models": models,
    }


def arrive(here: Database, arrival: Arrival) -> None:
    """The rows into the sources."""
    with here.connected() as connection:
        for table, frame in ((CALL_HISTORY, arrival.history), (CALL_SCORES, arrival.scores)):
            rows = plain_rows(frame)
            insert_rows(connection, here.schema, table, list(frame.columns), rows)


def copies(
    connection: MySQLConnectionAbstract, first_load: Done, tell: Callable[[str], None]
) -> dict[str, Result]:
    """Of each table that the first load wrote: its rows, and the seconds of their plain copy."""
    found: dict[str, Result] = {}
    tables = run(
        connection,
        "select table_name from information_schema.tables where table_schema = database()"
        " and table_type = 'BASE TABLE'",
    )
    names = {name.decode() if isinstance(name, bytes | bytearray) else name for (name,) in tables}
    for name in sorted(names & first_load.models.keys()):
        seconds = plain_copy(connection, name)
        (rows,) = run(connection, f"select count(*) from {name}")[0]
        found[name] = {"rows": rows, "seconds": round(seconds, 3)}
    tell(f"plain copies: {sum(copy['seconds'] for copy in found.values()):.1f} s")
    return found


def upserts(connection: MySQLConnectionAbstract, scored: Done) -> Result:
    """What the server takes of the same rows: statements written out beforehand, sent one after
    the other into an empty table of the same DDL."""
    columns = (
        "history_id, metric_code, metric_group, call_score_id, value_numeric, value_label,"
        " value_json, lm_version, calc_method, calc_source"
    )
    ids = run(
        connection,
        "select min(history_id), max(history_id) from lm_value where metric_group = 'forecast'",
    )[0]
    seconds, rows = 0.0, 0
    update = ", ".join(f"{name} = values({name})" for name in columns.split(", ")[2:])
    with empty_copy(connection, "lm_value") as copy, contextlib.closing(connection.cursor()) as cur:
        for low in range(ids[0], ids[1] + 1, 5_000):
            found = run(
                connection,
                f"select {columns} from lm_value where history_id between {low} and {low + 4_999}"
                " and metric_group = 'forecast' order by history_id, metric_code",
            )
            statements = [
                f"insert into {copy} ({columns}) values {lines} on duplicate key update {update}"
                for lines in literal_rows(found)
            ]
            started = time.monotonic()
            cur.execute("start transaction")
            for statement in statements:
                cur.execute(statement)
            cur.execute("commit")
            seconds += time.monotonic() - started
            rows += len(found)
    return {
        "rows": rows,
        "rows_a_second": round(rows / scored.seconds),
        "server_rows_a_second": round(rows / seconds),
    }


def literal_rows(rows: list[Any]) -> Iterator[str]:
    for start in range(0, len(rows), ROWS_IN_STATEMENT):
        some = rows[start : start + ROWS_IN_STATEMENT]
        yield ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in some)


def literal(value: Any) -> str:
    if value is None:
        return "null"
    text = value.decode() if isinstance(value, bytes | bytearray) else str(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def view_seconds(connection: MySQLConnectionAbstract, statement: str) -> float:
    started = time.monotonic()
    run(connection, statement)
    return round(time.monotonic() - started, 3)
