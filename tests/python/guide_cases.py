"""The guides as data: their blocks of SQL and commands, and the ready questions, compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import mysql.connector
from conftest import ROOT, TestTarget, administrator

README, RUSSIAN = ROOT / "README.md", ROOT / "README.ru.md"
CONTRIBUTING, QUESTIONS = ROOT / "CONTRIBUTING.md", ROOT / "analyses" / "README.md"
GUIDES = (README, RUSSIAN, CONTRIBUTING, QUESTIONS)

Questions = dict[str, str]
_compiled: dict[str, Questions] = {}


def text_of(guide: Path) -> str:
    return guide.read_text("utf-8")


@cache
def blocks(guide: Path, language: str) -> list[str]:
    """The fenced blocks of a language, '' for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(guide), re.MULTILINE | re.DOTALL)
    return [body for name, body in found if name == language]


def queries(guide: Path) -> list[str]:
    """The statements of a guide that read."""
    statements = [part.strip() for body in blocks(guide, "sql") for part in body.split(";\n")]
    return [text for text in statements if re.match(r"(--.*\n)*\s*(select|with)\b", text)]


def questions(target: TestTarget) -> Questions:
    """The SQL of `analyses` by name. The engines' schemas have one name, so it is compiled once."""
    if target.schema not in _compiled:
        target.dbt("compile", "--select", "resource_type:analysis")
        folder = target.folder / "target" / "compiled" / "operabot_lm" / "analyses"
        _compiled[target.schema] = {path.stem: path.read_text() for path in folder.glob("*.sql")}
    return _compiled[target.schema]


@contextmanager
def reader(target: TestTarget, grants: list[str]) -> Iterator[Callable[[str], str]]:
    """An account of a server that may do what `grants` say; gone at the end.

    Gives a function (statement) -> why the account may not run it, '' where it may.
    """
    # The host that the server sees: an account for '%' yields to any for it, the anonymous too.
    ((host,),) = target.rows("select substring_index(user(), '@', -1)")
    name, password = f"{target.schema}_bi"[-32:], "Reader-of-results-1"
    account = f"'{name}'@'{host}'"
    settings, admin = target.settings, administrator(target)
    admin.rows(f"create user {account} identified by '{password}'")
    try:
        for grant in grants:
            admin.rows(grant.replace("'bi'@'%'", account))
        with closing(
            mysql.connector.connect(
                host=settings["LM_HOST"],
                port=int(settings["LM_PORT"]),
                user=name,
                password=password,
                collation="utf8mb4_general_ci",
            )
        ) as connection:

            def refusal(statement: str) -> str:
                try:
                    with closing(connection.cursor()) as cursor:
                        cursor.execute(statement)
                        cursor.fetchall()
                except mysql.connector.Error as error:
                    return str(error.msg)
                return ""

            yield refusal
    finally:
        admin.rows(f"drop user {account}")
