"""`lm train` and `lm score`: what they write, what they leave alone, what they survive."""

from __future__ import annotations

import io
import json
import pickle
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import TestTarget
from pipeline_cases import NOW, Table, assert_same, clinic, execute, fill, moment, read, unlike

from python_scoring import (
    doctor_models,
    forecast_rows,
    forecast_settings,
    model_drift,
    model_runs,
    model_store,
    run,
    score,
    score_chunks,
    score_models,
    train,
)
from python_scoring.errors import ConfigurationError, LmError
from python_scoring.findings import Probe
from python_scoring.probability_settings import METRICS
from python_scoring.profile import Target
from python_scoring.watermarks import Watermarks, writing_values

RULES = "lm_2026_11.1"


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    """The small clinic with its rule metrics."""
    fill(target, clinic())
    target.dbt("seed")
    target.dbt("run", vars={"as_of": moment(NOW)})
    return target


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def here(built: TestTarget, model_folder: Path) -> Iterator[Here]:
    """The clinic, scored by models of now."""
    place = Here(built, {"as_of": moment(NOW), "lm_model_dir": str(model_folder)})
    place.train()
    place.score()
    yield place


class Here:
    """The built schema, and `lm train`, `lm score` on it with variables."""

    def __init__(self, target: TestTarget, variables: Mapping[str, Any]) -> None:
        self.target = target
        self.variables = dict(variables)

    def loaded(self, **variables: Any) -> Target:
        return self.target.load(**{**self.variables, **variables})

    def train(self, **variables: Any) -> dict[str, dict[str, Any]]:
        with closing(self.target.connect()) as connection:
            runs = train.train(connection, self.loaded(**variables), tell=quiet)
        return {run["metric_code"]: run for run in runs}

    def score(self, **variables: Any) -> score.Tally:
        with closing(self.target.connect()) as connection:
            return score.score(connection, self.loaded(**variables), tell=quiet)

    def forecasts(self) -> Table:
        rows = read(self.target, "lm_value")
        return {key: row for key, row in rows.items() if row["metric_group"] == "forecast"}

    def calls(self, where: str = "1 = 1") -> int:
        return self.target.rows(f"select count(*) from fct_call where {where}")[0][0]

    def probe(self) -> Probe:
        return Probe(self.target.connect())


def quiet(_: str) -> None:
    pass


def test_every_call_has_its_forecasts(here: Here) -> None:
    runs = model_runs.in_use(here.probe(), here.loaded())
    calls = {history_id for (history_id,) in here.target.rows("select history_id from fct_call")}
    rows = here.forecasts()
    assert rows.keys() == {(call, metric) for call in calls for metric in METRICS}
    for (_, metric), row in rows.items():
        document = row["value_json"]
        if row["value_numeric"] is None:
            assert document["status"] == "gated" and document["gate"]
            assert (row["lm_version"], row["calc_method"]) == (RULES, "rule")
        else:
            assert 0 <= row["value_numeric"] <= 1
            assert document["status"] in ("ok", "partial")
            assert row["lm_version"] == runs[metric]["lm_version"]
            assert row["calc_method"] == runs[metric]["calc_method"]
        assert row["calc_source"] == "cron_daily_scoring"
    reviews = dict(here.target.rows("select history_id, call_score_id from fct_call"))
    assert all(row["call_score_id"] == reviews[call] for (call, _), row in rows.items())


def test_little_history_gives_base_rates_and_says_why(here: Here) -> None:
    for run_ in model_runs.in_use(here.probe(), here.loaded()).values():
        assert run_["calc_method"] == "empirical_bayes"
        assert run_["published"] == 0
        assert run_["reason"]
        assert run_["n_positive"] <= run_["n_train"] < here.calls()
        if run_["n_train"]:
            assert run_["train_to"] <= NOW - timedelta(days=run_["label_horizon_days"])


def test_nothing_new_writes_nothing(here: Here) -> None:
    before = here.forecasts()
    again = here.score()
    assert (again.calls, again.rows_written) == (0, 0)
    # The same calls, moment and seed give the same models: nothing to score anew.
    here.train()
    again = here.score(calc_source="another")
    assert (again.calls, again.rows_written) == (0, 0)
    assert_same(before, here.forecasts())


def test_a_new_model_scores_all_calls_in_place(here: Here) -> None:
    before = here.forecasts()
    old = model_runs.in_use(here.probe(), here.loaded())
    later = moment(NOW - timedelta(days=3))
    here.train(as_of=later)
    tally = here.score(as_of=later, calc_source="backfill")
    after = here.forecasts()
    assert tally.calls == here.calls()
    for key, row in after.items():
        assert (row["id"], row["created_at"]) == (before[key]["id"], before[key]["created_at"])
        if row["value_numeric"] is None:
            assert row == before[key], "a gate is no model's doing"
        else:
            assert row["lm_version"] != old[key[1]]["lm_version"]
            assert row["calc_source"] == "backfill"
    assert tally.rows_written == len(unlike(before, after))


def test_only_changed_calls_are_read(here: Here) -> None:
    """A call that gets another caller's history, as fct_call would tell it."""
    before = here.forecasts()
    (call, day, change) = here.target.rows(
        "select history_id, call_date, (select max(change_id) from fct_call) + 1 from fct_call"
        " where direction = 'in' and is_answered = 1 and caller_key is not null"
        " order by history_id limit 1"
    )[0]
    execute_in(here, f"update fct_call set is_frequent_number = 1, change_id = {change}"
               f" where history_id = {call}")
    tally = here.score()
    changed = unlike(before, here.forecasts())
    assert tally.calls == 1
    assert {key[0] for key in changed} == {call}
    assert tally.rows_written == len(changed) > 0
    assert here.forecasts()[call, "second_call_prob"]["value_json"]["gate"] == "FREQUENT_NUMBER"
    marks = here.target.rows(
        "select call_date, change_id from lm_value_changes order by change_id desc limit 1"
    )
    sequence = Watermarks(here.probe(), here.loaded(), "lm_value").get("sequence").position
    assert marks == [(day, sequence)]
    # Its own change does not send it round again.
    assert here.score().calls == 0
    execute_in(here, f"update fct_call set is_frequent_number = 0, change_id = {change + 1}"
               f" where history_id = {call}")
    here.score()
    assert_same(without(before, "updated_at"), without(here.forecasts(), "updated_at"))


def test_days_of_changed_rule_metrics_are_read(here: Here) -> None:
    days = here.target.rows(
        "select call_date, count(*) from fct_call group by call_date order by call_date limit 3"
    )
    marks = Watermarks(here.probe(), here.loaded(), score.STEP)
    with writing_values(marks):
        number = marks.next_change()
        for day, _ in days[:2]:
            marks.probe.rows(
                f"insert into {here.target.schema}.lm_value_changes values (%s, %s)"
                " on duplicate key update change_id = values(change_id)",
                (day, number),
            )
    tally = here.score(lm_batch_calls=1)
    assert (tally.calls, tally.chunks) == (days[0][1] + days[1][1], 2)
    assert tally.rows_written == 0
    assert here.score().calls == 0


def test_a_killed_run_goes_on_where_it_stopped(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = moment(NOW - timedelta(days=2))
    here.train(as_of=later)
    chunks = 0

    def killed_at_the_third(*arguments: Any) -> Any:
        nonlocal chunks
        chunks += 1
        result = score_models.write_calls(*arguments)
        if chunks == 3:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patched:
        patched.setattr(score, "write_calls", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            here.score(as_of=later, lm_batch_calls=100)
    versions = {run_["lm_version"] for run_ in model_runs.in_use(here.probe(), here.loaded()).values()}
    ids = sorted({call for call, _ in here.forecasts()})
    done = {
        call for (call, _), row in here.forecasts().items() if row["lm_version"] in versions
    }
    assert done and done <= set(ids[:200]), "the third chunk was rolled back"
    rest = here.score(as_of=later, lm_batch_calls=100)
    assert rest.calls == len(ids) - 200
    assert here.score(as_of=later).calls == 0


def test_a_long_pass_is_spread_over_runs(here: Here) -> None:
    later = moment(NOW - timedelta(days=4))
    here.train(as_of=later)
    first = here.score(as_of=later, lm_batch_calls=200, lm_max_batches=1)
    assert (first.chunks, first.chunks_left) == (1, (here.calls() - 1) // 200)
    rest = here.score(as_of=later, lm_batch_calls=200)
    assert rest.calls == here.calls() - first.calls


def test_two_at_once_take_turns(here: Here) -> None:
    later = moment(NOW - timedelta(days=5))
    here.train(as_of=later)
    tallies: list[score.Tally] = []

    def work() -> None:
        tallies.append(here.score(as_of=later, lm_batch_calls=50))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tallies) == 2
    # Each call was scored by one of them; a chunk begun twice by restarting is done once.
    assert sum(tally.calls for tally in tallies) == here.calls()
    assert here.score(as_of=later).calls == 0


def test_a_writer_that_holds_the_lock_is_waited_for_no_longer_than_told(here: Here) -> None:
    if here.target.name == "embedded":
        pytest.skip("the embedded engine has no innodb_lock_wait_timeout")
    marks = Watermarks(here.probe(), here.loaded(), score.STEP)
    later = moment(NOW - timedelta(days=6))
    here.train(as_of=later)
    with writing_values(marks), pytest.raises(LmError, match="another run holds lm_value"):
        here.score(as_of=later, lm_lock_wait_sec=1)


class Bomb:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("harm", ["replaced", "lost", "other software"])
def test_no_model_is_loaded_but_the_one_that_was_trained(
    here: Here, harm: str, tmp_path: Path
) -> None:
    metric = "second_call_prob"
    folder = Path(here.variables["lm_model_dir"])
    checksum = model_runs.in_use(here.probe(), here.loaded())[metric]["artifact_sha256"]
    path = model_store.model_path(folder, metric, checksum)
    card = model_store.card_path(folder, metric, checksum)
    kept = path.read_bytes(), card.read_bytes()
    proof = tmp_path / "loaded"
    if harm == "replaced":
        path.write_bytes(pickle.dumps(Bomb(proof)))
    elif harm == "lost":
        path.unlink()
    else:
        card.write_text(json.dumps({**json.loads(card.read_text()), "software": {"python": "3.9"}}))
    try:
        assert set(run.due_metrics(here.target.connect(), here.loaded())) == {metric}
        findings = list(doctor_models.check_models(here.loaded(), here.probe()))
        assert [f.status for f in findings if f.check == metric] == ["warn"]
        tally = here.score()
    finally:
        path.write_bytes(kept[0])
        card.write_bytes(kept[1])
    assert not proof.exists()
    assert len(tally.warnings) == 1 and metric in tally.warnings[0]
    stand_in = model_runs.in_use(here.probe(), here.loaded())[metric]
    assert stand_in["calc_method"] == "empirical_bayes"
    assert stand_in["reason"].startswith(model_runs.STAND_IN)
    assert set(run.due_metrics(here.target.connect(), here.loaded())) == {metric}


def test_scoring_before_any_training_takes_base_rates(here: Here) -> None:
    execute_in(here, "delete from lm_model_run")
    assert set(run.due_metrics(here.target.connect(), here.loaded())) == set(METRICS)
    tally = here.score()
    assert tally.warnings == []
    assert here.calls() * len(METRICS) == len(here.forecasts())


def test_a_full_refresh_keeps_the_forecasts(here: Here) -> None:
    before = here.forecasts()
    here.target.dbt("run", "--full-refresh", "--select", "lm_value", vars={"as_of": moment(NOW)})
    assert_same(before, here.forecasts())


def test_calibration_is_what_became_of_the_calls(here: Here) -> None:
    """Against the calls themselves: those of the last 28 matured days."""
    here.target.dbt(
        "run", "--select", "vw_lm_model_calibration", "vw_lm_model_health",
        vars={"as_of": moment(NOW)},
    )
    predicted, happened = [], []
    for value, start, event in here.target.rows(
        "select lm_value.value_numeric, call_started_at, next_call_in_at from fct_call"
        " inner join lm_value on fct_call.history_id = lm_value.history_id"
        " where metric_code = 'second_call_prob' and value_numeric is not null"
    ):
        if start <= NOW - timedelta(days=7):
            predicted.append(float(value))
            happened.append(event is not None and event <= start + timedelta(days=7))
    rows = here.target.rows(
        "select decile, calls, predicted_share, realised_share, realised_lo95, realised_hi95"
        " from vw_lm_model_calibration where metric_code = 'second_call_prob' order by decile"
    )
    assert [row[0] for row in rows] == list(range(1, 11))
    assert sum(row[1] for row in rows) == len(predicted) > 100
    assert sum(row[1] * row[2] for row in rows) == pytest.approx(sum(predicted))
    assert sum(row[1] * row[3] for row in rows) == pytest.approx(sum(happened))
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)
    for _, calls, _, share, low, high in rows:
        assert 0 <= low + 1e-9 and low <= share <= high <= 1
        # Wilson's interval holds the shares from which this one is 1.96 standard errors away.
        for end in (low, high):
            if 0.001 < end < 0.999:
                assert abs(share - end) == pytest.approx(1.96 * (end * (1 - end) / calls) ** 0.5, rel=1e-3)


def test_health_tells_old_drifted_and_wrong_models(here: Here) -> None:
    version = model_runs.in_use(here.probe(), here.loaded())["second_call_prob"]["lm_version"]
    execute_in(
        here,
        "delete from lm_model_drift",
        "insert into lm_model_drift values"
        f" ('second_call_prob', 'await_sec', '{version}', '{moment(NOW)}', '{moment(NOW)[:10]}',"
        f" '{moment(NOW)[:10]}', 500, 0.3)",
        f"update lm_model_run set trained_at = '{moment(NOW - timedelta(days=22))}'"
        " where metric_code = 'complaint_prob'",
        # As if it had learnt from the first days only: all the other calls judge it.
        f"update lm_model_run set train_to = '{moment(NOW - timedelta(days=16))}'"
        " where metric_code = 'second_call_prob'",
        "update lm_value set value_numeric = 0.9 where metric_code = 'second_call_prob'"
        " and value_numeric is not null",
    )
    health = {
        row[0]: row[1:]
        for row in here.target.rows(
            "select metric_code, is_stale, is_drifted, drifted_inputs, calls_after_training"
            " from vw_lm_model_health"
        )
    }
    assert health["conversion_prob_forecast"][:3] == (0, 0, None)
    assert health["second_call_prob"][:3] == (0, 1, "await_sec")
    assert health["second_call_prob"][3] > 50
    assert health["complaint_prob"][:3] == (1, 0, None)
    findings = {f.check: f for f in doctor_models.check_models(here.loaded(), here.probe())}
    assert findings["conversion_prob_forecast"].status == "ok"
    assert "await_sec" in findings["second_call_prob"].what
    assert "22 days old" in findings["complaint_prob"].what
    execute_in(here, "delete from lm_model_run", "delete from lm_watermark where model_name = 'python_scoring'")


def test_drift_is_measured_once_a_day_and_model(here: Here) -> None:
    rows = here.target.rows("select metric_code, feature, calls, psi from lm_model_drift")
    assert {row[0] for row in rows} >= {"second_call_prob"}
    assert all(row[2] >= model_drift.LEAST_CALLS and row[3] >= 0 for row in rows)
    versions = {
        metric: run_["lm_version"]
        for metric, run_ in model_runs.in_use(here.probe(), here.loaded()).items()
        if metric in {row[0] for row in rows}
    }
    assert model_drift.is_measured(here.probe(), here.loaded(), versions)
    tomorrow = here.loaded(as_of=moment(NOW + timedelta(days=1)))
    assert not model_drift.is_measured(here.probe(), tomorrow, versions)


def execute_in(here: Here, *statements: str) -> None:
    execute(here.target, f"use `{here.target.schema}`", *statements)


def without(table: Table, *names: str) -> Table:
    return {
        key: {name: value for name, value in row.items() if name not in names}
        for key, row in table.items()
    }
