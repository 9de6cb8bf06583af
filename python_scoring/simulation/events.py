"""The clinic's days, event by event: a queue with impatient callers, and what follows.

Callers wait in order of arrival for the operators of the hour and give up after an
exponential patience. The result of each call decides what happens next in its chain.
Random numbers come from a hash of the chain and the call's place in it, so a run
with another mechanism meets the same callers with the same luck.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from python_scoring.simulation import arrivals
from python_scoring.simulation import mechanism as m
from python_scoring.simulation.clinic import ClinicConfig

MASK = (1 << 64) - 1
DAY_SEC = arrivals.DAY_SEC
OPEN_HOUR, CLOSE_HOUR = (8, 9), (19.5, 17.5)  # working day, weekend or holiday

# Kinds of calls, as `truth` names them.
KINDS = (
    "fresh",
    "again",
    "redial",
    "complaint",
    "new_need",
    "call_back",
    "follow_up",
    "reminder",
    "campaign",
    "errand",
    "internal",
    "robot",
    "partner",
)
(
    K_FRESH,
    K_AGAIN,
    K_REDIAL,
    K_COMPLAINT,
    K_NEW_NEED,
    K_CALL_BACK,
    K_FOLLOW_UP,
    K_REMINDER,
    K_CAMPAIGN,
    K_ERRAND,
    K_INTERNAL,
    K_ROBOT,
    K_PARTNER,
) = range(13)
ROOT_KIND = {
    arrivals.FRESH: K_FRESH,
    arrivals.CAMPAIGN: K_CAMPAIGN,
    arrivals.ERRAND: K_ERRAND,
    arrivals.INTERNAL: K_INTERNAL,
    arrivals.ROBOT: K_ROBOT,
    arrivals.PARTNER: K_PARTNER,
}
IN_KINDS = frozenset((K_FRESH, K_AGAIN, K_REDIAL, K_COMPLAINT, K_NEW_NEED, K_ROBOT, K_PARTNER))
# Kinds whose callers have a chain, and so true probabilities.
CHAIN_KINDS = frozenset(range(K_CAMPAIGN + 1))

# Median and log-sd of talk seconds by result.
TALK = dict.fromkeys(range(m.LEAD, m.INFO), (45, 0.82)) | {
    m.RECORD: (74, 0.66),
    m.INFO: (33, 0.76),
    m.NAVIGATION: (30, 0.7),
    m.CANCEL: (42, 0.9),
    m.RESCHEDULE: (48, 0.8),
    m.COMPLAINT: (125, 0.6),
    m.NON_TARGET: (15, 0.97),
    m.REMINDED: (24, 0.5),
}
MAX_TALK = 900
NORMAL = NormalDist()


class Call(NamedTuple):
    """One call as it was, with the state its chain was left in."""

    time: float
    kind: int
    caller: int
    key: int
    depth: int
    intent: int
    result: int
    context: int
    service: int  # index, -1: not known yet
    group: int  # 0: not known yet
    source: int
    operator: int  # -1: nobody
    wait: int
    talk: int
    earlier: int
    patience: float
    changed: int


class Event(NamedTuple):
    """A call to come."""

    time: float
    order: int
    kind: int
    caller: int
    key: int
    depth: int
    context: int
    service: int
    source: int
    earlier: int


def uniform(key: int, place: int) -> float:
    """A number in (0, 1) from a chain's key and a place: splitmix64."""
    x = (key + place * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return (((x ^ (x >> 31)) >> 11) + 0.5) / 9007199254740992.0


def pick(cumulated: list[float], u: float) -> int:
    for i, limit in enumerate(cumulated):
        if u < limit:
            return i
    return len(cumulated) - 1


@dataclass
class Clinic:
    """The state of the running clinic."""

    mechanisms: tuple[m.Mechanism, m.Mechanism]
    changed_from: float
    origin: date
    days: int

    def __post_init__(self) -> None:
        self.free: dict[int, float] = {}
        self.heap: list[Event] = []
        self.calls: list[Call] = []
        self.order = 0
        self.staff: list[list[list[tuple[int, float, float]]]] = []
        self.hours: list[tuple[float, float]] = []
        base = self.mechanisms[0].config
        for i in range(self.days + 1):
            day = self.origin + timedelta(days=i)
            self.staff.append(
                [
                    [
                        (who, i * DAY_SEC + start * 3600.0, i * DAY_SEC + end * 3600.0)
                        for who, start, end in mechanism.config.roster(day)
                    ]
                    for mechanism in self.mechanisms
                ]
            )
            short = day.weekday() >= 5 or base.is_holiday(day)
            self.hours.append(
                (i * DAY_SEC + OPEN_HOUR[short] * 3600.0, i * DAY_SEC + CLOSE_HOUR[short] * 3600.0)
            )
        self.tables = [Tables.of(mechanism) for mechanism in self.mechanisms]

    def run(self, roots: arrivals.Roots) -> list[Call]:
        """All calls that start before the end, in order of their start."""
        end = self.days * DAY_SEC
        starts = zip(
            roots.time.tolist(),
            roots.kind.tolist(),
            roots.source.tolist(),
            roots.caller.tolist(),
            roots.key.tolist(),
            strict=True,
        )
        for time, kind, source, caller, key in starts:
            while self.heap and self.heap[0].time <= time:
                self.step(heapq.heappop(self.heap))
            self.step(Event(time, 0, ROOT_KIND[kind], caller, key, 0, m.FRESH, -1, source, 0))
        while self.heap and self.heap[0].time < end:
            self.step(heapq.heappop(self.heap))
        return self.calls

    def step(self, event: Event) -> None:
        changed = int(event.time >= self.changed_from)
        if event.time >= self.days * DAY_SEC:
            return
        if event.kind in IN_KINDS:
            call = self.incoming(event, changed)
        elif event.kind == K_INTERNAL:
            u = uniform(event.key, 1)
            talk = int(exp(log(25) + 0.8 * NORMAL.inv_cdf(u))) if u > 0.2 else 0
            call = self.record(event, changed, m.I_NON_TARGET, m.NON_TARGET, -1, -1, 4, talk, 0.0)
        else:
            outgoing = self.outgoing(event, changed)
            if outgoing is None:
                return
            call = outgoing
        self.calls.append(call)
        if event.kind in CHAIN_KINDS and event.caller > 0:
            self.follow(call)

    def incoming(self, event: Event, changed: int) -> Call:
        config = self.mechanisms[changed].config
        place = event.depth * 64
        patience = -config.patience_sec * log(uniform(event.key, place))
        ring = 2 + 4 * uniform(event.key, place + 1)
        who, begin = self.first_free(event.time, changed)
        if who < 0 or event.time + patience < begin + ring:
            # The exchange cuts the line after ten minutes at the latest.
            wait = round(min(patience, 600))
            return self.record(event, changed, -1, m.MISSED, event.service, -1, wait, 0, patience)
        wait = round(begin + ring - event.time)
        if event.kind in (K_ROBOT, K_PARTNER):
            intent = m.I_NON_TARGET
        elif event.kind == K_COMPLAINT:
            intent = m.I_COMPLAINT
        else:
            u = uniform(event.key, place + 2)
            intent = pick(self.tables[changed].in_intents[event.context], u)
        call = self.answer(event, changed, intent, who, wait, patience, 0.0)
        self.free[who] = begin + ring + call.talk + config.wrapup_sec
        return call

    def outgoing(self, event: Event, changed: int) -> Call | None:
        """A call out waits for an idle operator; None when it is put off."""
        config = self.mechanisms[changed].config
        who, begin = self.first_free(event.time, changed)
        if who < 0:
            self.push(event._replace(time=self.opening(event.time + 3600, 0.5)))
            return None
        if begin > event.time:
            self.push(event._replace(time=begin + 5))
            return None
        place = event.depth * 64
        kind = event.kind - K_CALL_BACK if event.kind <= K_CAMPAIGN else m.CAMPAIGN
        if uniform(event.key, place + 1) > m.OUT_REACHED[kind]:
            ring = 18 + int(20 * uniform(event.key, place + 2))
            self.free[who] = begin + ring
            return self.record(event, changed, -1, m.NOT_REACHED, event.service, who, ring, 0, 0.0)
        ring = 4 + int(16 * uniform(event.key, place + 2))
        if event.kind == K_ERRAND:
            intent = m.I_NON_TARGET
        else:
            intent = pick(self.tables[changed].out_intents[kind], uniform(event.key, place + 3))
        call = self.answer(event, changed, intent, who, ring, 0.0, m.OUT_BOOKING[kind])
        self.free[who] = begin + ring + call.talk + config.wrapup_sec
        return call

    def first_free(self, time: float, changed: int) -> tuple[int, float]:
        """The operator who can take a call first, and when; the longest idle of several."""
        best, best_at, best_free = -1, 0.0, 0.0
        for who, start, end in self.staff[int(time // DAY_SEC)][changed]:
            free = self.free.get(who, 0.0)
            at = max(time, start, free)
            if at < end and (best < 0 or (at, free) < (best_at, best_free)):
                best, best_at, best_free = who, at, free
        return best, best_at

    def answer(
        self,
        event: Event,
        changed: int,
        intent: int,
        who: int,
        wait: int,
        patience: float,
        booking: float,
    ) -> Call:
        """The conversation: the service, the result and how long it took."""
        mechanism, tables = self.mechanisms[changed], self.tables[changed]
        config = mechanism.config
        place = event.depth * 64
        service = event.service
        if service < 0 and intent not in (m.I_NAVIGATION, m.I_COMPLAINT, m.I_NON_TARGET):
            service = pick(tables.services, uniform(event.key, place + 4))
        result = m.INTENT_RESULT[intent]
        if intent == m.WANT:
            odds = (
                mechanism.booking[tables.group_of[service], event.source]
                + booking
                + config.operators[who].level
                + m.BOOKING_PER_EARLIER * event.earlier
            )
            if uniform(event.key, place + 5) > m.sigmoid(odds):
                refusal = pick(tables.refusals, uniform(event.key, place + 6))
                relieved = uniform(event.key, place + 7) < mechanism.refusal_relief[refusal]
                result = m.RECORD if relieved else m.LEAD + refusal
        median, sd = TALK[result]
        z = NORMAL.inv_cdf(uniform(event.key, place + 8))
        talk = max(2, min(MAX_TALK, int(median * config.operators[who].speed * exp(sd * z))))
        return self.record(event, changed, intent, result, service, who, wait, talk, patience)

    def record(
        self,
        event: Event,
        changed: int,
        intent: int,
        result: int,
        service: int,
        who: int,
        wait: int,
        talk: int,
        patience: float,
    ) -> Call:
        return Call(
            event.time,
            event.kind,
            event.caller,
            event.key,
            event.depth,
            intent,
            result,
            m.context_after(result, event.context),
            service,
            self.tables[changed].group_of[service] if service >= 0 else 0,
            event.source,
            who,
            wait,
            talk,
            event.earlier,
            patience,
            changed,
        )

    def follow(self, call: Call) -> None:
        """Draw the chain's next event: the first of those that would happen."""
        mechanism = self.mechanisms[call.changed]
        place = call.depth * 64 + 16
        key = call.key
        end = call.time + call.wait + call.talk
        if (
            call.result == m.MISSED
            and call.wait <= m.REDIAL_LONGEST_WAIT
            and uniform(key, place) < m.REDIAL_CHANCE
        ):
            low, high = m.REDIAL_DELAY_SEC
            self.next(call, K_REDIAL, end + low + (high - low) * uniform(key, place + 1))
            return
        level = mechanism.config.operators[call.operator].level if call.operator >= 0 else 0.0
        wait = min(call.wait / 60, m.MAX_WAIT_MINUTES) if call.kind in IN_KINDS else 0.0
        chances = (
            (
                K_AGAIN,
                m.sigmoid(
                    m.REPEAT_BASE[call.result]
                    + mechanism.repeat[call.group, call.source]
                    + m.REPEAT_PER_EARLIER * call.earlier
                    + m.REPEAT_PER_WAIT_MINUTE * wait
                    + m.REPEAT_PER_LEVEL * level
                ),
                m.CALL_AGAIN,
            ),
            (
                K_COMPLAINT,
                m.sigmoid(
                    m.COMPLAINT_BASE[call.result]
                    + m.COMPLAINT_PER_EARLIER * call.earlier
                    + m.COMPLAINT_PER_WAIT_MINUTE * wait
                    + m.COMPLAINT_PER_LEVEL * level
                ),
                m.COMPLAIN,
            ),
            (K_NEW_NEED, mechanism.new_need[call.group], m.NEW_NEED),
            (
                K_CALL_BACK + int(m.OUT_KIND[call.result]),
                mechanism.out_chance[call.result],
                mechanism.out_delay(int(m.OUT_KIND[call.result])),
            ),
        )
        first, kind_of_first = 1e9, -1
        for i, (kind, chance, delay) in enumerate(chances):
            if uniform(key, place + 2 + 2 * i) < chance:
                days = delay.at(uniform(key, place + 3 + 2 * i))
                if days < first:
                    first, kind_of_first = days, kind
        if kind_of_first >= 0:
            time = self.opening(end + first * DAY_SEC, uniform(key, place + 10))
            self.next(call, kind_of_first, time)

    def next(self, call: Call, kind: int, time: float) -> None:
        incoming = kind in (K_AGAIN, K_COMPLAINT)
        new = kind == K_NEW_NEED
        self.push(
            Event(
                time,
                0,
                kind,
                call.caller,
                call.key,
                call.depth + 1,
                m.FRESH if new else call.context,
                -1 if new else call.service,
                call.source,
                0 if new else min(m.MAX_EARLIER, call.earlier + incoming),
            )
        )

    def push(self, event: Event) -> None:
        self.order += 1
        heapq.heappush(self.heap, event._replace(order=self.order))

    def opening(self, time: float, u: float) -> float:
        """The moment itself if the clinic is open then, else early on the next day it is."""
        for day in range(int(time // DAY_SEC), self.days):
            start, end = self.hours[day]
            if not self.staff[day][0]:
                continue
            if time < start:
                return start + 3 * 3600 * u
            if time < end:
                return time
        return float(self.days * DAY_SEC)


@dataclass(frozen=True)
class Tables:
    """Cumulated shares as plain lists: the loop meets each of them at every call."""

    in_intents: list[list[float]]
    out_intents: list[list[float]]
    services: list[float]
    group_of: list[int]
    refusals: list[float]

    @classmethod
    def of(cls, mechanism: m.Mechanism) -> Tables:
        config: ClinicConfig = mechanism.config
        codes = [group.code for group in config.groups]
        share = np.array([service.share for service in config.services])
        return cls(
            in_intents=np.cumsum(normal(m.IN_INTENTS), axis=1).tolist(),
            out_intents=np.cumsum(normal(m.OUT_INTENTS), axis=1).tolist(),
            services=np.cumsum(share / share.sum()).tolist(),
            group_of=[codes.index(service.group) + 1 for service in config.services],
            refusals=np.cumsum(mechanism.refusal_shares).tolist(),
        )


def normal(shares: np.ndarray) -> np.ndarray:
    """Rows that sum to one."""
    rows: np.ndarray = shares / shares.sum(axis=1, keepdims=True)
    return rows
