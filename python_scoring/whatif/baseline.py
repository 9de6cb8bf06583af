"""The days to come without a scenario: model calls, shares of the queue, draws of the forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_scoring.base.errors import LmError
from python_scoring.whatif import queue as queues
from python_scoring.whatif.chains import MAX_LAG, RECENT_DAYS, learn
from python_scoring.whatif.flow import Change, flow
from python_scoring.whatif.plan import Past, Plan, empty
from python_scoring.whatif.world import World, normals, paths

LEAST_LOG_DAYS = 28
LEAST_CALLS = 200


@dataclass(frozen=True)
class Base:
    """Without any scenario: model calls, queue shares and the forecast's draws by target."""

    roots: np.ndarray
    calls: np.ndarray
    missed: np.ndarray
    in_time: np.ndarray
    paths: dict[str, np.ndarray]
    middle: dict[str, np.ndarray]


def learn_past(world: World, draws: int, seed: int) -> Past:
    """Everything the log tells."""
    known = world.calls[world.calls["day"] <= world.calls_through]
    span = world.calls_through - int(known["day"].min()) + 1 if len(known) else 0
    recent = int((known["day"] > world.calls_through - RECENT_DAYS).sum())
    if span < LEAST_LOG_DAYS or recent < LEAST_CALLS:
        raise LmError(
            f"{recent} calls in the last eight weeks and {span} days of calls: a what-if needs"
            f" {LEAST_CALLS} and {LEAST_LOG_DAYS}"
        )
    rows = world.rows("calls")
    if rows is None:
        raise LmError(f"the forecast has no calls for all {world.days} days: run `lm forecast`")
    through = world.reviews_through or world.calls_through
    chains = learn(known, through, draws, seed)
    queue = queues.learn_queue(known, world, draws, seed)
    people = queues.roster(queues.presence(known), world.first, world.days, world.calls_through)
    expected = np.maximum(rows[:, 2], 1e-6)
    factors = {}
    share = {name: found.sum() for name, found in chains.new_roots.items()}
    recent = chains.calls[chains.calls["is_recent"]]
    for name in share:
        own = world.rows("calls", "source", name)
        part = float((recent["source"] == name).mean())
        if own is not None and part > 0:
            factors[name] = np.clip(own[:, 2] / expected / part, 0.2, 5)
    return Past(world, chains, queue, people, expected, factors)


def baseline(past: Past, seed: int) -> Base:
    """Roots in the forecast's proportion, their calls, and draws of the forecast."""
    world, chains = past.world, past.chains
    a_call = sum(chains.new_roots.values()) + chains.other_roots
    roots = with_run_up(past.expected)[None, :, None] * a_call[:, None, :]
    calls = flow(chains, roots, Change.none(past.draws, MAX_LAG + world.days))
    missed, in_time = answering(past, empty(past), np.ones(world.days))
    drawn, middle = _forecast_paths(past, seed)
    return Base(roots, calls, missed, in_time, drawn, middle)


def with_run_up(expected: np.ndarray) -> np.ndarray:
    """(MAX_LAG + D,) the days to come after four like weeks, whose callers still ring."""
    week = [
        expected[day::7].mean() if len(expected[day::7]) else expected.mean() for day in range(7)
    ]
    return np.concatenate([np.array([week[day % 7] for day in range(MAX_LAG)]), expected])


def answering(past: Past, plan: Plan, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R, D) shares of the incoming calls missed and answered in time; `factor` scales the load."""
    queue, world = past.queue, past.world
    weekday = (np.arange(world.days) + world.first_day.weekday()) % 7
    size = past.expected / np.maximum(queue.load[weekday].sum(axis=1), 1e-6)
    load = queue.load[weekday] * np.clip(size, 0.1, 5)[:, None] * factor[:, None]
    people = sum(plan.people.values(), np.zeros((world.days, 24))) + plan.extra
    people = np.maximum(people, 0)
    missed, in_time = (
        found.reshape(-1, world.days, 24)
        for found in queues.shares(queue, load.ravel(), people.ravel())
    )
    fixed = ~np.isnan(plan.answered)
    after = np.where(fixed, 1 - plan.answered, missed)
    # Where the answered share is set, the share in time goes with it.
    in_time = np.where(fixed, in_time * (1 - after) / np.maximum(1 - missed, 1e-6), in_time)
    weight = queue.incoming[weekday]
    weight = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    return (after * weight).sum(axis=2), np.minimum((in_time * weight).sum(axis=2), 1)


def _forecast_paths(past: Past, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    world = past.world
    luck = normals(past.draws, world.days, seed, 21)
    drawn, middle = {}, {}

    def add(
        name: str,
        target: str,
        scale: float,
        luck: tuple[np.ndarray, np.ndarray],
        dimension: str = "all",
        value: str = "all",
    ) -> None:
        rows = world.rows(target, dimension, value)
        if rows is not None:
            total = _total(world, target) if dimension == "all" else None
            drawn[name] = scale * paths(rows, total, luck)
            middle[name] = scale * rows[:, 2]

    for name in ("calls", "bookings", "lost", "risky"):
        add(name, name, 1.0, luck)
    add("talk_hours", "talk_minutes", 1 / 60, luck)
    recent = past.chains.calls[past.chains.calls["is_recent"]]
    incoming = recent[recent["direction"] == "in"]
    answered = float(incoming["is_answered"].mean()) if len(incoming) else 0.0
    add("answered", "calls", answered, luck, "direction", "in")
    if "answered" not in drawn and "calls" in drawn:
        share = len(incoming) / max(len(recent), 1) * answered
        drawn["answered"], middle["answered"] = drawn["calls"] * share, middle["calls"] * share
    lost = max(int(recent["is_lost"].sum()), 1)
    add("lost_value", "lost", float(recent["loss_rub"].fillna(0).sum()) / lost, luck)
    add("conversion_rate", "conversion_rate", 1.0, normals(past.draws, world.days, seed, 22))
    counted = incoming[incoming["in_sla"].notna()]
    if len(counted):
        level = float(counted["in_sla"].mean())
        error = np.sqrt(level * (1 - level) / len(counted))
        common, own = normals(past.draws, world.days, seed, 23)
        a_day = max(len(counted) / max(recent["day"].nunique(), 1), 1)
        noise = common * error + own * np.sqrt(level * (1 - level) / a_day)
        drawn["service_level"] = np.clip(level + noise, 0, 1)
        middle["service_level"] = np.full(world.days, level)
    return drawn, middle


def _total(world: World, target: str) -> np.ndarray | None:
    """(5,) of the longest forecast sum within the horizon, scaled to its days."""
    own = world.totals[(world.totals["target"] == target) & (world.totals["days"] <= world.days)]
    if own.empty:
        return None
    row = own.sort_values("days").iloc[-1]
    found = row[["yhat_lo95", "yhat_lo80", "yhat", "yhat_hi80", "yhat_hi95"]].to_numpy(float)
    scaled: np.ndarray = found * world.days / float(row["days"])
    return scaled
