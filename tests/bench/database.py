"""A database of the benchmark: its own schema, dbt and `lm` as processes on it, and the copies of
its tables that give every time a measure."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from mysql.connector.abstracts import MySQLConnectionAbstract
from servers import clean_environment, server_settings

from python_scoring.base import dbt_runner, engine, profile

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """A process that has ended: seconds, the most memory it held in MB, seconds by dbt's model."""

    seconds: float
    memory_mb: int
    models: dict[str, float] = field(default_factory=dict)

    @property
    def models_seconds(self) -> float:
        return sum(self.models.values())


@dataclass(frozen=True)
class Database:
    name: str
    schema: str
    folder: Path
    settings: Mapping[str, str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment() | {
            **self.settings,
            "LM_SCHEMA": self.schema,
            "LM_CALLER_SALT": "bench",
            "LM_MODEL_DIR": str(self.folder / "models"),
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_PROJECT_DIR": str(ROOT),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }

    def target(self) -> profile.Target:
        with mock.patch.dict(os.environ, self.environment, clear=True):
            return profile.load(self.name)

    @contextlib.contextmanager
    def connected(self) -> Iterator[MySQLConnectionAbstract]:
        with contextlib.closing(profile.connect(self.target(), self.schema)) as connection:
            if self.name == "embedded":
                # Its statements end after ten seconds otherwise.
                run(connection, "set ob_query_timeout = 7200000000")
                run(connection, "set ob_trx_timeout = 86400000000")
            yield connection

    def dbt(self, *words: str, as_of: datetime, log: str) -> Done:
        """`dbt WORDS`, with the seconds of each model."""
        command = dbt_runner.command(self.target(), words, {"as_of": str(as_of)}, verbose=True)
        done = self._process(command, log)
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        models = {r["unique_id"].split(".")[-1]: r["execution_time"] for r in results}
        return Done(done.seconds, done.memory_mb, models)

    def lm(self, *words: str, as_of: datetime, log: str) -> Done:
        command = [sys.executable, "-m", "python_scoring", *words, "--target", self.name]
        return self._process([*command, "--vars", json.dumps({"as_of": str(as_of)})], log)

    def _process(self, command: Sequence[str], log: str) -> Done:
        started = time.monotonic()
        path = self.folder / f"{log}.log"
        with path.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | dbt_runner.SETTINGS,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            memory = 0
            while process.poll() is None:
                memory = most_memory(process.pid) or memory
                time.sleep(0.05)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{path.read_text()[-3000:]}")
        return Done(time.monotonic() - started, memory)


def most_memory(pid: int) -> int:
    """The most that a process has held so far, in MB; 0 where the system does not tell."""
    # Not what wait4 tells: to that the memory of the process that started it counts too.
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):
            return int(found[1]) // 1024
    return 0


@contextlib.contextmanager
def database(name: str, schema: str) -> Iterator[Database]:
    """A server of the environment, or an embedded engine of its own; the schema is dropped."""
    # A Unix socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="lm-bench-") as place:
        folder = Path(place)
        shutil.copyfile(ROOT / profile.EXAMPLE, folder / "profiles.yml")
        if name == "embedded":
            engine.start(folder / "e")
            settings = {"LM_SOCKET": str(engine.socket_of(folder / "e"))}
        else:
            settings = server_settings(name)
        here = Database(name, schema, folder, settings)
        try:
            with contextlib.closing(profile.connect(here.target())) as connection:
                run(connection, f"drop database if exists `{schema}`")
                run(connection, f"create database `{schema}` default character set utf8mb4")
            yield here
            with contextlib.closing(profile.connect(here.target())) as connection:
                run(connection, f"drop database if exists `{schema}`")
        finally:
            if name == "embedded":
                engine.stop(folder / "e")


def run(connection: MySQLConnectionAbstract, statement: str) -> list[Any]:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def seconds_of(connection: MySQLConnectionAbstract, statement: str) -> float:
    started = time.monotonic()
    run(connection, statement)
    return time.monotonic() - started


@contextlib.contextmanager
def empty_copy(connection: MySQLConnectionAbstract, table: str) -> Iterator[str]:
    """An empty table of the same DDL, foreign keys too."""
    copy = f"{table}_copy"
    ddl = run(connection, f"show create table {table}")[0][1]
    ddl = ddl.replace(f"`{table}`", f"`{copy}`", 1)
    ddl = re.sub(r"CONSTRAINT `(\w+)`", r"CONSTRAINT `\1_copy`", ddl)
    # The embedded engine prints options of its own after the columns that it does not take back.
    # Of the others' the collation counts: MariaDB writes it nowhere else.
    columns, _, options = ddl.rpartition("\n)")
    collation = re.search(r"COLLATE ?= ?\w+", options)
    if "PARTITION" not in options:
        ddl = f"{columns}\n) {collation[0] if collation else ''}"
    run(connection, f"drop table if exists {copy}")
    run(connection, ddl)
    yield copy
    run(connection, f"drop table {copy}")


def plain_copy(connection: MySQLConnectionAbstract, table: str) -> float:
    """Seconds of `insert ... select` of all rows into an empty table of the same DDL."""
    with empty_copy(connection, table) as copy:
        return seconds_of(connection, f"insert into {copy} select * from {table}")
