"""Lines of a file by their columns' names: what calls and reviews are read with.

A line that cannot be read is refused with a reason that names the column, never its value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.mapping import MappingFile, listing
from python_scoring.importing.moments import GUESSED, Clock, parser_of, swapped, zone_of
from python_scoring.importing.texts import is_null, masked

MAX_TEXT = 255
TOTALS = re.compile(r"(?:итого|всего|total|grand total|totals|sum|summe|gesamt)\b", re.IGNORECASE)
TYPES = re.compile(
    r"(?:(?:var)?char|(?:big|small|tiny)?int(?:eger)?|uniqueidentifier|date(?:time)?|text|string"
    r"|float|bool(?:ean)?|timestamp)(?:\(\d+\))?",
    re.IGNORECASE,
)


class BadLine(Exception):
    """Why a line is refused."""


class SkippedLine(Exception):
    """The mapping's own reason to leave a line out."""


class WrongOrder(ConfigurationError):
    """Dates whose day and month stand in the other order: no line of the file can be trusted."""


class LineReader:
    """Reads fields by column; counts what it had to leave out in `notes`."""

    def __init__(self, mapping: MappingFile, clinic: tzinfo) -> None:
        self.mapping = mapping
        self.clinic = clinic
        self.columns: dict[str, int] = {}
        self.width = 0
        self.header: list[str] = []
        self.notes: Counter[str] = Counter()
        self.clock = self.make_clock("start")

    def make_clock(self, name: str, guessed: Sequence[str] = GUESSED) -> Clock:
        section = self.mapping.sections.get(name, {})
        parts = self.parts_of(name)
        shapes: list[str] = [""]
        for part in parts:
            given = part.get("format")
            own = [given] if isinstance(given, str) else list(given or ())
            shapes = [f"{a} {b}".strip() for a in shapes for b in own] if own else []
        zone = zone_of(self.mapping.zone) if self.mapping.zone else self.clinic
        return Clock(shapes or guessed, zone, self.clinic, section.get("twice", "earlier"))

    def parts_of(self, name: str) -> list[Mapping[str, Any]]:
        """The columns that together are a time."""
        section = self.mapping.sections.get(name, {})
        if "column" in section:
            return [section]
        return [section[name] for name in ("datetime", "date", "time") if name in section]

    def set_columns(self, names: Sequence[str], where: str) -> None:
        """Take the column names; every column of the mapping must be among them, and only once."""
        self.header = list(names)
        self.width = len(names)
        seen: Counter[str] = Counter()
        self.columns = {}
        for place, name in enumerate(names):
            seen[name] += 1
            if name:
                self.columns[name if seen[name] == 1 else f"{name}#{seen[name]}"] = place
        used = dict.fromkeys(self.mapping.named_columns())
        mistakes = [
            f"column {column!r} ({at}) occurs {seen[column]} times: write {column}#1 for the "
            f"first, {column}#2 for the second"
            for at, column in used
            if seen[column] > 1
        ]
        for name, count in seen.items():
            if name and count > 1:
                self.columns[f"{name}#1"] = self.columns[name]
        missing = [
            f"no column {column!r} in the file ({at})"
            for at, column in used
            if column not in self.columns
        ]
        if missing:
            missing.append("the file has: " + ", ".join(masked(n) for n in names if n))
        if mistakes or missing:
            raise ConfigurationError(listing(f"{where} against its mapping", mistakes + missing))

    def is_extra(self, fields: Sequence[str]) -> str | None:
        """Why a record is none of a call: totals, the header again, a line of column types."""
        filled = [f for f in fields if f]
        if not filled:
            return "empty line"
        first = filled[0]
        words = self.mapping.footer
        if any(first.casefold().startswith(w.casefold()) for w in words) or TOTALS.match(first):
            return "a line of totals"
        if fields == self.header:
            return "the header again"
        if len(filled) > 1 and all(TYPES.fullmatch(f) for f in filled):
            return "a line of column types"
        return None

    def usable(self, fields: Sequence[str]) -> Sequence[str]:
        """The fields, as many as the header has; SkippedLine where the mapping says to skip."""
        if len(fields) != self.width:
            fields = self.fitted(fields)
        for rule in self.mapping.skip:
            value = self.value(fields, rule["column"])
            if value in rule["values"] if "values" in rule else not is_null(value):
                raise SkippedLine(rule["reason"])
        return fields

    def fitted(self, fields: Sequence[str]) -> Sequence[str]:
        """Empty fields at the end may be more or fewer: spreadsheets leave them off."""
        needed = max(self.columns.values()) + 1
        if len(fields) > self.width and not any(fields[self.width :]):
            return fields[: self.width]
        if needed <= len(fields) < self.width and not any(self.header[len(fields) :]):
            return fields
        raise BadLine(f"{len(fields)} fields instead of {self.width}")

    def value(self, fields: Sequence[str], column: str) -> str:
        return fields[self.columns[column]]

    def moment(self, fields: Sequence[str], name: str, clock: Clock) -> datetime:
        """The time that a section names, with its zone."""
        parts = self.parts_of(name)
        text = " ".join(self.value(fields, part["column"]) for part in parts)
        try:
            moment = clock.read(text)
        except ValueError as error:
            columns = " + ".join(part["column"] for part in parts)
            self.check_order(text, columns, clock, parts)
            raise BadLine(f"{columns}: {error}") from None
        more = self.mapping.sections[name].get("clock_offset_sec", 0)
        return moment + timedelta(seconds=more) if more else moment

    def check_order(
        self, text: str, columns: str, clock: Clock, parts: Sequence[Mapping[str, Any]]
    ) -> None:
        if not any("format" in part for part in parts):
            return
        for shape in clock.shapes:
            other = swapped(shape)
            if other is None:
                continue
            try:
                parser_of(other)(text)
            except ValueError:
                continue
            raise WrongOrder(
                f"{columns}: a date that reads only as {other}, not as {shape}: day and "
                f"month stand in the other order. Write format: {other!r}; nothing was loaded"
            )

    def mapped(self, fields: Sequence[str], section: Mapping[str, Any]) -> Any:
        """The meaning of a value; one the map does not know makes the line bad."""
        value = self.value(fields, section["column"])
        if value not in section["map"]:
            if "other" in section:
                return section["other"]
            raise BadLine(f"{section['column']}: a value that the map does not know")
        return section["map"][value]

    def short(self, text: str, column: str) -> str:
        if len(text) > MAX_TEXT:
            raise BadLine(f"{column}: longer than {MAX_TEXT} characters")
        return text
