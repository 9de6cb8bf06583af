"""The databases that tests run on: the embedded engine, and the servers of servers.py."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
import pytest
from mysql.connector.abstracts import MySQLConnectionAbstract
from servers import SERVERS, account_of_tests, clean_environment, server_settings

from python_scoring import cli
from python_scoring.base import dbt_runner, engine, profile
from python_scoring.base.errors import PassingError

ROOT = Path(__file__).resolve().parents[2]

# A busy machine is no fault of the code.
hypothesis.settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any_machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest module first: of two processes one has it, the other all the rest."""
    items.sort(key=lambda item: item.path.name != "test_pipeline.py")


@dataclass(frozen=True)
class TestTarget:
    """A target of the profile with a schema of its own."""

    __test__ = False

    name: str
    schema: str
    folder: Path
    settings: Mapping[str, str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to work on this target, free of the caller's own settings."""
        return clean_environment() | {
            **self.settings,
            "LM_SCHEMA": self.schema,
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_PROJECT_DIR": str(ROOT),
            # A folder of its own: two dbt runs in one would spoil each other's files.
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "LM_CALLER_SALT_DIR": str(self.folder / "salts"),
        }

    def load(self, **variables: Any) -> profile.Target:
        with mock.patch.dict(os.environ, self.environment, clear=True):
            return profile.load(self.name, variables)

    def connect(self) -> MySQLConnectionAbstract:
        """A connection as `lm` makes it, in the target's schema."""
        return profile.connect(self.load(), self.schema)

    def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def dbt(
        self, *arguments: str, vars: Mapping[str, Any] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run dbt; with `check`, its failure is the test's, and the output tells why."""

        def work() -> int:
            try:
                return not dbt_runner.run(self.load(), arguments, variables=vars, verbose=True)
            except PassingError as error:
                return error.exit_code

        done = run_here(work, ["dbt", *arguments], self.environment, check)
        assert "Deprecat" not in done.stdout + done.stderr, done.stdout
        return done

    def lm(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run `lm COMMAND ...` on this target."""
        words = [*arguments, "--target", self.name]
        return run_here(lambda: cli.main(words), ["lm", *words], self.environment, check)


def run_here(
    work: Callable[[], int], command: list[str], environment: Mapping[str, str], check: bool
) -> subprocess.CompletedProcess[str]:
    """A command in this process, as it would end in one of its own: starts cost seconds each."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = int(work())
        except SystemExit as error:
            code = int(error.code or 0)
    done = subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())
    return checked(done, check)


def run_process(
    command: list[str], environment: Mapping[str, str], check: bool
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return checked(done, check)


def checked(
    done: subprocess.CompletedProcess[str], check: bool
) -> subprocess.CompletedProcess[str]:
    if check and done.returncode:
        pytest.fail(f"{' '.join(done.args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


# As users call it.
DBT = str(Path(sys.executable).with_name("dbt"))


@pytest.fixture(scope="session")
def embedded_dir() -> Iterator[Path]:
    """The folder of an engine that runs as long as the tests."""
    if importlib.util.find_spec("pylibseekdb") is None:
        pytest.skip("pylibseekdb has no package for this platform")
    # Not pytest's own folder: a Unix socket's path must be short, and dbt is given it whole.
    folder = Path(tempfile.mkdtemp(prefix="lm-"))
    try:
        engine.start(folder)
        yield folder
    finally:
        engine.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def administrator(target: TestTarget) -> TestTarget:
    """The target as who set up the server: for what no run needs, such as accounts."""
    if target.name == "embedded":
        return target
    return replace(target, settings={**target.settings, **server_settings(target.name)})


@pytest.fixture(scope="session", params=["embedded", *SERVERS])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, str], Path]]:
    """Name, settings and a folder (profile, dbt's files) of each database there is.

    On a server as an account that has rights on the tests' schemas and no others.
    """
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    shutil.copyfile(ROOT / profile.EXAMPLE, folder / "profiles.yml")
    if name == "embedded":
        socket = engine.socket_of(request.getfixturevalue("embedded_dir"))
        yield name, {"LM_SOCKET": str(socket)}, folder
    else:
        with account_of_tests(name) as settings:
            yield name, settings, folder


@pytest.fixture(scope="module")
def target(
    request: pytest.FixtureRequest, server: tuple[str, dict[str, str], Path]
) -> Iterator[TestTarget]:
    """Each database in turn, with an empty schema for the module's tests."""
    name, settings, folder = server
    module = re.sub(r"\W", "_", request.module.__name__.rpartition(".")[2])
    here = TestTarget(name, f"lm_{os.getpid()}_{module}"[:60], folder, settings)
    with closing(profile.connect(here.load())) as connection:
        cursor = connection.cursor()
        cursor.execute(f"drop database if exists `{here.schema}`")
        cursor.execute(f"create database `{here.schema}` default character set utf8mb4")
        yield here
        # The engine may have been stopped or the connection have timed out meanwhile.
    with closing(profile.connect(here.load())) as connection:
        connection.cursor().execute(f"drop database if exists `{here.schema}`")
