"""A sheet of reviews into call_scores: each line finds its call, what finds none is listed.

A mark that has changed is added as a newer review of the call, whose newest review counts: so the
models follow, and an undo brings the old one back.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.source_tables import CALL_HISTORY, CALL_SCORES, insert_rows, quote
from python_scoring.importing.mapping import MappingFile
from python_scoring.importing.reading import inspect
from python_scoring.importing.reviews import VALUES, WITHIN_MIN, Review, ReviewReader
from python_scoring.importing.store import REVIEWS, Table, review_mark
from python_scoring.importing.streams import RecordStream, Rejects
from python_scoring.importing.texts import masked

CHUNK = 500
NOTHING_FOUND = (
    "no line found its call: see that the calls are imported, that call.mapping is the name of the "
    "mapping that loaded them, and that timezone is the sheet's"
)


@dataclass
class ReviewResult:
    """What became of the lines of a sheet."""

    schema: str
    file: str = ""
    import_id: int | None = None
    dry_run: bool = False
    lines: int = 0
    inserted: int = 0
    corrected: int = 0
    changed: int = 0
    already_there: int = 0
    unmatched: int = 0
    rejected: int = 0
    waiting: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    first_rejects: list[str] = field(default_factory=list)
    reject_file: str | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        counts = {"skipped": dict(self.skipped), "notes": dict(self.notes)}
        return {**vars(self), **counts, "seconds": round(self.seconds, 1)}

    def as_text(self) -> str:
        number = f"import {self.import_id}, " if self.import_id else ""
        would = "would be " if self.dry_run else ""
        lines = [f"{self.file}: {number}{self.lines} reviews read, into {self.schema}:"]
        lines += [
            f"  {self.inserted} {would}inserted",
            f"  {self.already_there} were there already",
        ]
        if self.corrected:
            lines.append(f"  {self.corrected} changed marks {would}added as newer reviews")
        if self.changed:
            lines.append(f"  {self.changed} changed in the file since: --update adds them")
        lines += [f"  {count} skipped: {why}" for why, count in self.skipped.most_common()]
        lines += [f"  {count} times: {what}" for what, count in self.notes.most_common()]
        see = f", see {self.reject_file}" if self.reject_file else ""
        lines.append(f"  {self.unmatched} found no call, {self.rejected} rejected{see}")
        if self.dry_run:
            lines += [f"    {reject}" for reject in self.first_rejects]
        if self.import_id and (self.inserted or self.corrected):
            lines.append(f"  take it back: lm import --undo {self.import_id}")
        return "\n".join(lines)


class Found(NamedTuple):
    """A call that a review is of."""

    history_id: int
    start: datetime


def import_reviews(
    connection: MySQLConnectionAbstract, path: Path, mapping: MappingFile, schema: str, *,
    clinic: tzinfo, reject_file: Path, call_history: str = CALL_HISTORY,
    call_scores: str = CALL_SCORES, update: bool = False, dry_run: bool = False,
) -> ReviewResult:  # fmt: skip
    """Load a sheet; with `dry_run` only look for the calls and count."""
    began = time.monotonic()
    result = ReviewResult(schema=schema, file=masked(path.name), dry_run=dry_run)
    reader = ReviewReader(mapping, clinic)
    stream = RecordStream(inspect(path, mapping.encoding or None), mapping, reader)
    stream.records()  # its mistakes before anything else
    table = Table(connection, schema, call_history)
    if not table.exists(call_history) or not table.exists(call_scores):
        raise ConfigurationError(f"no calls in {schema}: import the calls first")
    try:
        with table.locked(), Rejects(None if dry_run else reject_file) as rejects:
            table.check()
            sheet = Sheet(table, call_scores, mapping, clinic, update)
            if not dry_run:
                key = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
                table.begin(result.file, key, REVIEWS + mapping.name, mapping.fingerprint)
                result.import_id = table.import_id
            reviews = stream.understood(reader.review, result, rejects)
            try:
                while chunk := list(islice(reviews, CHUNK)):
                    sheet.take(chunk, result, rejects)
            except ConfigurationError:
                # Nothing of a sheet that cannot be trusted stays.
                if not dry_run:
                    table.undo(table.import_id, call_scores)
                raise
            if not dry_run:
                bad = result.rejected + result.unmatched
                size = path.stat().st_size
                table.end("done", result.inserted, result.corrected, bad, size, None)
    except mysql.connector.Error as error:
        raise LmError(f"the import stopped after {result.inserted} reviews: {error}") from error
    result.notes.update(reader.notes)
    if result.unmatched and result.unmatched == result.lines - result.rejected:
        result.notes[NOTHING_FOUND] = 1
    result.first_rejects = rejects.first
    told = result.rejected or result.unmatched
    result.reject_file = str(reject_file) if told and not dry_run else None
    result.seconds = time.monotonic() - began
    return result


class Sheet:
    """Finds the calls of reviews and writes what is new."""

    def __init__(
        self, table: Table, scores: str, mapping: MappingFile, clinic: tzinfo, update: bool
    ) -> None:
        self.table, self.scores, self.clinic, self.update = table, scores, clinic, update
        self.path = f"{quote(table.schema)}.{quote(scores)}"
        start = mapping.section("start") or {}
        self.within = 60 * int(start.get("within_min", WITHIN_MIN))
        self.days_after = mapping.sections["reviewed"].get("days_after")
        present = table.rows(
            "select lower(column_name) from information_schema.columns"
            " where table_schema = %s and table_name = %s",
            (table.schema, scores),
        )
        self.columns = [column for column in VALUES if (column,) in present]
        self.seen: set[tuple[int, datetime]] = set()

    def take(self, reviews: Sequence[Review], result: ReviewResult, rejects: Rejects) -> None:
        """Match a chunk, count it, and insert what is to go in."""
        calls = self.by_id(reviews) | self.by_number(reviews, result, rejects)
        there = self.there({call.history_id for call in calls.values()})
        rows = []
        for review in reviews:
            call = calls.get(review.line)
            if call is None:
                continue
            made = review.made(call.start, self.days_after).replace(microsecond=0)
            key = (call.history_id, made)
            if key in self.seen:
                result.rejected += 1
                rejects.add(review.line, "an earlier line reviews the same call at the same time")
                continue
            self.seen.add(key)
            values = tuple(
                v for v, c in zip(review.values, VALUES, strict=True) if c in self.columns
            )
            stored = there.get(key)
            if stored is not None and same(stored, values):
                result.already_there += 1
                continue
            if stored is None:
                result.inserted += 1
            elif self.update:
                result.corrected += 1
            else:
                result.changed += 1
                continue
            rows.append((*key, review_mark(self.table.import_id), *values))
        for review in reviews:
            if review.entry_id is not None and review.line not in calls:
                result.unmatched += 1
                rejects.add(review.line, "no call with this id")
        if not result.dry_run:
            names = ("history_id", "score_date", "call_success", *self.columns)
            insert_rows(self.table.connection, self.table.schema, self.scores, names, rows)

    def by_id(self, reviews: Sequence[Review]) -> dict[int, Found]:
        """The calls by the lines that tell an id."""
        wanted = sorted({r.entry_id for r in reviews if r.entry_id is not None})
        if not wanted:
            return {}
        marks = ", ".join(["%s"] * len(wanted))
        found = {
            entry: Found(int(history_id), self.local(epoch))
            for entry, history_id, epoch in self.table.rows(
                "select entry_id, history_id, context_start_time"
                f" from {self.table.path} where entry_id in ({marks})",
                wanted,
            )
        }
        return {r.line: found[r.entry_id] for r in reviews if r.entry_id in found}

    def by_number(
        self, reviews: Sequence[Review], result: ReviewResult, rejects: Rejects
    ) -> dict[int, Found]:
        """The nearest calls of the number in time; the lines without one are told."""
        asked = [(r, r.epoch) for r in reviews if r.epoch is not None]
        calls: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for low, high in spans([epoch for _, epoch in asked], self.within):
            for history_id, epoch, *numbers in self.table.rows(
                "select history_id, context_start_time, caller_number, called_number"
                f" from {self.table.path} where context_start_time between %s and %s",
                (low, high),
            ):
                for digits in {str(number)[-10:] for number in numbers if number}:
                    calls[digits].append((int(epoch), int(history_id)))
        found: dict[int, Found] = {}
        for review, wanted in asked:
            near = sorted(
                (abs(epoch - wanted), epoch, history_id)
                for epoch, history_id in calls[review.digits]
                if abs(epoch - wanted) <= self.within
            )
            if not near:
                result.unmatched += 1
                minutes = self.within // 60
                rejects.add(review.line, f"no call of this number within {minutes} minutes")
            elif len(near) > 1 and near[0][0] == near[1][0]:
                result.unmatched += 1
                rejects.add(review.line, "two calls of this number are equally near in time")
            else:
                found[review.line] = Found(near[0][2], self.local(near[0][1]))
        return found

    def there(self, calls: set[int]) -> dict[tuple[int, datetime], tuple[Any, ...]]:
        """The newest review of each call and moment."""
        if not calls:
            return {}
        marks = ", ".join(["%s"] * len(calls))
        rows = self.table.rows(
            f"select history_id, score_date, {', '.join(self.columns)} from {self.path}"
            f" where history_id in ({marks}) order by id",
            sorted(calls),
        )
        return {(int(row[0]), row[1]): tuple(row[2:]) for row in rows}

    def local(self, epoch: int) -> datetime:
        return datetime.fromtimestamp(int(epoch), self.clinic).replace(tzinfo=None)


def spans(moments: Sequence[int], within: int) -> list[tuple[int, int]]:
    """The times around the moments, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for moment in sorted(moments):
        if found and moment - within <= found[-1][1]:
            found[-1] = (found[-1][0], moment + within)
        else:
            found.append((moment - within, moment + within))
    return found


def same(stored: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether a review says the same; a mark comes back as a float or, of old tables, a text."""
    return all(
        abs(float(old) - new) < 0.001 if isinstance(new, float) else old == new
        for old, new in zip(stored, values, strict=True)
    )
