"""dbt-mysql under a newer dbt-core: what has moved is named here before a build fails of it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from conftest import DBT, ROOT, TestTarget, clean_environment

ADAPTER = "dbt.adapters.operabot_mysql"


def imported_names(package: str) -> list[tuple[str, str]]:
    """(module, name) of every import from dbt in a package's files."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    found = set()
    for path in Path(spec.origin).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dbt."):
                found |= {(str(node.module), alias.name) for alias in node.names}
    return sorted(found)


@pytest.mark.parametrize("package", [ADAPTER, "dbt.adapters.mysql"])
def test_every_name_is_where_the_adapter_looks_for_it(package: str) -> None:
    importlib.import_module(ADAPTER)
    missing = []
    for module, name in imported_names(package):
        try:
            place = importlib.import_module(module)
            if not hasattr(place, name):
                importlib.import_module(f"{module}.{name}")
        except ImportError as error:
            missing.append(f"{module}.{name}: {error}")
    assert not missing, f"dbt-core {version('dbt-core')} has moved {missing}"


def test_the_lock_holds_the_dbt_that_the_project_asks_for() -> None:
    wanted = [line for line in requires("operabot-lm") or [] if line.startswith("dbt-core")]
    assert wanted and "<1.13" in wanted[0]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = re.search(r"^dbt-core==(\S+)", lock, re.M)
    assert locked and version("dbt-core") == locked.group(1)
    assert "experimental-parser" not in lock, "it fetches a binary when it is installed"


@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_a_profile_of_dbt_mysql_is_told_what_to_write(kind: str, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(
        f"operabot_lm: {{target: own, outputs: {{own: {{type: {kind}, server: localhost,"
        " schema: lm, username: lm, password: none}}}",
        encoding="utf-8",
    )
    done = subprocess.run(
        [DBT, "parse", "--profiles-dir", str(tmp_path)],
        cwd=ROOT,
        env=clean_environment() | {"DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "type: operabot_mysql" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_drivers_c_extension_connects(target: TestTarget) -> None:
    """Newer drivers' C extension cannot talk to the embedded engine; where it does not load, the
    pure Python code hides that."""
    extension = pytest.importorskip("_mysql_connector", reason="no C extension on this machine")
    assert extension
    with target.connect() as connection:
        assert type(connection).__name__ == "CMySQLConnection"
        cursor = connection.cursor()
        cursor.execute("select %s, 'ё'", (7,))
        assert cursor.fetchall() == [(7, "ё")]


def test_dbts_version_is_told() -> None:
    """dbt tries every adapter there is for it, dbt-mysql's own too."""
    done = subprocess.run(
        [DBT, "--version"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert version("dbt-core") in done.stdout + done.stderr
