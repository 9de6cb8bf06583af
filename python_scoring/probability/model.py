"""What scores a metric: base rates or a trained model, its calibration, and the row it writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from python_scoring.probability.base_rates import BaseRates
from python_scoring.probability.calibration import Sigmoid
from python_scoring.probability.explain import lookup_reasons, model_reasons
from python_scoring.probability.features import features
from python_scoring.probability.quality import sigmoid
from python_scoring.probability.settings import COMPLAINT, REPEAT, SPECS

# A probability has four decimals in lm_value and is never quite 0 or 1.
DECIMALS = 4
LOWEST = 0.0001
LOW_BELOW, HIGH_FROM = 0.2, 0.5
# One encoder for all rows: json.dumps would make one a row.
to_json = json.JSONEncoder(separators=(",", ":")).encode


class Candidate(Protocol):
    """A trained model of the log-odds."""

    calc_method: str

    def fit(self, inputs: pd.DataFrame, label: np.ndarray, weight: np.ndarray) -> Any: ...
    def log_odds(self, inputs: pd.DataFrame) -> np.ndarray: ...
    def explain(self, inputs: pd.DataFrame) -> tuple[float, np.ndarray]: ...
    def used(self) -> list[str]: ...
    def card(self) -> dict[str, Any]: ...


@dataclass
class ProbabilityModel:
    """Probabilities of one metric with their reasons. `trained` is None: base rates score."""

    metric: str
    horizon_days: int
    base_rates: BaseRates
    trained: Candidate | None = None
    calibration: Sigmoid = field(default_factory=Sigmoid)
    # What stands in each row's JSON beside the reasons: n_train, brier, brier_base.
    facts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def calc_method(self) -> str:
        return "empirical_bayes" if self.trained is None else self.trained.calc_method

    def inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The features as the model sees them: floats and codes; drift is measured on them."""
        return features(frame)

    def probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """One probability a row, in the order of the frame; gates are not looked at."""
        if len(frame) == 0:
            return np.empty(0)
        if self.trained is None:
            return _rounded(sigmoid(self.base_rates.log_odds(frame)))
        log_odds = self.trained.log_odds(features(frame))
        return _rounded(sigmoid(self.calibration.apply(log_odds)))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Probability, base, kind and reasons of each row, by the frame's index.

        `base` and the reasons' points sum up to the probability. Gates are not looked at.
        """
        result = pd.DataFrame(index=frame.index)
        if len(frame) == 0:
            return result.assign(probability=[], base=[], kind=[], reasons=[])
        if self.trained is None:
            rates = self.base_rates.level_rates(frame)
            p = _rounded(rates[:, -1])
            base, reasons = lookup_reasons(self.metric, frame, rates, p)
        else:
            # One thread: on a busy machine two of them mostly wait for each other.
            with threadpool_limits(limits=1):
                base_log_odds, points = self.trained.explain(features(frame))
            start = float(self.calibration.apply(np.array([base_log_odds]))[0])
            points = points * self.calibration.slope
            p = _rounded(sigmoid(start + points.sum(axis=1)))
            base, reasons = model_reasons(self.metric, frame, start, points, p)
        result["probability"] = p
        result["base"] = base
        result["kind"] = "lookup" if self.trained is None else "additive"
        result["reasons"] = pd.Series(reasons, index=frame.index, dtype=object)
        return result

    def value_rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The metric's row of lm_value for each call, gated ones too, by the frame's index."""
        column = frame[SPECS[self.metric].gate_column(self.metric)]
        gates = [None if pd.isna(gate) else str(gate) for gate in column]
        values: list[float | None] = [None] * len(frame)
        texts = [gated_json(gate) for gate in gates]
        labels = [self.gate_label(gate) for gate in gates]
        open_rows = [place for place, gate in enumerate(gates) if gate is None]
        scored = self.predict(frame.iloc[open_rows]).itertuples(index=False)
        for place, (p, base, kind, reasons) in zip(open_rows, scored, strict=True):
            values[place] = float(p)
            texts[place] = self.value_json(base, kind, reasons)
            labels[place] = self.label(p)
        reviews = [None if pd.isna(review) else int(review) for review in frame["call_score_id"]]
        columns: dict[str, Any] = {
            "history_id": frame["history_id"].tolist(),
            "call_score_id": reviews,
            "metric_code": self.metric,
            "metric_group": "forecast",
            "value_numeric": values,
            "value_label": labels,
            "value_json": texts,
            "calc_method": self.calc_method,
        }
        return pd.DataFrame(columns, index=frame.index, dtype=object)

    def value_json(self, base: float, kind: str, reasons: list[dict[str, Any]]) -> str:
        return to_json(
            {
                "v": 1,
                "status": "ok",
                "kind": kind,
                "base": base,
                "reasons": reasons,
                "horizon_d": self.horizon_days,
                "model": self.calc_method,
                **self.facts,
            }
        )

    def label(self, p: float) -> str | None:
        if self.metric != REPEAT:
            return None
        return "low" if p < LOW_BELOW else "medium" if p < HIGH_FROM else "high"

    def gate_label(self, gate: str | None) -> str | None:
        is_complaint = self.metric == COMPLAINT and gate == "ALREADY_COMPLAINT"
        return "complaint" if is_complaint else None

    def card(self) -> dict[str, Any]:
        """All that is known of the model, for people and for drift; plain JSON."""
        return {
            "metric": self.metric,
            "calc_method": self.calc_method,
            "horizon_days": self.horizon_days,
            **self.facts,
            **self.notes,
            "features": [] if self.trained is None else self.trained.used(),
            "calibration": {"shift": self.calibration.shift, "slope": self.calibration.slope},
            "model": None if self.trained is None else self.trained.card(),
            "base_rates": self.base_rates.card(),
        }


def gated_json(gate: str | None) -> str | None:
    if gate is None:
        return None
    return to_json({"v": 1, "status": "gated", "gate": gate})


def _rounded(p: np.ndarray) -> np.ndarray:
    return np.round(np.clip(p, LOWEST, 1 - LOWEST), DECIMALS)
