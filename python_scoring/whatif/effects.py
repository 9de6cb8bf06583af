"""An effect as a change of roots and calls, and the words that say where its numbers are from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from python_scoring.base.errors import ConfigurationError
from python_scoring.whatif.chains import IN_MISSED, MINUTE, OUT_BOOKED, OUT_FAILED, N
from python_scoring.whatif.flow import QuickCallBack
from python_scoring.whatif.plan import Past, Plan
from python_scoring.whatif.scenario import Effect
from python_scoring.whatif.words import render_said
from python_scoring.whatif.world import sizes

LEAST_CALLS = 30
LEAST_MISSED = 30
MINUTES_A_DAY = 1440


def apply(past: Past, plan: Plan, effect: Effect, random: np.random.Generator) -> None:
    """Add the effect to the plan, and what is to be said of it."""
    size = sizes(effect.size, effect.between, past.draws, random)
    days = np.zeros(past.world.days, dtype=bool)
    days[effect.first : effect.last + 1] = True
    HANDLERS[effect.kind](past, plan, effect, size, days)
    if effect.between is not None:
        plan.said.append(
            render_said("assumed_range", effect, low=effect.between[0], high=effect.between[1])
        )
    elif effect.measure not in ("off", "leaves", "hours", "extra_people"):
        plan.said.append(render_said("assumed", effect, size=effect.size))


def _traffic(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    names = list(past.chains.new_roots) if effect.name == "all" else [effect.name]
    if not any(
        name in past.chains.new_roots and past.chains.new_roots[name].any() for name in names
    ):
        raise refused(effect, "nobody new called from it in the last eight weeks")
    recent = past.chains.calls
    n = int((recent["is_fresh"] & recent["source"].isin(names)).sum())
    shares = np.array([past.chains.new_roots[name].sum(axis=1) for name in names]).sum(axis=0)
    for name in names:
        share = past.chains.new_roots[name]
        if effect.measure == "add_per_day":
            # Spread over the days as all calls are: a closed day stays closed.
            a_day = size[:, None] * past.expected[None, :] / past.expected[days].mean()
            part = np.divide(
                share, shares[:, None], out=np.zeros_like(share), where=shares[:, None] > 0
            )
            added = a_day[:, :, None] * part[:, None, :]
        else:
            factor = (0.0 if effect.measure == "off" else size) - 1
            base = past.expected * past.source_factor.get(name, 1.0)
            added = share[:, None, :] * base[None, :, None] * np.reshape(factor, (-1, 1, 1))
        plan.roots[:, days] += added[:, days]
    after = _later_calls(past, names)
    plan.said.append(render_said("traffic", effect, n=n, later=after, low=n < LEAST_CALLS))


def _later_calls(past: Past, names: list[str]) -> float:
    """Further calls within four weeks after a caller's first one, both directions."""
    calls = past.chains.calls
    old = calls["day"] <= calls["day"].max() - 14
    first = calls[calls["is_fresh"] & calls["source"].isin(names) & old]
    if first.empty:
        return 0.0
    own = calls[calls["caller"].isin(first["caller"])]
    return float(len(own) / len(first) - 1)


def _operator(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    shown = plan.people.get(effect.name)
    hours_before = 0.0 if shown is None else float(shown[days].sum())
    if hours_before == 0 and effect.measure == "leaves":
        raise refused(effect, "is on no shift of these days by the calls of the last eight weeks")
    own = np.zeros((past.world.days, 24)) if shown is None else shown.copy()
    own[_days_of(past, effect, days)] = 0
    if effect.measure == "hours":
        own += _shift(past, effect, days)
    plan.people[effect.name] = own
    n = int((past.chains.calls["operator"] == effect.name).sum())
    plan.said.append(
        render_said("operator", effect, n=n, before=hours_before, after=float(own[days].sum()))
    )
    _say_queue(past, plan, effect)


def _new_operator(
    past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray
) -> None:
    name = f"+{len(plan.like) + 1}"
    plan.like[name] = effect.name
    plan.people[name] = _shift(past, effect, days)
    n = int((past.chains.calls["operator"] == effect.name).sum())
    plan.said.append(render_said("new_operator", effect, n=n, after=float(plan.people[name].sum())))
    _say_queue(past, plan, effect)


def _shift(past: Past, effect: Effect, days: np.ndarray) -> np.ndarray:
    """(D, 24) ones in the effect's hours of its weekdays."""
    own = np.zeros((past.world.days, 24))
    for hour in effect.hours or range(24):
        own[_days_of(past, effect, days), hour] = 1
    return own


def _days_of(past: Past, effect: Effect, days: np.ndarray) -> np.ndarray:
    """(D,) days of the effect that are its weekdays."""
    if not effect.weekdays:
        return days
    weekday = (np.arange(past.world.days) + past.world.first_day.weekday()) % 7
    chosen: np.ndarray = days & np.isin(weekday, effect.weekdays)
    return chosen


def _answering(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    where = _shift(past, effect, days) > 0
    if effect.measure == "extra_people":
        if not past.queue.knows_people:
            raise refused(effect, "the log of the last eight weeks names no operators")
        plan.extra += where * effect.size
        plan.said.append(render_said("extra_people", effect, people=int(effect.size)))
        _say_queue(past, plan, effect)
        return
    plan.answered[:, where] = np.clip(size, 0.001, 0.999)[:, None]
    plan.said.append(
        render_said(
            "answered_share",
            effect,
            n=past.queue.n_calls,
            share=1 - past.queue.n_missed / max(past.queue.n_calls, 1),
        )
    )


def _say_queue(past: Past, plan: Plan, effect: Effect) -> None:
    slope, error = past.queue.slope_fit
    code = "queue" if past.queue.n_missed >= LEAST_MISSED else "queue_unknown"
    code = "queue_weak" if code == "queue" and slope < 2 * error else code
    plan.said.append(
        render_said(
            code,
            effect,
            n=past.queue.n_missed,
            slope=slope,
            error=error,
            patience=past.queue.patience_sec,
            aht=past.queue.aht_sec,
        )
    )


def _conversion(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    calls = past.chains.calls
    recent = calls[calls["is_recent"]]
    own = recent if effect.name == "all" else recent[recent[effect.segment] == effect.name]
    booked, lost = int(own["is_booked"].sum()), int(own["is_lost"].sum())
    n = booked + lost
    rate = booked / max(n, 1)
    if n == 0:
        raise refused(effect, "no reviewed call wanted a booking in the last eight weeks")
    wanted = {"add_points": rate + size / 100, "multiply": rate * size, "rate": size}
    after = np.clip(wanted[effect.measure], 0, 1)
    won = np.clip((after - rate) / max(1 - rate, 1e-9), 0, 1)
    dropped = np.clip((rate - after) / max(rate, 1e-9), 0, 1)
    _turn(
        plan,
        days,
        won * lost / max(int(recent["is_lost"].sum()), 1),
        dropped * booked / max(int(recent["is_booked"].sum()), 1),
    )
    low, high = proportion_confint(booked, n, method="wilson")
    plan.said.append(
        render_said(
            "conversion",
            effect,
            n=n,
            rate=rate,
            low_end=low,
            high_end=high,
            after=float(after.mean()),
            low=n < LEAST_CALLS,
        )
    )
    if effect.name != "all":
        plan.said.append(render_said("association", effect))


def _refusal(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    calls = past.chains.calls
    lost = calls[calls["is_recent"] & (calls["is_lost"] == 1)]
    code = lost["refusal_code"].replace("", "missing")
    own = len(lost) if effect.name == "all" else int((code == effect.name).sum())
    if own == 0:
        raise refused(effect, "no lost call of the last eight weeks has this reason")
    share = own / len(lost)
    _turn(plan, days, size * share, 0 * size)
    plan.said.append(render_said("refusal", effect, n=own, share=share, low=own < LEAST_CALLS))


def _turn(plan: Plan, days: np.ndarray, won: np.ndarray, dropped: np.ndarray) -> None:
    """What several effects leave is what each leaves, multiplied."""
    for table, share in ((plan.won, won), (plan.dropped, dropped)):
        table[:, days] = 1 - (1 - table[:, days]) * (1 - np.clip(share, 0, 1)[:, None])


def _call_backs(past: Past, plan: Plan, effect: Effect, size: np.ndarray, days: np.ndarray) -> None:
    calls = past.chains.calls
    quick, n, already = quick_call_back(calls, effect.within_min, past.draws)
    plan.quick = quick
    if plan.called_back is None:
        plan.called_back = np.zeros((past.draws, past.world.days))
    plan.called_back[:, days] = np.clip(size, 0, 1)[:, None]
    plan.said.append(
        render_said(
            "call_backs",
            effect,
            n=n,
            within=effect.within_min,
            already=already,
            booked=float(quick.kinds[:, OUT_BOOKED].mean()),
            low=n < LEAST_CALLS,
        )
    )
    plan.said.append(render_said("survivors", effect))


def quick_call_back(
    calls: pd.DataFrame, within_min: float, draws: int, seed: int = 14
) -> tuple[QuickCallBack, int, float]:
    """The call-back, the call-backs it is learnt from, and the share made in time so far.

    Call-backs within the time are asked first; where fewer than LEAST_CALLS were, those of a day.
    """
    kind = calls["kind"].to_numpy()
    minutes = np.append(np.diff(calls["epoch"].to_numpy(float)), np.inf) / MINUTE
    follower = np.append(kind[1:], N)
    missed = (kind == IN_MISSED) & ~calls["is_machine"].to_numpy(dtype=bool)
    follows = calls["follows"].to_numpy(dtype=bool)
    out = missed & follows & (follower >= OUT_BOOKED) & (follower <= OUT_FAILED)
    near = out & (minutes <= within_min)
    learnt = near if near.sum() >= LEAST_CALLS else out & (minutes <= MINUTES_A_DAY)
    sooner = missed & follows & (follower < OUT_BOOKED) & (minutes <= within_min / 2)
    total = max(int(missed.sum()), 1)
    counts = np.bincount(follower[learnt], minlength=N + 1)[OUT_BOOKED : OUT_FAILED + 1]
    kinds = np.zeros((draws, N))
    kinds[:, OUT_BOOKED : OUT_FAILED + 1] = np.random.default_rng(seed).dirichlet(
        counts + 0.5, draws
    )
    return (
        QuickCallBack(float(sooner.sum() / total), kinds),
        int(learnt.sum()),
        float(near.sum() / total),
    )


def refused(effect: Effect, why: str) -> ConfigurationError:
    """The history can't tell what the effect would do."""
    return ConfigurationError(f"{effect.kind} of {effect.segment} {effect.name!r}: {why}")


HANDLERS: dict[str, Any] = {
    "traffic": _traffic,
    "operator": _operator,
    "new_operator": _new_operator,
    "answering": _answering,
    "conversion": _conversion,
    "refusal": _refusal,
    "call_backs": _call_backs,
}
