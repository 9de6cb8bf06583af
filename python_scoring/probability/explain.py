"""Reasons of a probability, in points of probability: they add up to what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from python_scoring.probability.base_rates import ROOT, level_values
from python_scoring.probability.features import FEATURES, GROUPS, numbers
from python_scoring.probability.quality import sigmoid
from python_scoring.probability.settings import BOOKING, COMPLAINT, REPEAT

# With the typical call and OTHER six, as many as the views of sentences have places for.
MAX_REASONS = 4
DECIMALS = 4
# Less than this is 0.0 points of per cent to a reader: it goes into OTHER.
LEAST_POINTS = 0.0005
LONG_WAIT_SEC = 60
TYPICAL_CALL = "TYPICAL_CALL"

# The number that stands for a group in its reason; groups of codes have none.
GROUP_NUMBER = {
    group: next((f.column for f in FEATURES if f.group == group and not f.is_code), None)
    for group in GROUPS
}
GROUPS_WITHOUT_NUMBER = ("OUTCOME", "ANSWERED")
# Shown as per cent.
SHARES = ("COVERAGE",)


def _codes_of(group: str, values: str) -> dict[str, str]:
    """Value -> code of its sentence, for the values named and for none."""
    codes = {value: f"{group}_{value.upper()}" for value in values.split()}
    return {"missing": f"{group}_NONE", **codes}


# Group -> its column and the values that have sentences of their own: what was, not only what it
# was about. A value beside them has the group's sentence.
VALUE_CODES = {
    "ANSWERED": ("is_answered", {"1": "ANSWERED", "0": "UNANSWERED"}),
    "DIRECTION": ("direction", {"in": "INCOMING", "out": "OUTGOING"}),
    "OUTCOME": (
        "outcome",
        _codes_of(
            "OUTCOME",
            "record info_only lead_no_record refused cancelled_by_patient cancelled_by_operator"
            " non_target other none",
        ),
    ),
    "CATEGORY": (
        "call_category",
        _codes_of(
            "CATEGORY",
            "booking lead info navigation complaint cancel reschedule reminder undefined none",
        ),
    ),
    "REFUSAL": (
        "refusal_code",
        _codes_of(
            "REFUSAL",
            "PRICE TIME_GENERAL URGENCY_NO_SLOTS DOCTOR_UNAVAILABLE LOCATION_INCONVENIENT"
            " SERVICE_NOT_PROVIDED AGE_RESTRICTION DOCUMENTS_REQUIRED PATIENT_WILL_CLARIFY"
            " OPERATOR_WILL_CLARIFY OTHER_REASON",
        ),
    ),
    "WEEKDAY": ("call_weekday", {str(day): f"WEEKDAY_{day}" for day in range(1, 8)}),
}

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

    A level's value is the rate that it leads to, a feature's the feature's own number.

    `rates` are those of BaseRates.level_rates.
    """
    rounded = np.round(rates, DECIMALS)
    rounded[:, -1] = shown
    points = np.round(np.diff(rounded, axis=1, prepend=0.0), DECIMALS)
    codes = [ROOT, *LEVEL_CODES[metric]]
    names = _statements(metric, frame, codes, points)
    values = [
        _group_values(frame, code.removeprefix("FEATURE_"))
        if code.startswith("FEATURE_")
        else rounded[:, at]
        for at, code in enumerate(codes)
    ]
    reasons = [
        [
            _reason(names[at][row], float(points[row, at]), values[at], row, DECIMALS)
            for at in range(points.shape[1])
            if points[row, at] != 0 or at == 0
        ]
        for row in range(len(frame))
    ]
    return np.zeros(len(frame)), reasons


def model_reasons(
    metric: str, frame: pd.DataFrame, base: float, log_odds: np.ndarray, shown: np.ndarray
) -> tuple[np.ndarray, list[list[dict[str, Any]]]]:
    """Base 0, the probability of a typical call, and what each group of features adds to it.

    `base` is the typical call's log-odds, `log_odds` what each group adds to them, shape (rows,
    groups); `shown` the probabilities as written, which the points add up to. A group's points are
    its share of the straight way from the typical call to this one: the values of Aumann and
    Shapley (1974), as in integrated gradients (Sundararajan, Taly and Yan, 2017). OTHER takes what
    is folded.
    """
    codes = [f"FEATURE_{group}" for group in GROUPS]
    typical = round(float(sigmoid(np.array([base]))[0]), DECIMALS)
    table = np.round(log_odds * _slope(base, log_odds.sum(axis=1))[:, None], DECIMALS)
    names = _statements(metric, frame, codes, table)
    values = [_group_values(frame, group) for group in GROUPS]
    order = np.argsort(-np.abs(table), axis=1, kind="stable")[:, :MAX_REASONS]
    reasons = []
    for row in range(len(frame)):
        found = [
            _reason(names[at][row], float(table[row, at]), values[at], row, 2)
            for at in order[row]
            if abs(table[row, at]) >= LEAST_POINTS
        ]
        start = typical
        rest = float(shown[row]) - start - sum(reason["points"] for reason in found)
        if abs(rest) >= LEAST_POINTS:
            found.append({"code": "OTHER", "points": round(rest, DECIMALS)})
        else:
            start += rest
        reasons.append([{"code": TYPICAL_CALL, "points": round(start, DECIMALS)}, *found])
    return np.zeros(len(frame)), reasons


def _slope(base: float, rise: np.ndarray) -> np.ndarray:
    """Probability gained a unit of log-odds on the way from `base` to `base + rise`."""
    start = sigmoid(np.array([base]))
    flat = np.abs(rise) < 1e-6
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (sigmoid(base + rise) - start) / rise
    return np.where(flat, start * (1 - start), slope)


def _reason(
    code: str, points: float, values: np.ndarray | None, row: int, decimals: int
) -> dict[str, Any]:
    reason: dict[str, Any] = {"code": code, "points": points}
    if values is not None and not np.isnan(values[row]):
        reason["value"] = round(float(values[row]), decimals)
    return reason


def _group_values(frame: pd.DataFrame, group: str) -> np.ndarray | None:
    """The number to show with a group; None where a number says nothing."""
    column = None if group in GROUPS_WITHOUT_NUMBER else GROUP_NUMBER[group]
    if column is None:
        return None
    return numbers(frame[column]).to_numpy() * (100 if group in SHARES else 1)


def _statements(
    metric: str, frame: pd.DataFrame, codes: list[str], points: np.ndarray
) -> list[np.ndarray]:
    """The code of each column and row: what happened where a sentence tells it."""
    names = []
    for code in codes:
        column, by_value = VALUE_CODES.get(code.removeprefix("FEATURE_"), ("", {}))
        if column and code.startswith("FEATURE_"):
            told = level_values(frame, column).map(by_value).fillna(code).to_numpy(dtype=object)
        else:
            told = np.full(len(frame), code, dtype=object)
        names.append(told)
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
