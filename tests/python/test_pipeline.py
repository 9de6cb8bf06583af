"""The pipeline as its user relies on it: what a run writes, what it leaves alone, what it survives.

One small clinic of 14 days; tests that change a schema count from what they find there.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestTarget
from pipeline_cases import (
    END,
    KEYS,
    NOW,
    PATIENT,
    RULE_METRICS,
    SALT,
    CopiedProject,
    Table,
    a_review,
    assert_same,
    by_caller,
    clinic,
    copy_seeds,
    execute,
    fill,
    history_ids,
    insert,
    kill,
    meaning,
    moment,
    newest,
    output,
    own_folder,
    own_schema,
    read,
    relations,
    report,
    run,
    running,
    skip_unless,
    text,
    texts,
    unlike,
    until,
    wait_for,
)

from python_scoring.base import dbt_runner
from python_scoring.base.caller_salt import CallerSalt

WRITTEN = ("int_calls", "fct_call", "lm_reference", "int_review_batches", "lm_value")
DERIVED = ("fct_call", "lm_reference", "int_week_facts", "int_known_facts", "int_review_batches")
# Metrics that the passing of time alone may change.
TIMED = {
    *("lost_opportunity_score", "complaint_risk_flag", "followup_needed_flag"),
    # What is still expected of it.
    "conversion_score",
}


@dataclass(frozen=True)
class Fresh:
    """A schema after one `dbt build` of the whole clinic, and its tables as they were then."""

    target: TestTarget
    tables: dict[str, Table]
    output: str


@pytest.fixture(scope="module")
def fresh(target: TestTarget) -> Iterator[Fresh]:
    with own_schema(target, "fresh") as here:
        fill(here, clinic())
        # With the unit tests: here they run on each database.
        done = run(here, "build")
        yield Fresh(here, {name: read(here, name) for name in KEYS}, done.stdout)


def assert_as_fresh(here: TestTarget, fresh: Fresh, *tables: str) -> None:
    """The same tables as one build of everything gives, ids and times of writing apart."""
    for table in tables or (*DERIVED, "lm_value"):
        assert_same(meaning(fresh.tables[table]), meaning(read(here, table)))


# What a build leaves


def test_every_call_has_every_metric(fresh: Fresh) -> None:
    calls, values = fresh.tables["fct_call"], fresh.tables["lm_value"]
    assert set(calls) == set(fresh.tables["call_history"])
    assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    assert {(m, row["metric_group"]) for (_, m), row in values.items()} == set(RULE_METRICS.items())
    kinds = {(row["is_answered"], row["is_reviewed"]) for row in calls.values()}
    assert kinds >= {(0, 0), (1, 0), (1, 1)}, "the clinic lacks a kind of call"
    reviews = {(call, row["call_score_id"]) for (call,), row in calls.items()}
    assert {(call, row["call_score_id"]) for (call, _), row in values.items()} == reviews
    for row in values.values():
        if row["value_numeric"] is None and row["metric_group"] != "aux":
            assert row["value_label"] is None
            assert row["value_json"]["status"] in ("gated", "no_data")


def test_contract_of_columns(fresh: Fresh) -> None:
    rows = fresh.target.rows(
        "select column_name, lower(column_type), is_nullable, lower(coalesce(column_default, '')),"
        " lower(extra), column_comment, coalesce(character_set_name, '')"
        " from information_schema.columns where table_schema = %s and table_name = 'lm_value'"
        " order by ordinal_position",
        (fresh.target.schema,),
    )
    found = {text(row[0]): [text(value) for value in row[1:]] for row in rows}
    wanted = {
        "id": ("bigint unsigned", "NO"),
        "history_id": ("int unsigned", "NO"),
        "call_score_id": ("int", "YES"),
        "metric_code": ("varchar(64)", "NO"),
        "metric_group": ("varchar(32)", "NO"),
        "value_numeric": ("decimal(10,4)", "YES"),
        "value_label": ("varchar(255)", "YES"),
        "value_json": ("json", "YES"),
        "lm_version": ("varchar(32)", "NO"),
        "calc_method": ("varchar(32)", "NO"),
        "calc_source": ("varchar(64)", "YES"),
        "created_at": ("datetime", "NO"),
        "updated_at": ("datetime", "YES"),
    }
    assert list(found) == list(wanted)
    # Display widths such as int(11) come and go with the engine; MariaDB's JSON is a longtext.
    shown = {name: (plain_type(row[0]), row[1]) for name, row in found.items()}
    assert shown == wanted
    assert "auto_increment" in found["id"][3]
    assert found["created_at"][2].startswith(("current_timestamp", "now"))
    updated = found["updated_at"]
    assert "on update current_timestamp" in updated[3] or fresh.target.name == "embedded"
    assert updated[2] in ("", "null")
    assert all(row[4].strip() for row in found.values()), "a column has no comment"
    assert {row[5] for row in found.values()} <= {"", "utf8mb4"}


def plain_type(column_type: str) -> str:
    for name in ("bigint", "int"):
        if column_type.startswith(f"{name}("):
            return name + column_type.partition(")")[2]
    return "json" if column_type == "longtext" else column_type


def test_contract_of_keys(fresh: Fresh) -> None:
    schema = fresh.target.schema
    rows = fresh.target.rows(
        "select index_name, non_unique, column_name from information_schema.statistics"
        " where table_schema = %s and table_name = 'lm_value' order by index_name, seq_in_index",
        (schema,),
    )
    keys: dict[str, tuple[bool, list[str]]] = {}
    for name, non_unique, column in rows:
        keys.setdefault(text(name), (not int(non_unique), []))[1].append(text(column))
    assert keys["PRIMARY"] == (True, ["id"])
    assert keys["uq_lm_value_history_metric"] == (True, ["history_id", "metric_code"])
    assert keys["idx_lm_value_history"] == (False, ["history_id"])
    assert keys["idx_lm_value_call_score"] == (False, ["call_score_id"])
    assert keys["idx_lm_value_metric_group"] == (False, ["metric_group"])
    made = fresh.target.rows("show create table lm_value")[0][1]
    assert "utf8mb4" in text(made)
    assert fresh.target.name == "embedded" or "ENGINE=InnoDB" in text(made)


def foreign_keys(target: TestTarget) -> set[tuple[str, ...]]:
    rows = target.rows(
        "select constraint_name, column_name, referenced_table_schema, referenced_table_name,"
        " referenced_column_name from information_schema.key_column_usage where table_schema = %s"
        " and table_name = 'lm_value' and referenced_table_name is not null",
        (target.schema,),
    )
    return {tuple(text(value) for value in row) for row in rows}


def test_foreign_keys_are_enforced(fresh: Fresh) -> None:
    schema = fresh.target.schema
    assert foreign_keys(fresh.target) == {
        ("fk_lm_value_call_history", "history_id", schema, "call_history", "history_id"),
        ("fk_lm_value_call_scores", "call_score_id", schema, "call_scores", "id"),
    }
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        execute(fresh.target, f"delete from `{schema}`.call_history where history_id = 53")


# What a second run writes


def test_second_run_writes_nothing(fresh: Fresh) -> None:
    before = {name: read(fresh.target, name) for name in KEYS}
    run(fresh.target)
    for name, table in before.items():
        assert_same(table, read(fresh.target, name))


def test_another_calc_source_changes_nothing(fresh: Fresh) -> None:
    """It is no rule: stored rows stay, and are not even computed again."""
    # The engines differ in nothing that this needs; so below, to save time.
    skip_unless(fresh.target, "embedded")
    run(fresh.target)
    before = read(fresh.target, "lm_value")
    done = run(fresh.target, "run", calc_source="online_scoring")
    assert_same(before, read(fresh.target, "lm_value"))
    assert batches_of(done.stdout, "lm_value") == "0"


def batches_of(stdout: str, model: str) -> str:
    """How many batches dbt's line of the model tells."""
    lines = [line for line in stdout.splitlines() if f".{model} " in line and "batches" in line]
    return re.findall(r"OK (\d+) batches", lines[-1])[0]


# What arrives changes what depends on it


@dataclass(frozen=True)
class Arrivals:
    """Before and after a run with a late review, a call-back, a review of strange labels and
    another call of a client not heard of for a week."""

    target: TestTarget
    before: dict[str, Table]
    after: dict[str, Table]
    reviewed: int
    review_id: int
    missed: int
    called_back: int
    strange: int
    quiet: int


@pytest.fixture(scope="module")
def arrivals(fresh: Fresh) -> Arrivals:
    here = fresh.target
    calls = fresh.tables["fct_call"]
    history = fresh.tables["call_history"]
    callers = by_caller(calls)
    # Old calls without a review, of a client who calls now and then.
    old = [
        call
        for (call,), row in sorted(calls.items())
        if row["call_date"] < END.date() - timedelta(days=6)
        and row["is_answered"]
        and not row["is_reviewed"]
        and not row["is_frequent_number"]
        and row["caller_key"]
        and row["direction"] == "in"
    ]
    reviewed = next(call for call in old if 2 <= len(callers[calls[call,]["caller_key"]]) <= 5)
    strange = next(
        call for call in old if calls[call,]["caller_key"] != calls[reviewed,]["caller_key"]
    )
    missed = next(
        call
        for (call, metric), row in sorted(fresh.tables["lm_value"].items())
        if metric == "followup_needed_flag"
        and row["value_label"] == "true"
        and row["value_json"]["need"] == "N1"
        and calls[call,]["caller_key"]
        not in (calls[reviewed,]["caller_key"], calls[strange,]["caller_key"])
    )
    others = {calls[call,]["caller_key"] for call in (reviewed, strange, missed)}
    days = {row["call_date"] for row in calls.values() if row["caller_key"] in others}
    quiet = next(
        call
        for call in old
        if len(callers[calls[call,]["caller_key"]]) == 1
        and calls[call,]["call_date"] not in days
        and calls[call,]["call_date"] < END.date() - timedelta(days=8)
    )
    before = {name: read(here, name) for name in KEYS}
    here.rows(
        "insert into lm_watermark (model_name, feed, position)"
        " select 'test', 'before arrivals', max(change_id) from lm_value_changes"
    )
    review_id = newest(here, "call_scores") + 1
    # Dates of their own: the other reviews of a date are judged with it.
    insert(here, "call_scores", a_review(review_id, reviewed, datetime(2025, 9, 16, 9)))
    insert(
        here,
        "call_scores",
        a_review(
            review_id + 1,
            strange,
            datetime(2025, 9, 17, 4),
            outcome="перезвонил из космоса",
            call_category="Невиданное",
            number_category=777,
        ),
    )
    called_back = newest(here, "call_history") + 1
    start = calls[missed,]["call_started_at"] + timedelta(hours=20)
    insert(
        here,
        "call_history",
        {
            "history_id": called_back,
            "context_type": 2,
            "caller_number": "70010000009",
            "called_number": history[missed,]["caller_number"],
            "caller_info": "Иванова Анна",
            "called_info": f"{PATIENT} снова",
            "talk_duration": 65,
            "await_sec": 8,
            "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
            "context_start_time_dt": moment(start),
            "context_status": 1,
            "entry_id": "call-back",
            "created_at": moment(END + timedelta(hours=1)),
        },
    )
    insert(
        here,
        "call_history",
        history[quiet,]
        | {
            "history_id": called_back + 1,
            "context_start_time": history[quiet,]["context_start_time"] + 8 * 86400,
            "context_start_time_dt": calls[quiet,]["call_started_at"] + timedelta(days=8),
            "entry_id": "heard of again",
            "created_at": moment(END + timedelta(hours=1)),
        },
    )
    run(here)
    after = {name: read(here, name) for name in KEYS}
    return Arrivals(here, before, after, reviewed, review_id, missed, called_back, strange, quiet)


def test_late_review_changes_its_rows(arrivals: Arrivals) -> None:
    after = arrivals.after["lm_value"]
    mine = [row for (call, _), row in after.items() if call == arrivals.reviewed]
    assert {row["call_score_id"] for row in mine} == {arrivals.review_id}
    score = after[arrivals.reviewed, "normalized_call_score"]
    assert score["value_numeric"] == 55
    assert (
        arrivals.before["lm_value"][arrivals.reviewed, "normalized_call_score"]["value_numeric"]
        is None
    )
    call = arrivals.after["fct_call"][arrivals.reviewed,]
    assert (call["outcome"], call["is_reviewed"]) == ("lead_no_record", 1)


def test_only_what_depends_changes(arrivals: Arrivals) -> None:
    calls = arrivals.after["fct_call"]
    touched = {
        calls[call,]["caller_key"]
        for call in (
            arrivals.reviewed,
            arrivals.missed,
            arrivals.called_back,
            arrivals.strange,
            arrivals.quiet,
        )
    }
    for table in ("int_calls", "fct_call", "lm_value"):
        changed = history_ids(unlike(arrivals.before[table], arrivals.after[table]))
        assert {calls[call,]["caller_key"] for call in changed} <= touched, table
    assert_same(arrivals.before["lm_reference"], arrivals.after["lm_reference"])


def test_only_days_of_changed_calls_are_added_up_again(arrivals: Arrivals) -> None:
    """A day is marked by its calls, or by their metrics alone; nothing else of a night's work
    reaches it, nor does a next call that comes after more than a week."""
    calls = arrivals.after["fct_call"]
    days = {
        calls[call, ]["call_date"]
        for call in history_ids(unlike(arrivals.before["fct_call"], arrivals.after["fct_call"]))
    }  # fmt: skip
    found = arrivals.target.rows(
        "select call_date, changed from lm_value_changes where change_id > (select position"
        " from lm_watermark where model_name = 'test' and feed = 'before arrivals')"
    )
    marked = {day for day, _ in found}
    of_calls = {day for day, changed in found if changed == "call"}
    facts = unlike(arrivals.before["lm_daily_facts"], arrivals.after["lm_daily_facts"])
    assert facts
    assert {key[0] for key in facts} <= marked
    stats = unlike(arrivals.before["lm_daily_stats"], arrivals.after["lm_daily_stats"])
    of_values = {(day, metric) for day, _, _, metric in stats if day not in of_calls}
    assert of_values
    assert of_values <= set(found)
    assert days - marked == {calls[arrivals.quiet,]["call_date"]}


def test_changed_rows_keep_id_and_created_at(arrivals: Arrivals) -> None:
    before, after = arrivals.before["lm_value"], arrivals.after["lm_value"]
    changed = unlike(before, after)
    assert changed
    for key, columns in changed.items():
        assert "gone" not in columns, key
        if "new" in columns:
            assert key[0] in (arrivals.called_back, arrivals.called_back + 1)
            assert after[key]["updated_at"] is None
        else:
            assert not {"id", "created_at"} & set(columns), key
            assert after[key]["updated_at"] >= after[key]["created_at"]
            # updated_at has a reason.
            assert unlike(meaning({key: before[key]}), meaning({key: after[key]})), key


def test_call_back_closes_the_follow_up(arrivals: Arrivals) -> None:
    key = (arrivals.missed, "followup_needed_flag")
    old, new = arrivals.before["lm_value"][key], arrivals.after["lm_value"][key]
    assert (old["value_numeric"], old["value_label"]) == (1, "true")
    assert (new["value_numeric"], new["value_label"]) == (0, "false")
    assert new["value_json"]["closed_by"] == "CLOSED_BY_CALLBACK"
    assert new["value_json"]["minutes_to_close"] == 20 * 60
    assert "closed_by" not in old["value_json"]


def test_unknown_labels_become_other_and_are_counted(arrivals: Arrivals) -> None:
    call = arrivals.after["fct_call"][arrivals.strange,]
    assert (call["outcome"], call["call_category"]) == ("other", "other")
    assert set(call["unknown_labels"].split(",")) == {"outcome", "call_category"}
    assert arrivals.before["fct_call"][arrivals.strange,]["unknown_labels"] is None


def test_newer_review_replaces_and_an_older_does_not(arrivals: Arrivals) -> None:
    here, call = arrivals.target, arrivals.reviewed
    before = read(here, "lm_value")
    newer = newest(here, "call_scores") + 1
    insert(here, "call_scores", a_review(newer, call, datetime(2025, 9, 16, 12), call_score=8))
    insert(here, "call_scores", a_review(newer + 1, call, datetime(2025, 9, 12, 12), call_score=1))
    run(here)
    after = read(here, "lm_value")
    assert {after[call, metric]["call_score_id"] for metric in RULE_METRICS} == {newer}
    assert after[call, "normalized_call_score"]["value_numeric"] == 80
    callers = arrivals.after["fct_call"]
    changed = history_ids(unlike(before, after))
    assert {callers[c,]["caller_key"] for c in changed} == {callers[call,]["caller_key"]}
    assert read(here, "fct_call")[call,]["review_count"] == 3


def test_marks_of_a_date_change_the_scale_of_all(fresh: Fresh) -> None:
    """Where most marks of a date are above 10, those below were on 0..100 too."""
    here = fresh.target
    values, calls = read(here, "lm_value"), read(here, "fct_call")
    marks: dict[Any, list[int]] = {}
    for (call,), row in calls.items():
        score = values[call, "normalized_call_score"]["value_numeric"]
        if (
            row["call_score_raw"]
            and row["call_score_raw"] <= 10
            and score == 10 * row["call_score_raw"]
        ):
            marks.setdefault(row["review_date"], []).append(call)
    dates = sorted((day for day in marks if day < END.date()), key=lambda day: len(marks[day]))[:3]
    free = iter(
        [
            call
            for (call,), row in sorted(calls.items(), reverse=True)
            if row["is_answered"] and not row["is_reviewed"]
        ]
    )
    review_id = newest(here, "call_scores") + 1
    for day in dates:
        made = datetime.combine(day, datetime.min.time()) + timedelta(hours=23)
        for _ in range(len(marks[day]) + 2):
            insert(here, "call_scores", a_review(review_id, next(free), made, call_score=77))
            review_id += 1
    run(here)
    after = read(here, "lm_value")
    wrong = {
        str(day): [
            call
            for call in marks[day]
            if after[call, "normalized_call_score"]["value_numeric"]
            != calls[call,]["call_score_raw"]
        ]
        for day in dates
    }
    assert not any(wrong.values()), f"marks still read as 0..10: {wrong}"


# Time, portions, kills and neighbours


def test_portions_and_time_give_what_one_build_gives(target: TestTarget, fresh: Fresh) -> None:
    """Days as they come, a run after each portion; then time goes on without a call."""
    with own_schema(target, "portions") as here:
        copy_seeds(fresh.target, here)
        fill(here, until(clinic(), datetime.min))
        last = datetime.min
        for day in (10, 12, 14):
            end = END - timedelta(days=14 - day)
            fill(here, until(clinic(), end, last))
            run(here, as_of=end, lm_lookback_reviews=20)
            last = end
        before = read(here, "lm_value")
        assert len(before) == len(fresh.tables["lm_value"])
        run(here, as_of=NOW, lm_lookback_reviews=20)
        after = read(here, "lm_value")
        assert_as_fresh(here, fresh)
        changed = unlike(meaning(before), meaning(after))
        assert {metric for _, metric in changed} <= TIMED
        gates = [
            (before[key]["value_json"].get("gate"), after[key]["value_json"]) for key in changed
        ]
        assert any(gate == "IMMATURE" and "gate" not in new for gate, new in gates)
        assert any(new.get("closed_by") == "EXPIRED" for _, new in gates)
        for key in before.keys() - changed.keys():
            assert before[key] == after[key], key


@dataclass(frozen=True)
class Killed:
    target: TestTarget
    partial: list[dict[str, Table]]
    finished: dict[str, Table]


@pytest.fixture(scope="module")
def killed(target: TestTarget, fresh: Fresh) -> Iterator[Killed]:
    """A first load killed twice, among the calls and among the values, and then let finish."""
    with own_schema(target, "killed") as here:
        copy_seeds(fresh.target, here)
        fill(here, clinic())
        partial = []
        for model in ("int_calls", "lm_value"):
            with running(here, "run", lm_batch_calls=30) as process:
                assert wait_for(lambda model=model: cursor_of(here, model), process), output(here)
                kill(process)
            partial.append({"int_calls": read(here, "int_calls")})
            if model == "lm_value":
                partial[-1]["lm_value"] = read(here, "lm_value")
        run(here, lm_batch_calls=30)
        yield Killed(here, partial, {name: read(here, name) for name in KEYS})


def cursor_of(target: TestTarget, model: str) -> bool:
    """Whether the model's full pass is under way."""
    found = target.rows(
        "select 1 from information_schema.tables where table_schema = %s"
        " and table_name = 'lm_watermark'",
        (target.schema,),
    )
    return bool(found) and bool(
        target.rows(
            "select 1 from lm_watermark where model_name = %s and feed = 'full_pass'"
            " and cursor_key <> ''",
            (model,),
        )
    )


def test_killed_load_ends_as_one_that_was_not(killed: Killed, fresh: Fresh) -> None:
    calls, values = len(fresh.tables["int_calls"]), len(fresh.tables["lm_value"])
    assert 0 < len(killed.partial[0]["int_calls"]) < calls, "killed too early or too late"
    assert 0 < len(killed.partial[1]["lm_value"]) < values, "killed too early or too late"
    for table in (*DERIVED, "lm_value"):
        assert_same(meaning(fresh.tables[table]), meaning(killed.finished[table]))


def test_killed_load_goes_on_where_it_stopped(killed: Killed) -> None:
    written = killed.partial[1]["lm_value"]
    assert len(written) % len(RULE_METRICS) == 0, "a batch was left half written"
    for key, row in written.items():
        assert killed.finished["lm_value"][key] == row


def together(here: TestTarget, *words: str, **variables: Any) -> list[tuple[int, str]]:
    """Two dbt processes at once: exit code and output of each."""
    both = [replace(here, folder=own_folder(here, f"run{number}")) for number in (1, 2)]
    with ExitStack() as stack:
        processes = [stack.enter_context(running(one, *words, **variables)) for one in both]
        codes = [process.wait(timeout=240) for process in processes]
    return [(code, output(one)) for code, one in zip(codes, both, strict=True)]


def assert_well_or_clear(ends: list[tuple[int, str]]) -> None:
    # The last lines of dbt's output hold its errors.
    lasts = [told[-1500:] for _, told in ends]
    assert any(code == 0 for code, _ in ends), "\n".join(lasts)
    for (code, told), last in zip(ends, lasts, strict=True):
        assert code == 0 or "another run" in told.lower(), last


def test_two_builds_at_once(target: TestTarget, fresh: Fresh) -> None:
    """On an empty target, and then on a loaded one with new calls."""
    with own_schema(target, "twice") as here:
        middle = END - timedelta(days=4)
        fill(here, until(clinic(), middle))
        assert_well_or_clear(together(here, *dbt_runner.BUILD, as_of=middle))
        calls = read(here, "fct_call")
        values = read(here, "lm_value")
        assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
        fill(here, until(clinic(), END, middle))
        assert_well_or_clear(together(here, "run"))
        assert_as_fresh(here, fresh)
        after = read(here, "lm_value")
        for key, row in values.items():
            assert (after[key]["id"], after[key]["created_at"]) == (row["id"], row["created_at"])


# Repairs and changes of the whole


def test_full_refresh_repairs_in_place(fresh: Fresh) -> None:
    here = fresh.target
    # What other tests have left behind is swept up first: the rest is this run's doing.
    run(here, lm_sweep=True)
    calls = sorted(read(here, "fct_call"))
    forecast = (calls[7][0], "conversion_prob_forecast")
    damaged = (calls[8][0], "response_speed_score")
    # As an older version left it: a column that no row of this one fills.
    execute(here, f"alter table `{here.schema}`.lm_value add column retired int not null")
    sound = read(here, "lm_value")
    insert(
        here,
        "lm_value",
        {
            "history_id": forecast[0],
            "metric_code": forecast[1],
            "metric_group": "forecast",
            "value_numeric": 0.4,
            "lm_version": "model_1",
            "calc_method": "gbm",
            "retired": 0,
        },
    )
    execute(
        here,
        (
            f"update `{here.schema}`.lm_value set value_numeric = 12.3456"
            " where history_id = %s and metric_code = %s",
            damaged,
        ),
    )
    before = {name: read(here, name) for name in WRITTEN}
    try:
        run(here, "run", "--full-refresh")
        after = read(here, "lm_value")
        assert set(unlike(before["lm_value"], after)) == {damaged}
        assert after[forecast] == before["lm_value"][forecast]
        assert_same(meaning({damaged: sound[damaged]}), meaning({damaged: after[damaged]}))
        for column in ("id", "created_at"):
            assert after[damaged][column] == sound[damaged][column]
        for table in ("int_calls", "fct_call"):
            assert_same(before[table], read(here, table))
    finally:
        execute(here, f"delete from `{here.schema}`.lm_value where metric_group = 'forecast'")
        execute(here, f"alter table `{here.schema}`.lm_value drop column retired")


@pytest.fixture(scope="module")
def changed_rule(killed: Killed, tmp_path_factory: pytest.TempPathFactory) -> CopiedProject:
    """A copy of the project in which an answer is in time within 45 seconds, as a new version."""
    project = tmp_path_factory.mktemp("project") / "copy"
    left_out = shutil.ignore_patterns(
        ".venv",
        ".git",
        ".lm",
        "target",
        "logs",
        "dbt_packages",
        "tests",
        "python_scoring",
        ".*cache",
    )
    shutil.copytree(ROOT, project, ignore=left_out)
    # Its dbt tests, not the Python ones.
    (project / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.sql"):
        shutil.copyfile(path, project / "tests" / path.name)
    path = project / "seeds" / "lm_rule_params.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    for row in rows:
        if row[1:3] == ["sla_sec", "default_v1"]:
            row[3] = "45"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    here = killed.target
    return CopiedProject(
        here.name, here.schema, own_folder(here, "rule"), here.settings, project=project
    )


def test_change_of_a_rule_recomputes_in_bounded_runs(
    killed: Killed, changed_rule: CopiedProject
) -> None:
    here = changed_rule
    version = {"lm_version": "lm_test.2"}
    told = run(here, "run-operation", "print_version", **version).stdout
    line = next(line for line in told.splitlines() if line.startswith("lm_test.2,"))
    with (here.project / "seeds" / "lm_versions.csv").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")

    def versions() -> set[str]:
        return {text(row[0]) for row in here.rows("select distinct lm_version from lm_value")}

    before = read(here, "lm_value")
    old = versions()
    bounds = {"lm_batch_calls": 200, "lm_max_batches": 2}
    run(here, *dbt_runner.BUILD, **version, **bounds)
    assert versions() == {*old, "lm_test.2"}, "one run should not reach all"
    for _ in range(3):
        if versions() == {"lm_test.2"}:
            break
        run(here, **version, **bounds)
    assert versions() == {"lm_test.2"}
    after = read(here, "lm_value")
    assert before.keys() == after.keys()
    profiles = {call: row["value_label"] for (call, m), row in after.items() if m == "calc_profile"}
    changed = {key for key in after if before[key]["value_numeric"] != after[key]["value_numeric"]}
    assert any(metric == "response_speed_score" for _, metric in changed)
    assert {profiles[call] for call, _ in changed} == {"default_v1"}


def test_bounded_runs_reach_new_calls(killed: Killed) -> None:
    """Reviews that are read again must not use up every run's batches."""
    here = killed.target
    bounds = {"lm_batch_calls": 100, "lm_max_batches": 1, "lm_lookback_days": 1}
    row = dict(max(read(here, "call_history").items())[1])
    row.update(
        history_id=row["history_id"] + 1,
        entry_id="bounded",
        created_at=moment(END + timedelta(hours=2)),
    )
    insert(here, "call_history", {k: v for k, v in row.items() if v is not None})
    for _ in range(4):
        run(here, **bounds)
        if (row["history_id"],) in read(here, "int_calls"):
            return
    pytest.fail("four runs of one batch each have not read the new call")


def test_sweep_reconciles_everything(killed: Killed) -> None:
    """Deleted calls and reviews, and edits of old rows, which no look-back sees."""
    here = killed.target
    calls = read(here, "fct_call")
    old = [
        call
        for (call,), row in sorted(calls.items())
        if row["call_date"] and row["call_date"] < END.date() - timedelta(days=6)
    ]
    callers = by_caller(calls)
    reviewed = [call for call in old if calls[call,]["is_reviewed"]]
    gone = next(
        call
        for call in reviewed
        if calls[call,]["caller_key"] and 2 <= len(callers[calls[call,]["caller_key"]]) <= 5
    )
    unreviewed = next(call for call in reviewed if call != gone)
    edited = next(
        call
        for call in old
        if call not in (gone, unreviewed)
        and calls[call,]["is_answered"]
        and not calls[call,]["is_reviewed"]
    )
    schema = here.schema
    execute(
        here,
        "set foreign_key_checks = 0",
        (f"delete from `{schema}`.call_scores where history_id in (%s, %s)", (gone, unreviewed)),
        (f"delete from `{schema}`.call_history where history_id = %s", (gone,)),
        (
            f"update `{schema}`.call_history set talk_duration = 613, await_sec = 41"
            " where history_id = %s",
            (edited,),
        ),
    )
    run(here, lm_foreign_keys=False, lm_sweep=True)
    assert not foreign_keys(here)
    calls, values = read(here, "fct_call"), read(here, "lm_value")
    assert (gone,) not in calls
    assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    assert {values[unreviewed, metric]["call_score_id"] for metric in RULE_METRICS} == {None}
    assert calls[unreviewed,]["is_reviewed"] == 0
    assert (calls[edited,]["talk_sec"], calls[edited,]["await_sec"]) == (613, 41)
    assert values[edited, "feature_pack"]["value_json"]["talk_sec"] == 613


# Personal data


def files_of_dbt(folder: Path) -> dict[Path, str]:
    return {
        path: path.read_bytes().decode("utf-8", "replace")
        for place in ("target", "logs")
        for path in (folder / place).rglob("*")
        if path.is_file()
    }


def test_no_personal_data_anywhere(fresh: Fresh) -> None:
    numbers = set()
    for row in clinic().history:
        for name in ("caller_number", "called_number"):
            digits = "".join(sign for sign in row[name] if sign.isdigit())
            if len(digits) >= 7:
                numbers |= {row[name], digits, digits[-10:]}
    assert len(numbers) > 300
    ours = relations(fresh.target, "call_history", "call_scores")
    assert {"int_calls", "fct_call", "lm_value", "stg_call_history"} <= set(ours)
    places = {**texts(fresh.target, ours), **files_of_dbt(fresh.target.folder)}
    assert any("compiled" in str(place) for place in places)
    leaks = {
        str(place): [secret for secret in (*numbers, PATIENT.split()[1]) if secret in text]
        for place, text in places.items()
    }
    assert not {place: found for place, found in leaks.items() if found}


def test_salt_is_written_nowhere(fresh: Fresh) -> None:
    files = files_of_dbt(fresh.target.folder)
    assert any(path.name == "dbt.log" for path in files)
    assert any("run" in path.parts for path in files)
    places = texts(fresh.target, relations(fresh.target, "call_history", "call_scores"))
    assert len(places) > 100
    # What the hash is keyed with is the salt in another dress.
    for secret in (SALT, *CallerSalt(SALT.encode()).pads):
        assert [path for path, content in files.items() if secret in content] == []
        assert [place for place, content in places.items() if secret in content] == []


def test_keys_of_callers_are_hmacs_of_their_numbers(fresh: Fresh) -> None:
    outside = {1: "caller_number", 2: "called_number"}
    known = 0
    for (call,), row in fresh.tables["fct_call"].items():
        source = fresh.tables["call_history"][call,]
        number = source.get(outside.get(source["context_type"], "")) or ""
        digits = "".join(sign for sign in number if sign.isdigit())[-10:]
        if row["caller_key"] is not None:
            made = hmac.new(SALT.encode(), digits.encode(), hashlib.sha256).hexdigest()
            assert row["caller_key"] == made[:32], call
            known += 1
    assert known > 300


def test_another_salt_changes_every_caller_key(fresh: Fresh) -> None:
    here = fresh.target
    skip_unless(here, "embedded")
    before = read(here, "fct_call")
    values = read(here, "lm_value")
    other = replace(here, settings={**here.settings, "LM_CALLER_SALT": "quite another"})
    run(other)
    after = read(here, "fct_call")
    pairs = {(before[key]["caller_key"], row["caller_key"]) for key, row in after.items()}
    assert (None, None) in pairs
    known = {pair for pair in pairs if pair != (None, None)}
    assert all(old and new and old != new for old, new in known)
    assert len({old for old, _ in known}) == len(known) == len({new for _, new in known})
    assert_same(
        meaning(before, "caller_key", "contact_key"), meaning(after, "caller_key", "contact_key")
    )
    assert_same(values, read(here, "lm_value"))
    # Nothing of the old keys stays, in no table and no column.
    ours = relations(here, "call_history", "call_scores")
    old_keys = {old for old, _ in known}
    stale = {
        place for place, words in texts(here, ours).items() if old_keys & set(words.split("\n"))
    }
    assert stale == set()
    run(here)
    assert_same(meaning(before), meaning(read(here, "fct_call")))


def test_report_names_the_difference() -> None:
    """The helper that all of this rests on."""
    before: Table = {(1,): {"id": 1, "a": 1}, (2,): {"id": 2, "a": 1}}
    after: Table = {(1,): {"id": 9, "a": 2}, (3,): {"id": 3, "a": 1}}
    assert unlike(before, after) == {(1,): ["id", "a"], (2,): ["gone"], (3,): ["new"]}
    assert unlike(meaning(before), meaning(after))[1,] == ["a"]
    assert "3 rows differ" in report(before, after)
