"""The checks of a mapping file: every mistake at once, each with what to write."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any

import phonenumbers

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.lengths import UNITS
from python_scoring.importing.mapping import (
    DELIMITERS,
    DIRECTIONS,
    ON_NEGATIVE,
    OPERATOR_OF_LEGS,
    PLAIN,
    REQUIRED,
    SECTIONS,
    flat,
)
from python_scoring.importing.moments import TWICE, mistake_in_format, zone_of

# A rule leaves out records with one of the values, or with any.
SKIP_RULES = ({"column", "values", "reason"}, {"column", "filled", "reason"})


class Checker:
    """Collects every mistake of a mapping instead of stopping at the first."""

    sections: Mapping[str, tuple[str, ...]] = SECTIONS
    plain: tuple[str, ...] = PLAIN
    required: tuple[str, ...] = REQUIRED

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def check(self, content: Any) -> list[str]:
        if not isinstance(content, dict):
            return [f"it must be a set of sections ({', '.join(self.required)}, ...)"]
        known = (*self.plain, *self.sections)
        for name in content:
            if name not in known:
                self.say(f"unknown section {name!r}: known are {', '.join(known)}")
        for name in self.required:
            if not content.get(name):
                self.say(f"section {name!r} is missing")
        for name in self.sections:
            if content.get(name) is not None:
                self.section(name, content[name])
        if content.get("name") and not isinstance(content["name"], str):
            self.say("name: must be a text")
        self.zones(content)
        for name in ("null_values", "known_by"):
            if content.get(name):
                self.texts(name, content[name])
        self.skip(content.get("skip"))
        self.check_whole(content)
        return self.mistakes

    def check_whole(self, content: dict[str, Any]) -> None:
        """What the sections must be to each other."""
        if content.get("key"):
            self.columns("key", content["key"])
        elif not content.get("legs"):
            self.say("section 'key' is missing: the columns that tell calls apart")
        if not content.get("talk") and not content.get("answered"):
            self.say("section 'talk' is missing: how long they talked, or 'answered'")
        if bool(content.get("caller")) != bool(content.get("callee")):
            self.say("caller and callee: give both, or client alone")
        direction = content.get("direction")
        if isinstance(direction, dict) and direction.get("parties") and not content.get("caller"):
            self.say("direction.parties: needs the sections caller and callee")

    def say(self, mistake: str) -> None:
        self.mistakes.append(mistake)

    def section(self, name: str, section: Any) -> None:
        if not isinstance(section, dict):
            self.say(f"{name}: must be a set of keys, such as column")
            return
        for key in section:
            if key not in self.sections[name]:
                known = ", ".join(self.sections[name])
                self.say(f"{name}: unknown key {key!r}: known are {known}")
        if "column" in section:
            self.text(f"{name}.column", section["column"])
        if "null_values" in section:
            self.texts(f"{name}.null_values", section["null_values"])
        if "map" in section:
            self.map(name, section["map"])
        if name in ("wait", "talk", "duration"):
            self.length(name, section)
        else:
            getattr(self, f"check_{name}", lambda _: None)(section)
        if name in ("client", "source") and "column" not in section:
            self.say(f"{name}: column is missing")
        if name in ("caller", "callee"):
            self.party(name, section)

    def zones(self, content: dict[str, Any]) -> None:
        zone, offset = content.get("timezone"), content.get("utc_offset")
        if zone and offset:
            self.say("timezone, utc_offset: give one of them")
        for name, value in (("timezone", zone), ("utc_offset", offset)):
            if value:
                try:
                    zone_of(str(value))
                except ConfigurationError as error:
                    self.say(f"{name}: {error}")
        country = content.get("country")
        if country and str(country) not in phonenumbers.SUPPORTED_REGIONS:
            self.say(f"country: {country!r} is none: two capital letters such as RU, DE, US")

    def party(self, name: str, section: Any) -> None:
        if not isinstance(section, dict) or ("column" in section) == ("columns" in section):
            self.say(f"{name}: give either column or columns")
            return
        if "columns" in section:
            self.texts(f"{name}.columns", section["columns"])
        if "pattern" in section:
            try:
                re.compile(section["pattern"])
            except (re.error, TypeError) as error:
                self.say(f"{name}.pattern: no regular expression: {error}")

    def check_operator(self, section: dict[str, Any]) -> None:
        parts = [part for part in ("incoming", "outgoing") if part in section]
        if not parts:
            if "column" not in section and "columns" not in section:
                self.say("operator: column is missing")
            else:
                self.party("operator", section)
        for part in parts:
            self.party(f"operator.{part}", section[part])

    def check_legs(self, section: dict[str, Any]) -> None:
        self.columns("legs.call", section.get("call"))
        if section.get("operator", "longest") not in OPERATOR_OF_LEGS:
            self.say(f"legs.operator: one of {', '.join(OPERATOR_OF_LEGS)}")
        self.whole_number("legs.within_sec", section.get("within_sec", 0))

    def check_own(self, section: dict[str, Any]) -> None:
        if section.get("numbers"):
            self.texts("own.numbers", section["numbers"])
        self.whole_number("own.longest_extension", section.get("longest_extension", 5))

    def check_file(self, section: dict[str, Any]) -> None:
        delimiter = section.get("delimiter", "comma")
        if delimiter not in DELIMITERS and not (isinstance(delimiter, str) and len(delimiter) == 1):
            self.say(f"file.delimiter: one character or one of {', '.join(DELIMITERS)}")
        encoding = section.get("encoding", "utf-8")
        try:
            codecs.lookup(str(encoding))
        except LookupError:
            self.say(f"file.encoding: {encoding!r} is not known")
        self.whole_number("file.skip_lines", section.get("skip_lines", 0))
        if section.get("events") not in (None, "queue_log"):
            self.say("file.events: only queue_log is known")
        if section.get("footer"):
            self.texts("file.footer", section["footer"])
        if not isinstance(section.get("quotes", True), bool):
            self.say("file.quotes: true or false")
        if section.get("columns") is not None:
            self.texts("file.columns", section["columns"])

    def check_start(self, section: dict[str, Any]) -> None:
        whole = [form for form in ("column", "datetime") if form in section]
        parts = {"date", "time"} & section.keys()
        if len(whole) + bool(parts) != 1 or len(parts) == 1:
            self.say("start: give either column (or datetime), or both date and time")
        if section.get("twice", "earlier") not in TWICE:
            self.say(f"start.twice: one of {', '.join(TWICE)}")
        for part in ("datetime", "date", "time"):
            if part in section:
                value = section[part]
                if not isinstance(value, dict) or not {"column"} <= set(value) <= {
                    "column",
                    "format",
                }:
                    self.say(f"start.{part}: must have column and format, and no other key")
                    continue
                self.text(f"start.{part}.column", value["column"])
                self.formats(f"start.{part}.format", value.get("format"), part != "datetime")
        self.formats("start.format", section.get("format"), False)
        self.whole_number("start.clock_offset_sec", section.get("clock_offset_sec", 0))

    def formats(self, where: str, value: Any, in_parts: bool) -> None:
        if value is None:
            if in_parts:
                self.say(f"{where} is missing: how it is written, such as %d.%m.%Y")
            return
        for shape in value if isinstance(value, list) else [value]:
            if not isinstance(shape, str):
                self.say(f"{where}: put {shape!r} into quotes")
            elif mistake := mistake_in_format(shape):
                self.say(f"{where}: {mistake}")

    def check_direction(self, section: dict[str, Any]) -> None:
        forms = [form for form in ("value", "column") if form in section]
        if len(forms) > 1 or not (forms or section.get("parties")):
            self.say("direction: give either value, or column and map, or parties: true")
        if "value" in section and section["value"] not in DIRECTIONS:
            self.say(f"direction.value: one of {', '.join(DIRECTIONS)}")
        if "column" in section and "map" not in section:
            self.say("direction.map is missing")
        for value in self.values(section):
            if value not in DIRECTIONS:
                self.say(f"direction.map: {value!r} is none of {', '.join(DIRECTIONS)}")

    def check_answered(self, section: dict[str, Any]) -> None:
        if "column" in section and "map" not in section:
            self.say("answered.map is missing")
        if "map" in section and "column" not in section:
            self.say("answered: column is missing")
        for rule in section.get("unless") or ():
            if not isinstance(rule, dict) or set(rule) != {"column", "values"}:
                self.say("answered.unless: rules with column and values")
        for value in self.values(section):
            if not isinstance(value, bool):
                self.say(f"answered.map: {value!r} must be true or false")
        self.whole_number("answered.min_talk_sec", section.get("min_talk_sec", 0))

    def check_client(self, section: dict[str, Any]) -> None:
        self.whole_number("client.pad_to", section.get("pad_to", 0))
        if not str(section.get("prefix", "")).lstrip("+").isdigit() and section.get("prefix"):
            self.say("client.prefix: digits only")

    def check_line(self, section: dict[str, Any]) -> None:
        if ("value" in section) == ("column" in section):
            self.say("line: give either value or column")
        if "value" in section:
            self.text("line.value", section["value"])

    def length(self, name: str, section: dict[str, Any]) -> None:
        """A length is a column, a difference of two clock times, or (duration) a sum."""
        forms = [form for form in ("column", "from", "plus") if form in section]
        allowed = ["column", "from and to", "plus"]
        if len(forms) != 1 or ("from" in section) != ("to" in section):
            self.say(f"{name}: give one of {', '.join(allowed)}")
        for key in ("from", "to"):
            if isinstance(section.get(key), list):
                self.texts(f"{name}.{key}", section[key])
            elif key in section:
                self.text(f"{name}.{key}", section[key])
        if "from" in section and "format" not in section:
            self.say(f"{name}.format is missing: how the two times are written")
        for key in ("plus", "minus"):
            if key in section:
                self.texts(f"{name}.{key}", section[key])
        if "format" in section:
            self.formats(f"{name}.format", section["format"], False)
        if section.get("unit", "seconds") not in UNITS:
            self.say(f"{name}.unit: one of {', '.join(UNITS)}")
        if section.get("on_negative", "reject") not in ON_NEGATIVE:
            self.say(f"{name}.on_negative: one of {', '.join(ON_NEGATIVE)}")

    def skip(self, rules: Any) -> None:
        if rules is None:
            return
        if not isinstance(rules, list):
            self.say("skip: must be a list of rules with column, values and reason")
            return
        for number, rule in enumerate(rules, 1):
            if not isinstance(rule, dict) or set(rule) not in SKIP_RULES:
                self.say(f"skip: rule {number} must have column, values and reason")
                continue
            self.text(f"skip: column of rule {number}", rule["column"])
            self.text(f"skip: reason of rule {number}", rule["reason"])
            if "values" in rule:
                self.texts(f"skip: values of rule {number}", rule["values"])

    def map(self, name: str, values: Any) -> None:
        if not isinstance(values, dict) or not values:
            self.say(f"{name}.map: must be pairs of a value of the file and its meaning")
            return
        for key in values:
            if not isinstance(key, str):
                self.say(f"{name}.map: put {key!r} into quotes, the file holds texts")

    def values(self, section: dict[str, Any]) -> list[Any]:
        return list(section["map"].values()) if isinstance(section.get("map"), dict) else []

    def text(self, where: str, value: Any) -> None:
        if not isinstance(value, str) or not value:
            self.say(f"{where}: must be a text, put it into quotes")

    def texts(self, where: str, values: Any) -> None:
        if not isinstance(values, list) or not values:
            self.say(f"{where}: must be a list of texts")
            return
        for value in values:
            if not isinstance(value, str):
                self.say(f"{where}: put {value!r} into quotes, the file holds texts")

    def columns(self, where: str, values: Any) -> None:
        """A list of columns; an inner list means the first filled one of it."""
        self.texts(where, flat(values) if isinstance(values, list) else values)

    def whole_number(self, where: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            self.say(f"{where}: must be a whole number")
