"""`lm forecast`: what it reads, keeps and shows, and what it survives."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import mysql.connector
import numpy as np
import pandas as pd
import pytest
from conftest import TestTarget
from pipeline_cases import DAYS, END, PATIENT, START, build_clinic, moment

from python_scoring import cli
from python_scoring.base.database import Probe
from python_scoring.base.errors import LmError
from python_scoring.base.watermarks import Watermarks, prepare_session, writing_values
from python_scoring.daily import command as run
from python_scoring.doctor import forecasts as doctor_forecast
from python_scoring.forecasting import Forecasts, Key, Series
from python_scoring.forecasting import command as forecast
from python_scoring.forecasting import inputs as forecast_inputs
from python_scoring.forecasting import store as forecast_store
from python_scoring.forecasting.inputs import Span
from python_scoring.forecasting.result import BACKTEST_COLUMNS, NOTE_COLUMNS, ROW_COLUMNS
from python_scoring.forecasting.result import TOTAL_COLUMNS as TOTALS

TABLES = (forecast_store.RUNS, *forecast_store.TABLES)
COUNTS = ("calls", "bookings", "lost", "risky", "talk_minutes")
# The day after the last call: its calls are forecast from the day on which it ends.
MOMENT = moment(END)
MOMENT_DAY = (END + timedelta(seconds=1)).date()


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    """The small clinic with its statistics by day."""
    build_clinic(target)
    return target


@pytest.fixture
def here(built: TestTarget) -> Iterator[TestTarget]:
    """The clinic without any forecast."""
    for table in TABLES:
        with closing(built.connect()) as connection:
            connection.cursor().execute(f"delete from {table}")
            connection.commit()
    yield built


@pytest.fixture(scope="module")
def made(built: TestTarget) -> dict[str, Any]:
    """One run, and its `rows` by table and view, since other tests empty them."""
    result = make(built)
    names = (*TABLES, "vw_lm_forecast")
    return {**result, "rows": {name: frame(built, name) for name in names}}


def make(here: TestTarget, **variables: Any) -> dict[str, Any]:
    with closing(here.connect()) as connection:
        loaded = here.load(**{"as_of": MOMENT, **variables})
        return forecast.build(connection, loaded, tell=lambda _: None)


def write(
    here: TestTarget,
    span: Span,
    rows: list[dict[str, Any]],
    totals: list[dict[str, Any]] | None = None,
    keep_days: int = 400,
    **variables: Any,
) -> str:
    """A run with these figures, whatever a model would say."""
    made = Forecasts(
        pd.DataFrame(rows, columns=ROW_COLUMNS),
        pd.DataFrame(columns=BACKTEST_COLUMNS),
        pd.DataFrame(columns=NOTE_COLUMNS, dtype=object),
        pd.DataFrame(columns=TOTALS),
    )
    start = datetime.combine(span.first_day, datetime.min.time())
    loaded = here.load(as_of=MOMENT, **variables)
    with closing(here.connect()) as connection:
        prepare_session(Probe(connection), loaded)
        return forecast_store.write(
            Probe(connection),
            loaded,
            start,
            28,
            span,
            made,
            pd.DataFrame(totals or [], dtype=object),
            keep_days,
        )


def frame(here: TestTarget, table: str, where: str = "") -> pd.DataFrame:
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"select * from {table} {where}")
        rows = cursor.fetchall()
        return pd.DataFrame(rows, columns=[column[0] for column in cursor.description or ()])


def contents(here: TestTarget) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(here.rows(f"select * from {name}"), key=repr) for name in TABLES}


def counts(here: TestTarget) -> dict[str, int]:
    return {name: here.rows(f"select count(*) from {name}")[0][0] for name in TABLES}


def test_parts_add_up_and_intervals_hold(made: dict[str, Any]) -> None:
    assert made["status"] == "ok"
    rows = made["rows"]["vw_lm_forecast"]
    assert set(rows["target"]) >= {"calls", "talk_minutes", "bookings"}
    days = rows[rows["grain"] == "day"]
    wholes = days[days["dimension"] == "all"].set_index(["target", "period_start"])["yhat"]
    assert wholes.groupby("target").count().eq(28).all()
    assert days["period_start"].min() == pd.Timestamp(END)
    parts = days[(days["dimension"] != "all") & days["target"].isin(COUNTS)]
    assert set(parts["dimension"]) == {"source", "direction", "operator", "service"}
    for (_, target), own in parts.groupby(["dimension", "target"]):
        assert own.groupby("period_start")["yhat"].sum().to_numpy() == pytest.approx(
            wholes[target].to_numpy(), rel=1e-6, abs=1e-6
        )
    hours = rows[rows["grain"] == "hour"]
    by_day = hours.groupby(["target", hours["period_start"].dt.normalize()])["yhat"].sum()
    assert len(by_day) and by_day.groupby(level=0).count().eq(14).all()
    assert by_day.to_numpy() == pytest.approx(wholes.loc[by_day.index].to_numpy(), rel=1e-6)
    ends = ["yhat_lo95", "yhat_lo80", "yhat", "yhat_hi80", "yhat_hi95"]
    assert (np.diff(rows[ends].to_numpy(float)) >= -1e-9).all()
    assert (rows["yhat_lo95"] >= 0).all()
    shares = rows["target"] == "conversion_rate"
    assert (rows.loc[shares, "yhat_hi95"] <= 1).all()
    trained = pd.to_datetime(rows["trained_through"])
    ahead = (rows["period_start"].dt.normalize() - trained).dt.days
    assert (ahead == rows["horizon"]).all() and (ahead >= 1).all()


def test_a_second_run_adds_and_changes_nothing(here: TestTarget, made: dict[str, Any]) -> None:
    """The same calls give the same figures, and runs of one moment are told apart."""
    second = make(here)
    before = contents(here)
    same = [name for name in ROW_COLUMNS if name != "trained_through"]
    key = ["grain", "target", "dimension", "dimension_value", "period_start"]
    one, two = (
        rows[same].sort_values(key).reset_index(drop=True)
        for rows in (made["rows"]["lm_forecast"], frame(here, "lm_forecast"))
    )
    pd.testing.assert_frame_equal(one, two)
    third = a_run(here, END.date())
    assert third != second["run_id"]
    for name, rows in before.items():
        assert set(rows) <= set(contents(here)[name]), name
    assert set(frame(here, "vw_lm_forecast")["run_id"]) == {third}
    assert set(frame(here, "vw_lm_outlook")["run_id"]) == {third}


@pytest.mark.parametrize("failing", ["lm_forecast_total", "lm_forecast_note"])
def test_a_run_that_dies_leaves_nothing(
    here: TestTarget, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    a_run(here, START)
    before = contents(here)
    insert = forecast_store._insert

    def dies(probe: Probe, target: Any, table: str, *rest: Any) -> None:
        if table == failing:
            # As when the process is killed: the connection is gone, nothing is said.
            probe._connection.close()
        insert(probe, target, table, *rest)

    monkeypatch.setattr(forecast_store, "_insert", dies)
    with pytest.raises(mysql.connector.Error):
        a_run(here, END.date())
    monkeypatch.undo()
    assert contents(here) == before
    assert a_run(here, END.date()), "and no lock is left"


def test_of_two_runs_one_waits(here: TestTarget) -> None:
    if here.name == "embedded":
        pytest.skip("the embedded engine has no innodb_lock_wait_timeout")
    with closing(here.connect()) as other:
        probe = Probe(other)
        marks = Watermarks(probe, here.load(), "another")
        with writing_values(marks), pytest.raises(LmError, match="another run"):
            a_run(here, START, lm_lock_wait_sec=1)
    assert set(counts(here).values()) == {0}
    assert a_run(here, START, lm_lock_wait_sec=1)


def test_too_little_data_is_said_and_no_failure(here: TestTarget) -> None:
    start = datetime.combine(START, datetime.min.time())
    one_day = make(here, as_of=moment(start + timedelta(days=1)))
    assert one_day["status"] == "skipped" and one_day["reason"].startswith("1 days of calls")
    done = here.lm("forecast", "--json", "--vars", json.dumps({"as_of": moment(start)}))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "skipped"
    assert "there are no calls before" in done.stdout
    assert set(counts(here).values()) == {0}


@pytest.mark.parametrize("days", [6, 91])
def test_a_wrong_number_of_days_is_told(days: int) -> None:
    assert cli.main(["forecast", "--days", str(days)]) == 2


def test_the_command_tells_the_outlook(here: TestTarget) -> None:
    done = here.lm("forecast", "--days", "14", "--vars", json.dumps({"as_of": MOMENT}))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["next 7 days", "next 14 days"]
    outlook = frame(here, "vw_lm_outlook", "where dimension = 'all'").set_index("days")
    assert f"{outlook.loc[7, 'calls']:,.0f} calls" in lines[1]
    assert f"{outlook.loc[14, 'bookings']:,.0f} bookings" in lines[2]


def test_days_to_come_teach_nothing(here: TestTarget) -> None:
    """Data after as_of, which a clinic's wrong clock may write."""
    cut = END - timedelta(days=4)
    with closing(here.connect()) as connection:
        inputs = forecast_inputs.read(Probe(connection), here.load(), cut)
    assert inputs is not None
    whole = forecast_inputs.series_of(inputs, "calls", "all")[0]
    (known,) = here.rows(
        "select sum(calls) from lm_daily_facts where dimension = 'all' and stat_date < %s",
        (cut.date(),),
    )[0]
    assert whole.values.sum() == known
    assert whole.last_day == cut.date() - timedelta(days=1)
    assert len(whole.values) == DAYS - 4
    assert inputs.span.calls_through == cut.date() - timedelta(days=1)
    assert inputs.span.first_day == cut.date()


def test_a_closed_day_brings_nothing(here: TestTarget) -> None:
    closed = END.date() + timedelta(days=3)
    here.rows(
        "insert into lm_special_days (calendar_date, day_kind, name_ru, name_en)"
        " values (%s, 'closed', 'Ремонт', 'Repairs')",
        (closed,),
    )
    try:
        make(here)
    finally:
        here.rows("delete from lm_special_days where calendar_date = %s", (closed,))
    rows = here.rows(
        "select cast(period_start as date), yhat, yhat_hi80 from vw_lm_forecast"
        " where target = 'calls' and dimension = 'all' and grain = 'day' order by 1 limit 7"
    )
    calls = {day: (yhat, high) for day, yhat, high in rows}
    open_days = [yhat for day, (yhat, _) in calls.items() if day != closed]
    assert calls[closed][0] < 0.05 * min(open_days)


def test_reviews_are_waited_for(here: TestTarget) -> None:
    lags = [
        max(0, math.ceil((reviewed - started).total_seconds() / 86400))
        for started, reviewed in here.rows(
            "select call_started_at, reviewed_at from fct_call where reviewed_at <= %s", (END,)
        )
    ]
    enough = min(n for n in set(lags) if sum(lag <= n for lag in lags) >= 0.9 * len(lags))
    with closing(here.connect()) as connection:
        probe = Probe(connection)
        assert forecast_inputs.review_lag(probe, here.load(), END) == enough
        inputs = forecast_inputs.read(probe, here.load(), END)
    assert inputs is not None
    assert inputs.span.calls_through == END.date() - timedelta(days=1)
    assert inputs.span.reviews_through == END.date() - timedelta(days=1 + enough)
    bookings = forecast_inputs.series_of(inputs, "bookings", "all")[0]
    assert bookings.last_day == inputs.span.reviews_through


def test_a_days_end_counts_as_its_end() -> None:
    assert forecast_inputs.first_day(datetime(2025, 9, 14, 23, 59, 59)) == date(2025, 9, 15)
    assert forecast_inputs.first_day(datetime(2025, 9, 15)) == date(2025, 9, 15)
    assert forecast_inputs.first_day(datetime(2025, 9, 15, 23)) == date(2025, 9, 15)


def test_risky_calls_are_those_of_the_labels(here: TestTarget) -> None:
    expected = here.rows(
        "select count(distinct history_id) from lm_value where"
        " (metric_code = 'complaint_risk_flag' and value_label = 'true')"
        " or (metric_code = 'churn_risk_level' and value_label = 'high')"
    )[0][0]
    risky, known, calls = here.rows(
        "select sum(risky_calls), sum(risk_known_calls), sum(calls) from lm_daily_facts"
        " where dimension = 'all'"
    )[0]
    assert risky == expected
    assert 0 <= risky <= known <= calls and known > 0


def test_names_stand_in_dimension_columns_only(built: TestTarget, made: dict[str, Any]) -> None:
    tables = made["rows"]
    names = {name for (name,) in built.rows("select distinct operator_name from fct_call") if name}
    names = {name for name in names if name != "unknown"}
    assert names & set(tables["lm_forecast"]["dimension_value"])
    for table, rows in tables.items():
        cells = texts_of(rows.drop(columns="dimension_value", errors="ignore"))
        assert not [cell for cell in cells if any(name in cell for name in names)], table
        assert not [cell for cell in texts_of(rows) if PATIENT in cell], table


def texts_of(rows: pd.DataFrame) -> list[str]:
    return [str(cell) for cell in rows.to_numpy(object).ravel()]


def a_row(target: str, day: date, horizon: int, yhat: float, spread: float = 1.0) -> dict[str, Any]:
    return {
        "target": target,
        "dimension": "all",
        "dimension_value": "all",
        "grain": "day",
        "period_start": pd.Timestamp(day),
        "horizon": horizon,
        "yhat": yhat,
        "yhat_lo80": yhat - spread,
        "yhat_hi80": yhat + spread,
        "yhat_lo95": yhat - 100 * spread,
        "yhat_hi95": yhat + 100 * spread,
        "model": "by_hand",
        "trained_through": day - timedelta(days=horizon),
    }


def a_run(here: TestTarget, day: date, **variables: Any) -> str:
    """A run that forecasts one day."""
    span = Span(day, day - timedelta(days=1), None)
    return write(here, span, [a_row("calls", day, 1, 4)], [a_total("x", 1, 2)], **variables)


def test_accuracy_is_that_of_the_ledger(here: TestTarget) -> None:
    """Ten calls too many each day: beyond the 80 % interval, within the 95 % one."""
    came = dict(here.rows("select stat_date, calls from lm_daily_facts where dimension = 'all'"))
    begin = START + timedelta(days=7)
    last = START + timedelta(days=DAYS - 1)
    early = Span(begin, begin - timedelta(days=1), begin - timedelta(days=1))
    days = [begin + timedelta(days=n) for n in range(10)]
    wrong = [a_row("calls", day, n + 1, 999) for n, day in enumerate(days)]
    write(here, early, wrong)
    # The last run of the same first day counts.
    write(
        here,
        early,
        [a_row("calls", day, n + 1, came.get(day, 0) + 10) for n, day in enumerate(days)],
    )
    late = Span(last + timedelta(days=1), last, last)
    write(here, late, [a_row("calls", last + timedelta(days=1), 1, 5)])
    (row,) = frame(here, "vw_lm_forecast_accuracy").to_dict("records")
    over = [day for day in days if day <= last]
    assert (row["target"], row["horizon_band"], row["runs"]) == ("calls", "1-7", 1)
    assert row["days_compared"] == len(over) == 7
    assert float(row["mae"]) == float(row["bias"]) == pytest.approx(10)
    naive = [abs(came.get(day - timedelta(days=7), 0) - came.get(day, 0)) for day in over]
    assert float(row["naive_mae"]) == pytest.approx(np.mean(naive))
    assert float(row["skill"]) == pytest.approx(1 - 70 / sum(naive))
    assert float(row["wape"]) == pytest.approx(70 / sum(came.get(day, 0) for day in over))
    assert (float(row["coverage80"]), float(row["coverage95"])) == (0, 1)


def a_total(value: str, low: float, high: float, **changes: Any) -> dict[str, Any]:
    return {
        "target": "bookings",
        "dimension": "source",
        "dimension_value": value,
        "days": 7,
        "trained_through": START,
        "yhat": (low + high) / 2,
        "yhat_lo80": low,
        "yhat_hi80": high,
        "yhat_lo95": low,
        "yhat_hi95": high,
        "previous_value": 30.0,
        "usual_low": 20.0,
        "usual_high": 40.0,
        "usual_spans": 8,
        **changes,
    }


def test_alerts_tell_what_leaves_the_usual(here: TestTarget) -> None:
    span = Span(START + timedelta(days=9), START + timedelta(days=8), START)
    totals = [
        a_total("fewer", 10.25, 15.25),
        a_total("more", 41, 60),
        a_total("maybe", 10, 25),
        a_total("usual", 25, 35),
        a_total("young", 10, 15, usual_spans=3),
        a_total("small", 0, 1, usual_low=4.0, usual_high=9.0),
        a_total("other", 1, 2, usual_low=None, usual_high=None, usual_spans=0),
        a_total("month", 10, 15, days=28),
        a_total("roster", 10, 15, dimension="operator"),
    ]
    write(here, span, [a_row("bookings", span.first_day, 9, 4)], totals)
    alerts = frame(here, "vw_lm_outlook_alerts").set_index("dimension_value")
    assert dict(alerts["side"]) == {"fewer": "below", "more": "above"}
    assert alerts.loc["fewer", "reason_en"] == (
        "Expected in the next 7 days: 12.8 bookings (10.3–15.3), less than in any of the last 8"
        " such spans: 20–40."
    )
    assert "Ожидается за ближайшие 7 дней: 12,8 записей" in alerts.loc["fewer", "reason_ru"]
    outlook = frame(here, "vw_lm_outlook").set_index("dimension_value")
    assert set(outlook["days"]) == {7}
    assert outlook.loc["more", "bookings_change"] == pytest.approx(50.5 - 30)
    assert outlook.loc["more", "period_end"] == span.first_day + timedelta(days=6)
    assert outlook["calls"].isna().all()


def test_old_runs_go(here: TestTarget) -> None:
    for age in (40, 5, 0):
        a_run(here, START + timedelta(days=100 - age), keep_days=10)
    for table in (forecast_store.RUNS, "lm_forecast", "lm_forecast_total"):
        assert counts(here)[table] == 2, table


def test_spans_of_the_past() -> None:
    days = pd.date_range("2025-01-01", periods=30)
    key = Key("calls", "all", "all")
    values = pd.Series(np.arange(1.0, 31.0), days)
    # 24..30, 17..23, 10..16, 3..9
    assert forecast_store.past_spans(Series(key, values, None, "count"), 7) == [189, 140, 91, 42]
    assert forecast_store.past_spans(Series(key, values, None, "count"), 28) == [462]
    hole = values.mask(values == 20)
    assert forecast_store.past_spans(Series(key, hole, None, "count"), 7)[1] is None
    rate = pd.Series([0.0] * 7 + [0.5, 1.0, np.nan, 0.0, 0.0, 0.0, 0.0], days[:14])
    weights = pd.Series([0.0] * 7 + [2.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0], days[:14])
    spans = forecast_store.past_spans(Series(key, rate, weights, "rate"), 7)
    assert spans == [pytest.approx(0.5), None]


def test_doctor_warns_of_an_old_forecast(here: TestTarget) -> None:
    a_run(here, END.date())
    with closing(here.connect()) as connection:
        probe = Probe(connection)
        for days, status in ((0, "ok"), (2, "ok"), (3, "warn")):
            loaded = here.load(as_of=moment(END + timedelta(days=days)))
            (finding,) = doctor_forecast.check_forecast(loaded, probe)
            assert finding.status == status


def test_a_night_survives_a_failing_forecast(
    here: TestTarget, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any) -> None:
        raise LmError("no luck")

    monkeypatch.setattr(forecast, "build", fails)
    with closing(here.connect()) as connection:
        run.outlook(connection, here.load())
    assert "no forecast: no luck" in capsys.readouterr().err


def test_staff_plans_the_forecast_hours(here: TestTarget, tmp_path: Path) -> None:
    options = ("--json", "--vars", f"{{as_of: '{MOMENT}'}}")
    refused = here.lm("staff", *options)
    assert refused.returncode == 1 and "run `lm forecast` first" in refused.stderr
    make(here)
    plan = json.loads(here.lm("staff", *options, check=True).stdout)
    handled, seconds = here.rows(
        "select sum(handle_calls), sum(handle_sec) from lm_daily_facts where dimension ="
        " 'direction' and dimension_value = 'in'"
    )[0]
    assert plan["sources"]["aht_sec"]["calls"] == handled
    assert plan["sources"]["aht_sec"]["value"] == pytest.approx(float(seconds / handled))
    forecast_calls = here.rows(
        "select sum(yhat) from vw_lm_forecast where target = 'calls' and dimension = 'all' and"
        " grain = 'hour' and period_start < %s",
        (MOMENT_DAY + timedelta(days=7),),
    )[0][0]
    planned = sum(hour["calls"] for hour in plan["hours"]) + plan["closed_hours_calls"]
    assert 0 < planned < forecast_calls, "calls out and inside are left out"
    for hour in plan["hours"]:
        assert hour["needed"] >= 1 and hour["needed_erlang_c"] >= hour["needed"]
        assert hour["needed_high"] >= hour["needed"]
    # A roster of as many as are needed reaches the level in every hour.
    lines = [
        f"{hour['day']},{hour['hour']},{hour['hour'] + 1},{hour['needed']:.0f}"
        for hour in plan["hours"]
    ]
    path = tmp_path / "roster.csv"
    path.write_text("day,from,to,people\n" + "\n".join(lines) + "\n")
    found = json.loads(here.lm("staff", *options, "--roster", str(path), check=True).stdout)
    assert len(found["hours"]) == len(plan["hours"])
    assert all(hour["service_level"] >= 0.8 - 1e-9 for hour in found["hours"])
    assert "needed / there" in here.lm("staff", *options[1:], check=True).stdout


def test_the_report_shows_the_marts(here: TestTarget, tmp_path: Path) -> None:
    options = ("--vars", f"{{as_of: '{MOMENT}'}}")
    bare = here.lm("report", "--format", "text", *options, check=True).stdout
    assert "lm forecast" in bare and "lm train" in bare
    make(here)
    path = tmp_path / "page.html"
    here.lm("report", "--output", str(path), "--lang", "en", *options, check=True)
    told = path.read_text(encoding="utf-8")
    document = json.loads(here.lm("report", "--format", "json", *options, check=True).stdout)
    week = here.rows(
        "select bookings, lost from vw_lm_outlook where dimension = 'all' and days = 7"
    )
    assert (document["outlook"][0]["bookings"], document["outlook"][0]["lost"]) == week[0]
    assert f'<div class="figure">{week[0][0]:,.0f}</div>' in told
    levels = dict(
        here.rows(
            "select metric_code, level from vw_lm_period_summary where period_days = 7"
            " and dimension = 'all'"
        )
    )
    assert levels and {row["metric_code"]: row["level"] for row in document["indicators"]} == {
        code: None if level is None else pytest.approx(float(level))
        for code, level in levels.items()
    }
    assert f"{100 * float(levels['service_level']):.1f}\u00a0%" in told
    calls = here.rows(
        "select calls from lm_daily_facts where dimension = 'all' order by stat_date desc limit 28"
    )
    drawn = [point["value"] for point in document["days"]["calls"]["past"]]
    assert drawn == [float(count) for (count,) in reversed(calls)]
    overdue = here.rows("select count(*), sum(is_overdue) from vw_lm_action_list")[0]
    assert sum(one["total"] for one in document["lists"]) == overdue[0]
    hours = here.rows(
        "select call_hour, call_weekday, offered_per_day from vw_lm_hourly_profile"
        " where span_end - interval 7 * 8 - 1 day = span_start order by 1, 2"
    )
    shown = [
        (row["call_hour"], row["call_weekday"], row["offered_per_day"]) for row in document["hours"]
    ]
    assert len(shown) == 24 * 7
    assert shown == [(*cell, pytest.approx(float(calls))) for *cell, calls in hours]
    numbers = {
        str(number) for (number,) in here.rows("select caller_number from call_history") if number
    }
    assert not [number for number in numbers if len(number) > 6 and number in told]
