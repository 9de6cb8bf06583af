"""The guides say what is so: sections, commands, paths, messages. Their SQL runs in
test_marts_against_pandas, where a schema is built."""

from __future__ import annotations

import argparse
import csv
import io
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from guide_cases import CONTRIBUTING, GUIDES, QUESTIONS, README, RUSSIAN, blocks, text_of

from python_scoring import cli
from python_scoring.base.source_tables import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

EVERY_GUIDE = pytest.mark.parametrize(
    "guide", GUIDES, ids=lambda path: path.parent.name + path.name
)
# What a reader is told to make, and what a run leaves behind.
NOT_THERE = {
    "target/static_index.html",
    "target/lm_report.html",
    "target/compiled/operabot_lm/analyses",
}
EXAMPLE = "repeat_contact_index"
# Messages of dbt and of the servers, which no file of ours holds.
FOREIGN = (
    "Can't connect to local MySQL server through socket",
    "Could not find profile named 'operabot_lm'",
    "Invalid value for '--profiles-dir'",
    "REFERENCES command denied",
    "a foreign key constraint fails",
    "Lock wait timeout exceeded",
    "1449",
    "certificate verify failed",
    "The user specified as a definer",
    "does not exist",
    "1267 Illegal mix of collations",
)


@cache
def project_files() -> frozenset[str]:
    """Paths below the folders that guides name; what runs leave there is no part of it."""
    folders = ("models", "macros", "seeds", "tests", "analyses", "python_scoring")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return frozenset(str(path.relative_to(ROOT)) for path in found if path.suffix != ".pyc")


@cache
def source_text() -> str:
    """Everything that can say a message, on one line, quotes between parts of a text taken out."""
    files = [ROOT / "Makefile", *ROOT.glob("python_scoring/**/*.py"), *ROOT.glob("macros/**/*.sql")]
    text = " ".join(path.read_text("utf-8") for path in files)
    return re.sub(r"\s+", " ", re.sub(r'"\s*\n?\s*(~ )?f?"', "", text)).replace("`", "")


def code_of(guide: Path) -> list[str]:
    """What the guide sets as code: blocks and spans."""
    text = text_of(guide)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    return [*blocks(guide, ""), *spans]


def headings(guide: Path) -> list[str]:
    outside = re.sub(r"^```.*?^```$", "", text_of(guide), flags=re.M | re.S)
    return re.findall(r"^(#+) ", outside, re.M)


def tables(guide: Path) -> list[list[str]]:
    """First cells of each table, row by row."""
    groups = re.findall(r"(?:^ *\|.*\n)+", text_of(guide), re.M)
    return [[row.split("|")[1].strip() for row in group.splitlines()[2:]] for group in groups]


def test_both_readmes_have_the_same_sections_tables_and_commands() -> None:
    assert headings(README) == headings(RUSSIAN)
    ours, theirs = tables(README), tables(RUSSIAN)
    assert [len(table) for table in ours] == [len(table) for table in theirs]
    for one, other in zip(ours, theirs, strict=True):
        for mine, its in zip(one, other, strict=True):
            assert re.findall("`[^`]+`", mine) == re.findall("`[^`]+`", its)

    def commands(guide: Path) -> list[str]:
        return [re.sub("_ru|--lang (ru|en)", "_en", body) for body in blocks(guide, "")]

    assert commands(README) == commands(RUSSIAN)
    assert len(blocks(README, "sql")) == len(blocks(RUSSIAN, "sql"))


@EVERY_GUIDE
def test_commands_exist(guide: Path) -> None:
    makes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    parser = cli.build_parser()
    (subparsers,) = (
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    told = 0
    for code in code_of(guide):
        for target in re.findall(r"(?:^|[\s`])make ([a-z-]+)", code):
            assert target in makes, code
        for line in code.replace("\\\n", " ").splitlines():
            found = re.match(r"(?:.*\s)?(?:\.venv/bin/)?\blm ([a-z][a-z-]*)\b(.*)", line)
            if not found or not re.match(r"(\.venv/bin/)?lm |.*\.venv/bin/lm ", line):
                continue
            command, rest = found.groups()
            assert command in subparsers.choices, line
            options = subparsers.choices[command]._option_string_actions
            for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", rest):
                assert option in options, line
            told += 1
    assert told or guide == QUESTIONS


@EVERY_GUIDE
def test_paths_exist(guide: Path) -> None:
    files = project_files()
    folders = {str(parent) for name in files for parent in Path(name).parents}
    text = text_of(guide)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    for link in links:
        where = (guide.parent / link).resolve()
        assert where.is_file(), link
    roots = "models|macros|seeds|tests|analyses|python_scoring|target"
    for path in re.findall(rf"(?<![\w/.])((?:{roots})/[\w./*-]*\w)", text):
        if path in NOT_THERE or EXAMPLE in path:
            continue
        if "*" in path:
            assert any(Path(name).match(path) for name in files), path
        else:
            assert path in files or path in folders, path


@EVERY_GUIDE
def test_anchors_exist(guide: Path) -> None:
    titles = re.findall(r"^#+ (.+)$", text_of(guide), re.M)
    anchors = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
    for anchor in re.findall(r"\]\(#([^)]+)\)", text_of(guide)):
        assert anchor in anchors


@pytest.mark.parametrize("guide", [README, RUSSIAN], ids=["en", "ru"])
def test_messages_are_those_that_are_shown(guide: Path) -> None:
    told = 0
    for table in tables(guide):
        for cell in table:
            # The table of messages alone has cells of several words in code.
            for message in re.findall(r"`([^`]+ [^`]+)`", cell):
                test = re.match(r"(?:FAIL|WARN) (\w+)$", message)
                if test:
                    assert (ROOT / "tests" / f"{test[1]}.sql").is_file(), message
                    continue
                for part in filter(None, (piece.strip() for piece in message.split("..."))):
                    if not part.startswith(FOREIGN):
                        assert part in source_text(), part
                told += 1
    assert told > 12


def test_settings_are_as_told() -> None:
    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text("utf-8"))["vars"]
    for guide in (README, RUSSIAN):
        for names, _, default in re.findall(
            r"^\| (`.*?`) \| (.*?) \| (.*?) \|$", text_of(guide), re.M
        ):
            codes = re.findall(r"`(\w+)`", names)
            if set(codes) <= set(variables) and codes:
                for code in set(re.findall("`([^`]+)`", default)) - {"lm_versions"}:
                    assert code in {str(variables[name]) for name in codes}, names
    told = re.findall(r"--vars '\{(\w+):", "".join(map(text_of, GUIDES)))
    assert told and set(told) <= set(variables)


def test_the_grants_name_the_columns_that_are_read_and_no_others() -> None:
    (grants,) = [body for body in blocks(README, "") if "grant select" in body]
    found = dict(re.findall(r"grant select \(([^)]*)\), references on clinic\.(\w+)", grants))
    named = {table: re.findall(r"\w+", columns) for columns, table in found.items()}
    for table in ("call_history", "call_scores"):
        assert named[table] == [*REQUIRED_COLUMNS[table], *OPTIONAL_COLUMNS[table]], table
        assert not {"transcript", "result", "phrases", "categories"} & set(named[table])


def test_every_question_is_listed_and_every_listed_one_exists() -> None:
    listed = {
        code
        for table in re.findall(r"\| ([^|]*) \|$", text_of(QUESTIONS), re.M)
        for code in re.findall(r"`(\w+)`", table)
    }
    there = {path.stem for path in (ROOT / "analyses").glob("*.sql")}
    assert there - {"grants_for_readers"} <= listed
    assert "grants_for_readers" in text_of(QUESTIONS)
    for name in there:
        first = (ROOT / "analyses" / f"{name}.sql").read_text("utf-8")
        assert re.search(r"^-- .*\?", first, re.M), f"{name} says its question"


def test_the_page_grants_what_the_question_grants() -> None:
    """One is copied by readers of the page, the other is tested on servers."""
    (page,) = [body for body in blocks(QUESTIONS, "sql") if "grant select" in body]
    question = (ROOT / "analyses" / "grants_for_readers.sql").read_text("utf-8")
    question = re.sub(r"^--.*\n", "", question, flags=re.M).replace(
        "{{ target.schema }}", "operabot_lm"
    )
    assert re.sub(r"\s+", " ", page).strip(" ;") == re.sub(r"\s+", " ", question).strip()


def test_lines_of_the_new_metric_fit_their_seeds() -> None:
    """CONTRIBUTING's lines are copied as they are."""
    lines = [
        line for body in blocks(CONTRIBUTING, "") for line in body.splitlines() if EXAMPLE in line
    ]
    rows = [row for row in csv.reader(io.StringIO("\n".join(lines))) if EXAMPLE in row[:2]]
    found = set()
    for row in rows:
        for seed in ("lm_rule_params", "lm_metric_dictionary", "lm_reason_dictionary"):
            with (ROOT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                header = list(reader.fieldnames or [])
                same_kind = next(reader)
            if len(row) == len(header):
                values = dict(zip(header, row, strict=True))
                assert values["metric_code"] == EXAMPLE
                assert all(values[key] for key in header if same_kind[key] and "action" not in key)
                found.add(seed)
    assert found == {"lm_rule_params", "lm_metric_dictionary", "lm_reason_dictionary"}


@EVERY_GUIDE
def test_no_machine_of_ours_is_named(guide: Path) -> None:
    for pattern in (r"/(home|root|tmp|work)/", r"\b127\.0\.0\.1\b", r"\b3330\d\b"):
        assert not re.search(pattern, text_of(guide)), pattern


def test_hooks_run_tools_of_the_project() -> None:
    (ours,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    makes = (ROOT / "Makefile").read_text("utf-8")
    for hook in ours["hooks"]:
        words = hook["entry"].split()
        if hook["language"] == "system":
            assert any(word.startswith(".venv/bin/") for word in words) or (
                words[0] == "make" and f"\n{words[1]}:" in makes
            )
