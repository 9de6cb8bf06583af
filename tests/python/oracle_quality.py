"""Oracle of the quality metrics: checklist coverage, normalised score, script risk (7-9)."""

from __future__ import annotations

from datetime import date

from oracle_base import (
    Batch,
    Call,
    Context,
    Expected,
    Params,
    additive,
    first_gate,
    flag,
    gated,
    label_of,
    number,
    param,
)
from oracle_operational import talk_z

LEVELS = ("low", "medium", "high")


def checklist_weights(call: Call, context: Context) -> list[float] | None:
    """Weights of the call's checklist in script order; None when the seed lacks it."""
    versions = context.checklists.get(call.get("checklist") or "unknown")
    day: date | None = call.get("review_date")
    valid = [
        weights
        for since, weights in versions or ()
        if since is None or (day is not None and since <= day)
    ]
    return list(valid[-1]) if valid else None


def checklist_coverage_ratio(call: Call, params: Params, context: Context) -> Expected:
    """Share of the checklist's weight, items taken as met in script order."""
    items = number(call, "checklist_items")
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target"),
        BAD_VALUE=items is not None and items < 0,
        NO_CHECKLIST=items is None,
    )
    if gate:
        return gated(gate)
    if items is None:
        raise AssertionError("gated above")
    met = int(items)
    weights = checklist_weights(call, context)
    points: list[tuple[str, float]] = []
    extras: dict[str, float] = {}
    if weights is not None:
        whole, length = sum(weights), float(len(weights))
        share = sum(weights[:met]) / whole
        ordered = sorted(weights)
        extras = {
            "lo": 100 * sum(ordered[:met]) / whole,
            "hi": 100 * sum(ordered[::-1][:met]) / whole,
        }
    else:
        key = call.get("checklist") or "unknown"
        most = context.constant_value("checklist_max", [key], call, 0.0)
        length = max(param(params, "checklist_min_items"), most)
        share = min(1.0, met / length)
    points.append(("ITEMS_NOT_MET", 100 * share - 100))
    if weights is None:
        points.append(("CHECKLIST_UNKNOWN", 0))
    if met > length:
        points.append(("OVER_MAX", 0))
    value, reasons = additive(100, points)
    partial = weights is None
    medium, high = param(params, "checklist_medium_from"), param(params, "checklist_high_from")
    return Expected(
        value,
        label_of(value, medium, high, LEVELS),
        status="partial" if partial else "ok",
        reasons=reasons,
        kind="additive",
        base=100,
        missing=frozenset({"checklist"} if partial else ()),
        details={"ITEMS_NOT_MET": (met, length), "OVER_MAX": (met, length)},
        extras=extras,
    )


def score_gate(call: Call, params: Params) -> str | None:
    """Why the reviewer's score cannot be read, or None."""
    raw = number(call, "call_score_raw")
    return first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        BAD_VALUE=raw is None or raw < 0 or raw > param(params, "score_max"),
        NOT_SCORED=raw == 0 and not flag(call, "is_target"),
    )


def score_scale(
    raw: float, review_date: date | None, params: Params, context: Context, batch: Batch | None
) -> tuple[float, float, bool]:
    """(factor, offset, whether the factor is a guess) of one raw score."""
    for since, until, scale, offset in context.calibration:
        if (
            review_date is not None
            and since <= review_date
            and (until is None or review_date <= until)
        ):
            return scale, offset, False
    share = batch.share_over_10 if batch is not None else 0.0
    size = batch.review_count if batch is not None else 0
    if raw > 10:
        return 1.0, 0.0, False
    factor = 1.0 if share >= param(params, "batch_share_over_10") else 10.0
    return factor, 0.0, size < param(params, "batch_min_reviews")


def normalized_call_score(call: Call, params: Params, context: Context) -> Expected:
    """The reviewer's score on one scale, 0..100."""
    gate = score_gate(call, params)
    if gate:
        return gated(gate)
    raw = number(call, "call_score_raw")
    if raw is None:
        raise AssertionError("gated above")
    day = call.get("review_date")
    batch = None if day is None else context.batches.get(day)
    factor, offset, guess = score_scale(raw, day, params, context, batch)
    points: list[tuple[str, float]] = [("SCALE", 0)]
    if guess:
        points.append(("SCALE_GUESS", 0))
    points.append(("CALIBRATION", offset))
    if param(params, "score_bias_mode") >= 2:
        points.append(("BATCH_BIAS", -batch_bias(batch, params)))
    value, reasons = additive(raw * factor, points, clamp=(0, 100))
    medium, high = param(params, "score_medium_from"), param(params, "score_high_from")
    return Expected(
        value,
        label_of(value, medium, high, LEVELS),
        reasons=reasons,
        kind="additive",
        base=raw * factor,
        details={"SCALE": (factor, None)},
        extras={"raw": raw},
    )


def readable_score(call: Call, params: Params, context: Context) -> float | None:
    """Metric 8 as other metrics read it: an internal call's mark is a mark, too."""
    return normalized_call_score({**call, "direction": "in"}, params, context).value_numeric


def batch_bias(batch: Batch | None, params: Params) -> float:
    """How far the day's reviewers were off, shrunk and capped; 0 for a small batch."""
    if batch is None or batch.mean_residual is None:
        return 0.0
    n = batch.review_count
    if n < param(params, "bias_min_reviews"):
        return 0.0
    if batch.operator_count < param(params, "bias_min_operators"):
        return 0.0
    shrunk = batch.mean_residual * n / (n + param(params, "bias_prior_reviews"))
    cap = param(params, "bias_max_points")
    return min(max(shrunk, -cap), cap)


def category_z(call: Call, params: Params, context: Context) -> float | None:
    """How unusual the talk's length is for its category, in sd of the log."""
    talk = number(call, "talk_sec")
    if talk is None or talk <= 0:
        return None
    m, s = param(params, "talk_m_all"), param(params, "talk_s_all")
    row = context.constant("talk_length_category", call.get("call_category") or "none", call)
    if row is not None and row.value is not None and row.spread is not None:
        m, s = row.value, row.spread
    return talk_z(talk, m, s)


def script_risk_index(call: Call, params: Params, context: Context) -> Expected:
    """Additive scorecard: gaps of checklist and score, and signs in the record."""
    talk = number(call, "talk_sec") or 0.0
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NOT_ANSWERED=not flag(call, "is_answered"),
        SHORT_TALK=talk < param(params, "dialogue_min_talk_sec"),
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target"),
    )
    if gate:
        return gated(gate)
    coverage = checklist_coverage_ratio(call, params, context).value_numeric
    score = readable_score(call, params, context)
    missing = {name for name, value in (("checklist", coverage), ("score", score)) if value is None}
    if len(missing) == 2:
        return Expected(status="no_data")
    weight = param(params, "script_gap_weight") * (2 if missing else 1)
    points: list[tuple[str, float]] = []
    if coverage is not None:
        points.append(("CHECKLIST_GAP", weight * (100 - coverage)))
    if score is not None:
        points.append(("SCORE_GAP", weight * (100 - score)))
    points += _script_signs(call, params, context)
    value, reasons = additive(0, points, clamp=(0, 100))
    medium, high = param(params, "script_medium_from"), param(params, "script_high_from")
    return Expected(
        value,
        label_of(value, medium, high, LEVELS),
        status="partial" if missing else "ok",
        reasons=reasons,
        kind="additive",
        base=0,
        missing=frozenset(missing),
        details={
            "CHECKLIST_GAP": (coverage, None),
            "SCORE_GAP": (score, None),
            "TALK_TOO_SHORT": (talk, None),
            "TALK_TOO_LONG": (talk, None),
            "LONG_WAIT": (number(call, "await_sec"), None),
        },
    )


def _script_signs(call: Call, params: Params, context: Context) -> list[tuple[str, float]]:
    category = call.get("call_category") or "none"
    points: list[tuple[str, float]] = []
    if category in ("complaint", "cancel", "lead", "undefined", "booking"):
        pts = param(params, f"script_category_{category}")
        points.append((f"CATEGORY_{category.upper()}", pts))
    if call["direction"] == "out":
        reminder = category == "reminder"
        name = "script_outgoing_reminder" if reminder else "script_outgoing"
        points.append(("OUTGOING", param(params, name)))
    answered = flag(call, "is_answered")
    if call.get("call_type") == ("missed" if answered else "accepted"):
        points.append(("TYPE_CONFLICT", param(params, "script_type_conflict")))
    z = category_z(call, params, context)
    if z is not None and z < param(params, "short_talk_z"):
        points.append(("TALK_TOO_SHORT", param(params, "script_talk_short")))
    if z is not None and z > param(params, "long_talk_z"):
        points.append(("TALK_TOO_LONG", param(params, "script_talk_long")))
    lead = category == "lead" or call.get("outcome") == "lead_no_record"
    if lead and not flag(call, "is_booked") and call.get("refusal_code") is None:
        points.append(("REASON_NOT_ASKED", param(params, "script_reason_not_asked")))
    if (call.get("service_group") or "unknown") == "unknown":
        points.append(("SERVICE_NOT_ASKED", param(params, "script_service_not_asked")))
    if waited_over(call, params, "script_wait_slas"):
        points.append(("LONG_WAIT", param(params, "script_long_wait")))
    return points


def waited_over(call: Call, params: Params, slas: str) -> bool:
    """Whether an incoming caller waited longer than so many SLAs."""
    wait = number(call, "await_sec")
    limit = param(params, slas) * param(params, "sla_sec")
    return call["direction"] == "in" and wait is not None and wait > limit
