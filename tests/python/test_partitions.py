"""Partitioned tables (lm_partitions): the same values, where several machines may hold them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from conftest import TestTarget
from pipeline_cases import (
    BUILD,
    END,
    Table,
    assert_same,
    clinic,
    fill,
    meaning,
    own_schema,
    read,
    run,
    until,
)

PARTITIONED = ("fct_call", "int_metric_inputs", "lm_value")
KEYS = ("fct_call", "lm_value")
TO_VALUES = ("--select", "+lm_value")
SEEDS = "resource_type:seed"


@pytest.fixture(scope="module")
def plain(target: TestTarget) -> Iterator[TestTarget]:
    """The whole clinic in tables without partitions."""
    with own_schema(target, "plain") as here:
        fill(here, clinic())
        run(here, *BUILD, *TO_VALUES, SEEDS)
        yield here


def tables(here: TestTarget) -> dict[str, Table]:
    return {name: read(here, name) for name in KEYS}


def assert_same_meaning(before: dict[str, Table], after: dict[str, Table]) -> None:
    for name in KEYS:
        assert_same(meaning(before[name]), meaning(after[name]))


def partitions(here: TestTarget, filled: bool = False) -> dict[str, int]:
    """Partitions of each table that has any; with `filled`, those that hold rows."""
    rows = here.rows(
        "select table_name, partition_name from information_schema.partitions"
        " where table_schema = %s and partition_name is not null",
        (here.schema,),
    )
    found: dict[str, int] = {}
    for table, partition in rows:
        some = f"select 1 from {table} partition ({partition}) limit 1"
        if not filled or here.rows(some):
            found[table] = found.get(table, 0) + 1
    return found


def foreign_keys(here: TestTarget) -> list[tuple[object, ...]]:
    return here.rows(
        "select constraint_name from information_schema.table_constraints"
        " where constraint_type = 'FOREIGN KEY' and table_schema = %s",
        (here.schema,),
    )


def test_partitioned_tables_hold_the_same(target: TestTarget, plain: TestTarget) -> None:
    """A first load, and a run that adds, updates and leaves alone."""
    middle = END - timedelta(days=4)
    with own_schema(target, "parts") as here:
        fill(here, until(clinic(), middle))
        run(here, *BUILD, *TO_VALUES, SEEDS, as_of=middle, lm_partitions=4)
        assert partitions(here) == partitions(here, filled=True) == dict.fromkeys(PARTITIONED, 4)
        assert not foreign_keys(here)
        first = read(here, "lm_value")
        fill(here, until(clinic(), END, middle))
        run(here, "run", *TO_VALUES, lm_partitions=4)
        assert_same_meaning(tables(plain), tables(here))
        after = read(here, "lm_value")
        for key, row in first.items():
            assert (after[key]["id"], after[key]["created_at"]) == (row["id"], row["created_at"])


def test_tables_get_partitions_when_told(plain: TestTarget) -> None:
    """Not by the way: a run stops and says how, and nothing is lost or written again."""
    before = tables(plain)
    assert foreign_keys(plain)
    stopped = run(plain, "run", "--select", "fct_call", check=False, lm_partitions=3)
    assert stopped.returncode
    assert "fct_call has no partitions, and lm_partitions is 3" in stopped.stdout
    assert "run-operation partition_tables" in stopped.stdout
    run(plain, "run-operation", "partition_tables", lm_partitions=3)
    assert partitions(plain) == dict.fromkeys(PARTITIONED, 3)
    run(plain, "run", *TO_VALUES, lm_partitions=3)
    assert before == tables(plain)
    if plain.name == "embedded":
        told = run(plain, "run-operation", "partition_tables", check=False).stdout
        assert "cannot take the partitions of a table away" in told
        return
    run(plain, "run-operation", "partition_tables")
    run(plain, "run", *TO_VALUES)
    assert partitions(plain) == {}
    assert foreign_keys(plain)
    assert before == tables(plain)


def test_a_wrong_number_is_named(plain: TestTarget) -> None:
    told = run(plain, "run", "--select", "fct_call", check=False, lm_partitions="many")
    assert told.returncode
    assert "lm_partitions is 'many'" in told.stdout
