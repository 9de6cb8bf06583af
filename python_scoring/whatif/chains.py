"""What follows from a call: counts of the caller's next calls by kind and day, from the own log.

A call is one of KINDS. The next call of the same caller within MAX_LAG days is its follower;
a call that follows none is a root. Days of calls to come are then roots and followers of earlier
days: a change of the roots or of the kinds carries on into later calls (`flow`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KINDS = (
    "in_booked",
    "in_lost",
    "in_other",
    "in_missed",
    "out_booked",
    "out_lost",
    "out_other",
    "out_failed",
    "aside",
    "machine_answered",
    "machine_missed",
)
IN_BOOKED, IN_LOST, IN_OTHER, IN_MISSED, OUT_BOOKED, OUT_LOST, OUT_OTHER, OUT_FAILED = range(8)
# Calls inside the clinic or of unknown direction; calls of robots and partners. None follows them.
ASIDE, MACHINE_ANSWERED, MACHINE_MISSED = range(8, 11)
N = len(KINDS)
INCOMING = [IN_BOOKED, IN_LOST, IN_OTHER, IN_MISSED]
OUTGOING = [OUT_BOOKED, OUT_LOST, OUT_OTHER, OUT_FAILED]
ANSWERED = [IN_BOOKED, IN_LOST, IN_OTHER, MACHINE_ANSWERED]
BOOKED, LOST = [IN_BOOKED, OUT_BOOKED], [IN_LOST, OUT_LOST]
MAX_LAG = 28
RECENT_DAYS = 56
MINUTE = 60

CALL_COLUMNS = [
    "caller",
    "epoch",
    "day",
    "hour",
    "direction",
    "is_answered",
    "wait_sec",
    "talk_sec",
    "operator",
    "source",
    "service",
    "service_group",
    "refusal_code",
    "is_booked",
    "is_lost",
    "is_machine",
    "loss_rub",
    "is_risky",
    "in_sla",
]


@dataclass(frozen=True)
class Chains:
    """Draws of what the log tells; the first axis is the draw, R of them.

    next_kind   (R, N, N, MAX_LAG + 1): chance that a call of a kind is followed by one of another
                kind so many days later
    new_roots   source -> (R, N): first calls of callers never seen before, per call of the log
    other_roots (R, N): all other roots, per call of the log
    weights     target -> (R, N): what a call of the kind adds: talk_hours, risky, lost_value
    squares     target -> (N,): mean square of the same, for the luck of single calls
    quick       minutes from a missed call to the caller's next contact: (kind, minutes) columns
    n           kind -> calls the draws rest on
    """

    next_kind: np.ndarray
    new_roots: dict[str, np.ndarray]
    other_roots: np.ndarray
    weights: dict[str, np.ndarray]
    squares: dict[str, np.ndarray]
    calls: pd.DataFrame


def kinds_of(calls: pd.DataFrame) -> np.ndarray:
    """(n,) kind of each call; of unreviewed talks nothing but the talk is known: other."""
    incoming = (calls["direction"] == "in").to_numpy()
    outgoing = (calls["direction"] == "out").to_numpy()
    answered = calls["is_answered"].to_numpy(dtype=bool)
    booked = calls["is_booked"].to_numpy(dtype=bool)
    lost = calls["is_lost"].to_numpy(dtype=bool)
    place = np.select([~answered, booked, lost], [3, 0, 1], 2)
    machine = incoming & calls["is_machine"].to_numpy(dtype=bool)
    return np.select(
        [machine, incoming, outgoing],
        [MACHINE_ANSWERED + ~answered, place, place + OUT_BOOKED],
        ASIDE,
    )


def learn(calls: pd.DataFrame, through: int, draws: int, seed: int) -> Chains:
    """Chains of the log up to the day number `through`; `calls` has CALL_COLUMNS, day as a number.

    The draws weigh callers, not calls (Bayesian bootstrap, Rubin 1981): calls of one caller are
    no independent evidence.
    """
    log = calls[calls["day"] <= through].sort_values(["caller", "epoch"], kind="stable")
    log = log.assign(kind=kinds_of(log)).reset_index(drop=True)
    caller, first_rows = np.unique(log["caller"].to_numpy(), return_inverse=True)
    random = np.random.default_rng([seed, 11])
    weight = random.exponential(1.0, (draws, len(caller)))[:, first_rows]
    kind, day = log["kind"].to_numpy(), log["day"].to_numpy()
    person = ~log["is_machine"].to_numpy(dtype=bool) & (kind < ASIDE)
    same = np.append(first_rows[1:] == first_rows[:-1], False) & person
    lag = np.append(day[1:] - day[:-1], 0)
    follows = same & (lag <= MAX_LAG) & np.append(kind[1:] < ASIDE, False)
    next_kind = _transitions(kind, day, lag, person, follows, weight, through)
    is_follower = np.append(False, follows[:-1])
    seen_before = np.append(False, same[:-1])
    recent = day > through - RECENT_DAYS
    fresh = recent & person & ~seen_before & np.isin(kind, INCOMING)
    other = recent & ~is_follower & ~fresh
    total = weight[:, recent].sum(axis=1)
    sources = log["source"].to_numpy()
    new_roots = {
        str(name): _by_kind(kind, weight, fresh & (sources == name)) / total[:, None]
        for name in sorted(set(sources[recent]))
    }
    values = {
        "talk_hours": log["talk_sec"].to_numpy(float) / 3600,
        "risky": log["is_risky"].to_numpy(float),
        "lost_value": log["loss_rub"].to_numpy(float),
    }
    mass = np.maximum(_by_kind(kind, weight, recent), 1e-9)
    plain = np.maximum(np.bincount(kind[recent], minlength=N), 1)
    weights, squares = {}, {}
    for name, value in values.items():
        known = np.nan_to_num(value)
        weights[name] = _by_kind(kind, weight * known, recent) / mass
        squares[name] = np.bincount(kind[recent], known[recent] ** 2, minlength=N) / plain
    return Chains(
        next_kind=next_kind,
        new_roots=new_roots,
        other_roots=_by_kind(kind, weight, other) / total[:, None],
        weights=weights,
        squares=squares,
        calls=log.assign(is_recent=recent, is_fresh=fresh, follows=follows),
    )


def _by_kind(kind: np.ndarray, weight: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(R, N) weights of the chosen calls by kind."""
    picked = np.flatnonzero(chosen)
    found = np.zeros((len(weight), N))
    for i in range(N):
        found[:, i] = weight[:, picked[kind[picked] == i]].sum(axis=1)
    return found


def _transitions(
    kind: np.ndarray,
    day: np.ndarray,
    lag: np.ndarray,
    person: np.ndarray,
    follows: np.ndarray,
    weight: np.ndarray,
    through: int,
) -> np.ndarray:
    """A pair so many days apart counts against the calls that are at least that old."""
    draws = len(weight)
    cells = np.where(follows, (kind * N + np.append(kind[1:], 0)) * (MAX_LAG + 1) + lag, -1)
    pairs = np.zeros((draws, N * N * (MAX_LAG + 1)))
    for draw in range(draws):
        pairs[draw] = np.bincount(cells[follows], weight[draw, follows], minlength=pairs.shape[1])
    age = np.minimum(through - day, MAX_LAG)
    base = np.zeros((draws, N * (MAX_LAG + 1)))
    for draw in range(draws):
        base[draw] = np.bincount(
            (kind * (MAX_LAG + 1) + age)[person], weight[draw, person], minlength=base.shape[1]
        )
    at_risk = base.reshape(draws, N, MAX_LAG + 1)[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    found = pairs.reshape(draws, N, N, MAX_LAG + 1)
    return np.divide(
        found, at_risk[:, :, None, :], out=np.zeros_like(found), where=at_risk[:, :, None, :] > 0
    )
