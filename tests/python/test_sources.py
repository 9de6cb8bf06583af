"""Installations that differ: other names and schemas, older tables, other zones, few calls."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import mysql.connector
import pytest
from conftest import TestTarget, administrator
from guide_cases import README, blocks
from oracle_data import Source
from pipeline_cases import (
    DAYS,
    KEYS,
    NOW,
    RULE_METRICS,
    Row,
    Table,
    a_review,
    assert_same,
    by_caller,
    clinic,
    copy_seeds,
    execute,
    fill,
    insert,
    meaning,
    moment,
    own_database,
    own_schema,
    read,
    relations,
    run,
    skip_unless,
    text,
    texts,
)
from servers import clean_environment

from python_scoring.base import dbt_runner
from python_scoring.base.source_tables import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

FIRST = min(row["history_id"] for row in clinic().history)


@dataclass(frozen=True)
class Elsewhere:
    """An older installation with its tables under other names in a schema of their own."""

    target: TestTarget
    # The same as an account with all rights: the runs' own may do what the README grants.
    admin: TestTarget
    sources: str
    variables: dict[str, Any]
    tables: dict[str, Table]


@pytest.fixture(scope="module")
def elsewhere(target: TestTarget) -> Iterator[Elsewhere]:
    # The embedded engine has no other charset.
    charset = "utf8mb4" if target.name == "embedded" else "latin1"
    sources = f"{target.schema[:45]}_pbx"
    names = {"call_history": "pbx_calls", "call_scores": "pbx_reviews"}
    variables = {
        "source_schema": sources,
        "call_history_identifier": names["call_history"],
        "call_scores_identifier": names["call_scores"],
    }
    if target.name == "mariadb":
        # It makes no keys for an account with rights on single columns: see the README.
        variables["lm_foreign_keys"] = False
    source = clinic()
    older = [
        {name: value for name, value in row.items() if name != "refusal_category_code"}
        for row in source.scores
    ]
    with (
        own_database(target, sources),
        own_schema(target, "else", salt="", charset=charset) as here,
    ):
        fill(here, Source(source.history, older), sources, variant="old", **names)
        # What is to be read by nobody.
        execute(here, f"update `{sources}`.pbx_calls set transcript = 'Болит зуб'")
        with account_of_the_runs(here, sources, names) as mine:
            run(mine, *dbt_runner.BUILD, **variables)
            tables = {name: read(mine, name) for name in ("fct_call", "lm_value")}
            yield Elsewhere(mine, here, sources, variables, tables)
        # The keys would hold the sources' schema.
        execute(here, f"drop database if exists `{here.schema}`")


@contextmanager
def account_of_the_runs(
    here: TestTarget, sources: str, names: Mapping[str, str]
) -> Iterator[TestTarget]:
    """The target as an account of a server that has the rights of the README and no others."""
    if here.name == "embedded":
        yield here
        return
    ((host,),) = here.rows("select substring_index(user(), '@', -1)")
    name, password = f"{here.schema}_runs"[-32:], "Runner-of-models-1"
    account = f"'{name}'@'{host}'"
    grants = next(body for body in blocks(README, "") if "grant select" in body)
    # The older tables lack it; the schemas beside the target are for the tests of views and dumps.
    beside = here.schema.replace("_", r"\_") + "%"
    grants = re.sub(r",\s+refusal_category_code", "", grants).replace(" lm.* ", f" `{beside}`.* ")
    for own, table in names.items():
        grants = grants.replace(f"clinic.{own} ", f"`{sources}`.{table} ")
    admin = administrator(here)
    execute(admin, f"create user {account} identified by '{password}'")
    try:
        for statement in grants.replace("'lm'@'10.0.0.%'", account).split(";"):
            if statement.strip().startswith("grant"):
                execute(admin, statement)
        yield replace(here, settings={**here.settings, "LM_USER": name, "LM_PASSWORD": password})
    finally:
        execute(admin, f"drop user {account}")


def test_the_account_of_the_runs_cannot_read_what_is_said(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    skip_unless(here, "mysql", "mariadb")
    for column in ("transcript", "*"):
        with pytest.raises(mysql.connector.Error, match="denied"):
            here.rows(f"select {column} from `{elsewhere.sources}`.pbx_calls")
    done = here.lm("doctor", "--vars", json.dumps(elsewhere.variables))
    assert done.returncode == 0, done.stdout
    # A refused erasure in the sources is none at all.
    before = read(here, "lm_value")
    row = next(row for row in clinic().history if row["context_type"] == 1)
    words = ("--vars", json.dumps(elsewhere.variables), "--caller", row["caller_number"])
    done = here.lm("forget", "--from-sources", *words)
    assert done.returncode == 1
    assert "nothing is erased" in done.stderr
    assert_same(before, read(here, "lm_value"))


def test_sources_elsewhere(elsewhere: Elsewhere) -> None:
    calls, values = elsewhere.tables["fct_call"], elsewhere.tables["lm_value"]
    assert len(calls) == len(clinic().history)
    assert set(values) == {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    here = elsewhere.target
    if here.name == "mariadb":
        with_keys = elsewhere.variables | {"lm_foreign_keys": True}
        run(elsewhere.admin, "run", "--select", "lm_value", **with_keys)
    rows = here.rows(
        "select constraint_name, referenced_table_schema, referenced_table_name"
        " from information_schema.key_column_usage where table_schema = %s"
        " and table_name = 'lm_value' and referenced_table_name is not null",
        (here.schema,),
    )
    assert {tuple(text(value) for value in row) for row in rows} == {
        ("fk_lm_value_call_history", elsewhere.sources, "pbx_calls"),
        ("fk_lm_value_call_scores", elsewhere.sources, "pbx_reviews"),
    }


def test_docs_of_sources_elsewhere(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    run(here, "docs", "generate", "--static", **elsewhere.variables)
    folder = here.folder / "target"
    assert (folder / "static_index.html").stat().st_size > 1_000_000
    catalog = json.loads((folder / "catalog.json").read_text())
    found = catalog["nodes"]["model.operabot_lm.lm_value"]
    assert found["metadata"]["schema"] == here.schema
    assert {"id", "history_id", "value_json"} <= {name.lower() for name in found["columns"]}
    source = catalog["sources"]["source.operabot_lm.operabot.call_history"]
    assert source["metadata"]["schema"] == elsewhere.sources


def test_review_id_follows_the_source(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    for table in ("int_calls", "fct_call", "lm_value"):
        rows = here.rows(
            "select column_type from information_schema.columns where table_schema = %s"
            " and table_name = %s and column_name = 'call_score_id'",
            (here.schema, table),
        )
        assert "unsigned" in text(rows[0][0]), table


def test_text_scores_are_numbers(elsewhere: Elsewhere) -> None:
    latest: dict[int, Row] = {}
    for review in sorted(clinic().scores, key=lambda row: (row["score_date"], row["id"])):
        latest[review["history_id"]] = review
    for (call,), row in elsewhere.tables["fct_call"].items():
        mark = latest[call]["call_score"] if call in latest else None
        found = row["call_score_raw"]
        assert (found is None) == (mark is None), call
        assert found is None or abs(float(found) - float(mark)) < 0.001, call


def test_cyrillic_is_intact(elsewhere: Elsewhere) -> None:
    """In a target schema whose own charset is latin1, where the engine has it."""
    names = {row["operator_name"] for row in elsewhere.tables["fct_call"].values()}
    assert "Иванова Анна" in names
    assert not any("?" in name for name in names)
    here = elsewhere.target
    rows = here.rows(
        "select name_ru from lm_metric_dictionary where metric_code = 'churn_risk_level'"
    )
    assert "?" not in text(rows[0][0])
    assert any("а" <= sign <= "я" for sign in text(rows[0][0]))
    categories = {row["call_category"] for row in elsewhere.tables["fct_call"].values()}
    assert {"booking", "lead", "none"} <= categories


def test_no_salt_still_gives_one_key_a_caller(elsewhere: Elsewhere) -> None:
    numbers = {
        row["history_id"]: "".join(
            sign
            for sign in row["caller_number" if row["context_type"] == 1 else "called_number"]
            if sign.isdigit()
        )[-10:]
        for row in clinic().history
        if row["context_type"] in (1, 2)
    }
    callers = by_caller(elsewhere.tables["fct_call"])
    assert callers
    for key, calls in callers.items():
        assert len({numbers[call] for call in calls}) == 1, key
    pairs = {(numbers[call], key) for key, calls in callers.items() for call in calls}
    assert len(pairs) == len({number for number, _ in pairs})
    assert any(len(calls) > 1 for calls in callers.values())
    # The salt drawn is kept, and not in the database: the next run finds the same keys.
    salt = salt_of(elsewhere.target)
    assert {mac(salt, number) for number, _ in pairs} == {key for _, key in pairs}
    here = elsewhere.target
    assert "lm_caller_salt" not in relations(here)
    assert [place for place, words in texts(here, relations(here)).items() if salt in words] == []


def salt_file(target: TestTarget) -> Path:
    ((fingerprint,),) = target.rows(
        "select distinct fingerprint from lm_watermark where feed = 'caller_salt'"
    )
    return target.folder / "salts" / text(fingerprint)


def salt_of(target: TestTarget) -> str:
    return salt_file(target).read_text()


def mac(salt: str, digits: str) -> str:
    return hmac.new(salt.encode(), digits.encode(), hashlib.sha256).hexdigest()[:32]


def test_a_lost_salt_stops_a_run_and_changes_nothing(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    before = read(here, "int_calls")
    path = salt_file(here)
    aside = path.rename(path.with_suffix(".aside"))
    done = run(here, check=False, **elsewhere.variables)
    aside.rename(path)
    assert done.returncode == 1
    assert "lm rotate-salt" in done.stdout
    assert list(path.parent.iterdir()) == [path], "another salt was drawn"
    assert_same(before, read(here, "int_calls"))


def views_of(here: TestTarget) -> list[str]:
    rows = here.rows(
        "select table_name from information_schema.views where table_schema = %s", (here.schema,)
    )
    return sorted(text(name) for (name,) in rows)


def test_views_can_be_made_again_from_what_the_server_tells_of_them(elsewhere: Elsewhere) -> None:
    """A dump holds the server's own text of a view: an expression without a name of ours gets one
    that no server takes back (1166 Incorrect column name)."""
    here = elsewhere.target
    views = views_of(here)
    assert len(views) > 20
    failed = {}
    with own_database(here, f"{here.schema}_again") as again:
        for name in views:
            made = text(here.rows(f"show create view `{name}`")[0][1])
            head = re.compile(rf"VIEW (`{here.schema}`\.)?`{name}` AS")
            assert head.search(made), made[:200]
            try:
                here.rows(head.sub(f"VIEW `{again}`.`{name}` AS", made, count=1))
            except mysql.connector.Error as error:
                failed[name] = str(error)
        assert failed == {}


def test_a_dump_restores(elsewhere: Elsewhere) -> None:
    here = administrator(elsewhere.admin)
    skip_unless(here, "mysql", "mariadb")
    dump_program, client = shutil.which("mysqldump"), shutil.which("mysql")
    if not dump_program or not client:
        pytest.skip("no mysqldump here")
    settings = here.load()
    place = [f"--host={settings.host}", f"--port={settings.port}", f"--user={settings.user}"]
    secret = clean_environment() | {"MYSQL_PWD": settings.password}
    with own_database(here, f"{here.schema}_restored") as restored:
        dump = subprocess.run(
            [dump_program, *place, "--single-transaction", here.schema],
            env=secret, capture_output=True, check=False,
        )  # fmt: skip
        assert dump.returncode == 0, dump.stderr
        load = subprocess.run(
            [client, *place, restored], input=dump.stdout, env=secret, capture_output=True,
            check=False,
        )  # fmt: skip
        assert load.returncode == 0, load.stderr
        for name in ("vw_lm_period_summary", "vw_lm_action_list", "lm_value"):
            counted = f"select count(*) from `{{}}`.{name}"
            assert here.rows(counted.format(restored)) == here.rows(counted.format(here.schema))


def test_zone_of_the_server_changes_nothing(elsewhere: Elsewhere) -> None:
    """On the embedded engine alone: the servers may have other users."""
    here = elsewhere.target
    skip_unless(here, "embedded")
    before = {name: read(here, name) for name in ("fct_call", "lm_value")}
    old = text(here.rows("select @@global.time_zone")[0][0])
    try:
        execute(here, "set global time_zone = '-05:00'")
        run(here, lm_sweep=True, **elsewhere.variables)
    finally:
        execute(here, f"set global time_zone = '{old}'")
    for name, table in before.items():
        assert_same(table, read(here, name))


# Callers who are to be forgotten. These tests change the schema: they come last.

OF_CALLS = ("int_calls", "fct_call", "int_metric_inputs", "lm_value")


def calls_left(here: TestTarget, calls: Iterable[int]) -> dict[str, int]:
    some = ", ".join(map(str, calls))
    return {
        table: here.rows(f"select count(*) from {table} where history_id in ({some})")[0][0]
        for table in OF_CALLS
    }


def differences(here: TestTarget) -> list[tuple[Any, ...]]:
    return here.rows(
        "select stat_date, calls_difference from vw_lm_tie_out where calls_difference <> 0"
    )


def test_a_forgotten_caller_leaves_and_stays_away(elsewhere: Elsewhere) -> None:
    here = elsewhere.target
    numbers = {row["history_id"]: row for row in clinic().history}
    callers = by_caller(read(here, "fct_call"))
    few = [key for key, calls in callers.items() if 2 <= len(calls) <= 5]
    key, other = few[:2]
    calls = callers[key]
    row = numbers[calls[0]]
    number = row["caller_number" if row["context_type"] == 1 else "called_number"]
    words = ("--vars", json.dumps({"as_of": moment(NOW), **elsewhere.variables}))
    assert differences(here) == []
    values = read(here, "lm_value")

    done = here.lm("forget", "--caller", number, "--dry-run", "--json", *words, check=True)
    told = json.loads(done.stdout)
    assert told["calls"] == len(calls)
    assert_same(values, read(here, "lm_value"))

    with mock.patch("sys.stdin", io.StringIO(f"{number}\n")):
        done = here.lm("forget", "--caller", "-", *words, check=True)
    digits = "".join(sign for sign in number if sign.isdigit())[-10:]
    assert digits not in done.stdout + done.stderr
    assert f"erased: {len(calls)} calls" in done.stdout
    assert set(calls_left(here, calls).values()) == {0}
    after = read(here, "lm_value")
    assert set(values) - set(after) == {k for k in values if k[0] in calls}
    # The sources are their owner's.
    some = ", ".join(map(str, calls))
    kept = f"select count(*) from `{elsewhere.sources}`.pbx_calls where history_id in ({some})"
    assert here.rows(kept) == [(len(calls),)]

    done = here.lm("forget", "--caller", number, *words)
    assert done.returncode == 1
    assert "no call of this number" in done.stderr

    # Another one leaves the sources too, reviews and all.
    gone = callers[other]
    row = numbers[gone[0]]
    number = row["caller_number" if row["context_type"] == 1 else "called_number"]
    admin = elsewhere.admin
    admin.lm("forget", "--caller", number, "--from-sources", *words, check=True)
    some = ", ".join(map(str, gone))
    for table in ("pbx_calls", "pbx_reviews"):
        left = f"select count(*) from `{elsewhere.sources}`.{table} where history_id in ({some})"
        assert here.rows(left) == [(0,)], table

    # What is added up by day follows, and nobody comes back.
    run(here, **elsewhere.variables)
    assert set(calls_left(here, [*calls, *gone]).values()) == {0}
    assert differences(here) == []
    places = texts(here, relations(here))
    assert [place for place, found in places.items() if {key, other} & set(found.split("\n"))] == []


def test_a_rotated_salt_gives_new_keys_and_brings_nobody_back(elsewhere: Elsewhere) -> None:
    """The full pass that it takes reads all sources again, those of forgotten calls among them."""
    here = elsewhere.target
    path = salt_file(here)
    before = read(here, "int_calls")
    words = ("--vars", json.dumps(elsewhere.variables))
    with mock.patch.dict(here.settings, {"LM_CALLER_SALT": "set"}):
        assert here.lm("rotate-salt", *words).returncode == 2
    assert path.exists()
    here.lm("rotate-salt", *words, check=True)
    assert not path.exists()
    done = here.lm("forget", "--caller", "89990000000", *words)
    assert done.returncode == 1 and "let `lm run` finish" in done.stderr
    run(here, **elsewhere.variables)
    assert salt_file(here) != path
    after = read(here, "int_calls")
    assert set(after) == set(before)
    salt = salt_of(here)
    numbers = {row["history_id"]: row for row in clinic().history}
    for (call,), row in after.items():
        if row["caller_key"]:
            source = numbers[call]
            number = source["caller_number" if row["direction"] == "in" else "called_number"]
            digits = "".join(sign for sign in number if sign.isdigit())[-10:]
            assert row["caller_key"] == mac(salt, digits) != before[call,]["caller_key"]


# Columns that are not there, and a table that is there already


def old_values() -> list[Row]:
    """Of the first call: a metric that is ours, and one that nobody knows."""
    known = {"metric_code": "response_speed_score", "value_label": "rather late"}
    unknown = {"metric_code": "mood_index", "value_label": "Ёлка 🙂"}
    row = {
        "history_id": FIRST,
        "metric_group": "quality",
        "value_numeric": 0.25,
        "lm_version": "v0",
        "calc_method": "gbm",
        "created_at": "2024-02-03 04:05:06",
    }
    return [row | known, row | unknown]


def by_the_contract(engine: str) -> str:
    """lm_value as made by hand, in the server's default collation or in older ones."""
    collation = {"mysql": "utf8mb4_0900_ai_ci", "mariadb": "utf8mb4_unicode_520_ci"}.get(
        engine, "utf8mb4_general_ci"
    )
    # The embedded engine has no other character set.
    older = "" if engine == "embedded" else "character set latin1"
    # A type that the reviews' ids may not refer to: these are signed.
    return f"""
        create table lm_value (
            id bigint unsigned auto_increment primary key,
            history_id int unsigned not null,
            call_score_id int unsigned null,
            metric_code varchar(64) not null,
            metric_group varchar(32) not null,
            value_numeric decimal(10,4) null,
            value_label varchar(255) null,
            value_json json null,
            lm_version varchar(32) not null,
            calc_method varchar(32) {older} not null,
            calc_source varchar(64) null,
            created_at datetime not null default current_timestamp,
            updated_at datetime null on update current_timestamp,
            unique key uq_lm_value_history_metric (history_id, metric_code),
            key idx_lm_value_history (history_id),
            key idx_lm_value_call_score (call_score_id),
            key idx_lm_value_metric_group (metric_group),
            constraint fk_lm_value_call_history foreign key (history_id)
                references call_history (history_id)
        ) engine = InnoDB default charset = utf8mb4 collate = {collation}
    """


@pytest.fixture(scope="module")
def bare(target: TestTarget, elsewhere: Elsewhere) -> Iterator[TestTarget]:
    """Source tables with the required columns and no optional one."""
    with own_schema(target, "bare") as here:
        copy_seeds(elsewhere.target, here)
        fill(here, clinic())
        for table, columns in OPTIONAL_COLUMNS.items():
            dropped = ", ".join(f"drop column {name}" for name in columns)
            execute(here, f"alter table `{here.schema}`.{table} {dropped}")
        here.rows(by_the_contract(here.name))
        for row in old_values():
            insert(here, "lm_value", row)
        yield here


def test_optional_columns_may_be_missing(bare: TestTarget, elsewhere: Elsewhere) -> None:
    run(bare)
    calls, values = read(bare, "fct_call"), read(bare, "lm_value")
    ours = {(call, metric) for (call,) in calls for metric in RULE_METRICS}
    assert set(values) == {*ours, (FIRST, "mood_index")}
    for key, row in elsewhere.tables["fct_call"].items():
        found = calls[key]
        assert found["talk_sec"] == row["talk_sec"]
        assert found["outcome"] == row["outcome"]
        assert found["duration_sec"] is None
        assert found["refusal_code"] is None
        assert found["source_channel"] == "unknown"


def test_a_table_by_the_contract_is_adopted(bare: TestTarget) -> None:
    """After the run above: rows stay, ours are computed in place, texts compare, keys are made."""
    values = read(bare, "lm_value")
    unknown = values[FIRST, "mood_index"]
    assert (unknown["id"], unknown["lm_version"], unknown["value_label"]) == (2, "v0", "Ёлка 🙂")
    known = values[FIRST, "response_speed_score"]
    assert (known["id"], known["created_at"]) == (1, datetime(2024, 2, 3, 4, 5, 6))
    assert known["lm_version"] != "v0" and known["value_label"] != "rather late"
    collations = bare.rows(
        "select distinct collation_name from information_schema.columns where table_schema = %s"
        " and table_name = 'lm_value' and data_type = 'varchar'",
        (bare.schema,),
    )
    assert [text(name) for (name,) in collations] == ["utf8mb4_bin"]
    keys = bare.rows(
        "select lower(constraint_name) from information_schema.table_constraints where"
        " table_schema = %s and table_name = 'lm_value' and constraint_type = 'FOREIGN KEY'",
        (bare.schema,),
    )
    assert {text(name) for (name,) in keys} == {
        "fk_lm_value_call_history",
        "fk_lm_value_call_scores",
    }
    # What stands on it: the statistics know what the dictionary knows, and the call's page all.
    ((days, codes),) = bare.rows(
        "select count(distinct stat_date), count(distinct metric_code) from vw_lm_daily_stats"
    )
    assert days == DAYS and codes >= len(RULE_METRICS) - 3


@pytest.mark.parametrize(
    ("table", "column"), [("call_history", "await_sec"), ("call_scores", "score_date")]
)
def test_missing_required_column_is_named(bare: TestTarget, table: str, column: str) -> None:
    assert column in REQUIRED_COLUMNS[table]
    kind = {"await_sec": "smallint unsigned null", "score_date": "datetime not null"}[column]
    whole = f"`{bare.schema}`.{table}"
    execute(bare, f"alter table {whole} change column {column} was_{column} {kind}")
    try:
        done = run(bare, check=False)
    finally:
        execute(bare, f"alter table {whole} change column was_{column} {column} {kind}")
    assert done.returncode == 1
    told = " ".join(done.stdout.split())
    assert f"lacks the required column(s) {column}" in told


# Few calls


def a_call(number: int, start: datetime, talk: int) -> Row:
    return {
        "history_id": number,
        "context_type": 1,
        "caller_number": f"8999000{number:04d}",
        "called_number": "70010000001",
        "talk_duration": talk,
        "await_sec": 11,
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "entry_id": f"few-{number}",
        "created_at": moment(start),
    }


def test_from_nothing_to_a_first_few(target: TestTarget) -> None:
    """Empty tables, one call, unanswered calls alone, then reviews that all are 0."""
    skip_unless(target, "embedded")  # Nothing here depends on the engine.
    with own_schema(target, "few") as here:
        fill(here, Source([], []))
        run(here, *dbt_runner.BUILD)
        for table in ("int_calls", "fct_call", "lm_value", "lm_reference"):
            assert read(here, table) == {}, table

        insert(here, "call_history", a_call(1, datetime(2025, 9, 17, 12), 0))
        run(here)
        values = read(here, "lm_value")
        assert set(values) == {(1, metric) for metric in RULE_METRICS}
        assert values[1, "followup_needed_flag"]["value_label"] == "true"
        assert values[1, "lost_opportunity_score"]["value_json"]["gate"] == "IMMATURE"
        assert values[1, "normalized_call_score"]["value_json"]["status"] == "gated"
        assert values[1, "normalized_call_score"]["value_numeric"] is None

        # Into another week, so that there are constants learnt from nothing but missed calls.
        for number in range(2, 12):
            insert(here, "call_history", a_call(number, datetime(2025, 9, 10 + number, 12), 0))
        run(here, as_of=datetime(2025, 9, 30))
        values = read(here, "lm_value")
        assert len(values) == 11 * len(RULE_METRICS)
        assert {
            row["value_numeric"] for (_, m), row in values.items() if m == "conversion_score"
        } == {None}

        for number in range(12, 22):
            start = datetime(2025, 9, 10 + number - 5, 15)
            insert(here, "call_history", a_call(number, start, 60))
            review = a_review(number, number, start.replace(hour=20), call_score=0)
            insert(here, "call_scores", review)
        run(here, as_of=datetime(2025, 9, 30))
        values = read(here, "lm_value")
        assert len(values) == 21 * len(RULE_METRICS)
        # A target call may have earned a 0: a 0 is "not scored" only on the others.
        assert {
            row["value_numeric"]
            for (call, metric), row in values.items()
            if metric == "normalized_call_score" and call >= 12
        } == {0}
        before = {name: read(here, name) for name in KEYS}
        run(here, "run", as_of=datetime(2025, 9, 30))
        for name, table in before.items():
            assert_same(meaning(table), meaning(read(here, name)))
