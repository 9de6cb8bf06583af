"""Gradient boosted trees with native categories, and what moved each prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from python_scoring.probability.features import BY_COLUMN, GROUPS
from python_scoring.probability.linear import usable
from python_scoring.probability.tree_tables import preprocessed, tree_tables

MIN_CODE_CALLS = 20
MAX_CODES = 60
LEAVES = 8
LEARNING_RATE = 0.05
FEATURE_SHARE = 0.3
# Trees by the number of events (or of calls without one, if these are fewer).
EVENTS_PER_TREE = 20
FEWEST_TREES, MOST_TREES = 40, 150


class TreeModel:
    """Boosted trees of a few leaves each, as many as the events can feed.

    Each split sees a third of the features: with few calls that is worth more than deeper trees.
    Nothing is searched for: on the few calls of a fold a search finds what was luck.
    """

    calc_method = "gbm"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, inputs: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> TreeModel:
        """Learn from features, labels of both classes and weights.

        Columns without a value are left out.
        """
        rarer = min(int(label.sum()), len(label) - int(label.sum()))
        self.trees_ = min(max(rarer // EVENTS_PER_TREE, FEWEST_TREES), MOST_TREES)
        self.columns_ = usable(inputs)
        self.codes_ = {
            name: _code_numbers(inputs[name]) for name in self.columns_ if BY_COLUMN[name].is_code
        }
        matrix = self._matrix(inputs)
        self.model_ = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_iter=self.trees_,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=40,
            l2_regularization=1.0,
            max_features=FEATURE_SHARE,
            categorical_features=[name in self.codes_ for name in self.columns_],
            early_stopping=False,
            random_state=self.seed,
        ).fit(matrix, label, sample_weight=weight)
        self.reference_ = self._reference(matrix)
        return self

    def _matrix(self, inputs: pd.DataFrame) -> np.ndarray:
        """Numbers as they are, codes as their number; a code not seen before counts as rare."""
        columns = []
        for name in self.columns_:
            if name in self.codes_:
                columns.append(inputs[name].map(self.codes_[name]).fillna(0).to_numpy(dtype=float))
            else:
                columns.append(inputs[name].to_numpy(dtype=float))
        return np.column_stack(columns)

    def _reference(self, matrix: np.ndarray) -> np.ndarray:
        """The typical call: the most frequent code, the middle number; missing if that is usual."""
        row = np.empty(matrix.shape[1])
        for at, name in enumerate(self.columns_):
            values = matrix[:, at]
            known = values[~np.isnan(values)]
            if name in self.codes_:
                row[at] = np.bincount(known.astype(int)).argmax()
            else:
                usual = len(known) * 2 >= len(values)
                row[at] = np.quantile(known, 0.5, method="lower") if usual else np.nan
        return row

    def log_odds(self, inputs: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.model_.decision_function(self._matrix(inputs)))

    def explain(self, inputs: pd.DataFrame) -> tuple[float, np.ndarray]:
        """Log-odds of the typical call, and each group's share of the way to each call's.

        Groups of features are put in the place of the typical call's one after the other, once in
        their order and once in the reverse; a group's points are the mean of what its turn changed,
        summed up over the trees.
        So points sum up exactly to the difference (sampled Shapley values with two opposite orders:
        Strumbelj and Kononenko, 2014; Mitchell et al., 2022, on antithetic permutations).
        Shape (rows, groups).
        """
        matrix = preprocessed(self.model_, np.vstack([self.reference_, self._matrix(inputs)]))
        base = float(self.model_.decision_function(self.reference_[None, :])[0])
        order = list(dict.fromkeys(map(_group, self.columns_)))
        points = np.zeros((len(matrix) - 1, len(order)))
        for tree in tree_tables(self.model_):
            groups = np.array([order.index(_group(self.columns_[at])) for at in tree.columns], int)
            patterns = tree.patterns(matrix)
            shares = tree.shares(patterns[0], groups)
            points[:, : shares.shape[1]] += shares[patterns[1:]]
        by_group = np.zeros((len(points), len(GROUPS)))
        by_group[:, [GROUPS.index(group) for group in order]] = points
        return base, by_group

    def used(self) -> list[str]:
        return list(self.columns_)

    def card(self) -> dict[str, Any]:
        return {"trees": self.trees_, "leaves": LEAVES, "learning_rate": LEARNING_RATE}


class Blend:
    """The mean of two models' log-odds."""

    calc_method = "gbm"

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts = parts

    def fit(self, inputs: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Blend:
        for part in self.parts:
            part.fit(inputs, label, weight)
        return self

    def log_odds(self, inputs: pd.DataFrame) -> np.ndarray:
        return np.mean([part.log_odds(inputs) for part in self.parts], axis=0)

    def explain(self, inputs: pd.DataFrame) -> tuple[float, np.ndarray]:
        explained = [part.explain(inputs) for part in self.parts]
        base = sum(base for base, _ in explained) / len(explained)
        return base, np.mean([points for _, points in explained], axis=0)

    def used(self) -> list[str]:
        return list(dict.fromkeys(name for part in self.parts for name in part.used()))

    def card(self) -> dict[str, Any]:
        return {type(part).__name__: part.card() for part in self.parts}


def _group(column: str) -> str:
    return BY_COLUMN[column].group


def _code_numbers(values: pd.Series) -> dict[str, int]:
    """1, 2, ... for the frequent codes, most frequent first; 0 is left for all others."""
    counts = values.value_counts()
    # By name where counts are equal: the same calls in another order give the same model.
    frequent = sorted(
        (code for code, n in counts.items() if n >= MIN_CODE_CALLS), key=lambda c: (-counts[c], c)
    )
    return {code: place for place, code in enumerate(frequent[: MAX_CODES - 1], start=1)}
