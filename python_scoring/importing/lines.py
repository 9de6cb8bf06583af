"""Lines of a call log turned into rows of call_history.

A line that cannot be a call is refused with a reason that names the column, never
its value: a call log is personal data.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.importing.mapping import DIRECTIONS, MappingFile, listing

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
LONGEST_LINE = 1_000_000
MAX_SECONDS = 65_535  # SMALLINT UNSIGNED
MAX_EPOCH = 4_294_967_295  # INT UNSIGNED
MAX_TEXT = 255
EPOCH = datetime(1970, 1, 1)


class BadLine(Exception):
    """Why a line is refused."""


class SkippedLine(Exception):
    """The mapping's own reason to leave a line out."""


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Physical lines with their numbers; .gz is unpacked on the way."""
    number = 0
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        stream: IO[bytes]
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:  # type: ignore[assignment]
            while line := stream.readline(LONGEST_LINE):
                number += 1
                yield number, line
    except FileNotFoundError:
        raise ConfigurationError(f"no file {path}") from None
    except (OSError, EOFError) as error:
        raise LmError(f"{path}: cannot read on after line {number}: {error}") from error


class LineReader:
    """Splits lines into fields and builds a row of each."""

    def __init__(self, mapping: MappingFile, utc_offset: timedelta) -> None:
        self.mapping = mapping
        self.utc_offset = utc_offset
        self.columns: dict[str, int] = {}

    def set_columns(self, names: Sequence[str], path: Path) -> None:
        """Take the column names; every column of the mapping must be among them."""
        mistakes = [
            f"column {n!r} occurs twice" for n in sorted({n for n in names if names.count(n) > 1})
        ]
        self.columns = {name: i for i, name in enumerate(names)}
        mistakes += [
            f"no column {column!r} in the file ({where})"
            for where, column in dict.fromkeys(self.mapping.named_columns())
            if column not in self.columns
        ]
        if mistakes:
            raise ConfigurationError(listing(f"{path} against its mapping", mistakes))

    def fields(self, line: bytes) -> list[str]:
        if len(line) >= LONGEST_LINE:
            raise BadLine(f"longer than {LONGEST_LINE} bytes")
        try:
            text = line.decode(self.mapping.encoding).rstrip("\r\n")
        except UnicodeDecodeError:
            raise BadLine(f"not {self.mapping.encoding} text") from None
        if not self.mapping.quotes:
            return [field.strip() for field in text.split(self.mapping.delimiter)]
        try:
            rows = list(csv.reader([text], delimiter=self.mapping.delimiter, strict=True))
        except csv.Error:
            raise BadLine("quotes do not close") from None
        return [field.strip() for field in rows[0]] if rows else [""]

    def row(self, fields: Sequence[str]) -> tuple[Any, ...]:
        """The values of COLUMNS for one call."""
        if len(fields) != len(self.columns):
            raise BadLine(f"{len(fields)} fields instead of {len(self.columns)}")
        for rule in self.mapping.skip:
            if self.value(fields, rule["column"]) in rule["values"]:
                raise SkippedLine(rule["reason"])
        entry_id = self.entry_id(fields)
        start = self.start(fields)
        epoch = int((start - EPOCH - self.utc_offset).total_seconds())
        if not 0 < epoch <= MAX_EPOCH:
            raise BadLine("start: the date is out of range")
        direction = self.direction(fields)
        wait = self.seconds(fields, "wait")
        talk = self.seconds(fields, "talk")
        talk, answered = self.answered(fields, talk)
        duration = self.duration(fields, wait, talk)
        client, line = self.client(fields), self.own_line(fields)
        operator = self.text(fields, "operator")
        outgoing = direction == DIRECTIONS["outgoing"]
        return (
            direction,
            line if outgoing else client,
            client if outgoing else line,
            operator if outgoing else None,
            None if outgoing else operator,
            talk,
            wait,
            duration,
            epoch,
            start,
            int(answered),
            self.text(fields, "source"),
            entry_id,
        )

    def value(self, fields: Sequence[str], column: str) -> str:
        return fields[self.columns[column]]

    def entry_id(self, fields: Sequence[str]) -> str:
        """The same call has the same id in every import of any version of the file."""
        values = [self.value(fields, column) for column in self.mapping.key]
        if not any(values):
            raise BadLine(f"{' + '.join(self.mapping.key)}: the key is empty")
        text = "\x1f".join([self.mapping.name, *values])
        return ENTRY_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:40]

    def start(self, fields: Sequence[str]) -> datetime:
        section = self.mapping.sections["start"]
        parts = [section[name] for name in ("datetime", "date", "time") if name in section]
        text = " ".join(self.value(fields, part["column"]) for part in parts)
        shape = " ".join(part["format"] for part in parts)
        try:
            moment = datetime.strptime(text, shape)
        except ValueError:
            columns = " + ".join(part["column"] for part in parts)
            raise BadLine(f"{columns}: not a time as {shape}") from None
        if moment.tzinfo is not None:
            moment = moment.astimezone(timezone(self.utc_offset)).replace(tzinfo=None)
        return moment + timedelta(seconds=section.get("clock_offset_sec", 0))

    def direction(self, fields: Sequence[str]) -> int:
        section = self.mapping.sections["direction"]
        word = section.get("value") or self.mapped(fields, section)
        return DIRECTIONS[word]

    def mapped(self, fields: Sequence[str], section: Mapping[str, Any]) -> Any:
        """The meaning of a value; one the map does not know makes the line bad."""
        value = self.value(fields, section["column"])
        if value not in section["map"]:
            raise BadLine(f"{section['column']}: a value that the map does not know")
        return section["map"][value]

    def answered(self, fields: Sequence[str], talk: int | None) -> tuple[int | None, bool]:
        """Talk seconds and whether somebody answered: the tables know it by talk alone."""
        section = self.mapping.section("answered")
        if section is None:
            return talk, bool(talk)
        if not self.mapped(fields, section):
            return 0, False
        least = section.get("min_talk_sec", 0)
        if not talk and not least:
            raise BadLine("talk: an answered call without talk")
        return max(talk or 0, least), True

    def seconds(self, fields: Sequence[str], name: str) -> int | None:
        """A length in whole seconds; an empty field is unknown."""
        section = self.mapping.section(name)
        if section is None:
            return None
        if "from" in section:
            seconds = self.difference(fields, section)
        else:
            column = section["column"]
            seconds = self.length(
                self.value(fields, column), column, section.get("unit", "seconds")
            )
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

    def length(self, text: str, column: str, unit: str) -> int | None:
        if not text:
            return None
        try:
            if unit == "clock" or ":" in text:
                return clock_seconds(text)
            number = float(text.replace(",", "."))
            return int(number * (60 if unit == "minutes" else 1))
        except (ValueError, OverflowError):
            raise BadLine(f"{column}: not a length in {unit}") from None

    def difference(self, fields: Sequence[str], section: Mapping[str, Any]) -> int | None:
        texts = [self.value(fields, section[key]) for key in ("from", "to")]
        if not all(texts):
            return None
        try:
            first, last = (datetime.strptime(text, section["format"]) for text in texts)
        except ValueError:
            raise BadLine(
                f"{section['from']}, {section['to']}: not times as {section['format']}"
            ) from None
        seconds = int((last - first).total_seconds())
        # Clock times without a date: the second one may be after midnight.
        dated = any(code in section["format"] for code in ("%d", "%j", "%x", "%c"))
        return seconds if dated else seconds % 86_400

    def duration(self, fields: Sequence[str], wait: int | None, talk: int | None) -> int | None:
        section = self.mapping.section("duration")
        if section is None or "plus" not in section:
            return self.seconds(fields, "duration")
        parts = [self.length(self.value(fields, c), c, "seconds") for c in section["plus"]]
        known = [part for part in (*parts, wait, talk) if part is not None]
        if len(known) < len(parts) + 2:
            return None
        if min(known) < 0:
            return self.bounded(min(known), "duration", section)
        return self.bounded(sum(known), "duration", section)

    def client(self, fields: Sequence[str]) -> str:
        """The outside number; '' is a hidden one."""
        section = self.mapping.sections["client"]
        number = self.value(fields, section["column"])
        if not number or number in section.get("null_values", ()):
            return ""
        return self.short(
            str(section.get("prefix", "")) + number.zfill(section.get("pad_to", 0)),
            section["column"],
        )

    def own_line(self, fields: Sequence[str]) -> str:
        section = self.mapping.section("line")
        if section is None:
            return ""
        return str(section["value"]) if "value" in section else self.text(fields, "line") or ""

    def text(self, fields: Sequence[str], name: str) -> str | None:
        section = self.mapping.section(name)
        if section is None:
            return None
        value = self.value(fields, section["column"])
        if not value or value in section.get("null_values", ()):
            return None
        return self.short(str(section.get("map", {}).get(value, value)), section["column"])

    def short(self, text: str, column: str) -> str:
        if len(text) > MAX_TEXT:
            raise BadLine(f"{column}: longer than {MAX_TEXT} characters")
        return text


def clock_seconds(text: str) -> int:
    """Seconds of h:mm:ss or m:ss; hours may be more than a day's."""
    sign, parts = (-1, text[1:]) if text.startswith("-") else (1, text)
    numbers = [int(part) for part in parts.split(":")]
    if (
        not 2 <= len(numbers) <= 3
        or any(n < 0 for n in numbers)
        or any(n > 59 for n in numbers[1:])
    ):
        raise ValueError(text)
    seconds = 0
    for number in numbers:
        seconds = 60 * seconds + number
    return sign * seconds
