"""Oracle of a caller's earlier and later contacts, by brute force over his calls."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

Row = dict[str, Any]
Test = Callable[[Mapping[str, Any]], bool]

HOUR, DAY = 3600, 86400
REDIAL_SEC = 120
FREQUENT_DAY, FREQUENT_MONTH = 10, 30


def _incoming(row: Mapping[str, Any]) -> bool:
    return row["direction"] == "in"


def _any(_: Mapping[str, Any]) -> bool:
    return True


def _booked(row: Mapping[str, Any]) -> bool:
    return bool(row["is_booked"])


def _cancelled(row: Mapping[str, Any]) -> bool:
    return row["outcome"] == "cancelled_by_patient" or row["call_category"] == "cancel"


def _unanswered(row: Mapping[str, Any]) -> bool:
    return _incoming(row) and not row["is_answered"] and not row["is_short_abandon"]


# Earlier calls: column -> (seconds back, inclusive; which calls count).
EARLIER: dict[str, tuple[int, Test]] = {
    "calls_in_72h": (72 * HOUR, _incoming),
    "bookings_72h": (72 * HOUR, _booked),
    "calls_2d": (2 * DAY, _any),
    "calls_7d": (7 * DAY, _any),
    "calls_30d": (30 * DAY, _any),
    "bookings_180d": (180 * DAY, _booked),
    "bookings_365d": (365 * DAY, _booked),
    "cancellations_180d": (180 * DAY, _cancelled),
    "unanswered_7d": (7 * DAY, _unanswered),
}

# Later calls: column -> which call counts.
LATER: dict[str, Test] = {
    "next_call_at": _any,
    "next_need_at": lambda row: _incoming(row) and not row["is_short_abandon"],
    "next_incoming_answered_at": lambda row: _incoming(row) and bool(row["is_answered"]),
    "next_outgoing_answered_at": lambda row: row["direction"] == "out" and bool(row["is_answered"]),
    "next_booking_at": _booked,
    "next_complaint_at": lambda row: row["call_category"] == "complaint",
}
EMPTY: Row = {
    "calls_day": 0,
    **dict.fromkeys(EARLIER, 0),
    "days_since_last_call": None,
    "is_frequent_number": 0,
    "is_last_of_caller": 1,
    **dict.fromkeys(LATER),
    "next_call_in_at": None,
    "next_other_service_at": None,
    "next_other_service_group": None,
    "attempts_14d": 0,
}


def add_contacts(rows: list[Row]) -> list[Row]:
    """Add the contacts' columns to rows of fct_call; hidden callers have none."""
    by_caller: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        row.update(EMPTY)
        if row["caller_key"] is not None and row["start_epoch"] is not None:
            by_caller[row["caller_key"]].append(row)
    for calls in by_caller.values():
        calls.sort(key=lambda row: (row["start_epoch"], row["history_id"]))
        _add_contacts_of_caller(calls)
    return rows


def _add_contacts_of_caller(calls: list[Row]) -> None:
    epochs = [row["start_epoch"] for row in calls]
    days = Counter(row["call_date"] for row in calls)
    for row in calls:
        start = row["start_epoch"]
        until = bisect_left(epochs, start)  # strictly earlier seconds only
        for column, (seconds, counts) in EARLIER.items():
            since = bisect_left(epochs, start - seconds)
            row[column] = sum(1 for other in calls[since:until] if counts(other))
        if until > 0:
            row["days_since_last_call"] = (start - epochs[until - 1]) / DAY
        row["calls_day"] = days[row["call_date"]]
        row["is_frequent_number"] = int(
            row["calls_day"] > FREQUENT_DAY or row["calls_30d"] + 1 > FREQUENT_MONTH
        )
        row["is_last_of_caller"] = int(row is calls[-1])
        _add_later(row, calls[bisect_right(epochs, start) :])
    _add_other_services(calls)


def _add_other_services(calls: list[Row]) -> None:
    """Where the next run of calls about another service begins; calls about none stand aside.

    A run that begins in the call's own second is not later, so it tells nothing.
    """
    known = [call for call in calls if call["service_group"] != "unknown"]
    runs = [list(run) for _, run in groupby(known, key=lambda call: call["service_group"])]
    for run, following in pairwise(runs):
        other = following[0]
        for row in run:
            if other["start_epoch"] > row["start_epoch"]:
                row["next_other_service_at"] = other["call_started_at"]
                row["next_other_service_group"] = other["service_group"]


def _add_later(row: Row, later: list[Row]) -> None:
    """`later`: the caller's calls at a later second, oldest first."""
    start = row["call_started_at"]
    for column, counts in LATER.items():
        row[column] = next((call["call_started_at"] for call in later if counts(call)), None)

    # A redial at once after a failed call is the same episode, not a repeat.
    failed = not row["is_answered"] or row["pbx_status"] == 0
    after = start + timedelta(seconds=REDIAL_SEC if failed else 0)
    row["next_call_in_at"] = next(
        (
            call["call_started_at"]
            for call in later
            if _incoming(call) and call["call_started_at"] > after
        ),
        None,
    )
    row["attempts_14d"] = sum(
        1
        for call in later
        if call["direction"] == "out"
        and not call["is_answered"]
        and call["call_started_at"] <= start + timedelta(days=14)
    )
