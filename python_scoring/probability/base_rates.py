"""Smoothed base rates: the share of like calls, from the widest level to the narrowest.

A level's rate is (k + m * rate of the wider level) / (n + m) (empirical Bayes; Robinson,
Introduction to Empirical Bayes, 2017). Few calls stay near their parent, none are their parent.
A factor multiplies the narrowest rate by (events + c) / (events expected from the rates + c), the
smoothed rate ratio of its value (Clayton and Kaldor, Biometrics 1987).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from python_scoring.probability.features import codes, numbers
from python_scoring.probability.settings import SPECS

ROOT = "BASE_RATE"
# Expected events that hold a factor to 1, and the highest rate a factor leads to.
FACTOR_EVENTS = 5.0
HIGHEST_RATE = 0.99
# Upper edges of the bands of the complaint points, the last one open.
BANDS = ((0, "0"), (25, "1-24"), (50, "25-49"))
LAST_BAND = "50-100"
BAND_ORDER = ("0", "1-24", "25-49", LAST_BAND)


def level_values(frame: pd.DataFrame, column: str) -> pd.Series:
    """A level's value of each call, as text."""
    if column == "calls_7d_class":
        calls = numbers(frame["calls_7d"]).fillna(0)
        return calls.clip(0, 2).astype(int).astype(str).astype(object)
    if column == "complaint_band":
        points = numbers(frame["complaint_points"]).fillna(0)
        band = np.select(
            [points <= 0, points < 25, points < 50],
            [name for _, name in BANDS],
            LAST_BAND,
        )
        return pd.Series(band, index=frame.index, dtype=object)
    return codes(frame[column])


def level_keys(frame: pd.DataFrame, levels: tuple[str, ...]) -> list[pd.Series]:
    """For each level the values down to it, joined by a bar."""
    keys: list[pd.Series] = []
    for column in levels:
        values = level_values(frame, column)
        keys.append(values if not keys else keys[-1] + "|" + values)
    return keys


class BaseRates:
    """Rates by level. After `fit`, `rates_` has those of each level, `root_` that of all calls."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.spec = SPECS[metric]
        self.root_ = self.spec.prior
        self.n_ = 0
        self.rates_: list[dict[str, float]] = [{} for _ in self.spec.levels]
        self.counts_: list[dict[str, int]] = [{} for _ in self.spec.levels]
        self.ratios_: list[dict[str, float]] = [{} for _ in self.spec.factors]

    def fit(self, frame: pd.DataFrame, label: np.ndarray) -> BaseRates:
        """Learn from calls with a known label (0 or 1, one a row); none at all is allowed."""
        m = self.spec.prior_calls
        self.n_ = len(label)
        self.root_ = float((label.sum() + m * self.spec.prior) / (len(label) + m))
        if self.n_ == 0:
            return self
        weight = len(label) / (len(label) + m)
        for depth, keys in enumerate(level_keys(frame, self.spec.levels)):
            sums = pd.DataFrame({"key": keys.to_numpy(), "label": label}).groupby("key")["label"]
            table = sums.agg(["sum", "count"])
            parents = [self._parent(depth, key, weight) for key in table.index]
            rate = (table["sum"].to_numpy() + m * np.array(parents)) / (
                table["count"].to_numpy() + m
            )
            if self.spec.is_monotone and depth == 0:
                rate = _rising(table.index, rate, table["count"].to_numpy() + m)
            self.rates_[depth] = dict(zip(table.index, map(float, rate), strict=True))
            self.counts_[depth] = dict(zip(table.index, map(int, table["count"]), strict=True))
        self._fit_factors(frame, label)
        return self

    def _fit_factors(self, frame: pd.DataFrame, label: np.ndarray) -> None:
        self.ratios_ = [{} for _ in self.spec.factors]
        for place, column in enumerate(self.spec.factors):
            expected = self.level_rates(frame)[:, -1]
            table = pd.DataFrame(
                {
                    "value": level_values(frame, column).to_numpy(),
                    "events": label,
                    "expected": expected,
                }
            )
            sums = table.groupby("value")[["events", "expected"]].sum()
            ratio = (sums["events"] + FACTOR_EVENTS) / (sums["expected"] + FACTOR_EVENTS)
            self.ratios_[place] = {str(value): float(r) for value, r in ratio.items()}

    def flat(self, rate: float) -> BaseRates:
        """The same rate for everybody: where the levels tell nothing."""
        self.root_ = rate
        self.rates_ = [{} for _ in self.spec.levels]
        self.counts_ = [{} for _ in self.spec.levels]
        self.ratios_ = [{} for _ in self.spec.factors]
        return self

    def _parent(self, depth: int, key: str, weight: float) -> float:
        if depth == 0:
            # The prior of a value fades as calls come in and the rate of all calls is known.
            prior = self.spec.level_priors.get(key, self.spec.prior)
            return weight * self.root_ + (1 - weight) * prior
        return self.rates_[depth - 1][key.rpartition("|")[0]]

    def level_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """Rates by row, level and factor, the rate of all calls first.

        Shape (rows, 1 + levels + factors).
        """
        steps = len(self.spec.levels) + len(self.spec.factors)
        rates = np.full((len(frame), steps + 1), self.root_)
        priors = self.spec.level_priors if self.n_ == 0 else {}
        for depth, keys in enumerate(level_keys(frame, self.spec.levels)):
            known = self.rates_[depth] or (priors if depth == 0 else {})
            found = keys.map(known).to_numpy(dtype=float, na_value=np.nan)
            rates[:, depth + 1] = np.where(np.isnan(found), rates[:, depth], found)
        first = len(self.spec.levels) + 1
        for at, column in enumerate(self.spec.factors, start=first):
            known = self.ratios_[at - first]
            ratio = level_values(frame, column).map(known).to_numpy(dtype=float, na_value=1.0)
            rates[:, at] = np.minimum(rates[:, at - 1] * ratio, HIGHEST_RATE)
        return rates

    def log_odds(self, frame: pd.DataFrame) -> np.ndarray:
        p = self.level_rates(frame)[:, -1]
        return np.log(p / (1 - p))

    def card(self) -> dict[str, Any]:
        return {
            "base_rate": self.root_,
            "calls": self.n_,
            "levels": {
                column: {
                    key: {"rate": round(rate, 6), "calls": self.counts_[depth].get(key, 0)}
                    for key, rate in self.rates_[depth].items()
                }
                for depth, column in enumerate(self.spec.levels)
            },
            "factors": {
                column: {value: round(ratio, 6) for value, ratio in ratios.items()}
                for column, ratios in zip(self.spec.factors, self.ratios_, strict=True)
            },
        }


def _rising(bands: pd.Index, rate: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rates that do not fall from band to band (pool adjacent violators)."""
    place = np.array([BAND_ORDER.index(band) for band in bands])
    order = np.argsort(place)
    model = IsotonicRegression().fit(place[order], rate[order], weight[order])
    result = np.empty_like(rate)
    result[order] = model.predict(place[order])
    return result
