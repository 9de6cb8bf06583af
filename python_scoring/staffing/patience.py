"""How long callers wait before they hang up, from waits that mostly ended in an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

# Hang-ups sooner than this are misdials and the like: they tell nothing of patience.
FIRST_SECONDS = 5
LEAST_ABANDONED = 20
CONFIDENCE = 0.95
# Share still waiting, as counted and as the model has it: further apart than this, it is told.
LARGEST_GAP = 0.10


@dataclass(frozen=True)
class Patience:
    """Mean patience in seconds with its 95 % interval, and what it rests on.

    largest_gap is the greatest difference between the model's share of callers still waiting and
    the Kaplan-Meier estimate, which assumes no shape; `at_sec` is where.
    """

    mean_sec: float
    low_sec: float
    high_sec: float
    abandoned: int
    calls: int
    largest_gap: float
    at_sec: float

    @property
    def is_exponential(self) -> bool:
        return self.largest_gap <= LARGEST_GAP


class TooFewAbandoned(ValueError):
    """Fewer hang-ups than an estimate needs; the message has the numbers."""


def estimate(waits: pd.DataFrame) -> Patience:
    """Exponential patience from waits in seconds (`wait_sec`), `answered` or not, `calls` each.

    An answered caller would have waited longer: his patience is censored. Maximum likelihood is the
    total wait over the number of hang-ups, with the chi-squared interval (Lawless, Statistical
    Models and Methods for Lifetime Data, 2003, section 4.1). Waits count from FIRST_SECONDS on,
    which an exponential patience does not mind.
    """
    wait = waits["wait_sec"].to_numpy(float) - FIRST_SECONDS
    calls = waits["calls"].to_numpy(float)
    answered = waits["answered"].to_numpy(bool)
    counted = wait > 0
    wait, calls, answered = wait[counted], calls[counted], answered[counted]
    abandoned = int(calls[~answered].sum())
    if abandoned < LEAST_ABANDONED:
        raise TooFewAbandoned(
            f"{abandoned} callers hung up after {FIRST_SECONDS} s of waiting,"
            f" at least {LEAST_ABANDONED} are needed to estimate patience"
        )
    total = float(wait @ calls)
    mean = total / abandoned
    tail = (1 - CONFIDENCE) / 2
    low, high = 2 * total / stats.chi2.ppf([1 - tail, tail], 2 * abandoned)
    gap, at = _gap_to_kaplan_meier(wait, calls, answered, mean)
    return Patience(
        mean, float(low), float(high), abandoned, int(calls.sum()), gap, at + FIRST_SECONDS
    )


def _gap_to_kaplan_meier(
    wait: np.ndarray, calls: np.ndarray, answered: np.ndarray, mean: float
) -> tuple[float, float]:
    """Largest difference of the two survival curves while LEAST_ABANDONED callers still wait."""
    times, place = np.unique(wait, return_inverse=True)
    left = np.bincount(place, calls * ~answered, len(times))
    gone = np.bincount(place, calls, len(times))
    at_risk = gone[::-1].cumsum()[::-1]
    survival = np.cumprod(1 - left / at_risk)
    seen = at_risk >= LEAST_ABANDONED
    gaps = np.where(seen, np.abs(survival - np.exp(-times / mean)), 0.0)
    worst = int(gaps.argmax())
    return float(gaps[worst]), float(times[worst])
