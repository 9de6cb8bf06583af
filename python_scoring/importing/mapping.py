"""What a mapping file says about a call log, checked before a line is read.

The sections are documented in mappings/anonymous_bank.yml.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from python_scoring.base.errors import ConfigurationError

BUNDLED = Path(__file__).parent / "mappings"
DIRECTIONS = {"incoming": 1, "outgoing": 2, "internal": 3}
DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
UNITS = ("seconds", "minutes", "clock")
ON_NEGATIVE = ("reject", "zero", "missing")

# Keys each section knows; the first of a pair of forms decides which one it is.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "file": ("delimiter", "encoding", "quotes", "columns"),
    "start": ("datetime", "date", "time", "clock_offset_sec"),
    "direction": ("value", "column", "map"),
    "answered": ("column", "map", "min_talk_sec"),
    "wait": ("column", "unit", "from", "to", "format", "on_negative"),
    "talk": ("column", "unit", "from", "to", "format", "on_negative"),
    "duration": ("column", "unit", "from", "to", "format", "plus", "on_negative"),
    "client": ("column", "null_values", "prefix", "pad_to"),
    "line": ("value", "column", "null_values"),
    "operator": ("column", "null_values"),
    "source": ("column", "null_values", "map"),
}
PLAIN = ("name", "key", "skip")
REQUIRED = ("name", "key", "start", "direction", "wait", "talk", "client")


@dataclass(frozen=True)
class MappingFile:
    """A checked mapping; `sections` holds each section's own keys."""

    name: str
    delimiter: str
    encoding: str
    quotes: bool
    columns: tuple[str, ...] | None
    key: tuple[str, ...]
    skip: tuple[Mapping[str, Any], ...]
    sections: Mapping[str, Mapping[str, Any]]

    def section(self, name: str) -> Mapping[str, Any] | None:
        return self.sections.get(name)

    def named_columns(self) -> list[tuple[str, str]]:
        """(where it is named, column) for every column the mapping uses."""
        named = [("key", column) for column in self.key]
        named += [("skip", rule["column"]) for rule in self.skip]
        for where, section in self.sections.items():
            for part in ("column", "from", "to"):
                if part in section:
                    named.append((f"{where}.{part}", section[part]))
            for part in ("datetime", "date", "time"):
                if part in section:
                    named.append((f"{where}.{part}.column", section[part]["column"]))
            named += [(f"{where}.plus", column) for column in section.get("plus", ())]
        return named


def load(path: Path) -> MappingFile:
    """Read and check a mapping: a path, or the name of one that comes with the project."""
    bundled = BUNDLED / f"{path.name}.yml"
    file = path if path.is_file() or not bundled.is_file() else bundled
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"cannot read the mapping {path}: {error}") from error
    mistakes = Checker().check(content)
    if mistakes:
        raise ConfigurationError(listing(f"{path}: the mapping", mistakes))
    return build(content)


def listing(subject: str, mistakes: list[str]) -> str:
    """All mistakes in one message."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return f"{subject} has {count}:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes)


def build(content: dict[str, Any]) -> MappingFile:
    file = content.get("file") or {}
    delimiter = str(file.get("delimiter", "comma"))
    columns = file.get("columns")
    return MappingFile(
        name=content["name"],
        delimiter=DELIMITERS.get(delimiter, delimiter),
        encoding=file.get("encoding", "utf-8"),
        quotes=file.get("quotes", True),
        columns=tuple(columns) if columns else None,
        key=tuple(content["key"]),
        skip=tuple(content.get("skip") or ()),
        sections={name: content[name] for name in SECTIONS if name != "file" and content.get(name)},
    )


class Checker:
    """Collects every mistake of a mapping instead of stopping at the first."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def check(self, content: Any) -> list[str]:
        if not isinstance(content, dict):
            return ["it must be a set of sections (name, key, start, ...)"]
        known = (*PLAIN, *SECTIONS)
        for name in content:
            if name not in known:
                self.say(f"unknown section {name!r}: known are {', '.join(known)}")
        for name in REQUIRED:
            if not content.get(name):
                self.say(f"section {name!r} is missing")
        for name in SECTIONS:
            if content.get(name) is not None:
                self.section(name, content[name])
        if content.get("name") and not isinstance(content["name"], str):
            self.say("name: must be a text")
        if content.get("key"):
            self.texts("key", content["key"])
        self.skip(content.get("skip"))
        return self.mistakes

    def say(self, mistake: str) -> None:
        self.mistakes.append(mistake)

    def section(self, name: str, section: Any) -> None:
        if not isinstance(section, dict):
            self.say(f"{name}: must be a set of keys, such as column")
            return
        for key in section:
            if key not in SECTIONS[name]:
                self.say(f"{name}: unknown key {key!r}: known are {', '.join(SECTIONS[name])}")
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
        needs_column = name in ("answered", "client", "operator", "source")
        if needs_column and "column" not in section:
            self.say(f"{name}: column is missing")

    def check_file(self, section: dict[str, Any]) -> None:
        delimiter = section.get("delimiter", "comma")
        if delimiter not in DELIMITERS and not (isinstance(delimiter, str) and len(delimiter) == 1):
            self.say(f"file.delimiter: one character or one of {', '.join(DELIMITERS)}")
        encoding = section.get("encoding", "utf-8")
        try:
            # A line must end with the byte of a newline, which rules out UTF-16 and UTF-32.
            if "\n".encode(codecs.lookup(str(encoding)).name)[-1:] != b"\n" or "16" in str(
                encoding
            ):
                raise LookupError
        except LookupError:
            self.say(f"file.encoding: {encoding!r} is not known, or not read line by line")
        if not isinstance(section.get("quotes", True), bool):
            self.say("file.quotes: true or false")
        if section.get("columns") is not None:
            self.texts("file.columns", section["columns"])

    def check_start(self, section: dict[str, Any]) -> None:
        whole, parts = "datetime" in section, {"date", "time"} & section.keys()
        if whole == bool(parts) or len(parts) == 1:
            self.say("start: give either datetime, or both date and time")
        for part in ("datetime", "date", "time"):
            if part in section:
                value = section[part]
                if not isinstance(value, dict) or set(value) != {"column", "format"}:
                    self.say(f"start.{part}: must have column and format, and no other key")
                    continue
                self.text(f"start.{part}.column", value["column"])
                if not isinstance(value["format"], str) or "%" not in value["format"]:
                    self.say(f"start.{part}.format: a format such as %Y-%m-%d %H:%M:%S")
        self.whole_number("start.clock_offset_sec", section.get("clock_offset_sec", 0))

    def check_direction(self, section: dict[str, Any]) -> None:
        if ("value" in section) == ("column" in section):
            self.say("direction: give either value, or column and map")
        if "value" in section and section["value"] not in DIRECTIONS:
            self.say(f"direction.value: one of {', '.join(DIRECTIONS)}")
        if "column" in section and "map" not in section:
            self.say("direction.map is missing")
        for value in self.values(section):
            if value not in DIRECTIONS:
                self.say(f"direction.map: {value!r} is none of {', '.join(DIRECTIONS)}")

    def check_answered(self, section: dict[str, Any]) -> None:
        if "map" not in section:
            self.say("answered.map is missing")
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
        allowed = ["column", "from and to"] + (["plus"] if name == "duration" else [])
        if len(forms) != 1 or ("from" in section) != ("to" in section):
            self.say(f"{name}: give one of {', '.join(allowed)}")
        for key in ("from", "to"):
            if key in section:
                self.text(f"{name}.{key}", section[key])
        if "from" in section and "format" not in section:
            self.say(f"{name}.format is missing: how the two times are written")
        if "plus" in section:
            self.texts(f"{name}.plus", section["plus"])
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
            if not isinstance(rule, dict) or set(rule) != {"column", "values", "reason"}:
                self.say(f"skip: rule {number} must have column, values and reason")
                continue
            self.text(f"skip: column of rule {number}", rule["column"])
            self.text(f"skip: reason of rule {number}", rule["reason"])
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

    def whole_number(self, where: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            self.say(f"{where}: must be a whole number")
