"""Scenarios, and what may stand in a file of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COMMON = ("kind", "from", "to", "between", "note")
NAME_LENGTH = 64


@dataclass(frozen=True)
class Number:
    """A key that takes a number, and its limits."""

    low: float
    high: float
    whole: bool = False


SEGMENTS = ("source", "service", "service_group", "operator")
# Kind: (names it takes one of, sizes it takes one of, further keys).
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "traffic": (("source",), ("multiply", "add_per_day", "off"), ()),
    "operator": (("operator",), ("leaves", "hours"), ("weekdays",)),
    "new_operator": (("like",), ("hours",), ("weekdays",)),
    "answering": ((), ("answered_share", "extra_people"), ("hours", "weekdays")),
    "conversion": (SEGMENTS, ("add_points", "multiply", "rate"), ()),
    "refusal": (("code",), ("removed",), ()),
    "call_backs": ((), ("share",), ("within_min",)),
}
NUMBERS = {
    ("traffic", "multiply"): Number(0, 10),
    ("traffic", "add_per_day"): Number(0, 100_000),
    ("answering", "answered_share"): Number(0, 1),
    ("answering", "extra_people"): Number(-50, 50, whole=True),
    ("conversion", "add_points"): Number(-100, 100),
    ("conversion", "multiply"): Number(0, 10),
    ("conversion", "rate"): Number(0, 1),
    ("refusal", "removed"): Number(0, 1),
    ("call_backs", "share"): Number(0, 1),
    ("call_backs", "within_min"): Number(1, 480),
}
# `all` stands for every source or call.
TAKES_ALL = {"traffic", "conversion", "refusal"}


@dataclass(frozen=True)
class Known:
    """Names of the own log by what they name, and the days that are forecast."""

    names: dict[str, tuple[str, ...]]
    first_day: date
    days: int

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.days - 1)

    def of(self, key: str) -> tuple[str, ...]:
        return self.names.get("operator" if key == "like" else key, ())


@dataclass(frozen=True)
class Effect:
    """One change. `size` is the number of `measure`; `between` the 80 % range of it, if given.

    segment   what it is about ('source', 'operator', ...), name its value or 'all'
    first, last   days of the horizon, counted from 0
    hours, weekdays   of shifts and answering; all when empty
    """

    kind: str
    segment: str
    name: str
    measure: str
    size: float
    first: int
    last: int
    between: tuple[float, float] | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    within_min: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """A scenario and its effects."""

    name: str
    effects: tuple[Effect, ...]
    title: str = ""
