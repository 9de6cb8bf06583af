"""Calls by day and kind, from roots and what follows them, with and without a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_scoring.whatif.chains import (
    IN_MISSED,
    INCOMING,
    MACHINE_ANSWERED,
    MACHINE_MISSED,
    MAX_LAG,
    OUT_BOOKED,
    OUT_FAILED,
    Chains,
    N,
)


@dataclass(frozen=True)
class Change:
    """What differs from the log; every array is (R, D), no change where it is 1 or 0.

    missed_odds   factor on the odds that an incoming call is missed
    won           share of the lost calls that are booked instead
    dropped       share of the booked calls that are lost instead
    called_back   share of the missed calls that are called back at once, if the caller is not there
                  before; None: as the log has it
    """

    missed_odds: np.ndarray
    won: np.ndarray
    dropped: np.ndarray
    called_back: np.ndarray | None = None
    quick: QuickCallBack | None = None

    @classmethod
    def none(cls, draws: int, days: int) -> Change:
        return cls(np.ones((draws, days)), np.zeros((draws, days)), np.zeros((draws, days)))


@dataclass(frozen=True)
class QuickCallBack:
    """Missed calls and their call-backs, from the own log.

    sooner  chance that the caller rings again before the call-back would be made
    kinds   (R, N) what a call-back becomes: booked, lost, other or not reached
    """

    sooner: float
    kinds: np.ndarray


def flow(chains: Chains, roots: np.ndarray, change: Change) -> np.ndarray:
    """(R, D, N) calls by day and kind that come of `roots` (R, D, N) under `change`."""
    days = roots.shape[1]
    result = np.zeros_like(roots)
    one = np.eye(N)
    for day in range(days):
        arriving = roots[:, day].copy()
        table = chains.next_kind
        for lag in range(1, min(day, MAX_LAG) + 1):
            step = table[:, :, :, lag]
            if change.called_back is not None:
                step = _less_missed(step, change, day - lag)
            arriving += np.einsum("ri,rij->rj", result[:, day - lag], step)
        at_once = table[:, :, :, 0]
        if change.called_back is not None:
            at_once = _called_back(at_once, change, day)
        arriving = turned(arriving[:, None, :], change, day)[:, 0]
        at_once = turned(at_once, change, day)
        # All calls of the day: x = arriving + x at_once, whatever the number of redials.
        result[:, day] = np.linalg.solve((one - at_once).transpose(0, 2, 1), arriving[:, :, None])[
            :, :, 0
        ]
    return result


def turned(calls: np.ndarray, change: Change, day: int) -> np.ndarray:
    """Calls (R, n, N) with their kinds turned as the change has it; their number stays."""
    result = calls.copy()
    odds = change.missed_odds[:, day][:, None]
    for answered, missed in (
        (slice(0, IN_MISSED), IN_MISSED),
        (slice(MACHINE_ANSWERED, MACHINE_MISSED), MACHINE_MISSED),
    ):
        talks, lost = calls[:, :, answered].sum(axis=2), calls[:, :, missed]
        share = np.divide(lost, talks + lost, out=np.zeros_like(lost), where=talks + lost > 0)
        after = share * odds / (1 - share + share * odds)
        rest = np.divide(1 - after, 1 - share, out=np.zeros_like(share), where=share < 1)
        result[:, :, missed] = (talks + lost) * after
        result[:, :, answered] = calls[:, :, answered] * rest[:, :, None]
    won, dropped = change.won[:, day][:, None], change.dropped[:, day][:, None]
    for booked in (0, OUT_BOOKED):
        move = result[:, :, booked + 1] * won - result[:, :, booked] * dropped
        result[:, :, booked] += move
        result[:, :, booked + 1] -= move
    return result


def _less_missed(step: np.ndarray, change: Change, day: int) -> np.ndarray:
    """Followers of missed calls on later days: only of those not called back at once."""
    assert change.called_back is not None and change.quick is not None
    left = step.copy()
    kept = (1 - change.called_back[:, day])[:, None]
    left[:, IN_MISSED] = step[:, IN_MISSED] * kept
    return left


def _called_back(at_once: np.ndarray, change: Change, day: int) -> np.ndarray:
    """Followers of missed calls on their day: who rings before the call-back still does."""
    assert change.called_back is not None and change.quick is not None
    result = at_once.copy()
    share, quick = change.called_back[:, day][:, None], change.quick
    row = at_once[:, IN_MISSED]
    own = row[:, INCOMING]
    total = own.sum(axis=1, keepdims=True)
    soon = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    new = np.zeros_like(row)
    new[:, INCOMING] = soon * np.minimum(quick.sooner, total)
    new[:, OUT_BOOKED : OUT_FAILED + 1] = (1 - quick.sooner) * quick.kinds[
        :, OUT_BOOKED : OUT_FAILED + 1
    ]
    result[:, IN_MISSED] = row * (1 - share) + new * share
    return result
