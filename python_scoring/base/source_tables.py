"""The two source tables: their columns, their DDL and a fast way to fill them.

Production has these tables already and the project only reads them. They are
created here for the demo, the tests and `lm import`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

from mysql.connector.abstracts import MySQLConnectionAbstract

Variant = Literal["current", "old"]

CALL_HISTORY = "call_history"
CALL_SCORES = "call_scores"

# Without one of these the project cannot work and stops.
REQUIRED_COLUMNS: Mapping[str, list[str]] = {
    CALL_HISTORY: [
        "history_id",
        "context_type",
        "caller_number",
        "called_number",
        "caller_info",
        "called_info",
        "talk_duration",
        "await_sec",
        "context_start_time",
    ],
    CALL_SCORES: [
        "id",
        "history_id",
        "call_score",
        "score_date",
        "call_category",
        "is_target",
        "outcome",
    ],
}

# Older installations lack some of these; they are read as nulls then.
OPTIONAL_COLUMNS: Mapping[str, list[str]] = {
    CALL_HISTORY: [
        "duration",
        "context_start_time_dt",
        "context_status",
        "recall_status",
        "utm_source_by_number",
        "answered_extension",
        "answered_user_id",
        "created_at",
    ],
    CALL_SCORES: [
        "call_date",
        "call_type",
        "context_type",
        "talk_duration",
        "caller_info",
        "called_info",
        "utm_source_by_number",
        "number_category",
        "number_checklist",
        "category_checklist",
        "requested_service_id",
        "requested_service_name",
        "requested_doctor_speciality",
        "refusal_reason",
        "refusal_category_code",
    ],
}

# utf8mb4_unicode_ci is what production has; the embedded engine lacks it.
HISTORY_COLLATION = "utf8mb4_unicode_ci"
SCORES_COLLATION = "utf8mb4_general_ci"

# One statement stays far below the smallest default max_allowed_packet (16 MB).
MAX_PLACEHOLDERS = 60_000

CALL_HISTORY_DDL = """
create table if not exists {table} (
    history_id int unsigned not null auto_increment,
    context_type tinyint(1) null,
    caller_number varchar(255) not null,
    called_number varchar(255) not null,
    caller_info varchar(255) null,
    called_info varchar(255) null,
    talk_duration smallint unsigned null,
    await_sec smallint unsigned null,
    duration smallint unsigned null,
    context_start_time int unsigned null,
    context_start_time_dt datetime null,
    context_status tinyint(1) null,
    recall_status int unsigned null,
    utm_source_by_number mediumtext null,
    transcript longtext null,
    phrases json null,
    categories mediumtext null,
    entry_id varchar(255) not null,
    answered_extension varchar(50) null,
    answered_user_id int null,
    created_at datetime null default current_timestamp,
    updated_at datetime null default null on update current_timestamp,
    primary key (history_id),
    unique key uq_call_history_entry_id (entry_id),
    key idx_call_history_context_start_time (context_start_time),
    key idx_call_history_created_at (created_at)
) {options}
"""

CALL_SCORES_DDL = """
create table if not exists {table} (
    id int {id_sign} not null auto_increment,
    history_id int unsigned not null,
    call_score {score_type} not null,
    score_date datetime not null,
    call_date datetime null,
    call_type varchar(50) null,
    context_type varchar(255) null,
    talk_duration smallint unsigned null,
    call_success varchar(50) null,
    caller_info varchar(255) null,
    called_info varchar(255) null,
    caller_number varchar(255) null,
    called_number varchar(255) null,
    utm_source_by_number mediumtext null,
    call_category mediumtext not null,
    number_category int not null,
    number_checklist int null,
    category_checklist mediumtext null,
    is_target tinyint(1) not null default 0,
    outcome varchar(32) null,
    requested_service_id int unsigned null,
    requested_service_name varchar(255) null,
    requested_doctor_id int unsigned null,
    requested_doctor_name varchar(255) null,
    requested_doctor_speciality varchar(255) null,
    refusal_reason varchar(255) null,
    {refusal_code}transcript mediumtext null,
    result mediumtext null,
    primary key (id),
    key idx_call_scores_history_id (history_id),
    key idx_call_scores_call_date (call_date)
) {options}
"""


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def create_source_tables(
    connection: MySQLConnectionAbstract,
    schema: str,
    *,
    call_history: str = CALL_HISTORY,
    call_scores: str = CALL_SCORES,
    variant: Variant = "current",
) -> None:
    """Create the schema and the two tables where they are missing.

    The variant `old` has no refusal_category_code, a text call_score and an
    unsigned review id, as older installations do.
    """
    if variant not in ("current", "old"):
        raise ValueError(f"variant is 'current' or 'old', not {variant!r}")
    old = variant == "old"
    cursor = connection.cursor()
    cursor.execute("select 1 from information_schema.schemata where schema_name = %s", (schema,))
    if not cursor.fetchall():
        cursor.execute(f"create schema {quote(schema)} default character set utf8mb4")
    cursor.execute(
        CALL_HISTORY_DDL.format(
            table=f"{quote(schema)}.{quote(call_history)}",
            options=table_options(connection, HISTORY_COLLATION),
        )
    )
    cursor.execute(
        CALL_SCORES_DDL.format(
            table=f"{quote(schema)}.{quote(call_scores)}",
            options=table_options(connection, SCORES_COLLATION),
            id_sign="unsigned" if old else "",
            score_type="varchar(255)" if old else "float",
            refusal_code="" if old else "refusal_category_code varchar(64) null,\n    ",
        )
    )
    cursor.close()


def table_options(connection: MySQLConnectionAbstract, collation: str) -> str:
    """Engine and character set; the collation only where the server has it."""
    cursor = connection.cursor()
    cursor.execute(f"show collation like '{collation}'")
    known = cursor.fetchall()
    cursor.close()
    options = "engine = InnoDB default character set utf8mb4"
    return f"{options} collate {collation}" if known else options


def insert_rows(
    connection: MySQLConnectionAbstract,
    schema: str,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    chunk: int = 2_000,
) -> int:
    """Insert rows by many-row VALUES statements and say how many went in.

    Each statement is committed by itself, so that a long load holds no long
    lock. `rows` may be a generator: no more than a chunk is held in memory.
    """
    size = max(1, min(chunk, MAX_PLACEHOLDERS // len(columns)))
    names = ", ".join(quote(column) for column in columns)
    head = f"insert into {quote(schema)}.{quote(table)} ({names}) values "
    one_row = "(" + ", ".join(["%s"] * len(columns)) + ")"
    inserted = 0
    cursor = connection.cursor()
    for batch in batches(rows, size):
        values = [value for row in batch for value in row]
        cursor.execute(head + ", ".join([one_row] * len(batch)), values)
        connection.commit()
        inserted += len(batch)
    cursor.close()
    return inserted


def batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    """Cut a stream of rows into lists of at most `size`."""
    stream = iter(rows)
    while batch := list(islice(stream, size)):
        yield batch
