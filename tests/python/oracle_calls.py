"""Oracle of fct_call: one row a call from the raw rows of the two source tables.

Own facts here, the caller's earlier and later contacts in oracle_contacts.
Rules: the descriptions of the sources, of the staging models and of the table's columns.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from oracle_base import rounded
from oracle_contacts import add_contacts
from oracle_seeds import Seeds, Service, normalised

DIRECTIONS = {1: "in", 2: "out", 3: "internal"}
CANCELLED = ("cancelled_by_patient", "cancelled_by_operator")
OBJECTIVE = ("SERVICE_NOT_PROVIDED", "AGE_RESTRICTION", "DOCUMENTS_REQUIRED")
SHORT_ABANDON_SEC = 5
DAY_SEC = 86_400
MOST_CHECKLIST_ITEMS = 100
LARGEST_SERVICE_ID = 999_999_999
# Columns of the name on the clinic's side, and of that of the person outside.
OWN_AND_OUTSIDE = {"in": ("called_info", "caller_info"), "out": ("caller_info", "called_info")}
LEAST_CALLERS = 5
DIALOGUE_SEC = 15
# No decimal column of the project holds more; such a score is a mistake anyway.
UNREADABLE_SCORE = 1e6
SCORE_TEXT = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")

Raw = Mapping[str, Any]


def latest_reviews(scores: Iterable[Raw]) -> dict[int, Raw]:
    """Of a call's reviews the one of the greatest score_date, then of the greatest id."""
    latest: dict[int, Raw] = {}
    for row in scores:
        key = int(row["history_id"])
        if key not in latest or _review_order(row) > _review_order(latest[key]):
            latest[key] = row
    return latest


def _review_order(row: Raw) -> tuple[datetime, int]:
    return plausible(row["score_date"]) or datetime.min, int(row["id"])


def offset_of(text: str) -> timedelta:
    """`+03:00` as a time difference."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes = text.lstrip("+-").split(":")
    return sign * timedelta(hours=int(hours), minutes=int(minutes))


def readable_score(value: Any) -> float | None:
    """A score as a number; text that is no number and numbers out of all range are null."""
    text = normalised(value)
    if text is None:
        return None
    if isinstance(value, str):
        if not SCORE_TEXT.fullmatch(text):
            return None
        text = text.replace(",", ".")
    score = float(text)
    return rounded(score) if abs(score) < UNREADABLE_SCORE else None


def outside_number(direction: str, call: Raw) -> str | None:
    """Who the client is: last ten digits of the outside number, None for a hidden one."""
    column = {"in": "caller_number", "out": "called_number"}.get(direction)
    if column is None:
        return None
    digits = re.sub(r"[^0-9]", "", str(call.get(column) or ""))
    return digits[-10:] if len(digits) >= 5 else None


def started_at(call: Raw, review: Raw, offset: timedelta) -> datetime | None:
    """Local start: the PBX's local time, else its UTC time moved, else the review's."""
    return (
        plausible(call.get("context_start_time_dt"))
        or _moved(call.get("context_start_time"), offset)
        or plausible(review.get("call_date"))
    )


def _moved(stamp: Any, offset: timedelta) -> datetime | None:
    """A UNIX time as local time; None where it is none."""
    if stamp is None or not 631_152_000 <= int(stamp) < 2_145_830_400:
        return None
    return datetime(1970, 1, 1) + timedelta(seconds=int(stamp)) + offset


def plausible(moment: Any) -> datetime | None:
    """A time from 1990 to 2037, None for any other."""
    if moment is None:
        return None
    moment = _seconds(moment)
    return moment if 1990 <= moment.year <= 2037 else None


def within(value: Any, most: int) -> int | None:
    """A number from 0 to `most`, None for any other."""
    return int(value) if value is not None and 0 <= int(value) <= most else None


def _seconds(moment: Any) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return datetime(*moment.timetuple()[:6])


def category_of(review: Raw, seeds: Seeds) -> str:
    """Class of the label; the label's number where the label says nothing we know."""
    label = normalised(review.get("call_category"))
    if label in seeds.category_labels:
        return seeds.category_labels[label]
    value = review.get("number_category")
    if value is not None and int(value) in seeds.category_numbers:
        return seeds.category_numbers[int(value)]
    return "none" if label is None else "other"


def service_of(review: Raw, seeds: Seeds) -> Service:
    """By id, else by exact name, else by the doctor's speciality."""
    wanted = within(review.get("requested_service_id"), LARGEST_SERVICE_ID)
    if wanted in seeds.services_by_id:
        return seeds.services_by_id[wanted]
    name = normalised(review.get("requested_service_name"))
    if name in seeds.services_by_name:
        return seeds.services_by_name[name]
    speciality = normalised(review.get("requested_doctor_speciality"))
    if speciality in seeds.services_by_speciality:
        return seeds.services_by_speciality[speciality]
    return Service("unknown", None, "unknown")


def service_name_of(review: Raw, seeds: Seeds) -> str:
    """The price list's spelling, by id, else by name; what is not on it as a sentence begins."""
    wanted = within(review.get("requested_service_id"), LARGEST_SERVICE_ID)
    written = normalised(review.get("requested_service_name"))
    for listed in (seeds.services_by_id.get(wanted), seeds.services_by_name.get(written)):
        if listed is not None and listed.name:
            return listed.name
    if written:
        return written[0].upper() + written[1:]
    return "unknown" if wanted is None else f"id {wanted}"


def booked_value(booked: bool, ticket: float | None, median: float | None) -> dict[str, Any]:
    """Roubles of a booking and where they come from: the service, else the median of the groups."""
    if not booked:
        return {"booked_value": None, "booked_value_basis": None}
    if ticket is not None:
        return {"booked_value": ticket, "booked_value_basis": "service"}
    basis = "none" if median is None else "median"
    return {
        "booked_value": None if median is None else rounded(median, 2),
        "booked_value_basis": basis,
    }


def refusal_of(review: Raw, seeds: Seeds) -> str | None:
    """The reviewer's code, else the code of exactly this reason, else "other" if he wrote any."""
    told = [normalised(review.get(name)) for name in ("refusal_category_code", "refusal_reason")]
    known = [seeds.refusals[text] for text in told if text in seeds.refusals]
    if known:
        return known[0]
    return "OTHER_REASON" if any(told) else None


def direction_word(review: Raw, seeds: Seeds) -> str | None:
    """The direction in the review's words, None where it says nothing we know."""
    return seeds.directions.get(normalised(review.get("context_type")) or "")


def unknown_labels(review: Raw, seeds: Seeds) -> str | None:
    """Fields of the review whose text no seed knows, in the order of the watch."""

    def unknown(name: str, known: Any) -> bool:
        text = normalised(review.get(name))
        return text is not None and text not in known

    wanted = within(review.get("requested_service_id"), LARGEST_SERVICE_ID)
    name = normalised(review.get("requested_service_name"))
    checks = {
        "outcome": unknown("outcome", seeds.outcomes),
        "call_category": unknown("call_category", seeds.category_labels),
        "call_type": unknown("call_type", seeds.call_types),
        "context_type": unknown("context_type", seeds.directions),
        "refusal_category_code": unknown("refusal_category_code", seeds.refusals),
        "refusal_reason": normalised(review.get("refusal_category_code")) is None
        and unknown("refusal_reason", seeds.refusals),
        "requested_service": (wanted is not None or name is not None)
        and wanted not in seeds.services_by_id
        and name not in seeds.services_by_name,
    }
    return ",".join(label for label, holds in checks.items() if holds) or None


def start_conflict(call: Raw, offset: timedelta) -> bool:
    """Whether the PBX's two times of the start are more than a minute apart."""
    local = plausible(call.get("context_start_time_dt"))
    moved = _moved(call.get("context_start_time"), offset)
    return None not in (local, moved) and abs((local - moved).total_seconds()) > 60


def operators_of(history: Iterable[Raw], scores: Iterable[Raw]) -> set[str]:
    """Names that are operators': in their place with five callers, and in no caller's place.

    Where most of what stands in the operators' place of a direction is none, nobody there is.
    """
    reviews: dict[int, list[Raw]] = defaultdict(list)
    for row in scores:
        reviews[int(row["history_id"])].append(row)
    met: dict[str, set[tuple[str, str]]] = defaultdict(set)
    outsiders: set[str | None] = set()
    for call in history:
        direction = DIRECTIONS.get(int(call["context_type"] or 0))
        if direction not in ("in", "out"):
            continue
        own, outside = OWN_AND_OUTSIDE[direction]
        number = outside_number(direction, call)
        for row in (call, *reviews[int(call["history_id"])]):
            name = normalised(row.get(own))
            if name and number:
                met[name].add((direction, number))
            outsiders.add(normalised(row.get(outside)))
    likely = {name for name, callers in met.items() if len(callers) >= LEAST_CALLERS}
    sides = Counter(side for callers in met.values() for side, _ in callers)
    known = Counter(side for name in likely for side, _ in met[name])
    return {
        name
        for name in likely - outsiders
        if any(2 * known[side] >= sides[side] for side, _ in met[name])
    }


def own_facts(
    call: Raw, review: Raw | None, seeds: Seeds, offset: timedelta, operators: set[str]
) -> dict[str, Any]:
    """What a row of fct_call says about the call itself."""
    reviewed = review is not None
    review = review or {}

    def text(name: str) -> str | None:
        return normalised(call.get(name)) or normalised(review.get(name))

    # A number that is none of the three says nothing.
    told = DIRECTIONS.get(int(call["context_type"])) if call.get("context_type") else None
    word = direction_word(review, seeds)
    direction = told or word or "unknown"
    talks = [within(row.get("talk_duration"), DAY_SEC) for row in (call, review)]
    talk = next((seconds for seconds in talks if seconds is not None), None)
    wait, duration = (within(call.get(name), DAY_SEC) for name in ("await_sec", "duration"))
    answered = (talk or 0) > 0
    total = None
    if duration is not None and duration > 0 and duration >= (talk or 0):
        total = duration
    elif wait is not None:
        total = wait + (talk or 0)

    start = started_at(call, review, offset)
    name_column = OWN_AND_OUTSIDE.get(direction, ("",))[0]
    operator_name = text(name_column) if name_column else None
    if operator_name not in operators:
        operator_name = None
    user = call.get("answered_user_id")
    extension = normalised(call.get("answered_extension"))
    if extension and not re.fullmatch(r"[\w*#./-]*\d[\w*#./-]*", extension, re.ASCII):
        extension = None
    operator = str(user) if user is not None else extension
    operator = operator or operator_name

    label = normalised(review.get("outcome"))
    outcome = "none" if label is None else seeds.outcomes.get(label, "other")
    category = category_of(review, seeds) if reviewed else "none"
    service = service_of(review, seeds)
    target = int(review.get("is_target") or 0) == 1
    booked = target and (outcome == "record" or (outcome == "none" and category == "booking"))
    wants = target and (
        outcome in ("record", "lead_no_record", "refused") or category in ("booking", "lead")
    )
    excluded = category in seeds.excluded
    refusal = refusal_of(review, seeds)
    reviewed_at = plausible(review["score_date"]) if reviewed else None
    status = _int(call.get("context_status"))
    items = _int(review.get("number_checklist"))
    if items is not None and within(items, MOST_CHECKLIST_ITEMS) is None:
        items = -1
    call_type = seeds.call_types.get(normalised(review.get("call_type")) or "")
    day = start.date() if start else None
    return {
        "history_id": int(call["history_id"]),
        "call_score_id": int(review["id"]) if reviewed else None,
        "caller_key": outside_number(direction, call),
        "call_started_at": start,
        "start_epoch": None if start is None else _epoch(start),
        "call_date": day,
        "call_hour": start.hour if start else None,
        "call_weekday": start.isoweekday() if start else None,
        "week_start_date": monday_of(day) if day else None,
        "direction": direction,
        "is_answered": int(answered),
        "await_sec": wait,
        "talk_sec": talk,
        "duration_sec": duration,
        "total_sec": total,
        "is_short_abandon": int(
            direction == "in" and not answered and wait is not None and wait < SHORT_ABANDON_SEC
        ),
        "pbx_status": status if status in (0, 1) else None,
        "operator_key": operator or "unknown",
        "operator_name": operator_name or "unknown",
        "source_channel": text("utm_source_by_number") or "unknown",
        "service_id": within(review.get("requested_service_id"), LARGEST_SERVICE_ID),
        "service_name": service_name_of(review, seeds),
        "service_group": service.group,
        "service_ticket": service.ticket,
        "service_recurrence": service.recurrence,
        **booked_value(booked, service.ticket, seeds.median_ticket),
        "is_reviewed": int(reviewed),
        "reviewed_at": reviewed_at,
        "review_date": reviewed_at.date() if reviewed_at else None,
        "call_category": category,
        "outcome": outcome,
        "is_target": int(target),
        "call_score_raw": readable_score(review.get("call_score")),
        "refusal_code": refusal,
        "checklist": normalised(review.get("category_checklist")),
        "checklist_items": items,
        "call_type": call_type,
        "has_type_conflict": int(call_type == ("missed" if answered else "accepted")),
        # A booking on a non-target call.
        "has_target_conflict": int(
            reviewed
            and not target
            and (outcome == "record" or (outcome == "none" and category == "booking"))
        ),
        "has_outcome_conflict": int(
            (outcome == "record" and category not in ("booking", "undefined", "other", "none"))
            or (outcome not in ("record", "other", "none") and category == "booking")
        ),
        "has_direction_conflict": int(told is not None and word is not None and told != word),
        "has_start_conflict": int(start_conflict(call, offset)),
        "unknown_labels": unknown_labels(review, seeds),
        "is_booked": int(booked),
        "wants_booking": int(wants),
        "is_service_call": int(
            category in ("cancel", "reschedule", "reminder") or outcome in CANCELLED
        ),
        "is_excluded_category": int(excluded),
        "is_objective_refusal": int(refusal in OBJECTIVE),
        "is_valid_dialogue": int(
            direction in ("in", "out")
            and answered
            and (talk or 0) >= DIALOGUE_SEC
            and reviewed
            and not excluded
        ),
    }


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _epoch(start: datetime) -> int:
    return int((start - datetime(1970, 1, 1)).total_seconds())


def monday_of(day: date) -> date:
    """The week's Monday: the date whose constants the call uses."""
    return day - timedelta(days=day.weekday())


def calls_of(
    history: Iterable[Raw], scores: Iterable[Raw], seeds: Seeds, utc_offset: str = "+03:00"
) -> list[dict[str, Any]]:
    """fct_call as dicts by history_id; `caller_key` is the number itself, not its hash."""
    scores = list(scores)
    history = list(history)
    reviews = latest_reviews(scores)
    operators = operators_of(history, scores)
    counts = Counter(int(row["history_id"]) for row in scores)
    offset = offset_of(utc_offset)
    rows = [
        {
            **own_facts(call, reviews.get(int(call["history_id"])), seeds, offset, operators),
            "review_count": counts[int(call["history_id"])],
        }
        for call in history
    ]
    rows.sort(key=lambda row: row["history_id"])
    return add_contacts(rows)


def calls_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The same as a frame of objects: no integer becomes a float, no None a NaN."""
    return pd.DataFrame(rows, dtype=object)
