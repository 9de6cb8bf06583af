"""Questions to a database, and names as they stand in SQL."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract
from mysql.connector.errorcode import ER_NO_SUCH_TABLE, ER_VIEW_INVALID

from python_scoring.base.errors import LmError
from python_scoring.base.source_tables import quote


class Probe:
    """Questions to one connection."""

    def __init__(self, connection: MySQLConnectionAbstract) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, tuple(parameters))
            found: list[Any] = cursor.fetchall() if cursor.description else []
            return [tuple(map(_text, row)) for row in found]

    def one(self, statement: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        return self.rows(statement, parameters)[0]

    def do(self, statement: str) -> None:
        self.rows(statement)


def table_names(probe: Probe, schema: str) -> set[str]:
    """The tables and views of a schema."""
    rows = probe.rows(
        "select table_name from information_schema.tables where table_schema = %s", (schema,)
    )
    return {name for (name,) in rows}


def require_tables(probe: Probe, schema: str, needed: Collection[str]) -> None:
    """LmError when dbt has not built one of them."""
    if missing := sorted(set(needed) - table_names(probe, schema)):
        raise LmError(
            f"schema {schema} lacks {', '.join(missing)}: run `lm run` or `dbt build` first"
        )


@contextlib.contextmanager
def built_view(schema: str, name: str) -> Iterator[None]:
    """Reads of a view that dbt makes: where it is missing or broken, the error says what to do."""
    try:
        yield
    except mysql.connector.Error as error:
        if error.errno in (ER_NO_SUCH_TABLE, ER_VIEW_INVALID):
            raise LmError(
                f"schema {schema} has no {name} that works ({error.msg}): run `lm run` or"
                " `dbt build` first"
            ) from error
        raise


def quoted(*names: str) -> str:
    """The path `schema`.`table`, whatever the names hold."""
    return ".".join(map(quote, names))


def _text(value: Any) -> Any:
    # information_schema gives some texts as bytes, by the server's version.
    return value.decode() if isinstance(value, bytes | bytearray) else value
