"""Compare what the database computed with what the oracle expects, row by row."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from oracle_base import INFORMATION, KEPT_REASONS, Context, Expected, Row, flat_params, fold
from oracle_base import profile_of_call as profile_of
from oracle_metrics import AUX_METRICS, RULE_METRICS, metrics_of_call
from oracle_seeds import Seeds, normalised

Record = Mapping[str, Any]
SHOWN = 4
VALUE_ABS = 1e-4 + 1e-9
# What stands in JSON may be rounded further than the value.
EXTRA_ABS = {
    "minutes_to_close": 1.0,
    "loss_rub": 0.0101,
    "load_sec": 0.0101,
    "work_sec": 0.0101,
    "lo": 0.0101,
    "hi": 0.0101,
}


@dataclass
class Mismatches:
    """Differences by what differs, with the first few shown in full."""

    counts: dict[str, int] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, where: str, ours: Any, theirs: Any, inputs: str = "") -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        examples = self.shown.setdefault(what, [])
        if len(examples) < SHOWN:
            text = f"  {where}: oracle {ours!r}, database {theirs!r}"
            examples.append(text + (f"\n    {inputs}" if inputs else ""))

    def report(self) -> str:
        parts = [f"{sum(self.counts.values())} differences"]
        for what, count in sorted(self.counts.items(), key=lambda item: -item[1]):
            parts += [f"{what}: {count}", *self.shown[what]]
        return "\n".join(parts)

    def __bool__(self) -> bool:
        return bool(self.counts)


def plain(value: Any) -> Any:
    """Decimals and bytes as what they mean."""
    if isinstance(value, Decimal):
        return float(value)
    return value.decode() if isinstance(value, bytes | bytearray) else value


def same(ours: Any, theirs: Any, rel: float = 1e-6, abs_tol: float = 1e-6) -> bool:
    ours, theirs = plain(ours), plain(theirs)
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(float(ours), float(theirs), rel_tol=rel, abs_tol=abs_tol)
    if isinstance(ours, date) or isinstance(theirs, date):
        return bool(ours == theirs)
    return str(ours) == str(theirs)


# --- fct_call ---------------------------------------------------------------


def compare_calls(oracle: Sequence[Record], database: Sequence[Record]) -> Mismatches:
    """Every column of the oracle's fct_call; the caller's key up to its hash."""
    found = Mismatches()
    theirs = {int(row["history_id"]): row for row in database}
    ours = {int(row["history_id"]): row for row in oracle}
    for history_id in sorted(set(ours) ^ set(theirs)):
        found.add("rows", f"call {history_id}", history_id in ours, history_id in theirs)
    columns = set(next(iter(database), {}))
    for column in next(iter(oracle), {}):
        if column not in columns:
            found.add(f"fct_call.{column}", "no such column", "there", "not there")
    hashes: dict[Any, Any] = {}
    numbers: dict[Any, Any] = {}
    for history_id in sorted(set(ours) & set(theirs)):
        mine, other = ours[history_id], theirs[history_id]
        key, number = plain(other.get("caller_key")), mine["caller_key"]
        if hashes.setdefault(number, key) != key or numbers.setdefault(key, number) != number:
            found.add("fct_call.caller_key", f"call {history_id}", number, key)
        for column in columns & set(mine) - {"caller_key"}:
            if not same_cell(column, mine[column], other[column]):
                inputs = brief({name: mine[name] for name in ("call_started_at", "direction")})
                where = f"call {history_id}"
                found.add(f"fct_call.{column}", where, mine[column], plain(other[column]), inputs)
    return found


def same_cell(column: str, ours: Any, theirs: Any) -> bool:
    theirs = plain(theirs)
    if column in ("operator_name", "operator_key"):
        return normalised(ours) == normalised(theirs)
    if column == "days_since_last_call" and isinstance(theirs, int) and ours is not None:
        return math.floor(ours) == theirs
    if column == "days_since_last_call":
        return same(ours, theirs, abs_tol=1e-3)
    if column == "call_score_raw" and (ours is None or theirs is None):
        # A mark no scale has may be kept or be null: metric 8 gates both in the same way.
        value = theirs if ours is None else ours
        return value is None or not 0 <= value <= 100
    return same(ours, theirs, abs_tol=1e-4)


# --- lm_reference -----------------------------------------------------------


def compare_reference(
    oracle: Mapping[tuple[str, str, date], Row], database: Sequence[Record]
) -> Mismatches:
    """Constants that the oracle knows how to compute; a row without data may be left out."""
    found = Mismatches()
    known = {constant for constant, _, _ in oracle}
    theirs = reference_rows(database)
    # Batches are frozen with their day, not with a Monday: they may be kept apart.
    batches = any(constant == "review_batch" for constant, _, _ in theirs)
    for key, row in oracle.items():
        if key[0] == "review_batch" and not batches:
            continue
        if key not in theirs and row.n > 0:
            found.add(f"lm_reference.{key[0]}", str(key), row, None)
    for key, row in theirs.items():
        if key[0] not in known or (key[0] == "review_batch" and key[1] != "scale"):
            continue
        mine = oracle.get(key)
        if mine is None:
            if row.n > 0:
                found.add(f"lm_reference.{key[0]}", str(key), None, row)
            continue
        alike = same(mine.value, row.value) and mine.n == row.n
        if mine.spread is not None:
            alike = alike and same(mine.spread, row.spread)
        if not alike:
            found.add(f"lm_reference.{key[0]}", str(key), mine, row)
    return found


def reference_rows(database: Iterable[Record]) -> dict[tuple[str, str, date], Row]:
    found = {}
    for row in database:
        key = (str(row["constant_code"]), str(row["constant_key"]), row["as_of_date"])
        label = row.get("label")
        value, spread = plain(row["value"]), plain(row["spread"])
        found[key] = Row(value, spread, int(row["n"] or 0), plain(label))
    return found


# --- lm_value ---------------------------------------------------------------


def compare_values(
    calls: Sequence[Record],
    reference: Mapping[tuple[str, str, date], Row],
    values: Sequence[Record],
    seeds: Seeds,
    as_of: datetime,
    lm_version: str,
) -> Mismatches:
    """Every row of lm_value for the rule and aux metrics of every call."""
    found = Mismatches()
    stored = {(int(row["history_id"]), str(row["metric_code"])): row for row in values}
    used: dict[tuple, Row | None] = {}

    def looked_up(constant: str, key: str, day: date | None) -> Row | None:
        row = None if day is None else reference.get((constant, key, day))
        used[constant, key] = row
        return row

    context = Context(
        as_of=as_of,
        reference=looked_up,
        median_ticket=seeds.median_ticket,
        affinity=seeds.affinity,
        calibration=seeds.calibration,
        checklists=seeds.checklists,
        is_working_day=seeds.is_working_day,
        lm_version=lm_version,
    )
    params = {
        row["calc_profile"]: flat_params(seeds.params, row["calc_profile"])
        for row in seeds.profiles
    }
    for raw in calls:
        call = {name: plain(value) for name, value in raw.items()}
        used.clear()
        code, rule = profile_of(call, seeds.profiles, seeds.is_holiday, seeds.is_weekend)
        expected = metrics_of_call(
            call, params[code], {"calc_profile": code, "rule": rule}, context
        )
        for metric in (*RULE_METRICS, *AUX_METRICS):
            row = stored.get((int(call["history_id"]), metric))
            where = f"call {call['history_id']} {metric} ({code})"
            if row is None:
                found.add(f"{metric}: row", where, "there", None)
                continue
            for what, ours, theirs in differences(expected[metric], row):
                inputs = f"{brief(call)}\n    constants {brief(used)}"
                found.add(f"{metric}: {what}", where, ours, theirs, inputs)
    return found


def differences(expected: Expected, row: Record) -> list[tuple[str, Any, Any]]:
    """(what, oracle, database) of one row of lm_value."""
    told = json.loads(plain(row["value_json"]) or "{}")
    found: list[tuple[str, Any, Any]] = []

    def check(what: str, ours: Any, theirs: Any, alike: bool | None = None) -> None:
        if not (same(ours, theirs) if alike is None else alike):
            found.append((what, ours, theirs))

    ours, theirs = expected.value_numeric, plain(row["value_numeric"])
    check("value", ours, theirs, same(ours, theirs, rel=0, abs_tol=VALUE_ABS))
    check("label", expected.value_label, plain(row["value_label"]))
    check("method", expected.method, plain(row["calc_method"]))
    if row["metric_code"] in AUX_METRICS:
        for name, value in expected.extras.items():
            check(name, value, told.get(name))
        return found
    check("status", expected.status, told.get("status"))
    check("gate", expected.gate, told.get("gate"))
    # Factors are never folded, and a factor of 0 is what decides.
    mine = expected.reasons if expected.kind == "factors" else fold(expected.reasons)
    stored = stored_reasons(told)
    if len(expected.reasons) > KEPT_REASONS:  # nothing without points need be among the five
        mine, stored = (
            {code: points for code, points in side.items() if code not in INFORMATION}
            for side in (mine, stored)
        )
    alike = set(mine) == set(stored) and all(
        same(mine[code], stored[code], rel=1e-7, abs_tol=1.01e-4) for code in mine
    )
    check("reasons", mine, stored, alike)
    if expected.gate is None and expected.kind is not None:
        check("kind", expected.kind, told.get("kind"))
        if expected.base is not None:
            check(
                "base",
                expected.base,
                told.get("base"),
                same(expected.base, told.get("base"), abs_tol=VALUE_ABS),
            )
    if expected.missing is not None:
        check("missing", sorted(expected.missing), sorted(told.get("missing", [])))
    for name, value in expected.extras.items():
        other = told.get(name)
        if name == "suggest":
            other = [item.get("group") for item in other or []]
        if isinstance(value, bool):
            check(name, value, other, value == truth(other))
        else:
            tolerance = EXTRA_ABS.get(name, 1e-4)
            check(name, value, other, same(value, other, abs_tol=tolerance))
    return found


def stored_reasons(told: Mapping[str, Any]) -> dict[str, float]:
    """Reasons of the JSON without those that say nothing; factors of 1 or 0 do say something."""
    factors = told.get("kind") == "factors"
    return {
        reason["code"]: float(reason["points"])
        for reason in told.get("reasons", [])
        if factors or float(reason["points"]) != 0 or reason["code"] in INFORMATION
    }


def truth(value: Any) -> bool:
    return value in (True, 1, "true", "1")


def brief(values: Mapping[Any, Any]) -> str:
    """Inputs on one line, nothing where there is nothing."""
    return ", ".join(
        f"{'|'.join(name) if isinstance(name, tuple) else name}={value}"
        for name, value in values.items()
        if value is not None
    )
