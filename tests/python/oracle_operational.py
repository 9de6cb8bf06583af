"""Oracle of response_speed_score, talk_time_efficiency, queue_impact_index."""

from __future__ import annotations

from math import exp, log

from oracle_base import (
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
    product,
    rounded,
)

OUTCOME_TALK_CLASS = {
    "record": "record",
    "info_only": "info",
    "cancelled_by_patient": "cancelled",
    "cancelled_by_operator": "cancelled",
    "lead_no_record": "lead",
    "refused": "lead",
    "non_target": "non_target",
}
CATEGORY_TALK_CLASS = {
    "booking": "record",
    "info": "info",
    "navigation": "info",
    "cancel": "cancelled",
    "reschedule": "cancelled",
    "lead": "lead",
}


def response_speed_score(call: Call, params: Params, rule: str) -> Expected:
    """100 within the SLA, halved by every further half-life; a missed call is 0."""
    wait = number(call, "await_sec")
    answered = flag(call, "is_answered")
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NOT_INCOMING=call["direction"] in ("out", "unknown"),
        SHORT_ABANDON=flag(call, "is_short_abandon"),
        NO_WAIT=answered and wait is None,
        BAD_VALUE=wait is not None and wait > param(params, "max_wait_sec"),
    )
    if gate:
        return gated(gate)
    sla = param(params, "sla_sec")
    points: list[tuple[str, float]] = []
    label, partial = "within_sla", False
    if not answered:
        points.append(("MISSED_CALL", -100))
        label, partial = "missed", wait is None
    elif wait is not None and wait > sla:
        speed = 100 * 2 ** (-(wait - sla) / param(params, "half_life_sec"))
        points.append(("WAIT_OVER_SLA", speed - 100))
        label = "late"
    if rule == "night":
        points.append(("OUT_OF_HOURS", 0))
    value, reasons = additive(100, points)
    return Expected(
        value,
        label,
        status="partial" if partial else "ok",
        reasons=reasons,
        kind="additive",
        base=100,
        missing=frozenset({"await_sec"} if partial else ()),
        details={"WAIT_OVER_SLA": (wait, sla)},
    )


def talk_class(call: Call) -> str:
    """What the talk was for: by outcome, else by category, else 'all'."""
    outcome = call.get("outcome") or "none"
    if outcome in OUTCOME_TALK_CLASS:
        return OUTCOME_TALK_CLASS[outcome]
    return CATEGORY_TALK_CLASS.get(call.get("call_category") or "none", "all")


def talk_z(talk: float, m: float, s: float) -> float:
    """Standard deviations of the log of the talk from its usual length."""
    return (log(talk) - log(m)) / s


def length_fit(talk: float, m: float, s: float, w_short: float, w_long: float) -> float:
    """F of metric 2: 1 within one sd, less outside by at most the weight."""
    z = talk_z(talk, m, s)
    excess = max(0.0, abs(z) - 1)
    weight = w_short if z < 0 else w_long
    return 1 - weight * (1 - exp(-(excess**2) / 2))


def talk_time_efficiency(call: Call, params: Params, context: Context) -> Expected:
    """30 line share + 30 fit of the length + 40 value of the outcome, over what is known."""
    talk = number(call, "talk_sec") or 0.0
    gate = first_gate(
        INTERNAL=call["direction"] == "internal",
        NOT_ANSWERED=not flag(call, "is_answered"),
        SHORT_TALK=talk < param(params, "min_talk_sec"),
    )
    if gate:
        return gated(gate)
    group = talk_class(call)
    m, s = param(params, f"talk_m_{group}"), param(params, f"talk_s_{group}")
    row = context.constant("talk_length", group, call)
    if row is not None and row.value is not None and row.spread is not None:
        m, s = row.value, row.spread
    fit = length_fit(
        talk,
        m,
        s,
        param(params, f"short_penalty_{group}"),
        param(params, f"long_penalty_{group}"),
    )
    z = talk_z(talk, m, s)
    code = "LENGTH_TYPICAL" if abs(z) <= 1 else ("TOO_SHORT" if z < 0 else "TOO_LONG")

    parts: list[tuple[str, float, float]] = []
    missing = set()
    total = number(call, "total_sec")
    if total is None:
        missing.add("duration")
    else:
        parts.append(("LINE_SHARE", param(params, "line_share_weight"), min(1.0, talk / total)))
    parts.append((code, param(params, "length_weight"), fit))
    if group == "all":
        missing.add("outcome")
    else:
        worth = param(params, f"outcome_value_{group}")
        parts.append(("OUTCOME_VALUE", param(params, "outcome_weight"), worth))
    weights = sum(weight for _, weight, _ in parts)
    value, reasons = additive(
        0, [(name, 100 * weight / weights * share) for name, weight, share in parts]
    )
    # Unlike the other labels "high" begins above its threshold, not at it.
    if value < param(params, "label_normal_from"):
        label = "low"
    else:
        label = "high" if value > param(params, "label_high_above") else "normal"
    return Expected(
        value,
        label,
        status="partial" if missing else "ok",
        reasons=reasons,
        kind="additive",
        base=0,
        missing=frozenset(missing),
        details={code: (talk, m)}
        | {name: (share, None) for name, _, share in parts if name != code},
        learnt=("talk_length", (group,)),
    )


def queue_impact_index(call: Call, params: Params, context: Context) -> Expected:
    """Line time, weighted by the type of the call and by how busy that hour usually is."""
    talk, total = number(call, "talk_sec"), number(call, "total_sec")
    length = total if total is not None else talk
    if length is None:
        return gated("BAD_VALUE")
    answered = flag(call, "is_answered")
    wrapup = param(params, "wrapup_sec") if answered else 0.0
    length += wrapup
    kind = {"out": "outgoing", "internal": "internal", "unknown": "unknown"}.get(
        call["direction"], "answered" if answered else "missed"
    )
    weight = param(params, f"queue_weight_{kind}")
    busy = 1.0
    if call.get("call_started_at") is not None:
        cell = f"{call['call_weekday']}|{call['call_hour']}"
        busy = context.constant_value("load_factor", [cell], call, 1.0)
    raw, reasons = product([("LENGTH", length), ("BUSY_HOUR", busy), ("CALL_TYPE", weight)])
    value = rounded(100 * (1 - exp(-raw / param(params, "queue_scale_sec"))))
    medium, high = param(params, "queue_medium_from"), param(params, "queue_high_from")
    return Expected(
        value,
        label_of(value, medium, high, ("low", "medium", "high")),
        status="ok" if total is not None else "partial",
        reasons=reasons,
        kind="factors",
        missing=frozenset(() if total is not None else {"duration"}),
        extras={
            "load_sec": weight * length,
            "work_sec": (talk or 0.0) + wrapup if answered else 0.0,
        },
        details={"BUSY_HOUR": (busy, None), "CALL_TYPE": (weight, None)},
        learnt=("load_factor", (f"{call.get('call_weekday')}|{call.get('call_hour')}",)),
    )
