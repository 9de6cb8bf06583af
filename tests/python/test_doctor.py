"""`lm doctor` finds what is missing and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from conftest import TestTarget, administrator

from python_scoring.base.source_tables import create_source_tables
from python_scoring.doctor.command import check_salt, examine
from python_scoring.doctor.findings import Finding
from python_scoring.doctor.server import judge_version

PASSWORD = "Doctor-test-7"


@pytest.fixture(autouse=True)
def sources(target: TestTarget) -> Iterator[None]:
    with closing(target.connect()) as connection:
        cursor = connection.cursor()
        for table in ("call_scores", "call_history"):
            cursor.execute(f"drop table if exists {table}")
        create_source_tables(connection, target.schema)
        cursor.execute(
            "insert into call_history (caller_number, called_number, entry_id, context_start_time)"
            " values ('1', '2', 'a', 1772355600), ('1', '2', 'b', 1772442000)"
        )
    yield


def found(target: TestTarget, status: str, **variables: object) -> dict[str, Finding]:
    return {
        finding.check: finding
        for finding in examine(target.load(**variables))
        if finding.status == status
    }


def test_healthy_database_has_no_failure(target: TestTarget) -> None:
    done = target.lm("doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    assert "2026-03-01 12:00:00 to 2026-03-02 12:00:00" in done.stdout  # on the clinic's clock
    assert "foreign key to call_scores" in done.stdout


def test_it_leaves_nothing_behind(target: TestTarget) -> None:
    before = target.rows("show tables")
    target.lm("doctor")
    assert target.rows("show tables") == before


def test_a_schema_that_is_not_there_is_tried_and_taken_away(target: TestTarget) -> None:
    elsewhere = TestTarget(target.name, target.schema + "_x", target.folder, target.settings)
    good = found(elsewhere, "ok", source_schema=target.schema)
    assert "can be created" in good["target schema"].what
    assert "foreign key to call_history" in good
    assert not target.rows("show databases like %s", (elsewhere.schema.replace("_", r"\_"),))


def test_missing_required_column_is_named(target: TestTarget) -> None:
    target.rows("alter table call_scores drop column outcome")
    finding = found(target, "fail")["call_scores"]
    assert "lacks outcome" in finding.what
    assert target.lm("doctor").returncode == 1


def test_missing_optional_column_is_a_warning(target: TestTarget) -> None:
    target.rows("alter table call_scores drop column refusal_category_code")
    assert not found(target, "fail")
    assert "refusal_category_code" in found(target, "warn")["call_scores columns"].what


@pytest.mark.parametrize("sign", ["", "unsigned"])
def test_review_ids_sign_is_told_and_followed(sign: str, target: TestTarget) -> None:
    target.rows(f"alter table call_scores modify column id int {sign} not null auto_increment")
    good = found(target, "ok")
    assert ("unsigned" in good["call_scores types"].what.split(",")[0]) == bool(sign)
    assert "foreign key to call_scores" in good


def test_tables_under_other_names(target: TestTarget) -> None:
    variables = {"call_history_identifier": "pbx_calls"}
    assert "pbx_calls is not there" in found(target, "fail", **variables)["call_history"].what
    target.rows("create table pbx_calls like call_history")
    try:
        assert not found(target, "fail", **variables)
    finally:
        target.rows("drop table pbx_calls")


def test_foreign_keys_can_be_off(target: TestTarget) -> None:
    assert "switched off" in found(target, "ok", lm_foreign_keys=False)["foreign keys"].what


def test_a_call_in_the_future_is_a_warning(target: TestTarget) -> None:
    target.rows("update call_history set context_start_time = 4000000000 where entry_id = 'b'")
    assert "future" in found(target, "warn")["call_history rows"].what


@pytest.mark.parametrize(
    ("grants", "failed", "said"),
    [
        pytest.param([], "call_history", "may not see it", id="no rights on the sources"),
        pytest.param(
            ["select"], "foreign key to call_history", "grant references", id="no references"
        ),
        pytest.param(["select", "references"], "", "", id="all that is needed"),
    ],
)
def test_missing_rights(grants: list[str], failed: str, said: str, target: TestTarget) -> None:
    if target.name == "embedded":
        pytest.skip("the embedded engine has one user")
    admin = administrator(target)
    # By this very host: a server's anonymous user would come before one of any host.
    host = target.rows("select substring_index(user(), '@', -1)")[0][0]
    name, built = "lm_doctor_test", target.schema + "_built"
    user = f"{name}@'{host}'"
    admin.rows(f"drop user if exists {user}")
    admin.rows(f"create user {user} identified by '{PASSWORD}'")
    admin.rows(f"create database if not exists {built}")
    admin.rows(f"grant all privileges on {built}.* to {user}")
    for table in ("call_history", "call_scores") if grants else ():
        admin.rows(f"grant {', '.join(grants)} on {target.schema}.{table} to {user}")
    settings = {**target.settings, "LM_USER": name, "LM_PASSWORD": PASSWORD}
    limited = TestTarget(target.name, built, target.folder, settings)
    try:
        bad = found(limited, "fail", source_schema=target.schema)
        if target.name == "mariadb" and grants == ["select"]:
            assert not bad  # there a foreign key asks for no right on its parent
        elif failed:
            assert said in bad[failed].todo + bad[failed].what
            assert PASSWORD not in str(bad)
        else:
            assert not bad
        admin.rows(f"revoke all privileges, grant option from {user}")
        admin.rows(f"grant select on {built}.* to {user}")
        assert "target schema" in found(limited, "fail", source_schema=target.schema)
    finally:
        admin.rows(f"drop user {user}")
        admin.rows(f"drop database {built}")


@pytest.mark.parametrize(
    ("version", "comment", "status"),
    [
        ("8.0.22", "MySQL Community Server", "ok"),
        ("8.0.21", "MySQL Community Server", "fail"),
        ("9.7.4-2", "(Debian)", "ok"),
        ("5.7.44-log", "MySQL", "fail"),
        ("10.6.0-MariaDB", "Debian", "ok"),
        ("10.5.29-MariaDB", "Debian", "fail"),
        ("11.4.2-MariaDB", "Debian", "ok"),
        ("5.7.25-OceanBase seekdb-v1.4.0.0", "OceanBase 4.3.5.3 seekdb", "ok"),
    ],
)
def test_server_versions(version: str, comment: str, status: str) -> None:
    assert judge_version(version, comment).status == status


@pytest.mark.parametrize(
    ("salt", "status"),
    [("", "warn"), ("short", "warn"), ("x" * 32, "ok")],
    ids=["none", "short", "long"],
)
def test_salt_is_judged_and_never_shown(salt: str, status: str) -> None:
    (finding,) = check_salt(salt)
    assert finding.status == status
    assert not salt or salt not in finding.line()
