"""Runs dbt or `lm` with the plan of each statement noted just before the statement is executed.

    python explained.py PLANS.jsonl dbt run ...
    python explained.py PLANS.jsonl lm score ...

Of statements that read or write rows a line each: the statement, and EXPLAIN's rows. Asked for on
the statement's own connection: settings, open transaction and the batch's tables are the run's.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from mysql.connector.abstracts import MySQLCursorAbstract
from mysql.connector.cursor_cext import CMySQLCursor

EXPLAINED = re.compile(r"\s*(/\*.*?\*/\s*)*(select|insert|delete|update|with)\b", re.I | re.S)
NO_TABLE = re.compile(r"\bfrom\b", re.I)


def note_plans(path: str) -> None:
    """From here on, each cursor explains before it executes."""
    execute = CMySQLCursor.execute
    is_busy = False

    def explained(
        self: MySQLCursorAbstract, operation: Any, params: Any = (), *args: Any, **kw: Any
    ) -> Any:
        nonlocal is_busy
        text = operation if isinstance(operation, str) else operation.decode()
        if not is_busy and EXPLAINED.match(text) and NO_TABLE.search(text):
            is_busy = True
            try:
                execute(self, "explain format=traditional " + text, params)
                names = [column[0] for column in self.description or ()]
                plan = [dict(zip(names, row, strict=True)) for row in self.fetchall()]
                with open(path, "a") as file:  # noqa: PTH123 (one line, then closed)
                    file.write(json.dumps({"statement": text, "plan": plan}, default=str) + "\n")
            finally:
                is_busy = False
        return execute(self, operation, params, *args, **kw)

    CMySQLCursor.execute = explained  # type: ignore[method-assign]


def main() -> int:
    path, program, *words = sys.argv[1:]
    note_plans(path)
    if program == "dbt":
        from dbt.cli.main import cli

        cli(words)
        return 0
    from python_scoring.cli import main as lm

    return lm(words)


if __name__ == "__main__":
    raise SystemExit(main())
