"""Call logs of the kinds that people have: each gives the right calls or says what is wrong."""

# ruff: noqa: E501 (lines of logs are as long as they are)
from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from import_cases import PLAIN, Log

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.lengths import seconds_of
from python_scoring.importing.moments import mistake_in_format
from python_scoring.importing.reading import HEAD, inspect
from python_scoring.importing.sniffing import look_at
from python_scoring.importing.texts import looks_like_phone, number_of

HEADER = "id,start,from,wait,talk\n"
CLOUD = """\
Дата;Тип;Кто звонил;С кем говорил;Линия;Ожидание;Разговор
03.02.2025 09:00:03;Входящий;+7 (000) 111-22-33;Иванова Мария;70020000001;00:00:12;00:03:12
03.02.2025 09:05:00;Входящий;8 000 111-22-33;;70020000001;00:00:41;00:00:00
03.02.2025 09:07:00;Исходящий;Иванова Мария;80001112233;70020000001;00:00:09;00:01:00
03.02.2025 09:08:00;Внутренний;Иванова Мария;Сидорова Ёлка;;00:00:03;00:00:30
Итого;;;;;00:01:05;00:04:42
"""
SIDES: dict[str, Any] = {
    "name": "cloud",
    "country": "RU",
    "key": ["Дата", "Кто звонил"],
    "start": {"column": "Дата", "format": "%d.%m.%Y %H:%M:%S"},
    "direction": {
        "column": "Тип",
        "map": {"Входящий": "incoming", "Исходящий": "outgoing", "Внутренний": "internal"},
    },
    "caller": {"column": "Кто звонил"},
    "callee": {"column": "С кем говорил"},
    "line": {"column": "Линия"},
    "wait": {"column": "Ожидание"},
    "talk": {"column": "Разговор"},
}


def test_client_and_operator_follow_the_direction(tmp_path: Path) -> None:
    log = Log(tmp_path, CLOUD.encode("cp1251"), SIDES)
    assert log.rows() == [
        ("in", "70001112233", "Иванова Мария", 12, 192, True),
        ("in", "70001112233", None, 41, 0, False),
        ("out", "70001112233", "Иванова Мария", 9, 60, True),
        ("internal", "", "Иванова Мария", 3, 30, True),
    ]
    assert log.calls[3].called_operator == "Сидорова Ёлка"
    assert [call.own_line for call in log.calls] == ["70020000001"] * 3 + [""]
    assert dict(log.result.skipped) == {"a line of totals": 1}


def test_a_mapping_that_takes_clients_for_operators_is_refused(tmp_path: Path) -> None:
    crosswise = {k: v for k, v in SIDES.items() if k not in ("caller", "callee")}
    crosswise |= {"client": {"column": "Кто звонил"}, "operator": {"column": "С кем говорил"}}
    with pytest.raises(ConfigurationError, match="caller and callee"):
        Log(tmp_path, CLOUD.encode("cp1251"), crosswise)


def test_a_forward_to_a_mobile_has_no_operator(tmp_path: Path) -> None:
    log = Log(
        tmp_path,
        "id,start,from,wait,talk,agent\n1,2025-02-03 09:00:00,+70000000001,5,60,+7 000 000 00 02\n",
        PLAIN | {"operator": {"column": "agent"}},
    )
    assert log.rows() == [("in", "70000000001", None, 5, 60, True)]
    assert log.result.notes["operator left out: it looks like a phone number"] == 1


@pytest.mark.parametrize(
    ("caller", "callee", "expected"),
    [
        ("+70000000001", "101", ("in", "70000000001", "101")),
        ("101", "80000000001", ("out", "80000000001", "101")),
        ("101", "102", ("internal", "101", "101")),
        ("anonymous", "101", ("in", "", "101")),
        ("+70000000001", "70020000001", ("in", "70000000001", None)),
    ],
)
def test_direction_by_the_parties(tmp_path: Path, caller: str, callee: str, expected: Any) -> None:
    content = {k: v for k, v in PLAIN.items() if k != "client"} | {
        "direction": {"parties": True},
        "own": {"numbers": ["70020000001"]},
        "caller": {"column": "from"},
        "callee": {"column": "to"},
    }
    text = f"id,start,from,to,wait,talk\n1,2025-02-03 09:00:00,{caller},{callee},5,60\n"
    assert Log(tmp_path, text, content).rows()[0][:3] == expected


def test_two_outside_numbers_are_no_call_of_ours(tmp_path: Path) -> None:
    content = {k: v for k, v in PLAIN.items() if k != "client"} | {
        "direction": {"parties": True},
        "caller": {"column": "from"},
        "callee": {"column": "to"},
    }
    text = "id,start,from,to,wait,talk\n1,2025-02-03 09:00:00,+70000000001,+70000000002,5,60\n"
    log = Log(tmp_path, text, content)
    assert log.calls == []
    assert "write the clinic's lines under own: numbers" in log.rejects.first[0]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+7 (000) 111-22-33", "70001112233"),
        ("8 000 111-22-33 доб. 12", "80001112233"),
        ("+70001112233;ext=5", "70001112233"),
        ("70001112233.0", "70001112233"),
        ("70001112233,00", "70001112233"),
        ("'+70001112233", "70001112233"),
        ("sip:70001112233@pbx.example", "70001112233"),
        ('"Petrov" <70001112233>', "70001112233"),
        ("Скрытый номер", ""),
        ("-", ""),
        ("Иванова", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert number_of(text) == number


def test_numbers_of_a_country() -> None:
    assert number_of("0171 2345678", "DE") == number_of("+49 171 2345678", "DE") == "491712345678"


@pytest.mark.parametrize("text", ["7,00011E+10", "7.00011E+10", "7E+10"])
def test_a_number_that_a_spreadsheet_damaged_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="export again"):
        number_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("79000000000", True), ("+7 900 000-00-00", True), ("Anna 79000000000", True), ("101", False),
     ("Anna (101)", False), ("Иванова 2", False)],
)  # fmt: skip
def test_what_looks_like_a_phone_number(text: str, expected: bool) -> None:
    assert looks_like_phone(text) is expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12), ("12,0", 12), ("1 234", 1234), ("1.9", 2), ("-", None), ("N/A", None),
        ("NULL", None), ("00:03:12.480", 192), ("3m 12s", 192), ("3 мин. 12 сек.", 192),
        ("1 ч 2 мин", 3720), ("1250 ms", 1), ("PT3M12S", 192), ("3:12", 192), ("1:00:05", 3605),
    ],
)  # fmt: skip
def test_lengths(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_lengths_in_other_units() -> None:
    assert seconds_of("3,2", "minutes") == 192
    assert seconds_of("1250", "ms") == 1
    with pytest.raises(ValueError, match="thousands or a fraction"):
        seconds_of("1,234")


@pytest.mark.parametrize(
    "start",
    [
        "2025-02-03T06:00:03Z", "2025-02-03T09:00:03+03:00", "2025-02-03T09:00:03.250+03:00",
        "2025-02-03 06:00:03 UTC", '"Mon, 03 Feb 2025 06:00:03 +0000"',
        "2025-02-03T06:00:03.123456789Z", "1738562403", "1738562403250", "1738562403.25",
        "1738562403250000", "03.02.2025 09:00:03",
    ],
)  # fmt: skip
def test_times_without_a_format(tmp_path: Path, start: str) -> None:
    log = Log(tmp_path, HEADER + f"1,{start},+70000000001,12,192\n", PLAIN)
    assert log.starts() == ["2025-02-03 09:00:03"]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:00:03 AM", 0), ("12:10:03 PM", 12), ("1:10:03 p.m.", 13), ("11:59:50 pm", 23)],
)
def test_twelve_hours(tmp_path: Path, text: str, hour: int) -> None:
    content = PLAIN | {"start": {"column": "start", "format": "%m/%d/%Y %I:%M:%S %p"}}
    log = Log(tmp_path, HEADER + f"1,02/03/2025 {text},+70000000001,12,192\n", content)
    assert log.starts()[0].startswith(f"2025-02-03 {hour:02}:")


@pytest.mark.parametrize("shape", ["%s", "%H:%M %p", "%I:%M", "%Z %H", "nothing"])
def test_formats_that_cannot_work(shape: str) -> None:
    assert mistake_in_format(shape)


def test_named_zones_and_the_change_of_clocks(tmp_path: Path) -> None:
    content = PLAIN | {"timezone": "Europe/Berlin"}
    lines = (
        "1,2026-10-24 09:00:00,+70000000001,10,60\n"
        "2,2026-10-25 02:30:00,+70000000002,10,60\n"
        "3,2026-10-25T02:30:00+01:00,+70000000003,10,60\n"
        "4,2026-10-26 09:00:00,+70000000004,10,60\n"
        "5,2026-03-29 02:30:00,+70000000005,10,60\n"
    )
    log = Log(tmp_path, HEADER + lines, content)
    # At +03:00: summer time is an hour behind, winter time two.
    assert log.starts() == [
        "2026-10-24 10:00:00", "2026-10-25 03:30:00", "2026-10-25 04:30:00", "2026-10-26 11:00:00",
    ]  # fmt: skip
    assert "clocks went forward" in log.rejects.first[0]
    assert sum(c for n, c in log.result.notes.items() if "comes twice" in n) == 1
    content["start"] = {"column": "start", "twice": "later"}
    assert Log(tmp_path, HEADER + lines, content).starts()[1] == "2026-10-25 04:30:00"


def test_day_and_month_in_the_other_order(tmp_path: Path) -> None:
    content = PLAIN | {"start": {"column": "start", "format": "%m/%d/%Y %H:%M:%S"}}
    lines = "1,05/02/2025 09:00:00,+70000000001,1,2\n2,13/02/2025 09:00:00,+70000000002,1,2\n"
    with pytest.raises(ConfigurationError, match=r"line 3: start.*%d/%m/%Y"):
        Log(tmp_path, HEADER + lines, content)


LINE = "1,2025-02-03 09:00:03,+70000000001,12,192\n"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + LINE,
        "\ufeff" + HEADER + LINE,
        "sep=;\n" + (HEADER + LINE).replace(",", ";"),
        "Отчёт за 03.02.2025\nЛиния 1, создан сегодня\n\n" + HEADER + LINE,
        HEADER.strip() + ",,\n" + LINE.strip() + ",,\n",
        HEADER + "INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER\n" + LINE,
        HEADER + LINE + HEADER + "Total,,,12,192\n",
        (HEADER + LINE).encode("utf-16"),
        (HEADER + LINE).replace(",", "\t"),
        gzip.compress((HEADER + LINE).encode(), mtime=0),
        '[{"id": 1, "start": "2025-02-03 09:00:03", "from": "+70000000001", "wait": 12, "talk": 192}]',
        '{"id": 1, "start": "2025-02-03 09:00:03", "from": "+70000000001", "wait": 12, "talk": 192}\n',
        '{"ok": true, "result": {"calls": [{"id": 1, "start": "2025-02-03 09:00:03",\n'
        ' "from": "+70000000001", "wait": 12, "talk": 192}]}}',
    ],
)
def test_shapes_of_a_file(tmp_path: Path, text: str | bytes) -> None:
    log = Log(tmp_path, text, PLAIN)
    assert log.rows() == [("in", "70000000001", None, 12, 192, True)]
    assert log.starts() == ["2025-02-03 09:00:03"]
    assert log.result.rejected == 0


def test_a_zip_with_one_file(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("calls.csv", HEADER + LINE)
    assert len(Log(tmp_path, packed.getvalue(), PLAIN, "calls.zip").calls) == 1
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("more.csv", HEADER + LINE)
    with pytest.raises(ConfigurationError, match="2 files"):
        Log(tmp_path, packed.getvalue(), PLAIN, "calls.zip")


def test_a_headerless_file_with_a_mark_at_its_beginning(tmp_path: Path) -> None:
    content = PLAIN | {"file": {"columns": ["id", "start", "from", "wait", "talk"]}}
    assert Log(tmp_path, "\ufeff" + LINE, content).starts() == ["2025-02-03 09:00:03"]


def test_newlines_and_stray_quotes(tmp_path: Path) -> None:
    text = (
        "id,start,from,wait,talk,note\n"
        '1,2025-02-03 09:00:03,+70000000001,12,192,"first\nsecond"\n'
        '2,2025-02-03 09:10:03,+70000000002,12,192,a "word"\n'
        '3,2025-02-03 09:20:03,+70000000003,12,192,"5" screen"\n'
        '4,2025-02-03 09:30:03,+70000000004,12,192,"never closed\n'
        "5,2025-02-03 09:40:03,+70000000005,12,192,plain\n"
    )
    log = Log(tmp_path, text, PLAIN)
    assert [call.client[-1] for call in log.calls] == ["1", "2", "3", "5"]
    assert log.rejects.first == ["line 6: quotes do not close"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "is empty"),
        (b"%PDF-1.7", "a.csv", "is a PDF"),
        (b"<html><table>", "a.xls", "HTML"),
        (b"PK\x03\x04broken", "a.xlsx", "damaged zip"),
        (b"\x00\x01\x02\x03", "a.csv", "."),
    ],
)
def test_what_is_no_call_log_is_named(tmp_path: Path, content: bytes, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        Log(tmp_path, content, PLAIN, name)


def test_columns_of_one_name(tmp_path: Path) -> None:
    text = "id,Name,start,from,Name,wait,talk\n1,A,2025-02-03 09:00:03,+70000000001,B,12,192\n"
    assert len(Log(tmp_path, text, PLAIN).calls) == 1
    with pytest.raises(ConfigurationError, match="Name#2 for the second"):
        Log(tmp_path, text, PLAIN | {"operator": {"column": "Name"}})
    second = Log(tmp_path, text, PLAIN | {"operator": {"column": "Name#2"}})
    assert second.calls[0].operator == "B"


def test_a_header_alone(tmp_path: Path) -> None:
    log = Log(tmp_path, HEADER, PLAIN)
    assert log.calls == []
    assert any("nothing under it" in note for note in log.result.notes)


def test_no_numbers_and_no_waits(tmp_path: Path) -> None:
    content = {k: v for k, v in PLAIN.items() if k not in ("client", "wait")}
    log = Log(tmp_path, HEADER + LINE, content)
    assert log.rows() == [("in", "", None, None, 192, True)]


def test_a_half_written_last_line_waits(tmp_path: Path) -> None:
    log = Log(tmp_path, HEADER + LINE + "2,2025-02-03 09:1", PLAIN)
    assert (len(log.calls), log.result.waiting, log.result.rejected) == (1, 1, 0)


@pytest.mark.parametrize(
    ("name", "encodings"),
    [
        ("Анна", ("utf-8", "cp1251", "cp866", "koi8_r")),
        ("Ким", ("utf-8", "cp1251", "cp866", "koi8_r")),
        ("Ёлкина Мария", ("utf-8", "cp1251", "cp866", "koi8_r")),
        ("Müller", ("utf-8", "cp1252")),
        ("José", ("utf-8", "cp1252")),
        ("Łukasz", ("utf-8", "cp1250")),
    ],
)
def test_one_name_tells_the_encoding(tmp_path: Path, name: str, encodings: tuple[str, ...]) -> None:
    """Also as the last letters of the file, and of one that ends in the middle of a letter."""
    content = PLAIN | {"operator": {"column": "agent"}}
    text = f"id,start,from,wait,talk,agent\n1,2025-02-03 09:00:03,+70000000001,12,192,{name}"
    for encoding in encodings:
        log = Log(tmp_path, text.encode(encoding), content)
        assert [call.operator for call in log.calls] == [name], encoding
    long = (text + "\n" + "x" * HEAD)[: HEAD - 1] + name + "\n"
    assert inspect(written(tmp_path, long.encode())).encoding == "utf-8"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "log.csv"
    path.write_bytes(content)
    return path


EXCEL = """\
№;Дата;Время;Телефон;Мин. разговора;Ожидание, сек;Оператор;a;b
1;05.10.2026;9:00:03;70031112233;3,2;12,0;Иванова;;
2;05.10.2026;9:05;7,00311E+10;0,0;41;;;
3;05.10.2026;9:07:00;70031112234,00;1,25;"1 234";Петрова;;
4;05.10.2026;19:07:00;'+70031112235;0,5;-;Петрова;;
"""


def test_a_table_that_was_opened_in_a_spreadsheet(tmp_path: Path) -> None:
    finding = look_at(inspect(written(tmp_path, EXCEL.encode("utf-8-sig"))))
    assert finding.open_questions == [
        "no column tells the direction: all calls are taken as incoming"
    ]
    assert finding.mapping is not None
    log = Log(tmp_path, EXCEL.encode("utf-8-sig"), yaml.safe_load(finding.mapping_text))
    assert log.rows() == [
        ("in", "70031112233", "Иванова", 12, 192, True),
        ("in", "70031112234", "Петрова", 1234, 75, True),
        ("in", "70031112235", "Петрова", None, 30, True),
    ]
    assert len(log.rejects.first) == 1
    assert log.rejects.first[0].startswith("line 3: Телефон")
    assert "export again" in log.rejects.first[0]


PLAIN_EXPORT = "id;start;dir;client;line;agent;wait;talk;source\n"
OUT = "1;14.09.2026 09:16:25;out;+70000000001;70020000001;;14;0;2ГИС\n"
OUT_TALK = "2;14.09.2026 09:21:45;out;+70000000002;70020000001;Иванова;23;230;\n"
IN = "3;14.09.2026 09:22:42;in;+70000000003;70020000001;Ким;56;48;\n"


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (
            OUT + OUT_TALK,
            [
                ("out", "70000000001", None, 14, 0, False),
                ("out", "70000000002", "Иванова", 23, 230, True),
            ],
        ),
        (
            OUT_TALK + IN,
            [
                ("out", "70000000002", "Иванова", 23, 230, True),
                ("in", "70000000003", "Ким", 56, 48, True),
            ],
        ),
        (IN, [("in", "70000000003", "Ким", 56, 48, True)]),
    ],
    ids=["outgoing only", "a day", "one call"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_small_exports_need_no_mapping_of_ones_own(
    tmp_path: Path, encoding: str, lines: str, rows: list[Any]
) -> None:
    text = (PLAIN_EXPORT + lines).encode(encoding)
    finding = look_at(inspect(written(tmp_path, text)))
    assert finding.open_questions == []
    log = Log(tmp_path, text, yaml.safe_load(finding.mapping_text))
    assert log.rows() == rows
    assert log.starts()[0].startswith("2026-09-14 09:2" if lines[0] != "1" else "2026-09-14 09:16")


def test_utf_16_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEADER + LINE).encode("utf-16"))
    assert inspect(path).encoding == "utf-16"
