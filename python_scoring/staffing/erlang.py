"""Queues of callers and operators: Erlang C, whose callers wait, and Erlang A, whose lose patience.

Written here: the libraries there are for Python know no Erlang A, and the formulas are short.
Load is in erlangs: calls an hour times handle time in hours. Arrays broadcast.

Sources: Erlang B and C as in Cooper, Introduction to Queueing Theory (1981), chapter 3; Erlang A
(M/M/n+M) as in Garnett, Mandelbaum and Reiman, Manufacturing and Service Operations Management 4
(2002), with the density of the offered wait of Baccelli and Hebuterne, Performance '81.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike

MOST_AGENTS = 100_000
NODES, WEIGHTS = leggauss(48)
PANELS = 24
# exp(-NEGLIGIBLE) of the density's top is nothing.
NEGLIGIBLE = 45.0


@dataclass(frozen=True)
class Performance:
    """What a queue achieves in the long run; floats, or arrays of the inputs' common shape.

    service_level     share of all calls offered that are answered within the threshold
    asa_sec           mean wait of the answered calls (inf: the queue grows for ever; nan: none)
    abandonment       share of the calls offered that hang up waiting
    occupancy         share of the operators' time spent on calls
    wait_probability  share of the calls that find every operator busy
    """

    service_level: np.ndarray
    asa_sec: np.ndarray
    abandonment: np.ndarray
    occupancy: np.ndarray
    wait_probability: np.ndarray


def erlang_b(load: ArrayLike, agents: ArrayLike) -> np.ndarray:
    """Share of the calls that find all `agents` busy when nobody waits."""
    a, n = np.broadcast_arrays(np.asarray(load, float), np.asarray(agents, int))
    if (a < 0).any() or (n < 0).any() or (n > MOST_AGENTS).any():
        raise ValueError(f"load must be 0 or more, agents 0 to {MOST_AGENTS:,}")
    inverse = np.ones(a.shape)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for k in range(1, int(n.max(initial=0)) + 1):
            inverse = np.where(k <= n, 1 + inverse * (k / a), inverse)
        blocked = 1 / inverse
    return np.where(a > 0, blocked, (n == 0).astype(float))


def erlang_c(
    calls_per_hour: ArrayLike, aht_sec: ArrayLike, agents: ArrayLike, threshold_sec: ArrayLike
) -> Performance:
    """Callers wait as long as it takes. With a load of `agents` or more no wait ends: level 0."""
    rate, handle, n, threshold = _inputs(calls_per_hour, aht_sec, agents, threshold_sec)
    load = rate * handle
    blocked = erlang_b(load, n)
    steady = load < n
    spare = np.where(steady, n - load, 1.0)
    waiting = np.where(steady, n * blocked / np.where(steady, n - load * (1 - blocked), 1.0), 1.0)
    level = np.where(steady, 1 - waiting * np.exp(-spare * threshold / handle), 0.0)
    return _scalars(
        service_level=level,
        asa_sec=np.where(steady, waiting * handle / spare, np.inf),
        abandonment=np.zeros(load.shape),
        occupancy=np.where(steady, load / np.maximum(n, 1), 1.0),
        wait_probability=waiting,
    )


def erlang_a(
    calls_per_hour: ArrayLike,
    aht_sec: ArrayLike,
    patience_sec: ArrayLike,
    agents: ArrayLike,
    threshold_sec: ArrayLike,
) -> Performance:
    """Callers hang up after an exponential time of mean `patience_sec`: always a steady state."""
    rate, handle, n, threshold, patience = _inputs(
        calls_per_hour, aht_sec, agents, threshold_sec, patience_sec
    )
    results = [
        _erlang_a_one(*values)
        for values in zip(
            *(x.ravel().tolist() for x in (rate, handle, patience, n, threshold)), strict=True
        )
    ]
    columns = np.array(results, dtype=float).reshape(-1, 5).T.reshape(5, *rate.shape)
    return _scalars(*columns)


def _erlang_a_one(
    rate: float, handle: float, patience: float, n: int, threshold: float
) -> tuple[float, float, float, float, float]:
    """One queue. The offered wait w > 0 (that of a caller who never hangs up) has the density
    rate * P(n - 1 in the system) * exp(rate * patience * (1 - exp(-w / patience)) - n w / handle).
    """
    if rate == 0:
        return 1.0, 0.0, 0.0, 0.0, 0.0
    if n == 0:
        return 0.0, np.nan, 1.0, 0.0, 1.0
    drain = n / handle

    def exponent(wait: np.ndarray) -> np.ndarray:
        return -rate * patience * np.expm1(-wait / patience) - drain * wait

    top_at = max(0.0, patience * np.log(rate / drain))
    top = float(exponent(np.array(top_at)))
    last = _where_gone(exponent, top_at, top, max(patience, handle))
    first = min(threshold, last)
    before, before_weight = _nodes(0.0, first)
    after, after_weight = _nodes(first, last)
    waits = np.concatenate([before, after])
    density = rate * np.exp(exponent(waits) - top) * np.concatenate([before_weight, after_weight])
    # P(fewer than n in the system) is P(n - 1 in the system) / blocked: all is scaled alike.
    idle = float(np.exp(-top))
    density = density * float(erlang_b(rate * handle, n - 1))
    whole = idle + density.sum()
    stays = density * np.exp(-waits / patience)
    answered = (idle + stays.sum()) / whole
    in_time = (idle + stays[: len(before)].sum()) / whole
    asa = float((stays * waits).sum() / whole / answered) if answered > 0 else np.nan
    occupancy = min(1.0, rate * handle * answered / n)
    return in_time, asa, 1 - answered, occupancy, float(density.sum() / whole)


def _where_gone(exponent: object, begin: float, top: float, step: float) -> float:
    """Where the concave exponent has fallen NEGLIGIBLE below its top, right of `begin`."""
    assert callable(exponent)
    high = step
    while exponent(np.array(begin + high)) > top - NEGLIGIBLE:
        high *= 2
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        if exponent(np.array(begin + middle)) > top - NEGLIGIBLE:
            low = middle
        else:
            high = middle
    return begin + high


def _nodes(begin: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on PANELS equal parts."""
    edges = np.linspace(begin, end, PANELS + 1)
    half = np.diff(edges)[:, None] / 2
    middle = (edges[:-1] + edges[1:])[:, None] / 2
    return (middle + half * NODES).ravel(), (half * WEIGHTS).ravel()


def _inputs(
    calls_per_hour: ArrayLike, aht_sec: ArrayLike, agents: ArrayLike, *others: ArrayLike
) -> list[np.ndarray]:
    """Calls a second, handle time, whole agents and the rest, of one shape."""
    names = ("calls_per_hour", "aht_sec", "agents", "threshold_sec", "patience_sec")
    arrays = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (calls_per_hour, aht_sec, agents, *others))
    )
    for name, array in zip(names, arrays, strict=False):
        least = np.nextafter(0, 1) if name in ("aht_sec", "patience_sec") else 0.0
        if not np.isfinite(array).all() or (array < least).any():
            raise ValueError(f"{name} must be finite and {'above' if least else 'not under'} 0")
    rate, handle, n, *rest = arrays
    if (n != np.round(n)).any() or (n > MOST_AGENTS).any():
        raise ValueError(f"agents must be whole people, at most {MOST_AGENTS:,}")
    return [rate / 3600, handle, n.astype(int), *rest]


def _scalars(
    service_level: np.ndarray,
    asa_sec: np.ndarray,
    abandonment: np.ndarray,
    occupancy: np.ndarray,
    wait_probability: np.ndarray,
) -> Performance:
    """Shares within 0 and 1 whatever the rounding."""

    def share(values: np.ndarray) -> np.ndarray:
        return np.clip(values, 0.0, 1.0)

    return Performance(
        share(service_level), asa_sec, share(abandonment), share(occupancy), share(wait_probability)
    )
