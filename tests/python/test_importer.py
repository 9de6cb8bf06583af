"""Call logs loaded by a mapping: what goes in, what does not, and why."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.importing import mapping as import_mapping
from python_scoring.importing.lengths import seconds_of
from python_scoring.importing.loading import import_file
from python_scoring.importing.reading import inspect
from python_scoring.importing.store import Table

CLINIC = timezone(timedelta(hours=3))

# The bank's format; numbers and names are made up. Lines 2 to 14 of the file.
BANK = """\
vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start\tq_exit\tq_time\toutcome\tser_start\tser_exit\tser_time\tserver
XX0101\t1\t0\t0\tPS\t010203\t7:02:47\t7:02:56\t9\t0:00:00\t0:00:00\t0\tAGENT\t7:02:55\t7:05:41\t166\tALPHA
XX0101\t2\t0\t0\tPS\t010203\t7:31:45\t7:31:55\t10\t0:00:00\t0:00:00\t0\tAGENT\t7:31:54\t7:31:59\t5\tNO_SERVER
XX0101\t3\t0\t0\tNW\t010203\t7:54:38\t7:54:51\t13\t0:00:00\t0:00:00\t0\tAGENT\t7:54:49\t7:54:49\t0\tBETA
XX0101\t4\t12345\t2\tPS\t010203\t8:09:16\t8:09:22\t6\t8:09:22\t8:09:27\t5\tHANG\t0:00:00\t0:00:00\t0\tNO_SERVER
XX0101\t5\t98765432101\t2\tPE\t010203\t8:19:42\t8:19:47\t5\t8:19:47\t8:20:21\t34\tAGENT\t8:20:20\t8:22:04\t104\tBETA
XX0101\t6\t12345\t2\tPS\t010203\t8:29:06\t8:29:12\t6\t8:29:12\t8:30:20\t68\tPHANTOM\t8:30:19\t8:35:13\t294\tNO_SERVER
XX0101\t7\t0\t0\tPS\t010203\t23:59:32\t23:59:44\t12\t0:00:00\t0:00:00\t0\tAGENT\t23:59:43\t0:01:28\t105\tALPHA
XX0101\t8\t12345\t1\tPS\t010203\t9:48:14\t9:47:17\t-57\t9:47:17\t9:50:11\t174\tAGENT\t9:50:11\t9:51:28\t77\tALPHA
XX0101\t9\t0\t0\tTT\t010203\t9:55:00\t9:55:10\t10\t9:55:10\t9:55:30\t20\tHANG\t9:55:30\t9:55:40\t10\tNO_SERVER
XX0102\t1\t0\t0\tIN\t010203\t25:00:00\t7:02:56\t9\t0:00:00\t0:00:00\t0\tAGENT\t7:02:55\t7:05:41\t166\tALPHA
XX0102\t2\t0\t0\tPS\t010203\t7:02:47\t7:02:56\t9
XX0102\t3\t0\t0\tPS\t010203\t7:02:47\t7:02:56\t9\t0:00:00\t0:00:00\tx\tAGENT\t7:02:55\t7:05:41\t166\tALPHA
XX0101\t1\t0\t0\tPS\t010204\t7:02:47\t7:02:56\t9\t0:00:00\t0:00:00\t0\tAGENT\t7:02:55\t7:05:41\t166\tALPHA
"""


@pytest.fixture
def empty(target: Any) -> Any:
    """The target with no source tables."""
    target.rows("drop table if exists call_history")
    target.rows("drop table if exists call_scores")
    target.rows("drop table if exists lm_import")
    return target


def bring_in(target: Any, path: Path, mapping: Any, reject: Path, **more: Any) -> Any:
    connection = target.connect()
    try:
        return import_file(
            connection,
            path,
            mapping,
            target.schema,
            clinic=CLINIC,
            reject_file=reject,
            **more,
        )
    finally:
        connection.close()


def write_mapping(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "mapping.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_the_bank_s_format(empty: Any, tmp_path: Path) -> None:
    path, reject = tmp_path / "bank.tsv.gz", tmp_path / "bad.tsv"
    path.write_bytes(gzip.compress(BANK.replace("\n", "\r\n").encode()))
    mapping = import_mapping.load(Path("anonymous_bank"))
    result = bring_in(empty, path, mapping, reject)
    assert (result.lines, result.inserted, result.already_there, result.rejected) == (13, 9, 0, 3)
    assert list(result.skipped.values()) == [1]
    assert reject.read_text().splitlines() == [
        "line\treason",
        "11\tdate + vru_entry: not a time as %y%m%d %H:%M:%S",
        "12\t9 fields instead of 17",
        "13\tq_time: not a length in seconds",
    ]
    start = datetime(2001, 2, 3)

    def at(day: int, hour: int, minute: int, second: int) -> datetime:
        return start + timedelta(days=day, hours=hour, minutes=minute, seconds=second)

    assert empty.rows(
        "select context_type, caller_number, called_info, talk_duration, await_sec, duration, "
        "context_start_time_dt, context_status, utm_source_by_number from call_history "
        "order by history_id"
    ) == [
        (1, "", "ALPHA", 166, 0, 175, at(0, 7, 2, 47), 1, "Regular"),
        (1, "", None, 5, 0, 15, at(0, 7, 31, 45), 1, "Regular"),
        (1, "", "BETA", 1, 0, 14, at(0, 7, 54, 38), 1, "Prospect"),
        (1, "0000012345", None, 0, 5, 11, at(0, 8, 9, 16), 0, "Regular"),
        (1, "98765432101", "BETA", 104, 34, 143, at(0, 8, 19, 42), 1, "Regular, English"),
        (1, "", "ALPHA", 105, 0, 117, at(0, 23, 59, 32), 1, "Regular"),
        (1, "0000012345", "ALPHA", 77, 174, None, at(0, 9, 48, 14), 1, "Regular"),
        (1, "", None, 0, 20, 30, at(0, 9, 55, 0), 0, "Call-back"),
        (1, "", "ALPHA", 166, 0, 175, at(1, 7, 2, 47), 1, "Regular"),
    ]
    # 2001-02-03 07:02:47 at +03:00 is 04:02:47 UTC.
    assert empty.rows("select min(context_start_time) from call_history") == [(981172967,)]
    assert empty.rows("select count(*) from call_scores") == [(0,)]


def test_nothing_is_loaded_twice(empty: Any, tmp_path: Path) -> None:
    path, reject = tmp_path / "bank.tsv", tmp_path / "bad.tsv"
    mapping = import_mapping.load(Path("anonymous_bank"))
    lines = BANK.splitlines(keepends=True)
    path.write_text("".join(lines[:6]))
    assert bring_in(empty, path, mapping, reject, chunk=2).inserted == 5
    before = empty.rows("select history_id, entry_id, created_at from call_history order by 1")
    path.write_text(BANK)
    grown = bring_in(empty, path, mapping, reject, chunk=2)
    # Read from where it stopped: what was read then is not looked at again.
    assert (grown.inserted, grown.already_there, grown.went_on_after_line) == (4, 0, 6)
    again = bring_in(empty, path, mapping, reject, chunk=2)
    assert (again.inserted, again.already_there, again.rejected) == (0, 4, 3)
    after = empty.rows("select history_id, entry_id, created_at from call_history order by 1")
    assert after[:5] == before
    assert len(after) == 9


OWN = {
    "name": "own",
    "file": {"delimiter": "semicolon", "encoding": "cp1251"},
    "key": ["id"],
    "start": {"datetime": {"column": "Начало", "format": "%d.%m.%Y %H:%M"}, "clock_offset_sec": 60},
    "direction": {"column": "Вид", "map": {"вх": "incoming", "исх": "outgoing"}},
    "wait": {"column": "Ожидание", "unit": "clock"},
    "talk": {"from": "Снял", "to": "Положил", "format": "%H:%M:%S"},
    "client": {"column": "Номер", "null_values": ["-"], "prefix": "7"},
    "line": {"value": "70020000001"},
    "operator": {"column": "Кто"},
}
OWN_LINES = """\
id;Начало;Вид;Ожидание;Снял;Положил;Номер;Кто
1;03.02.2025 10:00;вх;0:12;10:00:12;10:01:00;0000000001;Иванова Анна
2;03.02.2025 23:59;исх;1:00:05;23:59:50;00:00:20;0000000002;"Ким; Пак"
3;03.02.2025 10:05;вх;0:30;;;-;
4;03.02.2025 10:06;др;0:30;;;-;
5;03.02.2025 10:07;вх;полминуты;;;-;
6;03.02.2025 10:08;вх;-0:05;;;-;
;03.02.2025 10:09;вх;0:05;;;-;
8;03.02.2025 10:10;вх;99:00:00;;;-;
9;03.02.2025 10:11;вх;0:05;;;-;"Ким
1;03.02.2025 10:12;вх;0:12;;;0000000009;
"""


def test_an_own_log_with_other_habits(empty: Any, tmp_path: Path) -> None:
    path, reject = tmp_path / "own.csv", tmp_path / "bad.tsv"
    path.write_bytes(OWN_LINES.encode("cp1251") + b"\x98;bad bytes\n\n")
    mapping = import_mapping.load(write_mapping(tmp_path, OWN))
    result = bring_in(empty, path, mapping, reject)
    assert (result.lines, result.inserted, result.rejected) == (11, 3, 8)
    assert empty.rows(
        "select context_type, caller_number, called_number, caller_info, called_info, "
        "talk_duration, await_sec, context_start_time_dt, context_status from call_history "
        "order by history_id"
    ) == [
        (1, "70000000001", "70020000001", None, "Иванова Анна", 48, 12,
         datetime(2025, 2, 3, 10, 1), 1),
        (2, "70020000001", "70000000002", "Ким; Пак", None, 30, 3605,
         datetime(2025, 2, 4, 0, 0), 1),
        (1, "", "70020000001", None, None, None, 30, datetime(2025, 2, 3, 10, 6), 0),
    ]  # fmt: skip
    reasons = dict(line.split("\t") for line in reject.read_text().splitlines()[1:])
    assert reasons == {
        "5": "Вид: a value that the map does not know",
        "6": "Ожидание: not a length in clock",
        "7": "Ожидание: below zero",
        "8": "id: the key is empty",
        "9": "Ожидание: longer than 65535 seconds",
        "10": "quotes do not close",
        "11": "key: an earlier line of the file has the same one",
        "12": "not cp1251 text",
    }


def test_calls_of_another_origin_are_left_alone(empty: Any, tmp_path: Path) -> None:
    path = tmp_path / "bank.tsv"
    path.write_text(BANK)
    mapping = import_mapping.load(Path("anonymous_bank"))
    bring_in(empty, path, mapping, tmp_path / "bad.tsv")
    empty.rows(
        "insert into call_history (caller_number, called_number, entry_id) values ('', '', 'pbx-1')"
    )
    with pytest.raises(ConfigurationError, match="another schema"):
        bring_in(empty, path, mapping, tmp_path / "bad.tsv")


def test_a_second_import_at_once_is_refused(empty: Any, tmp_path: Path) -> None:
    path = tmp_path / "bank.tsv"
    path.write_text(BANK)
    mapping = import_mapping.load(Path("anonymous_bank"))
    connection = empty.connect()
    with (
        Table(connection, empty.schema, "call_history").locked(),
        pytest.raises(LmError, match="another import"),
    ):
        bring_in(empty, path, mapping, tmp_path / "bad.tsv")
    connection.close()
    assert bring_in(empty, path, mapping, tmp_path / "bad.tsv").inserted == 9


def test_a_torn_file_keeps_what_was_read(empty: Any, tmp_path: Path) -> None:
    path = tmp_path / "torn.tsv.gz"
    path.write_bytes(gzip.compress(BANK.encode())[:-40])
    mapping = import_mapping.load(Path("anonymous_bank"))
    with pytest.raises(LmError, match="cannot read on after line"):
        bring_in(empty, path, mapping, tmp_path / "bad.tsv", chunk=1)


def test_the_command(empty: Any, tmp_path: Path) -> None:
    path, reject = tmp_path / "bank.tsv", tmp_path / "bad.tsv"
    path.write_text(BANK)
    words = ["import", str(path), "--mapping", "anonymous_bank", "--reject-file", str(reject)]
    done = empty.lm(*words, "--json")
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["inserted"], summary["rejected"]) == (9, 3)
    path.write_text("".join(BANK.splitlines(keepends=True)[:10]))
    done = empty.lm(*words)
    assert done.returncode == 0, done.stderr
    assert "9 were there already" not in done.stdout
    assert "8 were there already" in done.stdout
    assert not reject.exists()
    assert empty.lm("import", str(tmp_path / "none.csv"), "--mapping", "x").returncode == 2
    done = empty.lm("import", str(path), "--mapping", "anonymous_bank", "--reject-file", str(path))
    assert done.returncode == 2
    assert path.exists()


def test_all_mistakes_of_a_mapping_at_once(tmp_path: Path) -> None:
    wrong = {
        "name": "x",
        "file": {"delimiter": "tabs", "encoding": "utf-99", "quotes": "no"},
        "key": "id",
        "start": {"date": {"column": "d", "format": "%d"}},
        "direction": {"value": "in"},
        "answered": {"column": "o", "map": {1: "yes"}},
        "wait": {"column": "w", "unit": "hours", "from": "a"},
        "talk": {"from": "a", "to": "b"},
        "client": {"null_values": [0]},
        "skip": [{"column": "o"}],
        "colour": {},
    }
    with pytest.raises(ConfigurationError) as caught:
        import_mapping.load(write_mapping(tmp_path, wrong))
    text = str(caught.value)
    assert caught.value.exit_code == 2
    for part in (
        "file.delimiter",
        "file.encoding",
        "file.quotes",
        "key: must be a list",
        "start: give either",
        "direction.value",
        "answered.map: put 1 into quotes",
        "answered.map: 'yes' must be true or false",
        "wait.unit",
        "wait: give one of",
        "talk.format is missing",
        "client: column is missing",
        "client.null_values: put 0 into quotes",
        "skip: rule 1",
        "unknown section 'colour'",
    ):
        assert part in text, part
    assert "16 mistakes" in text


@pytest.mark.parametrize("content", ["", "- a\n", "name: [", "\x00"])
def test_what_is_no_mapping_is_said_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="mapping"):
        import_mapping.load(path)


def test_columns_that_the_file_lacks(empty: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes("id;Начало;Вид;id\n".encode("cp1251"))
    mapping = import_mapping.load(write_mapping(tmp_path, OWN))
    with pytest.raises(ConfigurationError) as caught:
        bring_in(empty, path, mapping, tmp_path / "bad.tsv")
    for part in (
        "'id' (key) occurs 2 times: write id#1",
        "'Ожидание' in the file (wait.column)",
        "talk.from",
    ):
        assert part in str(caught.value)
    assert empty.rows("select 1 from information_schema.tables where table_schema = %s",
                      (empty.schema,)) == []  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:00", 0), ("1:05", 65), ("1:00:05", 3605), ("30:00:00", 108_000), ("-0:05", -5)],
)
def test_clock_lengths(text: str, seconds: int) -> None:
    assert seconds_of(text, "clock") == seconds


@pytest.mark.parametrize("text", ["1", "1:60", "a:b", "1:2:3:4", "1:-5"])
def test_no_clock_lengths(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        seconds_of(text, "clock")


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file"):
        inspect(tmp_path / "none.csv")
