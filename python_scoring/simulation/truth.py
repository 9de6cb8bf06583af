"""True probabilities of each simulated call, computed from the mechanism.

A call's chain goes on with the first of four independent events (repeat call,
complaint, new need, call out) or with a quick redial. The chance of a later
booking or complaint is therefore a sum over that event's kind and time of what
may follow it; the value of what follows depends only on a small state (result,
context, group, source, earlier calls) and is found by iterating that sum.
Averages stand in for what is not known yet: the operator and wait of later calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from python_scoring.simulation import events
from python_scoring.simulation import mechanism as m

# Edges in days of the moments a next event may fall in.
EDGES = np.array(
    [
        0, 0.003, 0.01, 0.03, 0.08, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5,
        6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 23, 26, 30,
    ]
)  # fmt: skip
MOMENTS = (EDGES[1:] + EDGES[:-1]) / 2
ITERATIONS = 8


class Target(NamedTuple):
    """A true probability: which event ends the sum, and within how many days."""

    column: str
    event: str
    days: float
    grid: tuple[float, ...]


TARGETS = (
    Target("p_second_call_7d", "call", 7, (0, 0.1, 0.5, 1, 2, 3.5, 5, 7)),
    Target("p_booking_14d", "booking", 14, (0, 0.25, 1, 2, 4, 7, 10, 14)),
    Target("p_complaint_30d", "complaint", 30, (0, 0.5, 2, 5, 9, 14, 20, 30)),
)

# States: results, with one state a context for the two that change nothing.
N_CTX = len(m.CONTEXTS)
N_STATES = m.RESULTS + 2 * N_CTX - 2
MISSED_AT = m.MISSED
NOT_REACHED_AT = m.MISSED + N_CTX
STATE_RESULT = np.array([*range(m.MISSED)] + [m.MISSED] * N_CTX + [m.NOT_REACHED] * N_CTX)
STATE_CTX = np.array([m.context_after(r, 0) for r in range(m.MISSED)] + [*range(N_CTX)] * 2)
N_EARLIER = m.MAX_EARLIER + 1


@dataclass(frozen=True)
class Averages:
    """What later calls are like on average, taken from the simulated calls."""

    missed: float
    redial: float  # chance of a quick redial after a missed call
    wait_answered: float  # log-odds a wait adds to a repeat call
    wait_missed: float
    level: float

    @classmethod
    def of(cls, calls: pd.DataFrame, mechanism: m.Mechanism) -> Averages:
        later = calls[calls["kind"].isin((events.K_AGAIN, events.K_REDIAL, events.K_NEW_NEED))]
        missed = later["result"] == m.MISSED
        minutes = (later["wait"] / 60).clip(upper=m.MAX_WAIT_MINUTES)
        levels = np.array([o.level for o in mechanism.config.operators])
        by_operator = levels[later.loc[~missed, "operator"].to_numpy()]
        patient = later.loc[missed, "wait"] > m.REDIAL_LONGEST_WAIT
        return cls(
            missed=mean(missed),
            redial=m.REDIAL_CHANCE * (1 - mean(patient)),
            wait_answered=mean(minutes[~missed]),
            wait_missed=mean(minutes[missed]),
            level=mean(by_operator),
        )


def mean(values: pd.Series | np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def true_probabilities(calls: pd.DataFrame, mechanism: m.Mechanism) -> pd.DataFrame:
    """The three true probabilities of each call; null for hidden numbers and machines."""
    known = calls["kind"].isin(events.CHAIN_KINDS) & (calls["caller"] > 0)
    chained = calls[known]
    averages = Averages.of(calls[known], mechanism)
    result = pd.DataFrame(index=calls.index, columns=[t.column for t in TARGETS], dtype=float)
    # Who was called on an errand is never heard of again.
    result.loc[calls["kind"] == events.K_ERRAND] = 0.0
    for target in TARGETS:
        result.loc[known, target.column] = Solver(mechanism, averages, target).of_calls(chained)
    # The question is about a booking still to come.
    result.loc[calls["result"] == m.RECORD, "p_booking_14d"] = np.nan
    return result


class Solver:
    """One target's table of what a next event is worth, and the sum over events."""

    def __init__(self, mechanism: m.Mechanism, averages: Averages, target: Target) -> None:
        self.mechanism = mechanism
        self.averages = averages
        self.target = target
        self.grid = np.array(target.grid)
        self.weights = interpolation(self.grid)
        groups, sources = mechanism.repeat.shape
        self.shape = (groups, sources, N_EARLIER)
        self.delays = {
            "again": m.CALL_AGAIN.cdf,
            "complaint": m.COMPLAIN.cdf,
            "need": m.NEW_NEED.cdf,
        }
        self.value = self.solve()

    def solve(self) -> np.ndarray:
        """Value of each state by days left: state x group x source x earlier x grid."""
        s, g, c, n = np.indices((N_STATES, *self.shape))
        result = STATE_RESULT[s]
        missed = result == m.MISSED
        wait = np.where(missed, self.averages.wait_missed, self.averages.wait_answered)
        wait = np.where(result == m.NOT_REACHED, 0.0, wait)
        level = np.where(missed, 0.0, self.averages.level)
        chances = self.chances(result, g, c, n, wait, level)
        redial = np.where(missed, self.averages.redial, 0.0)
        first = self.first_event(chances, result)
        value = np.zeros((*s.shape, len(self.grid)))
        for _ in range(ITERATIONS):
            later = self.next_values(value)
            value = self.sum_up(first, redial, later, (s, g, c, n))
        return value

    def of_calls(self, calls: pd.DataFrame) -> np.ndarray:
        """The target's probability for each call at its full horizon."""
        result = calls["result"].to_numpy()
        state = np.where(
            result == m.MISSED,
            MISSED_AT + calls["context"].to_numpy(),
            np.where(result == m.NOT_REACHED, NOT_REACHED_AT + calls["context"].to_numpy(), result),
        )
        group, source, earlier = (calls[k].to_numpy() for k in ("group", "source", "earlier"))
        minutes = np.minimum(calls["wait"].to_numpy() / 60, m.MAX_WAIT_MINUTES)
        incoming = calls["kind"].isin(events.IN_KINDS).to_numpy()
        levels = np.array([o.level for o in self.mechanism.config.operators] + [0.0])
        level = levels[calls["operator"].to_numpy()]
        chances = self.chances(
            result, group, source, earlier, np.where(incoming, minutes, 0.0), level
        )
        quick = (result == m.MISSED) & (calls["wait"].to_numpy() <= m.REDIAL_LONGEST_WAIT)
        first = self.first_event(chances, result)
        later = self.next_values(self.value)
        total = self.sum_up(
            first,
            np.where(quick, m.REDIAL_CHANCE, 0.0),
            {kind: table[..., -1:, :] for kind, table in later.items()},
            (state, group, source, earlier),
        )
        return total[..., -1]

    def chances(
        self,
        result: np.ndarray,
        group: np.ndarray,
        source: np.ndarray,
        earlier: np.ndarray,
        wait: np.ndarray,
        level: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Chance of each kind of next event, as the event loop draws it."""
        again = (
            m.REPEAT_BASE[result]
            + self.mechanism.repeat[group, source]
            + m.REPEAT_PER_EARLIER * earlier
            + m.REPEAT_PER_WAIT_MINUTE * wait
            + m.REPEAT_PER_LEVEL * level
        )
        complaint = (
            m.COMPLAINT_BASE[result]
            + m.COMPLAINT_PER_EARLIER * earlier
            + m.COMPLAINT_PER_WAIT_MINUTE * wait
            + m.COMPLAINT_PER_LEVEL * level
        )
        return {
            "again": 1 / (1 + np.exp(-again)),
            "complaint": 1 / (1 + np.exp(-complaint)),
            "need": self.mechanism.new_need[group],
            "out": self.mechanism.out_chance[result],
        }

    def first_event(
        self, chances: dict[str, np.ndarray], result: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Probability that the first event is of a kind and falls into a moment."""
        kind = m.OUT_KIND[result]
        out_delays = [self.mechanism.out_delay(k) for k in (m.CALL_BACK, m.FOLLOW_UP, m.REMINDER)]

        def at(name: str, days: np.ndarray) -> np.ndarray:
            if name != "out":
                return np.asarray(self.delays[name](days))
            table = np.stack([delay.cdf(days) for delay in out_delays])
            return np.asarray(table[kind])

        mass = {k: p[..., None] * np.diff(at(k, EDGES), axis=-1) for k, p in chances.items()}
        alive = {k: 1 - p[..., None] * at(k, MOMENTS) for k, p in chances.items()}
        first = {}
        for kind_of_event in chances:
            others = [alive[other] for other in chances if other != kind_of_event]
            first[kind_of_event] = mass[kind_of_event] * np.prod(others, axis=0)
        return first

    def next_values(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """What an event at each moment is worth, for each number of days left.

        Tables end with axes grid x moment.
        """
        incoming = self.incoming(value)
        complaint = self.complaint(value)
        out = np.stack([self.outgoing(value, k) for k in (m.CALL_BACK, m.FOLLOW_UP, m.REMINDER)])
        up = np.minimum(np.arange(N_EARLIER) + 1, m.MAX_EARLIER)
        counts = 1.0 if self.target.event == "call" else 0.0
        tables = {
            "again": self.at_moments(incoming[:, :, :, up], counts),
            "complaint": self.at_moments(complaint[:, :, up], counts),
            "need": self.at_moments(incoming[m.FRESH, 0, :, 0], counts),
            "out": self.at_moments(out, 0.0),
        }
        # A redial is at once, and the label leaves it out.
        tables["redial"] = np.repeat(incoming[..., None], len(MOMENTS), axis=-1)
        return tables

    def at_moments(self, table: np.ndarray, counts: float) -> np.ndarray:
        """Shift a table over days left by the time that passes before the event."""
        reachable = self.grid[:, None] >= MOMENTS[None, :]
        if counts:
            return np.broadcast_to(reachable * counts, (*table.shape, len(MOMENTS)))
        return np.einsum("...p,ijp->...ij", table, self.weights, optimize=True)

    def incoming(self, value: np.ndarray) -> np.ndarray:
        """Expected worth of an incoming call: context x group x source x earlier x grid."""
        missed = value[MISSED_AT : MISSED_AT + N_CTX]
        answered = self.conversation(value, normalised(m.IN_INTENTS), 0.0)
        share = self.averages.missed
        return share * missed + (1 - share) * answered

    def complaint(self, value: np.ndarray) -> np.ndarray:
        """A call made to complain; unanswered, the caller's matter is as before."""
        answered = value[m.COMPLAINT]
        if self.target.event == "complaint":
            answered = np.ones_like(answered)
        missed = value[MISSED_AT]
        return self.averages.missed * missed + (1 - self.averages.missed) * answered

    def outgoing(self, value: np.ndarray, kind: int) -> np.ndarray:
        """Expected worth of a call out: context x group x source x earlier x grid."""
        intents = np.repeat(normalised(m.OUT_INTENTS)[kind : kind + 1], N_CTX, axis=0)
        reached = self.conversation(value, intents, m.OUT_BOOKING[kind])
        missed = value[NOT_REACHED_AT : NOT_REACHED_AT + N_CTX]
        return m.OUT_REACHED[kind] * reached + (1 - m.OUT_REACHED[kind]) * missed

    def conversation(self, value: np.ndarray, intents: np.ndarray, booking: float) -> np.ndarray:
        """Expected worth of a conversation with the given intents by context."""
        mechanism = self.mechanism
        level = self.averages.level
        odds = (
            mechanism.booking[:, :, None]
            + booking
            + level
            + m.BOOKING_PER_EARLIER * np.arange(N_EARLIER)
        )
        booked = (1 / (1 + np.exp(-odds)))[..., None]
        relief = mechanism.refusal_relief
        kept = mechanism.refusal_shares * (1 - relief)
        relieved = float((mechanism.refusal_shares * relief).sum())
        record = np.ones_like(value[0]) if self.target.event == "booking" else value[m.RECORD]
        lead = np.einsum("r,r...->...", kept, value[m.LEAD : m.INFO])
        won = booked + (1 - booked) * relieved
        want = won * record + (1 - booked) * lead
        complained = (
            np.ones_like(value[0]) if self.target.event == "complaint" else value[m.COMPLAINT]
        )
        worth = np.stack(
            [
                self.revealed(want),
                self.revealed(value[m.INFO]),
                value[m.NAVIGATION],
                self.revealed(value[m.CANCEL]),
                self.revealed(value[m.RESCHEDULE]),
                complained,
                value[m.NON_TARGET],
                self.revealed(value[m.REMINDED]),
            ]
        )
        return np.einsum("ci,i...->c...", intents, worth)

    def revealed(self, value: np.ndarray) -> np.ndarray:
        """A chain whose service was not known shows one of the services by share."""
        mixed = np.einsum("g,g...->...", self.mechanism.group_share, value)
        return np.concatenate([mixed[None], value[1:]])

    def sum_up(
        self,
        first: dict[str, np.ndarray],
        redial: np.ndarray,
        later: dict[str, np.ndarray],
        at: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    ) -> np.ndarray:
        """Sum over the next event's kind and moment; the last axis is days left."""
        state, group, source, earlier = at
        ctx = STATE_CTX[state]
        kind = m.OUT_KIND[STATE_RESULT[state]]
        worth = {
            "again": later["again"][ctx, group, source, earlier],
            "complaint": later["complaint"][group, source, earlier],
            "need": later["need"][source],
            "out": later["out"][kind, ctx, group, source, earlier],
        }
        total = sum(np.einsum("...j,...ij->...i", first[k], worth[k]) for k in worth)
        again = later["redial"][ctx, group, source, earlier][..., 0]
        chance = redial[..., None]
        return np.asarray(chance * again + (1 - chance) * total)


def interpolation(grid: np.ndarray) -> np.ndarray:
    """Weights that read a table over `grid` at grid[i] - MOMENTS[j]; none before zero."""
    weights = np.zeros((len(grid), len(MOMENTS), len(grid)))
    for i, days in enumerate(grid):
        for j, moment in enumerate(MOMENTS):
            left = days - moment
            if left < 0:
                continue
            high = int(np.clip(np.searchsorted(grid, left), 1, len(grid) - 1))
            part = (left - grid[high - 1]) / (grid[high] - grid[high - 1])
            weights[i, j, high - 1] = 1 - part
            weights[i, j, high] = part
    return weights


def normalised(shares: np.ndarray) -> np.ndarray:
    return events.normal(shares)
