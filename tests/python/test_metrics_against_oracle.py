"""The database against the oracle: every call, every constant, every value.

Three sets of data on every engine: a simulated clinic, and hostile rows in the
two shapes of the source tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hostile import hostile_source
from oracle_calls import calls_of
from oracle_compare import (
    compare_calls,
    compare_reference,
    compare_values,
    plain,
    reference_rows,
)
from oracle_reference import reference_of
from oracle_scores import review_batches
from oracle_seeds import Seeds, load_seeds

from python_scoring import project, simulate
from python_scoring.source_tables import create_source_tables, insert_rows

HOSTILE_AS_OF = datetime(2025, 3, 12, 12, 0)
HOSTILE_CALLS = 1_500
DATA_SETS = ("simulated", "hostile", "hostile_old")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Built:
    """What is in the database after one `dbt build`, read once."""

    as_of: datetime
    history: Rows
    scores: Rows
    calls: Rows
    reference: Rows
    values: Rows


def read(target: Any, table: str) -> Rows:
    with (
        closing(target.connect()) as connection,
        closing(connection.cursor(dictionary=True)) as cursor,
    ):
        cursor.execute(f"select * from `{target.schema}`.{table}")
        return [{name: plain(value) for name, value in row.items()} for row in cursor.fetchall()]


def fill(target: Any, data_set: str) -> datetime:
    """Create and fill the source tables; says which moment is now."""
    with closing(target.connect()) as connection:
        if data_set == "simulated":
            clinic = simulate.simulate(days=21, seed=7)
            simulate.load(connection, clinic, target.schema)
            return clinic.as_of
        old = data_set == "hostile_old"
        history, scores = hostile_source(11 if old else 7, HOSTILE_CALLS, score_as_text=old)
        variant = "old" if old else "current"
        create_source_tables(connection, target.schema, variant=variant)
        for table, rows in (("call_history", history), ("call_scores", scores)):
            columns = list(rows[0])
            values = (tuple(row[column] for column in columns) for row in rows)
            insert_rows(connection, target.schema, table, columns, values)
    return HOSTILE_AS_OF


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return load_seeds(project.project_dir() / "seeds")


@pytest.fixture(scope="module", params=DATA_SETS)
def built(request: pytest.FixtureRequest, target: Any) -> Iterator[Built]:
    """One data set, built in a schema of its own."""
    here = replace(target, schema=f"{target.schema[:45]}_{request.param}")
    with closing(target.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"drop database if exists `{here.schema}`")
        cursor.execute(f"create database `{here.schema}` default character set utf8mb4")
    try:
        as_of = fill(here, request.param)
        here.dbt("build", vars={"as_of": f"{as_of:%Y-%m-%d %H:%M:%S}"})
        # Sources as they are stored: what FLOAT and VARCHAR made of them is not the SQL's doing.
        tables = ("call_history", "call_scores", "fct_call", "lm_reference", "lm_value")
        yield Built(as_of, *(read(here, table) for table in tables))
    finally:
        with closing(target.connect()) as connection:
            connection.cursor().execute(f"drop database if exists `{here.schema}`")


def test_calls(built: Built, seeds: Seeds) -> None:
    offset = str(project.project_vars()["utc_offset"])
    found = compare_calls(calls_of(built.history, built.scores, seeds, offset), built.calls)
    assert not found, found.report()


def test_reference(built: Built, seeds: Seeds) -> None:
    """Fed with the database's calls, so that a mistake there shows only there."""
    mondays = sorted(
        {row["as_of_date"] for row in built.reference if row["constant_code"] != "review_batch"}
    )
    assert mondays, "lm_reference is empty"
    assert all(day.weekday() == 0 for day in mondays), mondays
    oracle = reference_of(built.calls, mondays, seeds)
    found = compare_reference(oracle, built.reference)
    assert not found, found.report()


def test_every_week_with_history_has_its_constants(built: Built) -> None:
    weeks = {row["week_start_date"] for row in built.calls if row["week_start_date"]}
    first = min(weeks)
    last = monday_before(built.as_of)
    known = {row["as_of_date"] for row in built.reference}
    missing = {week for week in weeks if first + timedelta(days=7) <= week <= last} - known
    assert not missing, f"no constants for the weeks of {sorted(missing)}"


def monday_before(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def test_values(built: Built, seeds: Seeds) -> None:
    """Fed with the database's calls and constants; batches of reviews may live elsewhere."""
    assert built.values, "lm_value is empty"
    found = compare_values(
        built.calls,
        review_batches(built.calls) | reference_rows(built.reference),
        built.values,
        seeds,
        built.as_of,
        str(project.project_vars()["lm_version"]),
    )
    assert not found, found.report()
