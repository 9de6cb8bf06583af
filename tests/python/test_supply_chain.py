"""What comes with the project: the bill of materials, the licences, and what is written of both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from packaging.version import Version

SECURITY = (ROOT / ".github" / "SECURITY.md").read_text("utf-8")
PERMISSIVE = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "MIT",
              "PSF-2.0", "Zlib"}  # fmt: skip
LOCKED = dict(
    re.findall(r"^([a-z0-9-]+)==([^ \\;]+)", (ROOT / "requirements.lock").read_text(), re.M)
)


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As `make sbom` makes it, of the packages that these tests run with."""
    path: Path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    subprocess.run(
        [sys.executable, ROOT / ".ci" / "sbom.py", path], check=True, capture_output=True
    )
    return dict(json.loads(path.read_text()))


def words_of(component: dict[str, Any]) -> str:
    (found,) = component["licenses"]
    return str(found.get("expression") or found["license"]["name"])


def test_the_bill_holds_every_package_of_the_lock(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {one["name"]: one for one in bill["components"]}
    # Other systems' and other Pythons' packages apart.
    missing = LOCKED.keys() - found.keys()
    assert missing <= {"colorama", "pylibseekdb", "pymysql", "python-dotenv", "tqdm"}
    for name, one in found.items():
        if name in LOCKED and name not in ("networkx", "numpy", "scipy"):  # a version a Python
            assert one["version"] == LOCKED[name], name
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}"
    assert bill["metadata"]["component"]["name"] == "operabot-lm"
    scopes = {name: one["scope"] for name, one in found.items()}
    assert {scopes[name] for name in ("dbt-core", "pandas", "urllib3")} == {"required"}
    assert {scopes[name] for name in ("pytest", "ruff", "sqlfluff")} == {"optional"}


def test_what_depends_on_what_leads_to_listed_packages(bill: dict[str, Any]) -> None:
    listed = {one["bom-ref"] for one in (*bill["components"], bill["metadata"]["component"])}
    ends = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert ends.keys() == listed
    assert {end for some in ends.values() for end in some} <= listed
    ours = ends[bill["metadata"]["component"]["bom-ref"]]
    assert any("dbt-core@" in end for end in ours) and any("scikit-learn@" in end for end in ours)


def test_every_licence_is_one_that_was_read(bill: dict[str, Any]) -> None:
    """Permissive, or told in SECURITY.md with what it means."""
    asking = {
        one["name"]: words_of(one)
        for one in bill["components"]
        if not set(re.split(r" (?:AND|OR) ", words_of(one))) <= PERMISSIVE
    }
    assert asking["mysql-connector-python"].startswith("GPL-2.0-only WITH")
    licences = SECURITY.partition("## Licences")[2]
    assert [name for name in asking if f"`{name}`" not in licences] == []


def test_advisories_that_are_answered_are_behind_the_lock() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| ([\d.]+) \|", SECURITY, re.M)
    assert len(rows) > 8
    for name, advisory, fixed in rows:
        assert Version(LOCKED[name]) >= Version(fixed), f"{name}: {advisory}"
