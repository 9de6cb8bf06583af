"""The profile is read as dbt reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import ROOT, TestTarget, clean_environment

from python_scoring.base import profile
from python_scoring.base.errors import ConfigurationError, LmError


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout's project file and example profile in a folder, and no setting of the caller's."""
    for name in set(profile.os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    for name in ("dbt_project.yml", profile.EXAMPLE):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_clean_checkout_needs_no_file(clean: Path) -> None:
    target = profile.load()
    assert target.name == "embedded"
    assert target.host == ""
    assert target.socket == clean / ".lm/engine/run/sql.sock"
    assert (target.profiles_dir / "profiles.yml").is_file()


def test_environment_fills_the_target(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LM_HOST": "db.example",
        "LM_PORT": "3399",
        "LM_USER": "scoring",
        "LM_PASSWORD": "s3cret",
        "LM_SCHEMA": "clinic",
    }.items():
        monkeypatch.setenv(name, value)
    target = profile.load("mysql")
    assert (target.place, target.user, target.schema) == ("db.example:3399", "scoring", "clinic")
    assert target.password == "s3cret"
    assert "s3cret" not in repr(target)
    for name in ("embedded", "mysql", "mariadb", "oceanbase"):
        assert profile.load(name).type == "operabot_mysql"


@pytest.mark.parametrize("name", ["mysql", "mariadb", "oceanbase"])
def test_socket_stands_in_for_a_server(
    name: str, clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert profile.load(name).host == "127.0.0.1"
    monkeypatch.setenv("LM_SOCKET", "/run/mysqld/mysqld.sock")
    target = profile.load(name)
    assert (target.host, str(target.socket)) == ("", "/run/mysqld/mysqld.sock")


def test_profiles_dirs_go_in_dbts_order(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(clean / profile.EXAMPLE, folder / "profiles.yml")
        return folder

    assert profile.load().profiles_dir == clean / ".lm/profiles"
    assert put(clean / "home/.dbt") == profile.load().profiles_dir
    assert put(clean) == profile.load().profiles_dir
    monkeypatch.setenv("DBT_PROFILES_DIR", str(put(clean / "named")))
    assert profile.load().profiles_dir == clean / "named"
    assert profile.load(profiles_dir=put(clean / "argument")).profiles_dir == clean / "argument"


def test_vars_override_the_projects(clean: Path) -> None:
    target = profile.load(variables={"source_schema": "pbx", "call_scores_identifier": "reviews"})
    assert target.source_schema == "pbx"
    assert target.source_table("call_scores") == "reviews"
    assert target.source_table("call_history") == "call_history"
    assert profile.load().source_schema == profile.load().schema


@pytest.mark.parametrize("offset", ["MSK", "3", "+3:00", "+15:00", "+03:60", "'; drop"])
def test_a_bad_offset_is_refused(offset: str, clean: Path) -> None:
    with pytest.raises(ConfigurationError, match="utc_offset"):
        profile.load(variables={"utc_offset": offset}).utc_offset  # noqa: B018


def test_missing_server_is_told_without_the_password(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LM_PORT", "1")
    monkeypatch.setenv("LM_PASSWORD", "s3cret")
    with pytest.raises(LmError, match=r"cannot connect to 127\.0\.0\.1:1") as raised:
        profile.connect(profile.load("mysql"))
    assert "s3cret" not in str(raised.value)


def test_dbt_reads_the_same_profile(target: TestTarget) -> None:
    done = target.dbt("debug", "--connection")
    assert "Connection test: [\x1b[32mOK" in done.stdout or "OK connection ok" in done.stdout
