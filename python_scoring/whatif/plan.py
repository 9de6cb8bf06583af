"""What all scenarios of a run share, and what one of them changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from python_scoring.whatif.chains import Chains, N
from python_scoring.whatif.flow import QuickCallBack
from python_scoring.whatif.queue import Queue
from python_scoring.whatif.words import Said
from python_scoring.whatif.world import World


@dataclass
class Plan:
    """What a scenario changes in the days of the horizon.

    roots     (R, D, N) roots to add or, below zero, to take away
    people    operator -> (D, 24) chance to be there
    extra     (D, 24) people without a name
    answered  (R, D, 24) fixed answered share of an hour; NaN where it follows the queue
    won, dropped  (R, D) shares of lost and of booked calls that turn
    called_back   (R, D) or None
    """

    roots: np.ndarray
    people: dict[str, np.ndarray]
    extra: np.ndarray
    answered: np.ndarray
    won: np.ndarray
    dropped: np.ndarray
    like: dict[str, str] = field(default_factory=dict)
    called_back: np.ndarray | None = None
    quick: QuickCallBack | None = None
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True)
class Past:
    """What all scenarios of a run share."""

    world: World
    chains: Chains
    queue: Queue
    people: dict[str, np.ndarray]
    expected: np.ndarray  # (D,) calls a day
    source_factor: dict[str, np.ndarray]  # (D,) of a source's own forecast

    @property
    def draws(self) -> int:
        return len(self.chains.other_roots)


def empty(past: Past) -> Plan:
    draws, days = past.draws, past.world.days
    return Plan(
        roots=np.zeros((draws, days, N)),
        people=dict(past.people),
        extra=np.zeros((days, 24)),
        answered=np.full((draws, days, 24), np.nan),
        won=np.zeros((draws, days)),
        dropped=np.zeros((draws, days)),
    )
