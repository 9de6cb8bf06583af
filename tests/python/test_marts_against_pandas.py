"""Every mart against pandas: each row, each column, nothing missing and nothing extra.

One schema an engine: a simulated clinic of 45 days and hostile rows. The oracle is fed with the
database's calls and values, which test_metrics_against_oracle compares with the sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pandas as pd
import pytest
from hostile import hostile_source
from oracle_compare import Mismatches, plain, same
from oracle_data import Source, simulated_source
from oracle_kpis import kpi_daily
from oracle_marts import SLICE, call_facts, calls_frame, daily_facts, daily_stats, values_frame
from pipeline_cases import fill, moment

AS_OF = datetime(2025, 3, 12, 12)
HOSTILE_CALLS = 400
# Half of the last digit that is asked for, and what sums of rounded numbers may add.
NEAR = 1e-4
FAR = 1e-7

Table = Mapping[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Marts:
    """A built schema; what is worked out from it is worked out once."""

    target: Any

    def rows(self, table: str) -> list[dict[str, Any]]:
        with (
            closing(self.target.connect()) as connection,
            closing(connection.cursor(dictionary=True)) as cursor,
        ):
            cursor.execute(f"select * from {table}")
            return [{name: plain(value) for name, value in r.items()} for r in cursor.fetchall()]

    @cached_property
    def calls(self) -> pd.DataFrame:
        return calls_frame(self.rows("fct_call"))

    @cached_property
    def values(self) -> pd.DataFrame:
        return values_frame(self.rows("lm_value"))

    @cached_property
    def facts(self) -> pd.DataFrame:
        return call_facts(self.calls, self.values)

    @cached_property
    def daily_facts(self) -> Table:
        return daily_facts(self.facts)


@pytest.fixture(scope="module")
def marts(target: Any) -> Iterator[Marts]:
    parts = (
        simulated_source(45, date(2025, 1, 26), seed=7),
        Source(*hostile_source(7, HOSTILE_CALLS)),
    )
    for number, part in enumerate(parts):
        fill(target, part.shifted(100_000 * number))
    target.dbt("seed")
    target.dbt("run", vars={"as_of": moment(AS_OF)})
    yield Marts(target)


def differences(
    ours: Table, rows: list[dict[str, Any]], key: list[str], without: tuple[str, ...] = ()
) -> Mismatches:
    """Both tables by the key; a number may be off by NEAR, or by FAR of itself."""
    found = Mismatches()
    theirs = {tuple(row[name] for name in key): row for row in rows}
    assert len(theirs) == len(rows), f"the key {key} is not unique"
    for where in sorted(ours.keys() ^ theirs.keys(), key=str):
        found.add("rows", str(where), where in ours, where in theirs)
    columns = set(next(iter(theirs.values()), {})) - set(key) - set(without)
    for where in ours.keys() & theirs.keys():
        mine, other = ours[where], theirs[where]
        if columns ^ set(mine):
            found.add("columns", str(where), sorted(set(mine) - columns), columns - set(mine))
        for column in columns & set(mine):
            if not equal(mine[column], other[column]):
                found.add(column, str(where), mine[column], other[column])
    return found


def equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return bool(ours == json.loads(theirs))
    return same(ours, theirs, rel=FAR, abs_tol=NEAR)


def test_data_reach_every_column(marts: Marts) -> None:
    """A count that is zero everywhere would be compared by nobody."""
    whole = [row for key, row in marts.daily_facts.items() if key[1] == "all"]
    empty = [name for name in whole[0] if not any(row[name] for row in whole)]
    assert not empty


def test_daily_stats(marts: Marts) -> None:
    ours = daily_stats(marts.calls, marts.values)
    found = differences(ours, marts.rows("vw_lm_daily_stats"), [*SLICE, "metric_code"])
    assert not found, found.report()


def test_daily_facts(marts: Marts) -> None:
    found = differences(marts.daily_facts, marts.rows("lm_daily_facts"), SLICE)
    assert not found, found.report()


def test_kpi_daily(marts: Marts) -> None:
    ours = kpi_daily(marts.daily_facts, AS_OF)
    found = differences(ours, marts.rows("vw_lm_kpi_daily"), SLICE)
    assert not found, found.report()
