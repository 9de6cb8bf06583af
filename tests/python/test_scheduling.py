"""`lm run` for schedulers: one at a time, a time limit, retries; and the examples that call it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import mysql.connector
import pytest
import yaml
from conftest import ROOT, SERVERS, TestTarget
from dbt_common.exceptions import DbtDatabaseError
from pipeline_cases import execute, skip_unless

from python_scoring import cli
from python_scoring.base import dbt_runner, dbt_watch, errors, watermarks
from python_scoring.base.database import Probe
from python_scoring.base.errors import BusyError, LmError, TimeLimitError
from python_scoring.daily import limits, lock, retries
from python_scoring.daily.limits import TimeLimit

EXAMPLES = ROOT / "python_scoring" / "daily"
WORKFLOWS = (ROOT / ".github" / "workflows" / "ci.yml", EXAMPLES / "nightly.yml")
NO_LIMIT = TimeLimit(None)


@pytest.fixture(scope="module")
def marked(target: TestTarget) -> TestTarget:
    """A schema with the table of locks, and the row that a model holds while it writes."""
    execute(
        target,
        f"create table `{target.schema}`.lm_watermark (model_name varchar(64), feed varchar(64),"
        " position bigint unsigned not null default 0, cursor_key varchar(64), fingerprint"
        " varchar(64), moment datetime, primary key (model_name, feed)) engine = InnoDB",
        f"insert into `{target.schema}`.lm_watermark (model_name, feed) values ('a', 'lock')",
    )
    return target


def held(here: TestTarget, model_name: str, feed: str) -> Any:
    """A connection that holds the row until it is closed."""
    connection = here.connect()
    assert watermarks.is_free(Probe(connection), "lm_watermark", model_name, feed)
    return closing(connection)


def test_of_two_runs_one_works(
    marked: TestTarget, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "ASK_EVERY_SECONDS", 0.1)
    impatient = marked.load(lm_lock_wait_sec=0.3)
    with lock.only_run(marked.load()):
        with (
            pytest.raises(BusyError, match="another `lm run` is at work"),
            lock.only_run(impatient),
        ):
            pass
        assert "waiting up to 0.3 s" in capsys.readouterr().err
        # What dbt does at its start does not wait for the run that started it.
        execute(
            marked,
            "set session lock_wait_timeout = 2"
            if marked.name != "embedded"
            else "set @nothing = 1",
            f"create table if not exists `{marked.schema}`.lm_watermark (id int)",
            f"insert into `{marked.schema}`.lm_watermark (model_name, feed, position) values"
            " ('b', 'clock', 1) on duplicate key update position = values(position)",
        )
        with mock.patch.dict(os.environ, marked.environment, clear=True):
            words = ["run", "--target", marked.name, "--vars", "{lm_lock_wait_sec: 0}"]
            assert cli.main(words) == errors.EXIT_BUSY
        said = capsys.readouterr()
        assert "lm: another `lm run`" in said.err and "dbt build" not in said.out
    with lock.only_run(impatient):
        pass


def test_a_killed_run_leaves_no_lock(marked: TestTarget) -> None:
    script = (
        "import time\nfrom python_scoring.base import profile\n"
        "from python_scoring.daily import lock\n"
        f"with lock.only_run(profile.load({marked.name!r})):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env=marked.environment, cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        process.kill()
    with lock.only_run(marked.load(lm_lock_wait_sec=20)):
        pass


def test_before_the_first_build_there_is_no_lock(target: TestTarget) -> None:
    nowhere = mock.Mock(wraps=target.load(), schema=f"{target.schema}_nowhere")
    with closing(target.connect()) as connection:
        lock._take(Probe(connection), nowhere, 0)


def test_dbt_is_ended_between_two_batches(
    marked: TestTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for dbt that would run for a minute, while a batch is written for a second."""
    monkeypatch.setattr(limits, "ASK_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(
        dbt_runner,
        "command",
        lambda *_, **__: [sys.executable, "-c", "import time; time.sleep(60)"],
    )
    batch = held(marked, "a", "lock")
    released: list[float] = []

    def release() -> None:
        batch.__exit__(None, None, None)
        released.append(time.monotonic())

    threading.Timer(1.5, release).start()
    begun = time.monotonic()
    with pytest.raises(TimeLimitError):
        TimeLimit(0.3 / 60).run_dbt(marked.load(), ["build"], {})
    assert released and released[0] <= time.monotonic() < begun + 20


def test_python_is_ended_and_rolled_back(marked: TestTarget) -> None:
    begun = time.monotonic()
    with (
        pytest.raises(TimeLimitError),
        TimeLimit(0.3 / 60).over_python(),
        closing(marked.connect()) as connection,
    ):
        Probe(connection).do("start transaction")
        Probe(connection).do("insert into lm_watermark (model_name, feed) values ('half', 'done')")
        time.sleep(30)
    assert time.monotonic() < begun + 10
    assert marked.rows("select 1 from lm_watermark where model_name = 'half'") == []
    with pytest.raises(TimeLimitError), TimeLimit(0).over_python():
        raise AssertionError("begun after the end")
    with TimeLimit(1).over_python():
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time-limit", "0"], "--time-limit must be"),
        (["--time-limit", "5", "--full-refresh"], "does not go with --full-refresh"),
        (["--time-limit", "5", "--vars", "{lm_sweep: true}"], "does not go with"),
        (["--retries", "-1"], "--retries must be"),
    ],
)
def test_wrong_limits_are_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", *arguments]) == errors.EXIT_CONFIGURATION
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("code", [1205, 1213, 2003, 2006, 2013])
def test_passing_trouble_is_tried_again(code: int) -> None:
    pauses: list[float] = []
    trouble = mysql.connector.Error("trouble", errno=code)
    step = mock.Mock(side_effect=[trouble, trouble, "done"])
    assert retries.retried(step, 2, NO_LIMIT, pauses.append) == "done"
    assert pauses == [5, 10]
    step = mock.Mock(side_effect=trouble)
    with pytest.raises(BusyError):
        retries.retried(step, 3, NO_LIMIT, pauses.append)
    assert step.call_count == 4


@pytest.mark.parametrize(
    "error",
    [
        LmError("a test failed"),
        BusyError("another run is at work, and was waited for"),
        mysql.connector.Error("denied", errno=1044),
    ],
)
def test_other_trouble_is_not(error: Exception) -> None:
    step = mock.Mock(side_effect=error)
    with pytest.raises(type(error)):
        retries.retried(step, 3, NO_LIMIT, lambda _: None)
    assert step.call_count == 1


DEADLOCK = {
    "status": "error",
    "unique_id": "model.operabot_lm.lm_value",
    "message": "Database Error in model lm_value\n  1213 (40001): Deadlock found",
}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], "lm_value"),
        (
            [{"status": "error", "unique_id": "x", "message": "2013: Lost connection to MySQL"}],
            "lm_value",
        ),
        ([{"status": "skipped", "unique_id": "x", "message": None}], "lm_value"),
        ([{"status": "fail", "unique_id": "test.x", "message": "Got 7 results"}], "lm_value"),
        ([{"status": "error", "unique_id": "x", "message": "1054 (42S22): Unknown column"}], ""),
    ],
)
def test_only_passing_trouble_of_dbt_is_passing(
    tmp_path: Path, others: list[dict[str, Any]], expected: str
) -> None:
    (tmp_path / "target").mkdir()
    path = tmp_path / "target" / "run_results.json"
    path.write_text(json.dumps({"results": [DEADLOCK, *others]}))
    with mock.patch.dict(os.environ):
        os.environ.pop("DBT_TARGET_PATH", None)
        said = retries.passing_failure(mock.Mock(project_dir=tmp_path))
    assert (expected in said) if expected else said == ""


@pytest.mark.parametrize(
    ("said", "is_passing"),
    [
        ("MySQL Connection not available.", True),
        ("2006 (HY000): MySQL server has gone away", True),
        ("2013 (HY000): Lost connection to MySQL server during query", True),
        ("1142 (42000): SELECT command denied to user 'lm'@'%' for table 'x'", False),
    ],
)
def test_a_database_lost_between_two_of_dbts_models(
    as_scheduled: TestTarget, said: str, is_passing: bool
) -> None:
    """It is back at once: neither dbt's results nor the server know of it."""
    skip_unless(as_scheduled, "embedded")
    here = as_scheduled.load()
    lost = mock.patch(
        "dbt.task.runnable.GraphRunnableTask.populate_adapter_cache",
        side_effect=DbtDatabaseError(said),
    )
    words = ["run", "--select", "int_rule_params"]
    with lost, pytest.raises(LmError, match="dbt run failed") as told:
        retries.build(here, words, {}, NO_LIMIT)
    assert retries.is_passing(told.value) is is_passing
    # Under a time limit dbt has a process of its own, whose exit code tells it.
    command = dbt_runner.command(here, words)
    with lost, contextlib.chdir(ROOT):
        code = dbt_watch.main(command[command.index(dbt_watch.__name__) + 1 :])
    ended = [sys.executable, "-c", f"raise SystemExit({code})"]
    own_process = mock.patch.object(dbt_runner, "command", return_value=ended)
    with own_process, pytest.raises(LmError, match="dbt run failed") as told:
        retries.build(here, words, {}, TimeLimit(60))
    assert retries.is_passing(told.value) is is_passing


def test_failed_tests_alone_are_not_tried_again(tmp_path: Path) -> None:
    failed = {"status": "fail", "unique_id": "test.x", "message": "Got 1213 (of 1213): results"}
    (tmp_path / "run_results.json").write_text(json.dumps({"results": [failed]}))
    with mock.patch.dict(os.environ, {"DBT_TARGET_PATH": str(tmp_path)}):
        assert retries.passing_failure(mock.Mock(project_dir=tmp_path)) == ""


@pytest.fixture
def as_scheduled(target: TestTarget) -> Iterator[TestTarget]:
    with mock.patch.dict(os.environ, target.environment, clear=True):
        yield target


def test_dbts_models_keep_to_limit_and_tell_of_locks(as_scheduled: TestTarget) -> None:
    """On one server, since the embedded engine has no lock_wait_timeout of sessions."""
    here = as_scheduled
    if here.name != next(iter(SERVERS), None):
        pytest.skip("only on one server")
    seeds = ("lm_rule_params", "lm_calc_profiles")
    words = ["build", "--select", *seeds, "int_rule_params", "--resource-type", "seed"]
    words += ["--resource-type", "model"]
    variables = {"as_of": "2025-09-18", "lm_lock_wait_sec": 1}
    passed = mock.patch.dict(os.environ, {limits.VARIABLE: str(time.time() - 1)})
    with passed, pytest.raises(LmError, match="dbt build failed"):
        retries.build(here.load(), words, variables, NO_LIMIT)
    results = json.loads(retries.results_file(here.load()).read_text())["results"]
    nodes = [row for row in results if not row["unique_id"].startswith("operation.")]
    assert [row["status"] for row in nodes] == ["success", "success", "error"]
    assert "1 batches are left for the next run" in nodes[-1]["message"]
    assert here.rows("select count(*) from int_rule_params") == [(0,)]
    with held(here, "int_rule_params", "lock"), pytest.raises(BusyError, match="1205"):
        retries.build(here.load(), words, variables, NO_LIMIT)
    retries.build(here.load(), words, variables, NO_LIMIT)
    assert here.rows("select count(*) > 0 from int_rule_params") == [(1,)]


def cron_lines() -> list[str]:
    lines = (EXAMPLES / "crontab.example").read_text().splitlines()
    return [line for line in lines if line and line[0] in "0123456789*"]


def lm_commands(text: str) -> list[list[str]]:
    """The arguments of each `.venv/bin/lm` in a script, up to the shell's next operator."""
    found = []
    for command in re.findall(r"\.venv/bin/lm ([^|&;>`\n\"]+)", text):
        found.append(shlex.split(command))
    return found


def steps(workflow: Path) -> list[str]:
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    jobs = content["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_every_example_calls_lm_as_it_is() -> None:
    names = ("crontab.example", "operabot-lm.service", "nightly.yml", "README.md")
    parser = cli.build_parser()
    for name in names:
        found = lm_commands((EXAMPLES / name).read_text())
        assert any(words[0] == "run" for words in found), name
        for words in found:
            parser.parse_args(words)


@pytest.mark.parametrize("line", cron_lines())
def test_cron_line_runs(line: str, tmp_path: Path) -> None:
    """With a stand-in for lm that tells what it was called with."""
    *fields, command = line.split(maxsplit=5)
    limits_of_fields = (59, 23, 31, 12, 7)
    assert all(
        field == "*" or 0 <= int(field) <= most
        for field, most in zip(fields, limits_of_fields, strict=True)
    )
    assert "%" not in command, "cron makes a new line of it"
    program = tmp_path / ".venv" / "bin" / "lm"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$LM_HOST $*"\n')
    program.chmod(0o755)
    (tmp_path / ".lm").mkdir()
    (tmp_path / "lm.env").write_text("LM_HOST=db.example\n")
    command = command.replace("/srv/operabot-lm", str(tmp_path))
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert (tmp_path / ".lm" / "nightly.log").read_text().startswith("db.example run --target")


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd on this machine")
    for name in ("operabot-lm.service", "operabot-lm.timer"):
        text = (EXAMPLES / name).read_text()
        text = text.replace("/srv/operabot-lm/.venv/bin/lm", "/bin/true")
        (tmp_path / name).write_text(text.replace("/srv/operabot-lm", "/tmp"))  # noqa: S108
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / "operabot-lm.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "operabot-lm" in line]
    assert not ours, done.stderr
    (calendar,) = re.findall(
        r"^OnCalendar=(.+)$", (EXAMPLES / "operabot-lm.timer").read_text(), re.MULTILINE
    )
    subprocess.run([program, "calendar", calendar], check=True, capture_output=True)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_what_there_is(workflow: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert steps(workflow)
    for script in steps(workflow):
        subprocess.run(["/bin/sh", "-n", "-c", re.sub(r"\$\{\{.*?\}\}", "x", script)], check=True)
        called = re.fullmatch(r"make (\w+)( PYTHON=.*)?", script)
        if called:
            assert called[1] in targets
        else:
            assert lm_commands(script)


def test_ci_tests_on_the_servers_it_starts() -> None:
    job = yaml.safe_load(WORKFLOWS[0].read_text(encoding="utf-8"))["jobs"]["test"]
    for name in ("mysql", "mariadb"):
        url = urlsplit(job["env"][f"LM_TEST_{name.upper()}"])
        service = job["services"][name]
        assert service["ports"] == [f"{url.port}:3306"]
        assert service["env"][f"{name.upper()}_ROOT_PASSWORD"] == url.password


def test_the_page_tells_every_exit_code() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")} | {130}
    page = (EXAMPLES / "README.md").read_text()
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes
    assert {int(code) for code in re.findall(r"^  (\d+) ", cli.EPILOG, re.MULTILINE)} == codes
