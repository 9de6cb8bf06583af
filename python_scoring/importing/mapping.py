"""What a mapping file says about a call log, checked before a line is read.

The sections are explained in README.md here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_scoring.base import yaml_text
from python_scoring.base.errors import ConfigurationError
from python_scoring.base.yaml_text import YamlError

BUNDLED = Path(__file__).parent / "mappings"
DIRECTIONS = {"incoming": 1, "outgoing": 2, "internal": 3}
DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
OPERATOR_OF_LEGS = ("longest", "first", "last")
ON_NEGATIVE = ("reject", "zero", "missing")

LENGTH = ("column", "unit", "from", "to", "format", "plus", "minus", "on_negative")
PARTY = ("column", "columns", "null_values", "pattern", "prefix", "pad_to")
# Keys each section knows; the first of a pair of forms decides which one it is.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "file": (
        "delimiter",
        "encoding",
        "quotes",
        "columns",
        "skip_lines",
        "sheet",
        "footer",
        "events",
    ),
    "start": ("column", "format", "datetime", "date", "time", "clock_offset_sec", "twice"),
    "direction": ("value", "column", "map", "parties", "incoming_if"),
    "answered": ("column", "map", "other", "min_talk_sec", "unless", "needs"),
    "wait": LENGTH,
    "talk": LENGTH,
    "duration": LENGTH,
    "caller": PARTY,
    "callee": PARTY,
    "own": ("numbers", "longest_extension"),
    "client": ("column", "null_values", "prefix", "pad_to"),
    "line": ("value", "column", "null_values"),
    "operator": ("column", "columns", "null_values", "pattern", "map", "incoming", "outgoing"),
    "source": ("column", "null_values", "map"),
    "legs": ("call", "within_sec", "operator"),
}
# Keys that hold lists of columns.
LISTS = ("plus", "minus", "columns", "incoming_if", "needs", "call")
PLAIN = (
    "name",
    "key",
    "skip",
    "timezone",
    "utc_offset",
    "country",
    "null_values",
    "title",
    "known_by",
)
REQUIRED = ("name", "start", "direction")


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
    title: str = ""
    zone: str = ""
    country: str = ""
    nulls: frozenset[str] = frozenset()
    footer: tuple[str, ...] = ()
    skip_lines: int = 0
    sheet: str | None = None
    events: str | None = None
    fingerprint: str = ""
    known_by: tuple[str, ...] = ()

    def section(self, name: str) -> Mapping[str, Any] | None:
        return self.sections.get(name)

    def named_columns(self) -> list[tuple[str, str]]:
        """(where it is named, column) for every column the mapping uses."""
        named = [("key", column) for column in flat(self.key)]
        named += [("skip", rule["column"]) for rule in self.skip]
        for where, section in self.sections.items():
            for part in ("column", "from", "to", *LISTS):
                value = section.get(part)
                if where == "legs" and part == "operator":
                    continue
                columns = value if isinstance(value, list) else [value] if value else []
                named += [(f"{where}.{part}", column) for column in flat(columns)]
            for part in ("datetime", "date", "time", "incoming", "outgoing"):
                if isinstance(section.get(part), dict):
                    inner = section[part]
                    columns = inner.get("columns") or [inner["column"]]
                    named += [(f"{where}.{part}.column", column) for column in columns]
            named += [(f"{where}.unless", rule["column"]) for rule in section.get("unless", ())]
        return named


def load(path: Path) -> MappingFile:
    """Read and check a mapping: a path, or the name of one that comes with the project."""
    # Here, for the checks use the lists above.
    from python_scoring.importing.mapping_checks import Checker

    content = content_of(path, BUNDLED)
    return checked(path, content, Checker().check(content), SECTIONS)


def content_of(path: Path, folder: Path) -> Any:
    """What a YAML file says; a name without a file is one of the folder."""
    bundled = folder / f"{path.name}.yml"
    file = path if path.is_file() or not bundled.is_file() else bundled
    if not file.is_file():
        raise ConfigurationError(
            f"no mapping {path}: give a YAML file, or a name that `lm import --list` shows"
        )
    try:
        return yaml_text.load_file(file)
    except (OSError, YamlError) as error:
        raise ConfigurationError(f"cannot read the mapping {path}: {error}") from error


def checked(
    path: Path, content: Any, mistakes: list[str], sections: Iterable[str]
) -> MappingFile:  # fmt: skip
    """The mapping; ConfigurationError lists all mistakes."""
    if mistakes:
        raise ConfigurationError(listing(f"{path}: the mapping", mistakes))
    return build(content, sections)


def bundled() -> list[MappingFile]:
    """The mappings that come with the project, by name."""
    return [load(Path(file.stem)) for file in sorted(BUNDLED.glob("*.yml"))]


def listing(subject: str, mistakes: list[str]) -> str:
    """All mistakes in one message."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return f"{subject} has {count}:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes)


def flat(columns: Iterable[Any]) -> list[str]:
    """Columns, with those of an inner list (the first filled one counts) beside them."""
    return [c for column in columns for c in (column if isinstance(column, list) else [column])]


def build(content: dict[str, Any], sections: Iterable[str] = SECTIONS) -> MappingFile:
    file = content.get("file") or {}
    delimiter = file.get("delimiter")
    columns = file.get("columns")
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return MappingFile(
        name=content["name"],
        delimiter=DELIMITERS.get(delimiter, delimiter) if delimiter else "",
        encoding=str(file.get("encoding") or ""),
        quotes=file.get("quotes", True),
        columns=tuple(columns) if columns else None,
        key=tuple(content.get("key") or ()),
        skip=tuple(content.get("skip") or ()),
        sections={name: content[name] for name in sections if name != "file" and content.get(name)},
        title=str(content.get("title") or ""),
        zone=str(content.get("timezone") or content.get("utc_offset") or ""),
        country=str(content.get("country") or ""),
        nulls=frozenset(content.get("null_values") or ()),
        footer=tuple(file.get("footer") or ()),
        skip_lines=int(file.get("skip_lines") or 0),
        sheet=file.get("sheet"),
        events=file.get("events"),
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:16],
        known_by=tuple(content.get("known_by") or ()),
    )
