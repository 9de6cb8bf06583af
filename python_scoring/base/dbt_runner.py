"""dbt with the same project, profile and target as `lm`, in this process or one of its own."""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from python_scoring.base import dbt_watch, engine
from python_scoring.base.dbt_watch import Watch
from python_scoring.base.errors import ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.base.project import dump_vars

SETTINGS = {
    # Nothing about a clinic's project leaves its machine.
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "PYTHONUNBUFFERED": "1",
}

# Seeds, models and the tests of the data. Unit tests are of the code, whatever the data.
BUILD = ("build", "--exclude-resource-type", "unit_test")

# Where dbt writes, in the project unless the environment says otherwise.
FOLDERS = {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}

# Of what a failed command said: its last words name the error.
LONGEST_OUTPUT = 3_000

# The parsed projects of this process, by all that a manifest depends on.
_manifests: dict[tuple[str, ...], Any] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--verbose`, for commands that show their dbt at work."""
    parser.add_argument(
        "--verbose", action="store_true", help="show all that dbt says (its log has it anyway)"
    )


def prepare(target: Target) -> None:
    """See that dbt can write its files, and that the embedded engine runs if that is the target."""
    for name, usual in FOLDERS.items():
        _require_writable(target.project_dir / os.environ.get(name, usual), name)
    if target.is_embedded and target.socket:
        engine.ensure(engine.dir_of_socket(target.socket))


def _require_writable(folder: Path, setting: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"cannot write in {folder} ({error.strerror}): make this user its owner, or name"
            f" another folder in {setting}"
        ) from error


def run(
    target: Target,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    verbose: bool = False,
) -> bool:
    """Run `dbt ARGUMENTS` on `target` in this process; returns whether it succeeded.

    Shown are one line of progress, then dbt's warnings and errors in full; with `verbose`, all
    that dbt says. `variables` are the ones to give dbt on top of dbt_project.yml.
    """
    prepare(target)
    sys.stdout.flush()
    with Watch(f"dbt {arguments[0]}", shows=not verbose) as watch:
        return _invoke(
            target, arguments, variables, watch, environment=environment, verbose=verbose
        )


def run_quietly(
    target: Target,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """As `run`, with nothing shown; returns '', or the end of what dbt complained of."""
    prepare(target)
    with Watch(f"dbt {arguments[0]}", shows=False) as watch:
        is_done = _invoke(target, arguments, variables, watch, environment=environment)
    return "" if is_done else watch.complaints()[-LONGEST_OUTPUT:]


def _invoke(
    target: Target,
    arguments: Sequence[str],
    variables: Mapping[str, Any] | None,
    watch: Watch,
    *,
    environment: Mapping[str, str] | None = None,
    verbose: bool = False,
) -> bool:
    """dbt in this process, its project parsed once for all commands of the process."""
    words = _place(target, variables)
    # What the models ask only when they run may differ.
    parsed_with = {name: value for name, value in (variables or {}).items() if name != "as_of"}
    key = (target.schema, *_place(target, parsed_with))
    with _surroundings(target, environment or {}):
        if key not in _manifests:
            parsed = dbt_watch.invoke(["parse", *words], watch, says="warn" if verbose else "none")
            if not parsed.success:
                return False
            _manifests[key] = parsed.result
        # A copy: a run leaves its compiled models in the manifest, and the next would take them.
        manifest = copy.deepcopy(_manifests[key])
        done = dbt_watch.invoke(
            [*arguments, *words], watch, manifest=manifest, says="info" if verbose else "none"
        )
    return bool(done.success)


def command(
    target: Target,
    arguments: Sequence[str],
    variables: Mapping[str, Any] | None = None,
    *,
    verbose: bool = False,
) -> list[str]:
    """The command line of the same in a process of its own, to be run in the project's folder.

    Socket paths count from there.
    """
    words = ["-m", dbt_watch.__name__, *([dbt_watch.VERBOSE] if verbose else []), *arguments]
    return [sys.executable, *words, *_place(target, variables)]


def _place(target: Target, variables: Mapping[str, Any] | None) -> list[str]:
    words = ["--project-dir", str(target.project_dir), "--target", target.name]
    words += ["--profiles-dir", str(target.profiles_dir)]
    if variables:
        words += ["--vars", dump_vars(variables)]
    return words


@contextlib.contextmanager
def _surroundings(target: Target, environment: Mapping[str, str]) -> Iterator[None]:
    """The environment and the folder of a process of dbt's own."""
    before = dict(os.environ)
    os.environ.update(SETTINGS | dict(environment))
    try:
        with contextlib.chdir(target.project_dir):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
