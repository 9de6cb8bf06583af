"""Oracle of the reviewers' marks: one scale for their means, and the batches of a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from oracle_base import Batch, Row, param
from oracle_seeds import Seeds

Calls = Sequence[Mapping[str, Any]]


def grouped(
    calls: Iterable[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], Any]
) -> dict[Any, list[Mapping[str, Any]]]:
    groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    return groups


def valid_scores(calls: Calls) -> list[Mapping[str, Any]]:
    """Calls with a score some scale has; 0 stands for "not scored" too, so it is none."""
    return [
        c
        for c in calls
        if c["call_score_raw"] is not None and 0 < float(c["call_score_raw"]) <= 100
    ]


def own_scale(call: Mapping[str, Any]) -> float:
    """The mark by itself: above 10 it can only be of 0..100."""
    raw = float(call["call_score_raw"])
    return raw if raw > 10 else 10 * raw


def review_batches(
    calls: Calls, reference: Mapping[tuple[str, str, date], Row], seeds: Seeds
) -> dict[date, Batch]:
    """By day of the latest review: how many marks, of which scale, how far from usual."""
    whole = param(seeds.default_params(), "batch_share_over_10")
    found: dict[date, Batch] = {}
    for day, some in grouped(valid_scores(calls), lambda c: c["review_date"]).items():
        share = sum(1 for c in some if float(c["call_score_raw"]) > 10) / len(some)
        monday = day - timedelta(days=day.weekday())
        residuals = []
        for call in some:
            mean = reference.get(("score_mean", call["outcome"], monday))
            if mean is not None and mean.value is not None:
                raw = float(call["call_score_raw"])
                residuals.append((raw if share >= whole else own_scale(call)) - mean.value)
        found[day] = Batch(
            len(some),
            share,
            len({c["operator_key"] for c in some} - {None}),
            float(np.mean(residuals)) if residuals else None,
        )
    return found
