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
from python_scoring.probability_quality import brier, log_loss, quality, sigmoid
from python_scoring.probability_settings import SPECS, ProbabilitySettings
from python_scoring.probability_trees import Blend, TreeModel

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
LEAVES = (2, 4, 8)
# With fewer calls or events a candidate cannot learn, and a slice cannot judge.
MIN_FIT_ROWS = 200
MIN_SLICE_POSITIVES = 5
MIN_POSITIVES_TO_FLATTEN = 20

DEFAULTS = ProbabilitySettings()


@dataclass(frozen=True)
class TrainingResult:
    """What scores from now on, and the columns of lm_model_run that training knows."""

    model: ProbabilityModel
    report: dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """A candidate that has learnt from all but the newest slice, and its probabilities there."""

    make: Callable[[], Candidate]
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
            trained, calibration = _final(judged, calls)
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
    learn, predict = parts.folds[0] if parts.folds else (parts.older, parts.older)
    for name, part in (("learn from", learn), ("calibrate on", predict), ("judge by", parts.test)):
        fewest = min(int(part.label.sum()), len(part) - int(part.label.sum()))
        if fewest < MIN_SLICE_POSITIVES or (part is learn and len(part) < MIN_FIT_ROWS):
            return (
                f"too short a history: {len(part)} calls to {name},"
                f" {int(part.label.sum())} with the event"
            )
    return ""


def _best_candidate(metric: str, parts: Slices, seed: int) -> Judged:
    """Candidates learn on old calls; the best on newer ones learns again, and is judged."""
    folds = [
        (features(fold.learn.frame), fold.learn.label, features(fold.predict.frame))
        for fold in parts.folds
    ]
    label = np.concatenate([fold.predict.label for fold in parts.folds])
    makers: dict[str, Callable[[], Candidate]] = {}
    log_odds: dict[str, np.ndarray] = {}
    losses: dict[str, float] = {}

    def enter(name: str, make: Callable[[], Candidate], found: np.ndarray) -> None:
        makers[name], log_odds[name] = make, found
        losses[name] = log_loss(label, sigmoid(found))

    def best(kind: str) -> str:
        return min((name for name in losses if name.startswith(kind)), key=lambda n: losses[n])

    for strength in STRENGTHS:
        make = _linear(strength)
        enter(
            f"regression {strength:g}",
            make,
            np.concatenate([make().fit(x, y).log_odds(newer) for x, y, newer in folds]),
        )
    if "gbm" in SPECS[metric].methods:
        for leaves in LEAVES:
            stages = [
                TreeModel(leaves=leaves, seed=seed).fit(x, y).stages(newer) for x, y, newer in folds
            ]
            found = np.concatenate(stages, axis=1)
            trees = int(np.argmin([log_loss(label, sigmoid(stage)) for stage in found])) + 1
            enter(f"gbm {trees} x {leaves}", _trees(trees, leaves, seed), found[trees - 1])
        line, tree = best("regression"), best("gbm")
        both = (log_odds[line] + log_odds[tree]) / 2
        mean = f"mean of {line} and {tree}"
        enter(mean, _blend(makers[line], makers[tree]), both)
        # The mean of two unlike models is the safer choice unless one alone is clearly better.
        alone = min((line, tree), key=lambda n: losses[n])
        one, two = sigmoid(log_odds[alone]), sigmoid(both)
        chosen = alone if _is_clearly_better(label, one, than=two) else mean
    else:
        chosen = best("")
    return _judge(chosen, makers[chosen], log_odds[chosen], label, losses, parts)


def _linear(strength: float) -> Callable[[], Candidate]:
    return lambda: LinearModel(strength)


def _trees(trees: int, leaves: int, seed: int) -> Callable[[], Candidate]:
    return lambda: TreeModel(trees, leaves, seed)


def _blend(*makers: Callable[[], Candidate]) -> Callable[[], Candidate]:
    return lambda: Blend(tuple(make() for make in makers))


def _judge(
    name: str,
    make: Callable[[], Candidate],
    log_odds: np.ndarray,
    label: np.ndarray,
    losses: dict[str, float],
    parts: Slices,
) -> Judged:
    calibration = fit_sigmoid(log_odds, label)
    model = make().fit(features(parts.older.frame), parts.older.label)
    newest = model.log_odds(features(parts.test.frame))
    variants = {"raw": Sigmoid(), "calibrated": calibration}
    found = {variant: sigmoid(s.apply(newest)) for variant, s in variants.items()}
    is_better = _is_clearly_better(parts.test.label, found["calibrated"], than=found["raw"])
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


def _is_clearly_better(label: np.ndarray, p: np.ndarray, than: np.ndarray) -> bool:
    """Whether the log-loss is lower by more than the standard error of the difference.

    What follows a few calls' luck does more harm than good.
    """
    gain = np.where(label == 1, np.log(p / than), np.log((1 - p) / (1 - than)))
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def _final(judged: Judged, calls: RipeCalls) -> tuple[Candidate, Sigmoid]:
    """The chosen candidate on all ripe calls; its calibration on all out-of-time predictions."""
    model = judged.make().fit(features(calls.frame), calls.label)
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
