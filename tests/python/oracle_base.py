"""What the oracle's metrics share: results, gates, reasons, parameters, profiles.

The oracle is a second, independent implementation of the metrics in plain
Python. It is written from the metrics' definitions,
never from the SQL, so that a mistake would have to be made twice to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Call = Mapping[str, Any]
Params = Mapping[str, float | None]

# The first of these that holds is written.
GATE_ORDER = (
    "INTERNAL",
    "NOT_INCOMING",
    "NOT_ANSWERED",
    "SHORT_ABANDON",
    "SHORT_TALK",
    "NO_REVIEW",
    "EXCLUDED_CATEGORY",
    "NOT_TARGET",
    "SERVICE_CALL",
    "ALREADY_BOOKED",
    "ALREADY_COMPLAINT",
    "OBJECTIVE_REFUSAL",
    "NO_WAIT",
    "BAD_VALUE",
    "NOT_SCORED",
    "NO_CHECKLIST",
    "NO_SERVICE",
    "FREQUENT_NUMBER",
    "NO_NUMBER",
    "IMMATURE",
)

# Labels as reviewers write them: models/staging/_sources.yml.
REFUSAL_CODES = frozenset(
    {
        "PRICE",
        "TIME_GENERAL",
        "URGENCY_NO_SLOTS",
        "DOCTOR_UNAVAILABLE",
        "LOCATION_INCONVENIENT",
        "SERVICE_NOT_PROVIDED",
        "AGE_RESTRICTION",
        "DOCUMENTS_REQUIRED",
        "PATIENT_WILL_CLARIFY",
        "OPERATOR_WILL_CLARIFY",
        "OTHER_REASON",
    }
)

# Reasons that say something although they add no points.
INFORMATION = frozenset({"OUT_OF_HOURS", "SCALE", "SCALE_GUESS", "OVER_MAX", "CHECKLIST_UNKNOWN"})
KEPT_REASONS = 5


@dataclass(frozen=True)
class Row:
    """A learnt constant of lm_reference."""

    value: float | None
    spread: float | None = None
    n: int = 0
    label: str | None = None


Reference = Callable[[str, str, date | None], Row | None]


@dataclass(frozen=True)
class Batch:
    """Valid marks of one day of reviews, a row of int_review_batches."""

    review_count: int
    share_over_10: float
    operator_count: int = 0
    mean_residual: float | None = None


@dataclass
class Expected:
    """One row of lm_value as the oracle wants it; reasons before the fold."""

    value_numeric: float | None = None
    value_label: str | None = None
    status: str = "ok"
    gate: str | None = None
    reasons: dict[str, float] = field(default_factory=dict)
    method: str = "rule"
    kind: str | None = None
    base: float | None = None
    missing: frozenset[str] | None = None  # None: the text does not say
    # What a reason compares: code -> (value, ref), None where the text names none.
    details: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    # The learnt constant whose n stands in "ref", its keys from the widest to the narrowest.
    learnt: tuple[str, tuple[str, ...]] | None = None
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a metric needs beside the call: the moment, constants, small seeds."""

    as_of: datetime
    reference: Reference
    median_ticket: float | None = None
    affinity: Mapping[str, Sequence[float]] = field(default_factory=dict)
    # (valid_from, valid_to, scale, offset)
    calibration: Sequence[tuple[date, date | None, float, float]] = ()
    # checklist -> [(valid_from, weights in script order)], oldest first
    checklists: Mapping[str, Sequence[tuple[date | None, Sequence[float]]]] = field(
        default_factory=dict
    )
    is_working_day: Callable[[date], bool] = lambda day: day.weekday() < 5
    lm_version: str = "lm_test"
    batches: Mapping[date, Batch] = field(default_factory=dict)

    def constant(self, name: str, key: str, call: Call) -> Row | None:
        """The constant of the call's week, as its metrics must use it."""
        return self.reference(name, key, call.get("week_start_date"))

    def constant_value(self, name: str, keys: Sequence[str], call: Call, prior: float) -> float:
        """The narrowest level there is, from the widest key to the narrowest."""
        value = prior
        for key in keys:
            row = self.constant(name, key, call)
            if row is not None and row.value is not None:
                value = row.value
        return value


def rounded(value: float, digits: int = 4) -> float:
    """Half away from zero, as DECIMAL rounds."""
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def number(call: Call, name: str) -> float | None:
    """A numeric column, None where null."""
    value = call.get(name)
    return None if value is None else float(value)


def flag(call: Call, name: str) -> bool:
    return bool(call.get(name) or 0)


def param(params: Params, name: str, default: float | None = None) -> float:
    """A parameter that must be there, or `default` where one is given."""
    value = params.get(name)
    if value is None:
        value = default
    if value is None:
        raise KeyError(f"no parameter {name!r} in lm_rule_params")
    return float(value)


def first_gate(**conditions: bool) -> str | None:
    """The first gate of the common order among those that hold."""
    unknown = set(conditions) - set(GATE_ORDER)
    if unknown:
        raise ValueError(f"no such gate: {sorted(unknown)}")
    return next((gate for gate in GATE_ORDER if conditions.get(gate)), None)


def gated(gate: str) -> Expected:
    return Expected(status="gated", gate=gate)


def additive(
    base: float, points: Sequence[tuple[str, float]], clamp: tuple[float, float] | None = None
) -> tuple[float, dict[str, float]]:
    """Value and reasons of `base + sum of points`, the clamp as its own reason."""
    base = rounded(base)
    reasons: dict[str, float] = {}
    for code, value in points:
        if code in reasons:
            raise ValueError(f"reason {code} twice")
        reasons[code] = rounded(value)
    total = rounded(base + sum(reasons.values()))
    if clamp is not None:
        inside = min(max(total, clamp[0]), clamp[1])
        if inside != total:
            reasons["CLAMP"] = rounded(inside - total)
            total = inside
    return total, reasons


def product(factors: Sequence[tuple[str, float]]) -> tuple[float, dict[str, float]]:
    """Product and reasons of a row of kind factors, each rounded before use."""
    reasons = {code: rounded(value) for code, value in factors}
    result = 1.0
    for value in reasons.values():
        result *= value
    return result, reasons


def fold(reasons: Mapping[str, float]) -> dict[str, float]:
    """Five largest reasons by |points|, ties in their order; the rest in OTHER.

    Reasons without points that are no information are dropped first, so that
    it does not matter whether a writer lists them.
    """
    told = {code: pts for code, pts in reasons.items() if pts != 0 or code in INFORMATION}
    ordered = sorted(told.items(), key=lambda item: -abs(item[1]))
    kept = dict(ordered[:KEPT_REASONS])
    rest = ordered[KEPT_REASONS:]
    other = rounded(sum(points for _, points in rest))
    if rest and other != 0:
        kept["OTHER"] = other
    return kept


def label_of(value: float, medium: float, high: float, names: Sequence[str]) -> str:
    """Names for below `medium`, below `high`, and from `high` on."""
    if value < medium:
        return names[0]
    return names[1] if value < high else names[2]


def refusal_class(call: Call) -> str:
    """The refusal's code, `missing` where null; a code nobody knows is OTHER_REASON."""
    code = call.get("refusal_code")
    if code is None:
        return "missing"
    return str(code) if code in REFUSAL_CODES else "OTHER_REASON"


def seconds_between(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()


def happened(call: Call, name: str, as_of: datetime, within: timedelta | None = None) -> bool:
    """Whether a later event of the caller is known by `as_of`, and soon enough."""
    moment, start = call.get(name), call.get("call_started_at")
    if moment is None or start is None or moment > as_of:
        return False
    return within is None or moment - start <= within


def flat_params(
    rows: Sequence[Mapping[str, Any]], calc_profile: str, default: str = "default_v1"
) -> dict[str, float | None]:
    """lm_rule_params as one dict: the profile's own rows over the default's."""
    values: dict[str, float | None] = {}
    for wanted in (default, calc_profile):
        for row in rows:
            if row["calc_profile"] == wanted:
                text = str(row["value"]).strip()
                values[row["param"]] = float(text) if text not in ("", "None", "nan") else None
    return values


def profile_of_call(
    call: Call,
    profiles: Sequence[Mapping[str, Any]],
    is_holiday: Callable[[date], bool],
    is_weekend: Callable[[date], bool],
) -> tuple[str, str]:
    """(calc_profile, rule): the first match by priority; a call without a start has no time."""
    for row in sorted(profiles, key=lambda item: int(item["priority"])):
        if _profile_matches(row, call, is_holiday, is_weekend):
            return str(row["calc_profile"]), str(row["rule"])
    raise ValueError("no profile matches: the default must match everything")


def _profile_matches(
    row: Mapping[str, Any],
    call: Call,
    is_holiday: Callable[[date], bool],
    is_weekend: Callable[[date], bool],
) -> bool:
    def cell(name: str) -> str:
        return str(row.get(name) or "").strip()

    start: datetime | None = call.get("call_started_at")
    timed = ("day_kind", "hour_from", "weekdays", "date_from", "date_to")
    if start is None and any(cell(name) for name in timed):
        return False
    if start is not None:
        day = start.date()
        kind = cell("day_kind")
        if kind == "holiday" and not is_holiday(day):
            return False
        if kind == "weekend" and not is_weekend(day):
            return False
        if cell("hour_from"):
            since, until, hour = int(cell("hour_from")), int(cell("hour_to")), start.hour
            inside = since <= hour < until if since < until else hour >= since or hour < until
            if not inside:
                return False
        if cell("weekdays") and str(day.isoweekday()) not in cell("weekdays"):
            return False
        if cell("date_from") and day < date.fromisoformat(cell("date_from")):
            return False
        if cell("date_to") and day > date.fromisoformat(cell("date_to")):
            return False
    return all(
        not cell(name) or cell(name).lower() == str(call.get(name) or "").lower()
        for name in ("source_channel", "service_group")
    )
