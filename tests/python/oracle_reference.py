"""Oracle of lm_reference: the learnt constants of one Monday, from rows of fct_call.

Whole weeks: a call belongs to the Monday of its day, and what its review says is
known from the Monday of the review's day. Both must lie before the Monday whose
constants are learnt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from math import ceil, exp, log, sqrt
from typing import Any

import numpy as np
from oracle_base import Row, param, refusal_class
from oracle_conversion import affinity_prior
from oracle_operational import CATEGORY_TALK_CLASS, OUTCOME_TALK_CLASS, talk_class
from oracle_scores import grouped, own_scale, valid_scores
from oracle_seeds import Seeds

Call = Mapping[str, Any]
Calls = Sequence[Call]
Key = tuple[str, str]
Hit = Callable[[Call], Any]
TALK_CLASSES = sorted({*OUTCOME_TALK_CLASS.values(), *CATEGORY_TALK_CLASS.values()})
LEAST_REVIEWS = 20
SUGGESTIONS = 3


def smoothed(k: float, n: float, parent: float, strength: float) -> float:
    """(k + m p) / (n + m)."""
    return (k + strength * parent) / (n + strength)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


class Monday:
    """Calls known on one Monday, and the constants learnt from them."""

    def __init__(self, calls: Calls, day: date, seeds: Seeds) -> None:
        self.day = day
        self.seeds = seeds
        self.params = seeds.default_params()
        self.m = param(self.params, "smoothing_calls")
        dated = [c for c in calls if c["week_start_date"] is not None]
        self.before = [c for c in dated if c["week_start_date"] < day]
        self.weeks = int(param(self.params, "window_weeks"))
        self.window = self.within_weeks(self.weeks)
        self.reviewed = [c for c in self.window if self.known_review(c)]
        self.wanting = [c for c in self.reviewed if c["wants_booking"]]
        self.rows: dict[Key, Row] = {}
        self.lag = self.review_lag()

    def age(self, call: Call) -> int:
        """Whole weeks from the call's week to this Monday; 1 is last week."""
        return (self.day - call["week_start_date"]).days // 7

    def within_weeks(self, weeks: int) -> list[Call]:
        return [c for c in self.before if self.age(c) <= weeks]

    def known_review(self, call: Call) -> bool:
        day = call["review_date"]
        return bool(call["is_reviewed"]) and day is not None and monday_of(day) < self.day

    def matured(self, call: Call, horizon_days: int, lag: int = 0) -> bool:
        """Whether even a Sunday's call of that week is older than horizon and lag."""
        return 7 * (self.age(call) - 1) >= horizon_days + lag

    def review_lag(self) -> int:
        """The smallest number of whole days within which nine of ten reviews are made."""
        delays = sorted(
            ceil((c["reviewed_at"] - c["call_started_at"]).total_seconds() / 86400)
            for c in self.reviewed
        )
        lag = int(param(self.params, "default_review_lag_days"))
        if len(delays) >= LEAST_REVIEWS:
            most = int(param(self.params, "max_review_lag_days"))
            rank = ceil(9 * len(delays) / 10)
            lag = min(max(delays[rank - 1], 0), most)
        self.rows["review_lag", "all"] = Row(lag, None, len(delays))
        return lag

    def value(self, constant: str, key: str, default: float) -> float:
        row = self.rows.get((constant, key))
        return default if row is None or row.value is None else row.value

    def constants(self) -> dict[Key, Row]:
        """Every constant, in an order that has parents first."""
        self.talk_lengths()
        self.load_factors()
        self.late_bookings()
        self.shares()
        self.call_again()
        self.money()
        self.cross_sell()
        self.checklists()
        self.score_means()
        return self.rows

    def talk_lengths(self) -> None:
        answered = [c for c in self.window if c["is_answered"]]
        both_ways = [c for c in answered if c["direction"] in ("in", "out")]
        self._lengths("talk_length", "all", both_ways, "all")
        reviewed = [c for c in answered if self.known_review(c)]
        by_class = grouped(reviewed, talk_class)
        for name in TALK_CLASSES:
            self._lengths("talk_length", name, by_class.get(name, []), name)
        for name, calls in grouped(reviewed, lambda c: c["call_category"]).items():
            self._lengths("talk_length_category", name, calls, "all")

    def _lengths(self, constant: str, key: str, calls: Calls, prior: str) -> None:
        most = param(self.params, "learn_max_talk_sec")
        logs = np.array([log(c["talk_sec"]) for c in calls if c["talk_sec"] <= most])
        n, weight = len(logs), param(self.params, "talk_prior_calls")
        if n == 0:
            return
        m0 = param(self.params, f"talk_m_{prior}")
        s0 = param(self.params, f"talk_s_{prior}")
        mean = (logs.sum() + weight * log(m0)) / (n + weight)
        spread = sqrt((n * logs.var() + weight * s0**2) / (n + weight))
        self.rows[constant, key] = Row(exp(mean), spread, n)

    def load_factors(self) -> None:
        """Work by weekday and hour against the mean cell, pulled to 1."""
        weeks = int(param(self.params, "load_weeks"))
        wrapup = param(self.params, "wrapup_sec")
        most = param(self.params, "learn_max_talk_sec")
        cells: dict[str, float] = defaultdict(float)
        counts: Counter[str] = Counter()
        for call in self.within_weeks(weeks):
            cell = f"{call['call_weekday']}|{call['call_hour']}"
            if call["is_answered"]:
                cells[cell] += wrapup + (call["talk_sec"] if call["talk_sec"] <= most else 0)
            else:
                cells[cell] += 0.0
            counts[cell] += 1
        if sum(cells.values()) == 0:
            return
        seen = len({c["week_start_date"] for c in self.within_weeks(weeks)})
        mean = sum(cells.values()) / len(cells)
        prior = param(self.params, "load_prior_weeks")
        low, high = (param(self.params, f"load_factor_{end}") for end in ("min", "max"))
        for cell, work in cells.items():
            value = (seen * work / mean + prior) / (seen + prior)
            self.rows["load_factor", cell] = Row(min(max(value, low), high), None, counts[cell])

    def late_bookings(self) -> None:
        days = int(param(self.params, "late_booking_days"))
        calls = [
            c
            for c in self.reviewed
            if self.matured(c, days, self.lag)
            and c["is_target"]
            and not c["is_booked"]
            and not c["is_service_call"]
            and not c["is_excluded_category"]
            and known_caller(c)
        ]

        def late(call: Call) -> bool:
            return within(call, "next_booking_at", timedelta(days=days))

        other = param(self.params, "late_prior_other")
        for outcome, first in grouped(calls, lambda c: c["outcome"]).items():
            prior = param(self.params, f"late_prior_{outcome}", other)
            rate = self._rate("late_booking_rate", outcome, first, late, prior)
            for category, second in grouped(first, lambda c: c["call_category"]).items():
                key = f"{outcome}|{category}"
                narrower = self._rate("late_booking_rate", key, second, late, rate)
                for group, third in grouped(second, lambda c: c["service_group"]).items():
                    self._rate("late_booking_rate", f"{key}|{group}", third, late, narrower)

    def _rate(self, constant: str, key: str, calls: Calls, hit: Hit, parent: float) -> float:
        value = smoothed(sum(1 for c in calls if hit(c)), len(calls), parent, self.m)
        if calls:
            self.rows[constant, key] = Row(value, None, len(calls))
        return value

    def shares(self) -> None:
        prior = param(self.params, "booking_share_prior")
        self._nested(
            "booking_share", self.wanting, "service_group", "source_channel", "is_booked", prior
        )
        incoming = [c for c in self.reviewed if c["direction"] == "in" and c["is_answered"]]
        prior = param(self.params, "target_share_prior")
        self._nested("target_share", incoming, "source_channel", "call_hour", "is_target", prior)

    def _nested(
        self, constant: str, calls: Calls, wide: str, narrow: str, hit: str, prior: float
    ) -> None:
        def told(call: Call) -> bool:
            return bool(call[hit])

        rate = self._rate(constant, "all", calls, told, prior)
        for first, some in grouped(calls, lambda c: c[wide]).items():
            parent = self._rate(constant, first, some, told, rate)
            for second, few in grouped(some, lambda c: c[narrow]).items():
                self._rate(constant, f"{first}|{second}", few, told, parent)

    def call_again(self) -> None:
        calls = [
            c
            for c in self.window
            if self.matured(c, 1)
            and c["direction"] == "in"
            and not c["is_answered"]
            and not c["is_short_abandon"]
            and known_caller(c)
        ]
        self._rate(
            "call_again_rate",
            "all",
            calls,
            lambda c: within(c, "next_need_at", timedelta(hours=24)),
            param(self.params, "call_again_prior"),
        )

    def money(self) -> None:
        # Without any price a loss is one call.
        median = 1.0 if self.seeds.median_ticket is None else self.seeds.median_ticket
        tickets = [float(c["service_ticket"]) for c in self.wanting if c["service_ticket"]]
        if tickets:
            mean = smoothed(sum(tickets), len(tickets), median, self.m)
            self.rows["mean_ticket", "all"] = Row(mean, None, len(tickets))
        lost = [
            c
            for c in self.wanting
            if not (c["is_booked"] or c["is_objective_refusal"] or c["is_service_call"])
        ]
        if not lost:
            return
        losses = sum(float(c["service_ticket"] or median) * self.avoidable(c) for c in lost)
        share = self.value("booking_share", "all", param(self.params, "booking_share_prior"))
        prior = param(self.params, "late_prior_lead_no_record")
        stay = 1 - self.value("late_booking_rate", "lead_no_record", prior)
        scale = share * smoothed(losses * stay, len(lost), 0.6 * median, self.m)
        self.rows["loss_scale", "all"] = Row(scale, None, len(lost))

    def avoidable(self, call: Call) -> float:
        refusal = refusal_class(call).lower()
        other = param(self.params, "avoidable_other_reason")
        return param(self.params, f"avoidable_{refusal}", other)

    def cross_sell(self) -> None:
        """Of the calls about a group half a year ago: whose callers needed another one since."""
        horizon = int(param(self.params, "cross_sell_days"))
        oldest = self.day - timedelta(days=7 * self.weeks + horizon + 7)
        calls = [
            c
            for c in self.before
            if c["week_start_date"] >= oldest
            and self.matured(c, horizon)
            and self.known_review(c)
            and c["is_target"]
            and c["service_group"] != "unknown"
            and known_caller(c)
        ]

        def other(call: Call) -> bool:
            return within(call, "next_other_service_at", timedelta(days=horizon))

        prior = param(self.params, "cross_sell_prior")
        wanted = Counter(c["next_other_service_group"] for c in calls if other(c))
        for group, some in grouped(calls, lambda c: c["service_group"]).items():
            parent = affinity_prior(self.seeds.affinity.get(group, []), prior)
            self._rate("cross_sell_any", group, some, other, parent)
            followed = Counter(c["next_other_service_group"] for c in some if other(c))
            pairs = [
                (count / len(some), count / len(some) / (wanted[name] / len(calls)), name)
                for name, count in followed.items()
            ]
            self._suggest(group, pairs, len(some))

    def _suggest(self, group: str, pairs: list[tuple[float, float, str]], n: int) -> None:
        if n < param(self.params, "suggest_min_calls"):
            return
        least = param(self.params, "suggest_min_lift")
        worth = sorted((-conf, name, lift) for conf, lift, name in pairs if lift >= least - 1e-12)
        for rank, (conf, name, lift) in enumerate(worth[:SUGGESTIONS], start=1):
            self.rows["cross_sell_suggest", f"{group}|{rank}"] = Row(-conf, lift, n, name)

    def checklists(self) -> None:
        """The smallest count that 99 of 100 reviews do not pass; of fewer, all but one."""
        counted = [
            c
            for c in self.reviewed
            if c["checklist_items"] is not None and c["checklist_items"] >= 0
        ]
        least = param(self.params, "checklist_min_reviews")
        for name, calls in grouped(counted, lambda c: c["checklist"] or "unknown").items():
            if len(calls) >= least:
                counts = sorted(c["checklist_items"] for c in calls)
                rank = min(ceil(99 * len(counts) / 100), len(counts) - 1)
                self.rows["checklist_max", name] = Row(counts[rank - 1], None, len(calls))

    def score_means(self) -> None:
        for outcome, calls in grouped(valid_scores(self.reviewed), lambda c: c["outcome"]).items():
            mean = float(np.mean([own_scale(c) for c in calls]))
            self.rows["score_mean", outcome] = Row(mean, None, len(calls))


def known_caller(call: Call) -> bool:
    return call["caller_key"] is not None and not call["is_frequent_number"]


def within(call: Call, column: str, horizon: timedelta) -> bool:
    moment = call[column]
    return moment is not None and moment - call["call_started_at"] <= horizon


def reference_of(calls: Calls, mondays: Iterable[date], seeds: Seeds) -> dict[tuple, Row]:
    """(constant, key, as_of_date) -> row, for the Mondays."""
    return {
        (constant, key, day): row
        for day in sorted(mondays)
        for (constant, key), row in Monday(calls, day, seeds).constants().items()
    }
