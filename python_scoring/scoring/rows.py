"""Rows of the group forecast in lm_value: only those that differ are written."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert
from python_scoring.base.watermarks import Watermarks
from python_scoring.scoring.inputs import blocks

GROUP = "forecast"
KEY = ("history_id", "metric_code")
VALUES = (
    "call_score_id",
    "value_numeric",
    "value_label",
    "value_json",
    "lm_version",
    "calc_method",
)
# Of which the stored rows are asked for at once.
CALLS_IN_QUESTION = 1_000
CALLS_AT_ONCE = 10_000
DIGITS = 4

Key = tuple[int, str]
Row = tuple[Any, ...]


def computed(
    models: Mapping[str, Any], versions: Mapping[str, str], rules_version: str, frame: pd.DataFrame
) -> dict[Key, Row]:
    """The rows that the calls of `frame` should have, in the order of VALUES.

    What a gate keeps out is the rules' doing, not the model's: such a row has their version, and
    a new model leaves it alone.
    """
    rows: dict[Key, Row] = {}
    for metric, model in models.items():
        for block in blocks(frame, CALLS_AT_ONCE):
            made = model.value_rows(block)
            cells = (made[name] for name in (*KEY, *VALUES[:4], "calc_method"))
            for call, code, review, number, label, document, method in zip(*cells, strict=True):
                value = _number(number)
                is_gated = value is None
                rows[int(call), str(code)] = (
                    _whole(review),
                    value,
                    _text(label),
                    str(document),
                    rules_version if is_gated else versions[metric],
                    "rule" if is_gated else str(method),
                )
    return rows


def stored(
    probe: Probe, target: Target, metrics: Collection[str], calls: Sequence[int]
) -> dict[Key, Row]:
    """The forecast rows that lm_value has for these calls."""
    rows: dict[Key, Row] = {}
    codes = ", ".join(["%s"] * len(metrics))
    for start in range(0, len(calls), CALLS_IN_QUESTION):
        some = calls[start : start + CALLS_IN_QUESTION]
        found = probe.rows(
            f"select {', '.join(KEY + VALUES)} from {quoted(target.schema, 'lm_value')}"
            f" where history_id in ({', '.join(map(str, some))}) and metric_code in ({codes})",
            list(metrics),
        )
        for call, code, review, number, label, document, version, method in found:
            value = (review, _number(number), label, document, version, method)
            rows[int(call), code] = value
    return rows


def changed(wanted: Mapping[Key, Row], known: Mapping[Key, Row]) -> list[tuple[Key, Row]]:
    """The wanted rows that are missing or differ, in the order of the key."""
    return sorted(
        (key, row) for key, row in wanted.items() if key not in known or not _same(row, known[key])
    )


def write(probe: Probe, target: Target, rows: Iterable[tuple[Key, Row]], calc_source: str) -> None:
    """Insert or update the rows. The table's own id, created_at and updated_at follow by
    themselves."""
    names = (*KEY, "metric_group", *VALUES, "calc_source")
    lines = ((*key, GROUP, *row, calc_source) for key, row in rows)
    insert(probe, quoted(target.schema, "lm_value"), names, lines, update=names[2:])


def mark_days(
    marks: Watermarks, target: Target, rows: Iterable[tuple[Key, Row]], frame: pd.DataFrame
) -> None:
    """Number the change and note it by day and metric, for the statistics by day to follow."""
    days_of = dict(zip(frame["history_id"], frame["call_date"], strict=True))
    days = {(days_of.get(call), metric) for (call, metric), _ in rows}
    known = sorted(
        (day, metric) for day, metric in days if isinstance(day, date) and not pd.isna(day)
    )
    if not known:
        return
    number = marks.next_change()
    insert(
        marks.probe,
        quoted(target.schema, "lm_value_changes"),
        ("call_date", "changed", "change_id"),
        ((day, metric, number) for day, metric in known),
        update=("change_id",),
    )


def _same(wanted: Row, known: Row) -> bool:
    """Whether a row says what is stored; JSON by its meaning, for servers write it anew."""
    return (
        wanted[:3] == known[:3]
        and wanted[4:] == known[4:]
        and _document(wanted[3]) == _document(known[3])
    )


def _document(text: Any) -> Any:
    if text is None:
        return None
    return json.loads(text, parse_float=lambda digits: round(float(digits), DIGITS + 2))


def _number(value: Any) -> float | None:
    """A value as decimal(10,4) keeps it."""
    return None if value is None or pd.isna(value) else round(float(value), DIGITS)


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)
