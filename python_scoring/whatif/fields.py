"""The keys of an effect: each is read, or what is wrong with it is noted in the document."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeGuard

from python_scoring.whatif.document import Document
from python_scoring.whatif.scenario import NUMBERS, TAKES_ALL, WEEKDAYS, Known


def segment_of(
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
        document.error(f"{path}.{key}", not_known(name, known.of(key), "the log has"))
    return key, name


def size_of(document: Document, path: str, item: dict[str, Any], kind: str, measure: str) -> float:
    if (kind, measure) in NUMBERS:
        return number(document, path, item, kind, measure)
    if measure in ("off", "leaves") and item[measure] is not True:
        document.error(f"{path}.{measure}", f"can only be true, got {item[measure]!r}")
    return 0.0


def number(document: Document, path: str, item: dict[str, Any], kind: str, key: str) -> float:
    limits, value = NUMBERS[kind, key], item.get(key)
    allowed = f"a {'whole ' if limits.whole else ''}number from {limits.low:g} to {limits.high:g}"
    if not is_number(value) or (limits.whole and value != int(value)):
        document.error(f"{path}.{key}", f"must be {allowed}, got {value!r}")
    elif not limits.low <= value <= limits.high:
        document.error(f"{path}.{key}", f"must be {allowed}, got {value:g}")
    else:
        return float(value)
    return 0.0


def is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def days_of(document: Document, path: str, item: dict[str, Any], known: Known) -> tuple[int, int]:
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


def hours_of(document: Document, path: str, item: dict[str, Any]) -> tuple[int, ...]:
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


def weekdays_of(document: Document, path: str, item: dict[str, Any]) -> tuple[int, ...]:
    value = item["weekdays"]
    if not isinstance(value, list) or not value:
        document.error(f"{path}.weekdays", f"must be a list of {', '.join(WEEKDAYS)}")
        return ()
    for one in value:
        if one not in WEEKDAYS:
            document.error(f"{path}.weekdays", not_known(one, WEEKDAYS, "weekdays are"))
    return tuple(sorted({WEEKDAYS.index(one) for one in value if one in WEEKDAYS}))


def between_of(
    document: Document, path: str, item: dict[str, Any], kind: str, measure: str, size: float
) -> tuple[float, float] | None:
    if "between" not in item:
        return None
    value, limits = item["between"], NUMBERS.get((kind, measure))
    if limits is None or limits.whole:
        document.error(f"{path}.between", f"goes with a size, not with {measure or 'this'}")
    elif not isinstance(value, list) or len(value) != 2 or not all(map(is_number, value)):
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


def not_known(value: Any, allowed: Iterable[str], what: str) -> str:
    names = list(allowed)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{value!r} is not known{hint} ({what} {shown or 'none'})"


def unknown_keys(
    document: Document, path: str, item: dict[str, Any], allowed: Sequence[str]
) -> None:
    for key in item:
        if key not in allowed:
            inner = f"{path}.{key}" if path else key
            document.error(inner, not_known(key, allowed, "keys here are"))
