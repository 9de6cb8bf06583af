"""The macros of macros/statistics against NumPy, SciPy and statsmodels, and worked by hand.

A macro is text: it is rendered without dbt and asked over rows written into the query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Template
from oracle_compare import plain
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

MACROS = "".join(
    (ROOT / "macros" / "statistics" / f"{name}.sql").read_text()
    for name in ("intervals", "percentile")
)
MODEL_OF_T = 6  # degrees of freedom from which the quantile is as exact as the text says
few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
shares = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
numbers = st.decimals(-9999, 9999, places=4, allow_nan=False).map(float)
samples = st.lists(numbers, min_size=2, max_size=40)


@pytest.fixture(scope="module")
def connection(target: Any) -> Iterator[Any]:
    with closing(target.connect()) as connection:
        yield connection


def ask(
    connection: Any, columns: str, rows: list[dict[str, Any]], rest: str = ""
) -> list[list[Any]]:
    """`columns` (with macros) of the rows, in their order by `row_no`."""
    lines = [
        ", ".join(f"{literal(value)} as {name}" for name, value in {"row_no": i, **row}.items())
        for i, row in enumerate(rows)
    ]
    query = f"select {columns} from (select {' union all select '.join(lines)}) as given {rest}"
    with closing(connection.cursor()) as cursor:
        cursor.execute(Template(MACROS + query).render().strip())
        return [[plain(value) for value in row] for row in cursor.fetchall()]


def literal(value: Any) -> str:
    """A float with an exponent, so that the database takes it as one."""
    return f"{value:.17e}" if isinstance(value, float) else str(value)


@few
@given(pairs=st.lists(shares, min_size=1, max_size=20))
def test_wilson(connection: Any, pairs: list[tuple[int, int]]) -> None:
    rows = [{"k": k, "n": n} for k, n in pairs]
    found = ask(
        connection,
        "{{ wilson_low('k', 'n') }}, {{ wilson_high('k', 'n') }}",
        rows,
        "order by row_no",
    )
    for (k, n), (low, high) in zip(pairs, found, strict=True):
        if n:
            wanted = proportion_confint(k, n, method="wilson")
            assert (low, high) == pytest.approx(wanted, abs=1e-9), (k, n)
        else:
            assert low is None
            assert high is None


def test_wilson_by_hand(connection: Any) -> None:
    """15 of 30 (33 to 67 %): centre 1/2, half-width z sqrt(n/4 + z²/4) / (n + z²).

    z² = 3.8415: 1.96 · sqrt(7.5 + 0.9604) / 33.8415 = 1.96 · 2.9087 / 33.8415 = 0.16845.
    None of 10: from 0 to z² / (n + z²) = 3.8415 / 13.8415 = 0.27754.
    """
    rows = [{"k": 15, "n": 30}, {"k": 0, "n": 10}]
    found = ask(
        connection,
        "{{ wilson_low('k', 'n') }}, {{ wilson_high('k', 'n') }}",
        rows,
        "order by row_no",
    )
    assert found[0] == pytest.approx([0.33155, 0.66845], abs=1e-5)
    assert found[1] == pytest.approx([0, 0.27754], abs=1e-5)


@few
@given(pairs=st.lists(st.tuples(shares, shares), min_size=1, max_size=20))
def test_newcombe(connection: Any, pairs: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    pairs = [pair for pair in pairs if pair[0][1] and pair[1][1]] or [((15, 30), (10, 30))]
    sides = [proportion_confint(*share, method="wilson") for pair in pairs for share in pair]
    rows = [
        {
            "p1": k1 / n1,
            "low1": float(low1),
            "high1": float(high1),
            "p2": k2 / n2,
            "low2": float(low2),
            "high2": float(high2),
        }
        for ((k1, n1), (k2, n2)), (low1, high1), (low2, high2) in zip(
            pairs, sides[::2], sides[1::2], strict=True
        )
    ]
    arguments = "'p1', 'low1', 'high1', 'p2', 'low2', 'high2'"
    found = ask(
        connection,
        f"{{{{ newcombe('low', {arguments}) }}}}, {{{{ newcombe('high', {arguments}) }}}}",
        rows,
        "order by row_no",
    )
    for ((k1, n1), (k2, n2)), bounds in zip(pairs, found, strict=True):
        wanted = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb", compare="diff")
        assert bounds == pytest.approx(list(wanted), abs=1e-9), (k1, n1, k2, n2)


def test_t_quantile(connection: Any) -> None:
    """Of 1 and 2 exact, of 1 or 2 between them; off by 0.004 at 3 and by 0.0001 from 6 on."""
    degrees = [1, 1.01, 1.5, 1.99, 2, 2.01, 2.5, 2.99, 3, 4, 5, 6, 6.5, 7, 10, 12.3, 29, 100, 1e4]
    found = ask(
        connection,
        "{{ t_quantile('df') }}",
        [{"df": float(df)} for df in degrees],
        "order by row_no",
    )
    for df, (quantile,) in zip(degrees, found, strict=True):
        allowed = 1e-9 if df < 3 else 1.2e-4 if df >= MODEL_OF_T else 0.0045
        assert quantile == pytest.approx(quantile_above(df), abs=allowed), df


def quantile_above(df: float) -> float:
    """SciPy's quantile; below 3 degrees that of the whole degree before, which is no smaller."""
    return float(stats.t.ppf(0.975, np.floor(df + 1e-6) if df < 3 else df))


@few
@given(lists=st.lists(samples, min_size=1, max_size=6))
def test_mean_interval(connection: Any, lists: list[list[float]]) -> None:
    found = ask(
        connection,
        "{{ mean_margin('n', sample_variance('n', 'total', 'squares')) }}",
        [sums_of(values) for values in lists],
        "order by row_no",
    )
    for values, (margin,) in zip(lists, found, strict=True):
        low, high = DescrStatsW(values).tconfint_mean(0.05)
        assert_margin(margin, (high - low) / 2, len(values) - 1, values)


@few
@given(pairs=st.lists(st.tuples(samples, samples), min_size=1, max_size=6))
def test_welch(connection: Any, pairs: list[tuple[list[float], list[float]]]) -> None:
    rows = [{**sums_of(first, "1"), **sums_of(second, "2")} for first, second in pairs]
    variances = [f"sample_variance('n{i}', 'total{i}', 'squares{i}')" for i in (1, 2)]
    margin_sql = f"{{{{ welch_margin('n1', {variances[0]}, 'n2', {variances[1]}) }}}}"
    found = ask(connection, margin_sql, rows, "order by row_no")
    for (first, second), (margin,) in zip(pairs, found, strict=True):
        spread = np.var(first, ddof=1) + np.var(second, ddof=1)
        if spread < 1e-3:
            continue  # without a spread there are no degrees of freedom to speak of
        means = CompareMeans(DescrStatsW(first), DescrStatsW(second))
        low, high = means.tconfint_diff(0.05, usevar="unequal")
        assert_margin(margin, (high - low) / 2, means.dof_satt(), first + second)


def sums_of(values: list[float], suffix: str = "") -> dict[str, Any]:
    return {
        f"n{suffix}": len(values),
        f"total{suffix}": float(sum(values)),
        f"squares{suffix}": float(sum(value * value for value in values)),
    }


def assert_margin(margin: float, wanted: float, df: float, values: list[float]) -> None:
    """Up to what the quantile is off, and what rounding leaves of the spread of equal values.

    Below 3 degrees the margin is the wider one of whole degrees.
    """
    wanted *= quantile_above(df) / stats.t.ppf(0.975, df)
    rounding = 1e-5 * (1 + max(map(abs, values)))
    assert margin == pytest.approx(wanted, rel=2e-3, abs=rounding), (values, df)


@few
@given(values=st.lists(numbers, min_size=1, max_size=60), share=st.integers(0, 100))
def test_percentile(connection: Any, values: list[float], share: int) -> None:
    ordered = sorted(values)
    rows = [
        {"value": value, "value_rank": rank, "value_count": len(values)}
        for rank, value in enumerate(ordered, start=1)
    ]
    ((found,),) = ask(connection, f"{{{{ percentile('value', {share / 100}) }}}}", rows)
    assert found == pytest.approx(np.percentile(values, share), abs=1e-6)


def test_percentile_by_hand(connection: Any) -> None:
    """Of 10, 20, 40, 80 the median is 30, the 90th lies 0.7 of the way from 40 to 80: 68."""
    rows = [
        {"value": value, "value_rank": rank, "value_count": 4}
        for rank, value in enumerate((10, 20, 40, 80), start=1)
    ]
    assert ask(
        connection, "{{ percentile('value', 0.5) }}, {{ percentile('value', 0.9) }}", rows
    ) == [[pytest.approx(30), pytest.approx(68)]]
