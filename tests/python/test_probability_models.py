"""The probability models on made-up calls: labels, leakage, few calls, reasons, determinism."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from python_scoring.probability import drift as probability_drift
from python_scoring.probability import labels as probability_labels
from python_scoring.probability import quality as probability_quality
from python_scoring.probability.base_rates import BaseRates
from python_scoring.probability.calibration import Sigmoid, fit_sigmoid
from python_scoring.probability.explain import (
    GROUPS,
    LEVEL_CODES,
    TYPICAL_CALL,
    VALUE_CODES,
    model_reasons,
)
from python_scoring.probability.explain import ROOT as ALL_CALLS
from python_scoring.probability.features import (
    BY_COLUMN,
    FEATURE_COLUMNS,
    INPUT_COLUMNS,
    LABEL_COLUMNS,
    features,
)
from python_scoring.probability.linear import fit_penalised
from python_scoring.probability.model import ProbabilityModel
from python_scoring.probability.settings import (
    BOOKING,
    COMPLAINT,
    METRICS,
    REPEAT,
    SPECS,
    ProbabilitySettings,
)
from python_scoring.probability.training import train_metric
from python_scoring.probability.trees import TreeModel

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2025, 1, 6)
AS_OF = datetime(2025, 5, 1)
SETTINGS = ProbabilitySettings()
OUTCOMES = ("lead_no_record", "info_only", "refused", "none")


def made_up_calls(n: int = 4000, seed: int = 1, strength: float = 1.0) -> pd.DataFrame:
    """Calls of 110 days whose chance of an event depends on outcome, earlier calls and wait."""
    rng = np.random.default_rng(seed)
    second = np.sort(rng.integers(0, 110 * 86400, n))
    start = [START + timedelta(seconds=int(s)) for s in second]
    frame = pd.DataFrame({"history_id": np.arange(1, n + 1), "call_started_at": start})
    frame["change_id"] = 1
    frame["call_score_id"] = [None if i % 10 == 0 else i for i in range(n)]
    frame["call_date"] = [moment.date() for moment in start]
    frame["caller_key"] = [f"{key:032x}" for key in rng.integers(0, n, n)]
    frame["log_days"] = second // 86400
    frame["is_last_of_caller"] = 1
    frame["reviewed_at"] = [moment + timedelta(days=1) for moment in start]
    for metric, spec in SPECS.items():
        frame[spec.gate_column(metric)] = None
    frame["direction"] = rng.choice(["in", "out"], n)
    frame["is_answered"] = rng.integers(0, 2, n)
    frame["is_reviewed"] = 1
    frame["is_target"] = 1
    frame["outcome"] = rng.choice(OUTCOMES, n)
    frame["call_category"] = rng.choice(["lead", "info", "navigation"], n)
    frame["refusal_code"] = rng.choice(np.array([None, "PRICE", "OTHER_REASON"], dtype=object), n)
    frame["service_group"] = rng.choice(["therapy", "unknown", "imaging"], n)
    frame["source_channel"] = rng.choice(["2gis", "unknown"], n)
    frame["operator_key"] = rng.choice(["Anna Petrova", "7", "unknown"], n)
    frame["call_hour"] = rng.integers(8, 20, n)
    frame["call_weekday"] = [moment.isoweekday() for moment in start]
    frame["talk_sec"] = np.where(frame["is_answered"] == 1, rng.integers(10, 300, n), 0)
    frame["await_sec"] = rng.integers(0, 180, n).astype(float)
    frame.loc[::7, "await_sec"] = np.nan
    frame["is_short_abandon"] = 0
    frame["pbx_status"] = frame["is_answered"]
    frame["calls_7d"] = rng.poisson(0.6, n)
    for name in ("calls_in_72h", "calls_2d", "unanswered_7d"):
        frame[name] = np.minimum(frame["calls_7d"], rng.poisson(0.4, n))
    frame["calls_30d"] = frame["calls_7d"] + rng.poisson(0.3, n)
    for name in ("bookings_180d", "bookings_365d", "cancellations_180d"):
        frame[name] = rng.poisson(0.2, n)
    frame["days_since_last_call"] = np.where(frame["calls_30d"] > 0, rng.uniform(0, 30, n), np.nan)
    frame["score"] = rng.uniform(20, 100, n)
    frame["coverage"] = None
    frame["complaint_points"] = rng.choice([0.0, 15.0, 35.0, 60.0], n)
    odds = -1.6 + strength * (
        1.2 * (frame["outcome"] == "lead_no_record")
        - 1.0 * (frame["outcome"] == "refused")
        + 0.6 * frame["calls_7d"]
        + 0.008 * (frame["await_sec"].fillna(60) - 60)
    )
    frame["truth"] = 1 / (1 + np.exp(-odds))
    happens = rng.random(n) < frame["truth"]
    delay = rng.uniform(0.05, 6.5, n)
    event = [
        moment + timedelta(days=float(days)) if yes else None
        for moment, days, yes in zip(start, delay, happens, strict=True)
    ]
    for name in LABEL_COLUMNS:
        frame[name] = pd.to_datetime(pd.Series(event))
    return frame


def reason_codes(metric: str) -> set[str]:
    """Every code that a reason of the metric may have."""
    codes = {f"FEATURE_{group}" for group in GROUPS} | {"OTHER", TYPICAL_CALL, ALL_CALLS}
    codes |= {code for _, by_value in VALUE_CODES.values() for code in by_value.values()}
    if metric == REPEAT:
        codes |= {"MISSED", "NOT_SOLVED", "CALLED_BEFORE", "LONG_WAIT", "NAVIGATION"}
    return codes | set(LEVEL_CODES[metric])


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    return made_up_calls()


@pytest.fixture(scope="module")
def newer() -> pd.DataFrame:
    return made_up_calls(1500, seed=2)


@pytest.fixture(scope="module")
def repeat_model(calls: pd.DataFrame) -> ProbabilityModel:
    result = train_metric(calls, REPEAT, AS_OF)
    assert result.report["published"] == 1, result.report["reason"]
    return result.model


@pytest.fixture(scope="module")
def complaint_model(calls: pd.DataFrame) -> ProbabilityModel:
    result = train_metric(calls, COMPLAINT, AS_OF)
    assert result.report["calc_method"] == "regression"
    return result.model


def test_labels_count_from_after_the_call_to_the_horizon() -> None:
    frame = made_up_calls(6)
    begin = START
    frame["call_started_at"] = begin
    at = [None, timedelta(0), timedelta(seconds=1), timedelta(days=7), timedelta(days=7, seconds=1)]
    moments = [None if d is None else begin + d for d in at] + [begin - timedelta(days=1)]
    frame["next_call_in_at"] = pd.to_datetime(pd.Series(moments))
    matured = probability_labels.matured_calls(frame, REPEAT, AS_OF, SETTINGS)
    assert matured.label.tolist() == [0, 0, 1, 1, 0, 0]


def test_only_matured_calls_of_known_callers_teach() -> None:
    frame = made_up_calls(8)
    age = [30, 21.1, 20.9, 1, 30, 30, -1, 30]
    frame["call_started_at"] = [AS_OF - timedelta(days=days) for days in age]
    frame["reviewed_at"] = None
    frame.loc[4, "conversion_prob_forecast_gate"] = "NO_NUMBER"
    frame.loc[5, "caller_key"] = None
    frame.loc[7, "call_started_at"] = None
    # 14 days, and 7 of review lag while no review says otherwise.
    matured = probability_labels.matured_calls(frame, BOOKING, AS_OF, SETTINGS)
    assert matured.frame["history_id"].tolist() == [1, 2]


def test_review_lag_is_the_ninetieth_percentile_within_bounds() -> None:
    frame = made_up_calls(100)
    start = pd.to_datetime(frame["call_started_at"])
    frame["reviewed_at"] = start + pd.to_timedelta(np.arange(100) / 10, unit="D")
    assert probability_labels.review_lag_days(frame) == math.ceil(0.9 * 99 / 10)
    frame["reviewed_at"] = start + pd.Timedelta(days=60)
    assert probability_labels.review_lag_days(frame) == 21
    assert probability_labels.review_lag_days(frame.head(19)) == 7


def test_slices_keep_order_and_gap(calls: pd.DataFrame) -> None:
    matured = probability_labels.matured_calls(calls, REPEAT, AS_OF, SETTINGS)
    parts = probability_labels.slices(matured)
    gap = np.timedelta64(7, "D")
    assert len(parts.test) >= 1000
    assert parts.older.start.max() < parts.test.start.min() - gap
    for fold in parts.folds:
        assert fold.learn.start.max() < fold.predict.start.min() - gap
        assert fold.predict.start.max() <= parts.older.start.max()


def test_a_young_log_counts_for_less() -> None:
    frame = made_up_calls(5).assign(calls_30d=3, log_days=[0, 3, 7, 15, 400])
    matured = probability_labels.matured_calls(frame, REPEAT, AS_OF, SETTINGS)
    assert matured.weight == pytest.approx([0.5 / 7, 0.5, 1, 1, 1])
    # Three calls in a week are as many as 13 in a month; what is counted over a week stays.
    found = features(frame)
    assert found["calls_30d"].tolist() == pytest.approx([90 / 7, 90 / 7, 90 / 7, 6, 3])
    assert (found["calls_7d"] == frame["calls_7d"]).all()
    assert features(frame.assign(log_days=None))["calls_30d"].tolist() == [3] * 5


def test_base_rates_by_hand() -> None:
    frame = made_up_calls(4)
    frame["complaint_points"] = [0.0, 0.0, 60.0, None]
    frame["calls_7d"] = [0, 0, 2, 0]
    frame["outcome"] = ["none", "refused", "refused", "none"]
    rates = BaseRates(COMPLAINT).fit(frame, np.array([0, 0, 1, 0]))
    root = (1 + 200 * 0.005) / (4 + 200)
    # Both bands are drawn to the rate of all calls, itself drawn to the prior: 4/204 of the weight.
    parent = 4 / 204 * root + 200 / 204 * 0.005
    low, high = (0 + 200 * parent) / 203, (1 + 200 * parent) / 201
    found = rates.level_rates(frame)
    calm, loud = 200 * low / 203, (1 + 200 * high) / 201
    # Two calls of each outcome: one complaint where calm + loud were expected, none elsewhere.
    refused, none = (1 + 5) / (calm + loud + 5), (0 + 5) / (2 * calm + 5)
    assert found[0] == pytest.approx([root, low, calm, none * calm])
    assert found[2] == pytest.approx([root, high, loud, refused * loud])
    unseen = rates.level_rates(frame.assign(outcome="a new one"))
    assert (unseen[:, 3] == unseen[:, 2]).all()


def test_bands_never_fall() -> None:
    frame = made_up_calls(3000)
    frame["complaint_points"] = np.repeat([0.0, 10.0, 30.0, 70.0], 750)
    label = np.zeros(3000, dtype=int)
    label[:60] = 1  # The calmest band complains most: pooled with the others.
    rates = BaseRates(COMPLAINT).fit(frame, label).rates_[0]
    order = [rates[band] for band in ("0", "1-24", "25-49", "50-100")]
    assert order == sorted(order)


def test_learns_what_there_is_to_learn(repeat_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    truth, p = newer["truth"].to_numpy(), repeat_model.probabilities(newer)
    assert np.corrcoef(truth, p)[0, 1] > 0.9
    assert abs(p.mean() - truth.mean()) < 0.02
    assert np.abs(p - truth).mean() < 0.05


def test_nothing_after_the_call_is_a_feature(
    repeat_model: ProbabilityModel, newer: pd.DataFrame
) -> None:
    future = newer.assign(
        **dict.fromkeys(LABEL_COLUMNS, None), reviewed_at=None, is_last_of_caller=0, change_id=99
    )
    before, after = repeat_model.probabilities(newer), repeat_model.probabilities(future)
    assert (before == after).all()
    assert not set(FEATURE_COLUMNS) & {*LABEL_COLUMNS, "reviewed_at", "is_last_of_caller"}


def test_a_planted_column_of_the_future_is_not_used(calls: pd.DataFrame) -> None:
    planted = calls.assign(complains=calls["next_complaint_at"].notna().astype(int))
    plain, with_future = (train_metric(f, COMPLAINT, AS_OF) for f in (calls, planted))
    assert plain.report == with_future.report
    assert "complains" not in with_future.report["features"]


def test_shuffled_labels_teach_nothing(calls: pd.DataFrame) -> None:
    shuffled = calls.copy()
    moved = np.random.default_rng(3).permutation(len(calls))
    delay = calls["next_complaint_at"] - calls["call_started_at"]
    shuffled["next_complaint_at"] = calls["call_started_at"] + delay.to_numpy()[moved]
    report = train_metric(shuffled, COMPLAINT, AS_OF).report
    assert abs(report["auc"] - 0.5) < 0.08
    assert report["brier"] >= report["brier_base"] - 0.002


def test_a_label_still_to_come_changes_nothing(calls: pd.DataFrame) -> None:
    # Thirty days and the review lag of one: a younger call is no example yet.
    young = calls["call_started_at"] > AS_OF - timedelta(days=31)
    assert young.sum() > 300
    later = calls.copy()
    later.loc[young, list(LABEL_COLUMNS)] = AS_OF + timedelta(hours=1)
    reports = [train_metric(frame, COMPLAINT, AS_OF).report for frame in (calls, later)]
    assert reports[0] == reports[1]
    older = calls.copy()
    older.loc[~young, "next_complaint_at"] = pd.NaT
    assert train_metric(older, COMPLAINT, AS_OF).report["n_positive"] == 0


def test_same_seed_same_model_whatever_the_order(
    repeat_model: ProbabilityModel, calls: pd.DataFrame, newer: pd.DataFrame
) -> None:
    again = train_metric(calls.sample(frac=1, random_state=5), REPEAT, AS_OF).model
    assert json.dumps(again.card()) == json.dumps(repeat_model.card())
    assert (again.probabilities(newer) == repeat_model.probabilities(newer)).all()


def test_survives_joblib(
    repeat_model: ProbabilityModel, newer: pd.DataFrame, tmp_path: Path
) -> None:
    joblib.dump(repeat_model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    assert (loaded.probabilities(newer) == repeat_model.probabilities(newer)).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 10, 500])
def test_few_calls_give_base_rates(metric: str, n: int, newer: pd.DataFrame) -> None:
    result = train_metric(made_up_calls(500).head(n), metric, AS_OF)
    assert result.report["calc_method"] == "empirical_bayes"
    assert result.report["published"] == 0
    assert "matured calls, 1000 needed" in result.report["reason"]
    p = result.model.probabilities(newer)
    assert ((p > 0) & (p < 1)).all()
    if n == 0:
        assert p.max() <= 0.2, "priors"


def test_few_events_give_base_rates(calls: pd.DataFrame) -> None:
    rare = calls.copy()
    rare.loc[rare.index % 40 != 0, "next_complaint_at"] = pd.NaT
    report = train_metric(rare, COMPLAINT, AS_OF).report
    assert report["calc_method"] == "empirical_bayes"
    assert "with the event, 120 needed" in report["reason"]


def test_a_short_history_is_enough_without_a_choice() -> None:
    frame = made_up_calls(900, strength=1.5)
    start = START + (frame["call_started_at"] - START) * (20 / 110)
    frame["next_call_in_at"] = start + (frame["next_call_in_at"] - frame["call_started_at"])
    frame["call_started_at"] = start
    result = train_metric(
        frame, REPEAT, START + timedelta(days=28), ProbabilitySettings(min_rows=800)
    )
    assert result.report["published"] == 1, result.report["reason"]
    assert result.report["calc_method"] == "gbm"
    assert result.model.card()["candidates_log_loss"] == {}
    assert result.model.calibration == Sigmoid()


@pytest.mark.parametrize("happens", [True, False])
def test_one_class_only(calls: pd.DataFrame, happens: bool) -> None:
    event = calls["call_started_at"] + timedelta(days=1) if happens else pd.NaT
    result = train_metric(calls.assign(next_call_in_at=event), REPEAT, AS_OF)
    assert result.report["calc_method"] == "empirical_bayes"
    assert result.report["auc"] is None
    p = result.model.probabilities(calls.head(50))
    assert (p > 0.9).all() if happens else (p < 0.1).all()


def test_columns_without_a_value(calls: pd.DataFrame) -> None:
    empty = calls.copy()
    for name in ("score", "await_sec", "days_since_last_call", "pbx_status", "refusal_code"):
        empty[name] = None
    result = train_metric(empty, REPEAT, AS_OF)
    assert result.report["published"] == 1, result.report["reason"]
    assert not {"score", "await_sec", "pbx_status"} & set(result.report["features"])
    # What was never there in training may come later.
    assert np.isfinite(result.model.probabilities(calls.head(100))).all()


def test_values_never_seen_before(repeat_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    strange = newer.head(200).assign(
        outcome="a new outcome", operator_key="new", call_weekday=None, talk_sec=10**6, score=None
    )
    p = repeat_model.probabilities(strange)
    assert ((p > 0) & (p < 1)).all()
    assert repeat_model.predict(strange)["probability"].to_numpy() == pytest.approx(p)


@pytest.mark.parametrize("name", ["repeat_model", "complaint_model", "base_model"])
def test_reasons_add_up(
    name: str, request: pytest.FixtureRequest, newer: pd.DataFrame, calls: pd.DataFrame
) -> None:
    model: ProbabilityModel = (
        train_metric(calls.head(600), REPEAT, AS_OF).model
        if name == "base_model"
        else request.getfixturevalue(name)
    )
    found = model.predict(newer)
    assert found["probability"].to_numpy() == pytest.approx(model.probabilities(newer))
    known = reason_codes(model.metric)
    for p, base, kind, reasons in found.itertuples(index=False):
        assert kind == ("lookup" if name == "base_model" else "additive")
        assert base + sum(reason["points"] for reason in reasons) == pytest.approx(p, abs=1e-9)
        assert len(reasons) <= 6, "the views of sentences have six places"
        codes = [reason["code"] for reason in reasons]
        assert len(set(codes)) == len(codes)
        assert set(codes) <= known


def test_reasons_point_the_right_way(repeat_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    often = newer[newer["calls_7d"] >= 3]
    for reasons in repeat_model.predict(often)["reasons"]:
        assert {r["code"]: r["points"] for r in reasons}.get("CALLED_BEFORE", 0) > 0


@hypothesis.given(
    base=strategies.floats(-8, 8),
    log_odds=arrays(float, (3, len(GROUPS)), elements=strategies.floats(-3, 3)),
)
def test_points_share_the_way_from_the_typical_call(base: float, log_odds: np.ndarray) -> None:
    """Twice the log-odds, twice the points; and the integral along the way, done by small steps."""
    frame = made_up_calls(3)
    shown = np.round(expit(base + log_odds.sum(axis=1)), 4)
    _, found = model_reasons(BOOKING, frame, base, log_odds, shown)
    steps = (np.arange(2_000) + 0.5) / 2_000
    for row, reasons in enumerate(found):
        way = expit(base + steps * log_odds[row].sum())
        wanted = log_odds[row] * (way * (1 - way)).mean()
        typical, *told = reasons
        assert typical["code"] == TYPICAL_CALL
        assert typical["points"] == pytest.approx(expit(base), abs=6e-4)
        assert sum(reason["points"] for reason in reasons) == pytest.approx(shown[row], abs=1e-9)
        points = [reason["points"] for reason in told if reason["code"] != "OTHER"]
        largest = sorted(wanted, key=abs, reverse=True)[: len(points)]
        assert sorted(map(abs, points), reverse=True) == pytest.approx(
            [abs(points) for points in largest], abs=1e-4
        )


def test_a_reason_tells_what_was(repeat_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    told = Counter(
        reason["code"] for reasons in repeat_model.predict(newer)["reasons"] for reason in reasons
    )
    assert not {"FEATURE_OUTCOME", "FEATURE_ANSWERED", "FEATURE_DIRECTION"} & set(told)
    for call, reasons in zip(
        newer.itertuples(), repeat_model.predict(newer)["reasons"], strict=True
    ):
        numbers = {reason["code"]: reason.get("value") for reason in reasons}
        assert numbers.get("FEATURE_CALLS_7D", call.calls_7d) == call.calls_7d


def test_nobody_spoke_on_a_call_that_was_not_answered(calls: pd.DataFrame) -> None:
    missed = features(calls.assign(is_answered=0))
    assert set(missed["operator_key"]) == {"unknown"}
    assert len(set(features(calls.assign(is_answered=1))["operator_key"])) > 1


def test_every_value_of_the_lists_has_a_reason() -> None:
    """What the seeds map labels to, but for categories that no client's call has."""
    for seed, column, group in (
        ("call_outcomes", "outcome", "OUTCOME"),
        ("refusal_reasons", "refusal_code", "REFUSAL"),
        ("call_directions", "direction", "DIRECTION"),
    ):
        with (ROOT / "seeds" / f"{seed}.csv").open(encoding="utf-8") as file:
            values = {row[column] for row in csv.DictReader(file)}
        assert values - {"internal"} <= set(VALUE_CODES[group][1]), seed


def test_the_trees_points_are_what_each_turn_changes(
    calls: pd.DataFrame, newer: pd.DataFrame
) -> None:
    strange = newer.head(50).assign(outcome="a new outcome", await_sec=None, call_weekday=None)
    some = features(pd.concat([newer.head(250), strange], ignore_index=True))
    happens = calls[LABEL_COLUMNS[0]].notna().to_numpy(dtype=float)
    trees = TreeModel().fit(features(calls), happens, np.ones(len(calls)))
    base, points = trees.explain(some)
    matrix, reference = trees._matrix(some), trees.reference_
    groups = [BY_COLUMN[name].group for name in trees.columns_]
    assert len(set(groups)) > 5
    expected = np.zeros_like(points)
    for order in (dict.fromkeys(groups), reversed(dict.fromkeys(groups))):
        mixed = np.tile(reference, (len(some), 1))
        before = trees.model_.decision_function(mixed)
        assert before == pytest.approx(base)
        for group in order:
            members = [at for at, name in enumerate(groups) if name == group]
            mixed[:, members] = matrix[:, members]
            after = trees.model_.decision_function(mixed)
            expected[:, GROUPS.index(group)] += (after - before) / 2
            before = after
    assert points == pytest.approx(expected, abs=1e-9)
    assert np.abs(points).max() > 0.1


def test_every_reason_has_a_text() -> None:
    with (ROOT / "seeds" / "lm_reason_dictionary.csv").open(encoding="utf-8") as file:
        texts = {(row["metric_code"], row["reason_code"]) for row in csv.DictReader(file)}
    assert not {
        (metric, code)
        for metric in METRICS
        for code in reason_codes(metric)
        if not {(metric, code), ("*", code)} & texts
    }


def test_value_rows(complaint_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    frame = newer.head(4).copy()
    gate = ["ALREADY_COMPLAINT", "NO_NUMBER", None, None]
    frame["complaint_prob_gate"] = np.array(gate, dtype=object)
    rows = complaint_model.value_rows(frame)
    assert rows["history_id"].tolist() == frame["history_id"].tolist()
    assert rows["call_score_id"].tolist() == [None, 1, 2, 3]
    assert rows["value_label"].tolist() == ["complaint", None, None, None]
    values = rows["value_numeric"].tolist()
    assert values[:2] == [None, None]
    contents: list[dict[str, Any]] = [json.loads(text) for text in rows["value_json"]]
    assert contents[1] == {"v": 1, "status": "gated", "gate": "NO_NUMBER"}
    for value, content in zip(values[2:], contents[2:], strict=True):
        assert value == round(value, 4)
        assert (content["status"], content["horizon_d"]) == ("ok", 30)
        assert {"base", "kind", "reasons", "model"} <= set(content)
        assert {"n_train", "brier", "brier_base"} <= set(content)
    assert rows["value_json"].str.len().max() < 2048
    assert len(complaint_model.value_rows(frame.head(0))) == 0


@pytest.mark.parametrize(("p", "label"), [(0.1999, "low"), (0.2, "medium"), (0.5, "high")])
def test_labels_of_repeat_calls(p: float, label: str) -> None:
    model = ProbabilityModel(REPEAT, 7, BaseRates(REPEAT))
    assert model.label(p) == label


def test_operators_names_stay_out(repeat_model: ProbabilityModel) -> None:
    assert "Petrova" not in json.dumps(repeat_model.card())


def test_a_missing_column_is_named(calls: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="calls_7d"):
        features(calls.drop(columns="calls_7d"))
    assert set(INPUT_COLUMNS) <= set(calls.columns)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="repeat_days"):
        ProbabilitySettings(repeat_days=0)
    with pytest.raises(ValueError, match="no such metric"):
        SETTINGS.horizon_days("second_call")


def test_each_feature_has_its_own_penalty() -> None:
    rng = np.random.default_rng(6)
    n, sizes = 3000, [1, 2, 6]
    matrix = rng.normal(size=(n, 9)).astype(np.float32)
    label = (rng.random(n) < probability_quality.sigmoid(matrix[:, 0] - 1)).astype(int)
    weight = rng.choice([0.5, 1.0], n)
    centre = matrix.mean(axis=0)
    found, penalty = fit_penalised(matrix, centre, sizes, label, weight)
    assert found[1] == pytest.approx(1, abs=0.15)
    assert np.abs(found[2:]).max() < 0.06
    assert penalty[0] < 2
    assert penalty[1:].min() > 50
    # A ridge penalty is a scale of the column: scikit-learn's one penalty does the same.
    scaled = (matrix - centre) / np.sqrt(np.repeat(penalty, sizes))
    other = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(scaled, label, weight)
    assert other.coef_[0] / np.sqrt(np.repeat(penalty, sizes)) == pytest.approx(
        found[1:], abs=0.005
    )


def test_clearly_better_counts_callers_and_not_calls() -> None:
    label = np.ones(200, dtype=int)
    than = np.full(200, 0.5)
    p = np.where(np.arange(200) < 160, 0.6, 0.45)
    each = np.arange(200)
    assert probability_quality.is_clearly_better(label, p, than, each)
    assert not probability_quality.is_clearly_better(label, than, p, each)
    # The gain is 160 ln 1.2 - 40 ln 1.11 = 25; from one caller only, and the other loses by it.
    two = each // 160
    assert not probability_quality.is_clearly_better(label, p, than, two)
    assert not probability_quality.is_clearly_better(label, p, p, each)


def test_calibration_finds_shift_and_slope() -> None:
    rng = np.random.default_rng(4)
    log_odds = rng.normal(0, 2, 40_000)
    label = (rng.random(40_000) < probability_quality.sigmoid(0.5 + 0.6 * log_odds)).astype(int)
    found = fit_sigmoid(log_odds, label)
    assert (found.shift, found.slope) == pytest.approx((0.5, 0.6), abs=0.04)
    turned = fit_sigmoid(-log_odds, label)
    assert turned.slope == 0
    assert probability_quality.sigmoid(turned.apply(log_odds))[0] == pytest.approx(
        label.mean(), abs=1e-4
    )


def test_quality_by_hand() -> None:
    label, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.6, 0.9, 0.7])
    found = probability_quality.quality(label, p)
    assert found["auc"] == 0.75
    assert found["brier"] == pytest.approx((0.04 + 0.16 + 0.01 + 0.49) / 4)
    assert found["log_loss"] == pytest.approx(-math.log(0.8 * 0.6 * 0.9 * 0.3) / 4)
    # Two bins: (0.2, 0.6) with one event, (0.7, 0.9) with one.
    assert probability_quality.calibration_error(label, p, bins=2) == pytest.approx(0.2)


def test_drift_of_nothing_and_of_much(repeat_model: ProbabilityModel, newer: pd.DataFrame) -> None:
    entries = repeat_model.card()["drift"]
    inputs = repeat_model.inputs(newer)
    for name in ("outcome", "await_sec", "calls_7d", "coverage"):
        assert probability_drift.population_stability(entries[name], inputs[name]) < 0.05
    moved = {"outcome": "refused", "await_sec": inputs["await_sec"] * 5, "calls_7d": np.nan}
    for name, values in moved.items():
        changed = inputs.assign(**{name: values})[name]
        assert probability_drift.population_stability(entries[name], changed) > 0.25


def test_stability_index_by_hand() -> None:
    entry = {"kind": "code", "shares": {"a": 0.5, "b": 0.5, "rest": 0.0}}
    values = pd.Series(["a"] * 8 + ["b"] * 2)
    expected = 0.3 * math.log(0.8 / 0.5) - 0.3 * math.log(0.2 / 0.5)
    assert probability_drift.population_stability(entry, values) == pytest.approx(expected)
