"""Training of one metric: what is lacking, base rates or the chosen model, and the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from python_scoring.probability import drift
from python_scoring.probability.base_rates import BaseRates
from python_scoring.probability.calibration import Sigmoid
from python_scoring.probability.choice import (
    MIN_FIT_ROWS,
    Judged,
    best_candidate,
    final,
    is_enough,
)
from python_scoring.probability.labels import MaturedCalls, Slices, matured_calls, slices
from python_scoring.probability.model import ProbabilityModel
from python_scoring.probability.quality import brier, quality, sigmoid
from python_scoring.probability.settings import SPECS, ProbabilitySettings

MIN_POSITIVES_TO_FLATTEN = 20

DEFAULTS = ProbabilitySettings()


@dataclass(frozen=True)
class TrainingResult:
    """What scores from now on, and the columns of lm_model_run that training knows."""

    model: ProbabilityModel
    report: dict[str, Any]


def train_metric(
    frame: pd.DataFrame,
    metric: str,
    as_of: datetime,
    settings: ProbabilitySettings = DEFAULTS,
    seed: int = 0,
) -> TrainingResult:
    """Train a metric on rows of int_forecast_inputs, as of a moment.

    There is always a model: base rates while calls are too few, or while no trained model has a
    lower Brier score than they on the newest matured calls. Deterministic under `seed`, and in
    whatever order the rows come.
    """
    calls = matured_calls(frame, metric, as_of, settings)
    # Threads that wait for each other take six times the processor's time on a busy machine, and
    # save seconds on an idle one.
    with threadpool_limits(limits=1):
        return _train(calls, metric, as_of, settings, seed)


def _train(
    calls: MaturedCalls, metric: str, as_of: datetime, settings: ProbabilitySettings, seed: int
) -> TrainingResult:
    """`train_metric` on its matured calls."""
    parts = slices(calls)
    base = _base_rates(metric, parts, settings)
    lacking = _what_is_lacking(calls, parts, settings)
    judged = None if lacking else best_candidate(metric, parts, seed)
    trained, calibration, probability = None, Sigmoid(), base.probability
    if judged is None:
        reason = f"base rates: {lacking}"
    else:
        reached = brier(parts.test.label, judged.probability)
        is_better = reached < base.brier
        reason = (
            f"{'' if is_better else 'no better than the base rate: '}{judged.name},"
            f" {judged.variant}: Brier {reached:.5f} on the newest matured calls,"
            f" {base.name} {base.brier:.5f}"
        )
        if is_better:
            trained, calibration = final(judged, calls, metric)
            probability = judged.probability
    model = ProbabilityModel(
        metric=metric,
        horizon_days=settings.horizon_days(metric),
        base_rates=_final_base(metric, base, calls, settings),
        trained=trained,
        calibration=calibration,
    )
    measured = quality(parts.test.label, probability)
    report = {
        "metric_code": metric,
        "calc_method": model.calc_method,
        "trained_at": as_of,
        "train_from": _moment(calls, 0),
        "train_to": _moment(calls, -1),
        "label_horizon_days": settings.horizon_days(metric),
        "n_train": len(calls),
        "n_positive": int(calls.label.sum()),
        "n_test": len(parts.test),
        **measured,
        "brier_base": base.brier if len(parts.test) else None,
        "published": int(trained is not None),
        "reason": reason[:255],
        "features": list(SPECS[metric].levels) if trained is None else trained.used(),
    }
    model.facts = {
        "n_train": len(calls),
        **{name: _short(report[name]) for name in ("brier", "brier_base")},
    }
    model.notes = _notes(calls, parts, base, judged, report, model)
    return TrainingResult(model, report)


@dataclass(frozen=True)
class Base:
    """The base rate that a model has to beat: by level, or one recent rate for all."""

    name: str
    probability: np.ndarray
    brier: float
    tried: dict[str, float]


def _base_rates(metric: str, parts: Slices, settings: ProbabilitySettings) -> Base:
    """Both base rates on the newest slice, learnt before it; the better one counts."""
    levels = BaseRates(metric).fit(parts.older.frame, parts.older.label)
    label = parts.test.label
    by_level = sigmoid(levels.log_odds(parts.test.frame)) if len(label) else np.empty(0)
    if len(label) == 0:
        return Base("base rates", by_level, float("nan"), {})
    recent = np.full(len(label), _recent_rate(parts.older, settings, levels.spec.prior))
    tried = {"base rates": brier(label, by_level), "recent rate": brier(label, recent)}
    # A handful of events does not tell one from the other.
    if label.sum() >= MIN_POSITIVES_TO_FLATTEN and tried["recent rate"] < tried["base rates"]:
        return Base("recent rate", recent, tried["recent rate"], tried)
    return Base("base rates", by_level, tried["base rates"], tried)


def _recent_rate(calls: MaturedCalls, settings: ProbabilitySettings, prior: float) -> float:
    newest = calls.label[-settings.recent_rows :]
    return float((newest.sum() + prior) / (len(newest) + 1))


def _final_base(
    metric: str, base: Base, calls: MaturedCalls, settings: ProbabilitySettings
) -> BaseRates:
    rates = BaseRates(metric).fit(calls.frame, calls.label)
    if base.name == "recent rate" and len(calls) >= settings.min_rows:
        return rates.flat(_recent_rate(calls, settings, rates.spec.prior))
    return rates


def _what_is_lacking(calls: MaturedCalls, parts: Slices, settings: ProbabilitySettings) -> str:
    """Why no model can be trained; empty when one can."""
    positives = int(calls.label.sum())
    if len(calls) < settings.min_rows:
        return f"{len(calls)} matured calls, {settings.min_rows} needed"
    if positives < settings.min_positives:
        return (
            f"{positives} of {len(calls)} matured calls with the event,"
            f" {settings.min_positives} needed"
        )
    if positives == len(calls):
        return f"all of the {len(calls)} matured calls had the event"
    for name, part in (("learn from", parts.older), ("judge by", parts.test)):
        if not is_enough(part, MIN_FIT_ROWS if part is parts.older else 0):
            return (
                f"too short a history: {len(part)} calls to {name},"
                f" {int(part.label.sum())} with the event"
            )
    return ""


def _moment(calls: MaturedCalls, at: int) -> datetime | None:
    return pd.Timestamp(calls.start[at]).to_pydatetime() if len(calls) else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _notes(
    calls: MaturedCalls,
    parts: Slices,
    base: Base,
    judged: Judged | None,
    report: dict[str, Any],
    model: ProbabilityModel,
) -> dict[str, Any]:
    """What the card tells beside the model itself."""

    def span(part: MaturedCalls) -> dict[str, Any]:
        return {
            "from": str(_moment(part, 0)),
            "to": str(_moment(part, -1)),
            "calls": len(part),
            "events": int(part.label.sum()),
        }

    kept = ("published", "reason", "n_positive", "n_test", "auc", "pr_auc", "log_loss", "ece")
    return {
        **{name: report[name] for name in kept},
        "slices": {
            "older": span(parts.older),
            "test": span(parts.test),
            "folds": [{"learn": span(f.learn), "predict": span(f.predict)} for f in parts.folds],
        },
        "base_brier": base.tried,
        "candidates_log_loss": {} if judged is None else judged.tried,
        "drift": drift.reference(calls.frame),
        "score_deciles": drift.number_shares(model.probabilities(calls.frame)),
    }
