"""call_history as an import sees it, and lm_import, the list of what was imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.source_tables import insert_rows, quote
from python_scoring.importing.calls import COLUMNS, ENTRY_PREFIX

LEDGER = "lm_import"
# In the source's schema, beside the calls. No name of a person, no number.
LEDGER_DDL = """
create table if not exists {table} (
    import_id int unsigned not null auto_increment,
    started_at datetime not null,
    file_name varchar(255) not null,
    file_key char(32) not null,
    mapping varchar(64) not null,
    mapping_key char(32) not null,
    bytes_read bigint unsigned not null default 0,
    content_key char(64) null,
    calls_inserted int unsigned not null default 0,
    calls_corrected int unsigned not null default 0,
    lines_rejected int unsigned not null default 0,
    first_history_id int unsigned null,
    last_history_id int unsigned null,
    state varchar(16) not null,
    primary key (import_id)
) engine = InnoDB default character set utf8mb4
"""
# Begins the mapping of an import of reviews in the list.
REVIEWS = "reviews/"
KEY = COLUMNS.index("entry_id")
START = COLUMNS.index("context_start_time")
NUMBERS = (COLUMNS.index("caller_number"), COLUMNS.index("called_number"))
# What a correction may change.
COMPARED = tuple(i for i, name in enumerate(COLUMNS) if name != "entry_id")


def review_mark(import_id: int) -> str:
    """In call_success, which no model reads: which import a review is from."""
    return f"{ENTRY_PREFIX}{import_id}"


@dataclass(frozen=True)
class Earlier:
    """An earlier import of the same file by the same mapping."""

    import_id: int
    bytes_read: int
    content_key: str


class Table:
    """The source table of an import. Rows are in the order of COLUMNS."""

    def __init__(self, connection: MySQLConnectionAbstract, schema: str, name: str) -> None:
        self.connection = connection
        self.schema = schema
        self.name = name
        self.path = f"{quote(schema)}.{quote(name)}"
        self.ledger = f"{quote(schema)}.{quote(LEDGER)}"
        # Lock names are short; two imports into one table must not run at once.
        digest = hashlib.sha256(self.path.encode()).hexdigest()[:24]
        self.lock_name = f"lm_import_{digest}"
        self.before = 0
        self.columns: list[str] = []
        self.import_id = 0

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(statement, tuple(values))
            return list(cursor.fetchall()) if cursor.description else []  # type: ignore[arg-type]

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

    def exists(self, name: str) -> bool:
        return bool(self.rows(
            "select 1 from information_schema.tables where table_schema = %s and table_name = %s",
            (self.schema, name),
        ))  # fmt: skip

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

    def begin(self, file_name: str, file_key: str, mapping: str, mapping_key: str) -> None:
        """Give the import its id."""
        self.rows(LEDGER_DDL.format(table=self.ledger))
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(
                f"insert into {self.ledger} (started_at, file_name, file_key, mapping,"
                " mapping_key, state) values (%s, %s, %s, %s, %s, 'running')",
                (datetime.now().replace(microsecond=0), file_name[:255], file_key, mapping[:64],
                 mapping_key),
            )  # fmt: skip
            self.import_id = int(cursor.lastrowid or 0)

    def end(self, state: str, inserted: int, corrected: int, rejected: int, bytes_read: int,
            content_key: str | None) -> None:  # fmt: skip
        first, last = self.rows(
            f"select min(history_id), max(history_id) from {self.path} where history_id > %s",
            (self.before,),
        )[0]
        self.rows(
            f"update {self.ledger} set state = %s, calls_inserted = %s, calls_corrected = %s,"
            " lines_rejected = %s, bytes_read = %s, content_key = %s, first_history_id = %s,"
            " last_history_id = %s where import_id = %s",
            (state, inserted, corrected, rejected, bytes_read, content_key, first, last,
             self.import_id),
        )  # fmt: skip

    def earlier(self, file_key: str, mapping_key: str) -> Earlier | None:
        """The newest finished import of the file by the mapping; none after an undo."""
        if not self.exists(LEDGER):
            return None
        found = self.rows(
            f"select import_id, bytes_read, content_key from {self.ledger} where file_key = %s and"
            " mapping_key = %s and state = 'done' and lines_rejected = 0"
            " and content_key is not null"
            f" and import_id > (select coalesce(max(import_id), 0) from {self.ledger}"
            " where state = 'undone') order by import_id desc limit 1",
            (file_key, mapping_key),
        )
        if not found:
            return None
        # The list may outlive the calls, when somebody emptied their table.
        last = self.rows(
            f"select max(last_history_id) from {self.ledger} where file_key = %s"
            " and state = 'done'",
            (file_key,),
        )[0][0]
        if last is not None and not self.rows(
            f"select 1 from {self.path} where history_id = %s", (last,)
        ):
            return None
        return Earlier(*found[0])

    def there(self, keys: Sequence[str]) -> dict[str, tuple[int, tuple[Any, ...]]]:
        """history_id and row of the calls that are in the table, by their entry_id."""
        if not keys:
            return {}
        marks = ", ".join(["%s"] * len(keys))
        names = ", ".join(c if c in self.columns else f"null as {c}" for c in COLUMNS)
        return {
            str(row[KEY + 1]): (int(row[0]), row[1:])
            for row in self.rows(
                f"select history_id, {names} from {self.path} where entry_id in ({marks})", keys
            )
        }

    def insert(self, rows: list[tuple[Any, ...]]) -> int:
        chosen = [COLUMNS.index(column) for column in self.columns]
        cut = [tuple(row[i] for i in chosen) for row in rows]
        return insert_rows(self.connection, self.schema, self.name, self.columns, cut)

    def correct(self, history_id: int, row: tuple[Any, ...]) -> None:
        """Write a call anew."""
        names = [c for c in self.columns if c != "entry_id"]
        sets = ", ".join(f"{name} = %s" for name in names)
        self.rows(
            f"update {self.path} set {sets} where history_id = %s",
            (*(row[COLUMNS.index(name)] for name in names), history_id),
        )

    def same_calls(self, rows: list[tuple[Any, ...]]) -> int:
        """How many of these new calls are there under another id: same second and numbers."""
        starts = sorted({row[START] for row in rows})
        if not starts:
            return 0
        marks = ", ".join(["%s"] * len(starts))
        known = {
            tuple(row)
            for row in self.rows(
                "select context_start_time, caller_number, called_number from "
                f"{self.path} where context_start_time in ({marks})",
                starts,
            )
        }
        return sum((row[START], *(row[i] for i in NUMBERS)) in known for row in rows)

    def undo(self, import_id: int, scores: str) -> dict[str, int]:
        """Take an import's calls or reviews out again, with what hangs on them; says how many."""
        found = self.exists(LEDGER) and self.rows(
            "select state, first_history_id, last_history_id, calls_corrected, mapping"
            f" from {self.ledger} where import_id = %s",
            (import_id,),
        )
        if not found:
            raise ConfigurationError(f"no import {import_id} in {self.schema}: see lm import --log")
        state, first, last, corrected, mapping = found[0]
        if state == "undone":
            raise ConfigurationError(f"import {import_id} is undone already")
        gone = 0
        if mapping.startswith(REVIEWS):
            counts = {"reviews": self.undo_reviews(import_id, scores)}
            self.rows(f"update {self.ledger} set state = 'undone' where import_id = %s",
                      (import_id,))  # fmt: skip
            return counts
        if first is not None:
            between = "history_id between %s and %s"
            for child, _ in self.children(self.name, "history_id"):
                self.rows(f"delete from {child} where {between}", (first, last))
            if self.exists(scores):
                self.rows(
                    f"delete from {quote(self.schema)}.{quote(scores)} where {between}",
                    (first, last),
                )
            gone = int(
                self.rows(f"select count(*) from {self.path} where {between}", (first, last))[0][0]
            )
            self.rows(f"delete from {self.path} where {between}", (first, last))
        self.rows(f"update {self.ledger} set state = 'undone' where import_id = %s", (import_id,))
        return {"calls": gone, "corrected": int(corrected)}

    def undo_reviews(self, import_id: int, scores: str) -> int:
        path = f"{quote(self.schema)}.{quote(scores)}"
        mark = (review_mark(import_id),)
        chosen = f"select id from {path} where call_success = %s"
        for child, column in self.children(scores, "call_score_id"):
            self.rows(f"update {child} set {column} = null where {column} in ({chosen})", mark)
        gone = len(self.rows(chosen, mark))
        self.rows(f"delete from {path} where call_success = %s", mark)
        return gone

    def children(self, parent: str, column: str) -> list[tuple[str, str]]:
        """Tables with a foreign key to the calls or reviews, and its column: computed values."""
        return [
            (f"{quote(schema)}.{quote(table)}", quote(name))
            for schema, table, name in self.rows(
                "select distinct table_schema, table_name, column_name"
                " from information_schema.key_column_usage"
                " where referenced_table_schema = %s and referenced_table_name = %s"
                " and lower(column_name) = %s",
                (self.schema, parent, column),
            )
        ]

    def log(self) -> list[tuple[Any, ...]]:
        if not self.exists(LEDGER):
            return []
        return self.rows(
            "select import_id, started_at, file_name, mapping, calls_inserted, calls_corrected,"
            f" lines_rejected, state from {self.ledger} order by import_id"
        )
