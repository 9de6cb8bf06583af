"""Checks of rights, by doing what the models do to tables that are dropped again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import mysql.connector
from mysql.connector import errorcode

from python_scoring.base import faults
from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.doctor.findings import Finding, fail, ok, warn

PROBE = "lm_doctor_probe"
KEYS = {"call_history": "history_id", "call_scores": "id"}
# A foreign key locks its parent for a moment. Behind a long transaction it must give up soon,
# or the production table's other users would queue up behind it.
LOCK_WAIT_SECONDS = 3
# Faults of the server itself are no matter of rights.
UNGRANTED = (faults.DENIED, faults.MISSING, faults.OTHER)


def check_target_schema(target: Target, probe: Probe) -> Iterator[Finding]:
    """Every kind of statement that dbt and the models send to the target schema."""
    table, moved, view = (quoted(target.schema, PROBE + end) for end in ("", "_2", "_view"))
    steps = (
        ("create", f"create table {table} (id int primary key, note varchar(10))"),
        ("insert", f"insert into {table} values (1, 'a')"),
        ("update", f"update {table} set note = 'b'"),
        ("select", f"select id from {table}"),
        ("index", f"create index idx_{PROBE} on {table} (note)"),
        ("create view", f"create view {view} as select id from {table}"),
        ("drop", f"drop view {view}"),
        ("alter", f"alter table {table} rename to {moved}"),
        ("delete", f"delete from {moved}"),
        ("drop", f"drop table {moved}"),
    )
    right = "create database"
    try:
        with _target_schema(target, probe) as state:
            for name, statement in steps:
                right = name
                probe.do(statement)
    except mysql.connector.Error as error:
        fault = faults.kind_of(error)
        grant = f"grant all privileges on {quoted(target.schema)}.* to {target.user}"
        yield fail(
            "target schema",
            f"{right} on {target.schema} failed: {error}",
            f"{grant}, or set LM_SCHEMA" if fault in UNGRANTED else fault.todo,
        )
    else:
        yield ok("target schema", f"{target.schema} {state}; tables, indexes and views work")


def check_references(target: Target, probe: Probe) -> Iterator[Finding]:
    """A foreign key to each source table, made and dropped."""
    if not target.vars.get("lm_foreign_keys", True):
        yield ok("foreign keys", "switched off by lm_foreign_keys")
        return
    if int(target.vars.get("lm_partitions", 0)):
        yield ok("foreign keys", "none: lm_partitions is set, and partitioned tables have none")
        return
    for name, key in KEYS.items():
        yield from _check_reference(target, probe, name, key)


def _check_reference(target: Target, probe: Probe, name: str, key: str) -> Iterator[Finding]:
    check = f"foreign key to {name}"
    parent = quoted(target.source_schema, target.source_table(name))
    kinds = probe.rows(
        "select column_type from information_schema.columns"
        " where table_schema = %s and table_name = %s and column_name = %s",
        (target.source_schema, target.source_table(name), key),
    )
    if not kinds:
        return  # the table or its key is missing: said already
    child = quoted(target.schema, f"{PROBE}_fk")
    off = "or set lm_foreign_keys to false"
    try:
        with _target_schema(target, probe):
            probe.do(f"set lock_wait_timeout = {LOCK_WAIT_SECONDS}")
            probe.do(
                f"create table {child} (parent_id {kinds[0][0]} null, constraint"
                f" fk_{PROBE}_{name} foreign key (parent_id) references {parent} ({key}))"
            )
        yield ok(check, f"{parent} can be referred to")
    except mysql.connector.Error as error:
        if error.errno == errorcode.ER_LOCK_WAIT_TIMEOUT:
            yield warn(check, "not tried: the table is locked", "try again later")
        elif error.errno in (
            errorcode.ER_TABLEACCESS_DENIED_ERROR,
            errorcode.ER_COLUMNACCESS_DENIED_ERROR,
        ):
            yield fail(
                check,
                str(error),
                f"grant references on {parent} to {target.user}, {off} (on MariaDB the only way for"
                " an account with rights on single columns)",
            )
        elif (fault := faults.kind_of(error)) not in UNGRANTED:
            yield fail(check, str(error), fault.todo)
        else:
            yield fail(check, str(error), f"the table must be InnoDB with a key on {key}, {off}")


@contextlib.contextmanager
def _target_schema(target: Target, probe: Probe) -> Iterator[str]:
    """The target schema without probe tables, before and after; made for the while if need be."""
    schema = quoted(target.schema)
    exists = probe.rows(
        "select 1 from information_schema.schemata where schema_name = %s", (target.schema,)
    )
    if not exists:
        probe.do(f"create database {schema}")
    try:
        _drop_probes(target, probe)
        yield "is there" if exists else "can be created"
    finally:
        with contextlib.suppress(mysql.connector.Error):
            _drop_probes(target, probe)
        if not exists:
            probe.do(f"drop database {schema}")


def _drop_probes(target: Target, probe: Probe) -> None:
    """Ours, and what a check that was interrupted may have left."""
    present = probe.rows(
        "select table_name, table_type from information_schema.tables"
        " where table_schema = %s and table_name like %s",
        (target.schema, PROBE.replace("_", "\\_") + "%"),
    )
    for name, kind in present:
        word = "view" if kind.upper() == "VIEW" else "table"
        probe.do(f"drop {word} {quoted(target.schema, name)}")
