"""Legs folded into calls: a phone system may write a row for every phone that rang.

The rules, for all systems: the call starts with its first leg; it is incoming or outgoing
as its first leg from or to the outside; its talk is the time during which somebody talked
(legs that repeat each other count once, those after a transfer add up); it waited until the
first talk began; the operator is the one of the longest talk, or the first or last by
`legs.operator`; a transfer is each further operator who talked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from python_scoring.importing.calls import INTERNAL, MAX_SECONDS, Call

WITHIN_SEC = 7_200
HOW_OFTEN = 500


class Legs:
    """Collects legs by their call and gives a call out once its legs must be complete."""

    def __init__(self, section: Mapping[str, Any]) -> None:
        self.within = timedelta(seconds=section.get("within_sec", WITHIN_SEC))
        self.choice = section.get("operator", "longest")
        self.open: dict[str, list[Call]] = {}
        self.added = 0
        self.folded = 0

    def add(self, leg: Call) -> Iterator[Call]:
        """Take a leg; yields the calls that time has closed."""
        legs = self.open.get(leg.group)
        if legs is not None and abs(leg.start - legs[-1].start) > self.within:
            # The id is used again: after a restart, or the counter began anew.
            yield self.fold(self.open.pop(leg.group))
        self.open.setdefault(leg.group, []).append(leg)
        self.added += 1
        if self.added % HOW_OFTEN == 0:
            yield from self.close(leg.start)

    def close(self, now: datetime) -> Iterator[Call]:
        far = [g for g, legs in self.open.items() if abs(legs[-1].start - now) > self.within]
        for group in far:
            yield self.fold(self.open.pop(group))

    def rest(self) -> Iterator[Call]:
        for group in list(self.open):
            yield self.fold(self.open.pop(group))

    def fold(self, legs: list[Call]) -> Call:
        """One call of its legs."""
        if len(legs) == 1:
            return legs[0]
        self.folded += len(legs) - 1
        legs = sorted(legs, key=lambda leg: (leg.start, leg.line))
        first = next((leg for leg in legs if leg.direction != INTERNAL), legs[0])
        start = legs[0].start
        talks = [leg for leg in legs if leg.answered and leg.talk]
        spans = [span(leg) for leg in talks]
        talk = covered(spans)
        begin = min((s for s, _ in spans), default=None)
        waits = [
            (leg.start.timestamp(), min(leg.start.timestamp() + (leg.wait or 0), begin or 1e18))
            for leg in legs
            if leg.wait is not None
        ]
        wait = covered([w for w in waits if w[1] > w[0]]) if waits else None
        end = max(
            leg.start.timestamp() + max(leg.duration or 0, (leg.wait or 0) + (leg.talk or 0))
            for leg in legs
        )
        named = [leg for leg in talks if leg.operator] or [leg for leg in legs if leg.operator]
        operators: list[str | None] = []
        for leg in sorted(talks, key=span):
            if leg.operator and (not operators or operators[-1] != leg.operator):
                operators.append(leg.operator)
        return replace(
            first,
            line=legs[0].line,
            start=start,
            client=next((leg.client for leg in (first, *legs) if leg.client), ""),
            own_line=next((leg.own_line for leg in (first, *legs) if leg.own_line), ""),
            operator=self.operator(named),
            talk=min(talk, MAX_SECONDS) if any(leg.talk is not None for leg in legs) else None,
            wait=wait,
            duration=min(int(end - start.timestamp()), MAX_SECONDS),
            answered=bool(talks),
            source=next((leg.source for leg in legs if leg.source), None),
            transfers=max(0, len(operators) - 1),
        )

    def operator(self, legs: list[Call]) -> str | None:
        if not legs:
            return None
        if self.choice == "first":
            return min(legs, key=span).operator
        if self.choice == "last":
            return max(legs, key=span).operator
        return max(legs, key=lambda leg: (leg.talk or 0, -leg.start.timestamp())).operator


def span(leg: Call) -> tuple[float, float]:
    """When a leg's talk began and ended."""
    began = leg.start.timestamp() + (leg.wait or 0)
    return began, began + (leg.talk or 0)


def covered(spans: list[tuple[float, float]]) -> int:
    """Seconds that at least one of the spans covers."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return int(total)
