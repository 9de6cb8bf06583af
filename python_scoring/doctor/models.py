"""Checks of the models that score: there, trusted, young, and right about the newest calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.profile import Target
from python_scoring.doctor.findings import Finding, ok, warn
from python_scoring.model_registry import model_runs, model_store

HEALTH = "vw_lm_model_health"
COLUMNS = (
    "metric_code",
    "calc_method",
    "reason",
    "trained_at",
    "age_days",
    "drifted_inputs",
    "calls_after_training",
    "predicted_events",
    "realised_events",
    "ece",
    "is_stale",
    "is_drifted",
    "is_miscalibrated",
)
TRAIN = "run `lm train`, then `lm score`"


def check_models(target: Target, probe: Probe) -> Iterator[Finding]:
    """One finding for each metric that has a model; none before the first build."""
    if not table_names(probe, target.schema) >= {model_runs.TABLE, HEALTH}:
        return
    runs = model_runs.in_use(probe, target)
    if not runs:
        yield ok("models", "none yet: `lm run` and `lm train` make them")
        return
    folder = model_store.model_dir(target)
    health = {
        row[0]: dict(zip(COLUMNS, row, strict=True))
        for row in probe.rows(f"select {', '.join(COLUMNS)} from {quoted(target.schema, HEALTH)}")
    }
    for metric, run in sorted(runs.items()):
        try:
            model_store.trusted_bytes(folder, metric, run["artifact_sha256"])
        except model_store.UnusableModelError as error:
            yield warn(metric, str(error), f"base rates score until then: {TRAIN}")
            continue
        yield judge(metric, health[metric])


def judge(metric: str, health: dict[str, Any]) -> Finding:
    """The worst that the view knows of a model."""
    name = f"{health['calc_method']} of {health['trained_at']:%Y-%m-%d}"
    if str(health["reason"]).startswith(model_runs.STAND_IN):
        return warn(metric, f"{name}, {health['reason']}", TRAIN)
    if health["is_stale"]:
        return warn(metric, f"{name} is {health['age_days']} days old", TRAIN)
    if health["is_miscalibrated"]:
        return warn(
            metric,
            f"{name} is wrong about calls after its training:"
            f" {float(health['predicted_events']):.0f} events predicted,"
            f" {float(health['realised_events']):.0f} came, over"
            f" {health['calls_after_training']} calls",
            f"{TRAIN}, and look at vw_lm_model_calibration",
        )
    if health["is_drifted"]:
        return warn(
            metric,
            f"{name}: recent calls are unlike its training calls in {health['drifted_inputs']}",
            f"see that this is no error of the source, then {TRAIN}",
        )
    return ok(metric, f"{name}: {health['reason']}")
