"""Whether a schema holds the demo's calls, and what the time is there."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

import mysql.connector

from python_scoring.base import profile
from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target

# Says that the calls of a schema are the demo's own, and which: so that it may fill it anew.
MARKER = "lm_demo_data"


def clock(args: argparse.Namespace) -> str:
    """The end of the demo's calls if the target of the arguments holds nothing else, else ''.

    Where there is no database to ask, the command itself will say so.
    """
    with contextlib.suppress(LmError, mysql.connector.Error):
        target = profile.from_args(args)
        with contextlib.closing(profile.connect(target)) as connection:
            mark = held(Probe(connection), target)
            return str(mark["as_of"]) if mark else ""
    return ""


def held(probe: Probe, target: Target) -> dict[str, Any] | None:
    """days, seed and as_of of the simulation that the schema holds whole and unmixed."""
    tables = table_names(probe, target.schema)
    if MARKER not in tables or "call_history" not in tables:
        return None
    rows = probe.rows(f"select days, seed, as_of, calls from {quoted(target.schema, MARKER)}")
    if not rows or rows[0][3] != count_calls(probe, target):
        return None
    return dict(zip(("days", "seed", "as_of"), rows[0], strict=False))


def count_calls(probe: Probe, target: Target) -> int:
    return int(probe.one(f"select count(*) from {quoted(target.schema, 'call_history')}")[0])
