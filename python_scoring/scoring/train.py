"""Learn the forecast metrics anew: from matured calls, judged on newer ones.

Each metric gets a row in lm_model_run and a model file. A trained model scores only if there were
calls and events enough and it beat the base rates on the newest matured calls; else they score.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK
from python_scoring.base.profile import Target
from python_scoring.base.progress import Tell, progress
from python_scoring.base.settings import as_of
from python_scoring.base.text_table import format_table
from python_scoring.base.watermarks import prepare_session
from python_scoring.model_registry import model_runs, model_store
from python_scoring.probability.settings import METRICS, ProbabilitySettings
from python_scoring.probability.training import train_metric
from python_scoring.scoring import inputs as model_inputs
from python_scoring.scoring import settings as scoring_settings

# Model files of a metric that are kept, the one in use first.
KEPT_MODELS = 5
# Days before the history in which calls may lie whose review came late.
LAG_DAYS = 30
# More rows than any clinic has: so that no model is tried beside the base rates.
NEVER = 10**9


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "train",
        help="learn the forecast metrics from what became of past calls",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="With the same calls, as_of and seed the same models come out.",
    )
    profile.add_arguments(parser)
    parser.add_argument("--metric", choices=METRICS, action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        runs = train(connection, target, args.metric or METRICS, args.seed)
    if args.json:
        print(json.dumps({"status": "ok", "runs": runs}, ensure_ascii=False, indent=2, default=str))
    else:
        print(report(runs))
    return EXIT_OK


def train(
    connection: MySQLConnectionAbstract,
    target: Target,
    metrics: Collection[str] = METRICS,
    seed: int = 0,
    tell: Tell | None = None,
) -> list[dict[str, Any]]:
    """Train the metrics on the calls there are; returns their new rows of lm_model_run."""
    tell = tell or progress
    probe = Probe(connection)
    model_runs.require(probe, target)
    prepare_session(probe, target)
    settings = scoring_settings.settings(target)
    moment = as_of(target)
    frame = history(connection, target, settings, moment)
    tell(f"training on {len(frame):,} calls up to {moment}")
    trained = {}
    for metric in metrics:
        started = time.monotonic()
        trained[metric] = train_metric(frame, metric, moment, settings, seed)
        chosen = trained[metric].report
        tell(
            f"{metric}: {chosen['calc_method']} after {time.monotonic() - started:.1f} s,"
            f" {chosen['reason']}"
        )
    return _keep(probe, target, moment, trained)


def base_rates(
    connection: MySQLConnectionAbstract, target: Target, why: Mapping[str, str], seed: int = 0
) -> list[dict[str, Any]]:
    """Base rates in the place of models that cannot be loaded; `why` gives each metric's reason."""
    settings = dataclasses.replace(scoring_settings.settings(target), min_rows=NEVER)
    moment = as_of(target)
    frame = history(connection, target, settings, moment)
    trained = {metric: train_metric(frame, metric, moment, settings, seed) for metric in why}
    return _keep(Probe(connection), target, moment, trained, why)


def history(
    connection: MySQLConnectionAbstract,
    target: Target,
    settings: ProbabilitySettings,
    moment: datetime,
) -> pd.DataFrame:
    """The calls that may teach at `moment`, and the younger ones."""
    horizon = max(settings.horizon_days(metric) for metric in METRICS)
    first = moment - timedelta(days=settings.history_days + horizon + LAG_DAYS)
    return model_inputs.read(
        connection,
        target,
        "call_date between %s and %s",
        (first.date(), moment.date()),
    )


def report(runs: Sequence[Mapping[str, Any]]) -> str:
    """The trainings as a table, and why each came out as it did."""

    def digits(value: Any) -> str:
        return "-" if value is None else f"{value:.4f}"

    table = format_table(
        ["metric", "scores by", "calls", "events", "auc", "brier", "base rate's", "ece"],
        [
            (
                run["metric_code"],
                run["calc_method"],
                run["n_train"],
                run["n_positive"],
                *(digits(run[name]) for name in ("auc", "brier", "brier_base", "ece")),
            )
            for run in runs
        ],
    )
    return "\n".join([table, *(f"{run['metric_code']}: {run['reason']}" for run in runs)])


def _keep(
    probe: Probe,
    target: Target,
    moment: datetime,
    trained: Mapping[str, Any],
    stands_in_for: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Save the models, then their rows: a row never names a file that is not there."""
    folder = model_store.model_dir(target)
    rules_version = str(target.vars["lm_version"])
    rows = []
    for metric, result in trained.items():
        card = result.model.card()
        why = (stands_in_for or {}).get(metric)
        rows.append(
            {
                **result.report,
                "reason": f"{model_runs.STAND_IN} {why}" if why else result.report["reason"],
                "lm_version": model_store.version_of(rules_version, card),
                "artifact_sha256": model_store.save(folder, metric, result.model, card),
            }
        )
    run_id = model_runs.training_id(moment, [row["lm_version"] for row in rows])
    kept = [{name: {**row, "run_id": run_id}[name] for name in model_runs.COLUMNS} for row in rows]
    model_runs.record(probe, target, kept)
    for metric in trained:
        for checksum in model_runs.older_artifacts(probe, target, metric, KEPT_MODELS):
            model_store.delete(folder, metric, checksum)
    return kept
