"""Oracle of the constants learnt from reviewers' scores: batches of a day, means by outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from oracle_base import Context, Row, param
from oracle_quality import score_scale
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


def review_batches(calls: Calls) -> dict[tuple, Row]:
    """Share of scores over 10 among the valid scores of a day of reviews."""
    found: dict[tuple, Row] = {}
    for day, some in grouped(valid_scores(calls), lambda c: c["review_date"]).items():
        share = sum(1 for c in some if float(c["call_score_raw"]) > 10) / len(some)
        found["review_batch", "scale", day] = Row(share, None, len(some))
    return found


def add_score_means(
    found: dict[tuple, Row], calls: Calls, mondays: Iterable[date], seeds: Seeds
) -> None:
    """Mean of the valid scores on one scale, by outcome."""
    params = seeds.default_params()
    scored = [(call, scaled_score(call, params, found, seeds)) for call in valid_scores(calls)]
    window = timedelta(weeks=int(param(params, "window_weeks")))
    for day in mondays:
        by_outcome: dict[str, list[float]] = defaultdict(list)
        for call, score in scored:
            called = call["call_date"]
            if called is None or not day - window <= called < day or call["review_date"] >= day:
                continue
            by_outcome[call["outcome"]].append(score)
        for outcome, values in by_outcome.items():
            found["score_mean", outcome, day] = Row(float(np.mean(values)), None, len(values))


def scaled_score(
    call: Mapping[str, Any], params: Mapping[str, float | None], found: dict, seeds: Seeds
) -> float:
    """Metric 8 without the bias."""
    raw, day = float(call["call_score_raw"]), call["review_date"]
    batch = found.get(("review_batch", "scale", day))
    factor, offset, _ = score_scale(raw, day, params, _calibrated(seeds), batch)
    return min(max(raw * factor + offset, 0.0), 100.0)


def _calibrated(seeds: Seeds) -> Context:
    return Context(
        as_of=datetime(1970, 1, 1), reference=lambda *_: None, calibration=seeds.calibration
    )
