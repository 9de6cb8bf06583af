"""What `lm doctor` finds, and how it asks the database."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.source_tables import quote

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One check's result; `todo` says what to do where it is not ok."""

    status: Status
    check: str
    what: str
    todo: str = ""

    def line(self) -> str:
        label = "FAIL" if self.status == "fail" else self.status
        return f"{label:<4}  {self.check}: {self.what}" + (f" — {self.todo}" if self.todo else "")


def ok(check: str, what: str) -> Finding:
    return Finding("ok", check, what)


def warn(check: str, what: str, todo: str) -> Finding:
    return Finding("warn", check, what, todo)


def fail(check: str, what: str, todo: str) -> Finding:
    return Finding("fail", check, what, todo)


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


def quoted(*names: str) -> str:
    """The path `schema`.`table`, whatever the names hold."""
    return ".".join(map(quote, names))


def _text(value: Any) -> Any:
    # information_schema gives some texts as bytes, by the server's version.
    return value.decode() if isinstance(value, bytes | bytearray) else value
