"""Boosted trees of few leaves as tables: which way a call goes at each split, what that gives, and
how much of it each group of features brings.

scikit-learn answers one question at a time: the value of whole rows. The reasons of a probability
ask for many rows that differ in one group of features. In a tree of seven splits a row is no more
than seven yes and no, so all answers stand in a table of 128 lines. The nodes are private in
scikit-learn; a model is never loaded by another version than the one that made it, and
test_probability_models.py compares with decision_function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier


@dataclass(frozen=True)
class TreeTable:
    """A tree: its splits (node numbers; columns of the matrix), and the value of each pattern of
    ways, bit k being whether split k is passed to the left. Shape (2 ** splits,)."""

    splits: Sequence[np.void]
    columns: tuple[int, ...]
    values: np.ndarray
    left_codes: np.ndarray

    def patterns(self, matrix: np.ndarray) -> np.ndarray:
        """The pattern of each row of the preprocessed matrix. Shape (rows,)."""
        found = np.zeros(len(matrix), dtype=np.int64)
        for bit, split in enumerate(self.splits):
            found |= self._goes_left(split, matrix[:, split["feature_idx"]]).astype(np.int64) << bit
        return found

    def _goes_left(self, split: np.void, values: np.ndarray) -> np.ndarray:
        missing = np.isnan(values)
        if split["is_categorical"]:
            words = self.left_codes[split["bitset_idx"]]
            codes = np.where(missing, 0, values).astype(np.int64)
            left = (words[codes // 32] >> (codes % 32).astype(words.dtype)) & 1 == 1
        else:
            left = values <= split["num_threshold"]
        return np.where(missing, bool(split["missing_go_to_left"]), left)

    def shares(self, reference: int, groups: np.ndarray) -> np.ndarray:
        """What each group changes on the way from the pattern `reference` to each pattern: in the
        groups' order and in the reverse, the mean of both. `groups` has the group of each split.
        Shape (patterns, groups)."""
        patterns = np.arange(len(self.values))
        members = {
            int(g): int(sum(1 << bit for bit in np.flatnonzero(groups == g))) for g in groups
        }
        found = np.zeros((len(patterns), max(members, default=-1) + 1))
        for order in (sorted(members), sorted(members, reverse=True)):
            taken, before = 0, self.values[reference]
            for group in order:
                taken |= members[group]
                after = self.values[(patterns & taken) | (reference & ~taken)]
                found[:, group] += (after - before) / 2
                before = after
        return found


def tree_tables(model: HistGradientBoostingClassifier) -> Iterator[TreeTable]:
    """The trees of a fitted model of two classes, in their order."""
    is_code = model.is_categorical_
    width = model.n_features_in_
    # The preprocessing puts the codes first.
    places = np.arange(width)
    if is_code is not None:
        places = np.concatenate([np.flatnonzero(is_code), np.flatnonzero(~is_code)])
    for (tree,) in model._predictors:
        numbers = np.flatnonzero(tree.nodes["is_leaf"] == 0)
        yield TreeTable(
            splits=[tree.nodes[number] for number in numbers],
            columns=tuple(int(places[tree.nodes[number]["feature_idx"]]) for number in numbers),
            values=_values(tree.nodes, numbers),
            left_codes=tree.raw_left_cat_bitsets,
        )


def preprocessed(model: HistGradientBoostingClassifier, matrix: np.ndarray) -> np.ndarray:
    """The matrix as the trees' splits read it. Shape (rows, columns)."""
    return np.asarray(model._preprocess_X(matrix, reset=False))


def _values(nodes: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """The leaf's value of each pattern, all walked at once."""
    bit_of = {int(number): bit for bit, number in enumerate(splits)}
    patterns = np.arange(1 << len(splits))
    values = np.empty(len(patterns))

    def walk(number: int, rows: np.ndarray) -> None:
        node = nodes[number]
        if node["is_leaf"]:
            values[rows] = node["value"]
            return
        left = (patterns[rows] >> bit_of[number]) & 1 == 1
        walk(int(node["left"]), rows[left])
        walk(int(node["right"]), rows[~left])

    walk(0, patterns)
    return values
