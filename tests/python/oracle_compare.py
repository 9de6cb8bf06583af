"""Compare what the database computed with what the oracle expects, row by row."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from oracle_base import (
    INFORMATION,
    KEPT_REASONS,
    Batch,
    Context,
    Expected,
    Row,
    flat_params,
    fold,
)
from oracle_base import profile_of_call as profile_of
from oracle_metrics import AUX_METRICS, metrics_of_call
from oracle_quality import checklist_coverage_ratio, readable_score
from oracle_seeds import Seeds, normalised

Record = Mapping[str, Any]
Difference = tuple[str, Any, Any]
SHOWN = 4
JSON_BYTES = 2048
JSON_FRAME = frozenset({"v", "status", "schema"})
# Columns of fct_call that feature_pack repeats; null ones are left out.
FEATURES = frozenset(
    {
        "await_sec",
        "bookings_365d",
        "call_category",
        "call_hour",
        "call_score_raw",
        "call_weekday",
        "calls_2d",
        "calls_30d",
        "calls_7d",
        "cancellations_180d",
        "checklist_items",
        "days_since_last_call",
        "direction",
        "has_direction_conflict",
        "has_outcome_conflict",
        "has_start_conflict",
        "has_target_conflict",
        "has_type_conflict",
        "is_answered",
        "is_booked",
        "is_frequent_number",
        "is_reviewed",
        "is_service_call",
        "is_target",
        "outcome",
        "service_group",
        "service_recurrence",
        "talk_sec",
        "total_sec",
        "unanswered_7d",
        "wants_booking",
    }
)
VALUE_ABS = 1e-4 + 1e-9
# What stands in JSON may be rounded further than the value.
EXTRA_ABS = {
    "loss_rub": 0.0101,
    "expected_rub": 0.0101,
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
        contact = key if key is not None else f"#{history_id}"
        if other["contact_key"] != contact:
            found.add("fct_call.contact_key", f"call {history_id}", contact, other["contact_key"])
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
    if column == "unknown_labels":
        return (ours or "") == (theirs or "")
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
    theirs = reference_rows(database)
    for key, row in oracle.items():
        if key not in theirs and row.n > 0:
            found.add(f"lm_reference.{key[0]}", str(key), row, None)
    for key, row in theirs.items():
        mine = oracle.get(key)
        if mine is None:
            if row.n > 0:
                found.add(f"lm_reference.{key[0]}", str(key), None, row)
            continue
        alike = same(mine.value, row.value) and mine.n == row.n and mine.label == row.label
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


# --- int_review_batches -----------------------------------------------------


def compare_batches(oracle: Mapping[date, Batch], database: Sequence[Record]) -> Mismatches:
    found = Mismatches()
    theirs = batch_rows(database)
    for day in sorted(set(oracle) | set(theirs)):
        mine, other = oracle.get(day), theirs.get(day)
        if mine is None or other is None:
            # A day without a valid mark may have a row or none.
            if (mine or other or Batch(0, 0)).review_count > 0:
                found.add("int_review_batches", str(day), mine, other)
            continue
        for column in ("review_count", "share_over_10", "operator_count", "mean_residual"):
            ours, told = getattr(mine, column), getattr(other, column)
            if not same(ours, told, abs_tol=1e-5):
                found.add(f"int_review_batches.{column}", str(day), mine, other)
    return found


def batch_rows(database: Iterable[Record]) -> dict[date, Batch]:
    return {
        row["review_date"]: Batch(
            int(row["review_count"]),
            float(row["share_over_10"] or 0),
            int(row["operator_count"] or 0),
            plain(row["mean_residual"]),
        )
        for row in database
    }


# --- lm_value ---------------------------------------------------------------


def compare_values(
    calls: Sequence[Record],
    reference: Mapping[tuple[str, str, date], Row],
    batches: Mapping[date, Batch],
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
        batches=batches,
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
        for metric in expected:
            row = stored.get((int(call["history_id"]), metric))
            where = f"call {call['history_id']} {metric} ({code})"
            if row is None:
                found.add(f"{metric}: row", where, "there", None)
                continue
            told = json.loads(plain(row["value_json"]) or "{}")
            differing = differences(expected[metric], row, told) + own_differences(row, told)
            if row["lm_version"] != lm_version or row["call_score_id"] != call["call_score_id"]:
                told_apart = (row["lm_version"], row["call_score_id"])
                differing.append(("keys", (lm_version, call["call_score_id"]), told_apart))
            if metric not in AUX_METRICS:
                differing += reference_differences(expected[metric], call, context, told)
            if metric == "feature_pack":
                differing += feature_differences(call, code, params[code], context, told)
            if len(plain(row["value_json"]).encode()) > JSON_BYTES:
                differing.append(("size", JSON_BYTES, len(plain(row["value_json"]))))
            for what, ours, theirs in differing:
                inputs = f"{brief(call)}\n    constants {brief(used)}"
                found.add(f"{metric}: {what}", where, ours, theirs, inputs)
    return found


def differences(expected: Expected, row: Record, told: Record) -> list[Difference]:
    """(what, oracle, database) of one row of lm_value."""
    found: list[Difference] = []

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
    for reason in told.get("reasons", []):
        if reason["code"] in expected.details:
            for name, value in zip(("value", "ref"), expected.details[reason["code"]], strict=True):
                if value is not None:
                    alike = same(value, reason.get(name), rel=1e-4, abs_tol=1e-4)
                    check(f"{reason['code']}.{name}", value, reason.get(name), alike)
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
            check(name, value, other, same_suggestions(value, other or []))
        elif isinstance(value, bool):
            check(name, value, other, value == truth(other))
        else:
            tolerance = EXTRA_ABS.get(name, 1e-4)
            check(name, value, other, same(value, other, abs_tol=tolerance))
    return found


def own_differences(row: Record, told: Record) -> list[Difference]:
    """Whether a row explains itself: its reasons, in their order, make its value."""
    value, kind = plain(row["value_numeric"]), told.get("kind")
    points = [float(reason["points"]) for reason in told.get("reasons", [])]
    found: list[Difference] = []
    if value is None or kind is None:
        return found
    if kind == "factors":
        whole = math.prod(points)
        if not same(whole, told["product"], rel=1e-6, abs_tol=1e-4):
            found.append(("product", whole, told["product"]))
        if not same(linked(told), value, rel=0, abs_tol=VALUE_ABS + link_error(told)):
            found.append(("link", linked(told), value))
        return found
    total = told["base"] + sum(points)
    if not same(total, value, rel=0, abs_tol=1e-6):
        found.append(("sum", total, value))
    ordered = [abs(p) for p in points[:KEPT_REASONS]]
    if ordered != sorted(ordered, reverse=True):
        found.append(("order", sorted(ordered, reverse=True), ordered))
    return found


def link_error(told: Record) -> float:
    """How far four decimals of product and scale can move 100 p / (p + s)."""
    if told["link"] != "ratio" or not told["product"]:
        return 0.0
    return 25 * 0.5e-4 * (1 / float(told["product"]) + 1 / float(told["scale"]))


def linked(told: Record) -> float:
    """The value of a product of factors, by the link that the row names."""
    whole = float(told["product"])
    if told["link"] == "identity":
        return whole
    scale = float(told["scale"])
    if told["link"] == "saturation":
        return 100 * (1 - math.exp(-whole / scale))
    return 100 * whole / (whole + scale)


def same_suggestions(ours: Sequence[Row], theirs: Sequence[Record]) -> bool:
    return len(ours) == len(theirs) and all(
        row.label == told["group"]
        and row.n == told["n"]
        and same(row.value, told["confidence"], abs_tol=1e-4)
        and same(row.spread, told["lift"], abs_tol=1e-3)
        for row, told in zip(ours, theirs, strict=True)
    )


def reference_differences(
    expected: Expected, call: Record, context: Context, told: Record
) -> list[Difference]:
    """A row names the Monday of its constants, and how many calls stand behind the main one."""
    ref = told.get("ref") or {}
    found: list[Difference] = []
    if ref and ref.get("as_of") != str(call["week_start_date"]):
        found.append(("ref.as_of", str(call["week_start_date"]), ref.get("as_of")))
    if expected.learnt is not None:
        constant, keys = expected.learnt
        rows = [context.constant(constant, key, call) for key in keys]
        n = next((row.n for row in reversed(rows) if row is not None), 0)
        if n != (ref.get("n") or 0):
            found.append(("ref.n", n, ref.get("n")))
    return found


def derived_features(
    call: Record, profile: str, params: Mapping[str, float | None], context: Context
) -> dict[str, Any]:
    """What a review says counts for calls that the metrics leave out, too.

    But a mark of an excluded category, and a 0 of a call without a target, is none.
    """
    ungated = {**call, "direction": "in", "is_target": 1, "is_excluded_category": 0}
    return {
        "refusal": call.get("refusal_code"),
        "profile": profile,
        "score": readable_score(call, params, context),
        "coverage": checklist_coverage_ratio(ungated, params, context).value_numeric,
    }


def feature_differences(
    call: Record,
    profile: str,
    params: Mapping[str, float | None],
    context: Context,
    told: Record,
) -> list[Difference]:
    """The inputs of the forecasts: what fct_call says under its own names, and four more."""
    derived = derived_features(call, profile, params, context)
    found: list[Difference] = []
    for name in sorted(set(told) - JSON_FRAME - set(derived) - FEATURES):
        found.append((f"unknown feature {name}", None, told[name]))
    for name in (*sorted(FEATURES), *derived):
        ours = derived[name] if name in derived else call.get(name)
        if not same(ours, told.get(name), abs_tol=1e-4):
            found.append((f"feature {name}", ours, told.get(name)))
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
