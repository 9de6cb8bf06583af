"""The servers that the environment names, for tests and benchmarks.

LM_TEST_MYSQL and LM_TEST_MARIADB are like mysql://user:password@host:port.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from urllib.parse import unquote, urlsplit

import mysql.connector
from mysql.connector.abstracts import MySQLCursorAbstract

SERVERS = {
    name: os.environ[variable]
    for name, variable in (("mysql", "LM_TEST_MYSQL"), ("mariadb", "LM_TEST_MARIADB"))
    if os.environ.get(variable)
}


def server_settings(name: str) -> dict[str, str]:
    """What the profile's target of that name reads from the environment."""
    url = urlsplit(SERVERS[name])
    return {
        "LM_HOST": url.hostname or "127.0.0.1",
        "LM_PORT": str(url.port or 3306),
        "LM_USER": unquote(url.username or "root"),
        "LM_PASSWORD": unquote(url.password or ""),
    }


@contextmanager
def account_of_tests(name: str) -> Iterator[dict[str, str]]:
    """Settings of an account that may do all in schemas called lm_... and nothing beside them.

    What works for it works for an account with the grants of the README, but for single columns.
    """
    real = server_settings(name)
    user, password = f"lm_tests_{os.getpid()}", "Tests-of-models-1"
    with _cursor(real) as cursor:
        # The host that the server sees: an account for '%' yields to an anonymous one for it.
        cursor.execute("select substring_index(user(), '@', -1)")
        ((host,),) = cursor.fetchall()
        account = f"'{user}'@'{host}'"
        cursor.execute(f"drop user if exists {account}")
        cursor.execute(f"create user {account} identified by '{password}'")
        cursor.execute(f"grant all privileges on `lm\\_%`.* to {account}")
    yield {**real, "LM_USER": user, "LM_PASSWORD": password}
    with _cursor(real) as cursor:
        cursor.execute(f"drop user {account}")


@contextmanager
def _cursor(settings: Mapping[str, str]) -> Iterator[MySQLCursorAbstract]:
    connection = mysql.connector.connect(
        host=settings["LM_HOST"],
        port=int(settings["LM_PORT"]),
        user=settings["LM_USER"],
        password=settings["LM_PASSWORD"],
        collation="utf8mb4_general_ci",
        autocommit=True,
    )
    with closing(connection), closing(connection.cursor()) as cursor:
        yield cursor


def clean_environment() -> dict[str, str]:
    """The environment without the caller's own settings of `lm` and dbt."""
    return {name: value for name, value in os.environ.items() if name[:3] not in ("LM_", "DBT")}
