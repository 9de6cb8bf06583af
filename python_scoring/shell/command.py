"""A small SQL prompt on the project's database."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import mysql.connector
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
            return _batch(connection, split_statements([args.execute]))
        if not sys.stdin.isatty():
            return _batch(connection, split_statements(sys.stdin))
        print(f"{target.name} ({target.place}), schema {target.schema}. Ctrl-D ends.")
        # Line editing only: the history stays in memory, for queries may name people.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        for statement in split_statements(_typed_lines()):
            try:
                _show(connection, statement)
            except mysql.connector.Error as error:
                print(f"error: {error}", file=sys.stderr)
    return EXIT_OK


def split_statements(lines: Iterable[str]) -> Iterator[str]:
    """The statements in `lines`, cut at semicolons outside quotes and comments."""
    statement = ""
    quote = ""
    for line in lines:
        position = 0
        while position < len(line):
            rest = line[position:]
            char = rest[0]
            if quote:
                if rest.startswith(quote):
                    statement, position = statement + quote, position + len(quote)
                    quote = ""
                    continue
                if char == "\\" and quote in "'\"":
                    statement, position = statement + rest[:2], position + 2
                    continue
            elif char in "'\"`":
                quote = char
            elif rest.startswith("/*"):
                quote = "*/"
                statement, position = statement + "/*", position + 2
                continue
            elif char == "#" or rest[:3].rstrip() == "--":
                # To the end of this line, which may be one of several in the text.
                end = rest.find("\n")
                position = len(line) if end < 0 else position + end
                continue
            elif char == ";":
                if statement.strip():
                    yield statement.strip()
                statement, position = "", position + 1
                continue
            statement, position = statement + char, position + 1
        if not line.endswith("\n"):
            statement += "\n"
    if statement.strip():
        yield statement.strip()


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


def _typed_lines() -> Iterator[str]:
    with contextlib.suppress(EOFError):
        while True:
            yield input("lm> ") + "\n"
