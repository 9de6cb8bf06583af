"""The documentation: pages follow from the seeds, examples are right, everything is described."""

from __future__ import annotations

import argparse
import ast
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, clean_environment
from oracle_base import Batch, Context, Row, flat_params, fold, profile_of_call
from oracle_metrics import metrics_of_call
from oracle_seeds import Seeds, load_seeds
from test_oracle_examples import AS_OF, CALL, SEEDS

from python_scoring.base import dbt_runner, profile
from python_scoring.dictionary import command
from python_scoring.dictionary.markdown import sentence
from python_scoring.dictionary.seeds import load
from python_scoring.probability.base_rates import BaseRates
from python_scoring.probability.explain import lookup_reasons
from python_scoring.probability.settings import METRICS as FORECASTS

PROJECT = "operabot_lm"
DICTIONARY = load(ROOT)
EXAMPLES = DICTIONARY.examples
CODES = [row["metric_code"] for row in DICTIONARY.metrics]
RULES = [code for code in CODES if code not in FORECASTS and code != "feature_pack"]
STEPS = [(code, step) for code in CODES for step in EXAMPLES[code]["steps"]]
# The columns of a known call that its history in examples.yml lists, before calls and events.
HISTORY = {
    "conversion_prob_forecast": ("outcome", "call_category", "service_group"),
    "second_call_prob": ("is_answered", "outcome", "calls_7d"),
    "complaint_prob": ("complaint_points", "calls_7d"),
}
FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "ln": math.log,
    "exp": math.exp,
    "abs": abs,
    "least": min,
    "greatest": max,
}
LINK = re.compile(r"#!/(\w+)/([\w.]+)")


# ---- generated files


def test_pages_follow_from_the_seeds() -> None:
    assert list(command.outdated(ROOT)) == [], "run: lm dictionary"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("seeds", "macros", "models/docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "dbt_project.yml", tmp_path)
    monkeypatch.setenv("DBT_PROJECT_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "seeds/lm_rule_params.csv",
            ",max_wait_sec,default_v1,3600",
            ",max_wait_sec,default_v1,60",
        ),
        ("seeds/lm_reason_dictionary.csv", "The call was missed", "Nobody answered"),
        ("seeds/lm_kpi_dictionary.csv", "Abandonment rate", "Share abandoned"),
        ("macros/shared/_macros.yml", "description", "description  "),
    ],
)
def test_check_finds_what_a_change_left_behind(
    copy: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str
) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    assert command.run(argparse.Namespace(check=True)) == 1
    assert "run lm dictionary" in capsys.readouterr().err
    assert command.run(argparse.Namespace(check=False)) == 0
    assert command.run(argparse.Namespace(check=True)) == 0


# ---- worked examples


def worked_out(text: str) -> float:
    """The value of an arithmetic expression, ^ being power."""
    return _value(ast.parse(text.replace("^", "**"), mode="eval").body)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left), _value(right)
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div():
                    return a / b
                case ast.Pow():
                    return a**b
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*(_value(arg) for arg in args))
    raise ValueError(ast.unparse(node))


@pytest.mark.parametrize(("code", "step"), STEPS)
def test_each_step_is_right(code: str, step: str) -> None:
    """Numbers within a step are rounded themselves: one unit of the last digit is allowed."""
    _, arithmetic, result = step.split(" = ")
    digits = len(result.partition(".")[2])
    assert worked_out(arithmetic) == pytest.approx(float(result), abs=10.0**-digits)


@pytest.mark.parametrize("code", [code for code in CODES if EXAMPLES[code]["steps"]])
def test_the_steps_end_with_the_value(code: str) -> None:
    last = [s for s in EXAMPLES[code]["steps"] if s.startswith("value = ")][-1].split(" = ")[2]
    digits = len(last.partition(".")[2])
    assert float(last) == pytest.approx(EXAMPLES[code]["value"], abs=0.51 * 10.0**-digits)


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return load_seeds(SEEDS)


@pytest.mark.parametrize("code", RULES)
def test_the_oracle_finds_the_same(seeds: Seeds, code: str) -> None:
    example = EXAMPLES[code]
    constants = example.get("constants", {})

    def learnt(constant: str, key: str, day: Any) -> Row | None:
        row = constants.get(constant, {}).get(key)
        return Row(row["value"], None, row["n"]) if row else None

    batch = example.get("batch")
    call = CALL | example["call"]
    calc_profile, rule = profile_of_call(call, seeds.profiles, seeds.is_holiday, seeds.is_weekend)
    found = metrics_of_call(
        call,
        flat_params(seeds.params, calc_profile),
        {"calc_profile": calc_profile, "rule": rule},
        Context(
            AS_OF,
            learnt,
            median_ticket=2500,
            checklists=seeds.checklists,
            is_working_day=seeds.is_working_day,
            lm_version=example["label"] or "",
            batches={CALL["review_date"]: Batch(batch["reviews"], batch["share_over_10"])}
            if batch
            else {},
        ),
    )[code]
    assert (found.gate, found.status) == (None, "ok")
    assert found.value_numeric == (
        None if example["value"] is None else pytest.approx(example["value"], abs=1e-4)
    )
    assert found.value_label == example["label"]
    reasons = {reason["code"]: reason for reason in example["reasons"]}
    points = found.reasons if found.kind == "factors" else fold(found.reasons)
    assert points == pytest.approx({name: r["points"] for name, r in reasons.items()})
    for name, reason in reasons.items():
        for number, told in zip(("value", "ref"), found.details.get(name, ()), strict=False):
            if number in reason and told is not None:
                assert reason[number] == told, name
    assert {key: found.extras[key] for key in example.get("told", {})} == example.get("told", {})


@pytest.mark.parametrize("code", FORECASTS)
def test_the_base_rates_find_the_same(code: str) -> None:
    example = EXAMPLES[code]
    calls = [
        dict(zip(HISTORY[code], row, strict=False)) | {"label": int(number < row[-1])}
        for row in example["history"]
        for number in range(row[-2])
    ]
    frame = pd.DataFrame(calls)
    call = pd.DataFrame([example["call"] | {"call_category": "lead", "await_sec": 10}])
    if "outcome" not in frame:
        frame["outcome"] = call["outcome"][0]
    rates = BaseRates(code).fit(frame, frame["label"].to_numpy()).level_rates(call)
    shown = np.round(rates[:, -1], 4)
    assert shown[0] == pytest.approx(example["value"])
    _, reasons = lookup_reasons(code, call, rates, shown)
    assert reasons[0] == [pytest.approx(reason) for reason in example["reasons"]]


def test_the_feature_pack_has_what_its_page_names() -> None:
    macro = (ROOT / "macros/metrics/_aux.sql").read_text(encoding="utf-8")
    told = EXAMPLES["feature_pack"]["told"]
    assert told
    assert all(f"'{name}'" in macro for name in told)


@pytest.mark.parametrize(
    ("text", "reason", "language", "shown"),
    [
        (
            "Ждал {value} с из {ref} с",
            {"points": -50, "value": 40.25, "ref": 20},
            "ru",
            "Ждал 40,2 с из 20 с",
        ),
        ("{value%} %", {"points": 1, "value": 0.305}, "en", "30.5 %"),
        ("It{signed}", {"points": -0.26}, "en", "It (-0.3)"),
        ("Звонков{told}{signed%}", {"points": 0.041, "value": 4}, "ru", "Звонков: 4 (+4,1 п.п.)"),
        ("Calls{told}{signed%}", {"points": -0.041}, "en", "Calls (-4.1 pp)"),
    ],
)
def test_a_sentence_has_its_numbers(
    text: str, reason: dict[str, float], language: str, shown: str
) -> None:
    assert sentence(text, reason, language) == shown


@pytest.mark.parametrize("code", CODES)
def test_no_sentence_of_an_example_lacks_a_number(code: str) -> None:
    for reason in EXAMPLES[code]["reasons"]:
        row = DICTIONARY.text(reason["code"], code)
        for language in ("ru", "en"):
            assert "{" not in sentence(row[f"sentence_{language}"], reason, language)


# ---- what dbt knows


def strict_parse(project: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """`dbt parse` into an empty folder; no database is asked.

    dbt warns of keys that it does not know, and of old ones, for four adapters only: here for ours
    too. A key of a config is known if it is dbt's, or one that the project's macros read.
    """
    read = re.compile(r"\bconfig\.(?:get|require)\('(\w+)'")
    own = {key for path in ROOT.glob("macros/**/*.sql") for key in read.findall(path.read_text())}
    program = (
        "from dbt.jsonschemas import jsonschemas\n"
        "jsonschemas._JSONSCHEMA_SUPPORTED_ADAPTERS.add('operabot_mysql')\n"
        f"jsonschemas._ADAPTER_TO_EXTRA_KEYS['operabot_mysql'] = {sorted(own)}\n"
        "from dbt.cli.main import cli; cli()"
    )
    shutil.copyfile(ROOT / profile.EXAMPLE, folder / "profiles.yml")
    environment = (
        clean_environment()
        | dbt_runner.SETTINGS
        | {
            "LM_SCHEMA": "lm",
            "LM_SOCKET": str(folder / "none"),
            "DBT_TARGET_PATH": str(folder),
            "DBT_LOG_PATH": str(folder),
        }
    )
    return subprocess.run(
        [
            *(sys.executable, "-c", program, "parse", "--project-dir", str(project)),
            *("--profiles-dir", str(folder), "--target", "embedded", "--show-all-deprecations"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The project as dbt parses it, without a warning."""
    folder = tmp_path_factory.mktemp("docs")
    done = strict_parse(ROOT, folder)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout, done.stdout
    yield json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def own(manifest: Mapping[str, Any], *kinds: str) -> dict[str, dict[str, Any]]:
    return {
        name: node
        for kind in kinds
        for name, node in manifest[kind].items()
        if node["package_name"] == PROJECT and node["resource_type"] not in ("test", "operation")
    }


def test_misspelt_keys_are_found(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "parsed"
    (project / "models").mkdir(parents=True)
    folder.mkdir()
    (project / "dbt_project.yml").write_text("name: small\nprofile: operabot_lm\nversion: 1.0.0\n")
    (project / "models" / "one.sql").write_text("{{ config(kyes=[], feed={}) }} select 1 as n")
    (project / "models" / "one.yml").write_text(
        "models: [{name: one, descripton: x, columns: [{name: n, datatype: int}]}]"
    )
    done = strict_parse(project, folder)
    assert done.returncode == 0, done.stdout
    told = set(re.findall(r"[Kk]ey `(\w+)`", " ".join(done.stdout.split())))
    assert told == {"kyes", "descripton", "datatype"}, done.stdout


def test_everything_is_described(manifest: dict[str, Any]) -> None:
    found = []
    kinds = ("nodes", "sources", "macros", "exposures", "metrics", "semantic_models")
    for name, node in own(manifest, *kinds).items():
        if not (node.get("description") or "").strip():
            found.append(name)
        columns = node.get("columns", {}).values()
        found += [f"{name}: {c['name']}" for c in columns if not c["description"].strip()]
        if node["resource_type"] in ("model", "seed", "source") and not columns:
            found.append(f"{name}: no columns")
    assert found == [], "write a description into the yml"


def test_macros_are_described_with_their_arguments(manifest: dict[str, Any]) -> None:
    found = {}
    for name, macro in own(manifest, "macros").items():
        signature = re.search(r"\{%-?\s*macro\s+\w+\(([^)]*)\)", macro["macro_sql"])
        named = (
            [part.split("=")[0].strip() for part in signature[1].split(",")] if signature else []
        )
        described = [a["name"] for a in macro["arguments"] if (a["description"] or "").strip()]
        if described != [argument for argument in named if argument]:
            found[name] = (described, named)
    assert found == {}, "name and describe the arguments in _macros.yml"


def test_every_model_is_tested(manifest: dict[str, Any]) -> None:
    """By a dbt test, which each build runs, or by the Python module that its meta names."""
    tested = {
        upstream
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        for upstream in node["depends_on"]["nodes"]
    }
    found = []
    for name, node in own(manifest, "nodes").items():
        if node["resource_type"] not in ("model", "seed") or name in tested:
            continue
        module = node["meta"].get("tested_by", "")
        if not (module and (ROOT / module).is_file()):
            found.append(name)
    assert found == [], "add a dbt test, or config: {meta: {tested_by: tests/python/...}}"


def test_exposures_name_what_python_reads(manifest: dict[str, Any]) -> None:
    tables = {node["name"]: name for name, node in own(manifest, "nodes", "sources").items()}
    checked = 0
    for name, exposure in own(manifest, "exposures").items():
        if not (path := exposure["meta"].get("reads_in")):
            continue
        words = re.findall(r"\w+", (ROOT / path).read_text(encoding="utf-8"))
        read = {tables[word] for word in words if word in tables}
        assert read == set(exposure["depends_on"]["nodes"]), name
        checked += 1
    assert checked >= 4


def test_every_metric_has_a_page(manifest: dict[str, Any]) -> None:
    assert {node["name"] for node in own(manifest, "metrics").values()} == set(CODES)


def test_links_lead_to_pages(manifest: dict[str, Any]) -> None:
    pages = {
        (node["resource_type"], name)
        for name, node in own(manifest, "nodes", "sources", "metrics", "exposures").items()
    }
    links = {
        link
        for block in manifest["docs"].values()
        if block["package_name"] == PROJECT
        for link in LINK.findall(block["block_contents"])
    }
    assert len(links) > len(CODES)
    assert links <= pages, links - pages


def test_an_example_names_no_unknown_column(manifest: dict[str, Any]) -> None:
    columns = set(manifest["nodes"][f"model.{PROJECT}.fct_call"]["columns"])
    columns |= set(manifest["nodes"][f"model.{PROJECT}.int_forecast_inputs"]["columns"])
    for code in CODES:
        assert set(EXAMPLES[code]["call"]) <= columns, code
