"""Reasons of a probability: at most five and the rest as OTHER, adding up to what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from python_scoring.probability.base_rates import ROOT, level_values
from python_scoring.probability.features import FEATURES, GROUPS, numbers
from python_scoring.probability.settings import BOOKING, COMPLAINT, REPEAT

MAX_REASONS = 5
DECIMALS = 4
LONG_WAIT_SEC = 60

# The number that stands for a group in its reason; groups of codes have none.
GROUP_NUMBER = {
    group: next((f.column for f in FEATURES if f.group == group and not f.is_code), None)
    for group in GROUPS
}
GROUPS_WITHOUT_NUMBER = ("OUTCOME", "ANSWERED")

# Codes of the levels and factors of the base rates.
LEVEL_CODES = {
    BOOKING: ("OUTCOME", "CATEGORY", "SERVICE"),
    REPEAT: ("FEATURE_ANSWERED", "FEATURE_OUTCOME", "FEATURE_CALLS_7D"),
    COMPLAINT: ("BAND", "FEATURE_CALLS_7D", "FEATURE_OUTCOME"),
}


def lookup_reasons(
    metric: str, frame: pd.DataFrame, rates: np.ndarray, shown: np.ndarray
) -> tuple[np.ndarray, list[list[dict[str, Any]]]]:
    """Base 0, then the rate of all calls and what each level or factor changes; adds up to `shown`.

    A reason's value is the rate that it leads to.

    `rates` are those of BaseRates.level_rates.
    """
    rounded = np.round(rates, DECIMALS)
    rounded[:, -1] = shown
    points = np.round(np.diff(rounded, axis=1, prepend=0.0), DECIMALS)
    names = _statements(metric, frame, [ROOT, *LEVEL_CODES[metric]], points)
    reasons = []
    for row in range(len(frame)):
        found = [
            {
                "code": names[at][row],
                "points": float(points[row, at]),
                "value": float(rounded[row, at]),
            }
            for at in range(points.shape[1])
            if points[row, at] != 0 or at == 0
        ]
        reasons.append(found)
    return np.zeros(len(frame)), reasons


def model_reasons(
    metric: str,
    frame: pd.DataFrame,
    base: float,
    points: np.ndarray,
    calibration: np.ndarray,
    shown: np.ndarray,
) -> tuple[np.ndarray, list[list[dict[str, Any]]]]:
    """Base and reasons in log-odds, adding up to `shown`, the log-odds of what is written.

    `points` has a column a group of features; `calibration` is a reason of its own. OTHER takes
    what is folded, and what rounding took away.
    """
    codes = [*(f"FEATURE_{group}" for group in GROUPS), "CALIBRATION"]
    table = np.round(np.column_stack([points, calibration]), DECIMALS)
    start = round(float(base), DECIMALS)
    names = _statements(metric, frame, codes, table)
    values = _values(frame)
    order = np.argsort(-np.abs(table), axis=1, kind="stable")[:, :MAX_REASONS]
    total = np.round(shown, DECIMALS)
    reasons = []
    for row in range(len(frame)):
        found: list[dict[str, Any]] = []
        left = total[row] - start
        for at in order[row]:
            share = float(table[row, at])
            if share == 0:
                break
            reason: dict[str, Any] = {"code": names[at][row], "points": share}
            if at < len(GROUPS) and values[at] is not None and not np.isnan(values[at][row]):
                reason["value"] = round(float(values[at][row]), 2)
            found.append(reason)
            left -= share
        rest = round(float(left), DECIMALS)
        if rest != 0:
            found.append({"code": "OTHER", "points": rest})
        reasons.append(found)
    return np.full(len(frame), start), reasons


def _values(frame: pd.DataFrame) -> list[np.ndarray | None]:
    """The number to show with each group; None where a number says nothing."""
    values: list[np.ndarray | None] = []
    for group in GROUPS:
        column = None if group in GROUPS_WITHOUT_NUMBER else GROUP_NUMBER[group]
        values.append(None if column is None else numbers(frame[column]).to_numpy())
    return values


def _statements(
    metric: str, frame: pd.DataFrame, codes: list[str], points: np.ndarray
) -> list[np.ndarray]:
    """The code of each column and row: for repeat calls what happened, where it speaks for one."""
    names = [np.full(len(frame), code, dtype=object) for code in codes]
    if metric != REPEAT:
        return names
    outcome = level_values(frame, "outcome")
    happened = {
        "FEATURE_ANSWERED": (numbers(frame["is_answered"]) == 0, "MISSED"),
        "FEATURE_OUTCOME": (outcome.isin(["lead_no_record", "refused"]), "NOT_SOLVED"),
        "FEATURE_CALLS_7D": (numbers(frame["calls_7d"]) > 0, "CALLED_BEFORE"),
        "FEATURE_AWAIT_SEC": (numbers(frame["await_sec"]) >= LONG_WAIT_SEC, "LONG_WAIT"),
        "FEATURE_CATEGORY": (level_values(frame, "call_category") == "navigation", "NAVIGATION"),
    }
    for at, code in enumerate(codes):
        if code in happened:
            holds, statement = happened[code]
            names[at][holds.to_numpy() & (points[:, at] > 0)] = statement
    return names
