"""Scenarios that were carried out: marked, kept, and their promise beside what came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import TestTarget
from pipeline_cases import DAYS, NOW, START, build_clinic, moment
from pipeline_cases import run as run_dbt

from python_scoring import cli
from python_scoring.base.database import Probe
from python_scoring.whatif import inputs, store
from python_scoring.whatif.engine import Outcome
from python_scoring.whatif.rows import COLUMNS, COUNTS, SHARES
from python_scoring.whatif.scenario import Scenario

VIEW = "vw_lm_scenario_outcome"
FIRST = START + timedelta(days=4)
RUN_DAYS = 7
LAST = FIRST + timedelta(days=RUN_DAYS - 1)
REVIEWED = ("bookings", "lost", "lost_value", "risky", "conversion_rate")
# Half the 80 % and the 95 % interval of every day and, narrower than the days' together, of all.
HALF = {"day": (8.0, 16.0), "total": (16.0, 30.0)}


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    """The small clinic, all its calls and reviews known."""
    build_clinic(target)
    known_through(target, START + timedelta(days=DAYS - 1), START + timedelta(days=DAYS - 1))
    return target


@pytest.fixture
def here(built: TestTarget) -> Iterator[TestTarget]:
    """The clinic without any scenario."""
    execute(built, f"delete from {store.TABLE}", f"delete from {store.DONE}")
    yield built


@pytest.fixture(scope="module")
def came(built: TestTarget) -> pd.DataFrame:
    """What came of a target by day, added up from the log as the comparisons read it."""
    with closing(built.connect()) as connection:
        probe = Probe(connection)
        calls = inputs.read_calls(probe, built.load(), START + timedelta(days=DAYS - 1))
    incoming = calls["direction"] == "in"
    outside = calls["direction"].isin(["in", "out"]) & (calls["is_answered"] == 1)
    parts = pd.DataFrame(
        {
            "day": calls["day"],
            "calls": 1.0,
            "answered": incoming * calls["is_answered"],
            "bookings": calls["is_booked"],
            "lost": calls["is_lost"],
            "lost_value": calls["loss_rub"].fillna(0),
            "risky": calls["is_risky"],
            "talk_hours": outside * calls["talk_sec"] / 3600,
            "wanting": calls["is_booked"] + calls["is_lost"],
            "in_sla": calls["in_sla"].fillna(0),
            "sla": calls["in_sla"].notna(),
        }
    )
    days = parts.groupby("day").sum().astype(float)
    days.index = [date.fromordinal(int(day)) for day in days.index]
    days["service_level"] = days["in_sla"] / days["sla"]
    days["conversion_rate"] = days["bookings"] / days["wanting"]
    return days


def execute(here: TestTarget, *statements: str) -> None:
    with closing(here.connect()) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        connection.commit()


def known_through(here: TestTarget, calls: date, reviews: date) -> None:
    """A forecast, the only one, that knows the calls and the reviews up to these days."""
    execute(
        here,
        "delete from lm_forecast_run",
        "insert into lm_forecast_run (run_id, made_at, first_day, days, calls_through,"
        f" reviews_through, series) values ('f', '{NOW}', '{NOW}', 14, '{calls}', '{reviews}', 1)",
    )


def promise(
    baseline: dict[str, list[float]], added: float = 0, name: str = "more", first: date = FIRST
) -> Outcome:
    """Rows of a scenario that adds so much a day to every target."""
    rows: list[dict[str, Any]] = []
    for target, values in baseline.items():
        total = float(np.mean(values) if target in SHARES else np.sum(values))
        more = added if target in SHARES else added * len(values)
        spans = [("day", n, value, added) for n, value in enumerate(values)]
        for grain, n, value, change in [*spans, ("total", 0, total, more)]:
            row: dict[str, Any] = {
                "scenario": name,
                "target": target,
                "grain": grain,
                "period_start": first + timedelta(days=n),
                "baseline": value,
                "scenario_value": value + change,
                "difference": change,
            }
            for part in ("baseline", "scenario", "difference"):
                middle = row["scenario_value" if part == "scenario" else part]
                for level, half in zip(("80", "95"), HALF[grain], strict=True):
                    row |= {
                        f"{part}_lo{level}": middle - half,
                        f"{part}_hi{level}": middle + half,
                    }
            rows.append(row)
    return Outcome(Scenario(name, ()), pd.DataFrame(rows)[COLUMNS], [])


def keep(
    here: TestTarget, *outcomes: Outcome, made_at: datetime = NOW, keep_days: int = 400
) -> str:
    days = int((outcomes[0].rows["grain"] == "day").sum() / outcomes[0].rows["target"].nunique())
    loaded = here.load()
    with closing(here.connect()) as connection:
        return store.write(Probe(connection), loaded, made_at, "f", days, list(outcomes), keep_days)


def flat(value: float, targets: tuple[str, ...] = ("calls",)) -> dict[str, list[float]]:
    return {target: [value] * RUN_DAYS for target in targets}


def lm(here: TestTarget, *words: str) -> tuple[int, str]:
    """Exit code and what was said: one line where it failed."""
    variables = json.dumps({"as_of": moment(NOW)})
    done = here.lm("what-if", *words, "--lang", "en", "--vars", variables)
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stdout + done.stderr


def outcome(here: TestTarget, where: str = "1 = 1") -> pd.DataFrame:
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"select * from {VIEW} where {where} order by target, grain, period_start")
        rows = cursor.fetchall()
        return pd.DataFrame(rows, columns=[column[0] for column in cursor.description or ()])


def test_what_came_is_what_the_comparison_counts(here: TestTarget, came: pd.DataFrame) -> None:
    """Every target, by day and in total, against the log that the comparisons learn from."""
    keep(here, promise(flat(5.0, (*COUNTS, *SHARES))))
    assert lm(here, "--done", str(FIRST), "--scenario", "more")[0] == 0
    rows = outcome(here)
    assert set(rows["target"]) == {*COUNTS, *SHARES}
    own = came.loc[FIRST:LAST]
    for target in (*COUNTS, *SHARES):
        days = rows[(rows["target"] == target) & (rows["grain"] == "day")]
        assert days["actual"].astype(float).to_numpy() == pytest.approx(
            own[target].to_numpy(), nan_ok=True
        ), target
        (total,) = rows[(rows["target"] == target) & (rows["grain"] == "total")].to_dict("records")
        parts, base = {
            "service_level": ("in_sla", "sla"),
            "conversion_rate": ("bookings", "wanting"),
        }.get(target, (target, ""))
        wanted = own[parts].sum() / (own[base].sum() if base else 1)
        assert wanted > 0, target
        assert float(total["actual"]) == pytest.approx(wanted), target
        assert (total["days_compared"], total["is_complete"], total["is_bound"]) == (7, 1, 0)


def test_a_change_that_came_is_seen(here: TestTarget, came: pd.DataFrame) -> None:
    """Twenty calls more a day from the day of the mark on, as was promised."""
    before = [float(value) for value in came.loc[FIRST:LAST, "calls"]]
    keep(here, promise({"calls": before}, added=20))
    since = FIRST + timedelta(days=3)
    lm(here, "--done", str(since), "--scenario", "more")
    rows = outcome(here)
    assert set(rows["nearer_to"]) == {"baseline"}
    assert (rows["actual_difference"] == 0).all()
    of_days = f"where dimension = 'all' and stat_date >= '{since}'"
    execute(here, f"update lm_daily_facts set calls = calls + 20 {of_days}")
    try:
        rows = outcome(here)
    finally:
        execute(here, f"update lm_daily_facts set calls = calls - 20 {of_days}")
    assert list(rows["grain"]) == ["day"] * 4 + ["total"]
    assert list(rows["period_start"]) == [since + timedelta(days=n) for n in range(4)] + [since]
    assert list(rows["actual_difference"]) == list(rows["difference"]) == [20] * 4 + [80]
    assert set(rows["nearer_to"]) == {"scenario"}
    assert (rows[["is_within_scenario80", "is_within_scenario95"]] == 1).all(axis=None)
    # Twenty are beyond a day's 16. Of four days added up the ends are 64: eighty are beyond, too.
    assert (rows[["is_within_baseline80", "is_within_baseline95"]] == 0).all(axis=None)


def test_totals_by_hand(here: TestTarget, came: pd.DataFrame) -> None:
    """Seven days of the run have its own interval, fewer the ends of their days."""
    calls = came.loc[FIRST:LAST, "calls"]
    # Ten too many are forecast each day, and the scenario takes twelve of them away.
    run_id = keep(here, promise({"calls": list(calls + 10)}, added=-12))
    lm(here, "--done", str(FIRST), "--scenario", "more")
    (row,) = outcome(here, "grain = 'total'").to_dict("records")
    assert (row["run_id"], row["period_end"], row["is_bound"]) == (run_id, LAST, 0)
    assert (row["baseline"], row["actual"]) == pytest.approx((calls.sum() + 70, calls.sum()))
    assert row["scenario_value"] == pytest.approx(calls.sum() - 14)
    assert row["difference_lo95"] == pytest.approx(-84 - 30)
    # 14 off is within 16 and 30; 70 off is within neither.
    assert (row["is_within_scenario80"], row["is_within_scenario95"]) == (1, 1)
    assert (row["is_within_baseline80"], row["is_within_baseline95"]) == (0, 0)
    assert (row["actual_difference"], row["nearer_to"]) == (pytest.approx(-70), "scenario")

    known_through(here, FIRST + timedelta(days=1), FIRST)
    try:
        (row,) = outcome(here, "grain = 'total'").to_dict("records")
    finally:
        known_through(here, START + timedelta(days=DAYS - 1), START + timedelta(days=DAYS - 1))
    two = calls.iloc[:2].sum()
    assert (row["days_compared"], row["is_complete"], row["is_bound"]) == (2, 0, 1)
    assert (row["baseline"], row["actual"]) == pytest.approx((two + 20, two))
    assert (row["baseline_lo80"], row["baseline_hi95"]) == pytest.approx((two + 4, two + 52))
    assert (row["is_within_baseline80"], row["is_within_baseline95"]) == (0, 1)


def test_reviewed_targets_wait_for_their_reviews(here: TestTarget, came: pd.DataFrame) -> None:
    keep(here, promise(flat(0.5, (*COUNTS, *SHARES))))
    lm(here, "--done", str(FIRST), "--scenario", "more")
    known_through(here, LAST, FIRST + timedelta(days=2))
    try:
        rows = outcome(here, "grain = 'total'").set_index("target")
        execute(here, "update lm_forecast_run set reviews_through = null")
        unreviewed = outcome(here)
    finally:
        known_through(here, START + timedelta(days=DAYS - 1), START + timedelta(days=DAYS - 1))
    assert {t for t, days in rows["days_compared"].items() if days == 3} == set(REVIEWED)
    assert set(rows["days_compared"]) == {3, 7}
    assert set(rows.index[rows["is_complete"] == 1]) == {*COUNTS, *SHARES} - set(REVIEWED)
    assert set(unreviewed["target"]) == {*COUNTS, *SHARES} - set(REVIEWED)
    # Of some days the share is weighted by the calls that came.
    three = came.loc[FIRST : FIRST + timedelta(days=2)]
    share = rows.loc["conversion_rate", ["actual", "baseline", "baseline_hi80"]].astype(float)
    wanted = three["bookings"].sum() / three["wanting"].sum()
    assert share.to_numpy() == pytest.approx([wanted, 0.5, 0.5 + 8])


def test_days_without_calls_are_zeros_and_shares_of_nothing_are_null(here: TestTarget) -> None:
    """Long before the first call."""
    first = START - timedelta(days=60)
    keep(here, promise(flat(0.0, ("calls", "service_level")), name="old", first=first))
    lm(here, "--done", str(first), "--scenario", "old")
    rows = outcome(here)
    calls = rows[rows["target"] == "calls"]
    assert (calls["actual"] == 0).all() and (calls["nearer_to"] == "neither").all()
    share = rows[rows["target"] == "service_level"]
    verdicts = ["actual", "actual_difference", "is_within_scenario80", "is_within_baseline95"]
    assert share[[*verdicts, "nearer_to"]].isna().all(axis=None)
    assert len(share) == RUN_DAYS + 1


def test_marks_are_set_moved_and_taken_back(here: TestTarget) -> None:
    assert lm(here, "--list") == (0, "no scenario is stored yet: `lm what-if FILE`\n")
    early = keep(here, promise(flat(5.0)), promise(flat(5.0), name="ещё один"))
    # The newest of one moment is the tenth, not the ninth.
    for _ in range(9):
        newest = keep(here, promise(flat(5.0)))
    assert newest.endswith("_10")
    marks = f"select run_id, scenario, done_from, marked_at from {store.DONE} order by run_id"
    for day in (FIRST, LAST):
        code, said = lm(here, "--done", str(day), "--scenario", "more")
        assert (code, said) == (
            0,
            f"scenario more of run {newest}: carried out from {day} on\n",
        )
        assert here.rows(marks) == [(newest, "more", day, NOW)]
    code, said = lm(here, "--done", str(FIRST), "--scenario", "ещё один", "--json")
    assert json.loads(said)["run_id"] == early
    # Without --run the newest marked run is meant.
    lm(here, "--done", str(FIRST), "--scenario", "more", "--run", early)
    shown = [line.split()[-1] for line in lm(here, "--list")[1].splitlines()[2:]]
    assert shown[0] == str(LAST) and shown.count(str(FIRST)) == 2 and len(shown) == 11
    assert lm(here, "--not-done", "--scenario", "more") == (
        0,
        f"scenario more of run {newest}: not carried out\n",
    )
    assert {row[0] for row in here.rows(marks)} == {early}
    assert set(outcome(here)["scenario"]) == {"more", "ещё один"}


def test_wrong_marks_are_told_and_change_nothing(here: TestTarget) -> None:
    code, said = lm(here, "--done", str(FIRST), "--scenario", "more")
    assert code == 2 and "lm what-if --list" in said
    run_id = keep(here, promise(flat(5.0)), promise(flat(5.0), name="fewer"))
    after = str(LAST + timedelta(days=1))
    for words, told in (
        (("--done", str(FIRST), "--scenario", "mroe"), "there are 'fewer', 'more'"),
        (("--done", str(FIRST), "--scenario", "more", "--run", "x"), "in run x"),
        (("--not-done", "--scenario", "more"), "no scenario 'more' is marked"),
        (("--done", after, "--scenario", "more"), f"run {run_id} compared {FIRST} to {LAST}"),
    ):
        code, said = lm(here, *words)
        assert code == 2 and told in said, said
    assert here.rows(f"select * from {store.DONE}") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--done", "soon", "--scenario", "a"], "a date like 2026-11-30, got 'soon'"),
        (["--done", "2026-02-30", "--scenario", "a"], "got '2026-02-30'"),
        (["--done", "2026-11-30"], "take --scenario NAME"),
        (["--scenario", "a", "plan.yml"], "take --scenario NAME"),
        (["--done", "2026-11-30", "--scenario", "a", "plan.yml"], "one of"),
        (["--done", "2026-11-30", "--scenario", "a", "--example"], "one of"),
        (["--done", "2026-11-30", "--scenario", "a", "--not-done"], "one of"),
        (["--list", "plan.yml"], "one of"),
        (["--list", "--run", "x"], "--run goes with"),
    ],
)
def test_arguments_that_do_not_fit_are_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["what-if", *words]) == 2
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1


def test_a_marked_run_outlives_the_others(here: TestTarget) -> None:
    long_ago = NOW - timedelta(days=500)
    marked, unmarked = (
        keep(here, promise(flat(5.0)), made_at=long_ago + timedelta(days=n)) for n in range(2)
    )
    lm(here, "--done", str(FIRST), "--scenario", "more", "--run", marked)
    newest = keep(here, promise(flat(5.0)))
    kept = f"select run_id, count(*) from {store.TABLE} group by run_id order by run_id"
    assert here.rows(kept) == [(marked, 8), (newest, 8)]
    assert len(outcome(here, f"run_id = '{marked}'")) == 8
    lm(here, "--not-done", "--scenario", "more")
    keep(here, promise(flat(5.0)))
    assert marked not in dict(here.rows(kept)) and unmarked not in dict(here.rows(kept))


def test_a_schema_of_before_gets_the_table(here: TestTarget) -> None:
    run_id = keep(here, promise(flat(5.0)))
    execute(here, f"drop view {VIEW}", f"drop table {store.DONE}")
    code, said = lm(here, "--done", str(FIRST), "--scenario", "more")
    assert code == 1 and f"lacks {store.DONE}: run `lm run`" in said
    run_dbt(here, "run", "--select", VIEW)
    assert lm(here, "--done", str(FIRST), "--scenario", "more")[0] == 0
    assert set(outcome(here)["run_id"]) == {run_id}
