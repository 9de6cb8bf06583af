"""A quality team's sheet: marks find their calls, what finds none is told by its line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from import_cases import CLINIC, PLAIN, mapping_of

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing import reviews
from python_scoring.importing.loading import import_file
from python_scoring.importing.review_loading import ReviewResult, import_reviews

CALLS = """\
id,start,from,wait,talk
1,2025-02-03 09:00:03,+7 000 000-00-01,12,192
2,2025-02-03 09:20:00,+7 000 000-00-02,5,60
3,2025-02-03 09:26:00,+7 000 000-00-02,5,60
4,2025-02-03 23:50:00,+7 000 000-00-03,5,60
"""
BY_NUMBER: dict[str, Any] = {
    "name": "team",
    "client": {"column": "Телефон"},
    "start": {"column": "Звонок", "format": "%d.%m.%Y %H:%M"},
    "reviewed": {"column": "Проверен", "format": "%d.%m.%Y"},
    "score": {"column": "Балл", "out_of": 5},
    "category": {"value": "Лид (без записи)"},
    "outcome": {"column": "Итог", "map": {"записан": "record", "отказ": "refusal"}},
    "target": {"column": "Целевой", "map": {"да": True, "нет": False}},
    "items": {"columns": ["Приветствие", "Имя", "Запись"], "met": ["да", "+"]},
}
HEADER = "Телефон;Звонок;Проверен;Балл;Итог;Целевой;Приветствие;Имя;Запись\n"
# Four minutes off, of the nearer of two calls, without a mark, of nobody, of no call then.
SHEET = HEADER + (
    "8 (000) 000-00-01;03.02.2025 09:04;05.02.2025;4,5;записан;да;да;+;нет\n"
    "+70000000002;03.02.2025 09:25;04.02.2025;3;отказ;да;нет;нет;\n"
    "+70000000003;03.02.2025 23:50;03.02.2025;-;;нет;да;да;да\n"
    "+70000000009;03.02.2025 09:00;05.02.2025;4;записан;да;;;\n"
    "+70000000001;03.02.2025 10:00;05.02.2025;4;записан;да;;;\n"
    "+70000000002;03.02.2025 09:23;05.02.2025;4;записан;да;;;\n"
    "+70000000001;03.02.2025 09:00;06.02.2025;7;записан;да;;;\n"
    "Итого;;;4,0;;;;;\n"
)


@pytest.fixture
def calls(target: Any, tmp_path: Path) -> Iterator[Any]:
    for table in ("lm_value", "call_history", "call_scores", "lm_import"):
        target.rows(f"drop table if exists {table}")
    path = tmp_path / "calls.csv"
    path.write_text(CALLS)
    connection = target.connect()
    import_file(connection, path, mapping_of(tmp_path, PLAIN), target.schema, clinic=CLINIC,
                reject_file=tmp_path / "bad.tsv")  # fmt: skip
    connection.close()
    yield target
    target.rows("drop table if exists lm_value")


def bring(
    target: Any, folder: Path, sheet: str, content: Mapping[str, Any], **more: Any
) -> ReviewResult:
    path, mapping = folder / "sheet.csv", folder / "reviews.yml"
    path.write_text(sheet, encoding="cp1251")
    mapping.write_text(yaml.safe_dump(dict(content), allow_unicode=True))
    connection = target.connect()
    try:
        return import_reviews(connection, path, reviews.load(mapping), target.schema,
                              clinic=CLINIC, reject_file=folder / "bad.tsv", **more)  # fmt: skip
    finally:
        connection.close()


def stored(target: Any) -> list[tuple[Any, ...]]:
    rows = target.rows(
        "select right(c.entry_id, 4), c.caller_number, s.call_score, s.score_date, s.outcome,"
        " s.is_target, s.number_checklist from call_scores as s"
        " join call_history as c on s.history_id = c.history_id order by s.id"
    )
    return [(row[1][-1], float(row[2]), str(row[3]), *row[4:]) for row in rows]


def test_by_number_and_time(calls: Any, tmp_path: Path) -> None:
    dry = bring(calls, tmp_path, SHEET, BY_NUMBER, dry_run=True)
    assert (dry.inserted, dry.unmatched, dry.rejected) == (3, 3, 1)
    assert stored(calls) == []
    assert not (tmp_path / "bad.tsv").exists()
    result = bring(calls, tmp_path, SHEET, BY_NUMBER)
    assert (result.lines, result.inserted, result.unmatched, result.rejected) == (7, 3, 3, 1)
    # On the call's own day a date means after the call.
    assert stored(calls) == [
        ("1", 9.0, "2025-02-05 00:00:00", "record", 1, 2),
        ("2", 6.0, "2025-02-04 00:00:00", "refusal", 1, 0),
        ("3", -1.0, "2025-02-03 23:50:00", None, 0, 3),
    ]
    assert calls.rows(
        "select c.talk_duration, c.context_start_time_dt = '2025-02-03 09:26:00' from call_scores"
        " as s join call_history as c on s.history_id = c.history_id where s.outcome = 'refusal'"
    ) == [(60, 1)]
    assert (tmp_path / "bad.tsv").read_text().splitlines() == [
        "line\treason",
        "8\tБалл: a mark above 5",
        "5\tno call of this number within 5 minutes",
        "6\tno call of this number within 5 minutes",
        "7\ttwo calls of this number are equally near in time",
    ]


def test_again_changed_and_undone(calls: Any, tmp_path: Path) -> None:
    first = bring(calls, tmp_path, SHEET, BY_NUMBER)
    again = bring(calls, tmp_path, SHEET, BY_NUMBER)
    assert (again.inserted, again.already_there, again.changed) == (0, 3, 0)
    better = SHEET.replace(";4,5;", ";5;")
    told = bring(calls, tmp_path, better, BY_NUMBER)
    assert (told.changed, told.corrected, len(stored(calls))) == (1, 0, 3)
    corrected = bring(calls, tmp_path, better, BY_NUMBER, update=True)
    assert (corrected.changed, corrected.corrected) == (0, 1)
    # As a newer review of the call: the newest counts, and the models read what is new.
    assert stored(calls)[-1] == ("1", 10.0, "2025-02-05 00:00:00", "record", 1, 2)
    assert bring(calls, tmp_path, better, BY_NUMBER).already_there == 3
    done = calls.lm("import", "--undo", str(corrected.import_id), "--json")
    assert json.loads(done.stdout) == {"undone": corrected.import_id, "reviews": 1}
    assert [row[1] for row in stored(calls)] == [9.0, 6.0, -1.0]
    # Beside the foreign key that the computed values have.
    calls.rows(
        "create table lm_value (id int primary key, call_score_id int null,"
        " foreign key (call_score_id) references call_scores (id))"
    )
    calls.rows("insert into lm_value select id, id from call_scores")
    assert calls.lm("import", "--undo", str(first.import_id)).returncode == 0
    assert stored(calls) == []
    assert calls.rows("select count(*), count(call_score_id) from lm_value") == [(3, 0)]
    assert "0000000" not in calls.lm("import", "--log").stdout


def test_by_the_call_s_id(calls: Any, tmp_path: Path) -> None:
    content = {
        "name": "ids",
        "call": {"column": "id", "mapping": "plain"},
        "reviewed": {"days_after": 2},
        "score": {"column": "mark"},
        "target": {"value": True},
    }
    sheet = "id,mark\n2,85 %\n3,8 из 10\n9,7\n2,80\n,5\n"
    result = bring(calls, tmp_path, sheet, content)
    assert (result.inserted, result.unmatched, result.rejected) == (2, 1, 2)
    assert [row[:3] for row in stored(calls)] == [
        ("2", 8.5, "2025-02-05 09:20:00"),
        ("2", 8.0, "2025-02-05 09:26:00"),
    ]
    content["call"] = {"column": "id", "mapping": "another"}
    nobody = bring(calls, tmp_path, sheet, content)
    assert (nobody.inserted, nobody.unmatched) == (0, 4)
    assert any("call.mapping" in note for note in nobody.notes)


def test_the_command(calls: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "phone,start,reviewed,score,category,outcome,target,refusal\n"
        "+70000000001,2025-02-03 09:00:03,2025-02-04,8,лид (без записи),lead,yes,дорого\n"
    )
    without = calls.lm("import", "--reviews", str(sheet))
    assert without.returncode == 2
    assert "quality_sheet" in without.stderr
    done = calls.lm("import", "--reviews", str(sheet), "--mapping", "quality_sheet")
    assert done.returncode == 0, done.stderr
    assert "1 inserted" in done.stdout
    assert stored(calls) == [("1", 8.0, "2025-02-04 00:00:00", "lead", 1, None)]


def test_all_mistakes_of_a_mapping_at_once(tmp_path: Path) -> None:
    path = tmp_path / "reviews.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "x",
                "call": {"column": "id"},
                "reviewed": {"days_after": "soon"},
                "score": {"out_of": 5},
                "target": {"column": "t"},
                "items": {"columns": ["a"]},
                "talk": {"column": "b"},
            }
        )
    )
    with pytest.raises(ConfigurationError) as caught:
        reviews.load(path)
    for part in (
        "call.mapping is missing",
        "reviewed.days_after: must be a whole number",
        "score: column is missing",
        "target: give either value",
        "items.met: must be a list",
        "unknown section 'talk'",
    ):
        assert part in str(caught.value), part
