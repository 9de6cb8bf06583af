"""dbt as a process of its own, with the same project, profile and target as `lm`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from python_scoring.base import engine
from python_scoring.base.profile import Target
from python_scoring.base.project import dump_vars

SETTINGS = {
    # Nothing about a clinic's project leaves its machine.
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "PYTHONUNBUFFERED": "1",
}

# `python -m dbt.cli.main` does nothing since dbt-core 1.8.
DBT = ("-c", "from dbt.cli.main import cli; cli()")

# Of what a failed process said: its last words name the error.
LONGEST_OUTPUT = 3_000


def prepare(target: Target) -> None:
    """Start the embedded engine if that is the target and it does not run."""
    if target.is_embedded and target.socket:
        engine.ensure(engine.dir_of_socket(target.socket))


def run(
    target: Target,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, Any] | None = None,
) -> int:
    """Run `dbt ARGUMENTS` on `target`, showing its output; returns dbt's exit code.

    `variables` are the ones to give dbt on top of dbt_project.yml.
    """
    prepare(target)
    sys.stdout.flush()
    return subprocess.run(
        command(target, arguments, variables),
        cwd=target.project_dir,
        env=os.environ | SETTINGS,
        check=False,
    ).returncode


def run_quietly(
    target: Target,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run `dbt ARGUMENTS` with nothing shown; returns '', or the end of its output if it failed."""
    prepare(target)
    done = subprocess.run(
        [*command(target, arguments, variables), "--no-use-colors"],
        cwd=target.project_dir,
        env={**os.environ, **SETTINGS, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-LONGEST_OUTPUT:]


def command(
    target: Target, arguments: Sequence[str], variables: Mapping[str, Any] | None = None
) -> list[str]:
    """dbt's command line. To be run in the project's folder: socket paths count from there."""
    words = [sys.executable, *DBT, *arguments]
    words += ["--project-dir", str(target.project_dir), "--target", target.name]
    words += ["--profiles-dir", str(target.profiles_dir)]
    if variables:
        words += ["--vars", dump_vars(variables)]
    return words
