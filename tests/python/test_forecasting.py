"""The forecasting core: properties of every forecast, and values worked out by hand."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX

from python_scoring.forecasting import Calendar, Forecasts, Key, Series, Settings, forecast
from python_scoring.forecasting import arima as arima_module
from python_scoring.forecasting import smoothing as smoothing_module
from python_scoring.forecasting.accuracy import measures, naive_scale, pinball
from python_scoring.forecasting.arima import arima
from python_scoring.forecasting.calendar import day_effects
from python_scoring.forecasting.intervals import count_quantiles
from python_scoring.forecasting.methods import METHODS, smearing
from python_scoring.forecasting.prepare import prepare
from python_scoring.forecasting.rates import forecast_rate
from python_scoring.forecasting.regression import fit_predict, regressors
from python_scoring.forecasting.smoothing import smoothing

FIRST_DAY = date(2025, 12, 31)
NO_HOURS = pd.DataFrame(columns=["day", "hour", "calls"])
NO_CALENDAR = Calendar.of(None)
WEEK = np.array([1.3, 1.2, 1.1, 1.0, 1.0, 0.5, 0.2])
CORE = ["yhat_lo95", "yhat_lo80", "yhat", "yhat_hi80", "yhat_hi95"]


def days_before(count: int, end: str = "2025-12-30") -> pd.DatetimeIndex:
    return pd.date_range(end=end, periods=count)


def weekly(mean: float, count: int, size: float = 30.0, seed: int = 0) -> pd.Series:
    """Over-dispersed counts with a week and a slow wave."""
    random = np.random.default_rng(seed)
    days = days_before(count)
    phase = random.uniform(0, 6)
    usual = mean * WEEK[days.day_of_week] * (1 + 0.2 * np.sin(phase + np.arange(count) / 50))
    return pd.Series(
        random.poisson(usual * random.gamma(size, 1 / size, count)).astype(float), days
    )


def counts(values: pd.Series, name: str = "all", dimension: str = "all") -> Series:
    return Series(Key("calls", dimension, name), values, None, "count")


def run(
    *series: Series,
    hourly: pd.DataFrame = NO_HOURS,
    calendar: Calendar = NO_CALENDAR,
    **settings: object,
) -> Forecasts:
    options = {"jobs": 1, "error_origins": 16, **settings}
    return forecast(series, hourly, calendar, Settings(first_day=FIRST_DAY, **options))


@pytest.fixture(scope="module")
def clinic() -> tuple[list[Series], pd.DataFrame, Forecasts]:
    """A total with its sources, bookings, conversion, quality and hours: fourteen months."""
    random = np.random.default_rng(3)
    shares = {"site": 0.5, "maps": 0.3, "unknown": 0.18, "leaflet": 0.02 * 0.2}
    total = weekly(100, 430)
    parts = {
        name: pd.Series(random.poisson(total * share).astype(float), total.index)
        for name, share in shares.items()
    }
    total = sum(parts.values(), start=pd.Series(0.0, total.index))
    target = (total * 0.6).round()
    booked = pd.Series(random.binomial(target.astype(int), 0.3).astype(float), total.index)
    scored = pd.Series(random.normal(75, 8, len(total)).clip(0, 100), total.index)
    series = [counts(total)]
    series += [counts(values, name, "source") for name, values in parts.items()]
    series += [
        Series(Key("bookings", "all", "all"), booked, None, "count"),
        Series(Key("talk_minutes", "all", "all"), total * 3.7, None, "amount"),
        Series(Key("conversion_rate", "all", "all"), booked / target, target, "rate"),
        Series(Key("quality", "all", "all"), scored, target, "level"),
    ]
    profile = np.zeros(24)
    profile[8:20] = [2, 4, 5, 5, 4, 3, 3, 4, 4, 3, 2, 1]
    split = [random.multinomial(int(n), profile / profile.sum()) for n in total]
    hourly = pd.DataFrame(
        [
            {"day": day, "hour": hour, "calls": n}
            for day, hours in zip(total.index, split, strict=True)
            for hour, n in enumerate(hours)
            if n
        ]
    )
    return series, hourly, run(*series, hourly=hourly)


def test_bounds_are_ordered_and_within_the_unit(clinic):
    rows = clinic[2].rows
    assert rows[CORE].notna().all().all()
    assert (rows[CORE].diff(axis=1).iloc[:, 1:] >= -1e-9).all().all()
    assert (rows[CORE] >= 0).all().all()
    assert rows.loc[rows.target == "conversion_rate", CORE].le(1).all().all()
    assert rows.loc[rows.target == "quality", CORE].le(100).all().all()
    totals = clinic[2].totals[["lo95", "lo80", "yhat", "hi80", "hi95"]]
    assert (totals.diff(axis=1).iloc[:, 1:] >= -1e-9).all().all()
    assert (totals >= 0).all().all()


def test_every_series_has_its_days_from_the_first_day_on(clinic):
    days = clinic[2].rows.query("grain == 'day'")
    for _, rows in days.groupby(["target", "dimension", "dimension_value"]):
        assert list(rows.horizon) == list(range(1, 29))
        assert rows.period_start.min() == pd.Timestamp(FIRST_DAY)
        assert set(rows.trained_through) == {date(2025, 12, 30)}


def test_sources_add_up_to_the_total_with_the_small_one_in_other(clinic):
    calls = clinic[2].rows.query("target == 'calls' and grain == 'day'")
    total = calls.query("dimension == 'all'").set_index("period_start").yhat
    parts = calls.query("dimension == 'source'")
    assert set(parts.dimension_value) == {"site", "maps", "unknown", "other"}
    summed = parts.groupby("period_start").yhat.sum()
    pd.testing.assert_series_equal(summed, total, check_freq=False)
    notes = clinic[2].notes
    assert set(notes.query("code == 'joined_other'").dimension_value) == {"leaflet"}
    totals = clinic[2].totals.query("target == 'calls'")
    for _, rows in totals.groupby("days"):
        whole = rows.query("dimension == 'all'").yhat.iloc[0]
        assert rows.query("dimension == 'source'").yhat.sum() == pytest.approx(whole)


def test_totals_are_the_sums_of_their_days_and_narrower_than_the_sum_of_bounds(clinic):
    rows = clinic[2].rows.query("target == 'calls' and dimension == 'all' and grain == 'day'")
    total = clinic[2].totals.query("target == 'calls' and dimension == 'all'").set_index("days")
    for days in (7, 14, 28):
        assert total.yhat[days] == pytest.approx(rows.yhat[:days].sum())
    daily_width = (rows.yhat_hi80 - rows.yhat_lo80)[:7].sum()
    assert total.hi80[7] - total.lo80[7] < daily_width


def test_hours_add_up_to_their_day(clinic):
    calls = clinic[2].rows.query("target == 'calls' and dimension == 'all'")
    day = calls.query("grain == 'day'").set_index("period_start").yhat[:14]
    hours = calls.query("grain == 'hour'")
    assert len(hours) == 14 * 24
    summed = hours.groupby(hours.period_start.dt.normalize()).yhat.sum()
    np.testing.assert_allclose(summed, day)
    night = hours[hours.period_start.dt.hour < 8]
    assert night.yhat.max() < 0.05


def test_conversion_agrees_with_the_bookings_and_target_calls(clinic):
    totals = clinic[2].totals.query("days == 14").set_index("target")
    rate = totals.loc["conversion_rate", "yhat"]
    target_calls = 0.6 * totals[totals.dimension == "all"].loc["calls", "yhat"]
    assert rate * target_calls == pytest.approx(totals.loc["bookings", "yhat"], rel=0.05)


def test_the_same_input_gives_the_same_output_with_two_processes(monkeypatch):
    total = weekly(60, 120)
    series = [counts(total)]
    series += [counts((total * share).round(), str(share), "source") for share in (0.5, 0.2, 0.3)]
    once = run(*series)
    module = import_module("python_scoring.forecasting.forecast")
    monkeypatch.setattr(module, "PARALLEL_FROM", 2)
    again = run(*series, jobs=2)
    for name in ("rows", "backtest", "notes", "totals"):
        pd.testing.assert_frame_equal(getattr(once, name), getattr(again, name))


def test_progress_counts_every_series():
    seen: list[tuple[int, int]] = []
    values = weekly(20, 30)
    forecast(
        [counts(values), counts(values * 0.5, "site", "source")],
        NO_HOURS,
        NO_CALENDAR,
        Settings(first_day=FIRST_DAY, jobs=1),
        lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


HISTORIES = {
    "one day": (weekly(30, 1), "short_history"),
    "one week": (weekly(30, 7), "short_history"),
    "five weeks": (weekly(30, 35), "few_windows"),
    "six weeks": (weekly(30, 43), None),
    "zeros": (weekly(30, 100) * 0, "all_zero"),
    "nothing known": (weekly(30, 5) * np.nan, "no_history"),
    "no rows": (weekly(30, 1).iloc[:0], "no_history"),
    "ends early": (weekly(30, 200).iloc[:-40], "ends_early"),
    "only the future": (weekly(30, 5).shift(100, freq="D"), "no_history"),
    "impossible": (-weekly(30, 50) - 1, "no_history"),
}


@pytest.mark.parametrize("kind", ["count", "amount", "rate"])
@pytest.mark.parametrize("name", HISTORIES)
def test_no_history_stops_the_run(name, kind):
    values, code = HISTORIES[name]
    weights = values.fillna(0).clip(lower=0) if kind == "rate" else None
    values = values / 200 if kind == "rate" else values
    odd = Series(Key("odd", "all", "all"), values, weights, kind)
    result = run(odd, counts(weekly(30, 20)), error_origins=4)
    assert (result.rows.target == "calls").sum() == 28
    codes = set(result.notes.query("target == 'odd'").code)
    if kind == "rate" and code in ("few_windows", "all_zero"):
        code = "short_history" if code == "few_windows" else None
    assert code is None or code in codes
    rows = result.rows.query("target == 'odd'")
    if code == "no_history":
        assert rows.empty
    else:
        assert (rows.period_start >= pd.Timestamp(FIRST_DAY)).sum() == 28
        assert np.isfinite(rows[CORE].to_numpy()).all()


def test_a_short_history_is_wider_than_a_long_one():
    width = dict.fromkeys((7, 16, 200), 0.0)
    for days in width:
        for seed in range(3):
            row = run(counts(weekly(50, days, seed=seed))).totals.query("days == 14").iloc[0]
            width[days] += (row.hi80 - row.lo80) / row.yhat
    assert width[7] > 1.2 * width[16] > 1.2 * 1.2 * width[200]


def test_a_gap_and_a_spike_do_not_move_the_forecast():
    plain = weekly(60, 365)
    broken = plain.copy()
    broken.iloc[150:211] = 0
    broken.iloc[-9] *= 10
    expected = run(counts(plain)).rows
    result = run(counts(broken))
    np.testing.assert_allclose(result.rows.yhat.sum(), expected.yhat.sum(), rtol=0.06)
    assert {"gap", "outliers"} <= set(result.notes.code)


def test_a_new_level_is_followed_within_three_weeks():
    values = weekly(60, 365, size=200.0)
    values.iloc[-21:] *= 3
    plain = run(counts(weekly(60, 365, size=200.0))).rows.yhat.sum()
    assert run(counts(values)).rows.yhat.sum() > 2.3 * plain


def test_a_future_day_in_the_data_changes_nothing():
    values = weekly(60, 120)
    future = pd.concat([values, pd.Series([9999.0], pd.DatetimeIndex(["2026-05-05"]))])
    plain, result = run(counts(values)), run(counts(future))
    pd.testing.assert_frame_equal(plain.rows, result.rows)
    assert set(result.notes.code) - set(plain.notes.code) == {"future_days"}


def test_a_series_that_ended_earlier_is_forecast_from_its_end():
    values = weekly(60, 200).iloc[:-5]
    result = run(counts(values))
    assert result.rows.horizon.max() == 33
    shown = result.rows[result.rows.period_start >= pd.Timestamp(FIRST_DAY)]
    total = result.totals.query("days == 7").yhat.iloc[0]
    assert total == pytest.approx(shown.yhat[:7].sum())


def test_closed_days_holidays_and_closed_weekdays_are_known():
    values = weekly(60, 400, size=200.0)
    holidays = [day for day in values.index if day.day == 15]
    values[holidays] *= 0.2
    values[values.index.day_of_week == 6] = 0
    frame = pd.DataFrame({"date": holidays, "day_kind": "holiday", "name": "pay day"})
    coming = pd.DataFrame(
        {
            "date": ["2026-01-02", "2026-01-15"],
            "day_kind": ["closed", "holiday"],
            "name": ["closed", "pay day"],
        }
    )
    calendar = Calendar.of(pd.concat([frame, coming]))
    rows = run(counts(values), calendar=calendar).rows.set_index("period_start")
    assert rows.yhat["2026-01-02"] == 0
    assert rows.yhat["2026-01-15"] == pytest.approx(0.2 * rows.yhat["2026-01-22"], rel=0.35)
    assert (rows.yhat[rows.index.day_of_week == 6] == 0).all()


def test_effects_of_special_days_by_hand():
    kinds = np.array(["", "holiday", "", "holiday", "holiday", "closed", "promotion", ""])
    names = np.array(["", "a", "", "b", "a", "", "", ""])
    actual = np.array([10.0, 2.0, 10.0, 6.0, 0, 0, 0, 0])
    usual = np.full(8, 10.0)
    # Kind: (2 + 6 + 10) / (20 + 10) = 0.6; name a: (2 + 0.6 * 10) / (10 + 10) = 0.4.
    effects = day_effects(kinds, names, actual, usual, slice(4, 8))
    np.testing.assert_allclose(effects, [0.4, 0.0, 1.0, 1.0])


def test_the_naive_is_beaten_on_a_weekly_series(clinic):
    backtest = clinic[2].backtest.query("target == 'calls' and dimension == 'all'")
    error = backtest.query("grain == 'day'").groupby("model").mase.mean()
    assert error["published"] < 0.85 * error["seasonal_naive"]
    assert error["published"] < 1.06 * error.drop("published").min()
    hours = backtest.query("grain == 'hour'").groupby("model").mase.mean()
    assert hours["profile"] < 0.85 * hours["seasonal_naive"]


def test_backtest_has_twelve_origins_and_two_weeks_of_each_model(clinic):
    backtest = clinic[2].backtest.query("target == 'bookings' and grain == 'day'")
    assert set(backtest.horizon) == {7, 14}
    assert (backtest.groupby(["model", "horizon"]).origin.nunique() == 12).all()
    assert set(backtest.groupby("model").chosen.first()["published":"published"]) == {1}
    last = pd.Timestamp("2025-12-30") - pd.Timedelta(days=14)
    assert backtest.origin.max() == last.date()


@pytest.mark.parametrize(("mean", "size"), [(3.0, 1e6), (15.0, 8.0), (200.0, 25.0)])
def test_coverage_on_simulated_counts(mean, size):
    """Twelve series each: the last 14 days are known to the simulation only."""
    inside = {80: [], 95: []}
    for seed in range(12):
        values = weekly(mean, 330, size, seed)
        rows = forecast(
            [counts(values.iloc[:-14])],
            NO_HOURS,
            NO_CALENDAR,
            Settings(values.index[-14].date(), days=14, origins=2, jobs=1),
        ).rows
        actual = values.iloc[-14:].to_numpy()
        for level, found in inside.items():
            low, high = rows[f"yhat_lo{level}"], rows[f"yhat_hi{level}"]
            found += list((actual >= low) & (actual <= high))
    # Whole counts cover a little more than asked where they are small.
    assert 0.73 <= np.mean(inside[80]) <= 0.93
    assert 0.90 <= np.mean(inside[95]) <= 1.0


def test_measures_by_hand():
    history = np.array([1.0, 2, 3, 4, 5, 6, 7, 3, 2, 3, 4])
    # Changes over a week: 2, 0, 0, 0.
    assert naive_scale(history) == (0.5, 1.0)
    bounds = np.array([[0.0, 0], [1, 3], [4, 5], [6, 6]])
    found = measures(np.array([2.0, 6.0]), np.array([3.0, 4.0]), bounds, (0.5, 1.0))
    assert found["mase"] == pytest.approx(1.5 / 0.5)
    assert found["rmsse"] == pytest.approx(np.sqrt((1 + 4) / 2))
    assert found["wape"] == pytest.approx(3 / 8)
    assert found["smape"] == pytest.approx((2 / 5 + 4 / 10) / 2)
    # Losses at 10 %: 0.1 * 1, 0.1 * 3; at 90 %: 0.1 * 2, 0.9 * 1.
    assert found["pinball80"] == pytest.approx(((0.1 + 0.3 + 0.2 + 0.9) / 4) / 0.5)
    assert (found["coverage80"], found["coverage95"], found["n"]) == (0.5, 1.0, 2)
    assert pinball(np.array([1.0]), np.array([3.0]), 0.9) == pytest.approx([0.2])


def test_count_quantiles_agree_with_scipy():
    poisson = count_quantiles(np.array([4.0]), np.array([1.0]))[:, 0]
    assert list(poisson) == list(stats.poisson.ppf([0.025, 0.1, 0.9, 0.975], 4))
    wide = count_quantiles(np.array([4.0]), np.array([12.0]))[:, 0]
    assert list(wide) == list(stats.nbinom.ppf([0.025, 0.1, 0.9, 0.975], 2, 1 / 3))


def one_point(monkeypatch, module, **grids):
    for name, value in grids.items():
        monkeypatch.setattr(module, name, (value,))


def test_smoothing_agrees_with_statsmodels(monkeypatch):
    one_point(monkeypatch, smoothing_module, ALPHAS=0.2, BETAS=0.1, GAMMAS=0.15)
    values = weekly(80, 120).to_numpy()
    head = values[:28]
    season = [head[phase::7].mean() - head.mean() for phase in range(7)]
    model = ETSModel(
        values,
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=7,
        initialization_method="known",
        initial_level=head.mean(),
        initial_trend=0.0,
        initial_seasonal=season,
    )
    fitted = model.smooth(np.array([0.2, 0.02, 0.15, 0.9]))
    mine = smoothing(values, np.ones(120, bool), np.array([100, 120]), 20)
    np.testing.assert_allclose(mine[1], fitted.forecast(20), rtol=1e-6)


def test_arima_agrees_with_statsmodels(monkeypatch):
    one_point(monkeypatch, arima_module, PHIS=0.8, THETAS=-0.4, SEASONAL_THETAS=-0.7)
    values = weekly(80, 300).to_numpy()
    model = SARIMAX(values, order=(1, 0, 1), seasonal_order=(0, 1, 1, 7), simple_differencing=False)
    # The exact filter and the conditional sum agree once the start is forgotten.
    expected = model.filter([0.8, -0.4, -0.7, 100.0]).forecast(20)
    mine = arima(values, np.ones(300, bool), np.array([300]), 20)
    np.testing.assert_allclose(mine[0], expected, rtol=1e-3)


def test_poisson_regression_of_weekdays_is_the_weighted_mean():
    y = weekly(20, 70).to_numpy()
    weight = np.linspace(0.2, 1.0, 70)
    x = regressors(77)[:, :7]
    ahead = fit_predict(x[:70], y, weight, x[70:])
    means = [np.average(y[d::7], weights=weight[d::7]) for d in range(7)]
    np.testing.assert_allclose(ahead, means, rtol=1e-3)


def test_methods_on_logs_keep_the_mean_of_small_counts():
    """Without smearing the forecast of a Poisson 4 falls short by a tenth and more."""
    values = np.random.default_rng(1).poisson(4.0, 700).astype(float)
    origins = np.arange(400, 673, 21)
    ahead = METHODS["smoothing_log"](values, np.ones(700), origins, 28)
    assert ahead.mean() == pytest.approx(values.mean(), rel=0.04)
    back = np.expm1(np.log1p(values).mean())
    assert back < 0.92 * values.mean()
    factor = smearing(values, np.log1p(values), np.array([700]))[0]
    assert back * factor == pytest.approx(values.mean(), rel=0.04)


def test_preparing_looks_only_backwards():
    values = weekly(60, 200)
    values.iloc[122] *= 8
    whole = prepare(values, NO_CALENDAR, 0)
    for cut in (60, 123, 150):
        part = prepare(values.iloc[:cut], NO_CALENDAR, 0)
        np.testing.assert_allclose(part.clean, whole.clean[:cut])
    assert whole.clean[122] < values.iloc[122] / 2


@pytest.mark.parametrize("days", [60, 120, 400])
def test_mean_of_a_week_is_known_better_than_that_of_a_day(days: int) -> None:
    """A constant chance of 0.65 of 60 calls a day: 420 calls know their mean to 0.023."""
    rng = np.random.default_rng(days)
    index = pd.date_range("2025-01-01", periods=days + 7)
    first = index[days].date()
    hits, widths = [], []
    for _ in range(60):
        calls = rng.poisson(60, days + 7).clip(min=1)
        booked = rng.binomial(calls, 0.65)
        past = slice(0, days)
        series = Series(
            Key("conversion_rate", "all", "all"),
            pd.Series(booked[past] / calls[past], index[past]),
            pd.Series(calls[past].astype(float), index[past]),
            "rate",
        )
        _, _, low, high, _ = forecast_rate(series, Settings(first_day=first)).totals[7]
        hits.append(low <= booked[days:].sum() / calls[days:].sum() <= high)
        widths.append(high - low)
    assert 0.7 <= np.mean(hits) <= 0.97
    assert 2 * 1.28 * 0.023 * 0.9 < np.mean(widths) < 2 * 1.28 * 0.023 * 1.6


def test_weeks_off_of_some_take_nothing_from_others() -> None:
    """Two operators take turns week by week; a third works every day and keeps his level."""
    rng = np.random.default_rng(5)
    index = pd.date_range("2025-03-03", periods=150)
    turn = (np.arange(150) // 7) % 2
    daily = {
        "steady": rng.poisson(20, 150),
        "even": rng.poisson(60, 150) * (turn == 0),
        "odd": rng.poisson(60, 150) * (turn == 1),
    }
    daily["all"] = sum(daily.values())
    series = [
        Series(
            Key("calls", "all" if name == "all" else "operator", name),
            pd.Series(values.astype(float), index),
            None,
            "count",
        )
        for name, values in daily.items()
    ]
    first = (index[-1] + pd.Timedelta(days=1)).date()
    empty = pd.DataFrame(columns=["day", "hour"])
    made = forecast(series, empty, NO_CALENDAR, Settings(first_day=first, jobs=1))
    totals = made.totals[made.totals.days == 14].set_index("dimension_value").yhat
    assert totals["all"] == pytest.approx(14 * 80, rel=0.08)
    assert totals["steady"] == pytest.approx(14 * 20, rel=0.15)
    for name in ("even", "odd"):
        assert totals[name] == pytest.approx(7 * 60, rel=0.25)
