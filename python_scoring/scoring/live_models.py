"""The models that score, and the rows they write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.database import Probe
from python_scoring.base.profile import Target
from python_scoring.base.progress import Tell
from python_scoring.base.watermarks import Watermarks
from python_scoring.model_registry import model_runs, model_store
from python_scoring.probability.settings import METRICS
from python_scoring.scoring import rows as value_rows
from python_scoring.scoring import train


class ModelsChanged(Exception):
    """Another process has trained since this one loaded its models."""


@dataclass(frozen=True)
class Models:
    """What scores: a model and its version for each metric, and what it was trained as."""

    models: Mapping[str, Any]
    runs: Mapping[str, Mapping[str, Any]]
    rules_version: str

    @property
    def versions(self) -> dict[str, str]:
        return {metric: str(run["lm_version"]) for metric, run in self.runs.items()}

    @property
    def fingerprint(self) -> str:
        """Changes when stored rows are to be scored anew."""
        text = json.dumps([self.rules_version, self.versions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def rows(self, frame: pd.DataFrame) -> dict[value_rows.Key, value_rows.Row]:
        """The rows that these calls should have in lm_value."""
        return value_rows.computed(self.models, self.versions, self.rules_version, frame)


def load_models(
    connection: MySQLConnectionAbstract, target: Target, warnings: list[str], tell: Tell
) -> Models:
    """The models in use. Base rates take the place of one that is not there or not to be trusted:
    the latter with a line in `warnings`."""
    probe = Probe(connection)
    folder = model_store.model_dir(target)
    runs = model_runs.in_use(probe, target)
    models: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for metric in METRICS:
        if metric not in runs:
            missing[metric] = "no training yet"
            continue
        try:
            models[metric] = model_store.load(folder, metric, runs[metric]["artifact_sha256"])
        except model_store.UnusableModelError as error:
            missing[metric] = str(error)
            warnings.append(f"{metric}: {error}; base rates score instead, until `lm train`")
    if missing:
        for metric, why in missing.items():
            tell(f"{metric}: {why}; base rates score instead, until `lm train`")
        train.base_rates(connection, target, missing)
        runs = model_runs.in_use(probe, target)
        for metric in missing:
            models[metric] = model_store.load(folder, metric, runs[metric]["artifact_sha256"])
    return Models(
        {metric: models[metric] for metric in METRICS},
        {metric: runs[metric] for metric in METRICS},
        str(target.vars["lm_version"]),
    )


def write_calls(
    marks: Watermarks,
    target: Target,
    frame: pd.DataFrame,
    wanted: Mapping[value_rows.Key, value_rows.Row],
) -> int:
    """Write those of the calls' rows that differ, under the lock; returns how many."""
    probe = marks.probe
    calls = [int(call) for call in frame["history_id"]]
    rows = value_rows.changed(wanted, value_rows.stored(probe, target, METRICS, calls))
    if not rows:
        return 0
    value_rows.write(probe, target, rows, str(target.vars.get("calc_source") or ""))
    value_rows.mark_days(marks, target, rows, frame)
    return len(rows)


def require_same_models(probe: Probe, target: Target, models: Models) -> None:
    runs = model_runs.in_use(probe, target)
    if any(runs[metric]["lm_version"] != models.versions[metric] for metric in models.versions):
        raise ModelsChanged
