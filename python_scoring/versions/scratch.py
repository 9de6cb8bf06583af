"""A schema beside the published one in which the changed project computes its values."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import mysql.connector
import yaml

from python_scoring.base import caller_salt, dbt_runner, yaml_text
from python_scoring.base.database import Probe, quoted
from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.profile import PROFILE, Target

# In every scratch schema: what else is in it may be dropped.
MARK = "lm_compare_scratch"
# dbt's files apart from the nightly run's, which may be at work.
TARGET_FOLDER = "target/compare"
# Calls, and the constants learnt from them: as published, unless the whole chain is asked for.
OF_CALLS = ("int_name_sightings", "int_operators", "int_calls", "fct_call")
LEARNT = ("int_week_facts", "int_known_facts", "lm_reference", "int_review_batches")
# Of those, what lm_value reads.
READ = ("fct_call", "lm_reference", "int_review_batches")

# Its callers' keys are emptied with it: no salt of theirs is to be kept.
SALT = secrets.token_hex(32)


@contextlib.contextmanager
def scratch_schema(probe: Probe, target: Target, name: str) -> Iterator[Target]:
    """The target with the empty schema `name`, which is left as it was found: empty or not there.

    ConfigurationError where the schema holds anything else or may not be made.
    """
    if name in (target.schema, target.source_schema):
        raise ConfigurationError(f"--scratch {name}: that is the published schema or the sources'")
    exists = bool(
        probe.rows("select 1 from information_schema.schemata where schema_name = %s", (name,))
    )
    try:
        if exists:
            _empty(probe, name)
        else:
            probe.do(f"create database {quoted(name)} default character set utf8mb4")
        probe.do(f"create table {quoted(name, MARK)} (id int primary key)")
    except mysql.connector.Error as error:
        raise ConfigurationError(
            f"the comparison needs a scratch schema: {error.msg}. Let {target.user} have it:"
            f" `create database {quoted(name)}` and `grant all privileges on {quoted(name)}.* to"
            f" {target.user}`, or name another with --scratch"
        ) from error
    try:
        yield replace(target, schema=name)
    finally:
        if exists:
            _empty(probe, name)
        else:
            probe.do(f"drop database if exists {quoted(name)}")


def _empty(probe: Probe, name: str) -> None:
    """Drop what a comparison made, the mark last."""
    found = dict(
        probe.rows(
            "select table_name, table_type from information_schema.tables where table_schema = %s",
            (name,),
        )
    )
    if found and MARK not in found:
        raise ConfigurationError(
            f"the schema {name} holds tables that no comparison made: name another with --scratch"
        )
    for table in sorted(found, key=lambda table: table == MARK):
        kind = "view" if "VIEW" in found[table].upper() else "table"
        probe.do(f"drop {kind} {quoted(name, table)}")


def take_over(
    probe: Probe, published: Target, scratch: Target, first_day: date, last_day: date
) -> None:
    """Views on the published calls of these days, and on the constants they were judged by."""
    for name in READ:
        where = (
            f" where call_date between '{first_day}' and '{last_day}'" if name == "fct_call" else ""
        )
        probe.do(
            f"create view {quoted(scratch.schema, name)} as"
            f" select * from {quoted(published.schema, name)}{where}"
        )


@contextlib.contextmanager
def project_in(scratch: Target) -> Iterator[Target]:
    """The target with a profile whose schema is the scratch one, one comparison at a time."""
    folder = dbt_folder(scratch)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / ".one_at_a_time").open("w") as lock,
        tempfile.TemporaryDirectory(prefix="lm-compare-") as profiles,
    ):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LmError("another comparison runs in this project: wait for its end") from error
        # As it is written: what the environment fills is still filled by dbt.
        path = scratch.profiles_dir / "profiles.yml"
        content = yaml_text.load_file(path)
        content[PROFILE]["outputs"][scratch.name]["schema"] = scratch.schema
        copy = Path(profiles) / "profiles.yml"
        copy.touch(mode=0o600)
        copy.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        yield replace(scratch, profiles_dir=copy.parent)


def dbt_folder(target: Target) -> Path:
    return target.project_dir / os.environ.get("DBT_TARGET_PATH", TARGET_FOLDER)


def build(here: Target, variables: Mapping[str, Any], *, whole: bool, verbose: bool) -> None:
    """Load the project's seeds and compute lm_value; with `whole`, all it stands on too."""
    words = [
        "build",
        "--resource-type",
        "seed",
        "--resource-type",
        "model",
        "--select",
        "+lm_value",
    ]
    if not whole:
        words += ["--exclude", "path:models/staging", *OF_CALLS, *LEARNT]
    dbt(here, words, variables, verbose=verbose)


def dbt(
    here: Target, words: list[str], variables: Mapping[str, Any], *, verbose: bool = False
) -> None:
    is_done = dbt_runner.run(
        here,
        words,
        variables=variables,
        environment={
            "DBT_TARGET_PATH": str(dbt_folder(here)),
            caller_salt.VARIABLE: os.environ.get(caller_salt.VARIABLE) or SALT,
        },
        verbose=verbose,
    )
    if not is_done:
        raise LmError(f"dbt {words[0]} in {here.schema} failed: the messages above say why")
