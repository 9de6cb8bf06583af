"""Installations that differ: other names and schemas, older tables, other zones, few calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from conftest import TestTarget
from oracle_data import Source
from pipeline_cases import (
    KEYS,
    RULE_METRICS,
    Row,
    Table,
    a_review,
    assert_same,
    by_caller,
    clinic,
    copy_seeds,
    execute,
    fill,
    insert,
    meaning,
    moment,
    own_database,
    own_schema,
    read,
    run,
    skip_unless,
)

from python_scoring.base import dbt_runner
from python_scoring.base.source_tables import OPTIONAL_COLUMNS, REQUIRED_COLUMNS


@dataclass(frozen=True)
class Elsewhere:
    """An older installation with its tables under other names in a schema of their own."""

    target: TestTarget
    sources: str
    variables: dict[str, Any]
    tables: dict[str, Table]


@pytest.fixture(scope="module")
def elsewhere(target: TestTarget) -> Iterator[Elsewhere]:
    # The embedded engine has no other charset.
    charset = "utf8mb4" if target.name == "embedded" else "latin1"
    sources = f"{target.schema[:45]}_pbx"
    names = {"call_history": "pbx_calls", "call_scores": "pbx_reviews"}
    variables = {
        "source_schema": sources,
        "call_history_identifier": names["call_history"],
        "call_scores_identifier": names["call_scores"],
    }
    source = clinic()
    older = [
        {name: value for name, value in row.items() if name != "refusal_category_code"}
        for row in source.scores
    ]
    with (
        own_database(target, sources),
        own_schema(target, "else", salt="", charset=charset) as here,
    ):
        fill(here, Source(source.history, older), sources, variant="old", **names)
        run(here, *dbt_runner.BUILD, **variables)
        tables = {name: read(here, name) for name in ("fct_call", "lm_value")}
        yield Elsewhere(here, sources, variables, tables)
        # The keys would hold the sources' schema.
        execute(here, f"drop database if exists `{here.schema}`")


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


def test_sources_elsewhere(elsewhere: Elsewhere) -> None:
    calls, values = elsewhere.tables["fct_call"], elsewhere.tables["lm_value"]
    assert len(calls) == len(clinic().history)
    assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    here = elsewhere.target
    rows = here.rows(
        "select constraint_name, referenced_table_schema, referenced_table_name"
        " from information_schema.key_column_usage where table_schema = %s"
        " and table_name = 'lm_value' and referenced_table_name is not null",
        (here.schema,),
    )
    assert {tuple(text(value) for value in row) for row in rows} == {
        ("fk_lm_value_call_history", elsewhere.sources, "pbx_calls"),
        ("fk_lm_value_call_scores", elsewhere.sources, "pbx_reviews"),
    }


def test_docs_of_sources_elsewhere(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    run(here, "docs", "generate", "--static", **elsewhere.variables)
    folder = here.folder / "target"
    assert (folder / "static_index.html").stat().st_size > 1_000_000
    catalog = json.loads((folder / "catalog.json").read_text())
    found = catalog["nodes"]["model.operabot_lm.lm_value"]
    assert found["metadata"]["schema"] == here.schema
    assert {"id", "history_id", "value_json"} <= {name.lower() for name in found["columns"]}
    source = catalog["sources"]["source.operabot_lm.operabot.call_history"]
    assert source["metadata"]["schema"] == elsewhere.sources


def test_review_id_follows_the_source(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    for table in ("int_calls", "fct_call", "lm_value"):
        rows = here.rows(
            "select column_type from information_schema.columns where table_schema = %s"
            " and table_name = %s and column_name = 'call_score_id'",
            (here.schema, table),
        )
        assert "unsigned" in text(rows[0][0]), table


def test_text_scores_are_numbers(elsewhere: Elsewhere) -> None:
    latest: dict[int, Row] = {}
    for review in sorted(clinic().scores, key=lambda row: (row["score_date"], row["id"])):
        latest[review["history_id"]] = review
    for (call,), row in elsewhere.tables["fct_call"].items():
        mark = latest[call]["call_score"] if call in latest else None
        found = row["call_score_raw"]
        assert (found is None) == (mark is None), call
        assert found is None or abs(float(found) - float(mark)) < 0.001, call


def test_cyrillic_is_intact(elsewhere: Elsewhere) -> None:
    """In a target schema whose own charset is latin1, where the engine has it."""
    names = {row["operator_name"] for row in elsewhere.tables["fct_call"].values()}
    assert "Иванова Анна" in names
    assert not any("?" in name for name in names)
    here = elsewhere.target
    rows = here.rows(
        "select name_ru from lm_metric_dictionary where metric_code = 'churn_risk_level'"
    )
    assert "?" not in text(rows[0][0])
    assert any("а" <= sign <= "я" for sign in text(rows[0][0]))
    categories = {row["call_category"] for row in elsewhere.tables["fct_call"].values()}
    assert {"booking", "lead", "none"} <= categories


def test_no_salt_still_gives_one_key_a_caller(elsewhere: Elsewhere) -> None:
    numbers = {
        row["history_id"]: "".join(
            sign
            for sign in row["caller_number" if row["context_type"] == 1 else "called_number"]
            if sign.isdigit()
        )[-10:]
        for row in clinic().history
        if row["context_type"] in (1, 2)
    }
    callers = by_caller(elsewhere.tables["fct_call"])
    assert callers
    for key, calls in callers.items():
        assert len({numbers[call] for call in calls}) == 1, key
    pairs = {(numbers[call], key) for key, calls in callers.items() for call in calls}
    assert len(pairs) == len({number for number, _ in pairs})
    assert any(len(calls) > 1 for calls in callers.values())
    # The salt drawn is kept: the next run finds the same keys.
    salts = elsewhere.target.rows("select salt from lm_caller_salt")
    assert len(salts) == 1
    assert len(text(salts[0][0])) == 64


def test_zone_of_the_server_changes_nothing(elsewhere: Elsewhere) -> None:
    """On the embedded engine alone: the servers may have other users."""
    here = elsewhere.target
    skip_unless(here, "embedded")
    before = {name: read(here, name) for name in ("fct_call", "lm_value")}
    old = text(here.rows("select @@global.time_zone")[0][0])
    try:
        execute(here, "set global time_zone = '-05:00'")
        run(here, lm_sweep=True, **elsewhere.variables)
    finally:
        execute(here, f"set global time_zone = '{old}'")
    for name, table in before.items():
        assert_same(table, read(here, name))


# Columns that are not there


@pytest.fixture(scope="module")
def bare(target: TestTarget, elsewhere: Elsewhere) -> Iterator[TestTarget]:
    """Source tables with the required columns and no optional one."""
    with own_schema(target, "bare") as here:
        copy_seeds(elsewhere.target, here)
        fill(here, clinic())
        for table, columns in OPTIONAL_COLUMNS.items():
            dropped = ", ".join(f"drop column {name}" for name in columns)
            execute(here, f"alter table `{here.schema}`.{table} {dropped}")
        yield here


def test_optional_columns_may_be_missing(bare: TestTarget, elsewhere: Elsewhere) -> None:
    run(bare)
    calls, values = read(bare, "fct_call"), read(bare, "lm_value")
    assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    for key, row in elsewhere.tables["fct_call"].items():
        found = calls[key]
        assert found["talk_sec"] == row["talk_sec"]
        assert found["outcome"] == row["outcome"]
        assert found["duration_sec"] is None
        assert found["refusal_code"] is None
        assert found["source_channel"] == "unknown"


@pytest.mark.parametrize(
    ("table", "column"), [("call_history", "await_sec"), ("call_scores", "score_date")]
)
def test_missing_required_column_is_named(bare: TestTarget, table: str, column: str) -> None:
    assert column in REQUIRED_COLUMNS[table]
    kind = {"await_sec": "smallint unsigned null", "score_date": "datetime not null"}[column]
    whole = f"`{bare.schema}`.{table}"
    execute(bare, f"alter table {whole} change column {column} was_{column} {kind}")
    try:
        done = run(bare, check=False)
    finally:
        execute(bare, f"alter table {whole} change column was_{column} {column} {kind}")
    assert done.returncode == 1
    told = " ".join(done.stdout.split())
    assert f"lacks the required column(s) {column}" in told


# Few calls


def a_call(number: int, start: datetime, talk: int) -> Row:
    return {
        "history_id": number,
        "context_type": 1,
        "caller_number": f"8999000{number:04d}",
        "called_number": "70010000001",
        "talk_duration": talk,
        "await_sec": 11,
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "entry_id": f"few-{number}",
        "created_at": moment(start),
    }


def test_from_nothing_to_a_first_few(target: TestTarget) -> None:
    """Empty tables, one call, unanswered calls alone, then reviews that all are 0."""
    skip_unless(target, "embedded")  # Nothing here depends on the engine.
    with own_schema(target, "few") as here:
        fill(here, Source([], []))
        run(here, *dbt_runner.BUILD)
        for table in ("int_calls", "fct_call", "lm_value", "lm_reference"):
            assert read(here, table) == {}, table

        insert(here, "call_history", a_call(1, datetime(2025, 9, 17, 12), 0))
        run(here)
        values = read(here, "lm_value")
        assert set(values) == {(1, metric) for metric in RULE_METRICS}
        assert values[1, "followup_needed_flag"]["value_label"] == "true"
        assert values[1, "lost_opportunity_score"]["value_json"]["gate"] == "IMMATURE"
        assert values[1, "normalized_call_score"]["value_json"]["status"] == "gated"
        assert values[1, "normalized_call_score"]["value_numeric"] is None

        # Into another week, so that there are constants learnt from nothing but missed calls.
        for number in range(2, 12):
            insert(here, "call_history", a_call(number, datetime(2025, 9, 10 + number, 12), 0))
        run(here, as_of=datetime(2025, 9, 30))
        values = read(here, "lm_value")
        assert len(values) == 11 * len(RULE_METRICS)
        assert {
            row["value_numeric"] for (_, m), row in values.items() if m == "conversion_score"
        } == {None}

        for number in range(12, 22):
            start = datetime(2025, 9, 10 + number - 5, 15)
            insert(here, "call_history", a_call(number, start, 60))
            review = a_review(number, number, start.replace(hour=20), call_score=0)
            insert(here, "call_scores", review)
        run(here, as_of=datetime(2025, 9, 30))
        values = read(here, "lm_value")
        assert len(values) == 21 * len(RULE_METRICS)
        # A target call may have earned a 0: a 0 is "not scored" only on the others.
        assert {
            row["value_numeric"]
            for (call, metric), row in values.items()
            if metric == "normalized_call_score" and call >= 12
        } == {0}
        before = {name: read(here, name) for name in KEYS}
        run(here, "run", as_of=datetime(2025, 9, 30))
        for name, table in before.items():
            assert_same(meaning(table), meaning(read(here, name)))
