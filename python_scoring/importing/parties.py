"""Who is who in a call: the client outside, the clinic's own line, the operator; by direction."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from python_scoring.importing.mapping import DIRECTIONS, MappingFile
from python_scoring.importing.texts import is_null, looks_like_phone, number_of

Field = Callable[[str], str]
INCOMING, OUTGOING, INTERNAL = (
    DIRECTIONS["incoming"],
    DIRECTIONS["outgoing"],
    DIRECTIONS["internal"],
)
NO_NUMBER = "client's number not understood: call kept without it"


@dataclass(slots=True)
class Side:
    """The parties of a call; `client` '' is a hidden or unknown number."""

    direction: int
    client: str = ""
    line: str = ""
    operator: str | None = None
    called_operator: str | None = None
    notes: list[str] = field(default_factory=list)


class Parties:
    """Reads them by the sections direction, caller, callee, client, line, operator and own."""

    def __init__(self, mapping: MappingFile) -> None:
        self.mapping = mapping
        own = mapping.section("own") or {}
        self.longest = int(own.get("longest_extension", 5))
        self.own_numbers = {
            re.sub(r"\D", "", n)[-10:] for n in own.get("numbers", ()) if "*" not in n
        }
        self.own_prefixes = tuple(re.sub(r"\D", "", n) for n in own.get("numbers", ()) if "*" in n)
        self.patterns: dict[str, re.Pattern[str]] = {}

    def of(self, get: Field, answered: bool) -> Side:
        """ValueError says which column does not fit."""
        if self.mapping.section("caller") and self.mapping.section("callee"):
            return self.of_two(get, answered)
        direction = self.named_direction(get)
        if direction is None:
            raise ValueError("direction: from parties needs the sections caller and callee")
        section = self.mapping.section("client")
        side = Side(direction)
        if section is not None:
            side.client = self.number(get, section, side)
        side.line = self.line(get, direction) or ""
        side.operator = self.operator(get, direction, None)
        return side

    def of_two(self, get: Field, answered: bool) -> Side:
        caller, callee = self.text(get, "caller") or "", self.text(get, "callee") or ""
        direction = self.named_direction(get)
        if direction is None:
            direction = self.by_parties(caller, callee, self.line(get, INCOMING) or "")
        side = Side(direction)
        if direction == INTERNAL:
            side.client, side.line = self.extension(caller), self.extension(callee)
            side.operator = self.operator(get, OUTGOING, caller)
            # The callee's name only: of an own pair, the one that the section does not give.
            side.called_operator = callee if callee and not looks_like_phone(callee) else None
            return side
        outgoing = direction == OUTGOING
        outside, inside = (callee, caller) if outgoing else (caller, callee)
        name = "callee" if outgoing else "caller"
        section = self.mapping.sections[name]
        side.client = self.number_of(outside, section, side)
        line = self.line(get, direction)
        side.line = line if line is not None else self.long_number(inside)
        default = inside if (answered or outgoing) and not self.long_number(inside) else None
        side.operator = self.operator(get, direction, default or None)
        return side

    def named_direction(self, get: Field) -> int | None:
        """As the log tells it; None where it follows from the parties."""
        section = self.mapping.sections["direction"]
        for column in section.get("incoming_if", ()):
            if not is_null(get(column)):
                return INCOMING
        if "value" in section:
            return DIRECTIONS[section["value"]]
        if "column" in section:
            value = get(section["column"])
            if value in section["map"]:
                return DIRECTIONS[section["map"][value]]
            if not section.get("parties"):
                raise ValueError(f"{section['column']}: a value that the map does not know")
        return None

    def by_parties(self, caller: str, callee: str, line: str) -> int:
        from_us, to_us = self.is_own(caller, False, line), self.is_own(callee, True, line)
        if from_us:
            return INTERNAL if to_us else OUTGOING
        if to_us:
            return INCOMING
        raise ValueError(
            "direction: caller and callee are both outside numbers: "
            "write the clinic's lines under own: numbers: [...]"
        )

    def is_own(self, text: str, when_empty: bool, line: str) -> bool:
        """Whether a party is one of ours: an extension, a name, a listed number."""
        digits = number_of(text, self.mapping.country)
        if digits is None:
            return True
        if not digits:
            return when_empty
        return (
            len(digits) <= self.longest
            or digits[-10:] in self.own_numbers
            or bool(line and digits[-10:] == line[-10:])
            or bool(self.own_prefixes and digits.startswith(self.own_prefixes))
        )

    def number(self, get: Field, section: Mapping[str, Any], side: Side) -> str:
        text = get(section["column"])
        if text in section.get("null_values", ()) or text in self.mapping.nulls:
            return ""
        return self.number_of(text, section, side)

    def number_of(self, text: str, section: Mapping[str, Any], side: Side) -> str:
        where = section.get("column") or " or ".join(section["columns"])
        try:
            digits = number_of(text, self.mapping.country)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if digits is None:
            side.notes.append(NO_NUMBER)
            return ""
        if not digits:
            return ""
        return str(section.get("prefix", "")) + digits.zfill(section.get("pad_to", 0))

    def extension(self, text: str) -> str:
        return number_of(text) or ""

    def long_number(self, text: str) -> str:
        digits = number_of(text, self.mapping.country) or ""
        return digits if len(digits) > self.longest else ""

    def line(self, get: Field, direction: int) -> str | None:
        section = self.mapping.section("line")
        if section is None:
            return None
        if "value" in section:
            return str(section["value"])
        text = get(section["column"])
        if is_null(text) or text in section.get("null_values", ()):
            return ""
        return number_of(text, self.mapping.country) or ""

    def operator(self, get: Field, direction: int, default: str | None) -> str | None:
        """By the section, or its part for the direction; without any, our own side of the call."""
        section = self.mapping.section("operator")
        if section is None:
            return default
        parts = {INCOMING: "incoming", OUTGOING: "outgoing"}
        if "incoming" in section or "outgoing" in section:
            section = section.get(parts.get(direction, "outgoing"))
            if section is None:
                return default
        return self.found(get, section)

    def text(self, get: Field, name: str) -> str | None:
        return self.found(get, self.mapping.sections[name])

    def found(self, get: Field, section: Mapping[str, Any]) -> str | None:
        """The first of the columns with something in it, cut out by the pattern."""
        nothing = section.get("null_values", ())
        for column in section.get("columns") or [section["column"]]:
            value = get(column)
            if is_null(value) or value in nothing or value in self.mapping.nulls:
                continue
            if pattern := section.get("pattern"):
                compiled = self.patterns.setdefault(pattern, re.compile(pattern))
                match = compiled.search(value)
                if match is None:
                    continue
                value = next((g for g in match.groups() if g), match[0]).strip()
            value = str(section.get("map", {}).get(value, value))
            if value:
                return value
        return None
