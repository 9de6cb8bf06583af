"""The value of bookings: agrees with their forecast, adds up, and its intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_forecasting import run, weekly

from python_scoring.forecasting import Forecasts, Key, Series
from python_scoring.forecasting.values import compound_bounds, worth_deviation

DAYS = 420
PRICES = {
    "УЗИ": 2100.0,
    "Имплантация зубов": 42000.0,
    "Приём стоматолога": 4200.0,
    "Справка": 1600.0,
}
SHARES = {"УЗИ": 0.6, "Имплантация зубов": 0.05, "Приём стоматолога": 0.347, "Справка": 0.003}


def booked(name: str, dimension: str, values: pd.Series) -> Series:
    return Series(Key("bookings", dimension, name), values, None, "count")


def worth(name: str, dimension: str, values: pd.Series) -> Series:
    return Series(Key("booked_value", dimension, name), values, None, "amount")


def services(seed: int, mean: float = 60) -> list[Series]:
    """Bookings and their value by service, and the wholes."""
    random = np.random.default_rng(seed)
    usual = weekly(mean, DAYS, seed=seed)
    parts = {
        name: pd.Series(random.poisson(usual * share).astype(float), usual.index)
        for name, share in SHARES.items()
    }
    value = {name: part * PRICES[name] for name, part in parts.items()}
    zero = pd.Series(0.0, usual.index)
    return [
        booked("all", "all", sum(parts.values(), start=zero)),
        worth("all", "all", sum(value.values(), start=zero)),
        *(booked(name, "service", part) for name, part in parts.items()),
        *(worth(name, "service", part) for name, part in value.items()),
    ]


@pytest.fixture(scope="module")
def clinic() -> tuple[list[Series], Forecasts]:
    series = services(seed=1)
    return series, run(*series)


def day_rows(found: Forecasts, target: str, dimension: str) -> pd.DataFrame:
    rows = found.rows
    return rows[(rows.target == target) & (rows.dimension == dimension)]


def test_a_days_value_is_its_bookings_by_what_one_has_brought(
    clinic: tuple[list[Series], Forecasts],
) -> None:
    series, found = clinic
    count = day_rows(found, "bookings", "all").yhat.to_numpy()
    value = day_rows(found, "booked_value", "all").yhat.to_numpy()
    # By hand: a day counts half as much as one 56 days later.
    numbers, sums = series[0].values, series[1].values
    top = bottom = 0.0
    for age, (n, roubles) in enumerate(zip(numbers[::-1], sums[::-1], strict=True)):
        weight = 2.0 ** (-age / 56)
        top += weight * roubles
        bottom += weight * n
    np.testing.assert_allclose(value, count * top / bottom, rtol=1e-9)


def test_a_days_value_adds_up_over_services_and_the_small_one_is_in_other(
    clinic: tuple[list[Series], Forecasts],
) -> None:
    _, found = clinic
    parts = day_rows(found, "booked_value", "service")
    assert set(parts.dimension_value) == {*PRICES, "other"} - {"Справка"}
    whole = day_rows(found, "booked_value", "all").set_index("period_start").yhat
    summed = parts.groupby("period_start").yhat.sum()
    np.testing.assert_allclose(summed, whole, rtol=1e-9)
    totals = found.totals[found.totals.target == "booked_value"]
    for days, rows in totals.groupby("days"):
        of_parts = rows[rows.dimension == "service"].yhat.sum()
        assert of_parts == pytest.approx(rows[rows.dimension == "all"].yhat.item()), days
    # Each service by about its own price, though the whole's is another.
    for name in ("УЗИ", "Приём стоматолога"):
        own = parts[parts.dimension_value == name].yhat.sum()
        bookings = day_rows(found, "bookings", "service")
        count = bookings[bookings.dimension_value == name].yhat.sum()
        assert own / count == pytest.approx(PRICES[name], rel=0.1)


def test_one_price_for_all_makes_the_value_the_bookings_in_roubles() -> None:
    bookings = weekly(20, 90)
    found = run(booked("all", "all", bookings), worth("all", "all", bookings * 2500))
    count, value = (day_rows(found, name, "all") for name in ("bookings", "booked_value"))
    np.testing.assert_allclose(value.yhat, 2500 * count.yhat.to_numpy(), rtol=1e-9)


def test_few_days_and_no_bookings_give_a_value_too() -> None:
    bookings = weekly(20, 20)
    short = run(booked("all", "all", bookings), worth("all", "all", bookings * 2500))
    rows = day_rows(short, "booked_value", "all")
    assert len(rows) == 28 and (rows.yhat_lo80 <= rows.yhat).all() and (rows.yhat > 0).all()
    # One price: as far off as the bookings, in roubles.
    count = day_rows(short, "bookings", "all")
    np.testing.assert_allclose(rows.yhat_hi80, 2500 * count.yhat_hi80.to_numpy(), rtol=1e-9)
    nothing = run(booked("all", "all", bookings * 0), worth("all", "all", bookings * 0))
    assert (day_rows(nothing, "booked_value", "all").yhat == 0).all()
    unpriced = run(booked("all", "all", bookings))
    assert day_rows(unpriced, "booked_value", "all").empty


def test_the_interval_of_a_short_history_has_the_spread_of_prices_too() -> None:
    # 100 bookings (90 to 110 by their own interval) of 1000 roubles, give or take 2000.
    counts, limits = np.array([100.0]), np.array([[85.0], [90.0], [110.0], [115.0]])
    found = compound_bounds(counts, limits, 1000.0, 2000.0)[:, 0]
    assert found[2] - 100_000 == pytest.approx((10_000**2 + (1.2815516 * 2000 * 10) ** 2) ** 0.5)
    assert 100_000 - found[0] == pytest.approx((15_000**2 + (1.9599640 * 2000 * 10) ** 2) ** 0.5)
    # Two days of one booking each, of 500 and 1500 roubles: 500 apart from their mean.
    assert worth_deviation(np.array([1.0, 1.0]), np.array([500.0, 1500.0]), 1000.0) == 500


def test_the_interval_holds_eight_times_of_ten_and_beats_the_week_before() -> None:
    tests = pd.concat([run(*services(seed)[:2]).backtest for seed in range(6)])
    own = tests[(tests.target == "booked_value") & (tests.dimension == "all")]
    shown, before = own[own.model == "published"], own[own.model == "seasonal_naive"]
    assert 0.74 < shown.coverage80.mean() < 0.88
    assert shown.mase.mean() < 0.85 * before.mase.mean()
