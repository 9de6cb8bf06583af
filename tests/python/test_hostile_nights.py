"""Nights over rows that nobody should write: they stop nothing, lose nothing and are counted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pytest
from conftest import ROOT, TestTarget
from hostile import wild_source
from oracle_calls import calls_of, latest_reviews, plausible, within
from oracle_data import Source, simulated_source
from oracle_reference import Monday
from oracle_seeds import load_seeds
from pipeline_cases import RULE_METRICS, Row, execute, fill, moment, own_schema

NOW = datetime(2025, 3, 12, 12)
# A night of 10,000 takes minutes: for changes of the staging models.
CALLS = int(os.environ.get("LM_TEST_HOSTILE_CALLS", "2500"))
ROBOT_CALLS, REVIEWS = CALLS // 2, CALLS // 5
SEED = 20_261_127
# Of fewer calls one is more than a rounding.
LEAST_CALLS = 25


@dataclass(frozen=True)
class Night:
    """What `lm run` left of a source."""

    here: TestTarget
    source: Source
    said: str

    def one(self, statement: str) -> Any:
        return self.here.rows(statement)[0][0]


def variables(**more: Any) -> tuple[str, str]:
    return "--vars", json.dumps({"as_of": moment(NOW), **more})


def run(here: TestTarget, *words: str) -> tuple[int, str]:
    # What learns has tests of its own; here it would take most of the time.
    done = here.lm("run", "--no-train", "--no-score", "--no-forecast", *words, *variables())
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def night(target: TestTarget) -> Iterator[Night]:
    with own_schema(target, "hostile") as here:
        source = Source(*wild_source(SEED, CALLS, ROBOT_CALLS, REVIEWS))
        fill(here, source)
        if target.name != "embedded":
            # What other sessions may have left: days that are none.
            execute(
                here,
                "set session sql_mode = ''",
                f"update `{here.schema}`.call_history set context_start_time_dt = 0"
                " where history_id % 97 = 0",
                f"update `{here.schema}`.call_scores set score_date = '2025-00-00', call_date = 0"
                " where id % 97 = 0",
            )
            source = Source(
                [
                    {**row, "context_start_time_dt": None, "is_zero": True}
                    if row["history_id"] % 97 == 0
                    else row
                    for row in source.history
                ],
                [
                    {**row, "score_date": datetime.min, "call_date": None, "is_zero": True}
                    if row["id"] % 97 == 0
                    else row
                    for row in source.scores
                ],
            )
        code, said = run(here)
        assert code == 0, said
        yield Night(here, source, said)


def test_nothing_is_skipped_and_nothing_fails(night: Night) -> None:
    assert "skipped" not in night.said
    assert "failed" not in night.said
    assert "in error" not in night.said
    assert "no report" not in night.said


def test_every_call_has_every_metric(night: Night) -> None:
    calls = len(night.source.history)
    assert night.one("select count(*) from fct_call") == calls
    found = night.here.rows(
        "select metric_code, count(*) from lm_value where metric_group <> 'forecast' group by 1"
    )
    assert dict(found) == dict.fromkeys(RULE_METRICS, calls)


def test_nothing_is_lost_on_the_way(night: Night) -> None:
    all_are_counted(night)


def all_are_counted(night: Night, quarantined: int = 0) -> None:
    differences = night.here.rows(
        "select stat_date from vw_lm_tie_out where calls_difference <> 0 or talks_difference <> 0"
        " or bookings_difference <> 0"
    )
    assert not differences
    by_day = night.one("select sum(calls) from lm_daily_facts where dimension = 'all'")
    without = night.one("select count(*) from fct_call where call_date is null")
    assert by_day + without == len(night.source.history) - quarantined


def test_texts_are_what_a_page_can_show(night: Night) -> None:
    for column in ("operator_name", "source_channel", "service_name", "checklist"):
        longest, unseen = night.here.rows(
            f"select max(char_length({column})), coalesce(sum({column} regexp"
            " '[[:cntrl:]\u200b-\u200f\u202a-\u202e\ufeff]'), 0) from fct_call"
        )[0]
        assert longest <= 255
        assert unseen == 0, column


def test_oddities_are_counted_and_told(night: Night) -> None:
    """As many as a second count, from the rows, finds."""
    wanted = refusals(night.source)
    rows = night.here.rows(
        "select field, sum(flagged) from vw_lm_data_quality where check_kind = 'refused' group by 1"
    )
    found = {name: int(count) for name, count in rows if name in wanted}
    assert found == wanted
    assert all(count > 20 for count in wanted.values()), wanted
    told = night.here.lm("doctor", *variables()).stdout
    (line,) = [line for line in told.splitlines() if "refused values:" in line]
    assert all(f"{name} {count:,}" in line for name, count in wanted.items()), line


def refusals(source: Source) -> dict[str, int]:
    """Calls by field whose time or number cannot be one, in the call or its latest review."""
    reviews = latest_reviews(source.scores)
    counts: Counter[str] = Counter()
    for call in source.history:
        review = reviews.get(call["history_id"], {})
        counts.update(name for name, wrong in refused(call, review).items() if wrong)
    return dict(counts)


def refused(call: Row, review: Mapping[str, Any]) -> dict[str, bool]:
    def no_time(row: Mapping[str, Any], name: str) -> bool:
        value = row.get(name)
        return bool(row.get("is_zero")) or (value is not None and plausible(value) is None)

    stamp = call["context_start_time"]
    items = review.get("number_checklist")
    return {
        "start": no_time(call, "context_start_time_dt")
        or bool(review and no_time(review, "call_date"))
        or (stamp is not None and stamp != 0 and not 631_152_000 <= stamp < 2_145_830_400),
        "review_date": bool(review and no_time(review, "score_date")),
        "checklist_items": items is not None and within(items, 100) is None,
    }


# Of one row each: what a wrong key, a stuck counter or a dead battery leaves.
WILD_VALUES = (
    ("scores", {"number_checklist": 2**31 - 1}),
    ("scores", {"number_checklist": 99}),
    ("scores", {"score_date": datetime(1990, 1, 1)}),
    ("history", {"talk_duration": 65_535}),
    ("history", {"context_start_time_dt": datetime(1990, 1, 1)}),
)


@pytest.mark.parametrize("wild", WILD_VALUES, ids=lambda wild: str(wild[1]))
def test_no_wild_value_moves_a_constant(wild: tuple[str, Row]) -> None:
    """By the oracle, which test_metrics_against_oracle holds the database to.

    A row that tells nothing any more may be missed, one in hundreds, but pulls nowhere.
    """
    table, changes = wild
    seeds, day = load_seeds(ROOT / "seeds"), date(2025, 9, 29)
    source = simulated_source(28, date(2025, 9, 1), seed=3)
    # A checklist of few reviews, whose greatest count is its only sign of length.
    rare = [row["id"] for row in source.scores if row["number_checklist"]][:70]
    source.scores[:] = [
        {**row, "category_checklist": "редкий"} if row["id"] in rare else row
        for row in source.scores
    ]
    rows = getattr(source, table)
    place = next(
        i
        for i, row in enumerate(rows)
        if (row["talk_duration"] or 0) > 30 and (table == "history" or row["number_checklist"])
    )
    spoilt = replace(
        source, **{table: [*rows[:place], {**rows[place], **changes}, *rows[place + 1 :]]}
    )
    before, after = (
        Monday(calls_of(some.history, some.scores, seeds), day, seeds).constants()
        for some in (source, spoilt)
    )
    moved = {
        key: (row.value, after[key].value)
        for key, row in before.items()
        if row.n >= LEAST_CALLS and abs(after[key].value - row.value) > 0.08 * abs(row.value)
    }
    assert {key[0] for key in before} >= {"checklist_max", "review_lag", "load_factor"}
    assert not moved


SPOILT_CALL = 100
METRIC = "queue_impact_index"
SPOILT = f"history_id = {SPOILT_CALL} and metric_code = '{METRIC}'"
ROW_TESTS = ("assert_values_match_dictionary", "assert_reasons_add_up")
# Tests of lm_value that rows of somebody else's metric once failed.
UNKNOWING = (
    "relationships_lm_value_metric_code__metric_code__ref_lm_metric_dictionary_",
    "assert_every_call_has_every_metric",
    "assert_no_personal_data_in_values",
    "assert_reasons_have_texts",
    "assert_sampled_days_are_right",
)
STATISTICS = ("lm_daily_facts", "lm_daily_stats", "assert_daily_tables_match_calls")


def calls_by_day(here: TestTarget) -> dict[Any, int]:
    return dict(here.rows("select stat_date, calls from lm_daily_facts where dimension = 'all'"))


def of_rows_tested(here: TestTarget, *more: str, check: bool = True) -> tuple[int, str]:
    """The tests of the spoilt row and what comes after them."""
    done = here.dbt(
        "build", "--select", *ROW_TESTS, *STATISTICS, *more,
        vars={"as_of": moment(NOW)}, check=check,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def second(night: Night) -> tuple[Night, dict[Any, int], Any]:
    """The next night, after somebody has spoilt a value and written rows of a metric of his own.

    With the days as they were, and the value.
    """
    here = night.here
    before = calls_by_day(here)
    value = night.one(f"select value_numeric from lm_value where {SPOILT}")
    execute(
        here,
        f"update `{here.schema}`.lm_value set value_numeric = 777 where {SPOILT}",
        f"insert into `{here.schema}`.lm_value (history_id, metric_code, metric_group,"
        " value_numeric, value_label, value_json, lm_version, calc_method) select history_id,"
        " 'mood_of_the_moon', 'operational', 5000, 'full', '{}', 'theirs', 'moon'"
        f" from `{here.schema}`.fct_call where history_id <= {SPOILT_CALL}",
    )
    if here.name == "embedded":
        code, said = run(here)
        assert code == 5, said
        assert "quarantine: 1 call is left out" in said
        assert "skipped" not in said
        assert "relationships_lm_value" in said
    else:
        # What takes part: a whole night once more tells nothing of the engine.
        _, said = of_rows_tested(here, *UNKNOWING, "lm_period_stats")
    return Night(here, night.source, said), before, value


def test_a_bad_row_takes_its_call_out_and_stops_nothing(
    second: tuple[Night, dict[Any, int], Any],
) -> None:
    night, before, _ = second
    here = night.here
    found = here.rows("select history_id, check_name, since, todo_en, todo_ru from lm_quarantine")
    assert {(row[0], row[1]) for row in found} == {(SPOILT_CALL, name) for name in ROW_TESTS}
    assert all(row[2] == NOW and row[3] and row[4] for row in found)
    day = night.one(f"select call_date from fct_call where history_id = {SPOILT_CALL}")
    assert calls_by_day(here) == {**before, day: before[day] - 1}
    # Out of the percentiles and the periods too; and no loss by the books.
    for table in ("lm_daily_stats", "lm_period_stats"):
        most = night.one(f"select max(value_p90) from {table} where metric_code = '{METRIC}'")
        assert most <= 100
    all_are_counted(night, quarantined=1)


def test_the_quarantine_is_told(second: tuple[Night, dict[Any, int], Any]) -> None:
    here = second[0].here
    doctor = here.lm("doctor", *variables()).stdout
    assert "1 call fails assert_reasons_add_up" in doctor
    page = here.lm("report", "--lang", "en", "--format", "text", *variables()).stdout
    assert "Calls in quarantine: 1" in page


def test_rows_of_unknown_metrics_are_kept_and_stop_nothing(
    second: tuple[Night, dict[Any, int], Any],
) -> None:
    night = second[0]
    assert night.one("select count(*) from lm_value where metric_code = 'mood_of_the_moon'") == 100
    assert not night.one("select count(*) from lm_daily_stats where metric_code like 'mood%'")


def test_wrong_rules_stop_the_night_and_what_is_mended_comes_back(
    second: tuple[Night, dict[Any, int], Any],
) -> None:
    night, before, value = second
    here = night.here
    table = f"`{here.schema}`.lm_value"
    execute(here, (f"update {table} set value_numeric = %s where {SPOILT}", (value,)))
    of_rows_tested(here)
    assert not here.rows("select 1 from lm_quarantine")
    assert calls_by_day(here) == before
    which = f"metric_code = '{METRIC}' and value_numeric is not null"
    execute(here, f"update {table} set value_numeric = value_numeric + 1000 where {which}")
    code, said = of_rows_tested(here, check=False)
    assert code == 1
    assert "SKIP" in said
    assert not here.rows("select 1 from lm_quarantine")
