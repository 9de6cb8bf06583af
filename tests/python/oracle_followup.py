"""Oracle of followup_needed_flag: need, denial, closing event, due time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from oracle_base import (
    Call,
    Context,
    Expected,
    Params,
    additive,
    first_gate,
    flag,
    gated,
    param,
    refusal_class,
    seconds_between,
)

RECOVERABLE = frozenset(
    {
        "TIME_GENERAL",
        "URGENCY_NO_SLOTS",
        "DOCTOR_UNAVAILABLE",
        "PRICE",
        "LOCATION_INCONVENIENT",
        "PATIENT_WILL_CLARIFY",
        "OTHER_REASON",
        "missing",
    }
)
# Earliest first; of events in the same second the first named one closes.
CLOSING = (
    ("next_booking_at", "CLOSED_BY_BOOKING"),
    ("next_outgoing_answered_at", "CLOSED_BY_CALLBACK"),
    ("next_incoming_answered_at", "CLOSED_BY_CLIENT"),
    ("next_need_at", "SUPERSEDED"),
)


def need_of(call: Call) -> str | None:
    """The first need that holds."""
    answered, booked = flag(call, "is_answered"), flag(call, "is_booked")
    dropped = call.get("pbx_status") is not None and int(call["pbx_status"]) == 0 and answered
    needs = {
        "N1": call["direction"] == "in" and not answered and not flag(call, "is_short_abandon"),
        "N2": call.get("call_category") == "complaint",
        "N3": call.get("refusal_code") == "OPERATOR_WILL_CLARIFY" and not booked,
        "N4": dropped and flag(call, "is_target") and not booked,
        "N5": call.get("outcome") == "cancelled_by_operator",
        "N6": flag(call, "wants_booking") and not booked and refusal_class(call) in RECOVERABLE,
    }
    return next((need for need, holds in needs.items() if holds), None)


def denial_of(call: Call, need: str) -> str | None:
    """The first reason not to call although there is a need."""
    frequent = flag(call, "is_frequent_number")
    excluded = flag(call, "is_excluded_category")
    denials = {
        "FREQUENT_NUMBER": frequent,
        "BOOKED": flag(call, "is_booked"),
        "OBJECTIVE_REFUSAL": flag(call, "is_objective_refusal"),
        "EXCLUDED_CATEGORY": excluded,
        "NOT_TARGET": not flag(call, "is_target"),
    }
    if need == "N1":
        denials = {"FREQUENT_NUMBER": frequent, "EXCLUDED_CATEGORY": excluded}
    if need == "N2":
        denials = {"FREQUENT_NUMBER": frequent}
    return next((code for code, holds in denials.items() if holds), None)


def closing_event(call: Call, as_of: datetime, expires: timedelta) -> tuple[str, datetime] | None:
    """(code, moment) of what closed the need by `as_of`; expiry closes last of all."""
    known = [
        (call[column], order, code)
        for order, (column, code) in enumerate(CLOSING)
        if call.get(column) is not None and call[column] <= as_of
    ]
    if known:
        moment, _, code = min(known)
        return code, moment
    start = call.get("call_started_at")
    if start is not None and as_of > start + expires:
        return "EXPIRED", start + expires
    return None


def due_at(call: Call, need: str, params: Params, context: Context) -> datetime | None:
    """When the client is to be called at the latest."""
    start: datetime | None = call.get("call_started_at")
    if start is None:
        return None
    if need != "N1":
        return start + timedelta(hours=param(params, f"followup_due_hours_{need.lower()}"))
    hour = params.get("callback_due_hour")
    if hour is None:
        return start + timedelta(minutes=param(params, "callback_sla_min"))
    due = datetime.combine(start.date(), time(int(hour)))
    day = start.date()
    if context.is_working_day(day) and start < due:
        return due
    for _ in range(60):
        day += timedelta(days=1)
        if context.is_working_day(day):
            break
    return datetime.combine(day, time(int(hour)))


def followup_needed_flag(call: Call, params: Params, context: Context) -> Expected:
    """1 while a need is open, undenied and not yet closed."""
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NO_NUMBER=call.get("caller_key") is None,
    )
    if gate:
        return gated(gate)
    need = need_of(call)
    if need is None:
        return Expected(0.0, "false", kind="additive", base=0)
    points: list[tuple[str, float]] = [(f"NEED_{need}", 1)]
    denial = denial_of(call, need)
    expires = timedelta(days=param(params, "followup_expires_days"))
    closed = closing_event(call, context.as_of, expires)
    if denial is not None:
        points.append((f"DENY_{denial}", -1))
    elif closed is not None:
        points.append((closed[0], -1))
    value, reasons = additive(0, points)
    due = due_at(call, need, params, context)
    is_open = value == 1
    extras = {
        "need": need,
        "priority": int(param(params, f"followup_priority_{need.lower()}")),
        "due_at": None if due is None else due.strftime("%Y-%m-%d %H:%M"),
        "overdue": is_open and due is not None and context.as_of > due,
        "attempts": int(call.get("attempts_14d") or 0),
    }
    if denial is None and closed is not None:
        extras["closed_by"] = closed[0]
        if closed[0] != "EXPIRED":
            seconds = seconds_between(call["call_started_at"], closed[1])
            extras["minutes_to_close"] = seconds / 60
    return Expected(
        value,
        "true" if is_open else "false",
        reasons=reasons,
        kind="additive",
        base=0,
        extras=extras,
    )
