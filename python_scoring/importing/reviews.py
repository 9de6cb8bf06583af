"""Lines of a quality team's sheet as reviews, by a mapping, and reviews as rows of call_scores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from python_scoring.importing.calls import ENTRY_PREFIX, digest_of_key
from python_scoring.importing.lines import BadLine, LineReader
from python_scoring.importing.mapping import BUNDLED, MappingFile, checked, content_of
from python_scoring.importing.mapping_checks import Checker
from python_scoring.importing.moments import GUESSED
from python_scoring.importing.texts import is_null, number_of

FOLDER = BUNDLED / "reviews"
WITHIN_MIN = 5
# Outside every scale: "no mark", where the table's column cannot be null.
NO_MARK = -1.0
# Columns of call_scores that a sheet fills, with the longest text of each.
VALUES: Mapping[str, int | None] = {
    "call_score": None,
    "call_category": 255,
    "number_category": None,
    "outcome": 32,
    "is_target": None,
    "category_checklist": 255,
    "number_checklist": None,
    "requested_service_name": 255,
    "requested_doctor_speciality": 255,
    "refusal_reason": 255,
}
TEXT = ("column", "value", "map", "null_values")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "file": ("delimiter", "encoding", "quotes", "columns", "skip_lines", "sheet", "footer"),
    "call": ("column", "columns", "mapping"),
    "client": ("column", "null_values", "prefix", "pad_to"),
    "start": ("column", "format", "datetime", "date", "time", "twice", "within_min"),
    "reviewed": ("column", "format", "datetime", "date", "time", "twice", "days_after"),
    "score": ("column", "out_of"),
    "category": TEXT,
    "outcome": TEXT,
    "refusal": TEXT,
    "target": ("column", "value", "map", "other"),
    "checklist": TEXT,
    "items": ("column", "columns", "met"),
    "service": TEXT,
    "speciality": TEXT,
}
# The texts among them, and their columns of call_scores.
TEXTS = {
    "category": "call_category",
    "outcome": "outcome",
    "checklist": "category_checklist",
    "service": "requested_service_name",
    "speciality": "requested_doctor_speciality",
    "refusal": "refusal_reason",
}
_MARK = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:(%)|(?:/|из|of)\s*(\d+))?", re.IGNORECASE)


class ReviewChecker(Checker):
    """The mistakes of a mapping of reviews."""

    sections = SECTIONS
    plain = ("name", "title", "skip", "timezone", "utc_offset", "country", "null_values")
    required = ("name", "reviewed", "score", "target")

    def check_whole(self, content: dict[str, Any]) -> None:
        if not content.get("call") and not (content.get("client") and content.get("start")):
            self.say("call, or client and start: how a line finds its call")

    def check_call(self, section: dict[str, Any]) -> None:
        self.party("call", section)
        if not section.get("mapping"):
            self.say("call.mapping is missing: the name of the mapping that loaded the calls")

    def check_start(self, section: dict[str, Any]) -> None:
        super().check_start(section)
        self.whole_number("start.within_min", section.get("within_min", WITHIN_MIN))

    def check_reviewed(self, section: dict[str, Any]) -> None:
        if "days_after" in section:
            self.whole_number("reviewed.days_after", section["days_after"])
        else:
            super().check_start(section)

    def check_score(self, section: dict[str, Any]) -> None:
        if "column" not in section:
            self.say("score: column is missing")
        self.whole_number("score.out_of", section.get("out_of", 1))

    def check_target(self, section: dict[str, Any]) -> None:
        if "value" in section:
            if not isinstance(section["value"], bool):
                self.say("target.value: true or false")
        elif "column" not in section or "map" not in section:
            self.say("target: give either value (true: all are target calls), or column and map")
        if not all(isinstance(value, bool) for value in self.values(section)):
            self.say("target.map: values must be true or false")

    def check_items(self, section: dict[str, Any]) -> None:
        if ("column" in section) == ("columns" in section):
            self.say("items: give either column (their number), or columns and met")
        elif "columns" in section:
            self.texts("items.columns", section["columns"])
            self.texts("items.met", section.get("met"))


def load(path: Path) -> MappingFile:
    """Read and check a mapping of reviews: a path, or the name of one that comes with lm."""
    content = content_of(path, FOLDER)
    return checked(path, content, ReviewChecker().check(content), SECTIONS)


def bundled() -> list[MappingFile]:
    return [load(Path(file.stem)) for file in sorted(FOLDER.glob("*.yml"))]


@dataclass(slots=True)
class Review:
    """A line of the sheet. `entry_id`, or `digits` and `epoch` (UTC), tell its call."""

    line: int
    entry_id: str | None
    digits: str
    epoch: int | None
    reviewed: datetime | None
    is_date_only: bool
    values: tuple[Any, ...]

    def made(self, start: datetime, days_after: int | None) -> datetime:
        """When it was made, local: a date without a time means after the call."""
        if self.reviewed is None:
            return start + timedelta(days=days_after or 0)
        return max(self.reviewed, start) if self.is_date_only else self.reviewed


class ReviewReader(LineReader):
    """Builds reviews of lines."""

    def __init__(self, mapping: MappingFile, clinic: tzinfo) -> None:
        super().__init__(mapping, clinic)
        self.review_clock = self.make_clock("reviewed", (*GUESSED, "%Y-%m-%d", "%d.%m.%Y"))

    def review(self, line: int, fields: Sequence[str]) -> Review:
        fields = self.usable(fields)
        entry_id = self.entry_id(fields)
        digits, epoch = ("", None) if entry_id else self.number_and_time(fields)
        reviewed, date_only = self.reviewed(fields)
        texts = {
            column: self.text(fields, section, VALUES[column]) for section, column in TEXTS.items()
        }
        values = {
            **texts,
            "call_score": self.score(fields),
            # Neither may be null in the table.
            "call_category": texts["call_category"] or "",
            "number_category": 0,
            "is_target": int(self.target(fields)),
            "number_checklist": self.items(fields),
        }
        return Review(
            line, entry_id, digits, epoch, reviewed, date_only, tuple(values[c] for c in VALUES)
        )

    def entry_id(self, fields: Sequence[str]) -> str | None:
        section = self.mapping.section("call")
        if section is None:
            return None
        columns = section.get("columns") or [section["column"]]
        keys = [self.value(fields, column) for column in columns]
        if all(map(is_null, keys)):
            if self.mapping.section("client"):
                return None
            raise BadLine(f"{' + '.join(columns)}: no id of a call")
        return ENTRY_PREFIX + digest_of_key(section["mapping"], keys)

    def number_and_time(self, fields: Sequence[str]) -> tuple[str, int]:
        """Last ten digits of the client's number, and the second of the call."""
        section = self.mapping.sections["client"]
        try:
            number = number_of(self.value(fields, section["column"]), self.mapping.country)
        except ValueError as error:
            raise BadLine(f"{section['column']}: {error}") from None
        if not number:
            raise BadLine(f"{section['column']}: no number")
        number = str(section.get("prefix", "")) + number.zfill(section.get("pad_to", 0))
        return number[-10:], int(self.moment(fields, "start", self.clock).timestamp())

    def reviewed(self, fields: Sequence[str]) -> tuple[datetime | None, bool]:
        if "days_after" in self.mapping.sections["reviewed"]:
            return None, False
        moment = self.moment(fields, "reviewed", self.review_clock)
        shape = self.review_clock.shapes[0]
        local = self.review_clock.local(moment)
        date_only = "%" in shape and not any(code in shape for code in ("%H", "%I", "%T", "%X"))
        return local, date_only

    def score(self, fields: Sequence[str]) -> float:
        section = self.mapping.sections["score"]
        column = section["column"]
        text = self.value(fields, column)
        if is_null(text) or text in self.mapping.nulls:
            return NO_MARK
        match = _MARK.fullmatch(text)
        if match is None:
            raise BadLine(f"{column}: not a mark such as 8, 8,5 or 85 %")
        mark = float(match[1].replace(",", "."))
        most = 100 if match[2] else int(match[3]) if match[3] else section.get("out_of")
        if mark > (most or 100):
            raise BadLine(f"{column}: a mark above {most or 100}")
        return round(10 * mark / most, 4) if most else mark

    def text(self, fields: Sequence[str], name: str, longest: int | None) -> str | None:
        section = self.mapping.section(name)
        if section is None:
            return None
        text = str(section.get("value", ""))
        if "column" in section:
            found = self.value(fields, section["column"])
            nothing = is_null(found) or found in section.get("null_values", ())
            text = "" if nothing else str(section.get("map", {}).get(found, found))
        if longest and len(text) > longest:
            raise BadLine(f"{section.get('column', name)}: longer than {longest} characters")
        return text or None

    def target(self, fields: Sequence[str]) -> bool:
        section = self.mapping.sections["target"]
        return bool(section["value"] if "value" in section else self.mapped(fields, section))

    def items(self, fields: Sequence[str]) -> int | None:
        """Items of the checklist that were met."""
        section = self.mapping.section("items")
        if section is None:
            return None
        if "columns" in section:
            met = {word.casefold() for word in section["met"]}
            return sum(self.value(fields, c).casefold() in met for c in section["columns"])
        text = self.value(fields, section["column"])
        if is_null(text):
            return None
        if not re.fullmatch(r"\d{1,4}([.,]0+)?", text):
            raise BadLine(f"{section['column']}: not a number of items")
        return int(re.split("[.,]", text)[0])
