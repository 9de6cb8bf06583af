"""A roster from a CSV file: how many operators are planned in each hour of a day or weekday."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from python_scoring.base.errors import ConfigurationError

COLUMNS = ("day", "from", "to", "people")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_ERRORS = 20


@dataclass(frozen=True)
class Shift:
    """`people` operators from the hour `begin` until `end` on a date or a weekday (0 Monday)."""

    day: date | int
    begin: int
    end: int
    people: float


def read(path: Path) -> list[Shift]:
    """The shifts of the file; all its mistakes in one ConfigurationError, each with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return parse(stream, str(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"cannot read the roster {path}: {error}") from error


def parse(lines: Iterable[str], name: str) -> list[Shift]:
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ConfigurationError(
            f"{name}, line 1: the columns must be {','.join(COLUMNS)}, not"
            f" {','.join(reader.fieldnames or ()) or 'nothing'}"
        )
    shifts: list[Shift] = []
    errors: list[str] = []
    for row in reader:
        wrong = list(_mistakes(row))
        errors += [f"{name}, line {reader.line_num}: {text}" for text in wrong]
        if not wrong:
            shifts.append(
                Shift(_day(row["day"]), int(row["from"]), int(row["to"]), float(row["people"]))
            )
    if not shifts and not errors:
        errors.append(f"{name}: no shifts below the header")
    if errors:
        more = [f"and {len(errors) - MOST_ERRORS} more"] if len(errors) > MOST_ERRORS else []
        raise ConfigurationError("\n".join(errors[:MOST_ERRORS] + more))
    return shifts


def people_at(shifts: Iterable[Shift], day: date, hour: int) -> float:
    """Shifts of the hour add up; a date that has shifts of its own keeps none of its weekday's."""
    shifts = list(shifts)
    own = [shift for shift in shifts if shift.day == day]
    found = own or [shift for shift in shifts if shift.day == day.weekday()]
    return sum(shift.people for shift in found if shift.begin <= hour < shift.end)


def _mistakes(row: dict[str, str]) -> Iterator[str]:
    try:
        _day(row["day"])
    except ValueError:
        yield f"day is {row['day']!r}: write {', '.join(WEEKDAYS)} or a date like 2026-03-31"
    hours = []
    for column in ("from", "to"):
        text = (row[column] or "").strip()
        if re.fullmatch(r"\d{1,2}", text) and int(text) <= 24:
            hours.append(int(text))
        else:
            yield f"{column} is {row[column]!r}: write a whole hour, 0 to 24"
    if len(hours) == 2 and hours[0] >= hours[1]:
        yield f"from {hours[0]} to {hours[1]}: split a shift over midnight into two lines"
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", (row["people"] or "").strip()):
        yield f"people is {row['people']!r}: write a number, 0 or more"


def _day(text: str) -> date | int:
    text = (text or "").strip().lower()
    return WEEKDAYS.index(text) if text in WEEKDAYS else date.fromisoformat(text)
