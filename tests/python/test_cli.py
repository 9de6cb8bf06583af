"""What a user of the command line sees."""

from __future__ import annotations

import json

import pytest
from conftest import TestTarget

from python_scoring import cli
from python_scoring.shell import command as shell


def test_help_names_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for word in (*cli.COMMANDS, "exit codes"):
        assert word in shown


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["nonsense"], id="unknown command"),
        pytest.param(["engine", "dance"], id="unknown action"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shell", "-e", "select 1", "--target", "nope"], "no target 'nope'"),
        (["shell", "-e", "select 1", "--vars", "[1"], "--vars is no YAML"),
        (["shell", "-e", "select 1", "--vars", "7"], "--vars must be like"),
        (["doctor", "--vars", "{utc_offset: MSK}"], "utc_offset must be like '+03:00'"),
        (["run", "--profiles-dir", "/nonexistent"], "no profiles.yml in"),
        (["demo", "--days", "0"], "--days must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_one_line_and_exit_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown


def test_shell_shows_rows_and_stops_at_an_error(target: TestTarget) -> None:
    done = target.lm("shell", "-e", "select 'привет; мир' as text, null as nothing, 7 as n; nope")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "text         nothing  n",
        "-----------  -------  -",
        "привет; мир     NULL  7",
        "(1 rows)",
    ]
    assert done.stderr.startswith("lm: ")
    assert "Traceback" not in done.stderr


def test_shell_runs_on_the_clinics_clock(target: TestTarget) -> None:
    done = target.lm(
        "shell",
        "--vars",
        "{utc_offset: '+05:30'}",
        "-e",
        "select timestampdiff(minute, utc_timestamp(), now()) as minutes",
        check=True,
    )
    assert "330" in done.stdout


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';'; select \";\"", ["select ';'", 'select ";"']),
        ("select 'it''s; so'; x", ["select 'it''s; so'", "x"]),
        (r"select 'a\'; b'; x", [r"select 'a\'; b'", "x"]),
        ("select `a;b`", ["select `a;b`"]),
        ("select 1 -- no; no\n, 2; x", ["select 1 -- no; no\n, 2", "x"]),
        ("select 1 # no; no\n; x", ["select 1 # no; no", "x"]),
        ("select /* a; b */ 1; x", ["select /* a; b */ 1", "x"]),
        (" ;; \n", []),
        ("-- nothing; here\n", []),
    ],
)
def test_statements_end_at_semicolons_outside_quotes(text: str, statements: list[str]) -> None:
    assert list(shell.split_statements(text)) == statements


def test_doctor_json_is_one_document(target: TestTarget) -> None:
    done = target.lm("doctor", "--json")
    document = json.loads(done.stdout)
    assert document["status"] == "fail"  # the schema is empty
    assert {"status", "check", "what", "todo"} == set(document["checks"][0])
