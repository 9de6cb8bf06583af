"""The simulated clinic: its shape, its dirt, and whether its truth is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from python_scoring.simulation.clinic import ClinicConfig
from python_scoring.simulation.simulate import Simulation, hourly_path, load, simulate

DAYS = 240
START = date(2025, 9, 1)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clinic() -> Simulation:
    return simulate(days=DAYS, seed=5, start=START)


@pytest.fixture(scope="module")
def joined(clinic: Simulation) -> pd.DataFrame:
    """Every call with its newest review's outcome, cleaned up by hand."""
    newest = clinic.call_scores.sort_values(["score_date", "id"]).drop_duplicates(
        "history_id", keep="last"
    )
    outcome = newest.set_index("history_id")["outcome"].str.strip().str.lower()
    return clinic.truth.assign(outcome=clinic.truth["history_id"].map(outcome))


def test_the_same_seed_gives_the_same_clinic() -> None:
    first, second, other = (simulate(days=5, seed=seed) for seed in (1, 1, 2))
    for name in ("call_history", "call_scores", "truth", "truth_hourly"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert not first.call_history["entry_id"].isin(other.call_history["entry_id"]).any()


def test_one_day_is_enough() -> None:
    assert len(simulate(days=1, probabilities=False).call_history) > 50


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("record", 0.28, 0.38),
        ("non_target", 0.26, 0.36),
        ("lead_no_record", 0.14, 0.22),
        ("info_only", 0.09, 0.18),
        ("cancelled_by_patient", 0.04, 0.08),
    ],
)
def test_outcome_shares_are_like_real_days(
    joined: pd.DataFrame, what: str, low: float, high: float
) -> None:
    old_words = {"refusal": "lead_no_record", "no_interest": "lead_no_record"}
    old_words |= {"lead": "lead_no_record", "spam": "non_target"}
    outcome = joined["outcome"].replace(old_words).dropna()
    assert low < (outcome == what).mean() < high


def test_volumes_are_like_real_days(clinic: Simulation) -> None:
    truth = clinic.truth[(clinic.truth["talk_sec"] > 0) & (clinic.truth["direction"] < 3)]
    by_day = truth.groupby([truth["started_at"].dt.date, "direction"]).size().unstack()
    working = by_day[[d.weekday() < 5 and d.month not in (1, 5) for d in by_day.index]]
    total = working.sum(axis=1)
    assert 150 < total.median() < 215
    assert 0.42 < (working[1].sum() / total.sum()) < 0.60
    weekend = by_day[[d.weekday() == 6 for d in by_day.index]].sum(axis=1)
    assert weekend.median() < 0.6 * total.median()
    hour = truth["started_at"].dt.hour
    assert (hour == 11).mean() > 3 * (hour == 18).mean()


@pytest.mark.parametrize(
    ("result", "median"),
    [("record", 74), ("lead", 45), ("info", 33), ("cancel", 42), ("non_target", 15)],
)
def test_talk_times_are_like_real_days(clinic: Simulation, result: str, median: float) -> None:
    talk = clinic.truth.loc[clinic.truth["result"] == result, "talk_sec"]
    assert talk.median() == pytest.approx(median, rel=0.12)


def test_daily_counts_are_more_than_poisson(clinic: Simulation) -> None:
    fresh = clinic.truth[clinic.truth["kind"] == "fresh"]
    real = fresh.groupby(fresh["started_at"].dt.normalize()).size()
    expected = clinic.truth_hourly.groupby("call_date")["expected_fresh"].sum()
    real = real.reindex(expected.index, fill_value=0)
    assert real.sum() == pytest.approx(expected.sum(), rel=0.04)
    # Var = mean + (cv x mean)^2 with the day effect's cv of 0.12.
    spread = ((real - expected) ** 2).sum() / expected.sum()
    assert 1.2 < spread < 2.6


def test_expected_calls_match_what_came(clinic: Simulation) -> None:
    came = (clinic.truth["direction"] == 1).sum()
    columns = ["expected_calls", "machine_calls"]
    assert clinic.truth_hourly[columns].to_numpy().sum() == pytest.approx(came, rel=0.05)


def later_events(truth: pd.DataFrame) -> pd.DataFrame:
    """What happened after each call, by walking each caller's calls: no simulator's code."""
    answer = np.zeros((len(truth), 3), dtype=bool)
    several = truth["caller_id"].duplicated(keep=False) & (truth["caller_id"] > 0)
    columns = ["caller_id", "started_at", "wait_sec", "talk_sec", "direction", "result"]
    for _, calls in truth.loc[several, columns].groupby("caller_id"):
        rows = list(calls.itertuples())
        for i, call in enumerate(rows):
            ended = call.started_at + timedelta(seconds=int(call.wait_sec + call.talk_sec))
            for later in rows[i + 1 :]:
                passed = later.started_at - call.started_at
                redial = call.result == "missed" and later.started_at - ended <= timedelta(
                    minutes=2
                )
                answer[call.Index, 0] |= (
                    later.direction == 1 and not redial and passed <= timedelta(days=7)
                )
                answer[call.Index, 1] |= later.result == "record" and passed <= timedelta(days=14)
                answer[call.Index, 2] |= later.result == "complaint" and passed <= timedelta(
                    days=30
                )
    return pd.DataFrame(answer, columns=["p_second_call_7d", "p_booking_14d", "p_complaint_30d"])


@pytest.fixture(scope="module")
def happened(clinic: Simulation) -> pd.DataFrame:
    return later_events(clinic.truth)


@pytest.mark.parametrize(
    ("column", "horizon"), [("p_second_call_7d", 7), ("p_booking_14d", 14), ("p_complaint_30d", 30)]
)
def test_true_probabilities_are_true(
    clinic: Simulation, happened: pd.DataFrame, column: str, horizon: int
) -> None:
    truth = clinic.truth
    matured = truth["started_at"] < pd.Timestamp(clinic.as_of) - timedelta(days=horizon)
    matured &= truth[column].notna()
    p, y = truth.loc[matured, column], happened.loc[matured, column]
    deciles = pd.qcut(p.rank(method="first"), 10, labels=False)
    for _, tenth in p.groupby(deciles):
        said, came = tenth.mean(), y[tenth.index].mean()
        noise = np.sqrt(said * (1 - said) / len(tenth))
        # Calls of one caller hang together: half as much again.
        assert abs(said - came) <= 4 * 1.5 * noise, f"decile of {said:.4f}: {came:.4f}"
    # Errands' probabilities are zero, which would flatter the rest.
    p, y = p[p > 0], y[p > 0]
    ranks = p.rank()
    auc = (ranks[y].mean() - (y.sum() + 1) / 2) / (~y).sum()
    assert auc > 0.68


def test_truth_is_null_where_the_question_makes_no_sense(clinic: Simulation) -> None:
    truth = clinic.truth
    nobody = truth["caller_id"] <= 0
    assert nobody.any()
    assert truth.loc[nobody, ["p_second_call_7d", "p_complaint_30d"]].isna().all().all()
    assert truth.loc[truth["result"] == "record", "p_booking_14d"].isna().all()
    assert truth.loc[~nobody, ["p_second_call_7d", "p_complaint_30d"]].notna().all().all()


def test_patience_is_recovered_from_censored_waits(clinic: Simulation) -> None:
    incoming = clinic.truth[clinic.truth["direction"] == 1]
    estimate = incoming["wait_sec"].sum() / (incoming["result"] == "missed").sum()
    assert estimate == pytest.approx(ClinicConfig().patience_sec, rel=0.06)


def test_a_what_if_keeps_the_past_and_the_other_callers() -> None:
    base = ClinicConfig()
    day = START + timedelta(days=10)
    changed = replace(base, source_multiplier={"2ГИС": 0.0})
    before = simulate(20, 3, START, probabilities=False)
    after = simulate(20, 3, START, changed=changed, changed_from=day, probabilities=False)
    cut = pd.Timestamp(day)

    def fresh(run: Simulation) -> pd.DataFrame:
        return run.truth[run.truth["kind"] == "fresh"].assign(entry_id=run.call_history["entry_id"])

    past = [t[t["started_at"] < cut]["caller_id"].tolist() for t in (before.truth, after.truth)]
    assert past[0] == past[1]
    kept = fresh(before)
    gone = kept[(kept["started_at"] >= cut) & (kept["source"] == "2ГИС")]
    assert len(gone) > 20
    assert set(fresh(after)["entry_id"]) == set(kept["entry_id"]) - set(gone["entry_id"])


@pytest.mark.parametrize(
    ("change", "better"),
    [
        ({"shifts": tuple(replace(s, week=None) for s in ClinicConfig().shifts)}, "answered"),
        ({"booking_shift": 0.7}, "booked"),
        ({"refusal_relief": {"TIME_GENERAL": 1.0, "OTHER_REASON": 1.0}}, "booked"),
        ({"patience_sec": 300.0}, "answered"),
        ({"callback_share": 1.0}, "called_back"),
    ],
)
def test_levers_pull_the_right_way(change: dict[str, Any], better: str) -> None:
    base = ClinicConfig()

    def measure(config: ClinicConfig) -> float:
        truth = simulate(25, 4, START, config=config, probabilities=False).truth
        incoming = truth[truth["direction"] == 1]
        return {
            "answered": (incoming["result"] != "missed").mean(),
            "booked": (truth["result"] == "record").sum(),
            "called_back": (truth["kind"] == "call_back").sum(),
        }[better]

    assert measure(replace(base, **change)) > measure(base)


def test_a_wrong_config_names_the_value() -> None:
    with pytest.raises(ValueError, match="2ГИС"):
        ClinicConfig(source_multiplier={"2ГИС": 30})
    with pytest.raises(ValueError, match="days"):
        simulate(days=0)


def test_the_seed_of_services_knows_what_is_sold() -> None:
    seed = pd.read_csv(ROOT / "seeds" / "lm_services.csv").set_index("service_id")
    for service in ClinicConfig().services:
        row = seed.loc[service.service_id]
        assert (row["service_name"], row["service_group"]) == (service.name, service.group)


def test_dates_hold_together(clinic: Simulation) -> None:
    scores, history = clinic.call_scores, clinic.call_history.set_index("history_id")
    assert scores["score_date"].max() < pd.Timestamp(clinic.as_of)
    started = clinic.truth.set_index("history_id")["started_at"]
    assert (scores["score_date"] > scores["history_id"].map(started)).all()
    epoch = history["context_start_time"].astype("float")
    local = pd.to_datetime(epoch + 3 * 3600, unit="s")
    told = (epoch > 0) & history["context_start_time_dt"].notna()
    same = (local == history["context_start_time_dt"])[told]
    assert 0.998 < same.mean() < 1
    # One of the two times is always there.
    assert ((epoch > 0) | history["context_start_time_dt"].notna()).all()


@pytest.mark.parametrize(
    ("table", "column", "present"),
    [
        ("call_scores", "outcome", {"None", "nan", "null", "", "refusal", "callback_requested"}),
        ("call_scores", "refusal_category_code", {"None", "nan", "PRICE", "OTHER_REASON"}),
        (
            "call_scores",
            "call_category",
            {"Напоминание о приёме", "Новый тип 7", " Информационный"},
        ),
        ("call_history", "caller_number", {"", "anonymous", "Anonymous"}),
        ("call_history", "utm_source_by_number", {"None", "nan", "ПроДокторов"}),
    ],
)
def test_the_dirt_is_there(clinic: Simulation, table: str, column: str, present: set[str]) -> None:
    assert present <= set(getattr(clinic, table)[column].dropna())


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        ("source missing", 0.48, 0.65),
        ("duration missing", 0.40, 0.50),
        ("reviewed again", 0.03, 0.09),
        ("hundred scale", 0.02, 0.20),
        ("complaints", 0.002, 0.01),
        ("missed", 0.05, 0.18),
        ("refusal reason", 0.15, 0.28),
    ],
)
def test_shares_of_traps(clinic: Simulation, share: str, low: float, high: float) -> None:
    scores, history, truth = clinic.call_scores, clinic.call_history, clinic.truth
    nulls = {"none", "nan", "null", ""}

    def empty(column: pd.Series) -> pd.Series:
        return column.isna() | column.str.strip().str.lower().isin(nulls)

    value = {
        "source missing": empty(history["utm_source_by_number"]).mean(),
        "duration missing": history["duration"].isna().mean(),
        "reviewed again": scores["history_id"].duplicated().mean(),
        "hundred scale": (scores["call_score"] > 10).mean(),
        "complaints": (truth["result"] == "complaint").mean(),
        "missed": (truth.loc[truth["direction"] == 1, "result"] == "missed").mean(),
        "refusal reason": (~empty(scores["refusal_reason"])).mean(),
    }[share]
    assert low < value < high


def test_a_day_of_reviews_has_one_scale(clinic: Simulation) -> None:
    scores = clinic.call_scores
    on_target = scores[(scores["is_target"] == 1) & (scores["call_score"] > 0)]
    by_day = on_target.groupby(on_target["score_date"].dt.date)["call_score"]
    assert not ((by_day.max() > 10) & (by_day.min() < 5)).any()


def test_numbers_belong_to_no_subscriber(clinic: Simulation) -> None:
    numbers = pd.concat(
        [clinic.call_history["caller_number"], clinic.call_history["called_number"]]
    )
    digits = numbers.str.replace(r"\D", "", regex=True)
    assert digits[digits.str.len() > 5].str[1:4].isin(["000", "001", "002"]).all()


def test_truth_goes_into_two_files(tmp_path: Path) -> None:
    run = simulate(days=2)
    path = tmp_path / "truth.csv.gz"
    run.write_truth(path)
    assert hourly_path(path).name == "truth_hourly.csv.gz"
    back = pd.read_csv(path)
    assert back["p_second_call_7d"].sum() == pytest.approx(run.truth["p_second_call_7d"].sum())
    assert len(pd.read_csv(hourly_path(path))) == len(run.truth_hourly)


def test_what_is_loaded_is_what_was_simulated(target: Any) -> None:
    run = simulate(days=4, probabilities=False)
    connection = target.connect()
    load(connection, run, target.schema)
    connection.close()
    history, scores = run.call_history, run.call_scores
    source = history["utm_source_by_number"]
    rows = target.rows(
        "select count(*), count(context_start_time_dt), sum(talk_duration), min(created_at), "
        "count(utm_source_by_number), sum(utm_source_by_number = 'None') from call_history"
    )
    expected = (
        len(history),
        int(history["context_start_time_dt"].count()),
        int(history["talk_duration"].sum()),
        history["created_at"].min().to_pydatetime(),
        int(source.count()),
        int((source == "None").sum()),
    )
    assert rows == [expected]
    rows = target.rows("select count(*), sum(call_score), max(score_date) from call_scores")
    assert rows[0][0] == len(scores)
    assert rows[0][1] == pytest.approx(scores["call_score"].sum(), rel=1e-6)
    assert rows[0][2] == scores["score_date"].max().to_pydatetime()
