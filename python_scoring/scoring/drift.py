"""How far the recent calls are from those that the models learnt from: lm_model_drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.base.rows import insert
from python_scoring.base.settings import as_of, whole_number
from python_scoring.probability.drift import population_stability
from python_scoring.scoring import inputs as model_inputs

TABLE = "lm_model_drift"
COLUMNS = (
    "metric_code",
    "feature",
    "lm_version",
    "measured_at",
    "first_day",
    "last_day",
    "calls",
    "psi",
)
# The row of the predictions themselves, beside those of the inputs.
SCORE = "probability"
# Fewer recent calls say nothing: with ten bins chance alone gives an index of 9 / calls.
LEAST_CALLS = 200
MOST_CALLS = 50_000


def is_measured(probe: Probe, target: Target, versions: Mapping[str, str]) -> bool:
    """Whether the models in use have been compared on this day."""
    rows = probe.rows(
        f"select metric_code, lm_version, date(measured_at) from {_table(target)}"
        " where feature = %s",
        (SCORE,),
    )
    today = as_of(target).date()
    return {metric: version for metric, version, day in rows if day == today} == dict(versions)


def measure(
    connection: MySQLConnectionAbstract,
    target: Target,
    models: Mapping[str, Any],
    versions: Mapping[str, str],
) -> int:
    """Compare the calls of the last lm_watch_days with the training's; returns the rows written."""
    probe = Probe(connection)
    moment = as_of(target)
    first = _first_day(probe, target, moment)
    frame = model_inputs.read(
        connection, target, "call_date between %s and %s", (first, moment.date())
    )
    rows: list[tuple[Any, ...]] = []
    for metric, model in models.items():
        calls = frame[frame[f"{metric}_gate"].isna()] if len(frame) else frame
        if len(calls) < LEAST_CALLS:
            continue
        window = (first, max(calls["call_date"]), len(calls))
        for feature, index in stability(model, calls):
            rows.append((metric, feature, versions[metric], moment, *window, round(index, 6)))
    probe.do("start transaction")
    try:
        probe.do(f"delete from {_table(target)}")
        insert(probe, _table(target), COLUMNS, rows)
        probe.do("commit")
    except BaseException:
        probe.do("rollback")
        raise
    return len(rows)


def stability(model: Any, calls: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """Population stability index of each input and of the prediction."""
    card = model.card()
    inputs = model.inputs(calls)
    for feature, entry in (card.get("drift") or {}).items():
        if feature in inputs:
            yield feature, population_stability(entry, inputs[feature])
    if deciles := card.get("score_deciles"):
        values = pd.Series(model.probabilities(calls), index=calls.index)
        yield SCORE, population_stability({"kind": "number", **deciles}, values)


def _first_day(probe: Probe, target: Target, moment: datetime) -> date:
    """The first day of the window, later if the days before it hold more calls than are needed."""
    first = moment.date() - timedelta(days=whole_number(target, "lm_watch_days"))
    calls = 0
    for day, count in probe.rows(
        f"select call_date, count(*) from {quoted(target.schema, 'fct_call')}"
        " where call_date between %s and %s group by call_date order by call_date desc",
        (first, moment.date()),
    ):
        calls += int(count)
        if calls > MOST_CALLS:
            return day if isinstance(day, date) else first
    return first


def _table(target: Target) -> str:
    return quoted(target.schema, TABLE)
