"""First calls of each chain: who starts to call, and when, before any queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from python_scoring.simulation.clinic import MAX_SOURCE_MULTIPLIER, ClinicConfig

FRESH, CAMPAIGN, ERRAND, INTERNAL, ROBOT, PARTNER = range(6)

DAY_SEC = 86_400
HIDDEN_SHARE = 0.02
# Callers that never are a client: numbers below zero.
ROBOT_CALLER, PARTNER_CALLER = -1, -2


@dataclass(frozen=True)
class Roots:
    """Parallel arrays, in order of time: seconds since the origin's midnight."""

    time: np.ndarray
    kind: np.ndarray
    source: np.ndarray
    caller: np.ndarray
    key: np.ndarray
    expected: pd.DataFrame


def arrivals(
    config: ClinicConfig,
    changed: ClinicConfig,
    changed_day: int,
    origin: date,
    days: int,
    seed: int,
) -> Roots:
    """Chain starts of `days` days from `origin` on; `changed` rules from a day on.

    Candidates are drawn at the highest rate a what-if may ask for and thinned by
    a mark of their own, so that both runs of a comparison share their callers.
    """
    random = np.random.default_rng([seed, 1])
    dates = [origin + timedelta(days=i) for i in range(days)]
    volume = np.array([config.day_factor(at, origin) for at in dates])
    profile = np.array(config.hour_profile) / sum(config.hour_profile)
    share = np.array([s.share for s in config.sources])
    share = share / share.sum()
    promotion = np.ones((days, len(share)))
    for i, at in enumerate(dates):
        if config.is_promotion(at):
            for j, channel in enumerate(config.sources):
                if channel.label in config.promotion_sources:
                    promotion[i, j] = config.promotion_factor
    # A day is better or worse as a whole: counts vary more than Poisson's.
    shape = 1 / config.day_effect_cv**2
    day_effect = random.gamma(shape, 1 / shape, days)
    rate = (
        config.fresh_calls_per_day
        * (volume[:, None] * promotion)[:, None, :]
        * profile[None, :, None]
        * share[None, None, :]
    )
    drawn = random.poisson(rate * day_effect[:, None, None] * MAX_SOURCE_MULTIPLIER)
    day, hour, source = (
        np.repeat(i, drawn.ravel()) for i in np.indices(drawn.shape).reshape(3, -1)
    )
    keys = random.integers(0, 2**62, len(day))
    mark = random.random(len(day)) * MAX_SOURCE_MULTIPLIER
    second = random.random(len(day)) * 3600
    multiplier = np.array(
        [[multiplier_of(c, s.label) for s in c.sources] for c in (config, changed)]
    )
    kept = mark < multiplier[(day >= changed_day).astype(int), source]
    hidden = random.random(len(day)) < HIDDEN_SHARE
    caller = np.where(hidden, 0, np.arange(1, len(day) + 1))
    parts = [(day * DAY_SEC + hour * 3600 + second, FRESH, source, caller, keys, kept)]
    parts += other_roots(config, volume, profile, random, first_caller=len(day) + 1)
    return assemble(parts, expected_fresh(config, changed, changed_day, rate, dates))


def multiplier_of(config: ClinicConfig, label: str | None) -> float:
    return float(config.source_multiplier.get(label or "", 1.0))


def other_roots(
    config: ClinicConfig,
    volume: np.ndarray,
    profile: np.ndarray,
    random: np.random.Generator,
    first_caller: int,
) -> list[tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Calls the clinic makes, calls inside it, a robot and a partner's call centre."""
    days = len(volume)
    working = profile.copy()
    working[:9] = 0
    working[18:] = 0
    working /= working.sum()
    counts = {
        CAMPAIGN: random.poisson(config.campaign_calls_per_day * volume),
        ERRAND: random.poisson(config.errand_calls_per_day * volume),
        INTERNAL: random.poisson(config.internal_calls_per_day * volume),
        ROBOT: np.where(random.random(days) < 0.35, random.integers(12, 31, days), 0),
        PARTNER: np.where(
            (volume > 0.8) & (random.random(days) < 0.7), random.integers(11, 15, days), 0
        ),
    }
    parts = []
    for kind, count in counts.items():
        total = int(count.sum())
        day = np.repeat(np.arange(days), count)
        hour = random.choice(24, total, p=working)
        source = np.where(
            random.random(total) < 0.45, 0, random.integers(0, len(config.sources), total)
        )
        caller = {
            ROBOT: np.full(total, ROBOT_CALLER),
            PARTNER: np.full(total, PARTNER_CALLER),
            INTERNAL: np.zeros(total, dtype=int),
        }.get(kind, np.arange(first_caller, first_caller + total))
        first_caller += total
        keys = random.integers(0, 2**62, total)
        time = day * DAY_SEC + (hour + random.random(total)) * 3600
        parts.append((time, kind, source, caller, keys, np.ones(total, dtype=bool)))
    return parts


def assemble(
    parts: list[tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    expected: pd.DataFrame,
) -> Roots:
    """All parts in one order of time."""
    kept = np.concatenate([part[5] for part in parts])
    time = np.concatenate([part[0] for part in parts])[kept]
    order = np.argsort(time, kind="stable")
    kind = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])[kept]
    return Roots(
        time=time[order],
        kind=kind[order],
        source=np.concatenate([part[2] for part in parts])[kept][order],
        caller=np.concatenate([part[3] for part in parts])[kept][order],
        key=np.concatenate([part[4] for part in parts])[kept][order],
        expected=expected,
    )


def expected_fresh(
    config: ClinicConfig,
    changed: ClinicConfig,
    changed_day: int,
    rate: np.ndarray,
    dates: list[date],
) -> pd.DataFrame:
    """Expected first calls by date, hour and source, before the day's own luck."""
    days, hours, sources = np.indices(rate.shape).reshape(3, -1)
    multiplier = np.array(
        [[multiplier_of(c, s.label) for s in c.sources] for c in (config, changed)]
    )
    flat = rate.ravel() * multiplier[(days >= changed_day).astype(int), sources]
    labels = np.array([s.label or "" for s in config.sources])
    return pd.DataFrame(
        {
            "call_date": np.array(dates, dtype="datetime64[D]")[days],
            "call_hour": hours,
            "source": labels[sources],
            "expected_fresh": flat,
        }
    )
