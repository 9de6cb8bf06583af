"""Scenario files read, and everything that is wrong with them told at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from python_scoring.base.errors import ConfigurationError
from python_scoring.whatif import document as documents
from python_scoring.whatif.document import Document
from python_scoring.whatif.fields import (
    between_of,
    days_of,
    hours_of,
    not_known,
    number,
    segment_of,
    size_of,
    unknown_keys,
    weekdays_of,
)
from python_scoring.whatif.scenario import COMMON, KINDS, NAME_LENGTH, Effect, Known, Scenario


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
    unknown_keys(document, "", value, ("scenarios",))
    if not value["scenarios"]:
        document.error("scenarios", "is empty")
    found, names = [], set(taken)
    for i, item in enumerate(value["scenarios"]):
        path = f"scenarios[{i + 1}]"
        if not isinstance(item, dict):
            document.error(path, "must have the keys name and effects")
            continue
        unknown_keys(document, path, item, ("name", "title", "effects"))
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
        document.error(f"{path}.kind", not_known(kind, KINDS, "kinds are"))
        return None
    segments, measures, further = KINDS[kind]
    unknown_keys(document, path, item, (*COMMON, *segments, *measures, *further))
    segment, name = segment_of(document, path, item, kind, segments, known)
    given = [key for key in measures if key in item]
    if len(given) != 1:
        wanted = " or ".join(measures)
        got = f"both {' and '.join(given)}" if given else "none of them"
        document.error(path, f"takes one of {wanted}, there is {got}")
    measure = given[0] if given else ""
    size = size_of(document, path, item, kind, measure)
    first, last = days_of(document, path, item, known)
    hours = hours_of(document, path, item) if "hours" in item else ()
    weekdays = weekdays_of(document, path, item) if "weekdays" in item else ()
    if kind == "operator" and measure == "leaves" and weekdays:
        document.error(f"{path}.weekdays", "goes with hours; who leaves works no day")
    within = 0.0
    if kind == "call_backs":
        within = number(document, path, item, kind, "within_min")
    between = between_of(document, path, item, kind, measure, size)
    if len(document.errors) > before:
        return None
    return Effect(
        kind,
        segment,
        name,
        measure,
        size,
        first,
        last,
        between,
        hours,
        weekdays,
        within,
    )


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
