"""A look at an unknown call log: what it is, which system wrote it, and a mapping to propose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing import mapping as mappings
from python_scoring.importing.lengths import seconds_of
from python_scoring.importing.moments import parser_of
from python_scoring.importing.reading import TEXT, Content, Record, records
from python_scoring.importing.streams import told_delimiter
from python_scoring.importing.texts import is_null, looks_like_phone, masked

LOOKED_AT = 500
DELIMITER_NAMES = {sign: name for name, sign in mappings.DELIMITERS.items()}
# Words of a column's name, in the order of trust.
NAMES: dict[str, str] = {
    "key": r"^(call.?|contact.?|conversation.?)?(unique)?id$|call.?sid|^uid$|^№$|номер звонка",
    "start": r"start|begin|calldate|date.?time|call time|начал|дата и время|^date$|^дата$|initiat",
    "time": r"^time$|^время$",
    "direction": r"direction|^dir$|тип (вызова|звонка)|направление|call.?type|^type$",
    "caller": r"^from|caller|^src$|кто звонил|откуда|звонивш|^clid$|calling|^a.?number",
    "callee": r"^to\b|callee|^dst$|destination|с кем|куда|called|^b.?number|принявш",
    "client": r"client|customer|phone|телефон|клиент|абонент|номер клиента",
    "line": r"^line|^did|номер линии|номер салона|вирт|trunk|dialed",
    "operator": r"operator|agent|employee|user.?name|оператор|сотрудник|менеджер|extension",
    "wait": r"wait|ring|ожидан|дозвон|speed of answer|queue.?time",
    "talk": r"talk|billsec|разговор|conversation|duration|длительн",
    "answered": r"status|disposition|answered|статус|результат|outcome|^result",
    "source": r"source|utm|источник|реклам",
}  # fmt: skip
WORDS = {
    "incoming": r"^(in|inbound|incoming|вх\w*)$",
    "outgoing": r"^(out|outbound|outgoing|исх\w*)",
    "internal": r"^(internal|внутр\w*|local)$",
}
YES = r"^(answered|y|yes|true|1|ok|success\w*|completed|connected|отвеч\w*|принят\w*|успеш\w*|да)$"
FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M", "iso", "epoch",
    "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M:%S %p",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "rfc2822",
)  # fmt: skip
DAYS = ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d")
CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p")
DISPOSITIONS = {"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"}


@dataclass
class Finding:
    """What was found; `system` is a mapping by name, `open_questions` what only the user knows."""

    content: Content
    described: list[str]
    system: str | None = None
    mapping: mappings.MappingFile | None = None
    mapping_text: str = ""
    open_questions: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "found": self.described,
            "system": self.system,
            "questions": self.open_questions,
            "mapping": self.mapping_text,
            "loaded": False,
        }

    def as_text(self) -> str:
        lines = list(self.described)
        if self.system and self.mapping:
            lines.append(f"looks like {self.mapping.title or self.system}: --mapping {self.system}")
        lines += [f"please decide: {question}" for question in self.open_questions]
        return "\n".join(lines)


def look_at(content: Content) -> Finding:
    """Look at the first records; no guess is ever loaded."""
    delimiter = told_delimiter(content) if content.kind == TEXT else ","
    found = list(islice(records(content, delimiter, True), LOOKED_AT))
    described = [f"{masked(content.path.name)}: {content.kind}"]
    if content.kind == TEXT:
        named = DELIMITER_NAMES.get(delimiter, delimiter)
        described[0] += f", {content.encoding}, fields separated by {named}"
    place = header_place(found)
    system = known_system(found, place, delimiter)
    if system is not None:
        finding = Finding(content, described, system.name, system)
        finding.mapping_text = (mappings.BUNDLED / f"{system.name}.yml").read_text(encoding="utf-8")
        return finding
    if place is None:
        raise ConfigurationError(
            f"{content.name}: no line with column names: write a mapping with file.columns"
        )
    header = found[place].fields
    described.append(
        f"column names in line {found[place].line or 1}: " + ", ".join(h for h in header if h)
    )
    rows = [r.fields for r in found[place + 1 :] if not r.bad and len(r.fields) == len(header)]
    if not rows:
        raise ConfigurationError(
            f"{content.name}: a header and nothing under it: no calls to look at"
        )
    finding = Finding(content, described)
    proposal = Proposal(header, rows, content)
    draft = proposal.draft()
    finding.open_questions = proposal.questions
    finding.mapping_text = (
        "# Proposed by lm import after a look at the file: check each line.\n"
        + "".join(f"# {question}\n" for question in proposal.questions)
        + yaml.safe_dump(draft, allow_unicode=True, sort_keys=False)
    )
    from python_scoring.importing.mapping_checks import Checker

    mistakes = Checker().check(draft)
    if mistakes:
        finding.open_questions += mistakes
    else:
        finding.mapping = mappings.build(draft)
    return finding


def header_place(found: Sequence[Record]) -> int | None:
    """Which record has the column names: the first wide one without numbers."""
    width = Counter(len(r.fields) for r in found if not r.bad).most_common(1)
    if not width or width[0][0] < 2:
        return None
    for place, record in enumerate(found[:50]):
        fields = [f for f in record.fields if f]
        if len(record.fields) >= width[0][0] and len(fields) > 1:
            plain = all(re.search(r"[^\W\d_]|№", f) and not re.search(r"\d{4}", f) for f in fields)
            return place if plain else None
    return None


def known_system(
    found: Sequence[Record], place: int | None, delimiter: str
) -> mappings.MappingFile | None:
    names = set(found[place].fields) if place is not None else set()
    matches = [m for m in mappings.bundled() if m.known_by and set(m.known_by) <= names]
    if matches:
        return max(matches, key=lambda m: len(m.known_by))
    first = next((r.fields for r in found if len(r.fields) > 3), [])
    if delimiter == "|" and len(first) >= 5 and first[0].replace(".", "").isdigit():
        return mappings.load(Path("asterisk_queue_log"))
    if len(first) in (16, 17, 18) and first[14] in DISPOSITIONS:
        return mappings.load(Path("asterisk"))
    return None


class Proposal:
    """Guesses the meaning of columns by their names and what stands in them."""

    def __init__(
        self, header: Sequence[str], rows: Sequence[Sequence[str]], content: Content
    ) -> None:
        self.header = list(header)
        self.rows = rows
        self.content = content
        self.questions: list[str] = []
        self.taken: set[str] = set()

    def values(self, column: str) -> list[str]:
        place = self.header.index(column)
        return [row[place] for row in self.rows if not is_null(row[place])]

    def find(self, meaning: str, fits: Callable[[list[str]], bool] = bool) -> str | None:
        for column in self.header:
            if column and column not in self.taken and self.header.count(column) == 1:
                named = re.search(NAMES[meaning], column.strip(), re.IGNORECASE)
                if named and fits(self.values(column)):
                    self.taken.add(column)
                    return column
        return None

    def draft(self) -> dict[str, Any]:
        name = re.sub(r"\W+", "_", masked(self.content.path.stem)).strip("_").lower() or "my_calls"
        draft: dict[str, Any] = {"name": name}
        key = self.find("key", lambda values: len(set(values)) == len(values) > 0)
        start = self.start()
        if start is None:
            self.questions.append("which column is the start of the call: write start.column")
        direction = self.find("direction", lambda v: bool(self.direction_map(v)))
        caller = self.find("caller", self.has_parties)
        callee = self.find("callee")
        client = (
            None if caller and callee else caller or callee or self.find("client", self.has_parties)
        )
        if (caller and not callee) or (callee and not caller):
            self.taken.discard(callee or "")
        operator = self.find("operator", lambda v: bool(v) and not any(map(looks_like_phone, v)))
        wait = self.find("wait", self.has_lengths)
        talk = self.find("talk", self.has_lengths)
        line, source = self.find("line"), self.find("source")
        answered = self.find("answered", lambda v: len(set(v)) < 12)
        draft["key"] = (
            [key] if key else [c for c in (*self.start_columns, caller or client or "") if c]
        )
        if not key:
            self.questions.append("no column tells calls apart by itself: check key")
        draft["start"] = start or {"column": "?"}
        if direction:
            draft["direction"] = {
                "column": direction,
                "map": self.direction_map(self.values(direction)),
            }
        elif caller and callee:
            draft["direction"] = {"parties": True}
            draft["own"] = {"longest_extension": 5}
        else:
            draft["direction"] = {"value": "incoming"}
            self.questions.append("no column tells the direction: all calls are taken as incoming")
        if caller and callee:
            draft["caller"], draft["callee"] = {"column": caller}, {"column": callee}
        elif client:
            draft["client"] = {"column": client}
        else:
            self.questions.append("no column with clients' numbers: callers cannot be told apart")
        for meaning, column in (("operator", operator), ("line", line), ("source", source)):
            if column:
                draft[meaning] = {"column": column}
        for meaning, column in (("wait", wait), ("talk", talk)):
            if column:
                minutes = re.search(r"мин|min", column, re.IGNORECASE)
                draft[meaning] = {"column": column, **({"unit": "minutes"} if minutes else {})}
        if answered:
            yes = {
                v: bool(re.search(YES, v, re.IGNORECASE))
                for v in sorted(set(self.values(answered)))
            }
            draft["answered"] = {"column": answered, "map": yes, "min_talk_sec": 1}
        if not talk:
            self.questions.append("no column with the length of talk")
        return draft

    def start(self) -> dict[str, Any] | None:
        self.start_columns: list[str] = []
        for column in self.header:
            if column and re.search(NAMES["start"], column, re.IGNORECASE):
                shapes = self.shapes(column, FORMATS)
                if shapes:
                    self.taken.add(column)
                    self.start_columns = [column]
                    return {"column": column, "format": shapes if len(shapes) > 1 else shapes[0]}
        for day in self.header:
            shapes = self.shapes(day, DAYS) if day else []
            clock = self.find("time") if shapes else None
            if clock and (clocks := self.shapes(clock, CLOCKS)):
                self.taken.add(day)
                self.start_columns = [day, clock]
                return {
                    "date": {"column": day, "format": shapes[0]},
                    "time": {"column": clock, "format": clocks if len(clocks) > 1 else clocks[0]},
                }
        return None

    def shapes(self, column: str, among: Sequence[str]) -> list[str]:
        """The formats that together read every value; asks where day and month could be swapped."""
        values = self.values(column)
        reads = {shape: sum(reads_as(shape, v) for v in values) for shape in among}
        whole = [shape for shape in among if values and reads[shape] == len(values)]
        if not whole:
            chosen: list[str] = []
            for shape in sorted(among, key=lambda s: -reads[s]):
                if any(
                    reads_as(shape, v) and not any(reads_as(c, v) for c in chosen) for v in values
                ):
                    chosen.append(shape)
            good = [v for v in values if any(reads_as(c, v) for c in chosen)]
            mixed = any(c.startswith("%d/") for c in chosen) and any(
                c.startswith("%m/") for c in chosen
            )
            return chosen if len(good) > 0.9 * len(values) > 0 and not mixed else []
        days = [s for s in whole if s.startswith("%d/")]
        months = [s for s in whole if s.startswith("%m/")]
        if days and months:
            self.questions.append(
                f"{column}: every date reads both ways: choose {days[0]} or {months[0]}"
            )
        return whole[:1]

    def direction_map(self, values: list[str]) -> dict[str, str]:
        """Each value's direction; empty when one of them is none."""
        found: dict[str, str] = {}
        for value in set(values):
            word = next((n for n, p in WORDS.items() if re.search(p, value, re.IGNORECASE)), None)
            if word is None:
                return {}
            found[value] = word
        return found

    def has_parties(self, values: list[str]) -> bool:
        return sum(map(looks_like_phone, values)) * 4 >= len(values) > 0

    def has_lengths(self, values: list[str]) -> bool:
        return all(is_length(value) for value in values)


def reads_as(shape: str, text: str) -> bool:
    if shape == "epoch" and not re.fullmatch(r"\d{10,16}([.,]\d+)?", text):
        return False
    try:
        parser_of(shape)(text)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def is_length(text: str) -> bool:
    try:
        seconds_of(text)
    except ValueError:
        return False
    return True
