"""Who answers books more or less: levels of the operators, and of the people on shift."""

from __future__ import annotations

import numpy as np

from python_scoring.whatif.plan import Past, Plan
from python_scoring.whatif.words import render_said


def levels(past: Past, seed: int) -> tuple[dict[str, np.ndarray], float]:
    """operator -> (R,) log-odds of a booking against the mean, shrunk; and the mean rate.

    Empirical Bayes on log-odds: the spread between operators is the variance of their rates less
    what chance explains (DerSimonian and Laird's moments with equal weights).
    """
    calls = past.chains.calls
    wanting = calls[(calls["is_booked"] == 1) | (calls["is_lost"] == 1)]
    table = wanting.groupby("operator")["is_booked"].agg(["sum", "size"])
    table = table[table["size"] >= 5]
    if table.empty:
        return {}, 0.5
    rate = float(np.clip(table["sum"].sum() / table["size"].sum(), 0.01, 0.99))
    raw = np.log((table["sum"] + 0.5) / (table["size"] - table["sum"] + 0.5))
    raw -= np.log(rate / (1 - rate))
    error = 1 / (table["size"] * rate * (1 - rate))
    between = max(1e-4, float((raw**2).mean() - error.mean()))
    mean = raw * between / (between + error)
    spread = np.sqrt(between * error / (between + error))
    random = np.random.default_rng([seed, 13])
    drawn: dict[str, np.ndarray] = {
        str(name): mean[name] + spread[name] * random.standard_normal(past.draws)
        for name in table.index
    }
    return drawn, rate


def people_turn(past: Past, plan: Plan, levels: tuple[dict[str, np.ndarray], float]) -> None:
    """Who answers books more or less: turns calls as the mean level of the people there does."""
    own, rate = levels
    if all(plan.people.get(name) is shown for name, shown in past.people.items()) and len(
        plan.people
    ) == len(past.people):
        return
    before, after = (
        _mean_level(past, people, plan.like, own) for people in (past.people, plan.people)
    )
    odds = np.log(rate / (1 - rate)) + after - before
    new = 1 / (1 + np.exp(-odds))
    won, dropped = np.maximum(new - rate, 0) / (1 - rate), np.maximum(rate - new, 0) / rate
    plan.won[:] = 1 - (1 - plan.won) * (1 - won)
    plan.dropped[:] = 1 - (1 - plan.dropped) * (1 - dropped)
    plan.said.append(render_said("levels"))


def _mean_level(
    past: Past,
    people: dict[str, np.ndarray],
    like: dict[str, str],
    levels: dict[str, np.ndarray],
) -> np.ndarray:
    """(R, D) level of who answers: the people of an hour share its calls equally."""
    world = past.world
    weekday = (np.arange(world.days) + world.first_day.weekday()) % 7
    there = sum(people.values(), np.zeros((world.days, 24)))
    weight = past.queue.load[weekday] * (there > 0)
    weight = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    result = np.zeros((past.draws, world.days))
    for name, shown in people.items():
        level = levels.get(like.get(name, name))
        if level is not None:
            part = np.divide(shown, there, out=np.zeros_like(shown), where=there > 0)
            result += level[:, None] * (part * weight).sum(axis=1)[None, :]
    return result
