"""Scenario files: what may stand in them, and everything that is wrong with them at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeGuard

from python_scoring.errors import ConfigurationError
from python_scoring.whatif import document as documents
from python_scoring.whatif.document import Document

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COMMON = ("kind", "from", "to", "between", "note")
NAME_LENGTH = 64


@dataclass(frozen=True)
class Number:
    """A key that takes a number, and its limits."""

    low: float
    high: float
    whole: bool = False


# Kind: (names it takes one of, sizes it takes one of, further keys).
SEGMENTS = ("source", "service", "service_group", "operator")
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
    note: str = ""


@dataclass(frozen=True)
class Scenario:
    """A scenario and its effects."""

    name: str
    effects: tuple[Effect, ...]
    title: str = ""
    paths: tuple[str, ...] = field(default=(), compare=False)


def read_files(paths: Sequence[Path], known: Known) -> list[Scenario]:
    """The scenarios of all files; ConfigurationError that lists every mistake of every file."""
    found: list[Scenario] = []
    errors: list[str] = []
    for path in paths:
        document = documents.read(path)
        if not document.errors or document.value is not None:
            found += scenarios_of(document, known, {one.name for one in found})
        errors += document.errors
    if errors:
        text = "\n".join(f"  {error}" for error in errors)
        many = "mistakes" if len(errors) > 1 else "mistake"
        raise ConfigurationError(f"{len(errors)} {many} in the scenarios:\n{text}")
    return found


def scenarios_of(document: Document, known: Known, taken: set[str]) -> list[Scenario]:
    """Scenarios of a document; what is wrong is added to its errors."""
    value = document.value
    if not isinstance(value, dict) or not isinstance(value.get("scenarios"), list):
        document.error("scenarios", "must be a list; `lm what-if --example` shows a file")
        return []
    _unknown_keys(document, "", value, ("scenarios",))
    if not value["scenarios"]:
        document.error("scenarios", "is empty")
    found, names = [], set(taken)
    for i, item in enumerate(value["scenarios"]):
        path = f"scenarios[{i + 1}]"
        if not isinstance(item, dict):
            document.error(path, "must have the keys name and effects")
            continue
        _unknown_keys(document, path, item, ("name", "title", "effects"))
        name = item.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_LENGTH:
            document.error(f"{path}.name", f"must be a text of 1 to {NAME_LENGTH} characters")
        elif name in names:
            document.error(f"{path}.name", f"{name!r} names two scenarios; give each its own")
        else:
            names.add(name)
        effects = item.get("effects")
        if not isinstance(effects, list) or not effects:
            document.error(f"{path}.effects", "must be a list of one effect or more")
            continue
        read = [
            (f"{path}.effects[{j + 1}]", _effect(document, f"{path}.effects[{j + 1}]", one, known))
            for j, one in enumerate(effects)
        ]
        good = [(where, effect) for where, effect in read if effect is not None]
        _overlaps(document, good)
        found.append(
            Scenario(str(name), tuple(effect for _, effect in good), str(item.get("title") or ""))
        )
    return found


def _effect(document: Document, path: str, item: Any, known: Known) -> Effect | None:
    before = len(document.errors)
    if not isinstance(item, dict):
        document.error(path, f"must have a kind: {', '.join(KINDS)}")
        return None
    kind = item.get("kind")
    if kind not in KINDS:
        document.error(f"{path}.kind", _not_known(kind, KINDS, "kinds are"))
        return None
    segments, measures, further = KINDS[kind]
    _unknown_keys(document, path, item, (*COMMON, *segments, *measures, *further))
    segment, name = _segment(document, path, item, kind, segments, known)
    given = [key for key in measures if key in item]
    if len(given) != 1:
        wanted = " or ".join(measures)
        got = f"both {' and '.join(given)}" if given else "none of them"
        document.error(path, f"takes one of {wanted}, there is {got}")
    measure = given[0] if given else ""
    size = _size(document, path, item, kind, measure)
    first, last = _days(document, path, item, known)
    hours = _hours(document, path, item) if "hours" in item else ()
    weekdays = _weekdays(document, path, item) if "weekdays" in item else ()
    if kind == "operator" and measure == "leaves" and weekdays:
        document.error(f"{path}.weekdays", "goes with hours; who leaves works no day")
    within = 0.0
    if kind == "call_backs":
        within = _number(document, path, item, kind, "within_min")
    between = _between(document, path, item, kind, measure, size)
    if len(document.errors) > before:
        return None
    return Effect(
        kind, segment, name, measure, size, first, last, between, hours, weekdays, within,
        str(item.get("note") or ""),
    )  # fmt: skip


def _segment(
    document: Document,
    path: str,
    item: dict[str, Any],
    kind: str,
    segments: tuple[str, ...],
    known: Known,
) -> tuple[str, str]:
    if not segments:
        return "", "all"
    given = [key for key in segments if key in item]
    if len(given) > 1:
        document.error(path, f"takes one of {', '.join(segments)}, there are {', '.join(given)}")
    if not given:
        if kind == "conversion":
            return "", "all"
        document.error(path, f"needs {segments[0]}: the name as the reports have it")
        return segments[0], ""
    key = given[0]
    name = item[key]
    if not isinstance(name, str):
        document.error(f"{path}.{key}", f"must be a name, got {name!r}; put it in quotes")
        return key, ""
    if name == "all" and kind in TAKES_ALL:
        return key, "all"
    if name not in known.of(key):
        document.error(f"{path}.{key}", _not_known(name, known.of(key), "the log has"))
    return key, name


def _size(document: Document, path: str, item: dict[str, Any], kind: str, measure: str) -> float:
    if (kind, measure) in NUMBERS:
        return _number(document, path, item, kind, measure)
    if measure in ("off", "leaves") and item[measure] is not True:
        document.error(f"{path}.{measure}", f"can only be true, got {item[measure]!r}")
    return 0.0


def _number(document: Document, path: str, item: dict[str, Any], kind: str, key: str) -> float:
    limits, value = NUMBERS[kind, key], item.get(key)
    allowed = f"a {'whole ' if limits.whole else ''}number from {limits.low:g} to {limits.high:g}"
    if not _is_number(value) or (limits.whole and value != int(value)):
        document.error(f"{path}.{key}", f"must be {allowed}, got {value!r}")
    elif not limits.low <= value <= limits.high:
        document.error(f"{path}.{key}", f"must be {allowed}, got {value:g}")
    else:
        return float(value)
    return 0.0


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _days(document: Document, path: str, item: dict[str, Any], known: Known) -> tuple[int, int]:
    ends = [known.first_day, known.last_day]
    for i, key in enumerate(("from", "to")):
        if key not in item:
            continue
        value = item[key]
        if isinstance(value, datetime) or not isinstance(value, date):
            document.error(f"{path}.{key}", f"must be a date like 2026-01-31, got {value!r}")
        elif not known.first_day <= value <= known.last_day:
            document.error(
                f"{path}.{key}",
                f"{value} is not forecast: the days are {known.first_day} to {known.last_day}",
            )
        else:
            ends[i] = value
    if ends[0] > ends[1]:
        document.error(f"{path}.to", f"{ends[1]} is before from, {ends[0]}")
    return (ends[0] - known.first_day).days, (ends[1] - known.first_day).days


def _hours(document: Document, path: str, item: dict[str, Any]) -> tuple[int, ...]:
    value = item["hours"]
    good = (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        and 0 <= value[0] < value[1] <= 24
    )
    if not good:
        document.error(
            f"{path}.hours",
            f"must be first and last hour, like [9, 18], within 0 to 24; got {value!r}",
        )
        return ()
    return tuple(range(value[0], value[1]))


def _weekdays(document: Document, path: str, item: dict[str, Any]) -> tuple[int, ...]:
    value = item["weekdays"]
    if not isinstance(value, list) or not value:
        document.error(f"{path}.weekdays", f"must be a list of {', '.join(WEEKDAYS)}")
        return ()
    for one in value:
        if one not in WEEKDAYS:
            document.error(f"{path}.weekdays", _not_known(one, WEEKDAYS, "weekdays are"))
    return tuple(sorted({WEEKDAYS.index(one) for one in value if one in WEEKDAYS}))


def _between(
    document: Document, path: str, item: dict[str, Any], kind: str, measure: str, size: float
) -> tuple[float, float] | None:
    if "between" not in item:
        return None
    value, limits = item["between"], NUMBERS.get((kind, measure))
    if limits is None or limits.whole:
        document.error(f"{path}.between", f"goes with a size, not with {measure or 'this'}")
    elif not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        document.error(f"{path}.between", f"must be two numbers, got {value!r}")
    elif not limits.low <= value[0] <= size <= value[1] <= limits.high:
        document.error(
            f"{path}.between",
            f"must hold {measure} {size:g} and stay within {limits.low:g} to {limits.high:g},"
            f" got {value!r}",
        )
    else:
        return float(value[0]), float(value[1])
    return None


def _overlaps(document: Document, effects: list[tuple[str, Effect]]) -> None:
    for i, (where, one) in enumerate(effects):
        for earlier_where, other in effects[:i]:
            if _same(one, other) and one.first <= other.last and other.first <= one.last:
                what = f"{one.segment} {one.name}".strip()
                document.error(
                    where,
                    f"{one.kind} of {what} is changed twice on the same days, see"
                    f" {earlier_where}: make it one effect, or other days",
                )


def _same(one: Effect, other: Effect) -> bool:
    if one.kind != other.kind or one.kind == "new_operator":
        return False
    parts = [(one.weekdays, other.weekdays)]
    if one.kind == "answering":
        parts.append((one.hours, other.hours))
    if any(mine and theirs and not set(mine) & set(theirs) for mine, theirs in parts):
        return False
    if "all" in (one.name, other.name):
        return True
    return (one.segment, one.name) == (other.segment, other.name)


def _unknown_keys(
    document: Document, path: str, item: dict[str, Any], allowed: Sequence[str]
) -> None:
    for key in item:
        if key not in allowed:
            inner = f"{path}.{key}" if path else key
            document.error(inner, _not_known(key, allowed, "keys here are"))


def _not_known(value: Any, allowed: Iterable[str], what: str) -> str:
    names = list(allowed)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{value!r} is not known{hint} ({what} {shown or 'none'})"
