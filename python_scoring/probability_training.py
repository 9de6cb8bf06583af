"""Training of one metric: candidates in time order, calibration, the choice, and the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from python_scoring import probability_drift as drift
from python_scoring.probability_base import BaseRates
from python_scoring.probability_calibration import Sigmoid, fit_sigmoid
from python_scoring.probability_features import features
from python_scoring.probability_labels import PLENTY, RipeCalls, Slices, ripe_calls, slices
from python_scoring.probability_linear import LinearModel
from python_scoring.probability_model import Candidate, ProbabilityModel
from python_scoring.probability_quality import (
    brier,
    is_clearly_better,
    log_loss,
    quality,
    sigmoid,
)
from python_scoring.probability_settings import SPECS, ProbabilitySettings
from python_scoring.probability_trees import Blend, TreeModel

# With fewer calls or events a candidate cannot learn, and a slice cannot judge.
MIN_FIT_ROWS = 200
MIN_SLICE_POSITIVES = 5
MIN_POSITIVES_TO_FLATTEN = 20

DEFAULTS = ProbabilitySettings()
MEAN = "mean of regression and gbm"
Maker = Callable[[], Candidate]


@dataclass(frozen=True)
class TrainingResult:
    """What scores from now on, and the columns of lm_model_run that training knows."""

    model: ProbabilityModel
    report: dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """A candidate that has learnt from all but the newest slice, and its probabilities there."""

    make: Maker
    name: str
    calibration: Sigmoid
    variant: str  # raw or calibrated
    probability: np.ndarray
    # Out-of-time log-odds and labels that the last calibration is fitted on.
    log_odds: np.ndarray
    label: np.ndarray
    tried: dict[str, float]


def train_metric(
    frame: pd.DataFrame,
    metric: str,
    as_of: datetime,
    settings: ProbabilitySettings = DEFAULTS,
    seed: int = 0,
) -> TrainingResult:
    """Train a metric on rows of int_forecast_inputs, as of a moment.

    There is always a model: base rates while calls are too few, or while no trained model has a
    lower Brier score than they on the newest ripe calls. Deterministic under `seed`, and in
    whatever order the rows come.
    """
    calls = ripe_calls(frame, metric, as_of, settings)
    # Threads that wait for each other cost small data more than they give, above all on a busy
    # machine.
    with threadpool_limits(limits=1 if len(calls) < PLENTY else None):
        return _train(calls, metric, as_of, settings, seed)


def _train(
    calls: RipeCalls, metric: str, as_of: datetime, settings: ProbabilitySettings, seed: int
) -> TrainingResult:
    """`train_metric` on its ripe calls."""
    parts = slices(calls)
    base = _base_rates(metric, parts, settings)
    lacking = _what_is_lacking(calls, parts, settings)
    judged = None if lacking else _best_candidate(metric, parts, seed)
    trained, calibration, probability = None, Sigmoid(), base.probability
    if judged is None:
        reason = f"base rates: {lacking}"
    else:
        reached = brier(parts.test.label, judged.probability)
        is_better = reached < base.brier
        reason = (
            f"{'' if is_better else 'no better than the base rate: '}{judged.name},"
            f" {judged.variant}: Brier {reached:.5f} on the newest ripe calls,"
            f" {base.name} {base.brier:.5f}"
        )
        if is_better:
            trained, calibration = _final(judged, calls, metric)
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


def _recent_rate(calls: RipeCalls, settings: ProbabilitySettings, prior: float) -> float:
    newest = calls.label[-settings.recent_rows :]
    return float((newest.sum() + prior) / (len(newest) + 1))


def _final_base(
    metric: str, base: Base, calls: RipeCalls, settings: ProbabilitySettings
) -> BaseRates:
    rates = BaseRates(metric).fit(calls.frame, calls.label)
    if base.name == "recent rate" and len(calls) >= settings.min_rows:
        return rates.flat(_recent_rate(calls, settings, rates.spec.prior))
    return rates


def _what_is_lacking(calls: RipeCalls, parts: Slices, settings: ProbabilitySettings) -> str:
    """Why no model can be trained; empty when one can."""
    positives = int(calls.label.sum())
    if len(calls) < settings.min_rows:
        return f"{len(calls)} ripe calls, {settings.min_rows} needed"
    if positives < settings.min_positives:
        return (
            f"{positives} of {len(calls)} ripe calls with the event,"
            f" {settings.min_positives} needed"
        )
    if positives == len(calls):
        return f"all of the {len(calls)} ripe calls had the event"
    for name, part in (("learn from", parts.older), ("judge by", parts.test)):
        if not _is_enough(part, MIN_FIT_ROWS if part is parts.older else 0):
            return (
                f"too short a history: {len(part)} calls to {name},"
                f" {int(part.label.sum())} with the event"
            )
    return ""


def _is_enough(calls: RipeCalls, least: int) -> bool:
    positives = int(calls.label.sum())
    return len(calls) >= least and min(positives, len(calls) - positives) >= MIN_SLICE_POSITIVES


def _best_candidate(metric: str, parts: Slices, seed: int) -> Judged:
    """Candidates learn on old calls; the best on newer ones learns again, and is judged."""
    known: dict[str, Maker] = {"regression": LinearModel, "gbm": lambda: TreeModel(seed)}
    makers = {name: known[name] for name in SPECS[metric].methods}
    # Too short a history to predict newer calls by older ones: no choice, no calibration.
    folds = [f for f in parts.folds if _is_enough(f.learn, MIN_FIT_ROWS) and len(f.predict)]
    label, callers = np.empty(0, dtype=int), np.empty(0, dtype=str)
    log_odds = {name: np.empty(0) for name in makers}
    for fold in folds:
        label = np.append(label, fold.predict.label)
        callers = np.append(callers, fold.predict.callers)
        newer = features(fold.predict.frame)
        for name, make in makers.items():
            found = _learn(make, fold.learn, metric).log_odds(newer)
            log_odds[name] = np.append(log_odds[name], found)
    if len(makers) > 1:
        alone = tuple(makers.values())
        log_odds[MEAN] = np.mean(list(log_odds.values()), axis=0)
        makers[MEAN] = lambda: Blend(tuple(make() for make in alone))
    losses = {name: log_loss(label, sigmoid(found)) for name, found in log_odds.items() if folds}
    # The mean of two unlike models is the safer choice unless one alone is clearly better.
    chosen = MEAN if MEAN in makers else next(iter(makers))
    best = min(losses, key=lambda name: losses[name]) if losses else chosen
    if folds and is_clearly_better(
        label, sigmoid(log_odds[best]), sigmoid(log_odds[chosen]), callers
    ):
        chosen = best
    return _judge(metric, chosen, makers[chosen], log_odds[chosen], label, losses, parts)


def _learn(make: Maker, calls: RipeCalls, metric: str) -> Candidate:
    """A candidate that has learnt from these calls."""
    inputs = features(calls.frame)
    if SPECS[metric].features:
        inputs = inputs[list(SPECS[metric].features)]
    candidate = make()
    candidate.fit(inputs, calls.label, calls.weight)
    return candidate


def _judge(
    metric: str,
    name: str,
    make: Maker,
    log_odds: np.ndarray,
    label: np.ndarray,
    losses: dict[str, float],
    parts: Slices,
) -> Judged:
    calibration = fit_sigmoid(log_odds, label)
    newest = _learn(make, parts.older, metric).log_odds(features(parts.test.frame))
    variants = {"raw": Sigmoid(), "calibrated": calibration}
    found = {variant: sigmoid(s.apply(newest)) for variant, s in variants.items()}
    is_better = is_clearly_better(
        parts.test.label, found["calibrated"], found["raw"], parts.test.callers
    )
    variant = "calibrated" if is_better else "raw"
    return Judged(
        make=make,
        name=name,
        calibration=calibration,
        variant=variant,
        probability=found[variant],
        log_odds=np.concatenate([log_odds, newest]),
        label=np.concatenate([label, parts.test.label]),
        tried=losses,
    )


def _final(judged: Judged, calls: RipeCalls, metric: str) -> tuple[Candidate, Sigmoid]:
    """The chosen candidate on all ripe calls; its calibration on all out-of-time predictions."""
    model = _learn(judged.make, calls, metric)
    if judged.variant == "raw":
        return model, Sigmoid()
    return model, fit_sigmoid(judged.log_odds, judged.label)


def _moment(calls: RipeCalls, at: int) -> datetime | None:
    return pd.Timestamp(calls.start[at]).to_pydatetime() if len(calls) else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _notes(
    calls: RipeCalls,
    parts: Slices,
    base: Base,
    judged: Judged | None,
    report: dict[str, Any],
    model: ProbabilityModel,
) -> dict[str, Any]:
    """What the card tells beside the model itself."""

    def span(part: RipeCalls) -> dict[str, Any]:
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
