"""How a simulated caller behaves: the numbers behind every true probability.

After each call the chain of a caller goes on with the first of a few events:
he calls in again, the clinic calls out, he complains, or comes back weeks later
with a new need. Each event has a probability that depends only on what the two
source tables show (result, recorded refusal, wait, earlier calls, service,
source, operator), and a delay from a fixed table. So the truth of a call is
computable, see `truth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import numpy as np

from python_scoring.simulation.clinic import ClinicConfig

REFUSALS = (
    "",  # not recorded
    "PRICE",
    "TIME_GENERAL",
    "URGENCY_NO_SLOTS",
    "DOCTOR_UNAVAILABLE",
    "LOCATION_INCONVENIENT",
    "SERVICE_NOT_PROVIDED",
    "AGE_RESTRICTION",
    "DOCUMENTS_REQUIRED",
    "PATIENT_WILL_CLARIFY",
    "OPERATOR_WILL_CLARIFY",
    "OTHER_REASON",
)
REFUSAL_SHARES = (0.40, 0.06, 0.06, 0.03, 0.03, 0.015, 0.03, 0.01, 0.01, 0.06, 0.045, 0.25)
REFUSAL_REPEAT = (0.0, -0.4, 0.4, 0.3, 0.3, -0.7, -1.4, -1.2, 0.8, 1.0, 0.7, 0.0)
REFUSAL_FOLLOW_UP = (0.20, 0.15, 0.30, 0.35, 0.35, 0.05, 0.0, 0.0, 0.15, 0.50, 0.75, 0.20)

# Results of a call. Leads are kept apart by their recorded refusal.
RECORD = 0
LEAD = 1
INFO = LEAD + len(REFUSALS)
NAVIGATION = INFO + 1
CANCEL = INFO + 2
RESCHEDULE = INFO + 3
COMPLAINT = INFO + 4
NON_TARGET = INFO + 5
REMINDED = INFO + 6
MISSED = INFO + 7  # an incoming call nobody answered
NOT_REACHED = INFO + 8  # an outgoing call the client did not answer
RESULTS = INFO + 9

# What the last conversation of the chain was about.
CONTEXTS = ("fresh", "lead", "booked", "info", "cancelled", "complaint", "non_target")
FRESH, CTX_LEAD, CTX_BOOKED, CTX_INFO, CTX_CANCELLED, CTX_COMPLAINT, CTX_NON_TARGET = range(7)

INTENTS = (
    "want",
    "info",
    "navigation",
    "cancel",
    "reschedule",
    "complaint",
    "non_target",
    "reminder",
)
WANT, I_INFO, I_NAVIGATION, I_CANCEL, I_RESCHEDULE, I_COMPLAINT, I_NON_TARGET, I_REMINDER = range(8)
INTENT_RESULT = (RECORD, INFO, NAVIGATION, CANCEL, RESCHEDULE, COMPLAINT, NON_TARGET, REMINDED)

# Intents of an answered incoming call, by context.
IN_INTENTS = np.array(
    [
        [0.657, 0.090, 0.035, 0.055, 0.025, 0.002, 0.136, 0],
        [0.740, 0.170, 0.020, 0.000, 0.000, 0.001, 0.069, 0],
        [0.180, 0.300, 0.080, 0.230, 0.160, 0.001, 0.049, 0],
        [0.560, 0.270, 0.070, 0.020, 0.010, 0.001, 0.069, 0],
        [0.580, 0.190, 0.030, 0.080, 0.050, 0.001, 0.069, 0],
        [0.250, 0.420, 0.060, 0.060, 0.030, 0.110, 0.070, 0],
        [0.280, 0.100, 0.040, 0.010, 0.010, 0.000, 0.560, 0],
    ]
)

# Kinds of outgoing calls: to a missed caller, to a lead, to a booked one, a campaign.
CALL_BACK, FOLLOW_UP, REMINDER, CAMPAIGN = range(4)
OUT_INTENTS = np.array(
    [
        [0.620, 0.170, 0.020, 0.040, 0.020, 0.000, 0.130, 0],
        [0.860, 0.090, 0.000, 0.000, 0.000, 0.000, 0.050, 0],
        [0.000, 0.000, 0.000, 0.110, 0.070, 0.000, 0.000, 0.820],
        [0.720, 0.080, 0.000, 0.000, 0.000, 0.000, 0.200, 0],
    ]
)
OUT_REACHED = (0.74, 0.74, 0.80, 0.68)
OUT_BOOKING = (-0.10, -0.55, 0.0, -0.35)

BOOKING_BASE = 0.78
BOOKING_PER_EARLIER = -0.15

# Log-odds that the caller calls in again (not at once, and with the same matter).
REPEAT_BASE = np.empty(RESULTS)
REPEAT_BASE[RECORD] = -2.6
REPEAT_BASE[LEAD:INFO] = -1.2 + np.array(REFUSAL_REPEAT)
REPEAT_BASE[INFO] = -1.6
REPEAT_BASE[NAVIGATION] = -1.9
REPEAT_BASE[CANCEL] = -1.3
REPEAT_BASE[RESCHEDULE] = -2.4
REPEAT_BASE[COMPLAINT] = -0.7
REPEAT_BASE[NON_TARGET] = -3.7
REPEAT_BASE[REMINDED] = -3.0
REPEAT_BASE[MISSED] = 0.1
REPEAT_BASE[NOT_REACHED] = -1.4
REPEAT_PER_EARLIER = 0.45
REPEAT_PER_WAIT_MINUTE = 0.25
REPEAT_PER_LEVEL = -0.5

COMPLAINT_BASE = np.full(RESULTS, -7.8)
COMPLAINT_BASE[MISSED] = -4.9
COMPLAINT_BASE[CANCEL] = -6.0
COMPLAINT_BASE[COMPLAINT] = -2.0
COMPLAINT_BASE[NON_TARGET] = -8.5
COMPLAINT_BASE[LEAD + REFUSALS.index("OPERATOR_WILL_CLARIFY")] = -2.5
COMPLAINT_BASE[LEAD + REFUSALS.index("URGENCY_NO_SLOTS")] = -4.4
COMPLAINT_PER_EARLIER = 1.5
COMPLAINT_PER_WAIT_MINUTE = 0.9
COMPLAINT_PER_LEVEL = -1.2

# The clinic's next call out: which kind, and how likely.
OUT_KIND = np.full(RESULTS, CALL_BACK)
OUT_KIND[LEAD:INFO] = FOLLOW_UP
OUT_KIND[RECORD] = REMINDER
OUT_CHANCE = np.zeros(RESULTS)
OUT_CHANCE[RECORD] = 0.50
OUT_CHANCE[LEAD:INFO] = REFUSAL_FOLLOW_UP
OUT_CHANCE[RESCHEDULE] = 0.0
OUT_CHANCE[NOT_REACHED] = 0.45
NEW_NEED_CHANCE = {"one_off": 0.12, "course": 0.30, "regular": 0.35, "": 0.10}

# An impatient caller who gave up early dials again within two minutes.
REDIAL_CHANCE = 0.22
REDIAL_LONGEST_WAIT = 70.0
REDIAL_DELAY_SEC = (8.0, 45.0)

MAX_EARLIER = 3
MAX_WAIT_MINUTES = 3.0


@dataclass(frozen=True)
class Delay:
    """A delay in days as a piecewise linear quantile function."""

    days: tuple[float, ...]
    share: tuple[float, ...]

    def at(self, u: float) -> float:
        for i in range(1, len(self.share)):
            if u <= self.share[i]:
                low, high = self.share[i - 1], self.share[i]
                part = (u - low) / (high - low)
                return self.days[i - 1] + part * (self.days[i] - self.days[i - 1])
        return self.days[-1]

    def cdf(self, days: np.ndarray) -> np.ndarray:
        return np.interp(days, self.days, self.share, left=0.0, right=1.0)


# The longest is under seven days even after the wait for an open hour.
CALL_AGAIN = Delay(
    (0.0035, 0.02, 0.08, 0.25, 1.0, 2.0, 3.5, 5.0), (0, 0.15, 0.3, 0.45, 0.65, 0.8, 0.93, 1)
)
OUT_DELAY = (
    Delay((0.003, 0.01, 0.03, 0.1, 0.7, 1.5), (0, 0.3, 0.55, 0.65, 0.9, 1)),
    Delay((0.04, 0.15, 0.8, 1.5, 2.5), (0, 0.3, 0.7, 0.9, 1)),
    Delay((0.2, 0.8, 2.0, 5.0, 9.0), (0, 0.35, 0.6, 0.85, 1)),
)
COMPLAIN = Delay((0.05, 1.0, 4.0, 10.0, 20.0), (0, 0.3, 0.6, 0.85, 1))
# Starts after eight days: never inside the seven days of a repeat call.
NEW_NEED = Delay((8.0, 20.0, 45.0, 90.0), (0, 0.25, 0.6, 1))


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def logit(p: float) -> float:
    return log(p / (1 - p))


def context_after(result: int, context: int) -> int:
    """What the chain is about after a call; an unanswered one changes nothing."""
    if result in (MISSED, NOT_REACHED):
        return context
    if LEAD <= result < INFO:
        return CTX_LEAD
    return {
        RECORD: CTX_BOOKED,
        RESCHEDULE: CTX_BOOKED,
        REMINDED: CTX_BOOKED,
        INFO: CTX_INFO,
        NAVIGATION: CTX_INFO,
        CANCEL: CTX_CANCELLED,
        COMPLAINT: CTX_COMPLAINT,
        NON_TARGET: CTX_NON_TARGET,
    }[result]


@dataclass(frozen=True)
class Mechanism:
    """`ClinicConfig` as arrays: group 0 is a chain whose service is not known yet."""

    config: ClinicConfig
    group_share: np.ndarray
    booking: np.ndarray  # group x source, log-odds of a booking
    repeat: np.ndarray  # group x source, added to the log-odds of a repeat call
    new_need: np.ndarray  # group
    out_chance: np.ndarray  # result
    refusal_shares: np.ndarray
    refusal_relief: np.ndarray

    @classmethod
    def of(cls, config: ClinicConfig) -> Mechanism:
        codes = [group.code for group in config.groups]
        share = np.zeros(len(codes) + 1)
        need = np.zeros(len(codes) + 1)
        need[0] = NEW_NEED_CHANCE[""]
        for service in config.services:
            at = codes.index(service.group) + 1
            share[at] += service.share
            need[at] += service.share * NEW_NEED_CHANCE[service.recurrence]
        need[1:] /= share[1:]
        share /= share.sum()
        group_booking = np.array(
            [0.0]
            + [g.booking + config.booking_shift_by_group.get(g.code, 0.0) for g in config.groups]
        )
        source_booking = np.array(
            [
                s.booking + config.booking_shift_by_source.get(s.label or "", 0.0)
                for s in config.sources
            ]
        )
        group_repeat = np.array([0.0] + [g.repeat for g in config.groups])
        source_repeat = np.array([s.repeat for s in config.sources])
        out_chance = OUT_CHANCE.copy()
        out_chance[MISSED] = config.callback_share
        relief = np.array([config.refusal_relief.get(code, 0.0) for code in REFUSALS])
        return cls(
            config=config,
            group_share=share,
            booking=BOOKING_BASE
            + config.booking_shift
            + group_booking[:, None]
            + source_booking[None, :],
            repeat=group_repeat[:, None] + source_repeat[None, :],
            new_need=need,
            out_chance=out_chance,
            refusal_shares=np.array(REFUSAL_SHARES) / sum(REFUSAL_SHARES),
            refusal_relief=relief,
        )

    def out_delay(self, kind: int) -> Delay:
        """Call-backs can be made faster by the config; other kinds keep their pace."""
        delay = OUT_DELAY[kind]
        if kind != CALL_BACK or self.config.callback_speed == 1:
            return delay
        return Delay(tuple(d / self.config.callback_speed for d in delay.days), delay.share)
