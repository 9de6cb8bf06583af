"""The source tables as they are created, on every database."""

from __future__ import annotations

from typing import Any

import pytest

from python_scoring.base.source_tables import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    create_source_tables,
    insert_rows,
)


@pytest.fixture(scope="module")
def connection(target: Any) -> Any:
    connection = target.connect()
    create_source_tables(connection, target.schema)
    create_source_tables(
        connection,
        target.schema,
        call_history="calls_old",
        call_scores="scores_old",
        variant="old",
    )
    yield connection
    connection.close()


def columns_of(target: Any, table: str) -> dict[str, str]:
    rows = target.rows(
        "select column_name, column_type from information_schema.columns "
        "where table_schema = %s and table_name = %s",
        (target.schema, table),
    )
    return {str(name): str(kind).lower() for name, kind in rows}


@pytest.mark.parametrize("table", ["call_history", "call_scores"])
def test_named_columns_exist(connection: Any, target: Any, table: str) -> None:
    wanted = {*REQUIRED_COLUMNS[table], *OPTIONAL_COLUMNS[table]}
    assert wanted <= columns_of(target, table).keys()


def test_review_ids_are_signed_and_history_ids_are_not(connection: Any, target: Any) -> None:
    assert "unsigned" not in columns_of(target, "call_scores")["id"]
    assert "unsigned" in columns_of(target, "call_history")["history_id"]


def test_old_installations_differ_as_described(connection: Any, target: Any) -> None:
    old = columns_of(target, "scores_old")
    assert "refusal_category_code" not in old
    assert old["call_score"].startswith("varchar")
    assert "unsigned" in old["id"]


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(ValueError, match="'new'"):
        create_source_tables(None, "x", variant="new")  # type: ignore[arg-type]


def test_creating_again_keeps_the_rows(connection: Any, target: Any) -> None:
    columns = ["caller_number", "called_number", "entry_id"]
    rows = ([f"700000000{i}", "70020000001", f"e{i}"] for i in range(7))
    assert insert_rows(connection, target.schema, "call_history", columns, rows, chunk=3) == 7
    create_source_tables(connection, target.schema)
    assert target.rows("select count(*), max(entry_id) from call_history") == [(7, "e6")]


def test_no_rows_are_no_statement(connection: Any, target: Any) -> None:
    assert insert_rows(connection, target.schema, "call_history", ["entry_id"], []) == 0
