"""One call, now: its rule metrics by the same dbt models, its forecasts, and all of them told."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import dbt_runner, profile
from python_scoring.base.database import Probe, quoted, table_names
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.progress import Tell, progress
from python_scoring.base.project import parse_vars
from python_scoring.base.settings import as_of
from python_scoring.base.watermarks import Watermarks, prepare_session, writing_values
from python_scoring.model_registry import model_runs
from python_scoring.scoring import inputs as model_inputs
from python_scoring.scoring.live_models import load_models, write_calls

ONLY_CALL = "LM_ONLY_CALL"
SOURCE = "online_scoring"
# The models between the sources and the rule metrics that tell of calls, not of constants.
OF_CALLS = ("int_calls", "fct_call", "int_metric_inputs", "lm_value")
# Its files apart from the nightly run's: other --vars make dbt parse the project anew.
TARGET_FOLDER = "target/online"

GROUPS = ("operational", "conversion", "quality", "risk", "forecast", "aux")
TOLD_COLUMNS = (
    "metric_code",
    "metric_group",
    "metric_name_ru",
    "metric_name_en",
    "value_numeric",
    "value_label",
    "status",
    "gate",
    "gate_ru",
    "gate_en",
    "reasons_ru",
    "reasons_en",
    "lm_version",
    "calc_method",
)
KEPT_COLUMNS = ("value_json", "calc_source", "created_at", "updated_at")


def run(args: argparse.Namespace) -> int:
    variables = {"calc_source": SOURCE, **parse_vars(args.vars)}
    target = profile.load(args.target, variables, args.profiles_dir)
    with contextlib.closing(profile.connect(target)) as connection:
        warnings = bring_up_to_date(connection, target, variables, args.call)
        document = describe(Probe(connection), target, args.call)
    if args.json:
        document = {"status": "warn" if warnings else "ok", **document, "warnings": warnings}
        print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
    else:
        print("\n".join(as_text(document)))
    return EXIT_PROBLEM if warnings else EXIT_OK


def bring_up_to_date(
    connection: MySQLConnectionAbstract,
    target: Target,
    variables: Mapping[str, Any],
    call: int,
    tell: Tell = progress,
) -> list[str]:
    """Write the call's rows that are not what they should be; returns warnings about models."""
    probe = Probe(connection)
    require_call(probe, target, call)
    model_runs.require(probe, target)
    prepare_session(probe, target)
    _dbt(target, ["run", "--select", *OF_CALLS], variables, {ONLY_CALL: str(call)})
    if _lacks_constants(probe, target, call):
        tell("the first call of a new week: all calls are read, to learn its constants")
        _dbt(target, ["run", "--select", "+lm_value"], variables)
    warnings: list[str] = []
    loaded = load_models(connection, target, warnings, tell)
    marks = Watermarks(probe, target, "python_scoring")
    with writing_values(marks):
        frame = model_inputs.read(connection, target, "history_id = %s", (call,))
        write_calls(marks, target, frame, loaded.rows(frame))
    return warnings


def require_call(probe: Probe, target: Target, call: int) -> None:
    """ConfigurationError for a call that the source does not have."""
    source = quoted(target.source_schema, target.source_table("call_history"))
    if probe.rows(f"select 1 from {source} where history_id = %s", (call,)):
        return
    message = f"{source} has no call {call}"
    if "lm_value" in table_names(probe, target.schema):
        rows = probe.one(
            f"select count(*) from {quoted(target.schema, 'lm_value')} where history_id = %s",
            (call,),
        )[0]
        if rows:
            message += (
                f": the source has dropped it; its {rows} rows in lm_value are of an earlier run,"
                " and `lm run --vars '{lm_sweep: true}'` drops them, too"
            )
    raise ConfigurationError(message)


def describe(probe: Probe, target: Target, call: int) -> dict[str, Any]:
    """The call's rows of lm_value, group by group, with their reasons as codes and in words."""
    rows = probe.rows(
        f"select {', '.join(f'told.{name}' for name in TOLD_COLUMNS)},"
        f" {', '.join(f'kept.{name}' for name in KEPT_COLUMNS)}"
        f" from {quoted(target.schema, 'vw_lm_call_explained')} as told"
        f" inner join {quoted(target.schema, 'lm_value')} as kept"
        " on told.history_id = kept.history_id and told.metric_code = kept.metric_code"
        " where told.history_id = %s and kept.history_id = %s",
        (call, call),
    )
    metrics = [dict(zip((*TOLD_COLUMNS, *KEPT_COLUMNS), row, strict=True)) for row in rows]
    metrics.sort(key=lambda row: (GROUPS.index(row["metric_group"]), row["metric_code"]))
    for row in metrics:
        number, document = row["value_numeric"], row.pop("value_json")
        row["value_numeric"] = None if number is None else float(number)
        row["reasons"] = json.loads(document).get("reasons", []) if document else []
    return {"history_id": call, "metrics": metrics}


def as_text(document: Mapping[str, Any]) -> Iterator[str]:
    """The same for a reader: a line a metric, its reasons below."""
    yield f"call {document['history_id']}"
    for metric in document["metrics"]:
        number, label = metric["value_numeric"], metric["value_label"]
        value = " ".join(f"{part}" for part in (number, label) if part is not None)
        yield f"  {metric['metric_code']}: {value or 'no value'}"
        for language in ("ru", "en"):
            said = metric[f"gate_{language}"] or metric[f"reasons_{language}"]
            if said:
                yield f"      {said}"


def _lacks_constants(probe: Probe, target: Target, call: int) -> bool:
    """Whether the call's week has come and its learnt constants have not."""
    calls = quoted(target.schema, "fct_call")
    week = probe.rows(f"select week_start_date from {calls} where history_id = %s", (call,))
    if not week or not isinstance(week[0][0], date):
        return False
    if week[0][0] > as_of(target).date():
        return False
    known = probe.rows(
        f"select 1 from {quoted(target.schema, 'lm_reference')} where as_of_date = %s limit 1",
        (week[0][0],),
    )
    return not known


def _dbt(
    target: Target,
    words: list[str],
    variables: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
) -> None:
    folder = target.project_dir / os.environ.get("DBT_TARGET_PATH", TARGET_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    # One at a time: two would spoil each other's files.
    with (folder / ".one_at_a_time").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure = dbt_runner.run_quietly(
            target,
            words,
            variables=variables,
            environment={"DBT_TARGET_PATH": str(folder), **(environment or {})},
        )
    if failure:
        raise LmError(f"dbt {' '.join(words)} failed:\n{failure}")
