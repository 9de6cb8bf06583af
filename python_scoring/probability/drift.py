"""How far inputs and scores have moved from those a model learnt on: the stability index PSI.

PSI = sum over bins of (new share - old share) * ln(new share / old share); under 0.1 little has
moved, from 0.25 much (Siddiqi, Credit Risk Scorecards, 2006; the bounds are a habit, not a test).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from python_scoring.probability.features import BY_COLUMN, features

BINS = 10
MAX_CODES = 30
# A share of an empty bin: the index stays finite.
LEAST_SHARE = 1e-4
REST, MISSING = "rest", "missing"


def reference(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Each feature's distribution over the training calls, as `population_stability` takes it."""
    inputs = features(frame)
    return {
        name: code_shares(inputs[name]) if BY_COLUMN[name].is_code else number_shares(inputs[name])
        for name in inputs.columns
    }


def code_shares(values: pd.Series) -> dict[str, Any]:
    counts = values.value_counts(normalize=True)
    order = sorted(counts.index, key=lambda code: (-counts[code], code))[:MAX_CODES]
    shares = {code: round(float(counts[code]), 6) for code in order}
    return {"kind": "code", "shares": {**shares, REST: round(1 - sum(shares.values()), 6)}}


def number_shares(values: pd.Series | np.ndarray) -> dict[str, Any]:
    """Shares between the deciles; many equal values make fewer bins."""
    array = np.asarray(values, dtype=float)
    known = array[~np.isnan(array)]
    cuts = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = [float(edge) for edge in np.unique(np.quantile(known, cuts))] if len(known) else []
    entry: dict[str, Any] = {"kind": "number", "edges": edges}
    counts = _counts(entry, pd.Series(array))
    total = max(1, sum(counts.values()))
    return {**entry, "shares": {name: round(n / total, 6) for name, n in counts.items()}}


def _counts(entry: dict[str, Any], values: pd.Series) -> dict[str, int]:
    """Values in each of an entry's bins."""
    if entry["kind"] == "code":
        counts = values.value_counts()
        found = {code: int(counts.get(code, 0)) for code in entry["shares"] if code != REST}
        return {**found, REST: len(values) - sum(found.values())}
    array = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    known = array[~np.isnan(array)]
    place = np.searchsorted(np.asarray(entry["edges"], dtype=float), known, side="left")
    bins = np.bincount(place, minlength=len(entry["edges"]) + 1)
    found = {str(at): int(n) for at, n in enumerate(bins)}
    return {**found, MISSING: len(array) - len(known)}


def population_stability(entry: dict[str, Any], values: pd.Series) -> float:
    """PSI of `values` against an entry of a card; 0 without values."""
    if len(values) == 0:
        return 0.0
    counts = _counts(entry, values)
    total = 0.0
    for name, n in counts.items():
        old = max(LEAST_SHARE, float(entry["shares"].get(name, 0.0)))
        new = max(LEAST_SHARE, n / len(values))
        total += (new - old) * float(np.log(new / old))
    return total
