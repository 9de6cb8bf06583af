"""A run as the neighbour of those who write the sources: it locks none of their rows, and nobody
waits behind it for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import mysql.connector
import pytest
from conftest import TestTarget, administrator
from pipeline_cases import (
    BUILD,
    RULE_METRICS,
    clinic,
    execute,
    fill,
    own_schema,
    read,
    run,
    running,
    skip_unless,
    wait_for,
)

from python_scoring.base.database import Probe
from python_scoring.base.watermarks import Watermarks, prepare_session, writing_values

KEYS = ("fk_lm_value_call_history", "fk_lm_value_call_scores")
PARENTS = {"call_history": "history_id", "call_scores": "id"}
SERVERS = ("mysql", "mariadb")
# Beyond the second for which a key's making may wait: what a busy machine adds.
LONGEST_WAIT_SECONDS = 2.0


@pytest.fixture(scope="module")
def built(target: TestTarget) -> Iterator[TestTarget]:
    skip_unless(target, *SERVERS)
    with own_schema(target, "near") as here:
        fill(here, clinic())
        run(here, *BUILD)
        yield here


def foreign_keys(here: TestTarget) -> set[str]:
    rows = here.rows(
        "select lower(constraint_name) from information_schema.table_constraints where"
        " table_schema = %s and table_name = 'lm_value' and constraint_type = 'FOREIGN KEY'",
        (here.schema,),
    )
    return {name for (name,) in rows}


@contextmanager
def transaction(here: TestTarget, *statements: str) -> Iterator[None]:
    """A transaction that has done the statements and stays open."""
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in ("start transaction", *statements):
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
        yield
        cursor.execute("rollback")


def uncommitted_values(here: TestTarget) -> int:
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("set session transaction isolation level read uncommitted")
        cursor.execute("select count(*) from lm_value")
        (found,) = cursor.fetchone() or (0,)
        return int(found)


def locked_parents(here: TestTarget) -> list[str]:
    """What stands in the way of whoever edits or deletes any row of the sources now."""
    found = []
    for table, key in PARENTS.items():
        with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("start transaction")
            try:
                cursor.execute(f"select {key} from {table} for update nowait")
                assert cursor.fetchall()
            except mysql.connector.Error as error:
                found.append(f"{table}: {error}")
            cursor.execute("rollback")
    if here.name == "mysql":
        found += [
            f"{table}: {mode} on {row}"
            for table, mode, row in administrator(here).rows(
                "select object_name, lock_mode, lock_data from performance_schema.data_locks"
                " where object_schema = %s and lock_type = 'RECORD'"
                " and object_name in ('call_history', 'call_scores') limit 5",
                (here.schema,),
            )
        ]
    return found


def test_a_batch_of_values_locks_no_row_of_the_sources(built: TestTarget) -> None:
    """The batch is held up at its end, all its values written and not committed."""
    rows = len(clinic().history) * len(RULE_METRICS)
    assert foreign_keys(built) == set(KEYS)
    execute(built, f"delete from `{built.schema}`.lm_value")
    with running(built, "run", "--full-refresh", "--select", "lm_value") as process:
        with transaction(built, "update lm_value_changes set rule_change_id = rule_change_id + 1"):
            assert wait_for(lambda: uncommitted_values(built) == rows, process)
            assert built.rows("select count(*) from lm_value") == [(0,)], "not committed yet"
            assert locked_parents(built) == []
        assert process.wait(60) == 0
    assert built.rows("select count(*) from lm_value") == [(rows,)]
    # And the keys still hold.
    with pytest.raises(mysql.connector.Error, match=r"(?i)foreign key"):
        execute(built, f"delete from `{built.schema}`.call_history limit 1")


def test_nor_does_the_scoring(built: TestTarget) -> None:
    target = built.load()
    with closing(built.connect()) as connection:
        probe = Probe(connection)
        prepare_session(probe, target)
        with pytest.raises(StopIteration), writing_values(Watermarks(probe, target, "test")):
            probe.do(
                "insert into lm_value (history_id, call_score_id, metric_code, metric_group,"
                " lm_version, calc_method) select history_id, call_score_id, 'test', 'forecast',"
                " 'test', 'test' from fct_call"
            )
            assert locked_parents(built) == []
            raise StopIteration


@dataclass
class Waits:
    """Seconds that each edit of a call took."""

    seconds: list[float] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


@contextmanager
def edits(here: TestTarget, most: float = 60) -> Iterator[Waits]:
    """Edits of calls, fifty a second, from another connection."""
    waits, stop = Waits(), threading.Event()
    # Made here: the environment, which tells where to, is the whole process's.
    connection = here.connect()

    def work() -> None:
        try:
            with closing(connection), closing(connection.cursor()) as cursor:
                end = time.monotonic() + most
                number = 0
                while not stop.wait(0.02) and time.monotonic() < end:
                    number += 1
                    started = time.monotonic()
                    cursor.execute(
                        "update call_history set recall_status = %s where history_id = %s",
                        (number, 1 + number % len(clinic().history)),
                    )
                    waits.seconds.append(time.monotonic() - started)
        except BaseException as error:
            waits.errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()
    assert not waits.errors, waits.errors


def test_keys_are_made_without_a_queue_behind_them(built: TestTarget) -> None:
    """A long transaction has read the sources, and a key can't be made before its end."""
    for key in KEYS:
        execute(built, f"alter table `{built.schema}`.lm_value drop foreign key {key}")
    reads = [f"select count(*) from {table}" for table in PARENTS]
    with transaction(built, *reads), edits(built) as waits:
        done = run(built, "run", "--select", "lm_value")
    assert len(waits.seconds) > 50 and max(waits.seconds) < LONGEST_WAIT_SECONDS
    # MariaDB makes the key beside the reader.
    if built.name == "mysql":
        assert foreign_keys(built) == set()
        assert "the next run tries again" in done.stdout
    with edits(built) as waits:
        done = run(built, "run", "--select", "lm_value")
    assert max(waits.seconds) < LONGEST_WAIT_SECONDS
    assert foreign_keys(built) == set(KEYS) and "tries again" not in done.stdout


def test_keys_are_dropped_on_request(built: TestTarget) -> None:
    run(built, "run", "--select", "lm_value", lm_foreign_keys=False)
    assert foreign_keys(built) == set()
    run(built, "run", "--select", "lm_value")
    assert foreign_keys(built) == set(KEYS)


def test_a_call_deleted_before_its_values_stops_nothing(built: TestTarget) -> None:
    """It is there for the models that read the source, and gone when its values are written."""
    (call,) = built.rows("select max(history_id) from call_history")[0]
    for table in ("lm_value", "call_scores", "call_history"):
        execute(built, f"delete from `{built.schema}`.{table} where history_id = {call}")
    done: Any = run(built, "run", "--full-refresh", "--select", "lm_value", check=False)
    assert done.returncode == 0, done.stdout
    assert (call,) in read(built, "fct_call")
    run(built, "run", lm_sweep=True)
    assert (call,) not in read(built, "fct_call")
    assert {key[0] for key in read(built, "lm_value")} == {
        key[0] for key in read(built, "call_history")
    }
