"""The table lm_model_run: which model of each metric scores, and how good it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from python_scoring.base.database import Probe, quoted, require_tables
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert, run_id
from python_scoring.model_registry import model_store

TABLE = "lm_model_run"
COLUMNS = (
    "run_id",
    "metric_code",
    "calc_method",
    "lm_version",
    "trained_at",
    "train_from",
    "train_to",
    "label_horizon_days",
    "n_train",
    "n_positive",
    "n_test",
    "auc",
    "pr_auc",
    "brier",
    "brier_base",
    "log_loss",
    "ece",
    "published",
    "reason",
    "features",
    "artifact_sha256",
)
# Begins the reason of base rates that stand in for a model that could not be loaded.
STAND_IN = "stand-in:"
REASON_LENGTH = 255


def require(probe: Probe, target: Target) -> None:
    """LmError when dbt has not built what training and scoring need."""
    needed = (TABLE, "lm_model_drift", "lm_value_changes", "lm_watermark", "lm_value", "fct_call")
    require_tables(probe, target.schema, needed)


def in_use(probe: Probe, target: Target) -> dict[str, dict[str, Any]]:
    """The last training of each metric: its model scores."""
    table = quoted(target.schema, TABLE)
    rows = probe.rows(
        f"select {', '.join(COLUMNS)} from {table} where id in"
        f" (select max(id) from {table} group by metric_code)"
    )
    found = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return {run["metric_code"]: run | {"features": json.loads(run["features"])} for run in found}


def older_artifacts(probe: Probe, target: Target, metric: str, keep: int) -> list[str]:
    """Checksums of the metric's models beyond the newest `keep`, which none of those share."""
    rows = probe.rows(
        f"select artifact_sha256 from {quoted(target.schema, TABLE)} where metric_code = %s"
        " order by id desc",
        (metric,),
    )
    checksums = [checksum for (checksum,) in rows]
    return sorted(set(checksums[keep:]) - set(checksums[:keep]))


def training_id(trained_at: datetime, versions: Iterable[str]) -> str:
    """The run_id of a training: the same models at the same moment have the same one."""
    return run_id(trained_at, hashlib.sha256(" ".join(sorted(versions)).encode()).hexdigest()[:8])


def record(probe: Probe, target: Target, runs: Iterable[Mapping[str, Any]]) -> None:
    """Write the trainings, in one transaction; one that is there already becomes the last."""
    table = quoted(target.schema, TABLE)
    probe.do("start transaction")
    try:
        for run in runs:
            probe.rows(
                f"delete from {table} where run_id = %s and metric_code = %s",
                (run["run_id"], run["metric_code"]),
            )
            row = {
                **run,
                "features": json.dumps(run["features"], ensure_ascii=False),
                "reason": str(run["reason"])[:REASON_LENGTH],
                "published": int(run["published"]),
            }
            insert(probe, table, COLUMNS, [[row[name] for name in COLUMNS]])
        probe.do("commit")
    except BaseException:
        probe.do("rollback")
        raise


def why_due(
    run: Mapping[str, Any] | None, moment: datetime, every_days: int, rules_version: str
) -> str:
    """Why a metric needs a training at `moment`; '' when it does not."""
    if run is None:
        return "there is no model yet"
    if str(run["reason"]).startswith(STAND_IN):
        return "base rates stand in for a model that could not be loaded"
    if not model_store.is_of_rules(str(run["lm_version"]), rules_version):
        return f"the rules are now {rules_version}"
    age = (moment - run["trained_at"]).total_seconds() / 86400
    if age < 0:
        return f"the model is of a later moment, {run['trained_at']}"
    if age >= every_days:
        return f"the model is {age:.0f} days old"
    return ""
