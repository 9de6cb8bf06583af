"""What the tests of the pipeline share: a small clinic, schemas of their own, tables read whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestTarget
from oracle_data import Source, simulated_source
from oracle_seeds import read_seed

from python_scoring.base import dbt_runner, profile
from python_scoring.base.source_tables import create_source_tables, insert_rows

START = date(2025, 9, 1)
DAYS = 14
END = datetime(2025, 9, 15)
# Days after the last call: the early calls' follow-ups have expired, the late ones' are open.
NOW = datetime(2025, 9, 18)
SALT = "pepper-that-is-nowhere"
# Marks the other side's name in the sources: no table of ours may hold it.
PATIENT = "Зинаида Пациентова"

# What dbt writes for every call, by group; python_scoring adds the forecast metrics.
RULE_METRICS = {
    row["metric_code"]: row["metric_group"]
    for row in read_seed(ROOT / "seeds", "lm_metric_dictionary")
    if row["metric_group"] != "forecast"
}
KEYS = {
    "call_history": ("history_id",),
    "call_scores": ("id",),
    "int_calls": ("history_id",),
    "fct_call": ("history_id",),
    "lm_reference": ("constant_code", "constant_key", "as_of_date"),
    "int_known_facts": ("as_of_date", "fact", "key_1", "key_2", "key_3"),
    "int_week_facts": ("week_start_date", "known_week", "fact", "key_1", "key_2", "key_3"),
    "int_review_batches": ("review_date",),
    "lm_value": ("history_id", "metric_code"),
    "lm_daily_stats": ("stat_date", "dimension", "dimension_value", "metric_code"),
    "lm_daily_facts": ("stat_date", "dimension", "dimension_value"),
}
# How a row came to be, not what it says.
HISTORY_OF_ROW = {
    "id",
    "created_at",
    "updated_at",
    "calc_source",
    "change_id",
    "previous_call_date",
    "previous_contact_key",
    "previous_review_date",
    "previous_week_start_date",
    "previous_next_call_at",
    "own_change_id",
}

Row = dict[str, Any]
Table = dict[tuple[Any, ...], Row]


@lru_cache(maxsize=1)
def clinic() -> Source:
    """Some 450 calls of 14 days and their reviews, late and repeated ones among them."""
    source = simulated_source(DAYS, START, seed=5)
    outside = {1: "caller_info", 2: "called_info"}
    history = [
        {**row, outside[row["context_type"]]: f"{PATIENT} {row['history_id']}"}
        if row["context_type"] in outside
        else row
        for row in source.history
    ]
    return Source([*history, missed_on_the_last_day(history)], source.scores)


def missed_on_the_last_day(history: list[Row]) -> Row:
    """Nobody has talked to this caller, and at the end of the data there still is time to."""
    start = END - timedelta(hours=6)
    return {
        **dict.fromkeys(history[0]),
        "history_id": max(row["history_id"] for row in history) + 1,
        "context_type": 1,
        "caller_number": "+79990001122",
        "called_number": "70020000002",
        "talk_duration": 0,
        "await_sec": 40,
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "context_start_time_dt": moment(start),
        "context_status": 0,
        "entry_id": "missed-on-the-last-day",
        "created_at": moment(start + timedelta(minutes=1)),
    }


def until(source: Source, end: datetime, start: datetime = datetime.min) -> Source:
    """What the sources got after `start` and up to `end`."""

    def within(value: Any) -> bool:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return start < moment <= end

    return Source(
        [row for row in source.history if within(row["created_at"])],
        [row for row in source.scores if within(row["score_date"])],
    )


@dataclass(frozen=True)
class CopiedProject(TestTarget):
    """A target whose dbt project is a copy, so that a test can change its files."""

    __test__ = False

    project: Path = field(default=ROOT)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"DBT_PROJECT_DIR": str(self.project)}


@contextmanager
def own_schema(
    target: TestTarget, name: str, *, salt: str = SALT, charset: str = "utf8mb4"
) -> Iterator[TestTarget]:
    """The target with an empty schema and a folder of dbt's files of its own."""
    schema = f"{target.schema[:45]}_{name}"
    folder = own_folder(target, name)
    settings = {**target.settings, **({"LM_CALLER_SALT": salt} if salt else {})}
    here = replace(target, schema=schema, folder=folder, settings=settings)
    with own_database(target, schema, charset):
        yield here


@contextmanager
def own_database(target: TestTarget, schema: str, charset: str = "utf8mb4") -> Iterator[str]:
    execute(target, f"drop database if exists `{schema}`")
    execute(target, f"create database `{schema}` default character set {charset}")
    try:
        yield schema
    finally:
        execute(target, f"drop database if exists `{schema}`")


def own_folder(target: TestTarget, name: str) -> Path:
    """Beside the target's: a profile, and the place of dbt's target/ and logs/."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=target.folder))
    shutil.copyfile(target.folder / "profiles.yml", folder / "profiles.yml")
    return folder


def execute(target: TestTarget, *statements: str | tuple[str, tuple[Any, ...]]) -> None:
    """Statements on one connection, which need not find the target's schema."""
    with closing(profile.connect(target.load())) as connection:
        cursor = connection.cursor()
        for statement in statements:
            words, values = statement if isinstance(statement, tuple) else (statement, ())
            cursor.execute(words, values)


def fill(target: TestTarget, source: Source, schema: str = "", **options: Any) -> None:
    """Create the source tables where they are missing and insert the rows."""
    schema = schema or target.schema
    with closing(target.connect()) as connection:
        create_source_tables(connection, schema, **options)
        names = [options.get(name, name) for name in ("call_history", "call_scores")]
        for table, rows in zip(names, (source.history, source.scores), strict=True):
            if rows:
                columns = list(rows[0])
                insert_rows(connection, schema, table, columns, (list(r.values()) for r in rows))


def copy_seeds(source: TestTarget, to: TestTarget) -> None:
    """The seeds of another schema: a fraction of the time of `dbt seed`."""
    seeds = sorted(path.stem for path in (ROOT / "seeds").glob("*.csv"))
    for seed in seeds:
        execute(
            to,
            f"create table `{to.schema}`.{seed} like `{source.schema}`.{seed}",
            f"insert into `{to.schema}`.{seed} select * from `{source.schema}`.{seed}",
        )


def moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"


# Seeds and models in one run of dbt: it reads the whole project anew for every schema and --vars.
BUILD = ("build", "--resource-type", "seed", "--resource-type", "model")


def run(
    target: TestTarget, *words: str, as_of: datetime = NOW, check: bool = True, **variables: Any
) -> subprocess.CompletedProcess[str]:
    """`dbt run`, or the dbt command in `words`, at the moment `as_of`."""
    variables = {"as_of": moment(as_of), **variables}
    return target.dbt(*(words or ("run",)), vars=variables, check=check)


def build_clinic(target: TestTarget) -> None:
    """The small clinic's calls, the seeds and every model, at the moment NOW."""
    fill(target, clinic())
    run(target, *BUILD)


@contextmanager
def running(
    target: TestTarget, *words: str, as_of: datetime = NOW, **variables: Any
) -> Iterator[subprocess.Popen[str]]:
    """A dbt process in the background, killed at the end if it still runs."""
    log = (target.folder / "output.txt").open("w+")
    process = subprocess.Popen(
        dbt_runner.command(
            target.load(), words, {"as_of": moment(as_of), **variables}, verbose=True
        ),
        cwd=ROOT,
        env=target.environment | dbt_runner.SETTINGS,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)
        log.close()


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, the process's children too."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def output(target: TestTarget) -> str:
    return (target.folder / "output.txt").read_text()


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str], seconds: int = 120) -> bool:
    """Whether it came true while the process ran."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if what():
            return True
        time.sleep(0.02)
    return False


def read(target: TestTarget, table: str) -> Table:
    """All rows and columns of a table, by its key; JSON is compared by what it says."""
    with (
        closing(target.connect()) as connection,
        closing(connection.cursor(dictionary=True)) as cursor,
    ):
        cursor.execute(f"select * from `{target.schema}`.{table}")
        rows = [{name: plain(name, value) for name, value in r.items()} for r in cursor.fetchall()]
    return {tuple(row[name] for name in KEYS[table]): row for row in rows}


def plain(name: str, value: Any) -> Any:
    value = value.decode() if isinstance(value, bytes | bytearray) else value
    return json.loads(value) if name == "value_json" and value is not None else value


def meaning(table: Table, *without: str) -> Table:
    """The rows without how they came to be."""
    return {
        key: {n: v for n, v in row.items() if n not in HISTORY_OF_ROW and n not in without}
        for key, row in table.items()
    }


def unlike(before: Table, after: Table) -> dict[tuple[Any, ...], list[str]]:
    """Keys of the rows that differ, with the columns; 'new' or 'gone' for a whole row."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for key in before.keys() | after.keys():
        if key not in before or key not in after:
            found[key] = ["new" if key in after else "gone"]
        elif before[key] != after[key]:
            found[key] = [n for n in after[key] if before[key].get(n) != after[key][n]]
    return found


def report(before: Table, after: Table, most: int = 5) -> str:
    """What differs, for the message of a failed test."""
    found = unlike(before, after)
    lines = [f"{len(found)} rows differ of {len(before)} and {len(after)}"]
    for key in sorted(found, key=str)[:most]:
        old, new = before.get(key, {}), after.get(key, {})
        lines.append(
            f"{key}: " + "; ".join(f"{n}: {old.get(n)} | {new.get(n)}" for n in found[key])
        )
    return "\n".join(lines)


def assert_same(before: Table, after: Table) -> None:
    assert not unlike(before, after), report(before, after)


def history_ids(keys: Iterable[tuple[Any, ...]]) -> set[int]:
    return {key[0] for key in keys}


def by_caller(calls: Table) -> dict[str, list[int]]:
    """Calls of each known caller, in order of time."""
    found: dict[str, list[int]] = {}
    for (history_id,), row in sorted(calls.items(), key=lambda pair: pair[1]["start_epoch"] or 0):
        if row["caller_key"]:
            found.setdefault(row["caller_key"], []).append(history_id)
    return found


def insert(target: TestTarget, table: str, row: Mapping[str, Any], schema: str = "") -> None:
    names = ", ".join(f"`{name}`" for name in row)
    marks = ", ".join(["%s"] * len(row))
    execute(
        target,
        (
            f"insert into `{schema or target.schema}`.{table} ({names}) values ({marks})",
            tuple(row.values()),
        ),
    )


def a_review(review_id: int, history_id: int, made: datetime, **changes: Any) -> Row:
    return {
        "id": review_id,
        "history_id": history_id,
        "call_score": 5.5,
        "score_date": moment(made),
        "call_type": "принятый",
        "call_category": "Лид (без записи)",
        "number_category": 2,
        "is_target": 1,
        "outcome": "lead_no_record",
        "number_checklist": 4,
        "category_checklist": "Лид",
        **changes,
    }


def newest(target: TestTarget, table: str) -> int:
    return target.rows(f"select coalesce(max({KEYS[table][0]}), 0) from {table}")[0][0]


def text(value: Any) -> str:
    """A text as the servers give it: some columns of their own come as bytes."""
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


def texts(target: TestTarget, tables: Iterable[str]) -> dict[str, str]:
    """Each text column of each table or view, its distinct values in one text.

    A view is read once for all of its columns: some take seconds.
    """
    columns: dict[str, list[str]] = {}
    for table, column in target.rows(
        "select table_name, column_name from information_schema.columns where table_schema = %s"
        " and (data_type like '%char%' or data_type like '%text%' or data_type = 'json')",
        (target.schema,),
    ):
        columns.setdefault(plain("", table), []).append(plain("", column))
    found = {}
    with closing(target.connect()) as connection, closing(connection.cursor()) as cursor:
        for table in set(tables) & set(columns):
            names = columns[table]
            cursor.execute(f"select {', '.join(f'`{name}`' for name in names)} from `{table}`")
            rows = cursor.fetchall()
            for place, name in enumerate(names):
                values = {str(plain("", row[place])) for row in rows}
                found[f"{table}.{name}"] = "\n".join(values)
    return found


def relations(target: TestTarget, *without: str) -> list[str]:
    names = target.rows(
        "select table_name from information_schema.tables where table_schema = %s", (target.schema,)
    )
    return sorted({plain("", name) for (name,) in names} - set(without))


def skip_unless(target: TestTarget, *names: str) -> None:
    if target.name not in names:
        pytest.skip(f"not on {target.name}")
