"""Two calculations of the same calls, metric by metric: what moved, from where to where."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple


class Value(NamedTuple):
    """A row of lm_value: the number, the label, and the gate where there is neither."""

    number: float | None
    label: str | None
    gate: str | None


@dataclass
class Side:
    """One version's values of a metric."""

    numbers: Counter[float] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    gates: Counter[str] = field(default_factory=Counter)

    def add(self, value: Value) -> None:
        if value.number is not None:
            self.numbers[value.number] += 1
        if value.label is not None:
            self.labels[value.label] += 1
        if value.gate is not None:
            self.gates[value.gate] += 1

    def document(self) -> dict[str, Any]:
        count = sum(self.numbers.values())
        total = sum(number * n for number, n in self.numbers.items())
        labelled = sum(self.labels.values())
        return {
            "values": count,
            "mean": total / count if count else None,
            "p50": percentile(self.numbers, 0.5),
            "p90": percentile(self.numbers, 0.9),
            "label_shares": {label: n / labelled for label, n in sorted(self.labels.items())},
            "gates": dict(sorted(self.gates.items())),
        }


def percentile(numbers: Counter[float], share: float) -> float | None:
    """Linear interpolation between ranks (type 7), as in lm_daily_stats; None without numbers."""
    count = sum(numbers.values())
    if not count:
        return None
    place = (count - 1) * share
    low, high = (_at(numbers, rank) for rank in (math.floor(place), math.ceil(place)))
    return low + (high - low) * (place - math.floor(place))


def _at(numbers: Counter[float], rank: int) -> float:
    """The number of this rank, from 0."""
    passed = 0
    for number, n in sorted(numbers.items()):
        passed += n
        if rank < passed:
            return number
    raise ValueError(f"rank {rank} of {passed} numbers")


@dataclass
class Movement:
    """What happened to one metric."""

    most: int
    old: Side = field(default_factory=Side)
    new: Side = field(default_factory=Side)
    compared: int = 0
    moved: int = 0
    explained_anew: int = 0
    only_new: int = 0
    labels: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    gates: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    # By day: sum and number of values, old and new.
    days: defaultdict[date, list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0.0, 0, 0.0, 0])
    )
    movers: list[tuple[float, int]] = field(default_factory=list)

    def add(self, call: int, day: date, old: Value, new: Value, same_json: bool) -> bool:
        """Count one call; True if its value, label or gate differs."""
        self.compared += 1
        self.old.add(old)
        self.new.add(new)
        sums = self.days[day]
        for place, value in ((0, old), (2, new)):
            if value.number is not None:
                sums[place] += value.number
                sums[place + 1] += 1
        if old == new:
            self.explained_anew += not same_json
            return False
        self.moved += 1
        if old.label != new.label:
            self.labels[old.label, new.label] += 1
        if old.gate != new.gate:
            self.gates[old.gate, new.gate] += 1
        size = abs((new.number or 0) - (old.number or 0))
        # Of equal ones the first calls stay.
        heapq.heappush(self.movers, (size, -call))
        if len(self.movers) > self.most:
            heapq.heappop(self.movers)
        return True

    def document(self) -> dict[str, Any]:
        return {
            "compared": self.compared,
            "moved": self.moved,
            "moved_share": self.moved / self.compared if self.compared else None,
            "only_reasons_moved": self.explained_anew,
            "only_new": self.only_new,
            "old": self.old.document(),
            "new": self.new.document(),
            "label_moves": _moves(self.labels),
            "gate_moves": _moves(self.gates),
            "gates_opened": sum(n for (old, new), n in self.gates.items() if new is None),
            "gates_closed": sum(n for (old, new), n in self.gates.items() if old is None),
            "days": self._by_day(),
            "movers": [-call for _, call in sorted(self.movers, reverse=True)],
        }

    def _by_day(self) -> dict[str, Any]:
        means = [
            (day, old / n if n else None, new / m if m else None)
            for day, (old, n, new, m) in sorted(self.days.items())
        ]
        changed = [row for row in means if row[1] != row[2]]
        largest = max(changed, key=lambda row: abs((row[2] or 0) - (row[1] or 0)), default=None)
        return {
            "days": len(means),
            "means_changed": len(changed),
            "largest": largest
            and {"day": largest[0], "old_mean": largest[1], "new_mean": largest[2]},
        }


def _moves(counts: Counter[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    return [{"from": old, "to": new, "calls": n} for (old, new), n in counts.most_common()]


def tally(
    rows: Iterable[tuple[Any, ...]], most: int
) -> tuple[dict[str, Movement], set[int], set[int]]:
    """Movements by metric, the calls compared and those that moved.

    `rows`: metric, call, day, is there an old row, old number, label, gate, new number, label,
    gate, and whether value_json says the same.
    """
    found: dict[str, Movement] = {}
    calls: set[int] = set()
    moved: set[int] = set()
    for metric, call, day, has_old, *values, same_json in rows:
        movement = found.get(metric)
        if movement is None:
            movement = found[metric] = Movement(most)
        calls.add(call)
        if not has_old:
            movement.only_new += 1
            continue
        old, new = Value(*values[:3]), Value(*values[3:])
        if movement.add(call, day, old, new, bool(same_json)):
            moved.add(call)
    return found, calls, moved
