"""What goes wrong around a run, told in a sentence with an exit code that the guide explains."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import mysql.connector
import pytest
from conftest import TestTarget, run_here, run_process
from pipeline_cases import clinic, fill, own_folder, own_schema

from python_scoring import cli
from python_scoring.base import errors, faults
from python_scoring.base.errors import EXIT_BUSY, EXIT_CONFIGURATION, EXIT_PROBLEM
from python_scoring.doctor import command as doctor

# What the servers say, in their own words.
SAID = {
    "1290 (HY000): The MySQL server is running with the --super-read-only option so it cannot"
    " execute this statement": faults.READ_ONLY,
    "1290 (HY000): The MariaDB server is running with the --read-only option so it cannot execute"
    " this statement": faults.READ_ONLY,
    "1290 (HY000): The MySQL server is running with the --secure-file-priv option so it cannot"
    " execute this statement": faults.OTHER,
    "1792 (25006): Cannot execute statement in a READ ONLY transaction.": faults.READ_ONLY,
    "1836 (HY000): Running in read-only mode": faults.READ_ONLY,
    "1114 (HY000): The table 'lm_value' is full": faults.FULL,
    "1030 (HY000): Got error 28 'No space left on device' from storage engine InnoDB": faults.FULL,
    "1030 (HY000): Got error 168 - 'Unknown (generic) error' from engine": faults.OTHER,
    "3 (HY000): Error writing file '/tmp/MYfd=41' (OS errno 28 - No space left)": faults.FULL,
    "3 (HY000): Error writing file './lm/a.frm' (Errcode: 28 \"No space left\")": faults.FULL,
    "1142 (42000): INSERT command denied to user 'lm'@'%' for table 'lm_value'": faults.DENIED,
    "1146 (42S02): Table 'lm.lm_watermark' doesn't exist": faults.MISSING,
    "1213 (40001): Deadlock found when trying to get lock": faults.PASSING,
    "1205 (HY000): Lock wait timeout exceeded; try restarting transaction": faults.PASSING,
    "2013 (HY000): Lost connection to MySQL server during query": faults.PASSING,
    "1064 (42000): You have an error in your SQL syntax": faults.OTHER,
}


@pytest.mark.parametrize("said", SAID)
def test_kinds_of_trouble(said: str) -> None:
    number, _, words = said.partition(" ")
    error = mysql.connector.Error(words.partition(": ")[2], errno=int(number))
    assert faults.kind_of(error) is SAID[said]
    assert (
        faults.kind_in(f"Database Error in model lm_value (models/lm_value.sql)\n  {said}")
        is (SAID[said])
    )


@pytest.mark.parametrize("said", SAID)
def test_no_command_shows_a_traceback(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    number, _, words = said.partition(" ")
    error = mysql.connector.Error(words, errno=int(number))
    with mock.patch.object(doctor, "examine", side_effect=error):
        code = cli.main(["doctor"])
    shown = capsys.readouterr().err
    fault = SAID[said]
    assert code == fault.error.exit_code
    (line,) = shown.strip().splitlines()
    assert line.startswith(f"lm: {fault.what}") and line.endswith(fault.todo)


def test_exit_codes_of_faults() -> None:
    assert faults.PASSING.error.exit_code == EXIT_BUSY
    assert faults.READ_ONLY.error.exit_code == faults.DENIED.error.exit_code == EXIT_CONFIGURATION
    assert faults.FULL.error.exit_code == EXIT_PROBLEM == errors.LmError.exit_code


@pytest.fixture(scope="module")
def sources(target: TestTarget) -> Iterator[TestTarget]:
    """The clinic's calls, and nothing built."""
    with own_schema(target, "sources") as here:
        fill(here, clinic())
        yield here


@pytest.fixture
def read_only(sources: TestTarget) -> Iterator[TestTarget]:
    """Every session takes no changes, dbt's too: as on a replica, without touching the server."""
    connect = mysql.connector.connect

    def connected(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        cursor = connection.cursor()
        cursor.execute("set session transaction read only")
        cursor.close()
        return connection

    with mock.patch("mysql.connector.connect", connected):
        yield sources


def test_a_read_only_server_is_told(read_only: TestTarget) -> None:
    done = read_only.lm("run")
    assert "Traceback" not in done.stdout + done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == EXIT_CONFIGURATION, done.stderr
    assert faults.READ_ONLY.what in last and "LM_HOST" in last
    done = read_only.lm("doctor")
    assert done.returncode == EXIT_PROBLEM
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert failed and all("LM_HOST" in line and "grant" not in line for line in failed), failed


FOLDERS = ("DBT_TARGET_PATH", "DBT_LOG_PATH")


@pytest.mark.parametrize("setting", FOLDERS)
def test_a_file_in_the_place_of_a_folder_is_told(sources: TestTarget, setting: str) -> None:
    file = own_folder(sources, "taken") / "file"
    file.touch()
    words = ["run", "--target", sources.name]
    environment = sources.environment | {setting: str(file)}
    done = run_here(lambda: cli.main(words), words, environment, check=False)
    assert done.returncode == EXIT_CONFIGURATION, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"lm: cannot write in {file} ") and setting in line


@pytest.mark.parametrize("setting", FOLDERS)
def test_an_unwritable_folder_is_told(sources: TestTarget, setting: str) -> None:
    """Without root's privilege, where the tests run as root: it may write anywhere."""
    folder = own_folder(sources, "locked")
    folder.chmod(0o555)
    plain: list[str] = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("no setpriv, and root may write anywhere")
        plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    command = [*plain, sys.executable, "-m", "python_scoring", "run", "--target", sources.name]
    environment = sources.environment | {setting: str(folder / "made")}
    done = run_process(command, environment, check=False)
    assert done.returncode == EXIT_CONFIGURATION, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("lm: ") and str(folder) in line and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(13, "Permission denied", "/srv/x"), EXIT_CONFIGURATION, "/srv/x: "),
        (OSError(28, "No space left on device", "/srv/x"), EXIT_PROBLEM, "disk is full"),
        (OSError(30, "Read-only file system", "/srv/x"), EXIT_CONFIGURATION, "/srv/x: "),
        (OSError(28, "No space left on device"), EXIT_PROBLEM, "disk is full"),
    ],
)
def test_trouble_with_files_is_told(
    error: OSError, code: int, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with mock.patch.object(doctor, "examine", side_effect=error):
        assert cli.main(["doctor"]) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("lm: ") and said in line
