"""Oracle of churn_risk_level and complaint_risk_flag."""

from __future__ import annotations

from datetime import timedelta

from oracle_base import (
    Call,
    Context,
    Expected,
    Params,
    additive,
    first_gate,
    flag,
    gated,
    happened,
    label_of,
    number,
    param,
    refusal_class,
)
from oracle_conversion import has_caller_history
from oracle_quality import category_z, readable_score, waited_over

CHURN_OUTCOMES = (
    "record",
    "info_only",
    "lead_no_record",
    "refused",
    "cancelled_by_patient",
    "cancelled_by_operator",
)
BLAMING = frozenset(
    {
        "COMPLAINT",
        "CANCELLED_BY_OPERATOR",
        "PROMISE_NOT_KEPT",
        "DROPPED",
        "LOW_SCORE",
        "LONG_WAIT",
    }
)


def churn_risk_level(call: Call, params: Params, context: Context) -> Expected:
    """Scorecard from outcome, category, refusal, service and the caller's last half year."""
    category = call.get("call_category") or "none"
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target") and category != "complaint",
    )
    if gate:
        return gated(gate)
    points: list[tuple[str, float]] = []
    outcome = call.get("outcome") or "none"
    if outcome in CHURN_OUTCOMES:
        points.append((f"OUTCOME_{outcome.upper()}", param(params, f"churn_outcome_{outcome}")))
    if category in ("complaint", "reschedule"):
        pts = param(params, f"churn_category_{category}")
        points.append((f"CATEGORY_{category.upper()}", pts))
    if not flag(call, "is_booked"):
        refusal = refusal_class(call)
        if refusal != "missing" or flag(call, "wants_booking"):
            pts = param(params, f"churn_refusal_{refusal.lower()}")
            points.append((f"REFUSAL_{refusal.upper()}", pts))
    recurrence = call.get("service_recurrence") or "unknown"
    if recurrence in ("course", "regular", "one_off"):
        pts = param(params, f"churn_service_{recurrence}")
        points.append((f"SERVICE_{recurrence.upper()}", pts))
    known = has_caller_history(call)
    if known:
        points += _churn_history(call, params)
    value, reasons = additive(param(params, "churn_base"), points, clamp=(0, 100))
    medium, high = param(params, "churn_medium_from"), param(params, "churn_high_from")
    return Expected(
        value,
        label_of(value, medium, high, ("low", "medium", "high")),
        status="ok" if known else "partial",
        reasons=reasons,
        kind="additive",
        base=param(params, "churn_base"),
        missing=frozenset(() if known else {"caller_history"}),
        details={
            "CANCELLED_BEFORE": (number(call, "cancellations_180d"), None),
            "UNANSWERED_BEFORE": (number(call, "unanswered_7d"), None),
            "LOYAL": (number(call, "bookings_180d"), None),
        },
    )


def _churn_history(call: Call, params: Params) -> list[tuple[str, float]]:
    points: list[tuple[str, float]] = []
    for column, name in (("cancellations_180d", "cancelled"), ("unanswered_7d", "unanswered")):
        count = number(call, column) or 0.0
        each = param(params, f"churn_{name}_before")
        most = param(params, f"churn_{name}_before_max")
        if count > 0:
            points.append((f"{name.upper()}_BEFORE", min(most, each * count)))
    if (number(call, "bookings_180d") or 0) >= param(params, "churn_loyal_bookings"):
        points.append(("LOYAL", param(params, "churn_loyal")))
    return points


def complaint_risk_flag(call: Call, params: Params, context: Context) -> Expected:
    """Sum of triggers; without one that blames the clinic at most 40."""
    complaint = call.get("call_category") == "complaint"
    talk = number(call, "talk_sec") or 0.0
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NOT_ANSWERED=not flag(call, "is_answered"),
        SHORT_TALK=talk < param(params, "dialogue_min_talk_sec"),
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        OBJECTIVE_REFUSAL=flag(call, "is_objective_refusal"),
        BAD_VALUE=call["direction"] == "unknown",
    )
    if gate and not complaint:
        return gated(gate)
    points = [("COMPLAINT", param(params, "complaint_category"))] if complaint else []
    points += _clinic_triggers(call, params, context)
    points += _repeat_trigger(call, params)
    points += _dropped_trigger(call, params, context)
    points += _talk_triggers(call, params, context)
    cap = param(params, "complaint_no_blame_cap")
    total = sum(value for _, value in points)
    if total > cap and not BLAMING & {code for code, _ in points}:
        points.append(("NO_CLINIC_TRIGGER", cap - total))
    value, reasons = additive(0, points, clamp=(0, 100))
    return Expected(
        value,
        "true" if value >= param(params, "complaint_flag_from") else "false",
        reasons=reasons,
        kind="additive",
        base=0,
        details={
            "REPEAT_CALL": (
                (number(call, "calls_in_72h") or 0) + 1,
                param(params, "complaint_repeat_calls") + 1,
            ),
            "PROMISE_NOT_KEPT": (None, param(params, "complaint_promise_hours")),
            "LOW_SCORE": (
                readable_score(call, params, context),
                param(params, "complaint_low_score_below"),
            ),
            "TALK_TOO_LONG": (talk, None),
            "LONG_WAIT": (number(call, "await_sec"), None),
        },
    )


def _clinic_triggers(call: Call, params: Params, context: Context) -> list[tuple[str, float]]:
    points: list[tuple[str, float]] = []
    if call.get("outcome") == "cancelled_by_operator":
        pts = param(params, "complaint_cancelled_by_operator")
        points.append(("CANCELLED_BY_OPERATOR", pts))
    within = timedelta(hours=param(params, "complaint_promise_hours"))
    start = call.get("call_started_at")
    promised = call.get("refusal_code") == "OPERATOR_WILL_CLARIFY" and not flag(call, "is_booked")
    due = start is not None and start <= context.as_of - within
    kept = happened(call, "next_outgoing_answered_at", context.as_of, within)
    if promised and due and not kept:
        points.append(("PROMISE_NOT_KEPT", param(params, "complaint_promise_not_kept")))
    return points


def _repeat_trigger(call: Call, params: Params) -> list[tuple[str, float]]:
    earlier = number(call, "calls_in_72h") or 0.0
    needed = param(params, "complaint_repeat_calls")
    if (
        call["direction"] != "in"
        or flag(call, "is_frequent_number")
        or flag(call, "is_booked")
        or (number(call, "bookings_72h") or 0) > 0
        or earlier < needed
    ):
        return []
    points = param(params, "complaint_repeat") + param(params, "complaint_repeat_step") * (
        earlier - needed
    )
    return [("REPEAT_CALL", min(param(params, "complaint_repeat_max"), points))]


def _dropped_trigger(call: Call, params: Params, context: Context) -> list[tuple[str, float]]:
    within = timedelta(seconds=param(params, "complaint_dropped_sec"))
    dropped = call.get("pbx_status") is not None and int(call["pbx_status"]) == 0
    again = happened(call, "next_need_at", context.as_of, within)
    if dropped and flag(call, "is_answered") and again:
        return [("DROPPED", param(params, "complaint_dropped"))]
    return []


def _talk_triggers(call: Call, params: Params, context: Context) -> list[tuple[str, float]]:
    points: list[tuple[str, float]] = []
    booked = flag(call, "is_booked")
    score = readable_score(call, params, context)
    long_enough = (number(call, "talk_sec") or 0) >= param(params, "complaint_low_score_talk_sec")
    if score is not None and score < param(params, "complaint_low_score_below") and long_enough:
        points.append(("LOW_SCORE", param(params, "complaint_low_score")))
    refusal = call.get("refusal_code")
    if refusal in ("DOCTOR_UNAVAILABLE", "URGENCY_NO_SLOTS", "PRICE") and not booked:
        pts = param(params, f"complaint_refusal_{refusal.lower()}")
        points.append((f"REFUSAL_{refusal}", pts))
    if waited_over(call, params, "complaint_wait_slas"):
        points.append(("LONG_WAIT", param(params, "complaint_long_wait")))
    z = category_z(call, params, context)
    if z is not None and z > param(params, "long_talk_z") and not booked:
        points.append(("TALK_TOO_LONG", param(params, "complaint_talk_long")))
    return points
