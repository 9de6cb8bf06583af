"""How good probabilities are: ranking, distance and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from sklearn.metrics import average_precision_score, roc_auc_score

SMALLEST = 1e-6
# Standard errors that a difference has to have.
CLEARLY = 2.0


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Probabilities of log-odds: never quite 0 or 1, for their logarithms are taken."""
    return special.expit(np.clip(np.asarray(x, dtype=float), -30, 30))


def brier(label: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean((p - label) ** 2))


def log_loss(label: np.ndarray, p: np.ndarray) -> float:
    clipped = np.clip(p, SMALLEST, 1 - SMALLEST)
    return float(-np.mean(np.where(label == 1, np.log(clipped), np.log(1 - clipped))))


def is_clearly_better(
    label: np.ndarray, p: np.ndarray, than: np.ndarray, groups: np.ndarray
) -> bool:
    """Whether the log-loss is lower by more than two standard errors of the difference.

    The difference is taken call by call and its error over whole groups (callers): calls of one
    caller are alike. What follows a few callers' luck does more harm than good.
    """
    gain = np.where(label == 1, np.log(p / than), np.log((1 - p) / (1 - than)))
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], gain - gain.mean())
    return bool(gain.sum() > CLEARLY * np.sqrt(np.sum(sums**2)))


def calibration_error(label: np.ndarray, p: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal mass (Naeini et al., AAAI 2015)."""
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [abs(float(np.sum(p[part] - label[part]))) for part in parts]
    return sum(gaps) / len(order)


def quality(label: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    """auc, pr_auc, brier, log_loss, ece; None where they have no meaning."""
    names = ("auc", "pr_auc", "brier", "log_loss", "ece")
    if len(label) == 0:
        return dict.fromkeys(names)
    both = 0 < label.sum() < len(label)
    return {
        "auc": float(roc_auc_score(label, p)) if both else None,
        "pr_auc": float(average_precision_score(label, p)) if both else None,
        "brier": brier(label, p),
        "log_loss": log_loss(label, p),
        "ece": calibration_error(label, p),
    }
