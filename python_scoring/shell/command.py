"""A small SQL prompt on the project's database."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import mysql.connector
import sqlparse
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM
from python_scoring.base.text_table import format_table


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "shell",
        help="ask the database in SQL",
        description=__doc__ + " Statements end with a semicolon; without -e they come from"
        " the standard input.",
    )
    profile.add_arguments(parser)
    parser.add_argument("-e", "--execute", metavar="SQL", help="run these statements and end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        _use(connection, target.schema)
        if args.execute is not None:
            return _batch(connection, split_statements(args.execute))
        if not sys.stdin.isatty():
            return _batch(connection, split_statements(sys.stdin.read()))
        print(f"{target.name} ({target.place}), schema {target.schema}. Ctrl-D ends.")
        # Line editing only: the history stays in memory, for queries may name people.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        for statement in _typed_statements():
            try:
                _show(connection, statement)
            except mysql.connector.Error as error:
                print(f"error: {error}", file=sys.stderr)
    return EXIT_OK


def split_statements(text: str) -> Iterator[str]:
    """The statements of a text, cut at semicolons outside quotes and comments."""
    for statement in sqlparse.split(text, strip_semicolon=True):
        # A comment alone is no statement, and servers refuse it.
        if sqlparse.format(statement, strip_comments=True).strip(" ;\n"):
            yield statement


def _batch(connection: MySQLConnectionAbstract, statements: Iterable[str]) -> int:
    for statement in statements:
        try:
            _show(connection, statement)
        except mysql.connector.Error as error:
            print(f"lm: {error}", file=sys.stderr)
            return EXIT_PROBLEM
    return EXIT_OK


def _use(connection: MySQLConnectionAbstract, schema: str) -> None:
    try:
        connection.cursor().execute(f"use `{schema}`")
    except mysql.connector.Error:
        print(f"schema {schema} is not there yet: nothing is built", file=sys.stderr)


def _show(connection: MySQLConnectionAbstract, statement: str) -> None:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        if cursor.description is None:
            print(f"{max(cursor.rowcount, 0)} rows")
            return
        rows: list[Any] = cursor.fetchall()
        columns = [str(column[0]) for column in cursor.description]
        print(format_table(columns, rows))
        print(f"({len(rows)} rows)")


def _typed_statements() -> Iterator[str]:
    """What is typed up to a line that ends in a semicolon."""
    text = ""
    with contextlib.suppress(EOFError):
        while True:
            text += input("lm> ") + "\n"
            if text.rstrip().endswith(";"):
                yield from split_statements(text)
                text = ""
    yield from split_statements(text)
