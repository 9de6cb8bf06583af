"""Penalised logistic regression over steps and logarithms: an additive model, read off its sums.

Every number goes in as a line (of its logarithm where it is a length or a count), as steps at its
quantiles, and as a flag when it is missing; every code as one column a value, rare values pooled.

Each feature has a ridge penalty of its own, found from the same calls (MacKay 1992; Tipping, JMLR
2001, automatic relevance determination): what tells nothing is drawn to zero, what tells much is
left free, and no slice of calls is spent on the search for one penalty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from python_scoring.probability.features import BY_COLUMN, FEATURES, GROUPS, Feature
from python_scoring.probability.quality import sigmoid

MAX_STEPS = 8
# With fewer calls to a step it follows the noise.
CALLS_PER_STEP = 1500
MIN_CODE_CALLS = 20
# Penalties start in the middle of their range; with the first readings they are left alone.
FIRST_PENALTY, LEAST_PENALTY, MOST_PENALTY = 10.0, 0.3, 1e4
FREE_READINGS, MOST_READINGS, MOST_STEPS = 2, 20, 40
# Enough: no penalty moves by more than a tenth.
TOLERANCE = 0.1
ROWS_AT_ONCE = 20_000


class Column:
    """One feature's columns in the design matrix."""

    def __init__(self, feature: Feature, values: pd.Series) -> None:
        self.feature = feature
        self.levels: list[str] = []
        self.edges = np.empty(0)
        self.mean, self.scale, self.has_missing = 0.0, 1.0, False
        if feature.is_code:
            counts = values.value_counts()
            self.levels = sorted(counts[counts >= MIN_CODE_CALLS].index)
        else:
            self._learn_number(values.to_numpy(dtype=float))

    def _learn_number(self, values: np.ndarray) -> None:
        known = self._line(values[~np.isnan(values)])
        self.has_missing = bool(np.isnan(values).any())
        self.mean = float(known.mean())
        self.scale = float(known.std()) or 1.0
        steps = min(MAX_STEPS, len(values) // CALLS_PER_STEP)
        quantiles = np.quantile(known, np.linspace(0, 1, steps + 2)[1:-1], method="lower")
        self.edges = np.setdiff1d(np.unique(quantiles), known.min())

    def _line(self, values: np.ndarray) -> np.ndarray:
        return np.log1p(np.maximum(values, 0)) if self.feature.is_log else values

    @property
    def names(self) -> list[str]:
        name = self.feature.column
        if self.feature.is_code:
            return [f"{name}={level}" for level in self.levels]
        steps = [f"{name}>={self._back(edge):g}" for edge in self.edges]
        return [name, *steps, *([f"{name} missing"] if self.has_missing else [])]

    def _back(self, edge: float) -> float:
        return float(np.expm1(edge)) if self.feature.is_log else float(edge)

    def design(self, values: pd.Series) -> np.ndarray:
        """Columns of the design matrix, as many as `names`."""
        if self.feature.is_code:
            found = values.to_numpy(dtype=object)
            return np.column_stack([found == level for level in self.levels]).astype(np.float32)
        raw = values.to_numpy(dtype=float)
        missing = np.isnan(raw)
        line = self._line(np.where(missing, 0.0, raw))
        line = np.where(missing, self.mean, line)
        # A value beyond all that was seen is taken for the largest that was not odd.
        scaled = np.clip((line - self.mean) / self.scale, -4, 4)
        parts = [scaled, *((line >= edge) & ~missing for edge in self.edges)]
        if self.has_missing:
            parts.append(missing)
        return np.column_stack(parts).astype(np.float32)


class LinearModel:
    """Logistic regression with a ridge penalty a feature; no search, no random numbers."""

    calc_method = "regression"

    def fit(self, inputs: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> LinearModel:
        """Learn from features (see features.py), labels of both classes and weights."""
        columns = [Column(BY_COLUMN[name], inputs[name]) for name in usable(inputs)]
        self.columns_ = [column for column in columns if column.names]
        matrix = self._matrix(inputs)
        self.centre_ = matrix.mean(axis=0, dtype=float)
        sizes = [len(column.names) for column in self.columns_] or [1]
        found, penalties = fit_penalised(matrix, self.centre_, sizes, label, weight)
        self.coefficients_ = found[1:]
        self.intercept_ = float(found[0] - self.centre_ @ found[1:])
        self.penalties_ = penalties
        return self

    def _matrix(self, inputs: pd.DataFrame) -> np.ndarray:
        parts = [column.design(inputs[column.feature.column]) for column in self.columns_]
        return np.hstack(parts) if parts else np.zeros((len(inputs), 1), dtype=np.float32)

    def log_odds(self, inputs: pd.DataFrame) -> np.ndarray:
        return self.intercept_ + self._matrix(inputs) @ self.coefficients_

    def explain(self, inputs: pd.DataFrame) -> tuple[float, np.ndarray]:
        """Log-odds of the average call, and each group's share of the way to each call's.

        coefficient * (x - mean), summed over a group's columns; shape (rows, groups).
        """
        matrix = self._matrix(inputs)
        base = self.intercept_ + float(self.centre_ @ self.coefficients_)
        points = np.zeros((len(inputs), len(GROUPS)))
        at = 0
        for column in self.columns_:
            to = at + len(column.names)
            part = (matrix[:, at:to] - self.centre_[at:to]) @ self.coefficients_[at:to]
            points[:, GROUPS.index(column.feature.group)] += part
            at = to
        return base, points

    def used(self) -> list[str]:
        return [column.feature.column for column in self.columns_]

    def card(self) -> dict[str, Any]:
        names = [name for column in self.columns_ for name in column.names]
        values = [round(float(value), 5) for value in self.coefficients_[: len(names)]]
        penalties = zip(self.used(), self.penalties_, strict=False)
        return {
            "penalties": {name: round(float(penalty), 2) for name, penalty in penalties},
            "intercept": self.intercept_,
            "coefficients": dict(zip(names, values, strict=True)),
        }


def fit_penalised(
    matrix: np.ndarray,
    centre: np.ndarray,
    sizes: list[int],
    label: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and coefficients of the centred columns, and the penalty of each feature.

    `sizes` are the numbers of columns of the features. Newton steps; after each one a penalty
    becomes gamma / (sum of the squared coefficients), gamma being the number of coefficients that
    the calls determine: columns - penalty * trace of their part of the inverse Hessian.

    Penalties settle slowly and the likelihood hardly changes meanwhile: they are followed on its
    second-order expansion, which costs nothing, and the calls are read again when they have.
    """
    feature = np.repeat(np.arange(len(sizes)), sizes)
    count = np.asarray(sizes, dtype=float)
    penalty = np.full(len(sizes), FIRST_PENALTY)
    theta = np.zeros(matrix.shape[1] + 1)
    rate = float(label @ weight / weight.sum())
    theta[0] = np.log(rate / (1 - rate))
    for reading in range(MOST_READINGS):
        gradient, hessian = _derivatives(matrix, centre, theta, label, weight)
        read_at = theta
        aim = hessian @ theta + gradient
        is_settled = False
        for step in range(1 if reading < FREE_READINGS else MOST_STEPS):
            covariance = np.linalg.inv(hessian + np.diag(np.append(0.0, penalty[feature])))
            theta = read_at + np.clip(covariance @ aim - read_at, -1, 1)
            if reading < FREE_READINGS:
                break
            variance = np.diag(covariance)[1:]
            determined = count - penalty * np.bincount(feature, variance, len(sizes))
            squares = np.bincount(feature, theta[1:] ** 2, len(sizes))
            updated = np.clip(
                np.maximum(determined, 1e-6) / (squares + 1e-12), LEAST_PENALTY, MOST_PENALTY
            )
            moved = float(np.abs(np.log(updated / penalty)).max())
            penalty = updated
            if moved < TOLERANCE:
                is_settled = step == 0
                break
        if is_settled:
            break
    return theta, penalty


def _derivatives(
    matrix: np.ndarray,
    centre: np.ndarray,
    theta: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the log-likelihood and its negative second derivative, block by block.

    In single precision within a block, as the matrix is: a block's sums are right to a millionth.
    """
    gradient = np.zeros(len(theta))
    hessian = np.zeros((len(theta), len(theta)))
    middle = centre.astype(np.float32)
    for start in range(0, len(label), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        block = matrix[rows]
        design = np.empty((len(block), len(theta)), dtype=np.float32)
        design[:, 0] = 1
        np.subtract(block, middle, out=design[:, 1:])
        p = sigmoid((design @ theta.astype(np.float32)).astype(float))
        gradient += (weight[rows] * (label[rows] - p)).astype(np.float32) @ design
        design *= np.sqrt(weight[rows] * p * (1 - p)).astype(np.float32)[:, None]
        # A matrix by itself, transposed: the library does half of it.
        hessian += design.T @ design
    return gradient, hessian


def usable(inputs: pd.DataFrame) -> list[str]:
    """Features that have a value and do not always have the same."""
    present = (feature.column for feature in FEATURES if feature.column in inputs)
    return [
        name
        for name in present
        if inputs[name].notna().any() and inputs[name].nunique(dropna=False) > 1
    ]
