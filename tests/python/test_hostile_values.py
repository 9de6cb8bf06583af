"""Whatever value a column of the sources takes, staging reads it: no error, bounded, nothing lost.

hypothesis draws the rows and cuts a failure down to its value; nights over thousands of hostile
calls are in test_hostile_nights.py. The drawn cases are the same in every run of the suite;
LM_TEST_HOSTILE_EXAMPLES=500 draws so many others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from conftest import TestTarget
from hostile import WILD_HISTORY, WILD_LENGTHS, WILD_SCORES, WILD_TEXTS, hostile_source
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle_calls import plausible, within
from oracle_data import Source
from pipeline_cases import Row, execute, fill, own_schema

from python_scoring.base.source_tables import CALL_HISTORY_DDL, CALL_SCORES_DDL

EXAMPLES = os.environ.get("LM_TEST_HOSTILE_EXAMPLES")
DAY_SEC = 86_400
# Longest text that a column of a staging view may hold.
LONGEST = 255


def values_of(name: str, ends: dict[str, tuple[Any, ...]]) -> st.SearchStrategy[Any]:
    """The ends of the column's type and all between; any text up to what the column takes."""
    if name in WILD_LENGTHS:
        longest = min(WILD_LENGTHS[name], 1_100)
        # Half of a character that takes two is none.
        letters = st.characters(exclude_categories=("Cs",))
        return st.one_of(
            st.text(letters, max_size=min(longest, 40)),
            st.sampled_from([text[:longest] for text in WILD_TEXTS]),
            st.builds(
                lambda text, n: (text * n)[:longest], st.text(letters, min_size=1), st.just(longest)
            ),
        )
    known = sorted(set(ends[name]))
    if isinstance(known[0], datetime):
        drawn: st.SearchStrategy[Any] = st.datetimes(datetime(1000, 1, 1), known[-1]).map(
            lambda moment: moment.replace(microsecond=0)
        )
    elif isinstance(known[0], float):
        drawn = st.floats(known[0], known[-1])
    else:
        drawn = st.integers(known[0], known[-1])
    return st.one_of(st.sampled_from(known), drawn)


def drawn_rows(usual: list[Row], ends: dict[str, tuple[Any, ...]]) -> st.SearchStrategy[list[Row]]:
    """Some of the usual rows, each with a few fields drawn anew, or null where that may be."""
    required = set(re.findall(r"^ +(\w+) .*not null", CALL_HISTORY_DDL + CALL_SCORES_DDL, re.M))
    fields = {
        name: values_of(name, ends) | (st.nothing() if name in required else st.none())
        for name in usual[0]
        if name in ends or name in WILD_LENGTHS
    }
    changes = st.fixed_dictionaries({}, optional=fields)
    return st.lists(changes, min_size=1, max_size=len(usual)).map(
        lambda rows: [{**one, **other} for one, other in zip(usual, rows, strict=False)]
    )


HISTORY, SCORES = hostile_source(7, 30)


@pytest.fixture(scope="module")
def staged(target: TestTarget) -> Iterator[TestTarget]:
    """The staging views over empty sources."""
    with own_schema(target, "values") as here:
        fill(here, Source([], []))
        here.dbt("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test",
                 "--select", "+stg_call_history", "+stg_call_scores")  # fmt: skip
        yield here


def written(here: TestTarget, view: str, key: str) -> dict[int, Row]:
    """The view's rows as a model writes them: a strict server refuses what a select lets pass."""
    table = f"`{here.schema}`.written"
    execute(
        here,
        f"drop table if exists {table}",
        f"create table {table} as select * from `{here.schema}`.{view}",
    )
    columns = [name for (name, *_) in here.rows("show columns from written")]
    rows = [dict(zip(columns, row, strict=True)) for row in here.rows("select * from written")]
    found = {int(row[key]): row for row in rows}
    assert len(found) == len(rows)
    return found


def check_texts(row: Row) -> None:
    for name, value in row.items():
        if isinstance(value, str):
            assert len(value) <= LONGEST, name
            assert value == value.strip(" "), name
            assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in value), name
            assert not any(letter in "\u200b\u200e\u202e\u2066\ufeff" for letter in value), name


MANY = settings(
    max_examples=int(EXAMPLES or 10),
    derandomize=EXAMPLES is None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@MANY
@given(rows=drawn_rows(HISTORY, WILD_HISTORY))
def test_any_call_is_read(staged: TestTarget, rows: list[Row]) -> None:
    execute(staged, f"delete from `{staged.schema}`.call_history")
    fill(staged, Source(rows, []))
    found = written(staged, "stg_call_history", "history_id")
    assert found.keys() == {row["history_id"] for row in rows}
    for row in rows:
        got = found[row["history_id"]]
        for told, kept in (
            ("talk_duration", "talk_sec"),
            ("await_sec", "await_sec"),
            ("duration", "duration_sec"),
        ):
            assert got[kept] == within(row[told], DAY_SEC), told
        refused = (got["refused_fields"] or "").split(",")
        wall, stamp = row["context_start_time_dt"], row["context_start_time"]
        no_wall = wall is not None and plausible(wall) is None
        no_stamp = bool(stamp) and not 631_152_000 <= stamp <= 2_145_830_399
        assert ("start" in refused) == (no_wall or no_stamp)
        if plausible(wall):
            assert plausible(got["start_local"]) == plausible(wall)
        check_texts(got)


@MANY
@given(rows=drawn_rows(SCORES, WILD_SCORES))
def test_any_review_is_read(staged: TestTarget, rows: list[Row]) -> None:
    execute(staged, f"delete from `{staged.schema}`.call_scores")
    fill(staged, Source([], rows))
    found = written(staged, "stg_call_scores", "call_score_id")
    assert found.keys() == {row["id"] for row in rows}
    for row in rows:
        got = found[row["id"]]
        assert plausible(got["reviewed_at"]) == plausible(row["score_date"])
        assert got["talk_sec"] == within(row["talk_duration"], DAY_SEC)
        assert got["service_id"] == within(row["requested_service_id"], 999_999_999)
        items = row["number_checklist"]
        assert got["checklist_items"] == (
            None if items is None else -1 if within(items, 100) is None else items
        )
        assert got["is_target"] == int((row["is_target"] or 0) >= 1)
        refused = (got["refused_fields"] or "").split(",")
        assert ("review_date" in refused) == (plausible(row["score_date"]) is None)
        check_texts(got)
