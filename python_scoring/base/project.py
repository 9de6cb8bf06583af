"""Where the dbt project is, and its variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from python_scoring.base import yaml_text
from python_scoring.base.errors import ConfigurationError
from python_scoring.base.yaml_text import YamlError

PROJECT_FILE = "dbt_project.yml"
LONGEST_SHOWN = 200


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
        parsed = yaml_text.load(text)
    except YamlError as error:
        raise ConfigurationError(f"--vars {error.problem}: {shown(text)}") from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"--vars must be like '{{name: value}}', got {shown(text)}")
    return parsed


def shown(text: str) -> str:
    """A text that was given, for a message about it."""
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "...")


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
    try:
        project = yaml_text.load_file(path) or {}
    except (OSError, YamlError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
    declared = dict(project.get("vars") or {})
    # dbt allows both `vars: {name: ...}` and `vars: {package: {name: ...}}`.
    own = declared.pop(project.get("name", ""), None) or {}
    return {**declared, **own, **(overrides or {})}
