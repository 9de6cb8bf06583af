"""A rule is changed, compared with what is published, and published in batches."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from conftest import ROOT, SERVERS, TestTarget
from hypothesis import given
from hypothesis import strategies as st
from pipeline_cases import (
    CopiedProject,
    clinic,
    execute,
    fill,
    own_folder,
    own_schema,
    read,
    relations,
    run,
)

from python_scoring import cli
from python_scoring.base.database import Probe
from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.versions.command import last_run
from python_scoring.versions.moved import percentile, tally
from python_scoring.versions.scratch import MARK, scratch_schema

# The same SQL as of every other model runs here: one engine will do.
ENGINE = next(iter(SERVERS), "embedded")
HALF_LIFE = 20
BATCH = 200


@given(
    st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30),
    st.sampled_from([0, 0.5, 0.9, 1]),
)
def test_percentile_is_numpys(numbers: list[float], share: float) -> None:
    assert percentile(Counter(numbers), share) == pytest.approx(np.percentile(numbers, 100 * share))


def test_movements_by_hand() -> None:
    """Four calls: one as it was, one up, one opened, one closed; a fifth is new."""
    day, next_day = date(2025, 9, 1), date(2025, 9, 2)
    rows = [
        ("m", 1, day, 1, 50.0, "low", None, 50.0, "low", None, 0),
        ("m", 2, day, 1, 50.0, "low", None, 80.0, "high", None, 0),
        ("m", 3, next_day, 1, None, None, "NO_WAIT", 20.0, "low", None, 0),
        ("m", 4, next_day, 1, 60.0, "low", None, None, None, "INTERNAL", 0),
        ("m", 5, next_day, 0, None, None, None, 10.0, "low", None, None),
    ]
    found, calls, moved = tally(iter(rows), most=2)
    said = found["m"].document()
    assert (calls, moved) == ({1, 2, 3, 4, 5}, {2, 3, 4})
    assert (said["compared"], said["moved"], said["only_new"]) == (4, 3, 1)
    assert said["only_reasons_moved"] == 1
    assert said["old"]["mean"] == pytest.approx(160 / 3) and said["new"]["mean"] == 50
    assert said["old"]["label_shares"] == {"low": 1}
    assert said["new"]["label_shares"] == {
        "high": pytest.approx(1 / 3),
        "low": pytest.approx(2 / 3),
    }
    assert (said["gates_opened"], said["gates_closed"]) == (1, 1)
    assert {"from": "low", "to": "high", "calls": 1} in said["label_moves"]
    assert said["days"]["means_changed"] == 2
    # The second day: 60 of call 4 before, 20 of call 3 after.
    assert said["days"]["largest"] == {"day": next_day, "old_mean": 60, "new_mean": 20}
    assert said["movers"] == [4, 2]


@pytest.fixture(scope="module")
def built(target: TestTarget) -> Iterator[TestTarget]:
    if target.name != ENGINE:
        pytest.skip(f"only on {ENGINE}")
    with own_schema(target, "rules") as here:
        fill(here, clinic())
        words = ("build", "--resource-type", "seed", "--resource-type", "model")
        run(here, *words, "--select", "+lm_value", lm_batch_calls=BATCH)
        yield here


@pytest.fixture(scope="module")
def project(built: TestTarget, tmp_path_factory: pytest.TempPathFactory) -> CopiedProject:
    """The project with seeds of its own, to be changed."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("macros", "models", "analyses", "dbt_project.yml"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    (folder / "tests").mkdir()
    return CopiedProject(
        built.name, built.schema, own_folder(built, "rule"), built.settings, project=folder
    )


def set_param(project: Path, param: str, value: float) -> None:
    path = project / "seeds" / "lm_rule_params.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    (row,) = (row for row in rows if row[1:3] == [param, "default_v1"])
    row[3] = str(value)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def late_answers(here: TestTarget) -> dict[int, int]:
    """Waits, by call, of incoming calls answered late in the default profile's hours."""
    return {
        call: wait
        for call, start, wait in here.rows(
            "select history_id, call_started_at, await_sec from fct_call"
            " where direction = 'in' and is_answered = 1 and call_started_at is not null"
        )
        if start.weekday() < 5 and 8 <= start.hour < 20 and wait and 20 < wait <= 3600
    }


def speed(wait: int, half_life: int) -> float:
    return round(100 * 2 ** (-(wait - 20) / half_life), 4)


def test_change_of_a_rule_is_compared_then_published(
    built: TestTarget, project: CopiedProject, capsys: pytest.CaptureFixture[str]
) -> None:
    late = late_answers(built)
    assert len(late) >= 3
    set_param(project.project, "half_life_sec", 2 * HALF_LIFE)
    set_param(project.project, "talk_prior_calls", 51)
    before, tables = read(built, "lm_value"), relations(built)
    marks = built.rows("select * from lm_watermark order by 1, 2")

    variables = json.dumps({"lm_version": "lm_test.2"})
    words = ("compare-versions", "--json", "--from", "2025-09-01", "--to", "2025-09-15")
    with mock.patch.dict(os.environ, project.environment, clear=True):
        assert cli.main([*words, "--target", project.name, "--vars", variables]) == 0
    said = json.loads(capsys.readouterr().out)

    # Nothing published has changed, and no schema is left behind.
    assert read(built, "lm_value") == before and relations(built) == tables
    assert built.rows("select * from lm_watermark order by 1, 2") == marks
    assert not built.rows(
        "select 1 from information_schema.schemata where schema_name = %s",
        (f"{built.schema}_compare",),
    )
    # What is compared is what is there, and what would move is what the formula says.
    changed = {
        row["param"]: (float(row["old"]), float(row["new"])) for row in said["changed_params"]
    }
    assert changed == {"half_life_sec": (20, 40), "talk_prior_calls": (50, 51)}
    assert said["not_shown"] == [
        "lm_rule_params.talk_prior_calls also reaches the learnt constants (lm_reference)"
    ]
    moved = {metric: found["moved"] for metric, found in said["metrics"].items() if found["moved"]}
    assert moved == {"response_speed_score": len(late)}
    assert said["calls"] == len({call for call, _ in before}) and said["calls_moved"] == len(late)
    found = said["metrics"]["response_speed_score"]
    gain = sum(speed(wait, 40) - speed(wait, 20) for wait in late.values())
    assert (found["new"]["mean"] - found["old"]["mean"]) * found["old"]["values"] == pytest.approx(
        gain, abs=0.01
    )
    for mover in found["movers"]:
        wait = late[mover["history_id"]]
        assert mover["old"]["value"] == pytest.approx(speed(wait, 20), abs=1e-4)
        assert mover["new"]["value"] == pytest.approx(speed(wait, 40), abs=1e-4)
    by_gain = sorted(late, key=lambda call: (speed(late[call], 20) - speed(late[call], 40), call))
    assert [mover["history_id"] for mover in found["movers"]] == by_gain[:5]

    # Published, in batches: the same calls move, all others keep their values.
    set_param(project.project, "talk_prior_calls", 50)
    words = ("build", "--select", "lm_rule_params", "int_rule_params", "lm_value")
    run(
        project,
        *words,
        *("--resource-type", "seed", "--resource-type", "model"),
        lm_version="lm_test.2",
        calc_source="backfill_2025_09",
        lm_batch_calls=BATCH,
    )
    after = read(built, "lm_value")
    assert {row["lm_version"] for row in after.values()} == {"lm_test.2"}
    assert {row["calc_source"] for row in after.values()} == {"backfill_2025_09"}
    fields = ("id", "created_at", "value_numeric", "value_label")
    rows = {key: [row[name] for name in fields] for key, row in after.items()}
    old_rows = {key: [row[name] for name in fields] for key, row in before.items()}
    differing = {key for key in rows if rows[key] != old_rows[key]} - {
        key for key in rows if key[1] == "lm_version"
    }
    assert rows.keys() == old_rows.keys()
    assert differing == {(call, "response_speed_score") for call in late}


def test_a_scratch_schema_that_holds_something_is_left_alone(target: TestTarget) -> None:
    with own_schema(target, "taken") as taken, closing(target.connect()) as connection:
        execute(taken, f"create table `{taken.schema}`.precious (id int)")
        for name in (taken.schema, target.schema):
            with (
                pytest.raises(ConfigurationError, match=r"no comparison made|published schema"),
                scratch_schema(Probe(connection), target.load(), name),
            ):
                pass
        assert taken.rows("select count(*) from precious") == [(0,)]
        execute(taken, f"drop table `{taken.schema}`.precious")
        # What a killed comparison left is cleared, before and after the next.
        execute(taken, f"create table `{taken.schema}`.{MARK} (id int)")
        execute(taken, f"create table `{taken.schema}`.lm_value (id int)")
        with scratch_schema(Probe(connection), target.load(), taken.schema):
            assert relations(taken) == [MARK]
        assert relations(taken) == []


def test_nothing_to_compare_with_is_told(target: TestTarget) -> None:
    with closing(target.connect()) as connection, pytest.raises(LmError, match="lm run"):
        last_run(Probe(connection), target.load())
