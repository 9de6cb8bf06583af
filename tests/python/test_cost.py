"""What a run costs follows what has changed: no statement reads a large table from end to end.

A year of a small clinic, then two days' new calls and reviews. Each statement of the
run that takes them in is explained on the server just before it is executed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from conftest import ROOT, TestTarget, run_process
from oracle_data import Source, simulated_source
from pipeline_cases import fill, moment, own_schema, run, skip_unless, text, until

from python_scoring.base import dbt_runner

DAYS = 400
START = date(2024, 8, 13)
KEPT = 2  # every second of the simulated callers: a long history of few calls
# Some dozens of calls and reviews come after this moment.
BEFORE = datetime(2025, 9, 15, 12)
NOW = BEFORE + timedelta(days=2)
LARGE = ("call_history", "call_scores", "int_calls", "fct_call", "int_metric_inputs", "lm_value")
METRICS = 18
# Days whose calls a statement may read: statistics go by eight days or eight weeks at a time,
# periods say how long they are, and `lm` looks at lm_watch_days.
DAYS_OF_A_BATCH, DAYS_OF_WEEKS, WATCHED_DAYS = 8, 56, 28
# lm_lookback_reviews.
LOOK_BACK_REVIEWS = 500
# The servers guess. Half a year is nearly half of what is stored here: that may be read in order.
SLACK = 3


@dataclass(frozen=True)
class Plan:
    """A statement and EXPLAIN's lines."""

    statement: str
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def stored(target: TestTarget) -> Iterator[TestTarget]:
    """A schema with everything up to BEFORE built, and what came until NOW in its sources."""
    skip_unless(target, "mysql", "mariadb")
    source = thinned(simulated_source(DAYS, START, seed=3))
    with own_schema(target, "cost") as here:
        fill(here, until(source, BEFORE))
        run(here, "build", "--exclude-resource-type", "test", as_of=BEFORE)
        here.lm("score", "--vars", json.dumps({"as_of": moment(BEFORE)}))
        run(here, "run", "--select", "lm_daily_stats+", as_of=BEFORE)
        fill(here, until(source, NOW, BEFORE))
        # The servers count a table's rows by themselves, some seconds later.
        for (table,) in here.rows(
            "select table_name from information_schema.tables where table_type = 'BASE TABLE'"
            " and table_schema = database()"
        ):
            here.rows(f"analyze table {text(table)}")
        yield here


def thinned(source: Source) -> Source:
    """The calls of every so many-th caller, and their reviews."""
    numbers = {
        row["history_id"]: f"{row['caller_number']}{row['called_number']}" for row in source.history
    }
    kept = {call for call, number in numbers.items() if crc32(number.encode()) % KEPT == 0}
    return Source(
        [row for row in source.history if row["history_id"] in kept],
        [row for row in source.scores if row["history_id"] in kept],
    )


def explained(here: TestTarget, program: str, words: list[str]) -> list[Plan]:
    path = here.folder / f"{program}.jsonl"
    path.unlink(missing_ok=True)
    script = Path(__file__).with_name("explained.py")
    command = [sys.executable, str(script), str(path), program, *words]
    environment = here.environment | dbt_runner.SETTINGS | {"PYTHONPATH": str(ROOT)}
    run_process(command, environment, check=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [Plan(line["statement"], line["plan"]) for line in lines]


def aliases(here: TestTarget, statement: str) -> dict[str, str]:
    """The large tables by the names that they have in a statement and in the schema's views."""
    found = {table: table for table in LARGE}
    views = " ".join(
        text(definition)
        for (definition,) in here.rows(
            "select view_definition from information_schema.views where table_schema = database()"
        )
    )
    for sql in (statement, views):
        for table, alias in re.findall(
            rf"`?\b({'|'.join(LARGE)})`?\s+(?:as\s+)?`?(\w+)`?", sql, re.I
        ):
            found[alias] = table
    return found


def days_of(statement: str) -> int:
    """How many days' calls a statement may read."""
    if '"app": "dbt"' not in statement:
        return WATCHED_DAYS
    if period := re.search(r"period_days = (\d+)", statement):
        return int(period[1])
    return (
        DAYS_OF_WEEKS if re.search(r"insert into \S*int_week_facts", statement) else DAYS_OF_A_BATCH
    )


def scans(here: TestTarget, plans: list[Plan]) -> list[str]:
    """Reads of more rows of a large table than the statement's days have."""
    (calls,) = here.rows("select count(*) from fct_call")[0]
    (reviews,) = here.rows("select count(*) from call_scores where score_date > %s", (BEFORE,))[0]
    found = []
    for plan in plans:
        names = aliases(here, plan.statement)
        days = days_of(plan.statement)
        for line in plan.lines:
            table = names.get(str(line["table"]))
            if table is None or line["rows"] is None:
                continue
            most = SLACK * calls * days / DAYS * (METRICS if table == "lm_value" else 1)
            if table == "call_scores":
                most = max(most, SLACK * (reviews + LOOK_BACK_REVIEWS))
            if line["type"] in ("ALL", "index", "range") and int(line["rows"]) > most:
                words = " ".join(plan.statement.split())
                found.append(
                    f"{table} as {line['table']}: {line['type']} of {line['rows']} rows, not"
                    f" {most:.0f}, by {line['key']}: {words[:3000]}"
                )
    return found


def assert_no_scans(here: TestTarget, plans: list[Plan]) -> None:
    found = scans(here, plans)
    assert not found, "\n".join(found)


def test_the_check_sees_a_scan(stored: TestTarget) -> None:
    for statement, is_scan in (
        ("select sum(talk_sec) from fct_call as calls where talk_sec > 5", True),
        ("select sum(talk_sec) from fct_call as calls where history_id = 5", False),
        ("select sum(talk_sec) from vw_lm_call_features", True),
    ):
        with closing(stored.connect()) as connection:
            cursor = connection.cursor(dictionary=True)
            cursor.execute("explain format=traditional " + statement)
            lines = [{name: text(v) if v else v for name, v in row.items()} for row in cursor]
        assert bool(scans(stored, [Plan(statement, lines)])) is is_scan, statement


def test_a_run_reads_no_large_table_from_end_to_end(stored: TestTarget) -> None:
    target = stored.load(as_of=moment(NOW))
    words = dbt_runner.command(target, ["run"], {"as_of": moment(NOW)})[3:]
    plans = explained(stored, "dbt", words)
    written = {table for table in LARGE for plan in plans if f"`{table}` (" in plan.statement}
    assert written == {"int_calls", "fct_call", "int_metric_inputs", "lm_value"}
    assert_no_scans(stored, plans)


def test_scoring_reads_no_large_table_from_end_to_end(stored: TestTarget) -> None:
    words = ["score", "--target", stored.name, "--vars", json.dumps({"as_of": moment(NOW)})]
    plans = explained(stored, "lm", words)
    assert any("int_forecast_inputs" in plan.statement for plan in plans)
    assert_no_scans(stored, plans)
