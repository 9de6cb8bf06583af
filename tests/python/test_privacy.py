"""No phone number and no patient's name leaves the source tables, whatever these hold.

Made-up numbers in several spellings stand in every text column of both sources, beside what is
there; then everything that reads them runs. Patients' names stand there too, and in the place of
the operator's: one for each call, and one for many, who stands in the caller's place as well.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from conftest import ROOT, TestTarget
from jinja2 import Environment
from mysql.connector.abstracts import MySQLCursorAbstract
from oracle_data import Source, simulated_source
from pipeline_cases import (
    Row,
    execute,
    fill,
    insert,
    moment,
    own_schema,
    relations,
    run,
    skip_unless,
    text,
    texts,
)

NOW = datetime(2025, 9, 22)
PATIENT = "Аполлинария Секретова"
# The names of those who have one each begin so.
OTHERS = "Тайнин"
# Numbers of one region that nobody has, and the ways in which people write them.
SPELLINGS = (
    "+7{0}{1}{2}{3}",
    "8{0}{1}{2}{3}",
    "+7 ({0}) {1}-{2}-{3}",
    "8 {0} {1} {2} {3}",
    "7.{0}.{1}.{2}.{3}",
    "8-{0}-{1}-{2}-{3}",
    "+7\u00a0{0}\u00a0{1}\u2011{2}\u2011{3}",
    "8({0}){1}{2}{3}",
    "{0} {1} {2}{3}",
    "8 {0} {1} \u2013 {2} \u2013 {3}",
    "tel:+7{0}{1}{2}{3}",
    "{0}/{1}/{2}/{3}",
    "sip:7{0}{1}{2}{3}@pbx.example",
)
SIGN = r"[\s().+/_~\u2010-\u2014\u2212-]"
SIGNS = re.compile(SIGN + r"{1,3}(?=\d)")
NUMBERS_ONLY = (
    "utm_source_by_number",
    "requested_service_name",
    "category_checklist",
    "outcome",
    "call_category",
    "context_type",
)
TEXTS = {
    "call_history": ("utm_source_by_number", "transcript", "phrases", "categories", "entry_id"),
    "call_scores": (
        "call_type", "context_type", "call_success", "utm_source_by_number", "call_category",
        "category_checklist", "outcome", "requested_service_name", "requested_doctor_name",
        "requested_doctor_speciality", "refusal_reason", "refusal_category_code", "transcript",
        "result",
    ),
}  # fmt: skip
LENGTHS = {"outcome": 32, "call_type": 50, "call_success": 50, "refusal_category_code": 64}


class Planter:
    """Gives out numbers, each once, and remembers their ten digits."""

    def __init__(self) -> None:
        self.planted: set[str] = set()

    def number(self) -> str:
        place = len(self.planted)
        digits = f"9005{place * 7919 % 1_000_000:06d}"
        self.planted.add(digits)
        parts = (digits[:3], digits[3:6], digits[6:8], digits[8:])
        return SPELLINGS[place % len(SPELLINGS)].format(*parts)

    def text(self, column: str) -> str:
        number = self.number()
        text = f"Звонок с {number}" if column in NUMBERS_ONLY else f"{number} {PATIENT}"
        if column == "phrases":
            return json.dumps([text], ensure_ascii=False)
        return text[: LENGTHS.get(column, 255)]


def planted(source: Source, planter: Planter) -> Source:
    """Every number of the source in another spelling, every third text with a number in it."""
    clients: dict[str, str] = {}

    def spelt(number: str) -> str:
        return clients.setdefault(number, planter.number())

    history = []
    for place, call in enumerate(source.history):
        row: Row = {**dict.fromkeys(TEXTS["call_history"]), **call}
        outside, inside = ("caller", "called") if row["context_type"] == 1 else ("called", "caller")
        row[f"{outside}_number"] = spelt(row[f"{outside}_number"])
        row[f"{outside}_info"] = f"{PATIENT} {planter.number()}"
        if place % 3 == 0:
            row[f"{inside}_info"] = f"{planter.number()}"
            row["answered_extension"] = planter.number()
            row["answered_user_id"] = int(f"19005{place:05d}")
            planter.planted.add(str(row["answered_user_id"]))
        elif place % 6 == 1:
            row[f"{inside}_info"] = f"{OTHERS} {chr(1040 + place % 32)}{place}"
            row["answered_extension"], row["answered_user_id"] = f"{OTHERS} {place}", None
        elif place % 15 == 2:
            row[f"{inside}_info"] = row[f"{outside}_info"] = PATIENT.upper()
        for column in TEXTS["call_history"]:
            if place % 3 == 1 or column == "entry_id":
                row[column] = planter.text(column)
        history.append(row)
    names = dict.fromkeys(name for row in history for name in row)
    history = [{name: row.get(name) for name in names} for row in history]
    scores = []
    for place, review in enumerate(source.scores):
        row = {**dict.fromkeys(TEXTS["call_scores"]), **review}
        for name in ("caller", "called"):
            row[f"{name}_number"], row[f"{name}_info"] = planter.number(), planter.number()
        if place % 3 == 0:
            row |= {column: planter.text(column) for column in TEXTS["call_scores"]}
        scores.append(row)
    return Source(history, scores)


def leaks(text: str, planter: Planter) -> set[str]:
    """What was planted and is in a text, numbers in whatever spelling."""
    words = (*PATIENT.split(), OTHERS)
    found = {word for word in words if word.casefold() in text.casefold()}
    for digits in re.findall(r"\d{10,}", SIGNS.sub("", text)):
        tens = {digits[i : i + 10] for i in range(len(digits) - 9)}
        found |= {ten for ten in tens & planter.planted if stands_alone(ten, text)}
    return found


def stands_alone(digits: str, text: str) -> bool:
    """Not as a part of a fraction or of a checksum, where any ten digits come by chance."""
    spelt = f"{SIGN}{{0,3}}".join(digits)
    return bool(re.search(rf"(?<![\da-f.])(?:[78]{SIGN}{{0,3}})?{spelt}(?![\da-f])", text))


def test_the_sweep_finds_numbers() -> None:
    planter = Planter()
    numbers = [planter.number() for _ in SPELLINGS]
    assert all(len(leaks(f"x{number}y", planter)) == 1 for number in numbers)
    assert leaks("x секретова", planter) == {"Секретова"}
    assert not leaks(f"2025-09-01 0.1{min(planter.planted)} a{min(planter.planted)}", planter)


def test_every_spelling_is_refused(target: TestTarget) -> None:
    macros = (ROOT / "macros/staging/text.sql").read_text(encoding="utf-8")
    query = "select {{ without_private('a.t', 'a.t') }} from (select cast(%s as char) as t) as a"
    jinja = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 (SQL, no page)
    statement = jinja.from_string(macros + query).render()
    numbers = [spelling.format("900", "511", "22", "33") for spelling in SPELLINGS]
    numbers += ["+7\u200b900\u200b511\u200b22\u200b33", "８９００５１１２２３３", "٨٩٠٠٥١١٢٢٣٣"]
    numbers += ["anna@example.org", "А" * 256]
    kept = ["Иванова Анна 2, каб. 104 (доб. 12)", "101", "2ГИС", "С 1 по 5 марта", None]
    found = {
        text: target.rows(statement.strip(), (text,))[0][0]
        for text in (*kept, *numbers, *(f"Анна {number}" for number in numbers))
    }
    assert found == {text: text if text in kept else None for text in found}


@contextmanager
def watched(here: TestTarget) -> Iterator[set[str]]:
    """The statements that the process list shows meanwhile to who looks often."""
    seen: set[str] = set()
    ended = threading.Event()

    def look(cursor: MySQLCursorAbstract) -> None:
        while not ended.wait(0.01):
            cursor.execute("select info from information_schema.processlist")
            seen.update(text(info) for (info,) in cursor.fetchall() if info)

    # Connected here: a target's environment is the process's while it is read.
    with (
        closing(here.connect()) as connection,
        closing(connection.cursor()) as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        looking = pool.submit(look, cursor)
        try:
            yield seen
        finally:
            ended.set()
            looking.result()


PLAN = """scenarios:
  - name: all_answered
    effects:
      - {kind: answering, answered_share: 0.99}
"""


@pytest.fixture(scope="module")
def swept(target: TestTarget) -> Iterator[tuple[TestTarget, Planter, dict[str, str]]]:
    """Everything run over planted sources, and what the commands said."""
    skip_unless(target, "embedded")  # Nothing here depends on the engine.
    planter = Planter()
    with own_schema(target, "privacy") as here:
        source = planted(simulated_source(30, date(2025, 8, 23), seed=5), planter)
        fill(here, source)
        plan = here.folder / "plan.yml"
        plan.write_text(PLAN)
        variables = json.dumps({"as_of": moment(NOW), "lm_model_dir": str(here.folder / "models")})
        said: dict[str, str] = {}
        # As cron starts it: whatever is written may be read by everybody, unless `lm` sees to it.
        os.umask(0o022)
        caller = next(call["caller_number"] for call in source.history if call["context_type"] == 1)
        commands = (
            ("run",),
            ("what-if", "--example"),
            ("what-if", str(plan), "--days", "7"),
            ("what-if", str(plan), "--days", "7", "--json"),
            ("staff", "--days", "7", "--json"),
            ("report", "--format", "text"),
            ("report", "--lang", "en", "--output", str(here.folder / "page.html")),
            ("score", "--call", str(source.history[-1]["history_id"]), "--json"),
            ("forget", "--caller", caller, "--from-sources"),
            ("doctor", "--json"),
        )
        with watched(here) as statements:
            for command in commands:
                done = here.lm(*command, "--vars", variables)
                said[" ".join(command)] = done.stdout + done.stderr
                assert done.returncode == 0, said
            here.dbt("docs", "generate", "--static", vars=json.loads(variables))
        assert any("insert into" in statement.lower() for statement in statements)
        said["process list"] = "\n".join(statements)
        yield here, planter, said


def test_nothing_planted_leaves_the_sources(
    swept: tuple[TestTarget, Planter, dict[str, str]],
) -> None:
    here, planter, said = swept
    assert len(planter.planted) > 2_000
    ours = relations(here, "call_history", "call_scores")
    assert {"int_calls", "lm_value", "lm_forecast", "lm_scenario_result"} <= set(ours)
    # The page that `lm run` leaves stands in the project's folder.
    pages = [Path(path) for path in re.findall(r"report: (\S+)", said["run"])]
    assert pages
    files = {str(p): p for p in (*pages, *here.folder.rglob("*")) if p.is_file()}
    names = {p.name for p in files.values()}
    assert {"page.html", "catalog.json", "static_index.html", "manifest.json", "dbt.log"} <= names
    assert any("models" in p.parts for p in files.values())
    places = {**texts(here, ours), **said}
    places |= {name: p.read_bytes().decode("utf-8", "replace") for name, p in files.items()}
    found = {place: sorted(leaks(text, planter))[:5] for place, text in places.items()}
    assert not {place: leaked for place, leaked in found.items() if leaked}


def test_files_are_their_owner_s_alone(
    swept: tuple[TestTarget, Planter, dict[str, str]],
) -> None:
    here, _, said = swept
    files = [path for path in here.folder.rglob("*") if path.is_file()]
    ours = [path for path in files if path.name not in ("profiles.yml", "plan.yml")]
    page = Path(re.findall(r"report: (\S+)", said["run"])[0])
    assert {"page.html", "dbt.log", "manifest.json"} <= {path.name for path in ours}
    assert [path for path in (*ours, page) if path.stat().st_mode & 0o077] == []


def test_refused_operators_are_counted(
    swept: tuple[TestTarget, Planter, dict[str, str]],
) -> None:
    here, _, said = swept
    ((refused, unknown),) = here.rows(
        "select sum(has_refused_operator), sum(operator_name = 'unknown') from fct_call"
    )
    assert refused > 100
    assert unknown >= refused
    (told,) = re.findall(r"(\d+) of [\d,]+ calls have a phone number", said["doctor --json"])
    assert int(told) == refused
    ((shown,),) = here.rows("select count(*) from fct_call where operator_name <> 'unknown'")
    assert shown > 100


CHAIN = ("+int_calls",)


@pytest.fixture(scope="module")
def switchboard(target: TestTarget) -> Iterator[TestTarget]:
    """A phone system that writes the caller into called_info: two of a common name among them."""
    with own_schema(target, "operators") as here:
        ids = count(1)
        calls = [
            talk(
                next(ids), 1, place, called_info="Мария Иванова" if place < 7 else f"Клиент {place}"
            )
            for place in range(40)
        ]
        calls += [talk(next(ids), 2, place, caller_info="Анна Оператор") for place in range(6)]
        calls += [talk(next(ids), 2, place, caller_info="Вера Новая") for place in range(4)]
        calls += [talk(next(ids), 2, 3, caller_info="Гость Случайный") for _ in range(9)]
        fill(here, Source(calls, []))
        run(here, "seed")
        run(here, "run", "--select", *CHAIN, as_of=NOW)
        yield here


def talk(history_id: int, direction: int, person: int, **changes: object) -> Row:
    start = datetime(2025, 9, 1, 10) + timedelta(minutes=history_id)
    outside, inside = f"+7900{person:07d}", "+74950000000"
    return {
        "history_id": history_id,
        "context_type": direction,
        "caller_number": outside if direction == 1 else inside,
        "called_number": inside if direction == 1 else outside,
        "caller_info": None,
        "called_info": None,
        "talk_duration": 60,
        "await_sec": 5,
        "context_start_time": 1_756_700_000 + history_id,
        "context_start_time_dt": start,
        "entry_id": f"call-{history_id}",
        "created_at": start,
        **changes,
    }


def operators(here: TestTarget) -> dict[str, int]:
    return dict(here.rows("select operator_name, count(*) from int_calls group by 1"))


def test_a_column_of_callers_names_nobody(switchboard: TestTarget) -> None:
    """Nor does a name of few callers, or of one who has called often."""
    assert operators(switchboard) == {"Анна Оператор": 6, "unknown": 53}
    refused = switchboard.rows("select sum(has_refused_operator) from int_calls")
    assert refused == [(53,)]
    places = texts(switchboard, relations(switchboard))
    found = {place for place, text in places.items() if "Иванова" in text}
    assert found == {"call_history.called_info"}


def test_a_new_operator_is_known_after_five_callers_from_the_first_call_on(
    switchboard: TestTarget,
) -> None:
    insert(switchboard, "call_history", talk(60, 2, 30, caller_info="вера  новая"))
    run(switchboard, "run", "--select", *CHAIN, as_of=NOW)
    assert operators(switchboard) == {"Анна Оператор": 6, "Вера Новая": 5, "unknown": 49}


def test_who_also_calls_is_not_shown_unless_the_clinic_names_him(switchboard: TestTarget) -> None:
    call = talk(61, 1, 31, caller_info="АННА ОПЕРАТОР", called_info="Клиент 31")
    insert(switchboard, "call_history", call)
    run(switchboard, "run", "--select", *CHAIN, as_of=NOW)
    assert operators(switchboard) == {"Вера Новая": 5, "unknown": 56}
    execute(
        switchboard,
        f"insert into `{switchboard.schema}`.lm_operators values ('Анна Оператор', 1)",
        f"insert into `{switchboard.schema}`.lm_operators values ('Вера Новая', 0)",
    )
    run(switchboard, "run", "--select", *CHAIN, as_of=NOW)
    assert operators(switchboard) == {"Анна Оператор": 6, "unknown": 55}
