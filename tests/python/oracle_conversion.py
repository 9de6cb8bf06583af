"""Oracle of conversion_score, lost_opportunity_score, cross_sell_potential."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import prod

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
    product,
    refusal_class,
    rounded,
)

LEVELS = ("low", "medium", "high")


def late_booking_keys(call: Call) -> tuple[str, str, str]:
    """Outcome, + category, + service group."""
    outcome = call.get("outcome") or "none"
    category = call.get("call_category") or "none"
    group = call.get("service_group") or "unknown"
    return outcome, f"{outcome}|{category}", f"{outcome}|{category}|{group}"


def late_booking_levels(call: Call, params: Params, context: Context) -> tuple[float, float, float]:
    """Chance of a booking within 14 days: by outcome, + category, + service group."""
    keys = late_booking_keys(call)
    prior = param(params, f"late_prior_{keys[0]}", param(params, "late_prior_other"))
    first, second, third = (
        context.constant_value("late_booking_rate", keys[: depth + 1], call, prior)
        for depth in range(3)
    )
    return first, second, third


def has_caller_history(call: Call) -> bool:
    return call.get("caller_key") is not None and not flag(call, "is_frequent_number")


def conversion_score(call: Call, params: Params, context: Context) -> Expected:
    """100 for a booked call, else the smoothed rate of later bookings of such calls."""
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target"),
        SERVICE_CALL=flag(call, "is_service_call"),
    )
    if gate:
        return gated(gate)
    extras = {
        "wants_booking": flag(call, "wants_booking"),
        "last_of_client": flag(call, "is_last_of_caller"),
    }
    if flag(call, "is_booked"):
        return Expected(
            100.0, "booked", reasons={"OUTCOME": 100.0}, kind="lookup", base=0, extras=extras
        )
    first, second, third = late_booking_levels(call, params, context)
    value, reasons = additive(
        0,
        [
            ("OUTCOME", 100 * first),
            ("CATEGORY", 100 * (second - first)),
            ("SERVICE", 100 * (third - second)),
        ],
    )
    if is_booking_open(call, params, context):
        ticket = number(call, "service_ticket") or context.median_ticket
        if ticket is not None:
            extras["expected_rub"] = rounded(third * ticket, 2)
    partial = not has_caller_history(call)
    keys = late_booking_keys(call)
    possible, likely = (param(params, f"conversion_{name}_from") for name in ("possible", "likely"))
    return Expected(
        value,
        label_of(value, possible, likely, ("unlikely", "possible", "likely")),
        status="partial" if partial else "ok",
        reasons=reasons,
        method="empirical_bayes",
        kind="lookup",
        base=0,
        missing=frozenset({"caller_history"} if partial else ()),
        extras=extras,
        learnt=("late_booking_rate", keys),
    )


def is_booking_open(call: Call, params: Params, context: Context) -> bool:
    """Whether a known caller may still book within the days that a late booking has."""
    start, booking = call["call_started_at"], call.get("next_booking_at")
    if start is None or not has_caller_history(call):
        return False
    if booking is not None and booking <= context.as_of:
        return False
    return start + timedelta(days=param(params, "late_booking_days")) > context.as_of


def booking_share(call: Call, params: Params, context: Context, group: str) -> float:
    """p_ref: booking share of those who want one, by group and source."""
    source = call.get("source_channel") or "unknown"
    keys = ("all", group, f"{group}|{source}")
    return context.constant_value("booking_share", keys, call, param(params, "booking_share_prior"))


def loss_scale(call: Call, params: Params, context: Context) -> float:
    """M: a typical loss, which scores 50; without a row the seeds' numbers alone."""
    ticket = 1.0 if context.median_ticket is None else context.median_ticket
    prior = 0.6 * ticket * param(params, "booking_share_prior")
    return context.constant_value("loss_scale", ["all"], call, prior)


def lost_opportunity_score(call: Call, params: Params, context: Context) -> Expected:
    """Expected loss: ticket x chance x what will not come back x how far it was in our hands."""
    if call["direction"] == "in" and not flag(call, "is_answered"):
        return _lost_missed_call(call, params, context)
    cancellations = param(params, "lost_include_cancellations") >= 1
    service_call = flag(call, "is_service_call")
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NOT_ANSWERED=not flag(call, "is_answered"),
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target"),
        SERVICE_CALL=service_call and not cancellations,
        OBJECTIVE_REFUSAL=flag(call, "is_objective_refusal"),
    )
    if gate:
        return gated(gate)
    if flag(call, "is_booked"):
        return _loss(call, params, context, [("BOOKED", 0.0)])
    if not flag(call, "wants_booking") and not service_call:
        return _loss(call, params, context, [("NO_BOOKING_INTENT", 0.0)])
    ticket, missing = number(call, "service_ticket"), set()
    if ticket is None:
        missing.add("ticket" if context.median_ticket is None else "service")
        ticket = 1.0 if context.median_ticket is None else context.median_ticket
    refusal = refusal_class(call)
    other = param(params, "avoidable_other_reason")  # objective refusals have no r of their own
    avoidable = param(params, f"avoidable_{refusal.lower()}", other)
    group = call.get("service_group") or "unknown"
    factors = [
        ("TICKET", ticket),
        ("CHANCE", booking_share(call, params, context, group)),
        ("LATE_RETURN", 1 - late_booking_levels(call, params, context)[2]),
        ("REASON_MISSING" if refusal == "missing" else f"REFUSAL_{refusal}", avoidable),
    ]
    return _loss(call, params, context, factors, missing)


def _lost_missed_call(call: Call, params: Params, context: Context) -> Expected:
    """A missed call is lost when nobody talked with the caller within a day."""
    within = timedelta(hours=param(params, "contact_hours"))
    contacts = ("next_incoming_answered_at", "next_outgoing_answered_at")
    contacted = any(happened(call, name, context.as_of, within) for name in contacts)
    start = call.get("call_started_at")
    gate = first_gate(
        SHORT_ABANDON=flag(call, "is_short_abandon"),
        FREQUENT_NUMBER=flag(call, "is_frequent_number"),
        IMMATURE=not contacted and start is not None and start > context.as_of - within,
    )
    if gate:
        return gated(gate)
    if contacted:
        return _loss(call, params, context, [("CONTACTED_LATER", 0.0)])
    source = call.get("source_channel") or "unknown"
    group = call.get("service_group") or "unknown"
    target = context.constant_value(
        "target_share",
        ["all", source, f"{source}|{call.get('call_hour')}"],
        call,
        param(params, "target_share_prior"),
    )
    again = context.constant_value(
        "call_again_rate", ["all"], call, param(params, "call_again_prior")
    )
    median = 1.0 if context.median_ticket is None else context.median_ticket
    factors = [
        ("TICKET", context.constant_value("mean_ticket", ["all"], call, median)),
        ("CHANCE", target * booking_share(call, params, context, group)),
        ("LATE_RETURN", 1 - again),
        ("MISSED_NO_CONTACT", 1.0),
    ]
    expected = _loss(call, params, context, factors)
    unpriced = set() if context.median_ticket is not None else {"ticket"}
    expected.status, expected.missing = "partial", frozenset({"outcome", *unpriced})
    return expected


def _loss(
    call: Call,
    params: Params,
    context: Context,
    factors: list[tuple[str, float]],
    missing: set[str] | None = None,
) -> Expected:
    loss, reasons = product(factors)
    scale = loss_scale(call, params, context)
    value = rounded(100 * loss / (loss + scale))
    medium, high = param(params, "lost_medium_from"), param(params, "lost_high_from")
    return Expected(
        value,
        label_of(value, medium, high, LEVELS),
        status="partial" if missing else "ok",
        reasons=reasons,
        method="rule" if len(factors) == 1 else "empirical_bayes",
        kind="factors",
        missing=frozenset(missing or ()),
        extras={"loss_rub": rounded(loss, 2)},
    )


def cross_sell_potential(call: Call, params: Params, context: Context) -> Expected:
    """Chance that a client of this group needs another one, damped by the kind of call."""
    group = call.get("service_group") or "unknown"
    category = call.get("call_category") or "none"
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_REVIEW=not flag(call, "is_reviewed"),
        EXCLUDED_CATEGORY=flag(call, "is_excluded_category"),
        NOT_TARGET=not flag(call, "is_target"),
        ALREADY_COMPLAINT=category == "complaint",
        NO_SERVICE=group == "unknown",
    )
    if gate:
        return gated(gate)
    prior = affinity_prior(context.affinity.get(group, ()), param(params, "cross_sell_prior"))
    chance = context.constant_value("cross_sell_any", [group], call, prior)
    other = param(params, "category_factor_other")
    factor = param(params, f"category_factor_{category}", other)
    result, reasons = product([("SERVICE_AFFINITY", 100 * chance), ("CATEGORY_FACTOR", factor)])
    value = rounded(result)
    suggestions = [context.constant("cross_sell_suggest", f"{group}|{i}", call) for i in (1, 2, 3)]
    partial = flag(call, "is_frequent_number")
    medium, high = param(params, "cross_sell_medium_from"), param(params, "cross_sell_high_from")
    return Expected(
        value,
        label_of(value, medium, high, LEVELS),
        status="partial" if partial else "ok",
        reasons=reasons,
        method="empirical_bayes",
        kind="factors",
        missing=frozenset({"caller_history"} if partial else ()),
        details={"CATEGORY_FACTOR": (factor, None)},
        extras={"suggest": [row for row in suggestions if row is not None]},
        learnt=("cross_sell_any", (group,)),
    )


def affinity_prior(confidences: Sequence[float], default: float) -> float:
    """Chance of any other group, from the seed's pairwise chances."""
    values = [float(value) for value in confidences]
    return 1 - prod(1 - value for value in values) if values else default
