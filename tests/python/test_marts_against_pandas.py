"""Every mart against pandas: each row, each column, nothing missing and nothing extra.

One schema an engine: a simulated clinic of 45 days and hostile rows. The oracle is fed with the
database's calls and values, which test_metrics_against_oracle compares with the sources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from guide_cases import GUIDES, queries, questions, reader
from hostile import hostile_source
from oracle_compare import Mismatches, plain, same
from oracle_data import Source, simulated_source
from oracle_kpis import COUNTS, SUMS, kpi_daily, kpis_of
from oracle_lists import action_list, call_features
from oracle_marts import (
    SLICE,
    call_facts,
    calls_frame,
    daily_facts,
    daily_stats,
    values_frame,
    with_slices,
)
from oracle_periods import (
    MIN_SAMPLE,
    Rules,
    hourly_profile,
    measurements,
    period_summary,
    refusal_reasons,
    weekly_quality,
)
from oracle_scorecard import expected_bookings, scorecard, scored_calls, skill_variance
from pipeline_cases import BUILD, fill, run

AS_OF = datetime(2025, 3, 12, 12)
HOSTILE_CALLS = 400
# Half of the last digit that is asked for, and what sums of rounded numbers may add.
NEAR = 1e-4
FAR = 1e-7
# Ends of intervals: (their middle, the counts behind them). The SQL's t is an expansion.
INTERVALS = {
    "level": ("level", ("value_count",)),
    "change": ("level_change", ("value_count", "previous_count")),
    "aht_sec": ("aht_sec", ("talk_calls",)),
    "qa_score": ("qa_score", ("reviewed_calls",)),
}
T_IS_OFF = 2e-3
# Under so many values Welch's degrees of freedom lie where the expansion is a step.
TOO_FEW = 4
# Columns of incremental tables beside the yml's: macro bookkeeping_columns.
BOOKKEEPING = re.compile(r"(own_)?change_id|previous_\w+")
TEXTS = ("reasons_ru", "reasons_en", "action_ru", "action_en", "sort_key")

Table = Mapping[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Marts:
    """A built schema; what is worked out from it is worked out once."""

    target: Any

    def rows(self, table: str) -> list[dict[str, Any]]:
        with (
            closing(self.target.connect()) as connection,
            closing(connection.cursor(dictionary=True)) as cursor,
        ):
            cursor.execute(f"select * from {table}")
            return [{name: plain(value) for name, value in r.items()} for r in cursor.fetchall()]

    @cached_property
    def calls(self) -> pd.DataFrame:
        return calls_frame(self.rows("fct_call"))

    @cached_property
    def values(self) -> pd.DataFrame:
        return values_frame(self.rows("lm_value"))

    @cached_property
    def facts(self) -> pd.DataFrame:
        return call_facts(self.calls, self.values)

    @cached_property
    def daily_facts(self) -> Table:
        return daily_facts(self.facts)


@pytest.fixture(scope="module")
def marts(target: Any) -> Iterator[Marts]:
    parts = (
        simulated_source(45, date(2025, 1, 26), seed=7),
        Source(*hostile_source(7, HOSTILE_CALLS)),
    )
    for number, part in enumerate(parts):
        fill(target, part.shifted(100_000 * number))
    run(target, *BUILD, as_of=AS_OF)
    yield Marts(target)


def differences(
    ours: Table, rows: list[dict[str, Any]], key: list[str], without: Collection[str] = ()
) -> Mismatches:
    """Both tables by the key; a number may be off by NEAR, or by FAR of itself."""
    found = Mismatches()
    theirs = {tuple(row[name] for name in key): row for row in rows}
    assert len(theirs) == len(rows), f"the key {key} is not unique"
    for where in sorted(ours.keys() ^ theirs.keys(), key=str):
        found.add("rows", str(where), where in ours, where in theirs)
    columns = set(next(iter(theirs.values()), {})) - set(key) - set(without)
    for where in ours.keys() & theirs.keys():
        mine, other = ours[where], theirs[where]
        if columns ^ set(mine):
            found.add("columns", str(where), sorted(set(mine) - columns), columns - set(mine))
        for column in columns & set(mine):
            if not (equal(mine[column], other[column]) or near_interval(column, mine, other)):
                found.add(column, str(where), mine[column], other[column])
    return found


def equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return bool(ours == json.loads(theirs))
    return same(ours, theirs, rel=FAR, abs_tol=NEAR)


def near_interval(column: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether both are ends of the same interval, as far as the t quantile is known."""
    middle, counts = INTERVALS.get(column.rsplit("_", 1)[0], (None, ()))
    if column == "is_change_significant":
        middle, counts = INTERVALS["change"]
    if middle is None or ours[column] is None or theirs[column] is None:
        return False
    if middle == "level_change" and min(ours[name] for name in counts) < TOO_FEW:
        return True
    margins = [abs(row[column] - row[middle]) for row in (ours, theirs)]
    return column != "is_change_significant" and same(*margins, rel=T_IS_OFF, abs_tol=NEAR)


def test_data_reach_every_column(marts: Marts) -> None:
    """A count that is zero everywhere would be compared by nobody."""
    whole = [row for key, row in marts.daily_facts.items() if key[1] == "all"]
    empty = [name for name in whole[0] if not any(row[name] for row in whole)]
    assert not empty


def test_no_column_has_to_be_quoted(marts: Marts) -> None:
    """Only MySQL has a list of its reserved words."""
    if marts.target.name != "mysql":
        pytest.skip("asked of MySQL alone")
    reserved = marts.target.rows(
        "select columns.table_name, columns.column_name from information_schema.columns as columns"
        " inner join information_schema.keywords as words"
        " on words.word = upper(columns.column_name) and words.reserved = 1"
        " where columns.table_schema = %s and columns.table_name not in"
        " ('call_history', 'call_scores')",
        (marts.target.schema,),
    )
    assert not reserved


def test_daily_stats(marts: Marts) -> None:
    ours = daily_stats(marts.calls, marts.values)
    found = differences(ours, marts.rows("vw_lm_daily_stats"), [*SLICE, "metric_code"])
    assert not found, found.report()


def test_daily_facts(marts: Marts) -> None:
    found = differences(marts.daily_facts, marts.rows("lm_daily_facts"), SLICE)
    assert not found, found.report()


def test_sums_are_exact_to_the_last_digit(marts: Marts) -> None:
    """One sum in fifty ends in half a digit: doubles would round it by the order of the calls."""
    rows = with_slices(marts.facts)
    seconds = (rows["review_lag_days"].fillna(0).astype(float) * 86400).round().astype(int)
    sums = seconds.groupby([rows[name] for name in SLICE]).sum()
    wanted = {
        key: float((Decimal(int(total)) / 86400).quantize(Decimal("1e-6"), ROUND_HALF_UP))
        for key, total in sums.items()
    }
    stored = {
        tuple(row[name] for name in SLICE): row["review_lag_days"]
        for row in marts.rows("lm_daily_facts")
        if row["dimension"] != "refusal"
    }
    assert stored == wanted


def test_kpi_daily(marts: Marts) -> None:
    ours = kpi_daily(marts.daily_facts, AS_OF)
    found = differences(ours, marts.rows("vw_lm_kpi_daily"), SLICE)
    assert not found, found.report()


def test_period_summary(marts: Marts) -> None:
    rows = measurements(marts.values, marts.facts, AS_OF)
    ours = period_summary(marts.calls, rows, rules(marts), AS_OF)
    key = ["period_days", "dimension", "dimension_value", "metric_code"]
    found = differences(ours, marts.rows("vw_lm_period_summary"), key)
    assert not found, found.report()
    statuses = {row["status"] for row in ours.values()}
    assert statuses == {"good", "warning", "bad", "insufficient_data", None}
    assert {row["is_change_significant"] for row in ours.values()} == {0, 1, None}


def rules(marts: Marts) -> Rules:
    directions = {
        row[name]: row["direction"]
        for name, table in (
            ("metric_code", "lm_metric_dictionary"),
            ("kpi_code", "lm_kpi_dictionary"),
        )
        for row in marts.rows(table)
    }
    limits = {
        (row["metric_code"], row["period_days"]): (
            row["measure"],
            row["green_from"],
            row["red_from"],
            row["min_sample"],
        )
        for row in marts.rows("lm_status_rules")
    }
    labels = {
        row["metric_code"]: re.split(r"\W+", row["allowed_labels"] or "")
        for row in marts.rows("lm_metric_dictionary")
    }
    return Rules(directions, labels, limits)


def test_weekly_quality(marts: Marts) -> None:
    ours = weekly_quality(marts.calls, marts.values, AS_OF)
    key = ["week_start_date", "operator_name", "metric_code"]
    found = differences(ours, marts.rows("vw_lm_weekly_quality"), key)
    assert not found, found.report()


def test_hourly_profile(marts: Marts) -> None:
    ours = hourly_profile(marts.calls, marts.facts, AS_OF)
    key = ["span_weeks", "call_weekday", "call_hour"]
    found = differences(ours, marts.rows("vw_lm_hourly_profile"), key)
    assert not found, found.report()


def test_refusal_reasons(marts: Marts) -> None:
    ours = refusal_reasons(marts.calls, marts.facts, AS_OF)
    rows = marts.rows("vw_lm_refusal_reasons")
    seeds = ("name_ru", "name_en", "avoidable_weight")
    found = differences(ours, rows, ["period_days", "refusal_code"], seeds)
    assert not found, found.report()


def test_operator_scorecard(marts: Marts) -> None:
    ours = scorecard(marts.calls, marts.values, marts.facts, AS_OF)
    rows = marts.rows("vw_lm_operator_scorecard")
    found = differences(ours, rows, ["period_days", "operator_name"])
    assert not found, found.report()
    assert any(row["operator_rank"] for row in ours.values())


def test_interval_of_uplift_is_nearly_exact(marts: Marts) -> None:
    """Peers' calls weigh unlike; to take them as alike may narrow an interval by a few per cent."""
    calls = scored_calls(marts.calls, marts.values, marts.facts)
    wanting = calls[calls["wanting"]]
    judged = [
        name for name, n in wanting["operator_name"].value_counts().items() if n >= MIN_SAMPLE
    ]
    assert judged
    for name in judged:
        mine = wanting["operator_name"] == name
        found = expected_bookings(wanting[mine], wanting[~mine])
        assert found is not None
        assert found.pooled == pytest.approx(found.exact, rel=0.1), name


def test_action_list(marts: Marts) -> None:
    ours = action_list(marts.calls, marts.values, marts.rows("lm_action_lists"), AS_OF)
    rows = marts.rows("vw_lm_action_list")
    found = differences(ours, rows, ["list_code", "history_id"], TEXTS)
    assert not found, found.report()
    assert {key[0] for key in ours} == {row["list_code"] for row in marts.rows("lm_action_lists")}


def test_call_features(marts: Marts) -> None:
    """Every column but the forecasts', which python_scoring has not written here."""
    rows = marts.rows("vw_lm_call_features")
    ours = call_features(marts.rows("fct_call"), marts.values, rows[0])
    forecasts = [
        name
        for row in marts.rows("lm_metric_dictionary")
        if row["metric_group"] == "forecast"
        for name in (row["metric_code"], f"{row['metric_code']}_label")
    ]
    found = differences(ours, rows, ["history_id"], forecasts)
    assert not found, found.report()
    assert all(row[name] is None for row in rows for name in forecasts)


def test_expected_bookings_by_hand() -> None:
    """Peers booked 10 of 20 on the operator's kind of call and 20 of 20 on another.

    30/40 = 0.75, then (10 + 15)/40 = 0.625, (10 + 12.5)/40 = 0.5625, (10 + 11.25)/40 = 0.53125
    a call. Luck: 10 · 0.53125 · 0.46875 = 2.4902, and 5.3125 · 4.6875 / 40 = 0.6226 of the peers.
    """

    def calls(n: int, direction: str, booked: int) -> pd.DataFrame:
        kind = {
            "direction": direction,
            "known_caller": True,
            "service_group": "ent",
            "source_channel": "site",
        }
        return pd.DataFrame([{**kind, "booked": int(i < booked)} for i in range(n)])

    peers = pd.concat([calls(20, "in", 10), calls(20, "out", 20)], ignore_index=True)
    found = expected_bookings(calls(10, "in", 6), peers)
    assert found is not None
    assert found.bookings == pytest.approx(5.3125)
    assert found.pooled == pytest.approx(3.1128, abs=1e-4)


def test_skill_variance_by_hand() -> None:
    """Two operators at +10 and -10, each with a variance of 25: 200 between them, less 25."""
    assert skill_variance(np.array([10.0, -10.0]), np.array([25.0, 25.0])) == pytest.approx(175)
    assert skill_variance(np.array([3.0, -3.0]), np.array([25.0, 25.0])) == 0


def test_kpis_by_hand() -> None:
    """Of 12 offered calls 9 were answered, 6 in time; 2 hung up at once; 5 of 8 wanting booked."""
    facts = dict.fromkeys({*COUNTS.values(), *SUMS}, 0) | {
        "incoming_calls": 12,
        "incoming_answered": 9,
        "incoming_abandoned": 3,
        "short_abandons": 2,
        "sla_calls": 10,
        "answered_in_sla": 6,
        "wanting_calls": 8,
        "bookings": 5,
        "talk_sec": 1800,
        "operator_hours": 2,
        "repeat_base_calls": 4,
        "repeat_calls": 1,
    }
    wanted = {
        "abandonment_rate": 0.25,
        "service_level": 0.6,
        "conversion_rate": 0.625,
        "line_use": 0.25,
        "fcr_proxy": 0.75,
        "cancellation_share": None,
    }
    found = kpis_of(facts)
    assert {name: found[name] for name in wanted} == wanted


def test_ready_questions_and_guides_run(marts: Marts) -> None:
    """On every engine; the questions about calls have answers on these data."""
    answers = {name: marts.target.rows(sql) for name, sql in questions(marts.target).items()}
    assert {name for name, rows in answers.items() if not rows} <= {
        "can_forecasts_be_trusted",
        "did_the_scenario_deliver",
        "what_next_week_brings",
    }, "no forecast was made here; all others"
    for guide in GUIDES:
        for statement in queries(guide):
            marts.target.rows(statement)


def test_reader_sees_results_and_nothing_else(marts: Marts) -> None:
    if marts.target.name == "embedded":
        pytest.skip("no accounts to connect with there")
    schema = marts.target.schema
    tables = [
        name
        for (name,) in marts.target.rows(
            "select table_name from information_schema.tables where table_schema = %s", (schema,)
        )
    ]
    grants = [line for (line,) in marts.target.rows(questions(marts.target)["grants_for_readers"])]
    granted = {re.split("`", line)[3] for line in grants}
    assert {name for name in tables if name.startswith("vw_lm_")} < granted
    with reader(marts.target, grants) as refusal:
        for name in tables:
            refused = refusal(f"select * from {schema}.{name} limit 1")
            assert bool(refused) == (name not in granted), f"{name}: {refused}"
        for statement in (
            f"delete from {schema}.lm_value",
            f"create table {schema}.mine (id int)",
            f"drop view {schema}.vw_lm_kpi_daily",
        ):
            assert "denied" in refusal(statement), statement


def test_the_yml_names_the_columns_that_there_are(marts: Marts) -> None:
    manifest = json.loads(
        (marts.target.folder / "target" / "manifest.json").read_text(encoding="utf-8")
    )
    there: dict[str, set[str]] = {}
    for table, column in marts.target.rows(
        "select table_name, column_name from information_schema.columns where table_schema = %s",
        (marts.target.schema,),
    ):
        there.setdefault(table, set()).add(column)
    found = {}
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        name = node.get("identifier") or node["name"]
        if node["resource_type"] not in ("model", "seed", "source") or name not in there:
            continue
        named = set(node["columns"])
        unnamed = {c for c in there[name] - named if not BOOKKEEPING.fullmatch(c)}
        if name == "int_rule_params":  # a column a parameter
            unnamed -= {row["param"] for row in marts.rows("lm_rule_params")}
        if name == "int_counted_calls":  # fct_call's rows but for the quarantined
            unnamed -= there["fct_call"]
        if unnamed or named - there[name]:
            found[name] = (sorted(unnamed), sorted(named - there[name]))
    assert len(there) > 50
    assert found == {}
