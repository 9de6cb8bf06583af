"""Records of a call log as calls, by a mapping, and calls as rows of call_history.

A record that cannot be a call is refused with a reason that names the column, never
its value: a call log is personal data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.lengths import seconds_of
from python_scoring.importing.lines import BadLine, LineReader
from python_scoring.importing.mapping import MappingFile
from python_scoring.importing.moments import parser_of
from python_scoring.importing.parties import NO_NUMBER, Parties, Side
from python_scoring.importing.texts import is_null, looks_like_phone

# Rows that `lm import` wrote are known by this.
ENTRY_PREFIX = "lm-import:"
COLUMNS = (
    "context_type",
    "caller_number",
    "called_number",
    "caller_info",
    "called_info",
    "talk_duration",
    "await_sec",
    "duration",
    "context_start_time",
    "context_start_time_dt",
    "context_status",
    "utm_source_by_number",
    "entry_id",
)
MAX_SECONDS = 65_535  # SMALLINT UNSIGNED
MAX_EPOCH = 4_294_967_295  # INT UNSIGNED
INCOMING, OUTGOING, INTERNAL = 1, 2, 3

CROSSWISE = (
    "client has a name and operator a phone number: the columns change sides with the direction. "
    "Name both as caller and callee instead of client and operator; nothing was loaded"
)


@dataclass(slots=True)
class Call:
    """A call, or one leg of it. Lengths in seconds; `start` has its zone."""

    line: int
    entry_id: str
    group: str
    start: datetime
    direction: int
    client: str
    own_line: str
    operator: str | None
    called_operator: str | None
    talk: int | None
    wait: int | None
    duration: int | None
    answered: bool
    source: str | None
    transfers: int = 0


def digest_of_key(name: str, values: Sequence[str]) -> str:
    """What tells a call apart in every import: its mapping's name and its key's values."""
    return hashlib.sha256("\x1f".join([name, *values]).encode()).hexdigest()[:40]


class CallReader(LineReader):
    """Builds calls of records."""

    def __init__(self, mapping: MappingFile, clinic: tzinfo) -> None:
        super().__init__(mapping, clinic)
        self.parties = Parties(mapping)
        self.operators_refused = 0
        self.operators_seen = 0

    def call(self, line: int, fields: Sequence[str]) -> Call:
        """The call of one record."""
        fields = self.usable(fields)
        entry_id, group = self.identity(fields)
        start = self.moment(fields, "start", self.clock)
        if not 0 < start.timestamp() <= MAX_EPOCH:
            raise BadLine("start: the date is out of range")
        wait = self.seconds(fields, "wait")
        talk = self.seconds(fields, "talk")
        talk, answered = self.answered(fields, talk)
        try:
            side = self.parties.of(lambda column: self.value(fields, column), answered)
        except ValueError as error:
            raise BadLine(str(error)) from None
        self.notes.update(side.notes)
        return Call(
            line=line,
            entry_id=entry_id,
            group=group,
            start=start,
            direction=side.direction,
            client=self.short(side.client, "client"),
            own_line=self.short(side.line, "line"),
            operator=self.operator(side, side.operator),
            called_operator=self.operator(side, side.called_operator),
            talk=talk,
            wait=wait,
            duration=self.duration(fields, wait, talk),
            answered=answered,
            source=self.source(fields),
        )

    def identity(self, fields: Sequence[str]) -> tuple[str, str]:
        """The same call has the same id in every import of any version of the file."""
        legs = self.mapping.section("legs")
        key = list(legs["call"]) if legs else self.mapping.key
        values = [self.key_value(fields, column) for column in key]
        if not any(values):
            names = (c if isinstance(c, str) else " or ".join(c) for c in key)
            raise BadLine(f"{' + '.join(names)}: the key is empty")
        group = digest_of_key(self.mapping.name, values)
        return ENTRY_PREFIX + group, group

    def key_value(self, fields: Sequence[str], column: str | list[str]) -> str:
        """A column, or the first filled one of several."""
        if isinstance(column, str):
            return self.value(fields, column)
        values = (self.value(fields, name) for name in column)
        return next((value for value in values if not is_null(value)), "")

    def answered(self, fields: Sequence[str], talk: int | None) -> tuple[int | None, bool]:
        """Talk seconds and whether somebody answered: the tables know it by talk alone."""
        section = self.mapping.section("answered")
        if section is None:
            return talk, bool(talk)
        is_answered = self.mapped(fields, section) if "map" in section else bool(talk)
        for rule in section.get("unless", ()):
            is_answered = is_answered and self.value(fields, rule["column"]) not in rule["values"]
        for column in section.get("needs", ()):
            is_answered = is_answered and not is_null(self.value(fields, column))
        if not is_answered:
            return 0, False
        least = section.get("min_talk_sec", 0)
        if not talk and not least:
            raise BadLine("talk: an answered call without talk: write answered.min_talk_sec: 1")
        return max(talk or 0, least), True

    def seconds(self, fields: Sequence[str], name: str) -> int | None:
        """A length in whole seconds; an empty field is unknown."""
        section = self.mapping.section(name)
        if section is None:
            return None
        unit = section.get("unit", "seconds")
        if "from" in section:
            seconds = self.difference(fields, section)
        elif "column" in section:
            seconds = self.length(fields, section["column"], unit)
        else:
            parts = [(1, c) for c in section.get("plus", ())]
            parts += [(-1, c) for c in section.get("minus", ())]
            lengths = [(sign, self.length(fields, c, unit)) for sign, c in parts]
            known = [sign * length for sign, length in lengths if length is not None]
            seconds = sum(known) if len(known) == len(parts) else None
        if "minus" in section and "column" in section and seconds is not None:
            for column in section["minus"]:
                seconds -= self.length(fields, column, unit) or 0
        return self.bounded(seconds, name, section)

    def bounded(self, seconds: int | None, name: str, section: Mapping[str, Any]) -> int | None:
        where = section.get("column") or name
        if seconds is not None and seconds < 0:
            way = section.get("on_negative", "reject")
            if way == "reject":
                raise BadLine(f"{where}: below zero")
            seconds = 0 if way == "zero" else None
        if seconds is not None and seconds > MAX_SECONDS:
            raise BadLine(f"{where}: longer than {MAX_SECONDS} seconds")
        return seconds

    def length(self, fields: Sequence[str], column: str, unit: str) -> int | None:
        text = self.value(fields, column)
        if text in self.mapping.nulls:
            return None
        try:
            return seconds_of(text, unit)
        except (ValueError, OverflowError) as error:
            raise BadLine(f"{column}: {error}") from None

    def difference(self, fields: Sequence[str], section: Mapping[str, Any]) -> int | None:
        ends = section["to"] if isinstance(section["to"], list) else [section["to"]]
        shape = section["format"]
        nothing = ("", "0") if shape.startswith("epoch") else ("",)
        first = self.value(fields, section["from"])
        last = next(
            (t for c in ends if (t := self.value(fields, c)) not in nothing and not is_null(t)), ""
        )
        if first in nothing or not last or is_null(first):
            return None
        try:
            parse = parser_of(shape)
            seconds = int((parse(last) - parse(first)).total_seconds())
        except (ValueError, TypeError):
            raise BadLine(f"{section['from']}, {' or '.join(ends)}: not times as {shape}") from None
        # Clock times without a date: the second one may be after midnight.
        dated = "%" not in shape or any(code in shape for code in ("%d", "%j", "%x", "%c"))
        return seconds if dated else seconds % 86_400

    def duration(self, fields: Sequence[str], wait: int | None, talk: int | None) -> int | None:
        section = self.mapping.section("duration")
        if section is None or "plus" not in section:
            return self.seconds(fields, "duration")
        parts = [self.length(fields, c, "seconds") for c in section["plus"]]
        known = [part for part in (*parts, wait, talk) if part is not None]
        if len(known) < len(parts) + 2:
            return None
        if min(known) < 0:
            return self.bounded(min(known), "duration", section)
        return self.bounded(sum(known), "duration", section)

    def operator(self, side: Side, text: str | None) -> str | None:
        """A name or extension; never what may be somebody's phone number."""
        if text is None:
            return None
        self.operators_seen += 1
        if looks_like_phone(text):
            self.operators_refused += 1
            if NO_NUMBER in side.notes:
                raise ConfigurationError(CROSSWISE)
            self.notes["operator left out: it looks like a phone number"] += 1
            return None
        return self.short(text, "operator")

    def source(self, fields: Sequence[str]) -> str | None:
        section = self.mapping.section("source")
        if section is None:
            return None
        value = self.value(fields, section["column"])
        if is_null(value) or value in section.get("null_values", ()):
            return None
        text = str(section.get("map", {}).get(value, value))
        if looks_like_phone(text):
            self.notes["source left out: it looks like a phone number"] += 1
            return None
        return self.short(text, section["column"])

    def row(self, call: Call) -> tuple[Any, ...]:
        """The values of COLUMNS."""
        outgoing = call.direction == OUTGOING
        internal = call.direction == INTERNAL
        return (
            call.direction,
            call.own_line if outgoing else call.client,
            call.client if outgoing else call.own_line,
            call.operator if outgoing or internal else None,
            call.called_operator if internal else None if outgoing else call.operator,
            call.talk,
            call.wait,
            call.duration,
            int(call.start.astimezone(UTC).timestamp()),
            self.clock.local(call.start),
            int(call.answered),
            call.source,
            call.entry_id,
        )
