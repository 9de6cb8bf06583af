"""Draws of a target without and with a scenario, as rows with intervals."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.special import expit

from python_scoring.whatif.baseline import Base
from python_scoring.whatif.chains import ANSWERED, BOOKED, INCOMING, LOST, MAX_LAG, Chains, N
from python_scoring.whatif.plan import Past
from python_scoring.whatif.queue import log_odds
from python_scoring.whatif.world import World

COUNTS = ("calls", "answered", "bookings", "lost", "risky", "talk_hours", "lost_value")
SHARES = ("service_level", "conversion_rate")
QUANTILES = {"lo95": 0.025, "lo80": 0.1, "hi80": 0.9, "hi95": 0.975}
# Luck of single calls: the calls of one caller go together.
CLUSTER = 3.0
# What does not cancel of the chance in a day's share in time: most callers wait alike in both.
BURST = 0.5
# Shares this near to 0 or 1 count as this.
NEVER = 1e-4
ENDS_OF = [
    f"{name}{end}"
    for name, value in (("baseline", ""), ("scenario", "_value"), ("difference", ""))
    for end in (value, *(f"_{end}" for end in QUANTILES))
]
COLUMNS = [
    "scenario",
    "target",
    "grain",
    "period_start",
    *ENDS_OF,
]


def frames(
    past: Past, base: Base, calls: np.ndarray, queue: tuple[np.ndarray, np.ndarray], seed: int
) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """target, forecast (D,), draws without and with the scenario (R, D), weight of a day (D,)."""
    chains, model = past.chains, base.calls[:, MAX_LAG:]
    luck = np.random.default_rng([seed, 41])
    found = []
    shifts = {}
    for target in COUNTS:
        if target not in base.paths:
            continue
        weight, square = _weight(chains, target)
        old = np.einsum("rdk,rk->rd", model, weight)
        new = np.einsum("rdk,rk->rd", calls, weight)
        share = np.divide(new, old, out=np.ones_like(new), where=old > 1e-9)
        drawn = base.paths[target]
        spread = np.sqrt(CLUSTER * np.einsum("rdk,k->rd", np.abs(calls - model), square))
        # The model's calls and the forecast differ in scale where reviews are missing.
        scale = np.sqrt(np.divide(drawn, old, out=np.ones_like(old), where=old > 1e-9))
        after = drawn * share + scale * spread * luck.standard_normal(drawn.shape)
        shifts[target] = np.log(np.maximum(share, 1e-6))
        after = np.where(spread > 0, np.maximum(after, 0), drawn)
        found.append((target, base.middle[target], drawn, after, np.ones(past.world.days)))
    if "service_level" in base.paths:
        drawn = base.paths["service_level"]
        shift = log_odds(queue[1], NEVER) - log_odds(base.in_time, NEVER)
        # Waits go in bursts: the luck of a day's share in time is that of a part of its calls.
        incoming = np.maximum(calls[:, :, INCOMING].sum(axis=2), 1)
        moved = np.abs(shift) > 1e-6
        error = np.sqrt(BURST / np.maximum(incoming * drawn * (1 - drawn), 0.1))
        after = _shifted(drawn, shift + moved * error * luck.standard_normal(drawn.shape))
        found.append(("service_level", base.middle["service_level"], drawn, after, past.expected))
    if "conversion_rate" in base.paths and {"bookings", "lost"} <= set(shifts):
        drawn = base.paths["conversion_rate"]
        after = _shifted(drawn, shifts["bookings"] - shifts["lost"])
        wanting = base.middle["bookings"] + base.middle["lost"]
        found.append(("conversion_rate", base.middle["conversion_rate"], drawn, after, wanting))
    return found


def _weight(chains: Chains, target: str) -> tuple[np.ndarray, np.ndarray]:
    """(R, N) what a call of a kind adds to the target, and (N,) the mean of its square."""
    if target in chains.weights:
        return chains.weights[target], chains.squares[target]
    one = np.zeros(N)
    chosen = {"calls": list(range(N)), "answered": ANSWERED, "bookings": BOOKED, "lost": LOST}
    one[chosen[target]] = 1
    return np.broadcast_to(one, chains.other_roots.shape), one


def _shifted(share: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moved: np.ndarray = expit(log_odds(share, NEVER) + shift)
    return np.where(shift == 0, share, moved)


def rows_of(
    world: World,
    target: str,
    middle: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    weight: np.ndarray,
) -> pd.DataFrame:
    """Rows of the days and of their total: a sum, of shares the mean weighted by calls."""
    shares = target in SHARES
    part = weight / weight.sum() if shares and weight.sum() > 0 else weight
    rows = []
    for day in range(world.days):
        start = world.first_day + timedelta(days=day)
        rows.append(_row(target, "day", start, middle[day], before[:, day], after[:, day], shares))
    old, new = ((values * part).sum(axis=1) for values in (before, after))
    whole = float((middle * part).sum())
    rows.append(_row(target, "total", world.first_day, whole, old, new, shares))
    return pd.DataFrame(rows)


def _row(
    target: str,
    grain: str,
    start: object,
    middle: float,
    before: np.ndarray,
    after: np.ndarray,
    shares: bool,
) -> dict[str, object]:
    difference = after - before
    mean = float(difference.mean())
    scenario = float(np.clip(middle + mean, 0, 1 if shares else np.inf))
    row: dict[str, object] = {"target": target, "grain": grain, "period_start": start}
    for name, value, drawn in (
        ("baseline", middle, before),
        ("scenario", scenario, after),
        ("difference", scenario - middle, difference),
    ):
        row["scenario_value" if name == "scenario" else name] = float(value)
        for end, level in QUANTILES.items():
            quantile = float(np.quantile(drawn, level))
            # The middle of a skew forecast stays within its own interval.
            row[f"{name}_{end}"] = min(quantile, value) if level < 0.5 else max(quantile, value)
    return row
