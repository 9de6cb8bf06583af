"""`lm train` and `lm score`: what they write, what they leave alone, what they survive."""

from __future__ import annotations

import json
import pickle
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestTarget
from mysql.connector.abstracts import MySQLConnectionAbstract
from pipeline_cases import (
    BUILD,
    NOW,
    Table,
    a_review,
    assert_same,
    clinic,
    execute,
    fill,
    insert,
    missed_on_the_last_day,
    moment,
    newest,
    read,
    unlike,
)

from python_scoring.base.database import Probe
from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.project import project_vars
from python_scoring.base.settings import as_of
from python_scoring.base.watermarks import Watermarks, writing_values
from python_scoring.daily import command as run
from python_scoring.doctor import models as doctor_models
from python_scoring.model_registry import model_runs, model_store
from python_scoring.probability.settings import METRICS
from python_scoring.scoring import chunks, live_models, score, train
from python_scoring.scoring import drift as model_drift
from python_scoring.scoring import rows as value_rows
from python_scoring.scoring import settings as scoring_settings

RULES = "lm_2026_11.1"


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    """The small clinic with its rule metrics."""
    fill(target, clinic())
    target.dbt(*BUILD, vars={"as_of": moment(NOW)})
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

    def lm(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.target.lm(*words, "--vars", json.dumps(self.variables))

    def json(self, *words: str) -> dict[str, Any]:
        done = self.lm(*words, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def runs(self) -> dict[str, dict[str, Any]]:
        return model_runs.in_use(self.probe(), self.loaded())

    def calls(self) -> int:
        return self.target.rows("select count(*) from fct_call")[0][0]

    def probe(self) -> Probe:
        return Probe(self.target.connect())


def quiet(_: str) -> None:
    pass


def test_every_call_has_its_forecasts(here: Here) -> None:
    runs = here.runs()
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
    for run_ in here.runs().values():
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
    old = here.runs()
    later = moment(NOW - timedelta(days=3))
    new = here.train(as_of=later)
    renewed = {
        metric for metric in METRICS if new[metric]["lm_version"] != old[metric]["lm_version"]
    }
    assert "second_call_prob" in renewed
    tally = here.score(as_of=later, calc_source="backfill")
    after = here.forecasts()
    assert tally.calls == here.calls()
    for key, row in after.items():
        assert (row["id"], row["created_at"]) == (before[key]["id"], before[key]["created_at"])
        if row["value_numeric"] is None:
            assert row == before[key], "a gate is no model's doing"
        elif key[1] in renewed:
            assert row["lm_version"] == new[key[1]]["lm_version"]
            assert row["calc_source"] == "backfill"
        else:
            assert row == before[key], "the same model came out"
    assert tally.rows_written == len(unlike(before, after))


def test_only_changed_calls_are_read(here: Here) -> None:
    """A call that gets another caller's history, as fct_call would tell it."""
    before = here.forecasts()
    (call, day, change) = here.target.rows(
        "select history_id, call_date, (select max(change_id) from int_metric_inputs) + 1"
        " from fct_call"
        " where direction = 'in' and is_answered = 1 and caller_key is not null"
        " order by history_id limit 1"
    )[0]
    execute_in(
        here,
        f"update fct_call set is_frequent_number = 1 where history_id = {call}",
    )
    inputs_follow(here, call, change)
    assert here.score().calls == 0, "the rule metrics come first"
    rules_follow(here, change)
    tally = here.score()
    changed = unlike(before, here.forecasts())
    assert tally.calls == 1
    assert {key[0] for key in changed} == {call}
    assert tally.rows_written == len(changed) > 0
    assert here.forecasts()[call, "second_call_prob"]["value_json"]["gate"] == "FREQUENT_NUMBER"
    marks = here.target.rows(
        "select call_date, changed, change_id from lm_value_changes"
        " order by change_id desc, changed limit 3"
    )
    sequence = Watermarks(here.probe(), here.loaded(), "lm_value").get("sequence").position
    written = sorted({key[1] for key in changed})
    assert marks[: len(written)] == [(day, metric, sequence) for metric in written]
    # Its own change does not send it round again.
    assert here.score().calls == 0
    execute_in(
        here,
        f"update fct_call set is_frequent_number = 0 where history_id = {call}",
    )
    inputs_follow(here, call, change + 1)
    rules_follow(here, change + 1)
    here.score()
    assert_same(without(before, "updated_at"), without(here.forecasts(), "updated_at"))


def inputs_follow(here: Here, call: int, change: int) -> None:
    """As if dbt had made the call's inputs anew."""
    execute_in(here, f"update int_metric_inputs set change_id = {change} where history_id = {call}")


def rules_follow(here: Here, change: int) -> None:
    """As if dbt had computed the calls' rule metrics up to this change of their inputs."""
    execute_in(
        here,
        f"update lm_watermark set position = {change}"
        " where (model_name, feed)"
        " in (('lm_value', 'int_metric_inputs'), ('int_metric_inputs', 'sequence'))",
    )


def test_days_of_changed_rule_metrics_are_read(here: Here) -> None:
    days = here.target.rows(
        "select call_date, count(*) from fct_call group by call_date order by call_date limit 3"
    )
    marks = Watermarks(here.probe(), here.loaded(), score.STEP)
    with writing_values(marks):
        number = marks.next_change()
        for day, _ in days[:2]:
            marks.probe.rows(
                f"insert into {here.target.schema}.lm_value_changes"
                " (call_date, change_id, rule_change_id) values (%s, %s, %s)"
                " on duplicate key update rule_change_id = values(rule_change_id)",
                (day, number, number),
            )
    tally = here.score(lm_batch_calls=1)
    assert (tally.calls, tally.chunks) == (days[0][1] + days[1][1], 2)
    assert tally.rows_written == 0
    assert here.score().calls == 0


def test_a_killed_run_goes_on_where_it_stopped(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    later = moment(NOW - timedelta(days=2))
    here.train(as_of=later)
    chunks = 0

    def killed_at_the_third(*arguments: Any) -> Any:
        nonlocal chunks
        chunks += 1
        result = live_models.write_calls(*arguments)
        if chunks == 3:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patched:
        patched.setattr(score, "write_calls", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            here.score(as_of=later, lm_batch_calls=100)
    version = here.runs()["second_call_prob"]["lm_version"]
    rows = here.forecasts()
    ids = sorted({call for call, _ in rows})
    done = {call for (call, _), row in rows.items() if row["lm_version"] == version}
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
    # Before the threads: loading a target changes the process's environment for a moment.
    loaded = here.loaded(as_of=later, lm_batch_calls=50)
    connections = [here.target.connect() for _ in range(2)]

    def work(connection: MySQLConnectionAbstract) -> None:
        with closing(connection):
            tallies.append(score.score(connection, loaded, tell=quiet))

    threads = [threading.Thread(target=work, args=(one,)) for one in connections]
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
    checksum = here.runs()[metric]["artifact_sha256"]
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
    stand_in = here.runs()[metric]
    assert stand_in["calc_method"] == "empirical_bayes"
    assert stand_in["reason"].startswith(model_runs.STAND_IN)
    assert set(run.due_metrics(here.target.connect(), here.loaded())) == {metric}


def test_scoring_before_any_training_takes_base_rates(here: Here) -> None:
    execute_in(here, "delete from lm_model_run")
    assert set(run.due_metrics(here.target.connect(), here.loaded())) == set(METRICS)
    tally = here.score()
    assert tally.warnings == []
    assert here.calls() * len(METRICS) == len(here.forecasts())


def test_calibration_is_what_became_of_the_calls(here: Here) -> None:
    """Against the calls themselves: those of the last 28 matured days."""
    here.target.dbt(
        "run",
        "--select",
        "vw_lm_model_calibration",
        "vw_lm_model_health",
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
    rows = [tuple(map(float, row)) for row in rows]
    assert [row[0] for row in rows] == list(range(1, 11))
    assert sum(row[1] for row in rows) == len(predicted) > 100
    assert sum(row[1] * row[2] for row in rows) == pytest.approx(sum(predicted), rel=1e-3)
    assert sum(row[1] * row[3] for row in rows) == pytest.approx(sum(happened), rel=1e-3)
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)
    for _, calls, _, share, low, high in rows:
        assert low + 1e-9 >= 0 and low <= share <= high <= 1
        # Wilson's interval holds the shares from which this one is 1.96 standard errors away.
        for end in (low, high):
            if 0.001 < end < 0.999:
                assert abs(share - end) == pytest.approx(
                    1.96 * (end * (1 - end) / calls) ** 0.5, rel=1e-3
                )


def test_health_tells_old_drifted_and_wrong_models(here: Here) -> None:
    version = here.runs()["second_call_prob"]["lm_version"]
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
    execute_in(
        here,
        "delete from lm_model_run",
        "delete from lm_watermark where model_name = 'python_scoring'",
    )


def test_drift_is_measured_once_a_day_and_model(here: Here) -> None:
    rows = here.target.rows("select metric_code, feature, calls, psi from lm_model_drift")
    assert {row[0] for row in rows} >= {"second_call_prob"}
    assert all(row[2] >= model_drift.LEAST_CALLS and row[3] >= 0 for row in rows)
    versions = {
        metric: run_["lm_version"]
        for metric, run_ in here.runs().items()
        if metric in {row[0] for row in rows}
    }
    assert model_drift.is_measured(here.probe(), here.loaded(), versions)
    tomorrow = here.loaded(as_of=moment(NOW + timedelta(days=1)))
    assert not model_drift.is_measured(here.probe(), tomorrow, versions)


def test_an_unknown_call_is_named(here: Here) -> None:
    done = here.lm("score", "--call", "987654")
    assert done.returncode == 2
    assert "has no call 987654" in done.stderr


def test_one_call_is_brought_up_to_date_alone(here: Here) -> None:
    """Two calls come in days after the last run, and only the newer is asked for."""
    last = newest(here.target, "call_history")
    start = datetime(2025, 9, 14, 20)
    older, asked, this_week = (a_missed_call(last + n, start, NOW) for n in (1, 2, 3))
    this_week.update(a_missed_call(last + 3, NOW - timedelta(hours=1), NOW))
    insert(here.target, "call_history", older)
    insert(here.target, "call_history", asked)
    insert(here.target, "call_scores", a_review(90_000, last + 2, NOW))
    before = read(here.target, "lm_value")
    marks = watermarks(here)

    document = here.json("score", "--call", str(last + 2))
    after = read(here.target, "lm_value")
    assert {key[0] for key in unlike(before, after)} == {last + 2}
    rows = {key[1]: row for key, row in after.items() if key[0] == last + 2}
    assert len(rows) == len(document["metrics"]) == 18
    assert {row["calc_source"] for row in rows.values()} == {"online_scoring"}
    for metric in document["metrics"]:
        row = rows[metric["metric_code"]]
        value = row["value_numeric"]
        assert metric["value_numeric"] == (None if value is None else float(value))
        assert [reason["code"] for reason in metric["reasons"]] == [
            reason["code"] for reason in row["value_json"].get("reasons", [])
        ]
        if metric["metric_group"] != "aux":
            for language in ("ru", "en"):
                said = metric[f"gate_{language}"] or metric[f"reasons_{language}"]
                assert said and "{" not in said
    by_code = {metric["metric_code"]: metric for metric in document["metrics"]}
    # Missed after 40 s, and reviewed at the moment that counts as now.
    assert by_code["response_speed_score"]["value_numeric"] == 0
    assert by_code["response_speed_score"]["reasons"][0]["code"] == "MISSED_CALL"
    assert by_code["followup_needed_flag"]["value_label"] == "true"
    assert by_code["second_call_prob"]["value_numeric"] is not None
    left = watermarks(here)
    moved = {key for key in marks.keys() | left.keys() if marks.get(key) != left.get(key)}
    assert moved <= {("int_calls", "reviews")}, "the next run must find what this one left"

    if here.target.name == "embedded":
        # The first call of a week: the week's constants come with it, and all other calls.
        insert(here.target, "call_history", this_week)
        assert len(here.json("score", "--call", str(last + 3))["metrics"]) == 18
    else:
        here.target.dbt("run", "--select", "+lm_value", vars={"as_of": moment(NOW)})
    assert here.score().chunks > 0
    complete = read(here.target, "lm_value")
    assert len(complete) == 18 * here.calls()
    assert {key[0] for key in complete} >= {last + 1, last + 2}, "the older call was not lost"

    here.target.dbt("run", "--full-refresh", "--select", "lm_value", vars={"as_of": moment(NOW)})
    assert_same(complete, read(here.target, "lm_value"))


def a_missed_call(history_id: int, start: datetime, entered: datetime) -> dict[str, Any]:
    row = missed_on_the_last_day(clinic().history)
    return row | {
        "history_id": history_id,
        "caller_number": f"+7999000{history_id:04}",
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "context_start_time_dt": moment(start),
        "entry_id": f"missed-{history_id}",
        "created_at": moment(entered),
    }


def watermarks(here: Here) -> dict[tuple[str, str], Any]:
    rows = here.target.rows(
        "select model_name, feed, position, cursor_key, fingerprint, moment from lm_watermark"
        " where feed <> 'sequence'"
    )
    return {(model, feed): rest for model, feed, *rest in rows}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"trained_at": NOW - timedelta(days=6, hours=23)}, ""),
        ({"trained_at": NOW - timedelta(days=7)}, "the model is 7 days old"),
        ({"trained_at": NOW + timedelta(days=1)}, "of a later moment"),
        ({"reason": "stand-in: the model file is lost"}, "base rates stand in"),
        ({"lm_version": "lm_2026_10.1+12345678"}, "the rules are now lm_2026_11.1"),
    ],
)
def test_when_a_training_is_due(changes: dict[str, Any], expected: str) -> None:
    trained = {"trained_at": NOW, "reason": "enough", "lm_version": f"{RULES}+12345678", **changes}
    why = model_runs.why_due(trained, NOW, 7, RULES)
    assert (expected in why) if expected else why == ""
    assert model_runs.why_due(None, NOW, 7, RULES) == "there is no model yet"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], []),
        ([(3, 10)], [(3, 3)]),
        ([(1, 4), (2, 6), (3, 1)], [(1, 2), (3, 3)]),
        # More than a chunk in one change: it stays whole.
        ([(1, 4), (7, 50), (9, 5), (10, 5)], [(1, 1), (7, 7), (9, 10)]),
    ],
)
def test_changes_are_cut_into_chunks(
    counts: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert list(chunks.runs(counts, 10)) == expected


def test_a_version_is_of_the_rules_and_the_card() -> None:
    card = {"metric": "second_call_prob", "rate": 0.25}
    version = model_store.version_of(RULES, card)
    assert version == model_store.version_of(RULES, dict(reversed(card.items())))
    assert version != model_store.version_of(RULES, {**card, "rate": 0.26})
    assert model_store.is_of_rules(version, RULES)
    long = "rules_of_a_very_long_name_indeed"
    assert len(model_store.version_of(long, card)) == 32
    assert model_store.is_of_rules(model_store.version_of(long, card), long)


def test_a_stored_model_comes_back(tmp_path: Path) -> None:
    model = {"rates": {"in": 0.25}}
    checksum = model_store.save(tmp_path / "new", "second_call_prob", model, {"n": 3})
    assert model_store.load(tmp_path / "new", "second_call_prob", checksum) == model
    assert model_store.load_card(tmp_path / "new", "second_call_prob", checksum)["n"] == 3
    assert len(list((tmp_path / "new").iterdir())) == 2, "no temporary file is left"


JSON = '{"v": 1, "base": 0.1, "reasons": [{"code": "A", "points": 0.05}]}'


@pytest.mark.parametrize(
    ("stored", "differs"),
    [
        ((7, 0.15, None, JSON, "v1", "gbm"), False),
        # As another server writes the same document.
        (
            (
                7,
                0.15,
                None,
                '{"base":0.10,"reasons":[{"points":5e-2,"code":"A"}],"v":1}',
                "v1",
                "gbm",
            ),
            False,
        ),
        ((8, 0.15, None, JSON, "v1", "gbm"), True),
        ((7, 0.1501, None, JSON, "v1", "gbm"), True),
        ((7, None, None, JSON, "v1", "gbm"), True),
        ((7, 0.15, "low", JSON, "v1", "gbm"), True),
        ((7, 0.15, None, JSON.replace("0.05", "0.06"), "v1", "gbm"), True),
        ((7, 0.15, None, JSON, "v2", "gbm"), True),
        ((7, 0.15, None, JSON, "v1", "regression"), True),
    ],
)
def test_only_rows_that_differ_are_written(stored: tuple[Any, ...], differs: bool) -> None:
    key = (1, "second_call_prob")
    wanted = {key: (7, 0.15, None, JSON, "v1", "gbm")}
    assert bool(value_rows.changed(wanted, {key: stored})) is differs
    assert value_rows.changed(wanted, {}) == list(wanted.items())


@pytest.mark.parametrize(
    ("name", "value"), [("lm_booking_days", "soon"), ("lm_train_min_rows", 0), ("as_of", "May 3")]
)
def test_wrong_settings_are_named(name: str, value: Any) -> None:
    loaded = a_target(**{name: value})
    with pytest.raises(ConfigurationError, match=name):
        if name == "as_of":
            as_of(loaded)
        else:
            scoring_settings.settings(loaded)


def test_settings_of_the_project() -> None:
    settings = scoring_settings.settings(a_target(lm_repeat_days=3))
    assert [settings.horizon_days(metric) for metric in METRICS] == [14, 3, 30]
    assert as_of(a_target(as_of="2026-03-31")) == datetime(2026, 3, 31)
    ahead = as_of(a_target(utc_offset="+05:00"))
    behind = as_of(a_target(utc_offset="-03:30"))
    assert abs((ahead - behind) - timedelta(hours=8, minutes=30)) < timedelta(seconds=5)


def a_target(**variables: Any) -> Target:
    return Target(
        name="mysql",
        type="mysql",
        schema="s",
        user="u",
        password="",
        host="h",
        port=None,
        socket=None,
        charset="",
        collation="",
        project_dir=ROOT,
        profiles_dir=ROOT,
        vars=project_vars(ROOT, variables),
    )


def execute_in(here: Here, *statements: str) -> None:
    execute(here.target, f"use `{here.target.schema}`", *statements)


def without(table: Table, *names: str) -> Table:
    return {
        key: {name: value for name, value in row.items() if name not in names}
        for key, row in table.items()
    }
