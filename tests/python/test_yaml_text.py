"""Every YAML that a user writes: bounded, told in one line, and read as PyYAML reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, run_here
from hypothesis import example, given
from hypothesis import strategies as st

from python_scoring import cli
from python_scoring.base import yaml_text
from python_scoring.base.errors import EXIT_CONFIGURATION, ConfigurationError
from python_scoring.base.yaml_text import YamlError
from python_scoring.staffing import roster
from python_scoring.whatif import document as documents

# 9 ** 9 values in 300 bytes.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 10)
)
LADDER = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 1000))
HOSTILE = {
    "bomb": BOMB,
    "merges": MERGES,
    "ladder": LADDER,
    "brackets": "[" * 100_000,
    "braces": "{a: " * 50_000,
    "dashes": "- " * 50_000,
    "questions": "? " * 20_000,
    "itself": "a: &a [*a]",
    "its_own_key": "&a {*a : 1}",
    "wide": "[" + "a," * 200_000 + "]",
    "long": "a: '" + "x" * 500_000 + "'",
    "longer": "#" * 2_000_000,
    "digits": "a: " + "9" * 9_000,
    "sixties": "a: " + ":".join(["59"] * 3_000),
    "no_day": "a: 2026-02-31",
    "no_offset": "a: 2026-01-01 00:00:00 +99:99",
    "no_number": "a: !!int x",
    "no_digits": "a: !!float ''",
    "no_flag": "a: !!bool perhaps",
    "no_moment": "a: !!timestamp now",
    "no_sign": '"\\UFFFFFFFF"',
    "code": "!!python/object/apply:os.system ['true']",
    "two": "a: 1\n---\nb: 2",
    "unknown": "a: *b",
    "nul": "a: \0",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(YamlError) as refused:
        value = yaml_text.load(text)
        pytest.fail(f"read as {str(value)[:100]}")
    assert time.monotonic() < begun + 5
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


READERS: dict[str, Callable[[Path, str], list[str]]] = {
    "mapping": lambda file, _: ["import", str(file), "--mapping", str(file)],
    "reviews": lambda file, _: ["import", str(file), "--reviews", "--mapping", str(file)],
    "profile": lambda file, _: ["report", "--profiles-dir", str(file.parent)],
    "vars": lambda _, text: ["report", "--vars", text],
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["bomb", "brackets", "no_day", "digits"])
def test_every_command_refuses_it_in_a_sentence(reader: str, name: str, tmp_path: Path) -> None:
    text = HOSTILE[name] if name != "brackets" or reader != "vars" else "[" * 9_000
    file = tmp_path / "profiles.yml"
    file.write_text(text)
    words = READERS[reader](file, text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DBT_PROJECT_DIR": str(ROOT)}
    done = run_here(lambda: cli.main(words), words, environment, check=False)
    assert done.returncode == EXIT_CONFIGURATION, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2_000


# A tag on a list is left alone there, and the list is no scenario.
@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"code"}))
def test_a_scenario_file_tells_its_line(name: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.yml"
    file.write_text(HOSTILE[name])
    document = documents.read(file)
    assert document.errors and all(error.startswith("plan.yml") for error in document.errors)


def test_size_of_a_file_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "big.yml"
    with file.open("wb") as stream:
        stream.truncate(10 * 2**30)
    with pytest.raises(YamlError, match="is longer than"):
        yaml_text.load_file(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(YamlError, match="UTF-8"):
        yaml_text.load_file(file)
    file.write_text("\ufeffa: 1", encoding="utf-8")
    assert yaml_text.load_file(file) == {"a": 1}


def test_bounds_count_aliases_as_written_out() -> None:
    pair = "a: &a [1, 2]\nb: [*a, *a]\n"
    assert yaml_text.load(pair) == {"a": [1, 2], "b": [[1, 2], [1, 2]]}
    most = yaml_text.MOST_NODES
    # The mapping, its three keys, and two lists: a list of n, and one of n copies of that.
    assert yaml_text.load(f"[{', '.join(['x'] * (most - 1))}]")
    with pytest.raises(YamlError, match="aliases are written out"):
        yaml_text.load(f"[{', '.join(['x'] * most)}]")
    deep = yaml_text.DEEPEST
    assert yaml_text.load("[" * deep + "]" * deep)
    with pytest.raises(YamlError, match="nested deeper"):
        yaml_text.load("[" * (deep + 1) + "]" * (deep + 1))


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates()
VALUES = st.recursive(
    PLAIN | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=40,
)


@given(VALUES, st.booleans())
def test_what_is_in_bounds_reads_as_pyyaml_reads_it(value: Any, flow: bool) -> None:
    text = yaml.safe_dump([value, value], default_flow_style=flow, allow_unicode=True)
    assert yaml_text.load(text) == yaml.safe_load(text)


TOKENS = ("[", "]", "{", "}", ": ", ", ", "\n", "  ", "- ", "? ", "&a ", "*a", "<<: ", "!!int ")
WORDS = (
    "a",
    "1",
    "'",
    '"',
    "|",
    "#",
    "2026-02-31",
    "~",
    "=",
    "\t",
    "---\n",
    "\\U",
    "!!set ",
    "0o9",
)


@given(st.lists(st.sampled_from(TOKENS + WORDS), max_size=60).map("".join) | st.text(max_size=200))
@example("? &a [*a]\n: 1")
@example("!!omap [[1, 2]]")
@example("[=]")
def test_any_text_gives_a_value_or_one_sentence(text: str) -> None:
    try:
        yaml_text.load(text)
    except YamlError as error:
        assert "\n" not in str(error)


def test_project_files_are_in_bounds() -> None:
    """Ours are nowhere near the limits, so that a user's own are not either."""
    for path in (ROOT / "dbt_project.yml", ROOT / "profiles.example.yml"):
        assert yaml_text.load_file(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_hostile_roster_is_told(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("day,from,to,people\n" + "x" * 200_000)
    with pytest.raises(ConfigurationError, match="cannot read the roster"):
        roster.read(file)
