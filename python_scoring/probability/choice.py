"""Candidates in time order: learn on older calls, choose and calibrate on newer ones, be judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from python_scoring.probability.calibration import Sigmoid, fit_sigmoid
from python_scoring.probability.features import features
from python_scoring.probability.labels import MaturedCalls, Slices
from python_scoring.probability.linear import LinearModel
from python_scoring.probability.model import Candidate
from python_scoring.probability.quality import is_clearly_better, log_loss, sigmoid
from python_scoring.probability.settings import SPECS
from python_scoring.probability.trees import Blend, TreeModel

# With fewer calls or events a candidate cannot learn, and a slice cannot judge.
MIN_FIT_ROWS = 200
MIN_SLICE_POSITIVES = 5

MEAN = "mean of regression and gbm"
Maker = Callable[[], Candidate]


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


def is_enough(calls: MaturedCalls, least: int) -> bool:
    """Whether there are calls and events enough, and calls without one."""
    positives = int(calls.label.sum())
    return len(calls) >= least and min(positives, len(calls) - positives) >= MIN_SLICE_POSITIVES


def best_candidate(metric: str, parts: Slices, seed: int) -> Judged:
    """Candidates learn on old calls; the best on newer ones learns again, and is judged."""
    known: dict[str, Maker] = {"regression": LinearModel, "gbm": lambda: TreeModel(seed)}
    makers = {name: known[name] for name in SPECS[metric].methods}
    # Too short a history to predict newer calls by older ones: no choice, no calibration.
    folds = [f for f in parts.folds if is_enough(f.learn, MIN_FIT_ROWS) and len(f.predict)]
    label, callers = np.empty(0, dtype=int), np.empty(0, dtype=str)
    log_odds = {name: np.empty(0) for name in makers}
    for fold in folds:
        label = np.append(label, fold.predict.label)
        callers = np.append(callers, fold.predict.callers)
        newer = features(fold.predict.frame)
        for name, make in makers.items():
            found = learn(make, fold.learn, metric).log_odds(newer)
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
    return judge(metric, chosen, makers[chosen], log_odds[chosen], label, losses, parts)


def learn(make: Maker, calls: MaturedCalls, metric: str) -> Candidate:
    """A candidate that has learnt from these calls."""
    inputs = features(calls.frame)
    if SPECS[metric].features:
        inputs = inputs[list(SPECS[metric].features)]
    candidate = make()
    candidate.fit(inputs, calls.label, calls.weight)
    return candidate


def judge(
    metric: str,
    name: str,
    make: Maker,
    log_odds: np.ndarray,
    label: np.ndarray,
    losses: dict[str, float],
    parts: Slices,
) -> Judged:
    calibration = fit_sigmoid(log_odds, label)
    newest = learn(make, parts.older, metric).log_odds(features(parts.test.frame))
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


def final(judged: Judged, calls: MaturedCalls, metric: str) -> tuple[Candidate, Sigmoid]:
    """The chosen candidate on all matured calls; its calibration on all out-of-time predictions."""
    model = learn(judged.make, calls, metric)
    if judged.variant == "raw":
        return model, Sigmoid()
    return model, fit_sigmoid(judged.log_odds, judged.label)
