"""A sigmoid over a model's log-odds, fitted on calls newer than those the model learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_scoring.probability.quality import sigmoid

# How firmly shift and slope are held to 0 and 1: as by so many calls of the weight of one.
SHIFT_PENALTY = 0.5
SLOPE_PENALTY = 5.0
STEPS = 50


@dataclass(frozen=True)
class Sigmoid:
    """log-odds -> shift + slope * log-odds; the slope is never below zero (no turned order)."""

    shift: float = 0.0
    slope: float = 1.0

    def apply(self, log_odds: np.ndarray) -> np.ndarray:
        return self.shift + self.slope * log_odds


def fit_sigmoid(log_odds: np.ndarray, label: np.ndarray) -> Sigmoid:
    """Platt scaling (Platt 1999) by Newton steps, drawn to the identity while labels are few."""
    if len(label) == 0:
        return Sigmoid()
    theta = np.array([0.0, 1.0])
    target = np.array([0.0, 1.0])
    penalty = np.array([SHIFT_PENALTY, SLOPE_PENALTY])
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    for _ in range(STEPS):
        p = sigmoid(design @ theta)
        gradient = design.T @ (p - label) + penalty * (theta - target)
        weight = p * (1 - p)
        hessian = (design * weight[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        theta = theta - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    if theta[1] >= 0:
        return Sigmoid(float(theta[0]), float(theta[1]))
    # No ranking at all is the best that is left: everybody gets the slice's rate.
    rate = (label.sum() + SHIFT_PENALTY) / (len(label) + 2 * SHIFT_PENALTY)
    return Sigmoid(float(np.log(rate / (1 - rate))), 0.0)
