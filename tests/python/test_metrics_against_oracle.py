"""The database against the oracle: every call, every constant, every value.

Two sets of data on every engine. `current` holds, side by side, the worked
worked examples, a year of regular callers, a simulated clinic and hostile
rows. `old` holds hostile rows in the older shape of the source tables, under
parameters that switch on what the defaults leave off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hostile import hostile_source
from oracle_base import Batch, Row
from oracle_calls import calls_of
from oracle_cases import AS_OF, Cases, Wanted, example_cases
from oracle_compare import (
    Mismatches,
    batch_rows,
    compare_batches,
    compare_calls,
    compare_reference,
    compare_values,
    plain,
    reference_rows,
)
from oracle_data import Source, simulated_source, year_source
from oracle_reference import reference_of
from oracle_scores import review_batches
from oracle_seeds import Seeds, load_seeds
from pipeline_cases import BUILD

from python_scoring.base import project
from python_scoring.base.source_tables import create_source_tables

HOSTILE_CALLS = 1_000
YEAR_CALLS = 1_200
TABLES = (
    "call_history",
    "call_scores",
    "fct_call",
    "lm_reference",
    "int_review_batches",
    "lm_value",
)
# What is off or out of reach by default: parameter -> value in the data set `old`.
CHANGED_PARAMS = {
    "score_bias_mode": "2",
    "bias_min_reviews": "4",
    "bias_min_operators": "2",
    "lost_include_cancellations": "1",
    "checklist_min_reviews": "10",
}
CONSTANTS = {
    "booking_share",
    "call_again_rate",
    "checklist_max",
    "cross_sell_any",
    "cross_sell_suggest",
    "late_booking_rate",
    "load_factor",
    "loss_scale",
    "mean_ticket",
    "review_lag",
    "score_mean",
    "talk_length",
    "talk_length_category",
    "target_share",
}
# The rare ones; others come by the hundred.
CURRENT_REASONS = {
    ("complaint_risk_flag", "DROPPED"),
    ("complaint_risk_flag", "NO_CLINIC_TRIGGER"),
    ("complaint_risk_flag", "PROMISE_NOT_KEPT"),
    ("complaint_risk_flag", "REPEAT_CALL"),
    ("followup_needed_flag", "DENY_EXCLUDED_CATEGORY"),
    ("followup_needed_flag", "DENY_FREQUENT_NUMBER"),
    ("followup_needed_flag", "EXPIRED"),
    ("followup_needed_flag", "SUPERSEDED"),
    ("normalized_call_score", "SCALE_GUESS"),
    ("script_risk_index", "OTHER"),
    ("script_risk_index", "TYPE_CONFLICT"),
}
OLD_REASONS = {
    ("normalized_call_score", "BATCH_BIAS"),
    ("normalized_call_score", "CALIBRATION"),
    ("normalized_call_score", "CLAMP"),
}
CALIBRATED = (date(2025, 2, 3), date(2025, 2, 9), 10, 3.5)
NEW_CHECKLIST = ("лид", date(2025, 2, 1), (50, 30, 20))

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Built:
    """What is in the database after one run of dbt, read once."""

    data_set: str
    seeds: Seeds
    tables: dict[str, Rows]

    def __getattr__(self, name: str) -> Rows:
        return self.tables[name]

    @property
    def reference(self) -> dict[tuple[str, str, date], Row]:
        return reference_rows(self.tables["lm_reference"])

    @property
    def batches(self) -> dict[date, Batch]:
        return batch_rows(self.tables["int_review_batches"])


def sources(data_set: str) -> list[Source]:
    if data_set == "old":
        return [Source(*hostile_source(11, HOSTILE_CALLS, score_as_text=True))]
    parts = (
        example_cases().source,
        year_source(3, YEAR_CALLS, begin=datetime(2024, 1, 22), weeks=58),
        simulated_source(45, date(2025, 1, 26), seed=7),
        Source(*hostile_source(7, HOSTILE_CALLS)),
    )
    return [part.shifted(100_000 * index) for index, part in enumerate(parts)]


def changed(seeds: Seeds) -> tuple[Seeds, list[tuple[str, tuple[Any, ...]]]]:
    """The seeds of the data set `old`, and the statements that make them so in the database.

    A bias of the batches, a calibrated week, a newer checklist, losses by cancellations, no prices.
    """
    params = [
        {**row, "value": CHANGED_PARAMS.get(row["param"], row["value"])} for row in seeds.params
    ]
    checklist, since, weights = NEW_CHECKLIST
    statements: list[tuple[str, tuple[Any, ...]]] = [
        ("update {}.lm_rule_params set value = %s where param = %s", (value, name))
        for name, value in CHANGED_PARAMS.items()
    ]
    statements += [
        (
            "insert into {}.lm_score_calibration"
            " (valid_from, valid_to, scale, score_offset) values (%s, %s, %s, %s)",
            CALIBRATED,
        ),
        ("update {}.lm_services set avg_ticket = null", ()),
        *(
            (
                "insert into {}.lm_checklist (checklist, item_no, weight, valid_from)"
                " values (%s, %s, %s, %s)",
                (checklist, number, weight, since),
            )
            for number, weight in enumerate(weights, start=1)
        ),
    ]
    checklists = {
        **seeds.checklists,
        checklist: [*seeds.checklists[checklist], (since, list(weights))],
    }
    calibration = [*seeds.calibration, CALIBRATED]
    free = {
        name: {key: replace(service, ticket=None) for key, service in getattr(seeds, name).items()}
        for name in ("services_by_id", "services_by_name", "services_by_speciality")
    }
    new = replace(seeds, params=params, calibration=calibration, checklists=checklists, **free)
    return new, statements


def read(target: Any, table: str) -> Rows:
    with (
        closing(target.connect()) as connection,
        closing(connection.cursor(dictionary=True)) as cursor,
    ):
        cursor.execute(f"select * from `{target.schema}`.{table}")
        return [{name: plain(value) for name, value in row.items()} for row in cursor.fetchall()]


def build(target: Any, data_set: str, seeds: Seeds) -> Built:
    """Fill the source tables, run dbt and read what came of it."""
    variables = {"as_of": f"{AS_OF:%Y-%m-%d %H:%M:%S}"}
    with closing(target.connect()) as connection:
        variant = "old" if data_set == "old" else "current"
        create_source_tables(connection, target.schema, variant=variant)
        for source in sources(data_set):
            source.insert(connection, target.schema)
    if data_set == "old":
        target.dbt("seed")
        seeds, statements = changed(seeds)
        with closing(target.connect()) as connection, closing(connection.cursor()) as cursor:
            for statement, values in statements:
                cursor.execute(statement.format(f"`{target.schema}`"), values)
            connection.commit()
        target.dbt("run", vars=variables)
    else:
        target.dbt(*BUILD, vars=variables)
    # Sources as they are stored: what FLOAT and VARCHAR made of them is not the SQL's doing.
    return Built(data_set, seeds, {table: read(target, table) for table in TABLES})


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return load_seeds(project.project_dir() / "seeds")


@pytest.fixture(scope="module", params=("current", "old"))
def built(request: pytest.FixtureRequest, target: Any, seeds: Seeds) -> Iterator[Built]:
    """One data set, built in a schema of its own."""
    here = replace(target, schema=f"{target.schema[:45]}_{request.param}")
    with closing(target.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"drop database if exists `{here.schema}`")
        cursor.execute(f"create database `{here.schema}` default character set utf8mb4")
    try:
        yield build(here, request.param, seeds)
    finally:
        with closing(target.connect()) as connection:
            connection.cursor().execute(f"drop database if exists `{here.schema}`")


def test_calls(built: Built) -> None:
    offset = str(project.project_vars()["utc_offset"])
    oracle = calls_of(built.call_history, built.call_scores, built.seeds, offset)
    found = compare_calls(oracle, built.fct_call)
    assert not found, found.report()


def test_reference(built: Built) -> None:
    """Fed with the database's calls, so that a mistake there shows only there."""
    mondays = {row["as_of_date"] for row in built.lm_reference}
    assert mondays, "lm_reference is empty"
    assert all(day.weekday() == 0 and day <= AS_OF.date() for day in mondays), mondays
    oracle = reference_of(built.fct_call, mondays, built.seeds)
    found = compare_reference(oracle, built.lm_reference)
    assert not found, found.report()


def test_data_reach_what_can_be_told(built: Built) -> None:
    """A constant or a reason that no row has was compared by nobody."""
    if built.data_set == "current":
        assert {row["constant_code"] for row in built.lm_reference} == CONSTANTS
    told = {
        (row["metric_code"], reason["code"])
        for row in built.lm_value
        for reason in json.loads(row["value_json"]).get("reasons", [])
    }
    wanted = OLD_REASONS if built.data_set == "old" else CURRENT_REASONS
    assert not wanted - told


def test_every_week_with_history_has_its_constants(built: Built) -> None:
    weeks = {row["week_start_date"] for row in built.fct_call if row["week_start_date"]}
    first, last = min(weeks), AS_OF.date() - timedelta(days=AS_OF.weekday())
    known = {row["as_of_date"] for row in built.lm_reference}
    missing = {week for week in weeks if first + timedelta(days=7) <= week <= last} - known
    assert not missing, f"no constants for the weeks of {sorted(missing)}"


def test_review_batches(built: Built) -> None:
    """Fed with the database's means, which test_reference compares."""
    oracle = review_batches(built.fct_call, built.reference, built.seeds)
    found = compare_batches(oracle, built.int_review_batches)
    assert not found, found.report()


def test_values(built: Built) -> None:
    """Fed with the database's calls, constants and batches."""
    assert built.lm_value, "lm_value is empty"
    version = str(project.project_vars()["lm_version"])
    found = compare_values(
        built.fct_call,
        built.reference,
        built.batches,
        built.lm_value,
        built.seeds,
        AS_OF,
        version,
    )
    assert not found, found.report()


def test_statements_of_metrics_stay_readable(built: Built, target: Any) -> None:
    """As `print_metric` prints them for whoever looks for a wrong value."""
    compiled = target.folder / "target/compiled/operabot_lm/models/marts/core/lm_value.sql"
    for part in compiled.read_text().split("/* next part */ union all"):
        # The first and the last line are the bracket around the statement.
        *lines, end = part.strip().splitlines()[1:]
        assert len(lines) < 150, end
        assert max(map(len, lines)) <= 200, end


def test_worked_examples(built: Built) -> None:
    """The numbers worked out by hand, from rows of the source tables."""
    if built.data_set == "current":
        found = compare_examples(example_cases(), built.lm_value)
        assert not found, found.report()


def compare_examples(cases: Cases, values: Rows) -> Mismatches:
    stored = {(row["history_id"], row["metric_code"]): row for row in values}
    sources = {row["history_id"]: row for row in cases.history}
    found = Mismatches()
    for history_id, metric, wanted in cases.wanted:
        row = stored.get((history_id, metric))
        told = json.loads(row["value_json"]) if row else {}
        for what, ours, theirs in unlike(wanted, row or {}, told):
            where = f"call {history_id}"
            found.add(f"{metric}: {what}", where, ours, theirs, f"{sources[history_id]} {told}")
    return found


def unlike(wanted: Wanted, row: dict[str, Any], told: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What of an example differs; its numbers have the digits of the text."""
    points = {reason["code"]: reason["points"] for reason in told.get("reasons", [])}
    pairs: list[tuple[str, Any, Any]] = [("value", wanted.value, row.get("value_numeric"))]
    for name in ("gate", "status"):
        if (value := getattr(wanted, name)) is not None:
            pairs.append((name, value, told.get(name)))
    if wanted.label is not None:
        pairs.append(("label", wanted.label, row.get("value_label")))
    pairs += [(name, value, told.get(name)) for name, value in wanted.told.items()]
    pairs += [(code, value, points.get(code)) for code, value in wanted.points.items()]
    return [
        (name, ours, theirs)
        for name, ours, theirs in pairs
        if not (ours == theirs or close(ours, theirs))
    ]


def close(ours: Any, theirs: Any) -> bool:
    numbers = isinstance(ours, int | float) and isinstance(theirs, int | float)
    digits = len(repr(ours).partition(".")[2])
    return numbers and abs(ours - theirs) <= max(10**-4, 0.5 * 10**-digits if digits else 0)
