"""Scenarios against the forecast: both with the same draws, so that their difference is sharp.

A draw is one possible course of the forecast and one possible truth of the own log. The change of
a target is relative: model calls of the scenario by model calls without it, times the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from python_scoring.errors import LmError
from python_scoring.whatif import effects as how
from python_scoring.whatif import queue as queues
from python_scoring.whatif.chains import ANSWERED, BOOKED, INCOMING, LOST, MAX_LAG, Chains, N, learn
from python_scoring.whatif.effects import Past, Plan
from python_scoring.whatif.flow import Change, flow
from python_scoring.whatif.scenario import Scenario
from python_scoring.whatif.words import Said, say
from python_scoring.whatif.world import World, normals, paths

DRAWS = 400
SEED = 20261123
LEAST_LOG_DAYS = 28
LEAST_CALLS = 200
COUNTS = ("calls", "answered", "bookings", "lost", "risky", "talk_hours", "lost_value")
SHARES = ("service_level", "conversion_rate")
QUANTILES = {"lo95": 0.025, "lo80": 0.1, "hi80": 0.9, "hi95": 0.975}
# Luck of single calls: the calls of one caller go together.
CLUSTER = 2.0
BURST = 0.5
ROUNDS = 2
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
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Rows of COLUMNS (day and total), what is said of the effects, and what could not be told."""

    scenario: Scenario
    rows: pd.DataFrame
    said: list[Said]


@dataclass(frozen=True)
class Base:
    """Without any scenario: model calls, queue shares and the forecast's draws by target."""

    roots: np.ndarray
    calls: np.ndarray
    missed: np.ndarray
    in_time: np.ndarray
    paths: dict[str, np.ndarray]
    middle: dict[str, np.ndarray]


def compare(
    world: World, scenarios: list[Scenario], draws: int = DRAWS, seed: int = SEED
) -> list[Outcome]:
    """Each scenario against the forecast. LmError where the log or the forecast do not suffice."""
    past = learn_past(world, draws, seed)
    base = baseline(past, seed)
    levels = how.levels(past, seed)
    return [_outcome(past, base, one, levels, seed) for one in scenarios]


def learn_past(world: World, draws: int, seed: int) -> Past:
    """Everything the log tells."""
    span = world.calls_through - int(world.calls["day"].min()) + 1 if len(world.calls) else 0
    if span < LEAST_LOG_DAYS or len(world.calls) < LEAST_CALLS:
        raise LmError(
            f"{len(world.calls)} calls of {span} days: a what-if needs {LEAST_LOG_DAYS} days and"
            f" {LEAST_CALLS} calls"
        )
    rows = world.rows("calls")
    if rows is None:
        raise LmError(f"the forecast has no calls for all {world.days} days: run `lm forecast`")
    known = world.calls[world.calls["day"] <= world.calls_through]
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
    missed, in_time = answering(past, how.empty(past), np.ones(world.days))
    drawn, middle = _forecast_paths(past, seed)
    return Base(roots, calls, missed, in_time, drawn, middle)


def with_run_up(expected: np.ndarray) -> np.ndarray:
    """(MAX_LAG + D,) the days to come after four like weeks, whose callers still ring."""
    week = [expected[day::7].mean() if len(expected[day::7]) else expected.mean()
            for day in range(7)]  # fmt: skip
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

    def add(name: str, target: str, scale: float, luck: tuple[np.ndarray, np.ndarray],
            dimension: str = "all", value: str = "all") -> None:  # fmt: skip
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


def _outcome(
    past: Past,
    base: Base,
    scenario: Scenario,
    levels: tuple[dict[str, np.ndarray], float],
    seed: int,
) -> Outcome:
    random = np.random.default_rng([seed, 31])
    plan = how.empty(past)
    for effect in scenario.effects:
        how.apply(past, plan, effect, random)
    _people_turn(past, plan, levels)
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
    frames = _frames(past, base, calls[:, horizon], (missed, in_time), seed)
    rows = pd.concat([_rows(past.world, *one) for one in frames], ignore_index=True)
    return Outcome(scenario, rows.assign(scenario=scenario.name)[COLUMNS], plan.said)


def _people_turn(past: Past, plan: Plan, levels: tuple[dict[str, np.ndarray], float]) -> None:
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
    plan.said.append(say("levels"))


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


def _frames(
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
        shift = _log_odds(queue[1]) - _log_odds(base.in_time)
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


def _log_odds(share: np.ndarray) -> np.ndarray:
    within = np.clip(share, 1e-4, 1 - 1e-4)
    result: np.ndarray = np.log(within / (1 - within))
    return result


def _shifted(share: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moved: np.ndarray = 1 / (1 + np.exp(-(_log_odds(share) + shift)))
    return np.where(shift == 0, share, moved)


def _rows(
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
