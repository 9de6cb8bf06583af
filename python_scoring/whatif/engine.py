"""Scenarios against the forecast: both with the same draws, so that their difference is sharp.

A draw is one possible course of the forecast and one possible truth of the own log. The change of
a target is relative: model calls of the scenario by model calls without it, times the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from python_scoring.whatif import effects
from python_scoring.whatif.baseline import Base, answering, baseline, learn_past
from python_scoring.whatif.chains import MAX_LAG, N
from python_scoring.whatif.flow import Change, flow
from python_scoring.whatif.people import levels, people_turn
from python_scoring.whatif.plan import Past, Plan, empty
from python_scoring.whatif.rows import COLUMNS, frames, rows_of
from python_scoring.whatif.scenario import Scenario
from python_scoring.whatif.words import Said
from python_scoring.whatif.world import World

DRAWS = 400
SEED = 20261123
ROUNDS = 2


@dataclass(frozen=True)
class Outcome:
    """Rows of COLUMNS (day and total), what is said of the effects, and what could not be told."""

    scenario: Scenario
    rows: pd.DataFrame
    said: list[Said]


def compare(
    world: World, scenarios: list[Scenario], draws: int = DRAWS, seed: int = SEED
) -> list[Outcome]:
    """Each scenario against the forecast. LmError where the log or the forecast do not suffice."""
    past = learn_past(world, draws, seed)
    base = baseline(past, seed)
    told = levels(past, seed)
    return [_outcome(past, base, one, told, seed) for one in scenarios]


def _outcome(
    past: Past,
    base: Base,
    scenario: Scenario,
    shown: tuple[dict[str, np.ndarray], float],
    seed: int,
) -> Outcome:
    random = np.random.default_rng([seed, 31])
    plan = empty(past)
    for effect in scenario.effects:
        effects.apply(past, plan, effect, random)
    people_turn(past, plan, shown)
    before = np.zeros((past.draws, MAX_LAG, N))
    roots = np.maximum(base.roots + np.concatenate([before, plan.roots], axis=1), 0)
    factor = np.ones(past.world.days)
    horizon = slice(MAX_LAG, None)
    for _ in range(ROUNDS):
        missed, in_time = answering(past, plan, factor)
        change = _change(past, plan, base, missed)
        calls = flow(past.chains, roots, change)
        load = calls[:, horizon].sum(axis=(0, 2)) / base.calls[:, horizon].sum(axis=(0, 2))
        if np.abs(load - factor).max() < 0.005:
            break
        factor = load
    drawn = frames(past, base, calls[:, horizon], (missed, in_time), seed)
    rows = pd.concat([rows_of(past.world, *one) for one in drawn], ignore_index=True)
    return Outcome(scenario, rows.assign(scenario=scenario.name)[COLUMNS], plan.said)


def _change(past: Past, plan: Plan, base: Base, missed: np.ndarray) -> Change:
    def odds(share: np.ndarray) -> np.ndarray:
        within = np.clip(share, 1e-4, 1 - 1e-4)
        result: np.ndarray = within / (1 - within)
        return result

    none = Change.none(past.draws, MAX_LAG + past.world.days)
    own = slice(MAX_LAG, None)
    for table, values in (
        (none.missed_odds, odds(missed) / odds(base.missed)),
        (none.won, plan.won),
        (none.dropped, plan.dropped),
    ):
        table[:, own] = values
    if plan.called_back is None:
        return none
    called = np.zeros_like(none.won)
    called[:, own] = plan.called_back
    return replace(none, called_back=called, quick=plan.quick)
