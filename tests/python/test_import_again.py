"""Second thoughts about an import: corrections, undoing, growing files, other mappings."""

# ruff: noqa: E501 (lines of logs are as long as they are)
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from import_cases import CLINIC, PLAIN, mapping_of
from pipeline_cases import own_database

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.loading import Result, import_file

HEADER = "id,start,from,wait,talk\n"
FIRST = "1,2025-02-03 09:00:03,+70000000001,12,0\n2,2025-02-03 09:01:03,+70000000002,5,60\n"
THIRD = "3,2025-02-03 09:02:03,+70000000003,7,70\n"


@pytest.fixture
def empty(target: Any) -> Iterator[Any]:
    for table in ("call_history", "call_scores", "lm_import"):
        target.rows(f"drop table if exists {table}")
    yield target


class Importer:
    """Imports one file into a target, again and again."""

    def __init__(self, target: Any, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.path = folder / "calls.csv"

    def __call__(self, text: str, content: Any = None, **more: Any) -> Result:
        self.path.write_text(text)
        connection = self.target.connect()
        try:
            return import_file(
                connection, self.path, mapping_of(self.folder, content or PLAIN), self.target.schema,
                clinic=CLINIC, reject_file=self.folder / "bad.tsv", **more,
            )  # fmt: skip
        finally:
            connection.close()

    def calls(self) -> list[tuple[Any, ...]]:
        return self.target.rows("select caller_number, talk_duration from call_history order by 1")


def test_second_thoughts(empty: Any, tmp_path: Path) -> None:
    bring = Importer(empty, tmp_path)
    assert bring(HEADER + FIRST).inserted == 2
    nothing = bring(HEADER + FIRST)
    assert (nothing.inserted, nothing.lines, nothing.import_id) == (0, 0, None)

    # Grown by a call and a half: the half waits, what was read is not read again.
    grown = bring(HEADER + FIRST + THIRD + "4,2025-02-03 09:0")
    assert (grown.inserted, grown.lines, grown.waiting) == (1, 1, 1)
    assert grown.went_on_after_line == 3

    # A call changed in the middle: the file is read anew, and told.
    changed = HEADER + FIRST.replace(",12,0", ",12,90") + THIRD
    seen = bring(changed)
    assert (seen.inserted, seen.changed, seen.already_there) == (0, 1, 3)
    assert bring.calls()[0] == ("70000000001", 0)
    corrected = bring(changed, update=True)
    assert (corrected.corrected, corrected.changed) == (1, 0)
    assert bring.calls()[0] == ("70000000001", 90)

    # The same calls under another name would all be doubled.
    with pytest.raises(ConfigurationError, match="same name and key"):
        bring(changed, PLAIN | {"name": "other"})
    assert len(bring.calls()) == 3

    done = empty.lm("import", "--undo", str(grown.import_id), "--json")
    assert json.loads(done.stdout) == {"undone": grown.import_id, "calls": 1, "corrected": 0}
    assert len(bring.calls()) == 2
    assert empty.lm("import", "--undo", str(grown.import_id)).returncode == 2
    # What was undone can be imported again.
    assert bring(changed).inserted == 1
    log = json.loads(empty.lm("import", "--log", "--json").stdout)
    assert [row["state"] for row in log].count("undone") == 2
    assert "7000000000" not in json.dumps(log)


VALUES = """
create table {schema}.lm_value (
    id bigint unsigned not null auto_increment primary key,
    history_id int unsigned not null,
    call_score_id int null,
    metric_code varchar(64) not null,
    unique key uq_lm_value_history_metric (history_id, metric_code),
    key idx_lm_value_call_score (call_score_id),
    constraint fk_lm_value_call_history foreign key (history_id)
        references {source}.call_history (history_id),
    constraint fk_lm_value_call_scores foreign key (call_score_id)
        references {source}.call_scores (id)
) engine = InnoDB
"""


def test_undo_beside_the_foreign_keys_of_lm_value(empty: Any, tmp_path: Path) -> None:
    """The values computed from the calls, in whatever schema, go with them; others stay."""
    bring = Importer(empty, tmp_path)
    bring(HEADER + FIRST)
    second = bring(HEADER + FIRST + THIRD)
    calls = [row[0] for row in empty.rows("select history_id from call_history order by 1")]
    empty.rows(
        "insert into call_scores (history_id, call_score, score_date, call_category,"
        " number_category) select history_id, 5, '2025-02-04', 'x', 0 from call_history"
    )
    with own_database(empty, f"{empty.schema[:50]}_built") as built:
        try:
            for schema in (empty.schema, built):
                empty.rows(VALUES.format(schema=schema, source=empty.schema))
                empty.rows(
                    f"insert into {schema}.lm_value (history_id, call_score_id, metric_code)"
                    f" select history_id, id, 'a' from {empty.schema}.call_scores"
                )
            done = empty.lm("import", "--undo", str(second.import_id))
            assert done.returncode == 0, done.stderr
            for table in (f"{built}.lm_value", "lm_value", "call_scores", "call_history"):
                rows = empty.rows(f"select history_id from {table} order by 1")
                assert [row[0] for row in rows] == calls[:2], table
        finally:
            empty.rows("drop table if exists lm_value")
            empty.rows(f"drop table if exists {built}.lm_value")


def test_a_wrong_mapping_leaves_nothing(empty: Any, tmp_path: Path) -> None:
    bring = Importer(empty, tmp_path)
    lines = "".join(f"{i},05/02/2025 09:00:{i:02},+7000000000{i},1,2\n" for i in range(5))
    content = PLAIN | {"start": {"column": "start", "format": "%m/%d/%Y %H:%M:%S"}}
    with pytest.raises(ConfigurationError, match="other order"):
        bring(HEADER + lines + "9,13/02/2025 09:00:00,+70000000009,1,2\n", content, chunk=2)
    assert bring.calls() == []


def test_a_look_a_dry_run_and_a_folder(empty: Any, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a.csv").write_text(HEADER + FIRST)
    (folder / "b.csv").write_text(HEADER + THIRD)
    proposal = tmp_path / "my.yml"
    looked = empty.lm("import", str(folder / "a.csv"), "--write-mapping", str(proposal))
    assert looked.returncode == 0, looked.stderr
    assert "Nothing was loaded" in looked.stdout
    dry = empty.lm("import", str(folder), "--mapping", str(proposal), "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "incoming" in dry.stdout
    assert "70000000001" not in looked.stdout + dry.stdout
    assert empty.rows("select 1 from information_schema.tables where table_schema = %s and"
                      " table_name = 'call_history'", (empty.schema,)) == []  # fmt: skip
    done = empty.lm("import", str(folder), "--mapping", str(proposal), "--json")
    assert done.returncode == 0, done.stderr
    assert [part["inserted"] for part in json.loads(done.stdout)] == [2, 1]


def test_the_list_of_mappings(empty: Any) -> None:
    listed = json.loads(empty.lm("import", "--list", "--json").stdout)
    assert {"asterisk", "freepbx", "3cx", "mango_office"} <= {row["name"] for row in listed}
