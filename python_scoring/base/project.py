"""Where the dbt project is, and its variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from python_scoring.base.errors import ConfigurationError

PROJECT_FILE = "dbt_project.yml"


def project_dir() -> Path:
    """DBT_PROJECT_DIR, else the nearest folder above with dbt_project.yml, else our checkout."""
    if named := os.environ.get("DBT_PROJECT_DIR"):
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return Path(__file__).resolve().parents[2]


def parse_vars(text: str | None) -> dict[str, Any]:
    """The dictionary in `--vars`, YAML or JSON as dbt takes it."""
    if not text:
        return {}
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--vars is no YAML: {text!r} ({error})") from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"--vars must be like '{{name: value}}', got {text!r}")
    return parsed


def dump_vars(values: Mapping[str, Any]) -> str:
    """`values` as the text of dbt's `--vars`; dates and times become text."""
    return json.dumps(dict(values), ensure_ascii=False, default=str)


def project_vars(
    folder: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The variables of dbt_project.yml, with `overrides` (from `--vars`) on top."""
    folder = folder or project_dir()
    path = folder / PROJECT_FILE
    if not path.is_file():
        raise ConfigurationError(f"no {PROJECT_FILE} in {folder}: run lm in the project's folder")
    with path.open(encoding="utf-8") as stream:
        project = yaml.safe_load(stream) or {}
    declared = dict(project.get("vars") or {})
    # dbt allows both `vars: {name: ...}` and `vars: {package: {name: ...}}`.
    own = declared.pop(project.get("name", ""), None) or {}
    return {**declared, **own, **(overrides or {})}
