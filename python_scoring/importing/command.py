"""Load a call log in CSV or TSV into source tables, by a mapping of its columns.

Bad lines are counted and listed in the reject file by line number and reason; the
rest goes in. A call that is there already is not loaded again: import a grown file
and only its new calls are added. The mapping's sections are explained in
python_scoring/importing/mappings/anonymous_bank.yml, which is also one by name.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, ConfigurationError, LmError
from python_scoring.base.source_tables import (
    CALL_HISTORY,
    CALL_SCORES,
    create_source_tables,
    insert_rows,
    quote,
)
from python_scoring.importing import mapping as import_mapping
from python_scoring.importing.lines import (
    COLUMNS,
    ENTRY_PREFIX,
    BadLine,
    LineReader,
    SkippedLine,
    numbered_lines,
)

CHUNK = 2_000
PROGRESS_SEC = 2.0
EXIT_CODES = """\
exit codes:
  0  every line went in, was there already, or was skipped by the mapping
  1  some lines were rejected, or the import could not be finished
  2  wrong usage, mapping or configuration; nothing was loaded
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "import",
        help="load a call log (CSV, TSV, gz) into source tables",
        description=__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the call log; may be .gz")
    parser.add_argument(
        "--mapping",
        metavar="MAPPING",
        type=Path,
        required=True,
        help="YAML file with the columns' meaning, or the name of one that comes with lm",
    )
    parser.add_argument("--schema", help="schema to load into (default: var source_schema)")
    parser.add_argument(
        "--reject-file",
        metavar="F",
        type=Path,
        help="where to list bad lines (default: FILE's name + .rejects.tsv, in this folder)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    profile.add_arguments(parser)
    parser.set_defaults(run=run)


@dataclass
class Result:
    """What became of the lines of a file."""

    schema: str
    lines: int = 0
    inserted: int = 0
    already_there: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    reject_file: str | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "skipped": dict(self.skipped), "seconds": round(self.seconds, 1)}

    def as_text(self) -> str:
        lines = [
            f"{self.lines} calls in the file, loaded into {self.schema} in {self.seconds:.1f} s:",
            f"  {self.inserted} inserted",
            f"  {self.already_there} were there already",
        ]
        lines += [f"  {count} skipped: {why}" for why, count in self.skipped.most_common()]
        lines.append(
            f"  {self.rejected} rejected" + (f", see {self.reject_file}" if self.rejected else "")
        )
        return "\n".join(lines)


class Rejects:
    """The reject file; it comes into being with the first bad line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: TextIO | None = None

    def __enter__(self) -> Rejects:
        # A list of an earlier import would be taken for this one's.
        self.path.unlink(missing_ok=True)
        return self

    def add(self, line: int, reason: str) -> None:
        if self.stream is None:
            self.stream = self.path.open("w", encoding="utf-8")
            self.stream.write("line\treason\n")
        self.stream.write(f"{line}\t{reason}\n")

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            self.stream.close()


def run(args: argparse.Namespace) -> int:
    mapping = import_mapping.load(args.mapping)
    if not args.file.is_file():
        raise ConfigurationError(f"no file {args.file}")
    target = profile.from_args(args)
    schema = args.schema or target.source_schema
    reject_file = args.reject_file or Path(f"{args.file.name}.rejects.tsv")
    if reject_file.resolve() == args.file.resolve():
        raise ConfigurationError("the reject file must not be the call log itself")
    with closing(profile.connect(target)) as connection:
        result = import_file(
            connection,
            args.file,
            mapping,
            schema,
            utc_offset=offset_of(target.utc_offset),
            reject_file=reject_file,
            call_history=target.source_table(CALL_HISTORY),
            call_scores=target.source_table(CALL_SCORES),
        )
    print(json.dumps(result.as_dict()) if args.json else result.as_text())
    return EXIT_PROBLEM if result.rejected else EXIT_OK


def offset_of(text: str) -> timedelta:
    """'+03:00' as a length of time."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes = text[1:].split(":")
    return sign * timedelta(hours=int(hours), minutes=int(minutes))


def import_file(
    connection: MySQLConnectionAbstract,
    path: Path,
    mapping: import_mapping.MappingFile,
    schema: str,
    *,
    utc_offset: timedelta,
    reject_file: Path,
    call_history: str = CALL_HISTORY,
    call_scores: str = CALL_SCORES,
    chunk: int = CHUNK,
) -> Result:
    """Load the file chunk by chunk; a killed import goes on where it stopped."""
    began = shown = time.monotonic()
    result = Result(schema=schema)
    reader = LineReader(mapping, utc_offset)
    lines = with_header(path, mapping, reader)
    try:
        create_source_tables(connection, schema, call_history=call_history, call_scores=call_scores)
        table = Table(connection, schema, call_history)
        with table.locked(), Rejects(reject_file) as rejects:
            table.check()
            batch: list[tuple[int, tuple[Any, ...]]] = []
            for number, line in lines:
                if not line.strip():
                    continue
                result.lines += 1
                try:
                    batch.append((number, reader.row(reader.fields(line))))
                except SkippedLine as skipped:
                    result.skipped[str(skipped)] += 1
                except BadLine as bad:
                    result.rejected += 1
                    rejects.add(number, str(bad))
                if len(batch) >= chunk:
                    table.add(batch, result, rejects)
                    batch = []
                if time.monotonic() - shown > PROGRESS_SEC:
                    shown = time.monotonic()
                    print(f"{result.lines} lines read, {result.inserted} calls in", file=sys.stderr)
            table.add(batch, result, rejects)
    except mysql.connector.Error as error:
        raise LmError(f"the import stopped after {result.inserted} calls: {error}") from error
    result.reject_file = str(reject_file) if result.rejected else None
    result.seconds = time.monotonic() - began
    return result


def with_header(
    path: Path, mapping: import_mapping.MappingFile, reader: LineReader
) -> Iterator[tuple[int, bytes]]:
    """The lines after the header, whose columns the reader now knows."""
    lines = numbered_lines(path)
    if mapping.columns:
        reader.set_columns(mapping.columns, path)
        return lines
    for _, line in lines:
        try:
            header = reader.fields(line.removeprefix(b"\xef\xbb\xbf"))
        except BadLine as bad:
            raise ConfigurationError(f"{path}: the header is {bad}") from None
        reader.set_columns(header, path)
        return lines
    raise ConfigurationError(f"{path} is empty")


class Table:
    """call_history as an import sees it."""

    def __init__(self, connection: MySQLConnectionAbstract, schema: str, name: str) -> None:
        self.connection = connection
        self.schema = schema
        self.name = name
        self.path = f"{quote(schema)}.{quote(name)}"
        # Lock names are short; two imports into one table must not run at once.
        digest = hashlib.sha256(self.path.encode()).hexdigest()[:24]
        self.lock_name = f"lm_import_{digest}"
        self.before = 0
        self.columns: list[str] = []

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())  # type: ignore[arg-type]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other imports out; the lock goes with the connection at the latest."""
        if self.rows("select get_lock(%s, 0)", (self.lock_name,)) != [(1,)]:
            raise LmError(f"another import into {self.schema} is running: wait for it to end")
        try:
            yield
        finally:
            with suppress(mysql.connector.Error):
                self.rows("select release_lock(%s)", (self.lock_name,))

    def check(self) -> None:
        """Refuse a table with calls of another origin: production is never written to."""
        others = self.rows(
            f"select 1 from {self.path} where entry_id < %s or entry_id > %s limit 1",
            # Hexadecimal digits follow the prefix: before "g" in every collation.
            (ENTRY_PREFIX, f"{ENTRY_PREFIX}g"),
        )
        if others:
            raise ConfigurationError(
                f"{self.schema}.{self.name} holds calls that lm import did not load: "
                "name another schema with --schema"
            )
        self.before = int(self.rows(f"select coalesce(max(history_id), 0) from {self.path}")[0][0])
        present = self.rows(
            "select lower(column_name) from information_schema.columns "
            "where table_schema = %s and table_name = %s",
            (self.schema, self.name),
        )
        self.columns = [column for column in COLUMNS if (column,) in present]

    def add(
        self, batch: list[tuple[int, tuple[Any, ...]]], result: Result, rejects: Rejects
    ) -> None:
        """Insert the calls of a chunk that are not there yet."""
        if not batch:
            return
        marks = ", ".join(["%s"] * len(batch))
        there = {
            str(entry_id): int(history_id)
            for entry_id, history_id in self.rows(
                f"select entry_id, history_id from {self.path} where entry_id in ({marks})",
                tuple(row[-1] for _, row in batch),
            )
        }
        new: dict[str, tuple[Any, ...]] = {}
        for number, row in batch:
            entry_id = row[-1]
            if entry_id in new or there.get(entry_id, 0) > self.before:
                # Loaded by this very run: two lines of the file share a key.
                result.rejected += 1
                rejects.add(number, "key: an earlier line of the file has the same one")
            elif entry_id in there:
                result.already_there += 1
                there[entry_id] = self.before + 1
            else:
                new[entry_id] = row
        chosen = [COLUMNS.index(column) for column in self.columns]
        rows = [tuple(row[i] for i in chosen) for row in new.values()]
        result.inserted += insert_rows(self.connection, self.schema, self.name, self.columns, rows)
