"""A call log into call_history: chunk by chunk, each a transaction, with an id to undo it by."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.source_tables import CALL_HISTORY, CALL_SCORES, create_source_tables
from python_scoring.importing.calls import COLUMNS, Call, CallReader
from python_scoring.importing.legs import Legs
from python_scoring.importing.mapping import MappingFile
from python_scoring.importing.reading import TEXT, Content, inspect
from python_scoring.importing.store import COMPARED, KEY, Table
from python_scoring.importing.streams import RecordStream, Rejects
from python_scoring.importing.texts import masked

CHUNK = 2_000
PROGRESS_SEC = 2.0
# From this share on the mapping is wrong, not the calls.
CROSSWISE = 0.2


@dataclass
class Result:
    """What became of the records of a file."""

    schema: str
    file: str = ""
    import_id: int | None = None
    lines: int = 0
    inserted: int = 0
    corrected: int = 0
    changed: int = 0
    already_there: int = 0
    waiting: int = 0
    legs_folded: int = 0
    transferred: int = 0
    went_on_after_line: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    reject_file: str | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "skipped": dict(self.skipped),
            "notes": dict(self.notes),
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        where = f"{self.file}: " if self.file else ""
        number = f"import {self.import_id}, " if self.import_id else ""
        lines = [
            f"{where}{number}{self.lines} records read, into {self.schema} in {self.seconds:.1f} s:"
        ]
        if self.went_on_after_line:
            lines.append(
                f"  went on after line {self.went_on_after_line}, read by an earlier import"
            )
        lines += [
            f"  {self.inserted} calls inserted",
            f"  {self.already_there} were there already",
        ]
        if self.corrected:
            follow = "the models follow: lm run --vars '{lm_sweep: true}'"
            lines.append(f"  {self.corrected} corrected; {follow}")
        if self.changed:
            lines.append(f"  {self.changed} changed in the file since: --update corrects them")
        if self.legs_folded:
            lines.append(
                f"  {self.legs_folded} further legs folded in, {self.transferred} calls transferred"
            )
        lines += [f"  {count} skipped: {why}" for why, count in self.skipped.most_common()]
        lines += [f"  {count} times: {what}" for what, count in self.notes.most_common()]
        if self.waiting:
            lines.append("  1 last line is not finished yet: it waits for the next import")
        lines.append(
            f"  {self.rejected} rejected" + (f", see {self.reject_file}" if self.rejected else "")
        )
        if self.inserted and self.import_id:
            lines.append(f"  take it back: lm import --undo {self.import_id}")
        return "\n".join(lines)


class CallStream(RecordStream[CallReader]):
    """The calls of one file; legs folded."""

    def __init__(self, content: Content, mapping: MappingFile, clinic: tzinfo) -> None:
        super().__init__(content, mapping, CallReader(mapping, clinic))
        section = mapping.section("legs")
        self.legs = Legs(section) if section else None

    def calls(self, result: Result, rejects: Rejects, offset: int = 0) -> Iterator[Call]:
        for call in self.understood(self.reader.call, result, rejects, offset):
            if self.legs is None:
                yield call
            else:
                yield from self.legs.add(call)
        if self.legs is not None:
            yield from self.legs.rest()
            result.legs_folded = self.legs.folded
        result.notes.update(self.reader.notes)
        if self.reader.clock.came_twice:
            kind = self.reader.clock.twice
            note = f"in the hour that comes twice: taken as the {kind} one (start.twice)"
            result.notes[note] = self.reader.clock.came_twice
        if not result.lines:
            result.notes["no calls: the file has a header and nothing under it"] = 1

    def check_operators(self) -> None:
        """Refuse a mapping that takes clients for operators."""
        seen, refused = self.reader.operators_seen, self.reader.operators_refused
        if refused and refused >= CROSSWISE * seen and (refused > 2 or refused == seen):
            raise ConfigurationError(
                f"{self.content.name}: {refused} of {seen} operators look like phone numbers of "
                "clients: name the columns of both sides as caller and callee (which is the "
                "client follows from the direction), or leave the section operator out; "
                "nothing was loaded"
            )


def digest_of(path: Path, length: int) -> tuple[str, int]:
    """SHA-256 of the first bytes of a file, and how many lines end in them."""
    digest, lines, left = hashlib.sha256(), 0, length
    with path.open("rb") as stream:
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            lines += block.count(b"\n")
            left -= len(block)
    return digest.hexdigest(), lines


def import_file(
    connection: MySQLConnectionAbstract,
    path: Path,
    mapping: MappingFile,
    schema: str,
    *,
    clinic: tzinfo,
    reject_file: Path,
    call_history: str = CALL_HISTORY,
    call_scores: str = CALL_SCORES,
    update: bool = False,
    chunk: int = CHUNK,
) -> Result:
    """Load a file; a killed import goes on where it stopped, a wrong mapping leaves nothing."""
    began = time.monotonic()
    result = Result(schema=schema, file=masked(path.name))
    content = inspect(path, mapping.encoding or None)
    stream = CallStream(content, mapping, clinic)
    # Its mistakes before any table is made.
    stream.records()
    try:
        create_source_tables(connection, schema, call_history=call_history, call_scores=call_scores)
        table = Table(connection, schema, call_history)
        with table.locked(), Rejects(reject_file) as rejects:
            table.check()
            file_key = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
            offset: int | None = 0
            if not update:
                # A correction looks at every call again.
                offset = resumed(table, content, stream, file_key, mapping, result)
            if offset is not None:
                table.begin(result.file, file_key, mapping.name, mapping.fingerprint)
                result.import_id = table.import_id
                load(table, stream, result, rejects, offset, update, chunk, call_scores)
                grows = can_grow(content, stream)
                size = content.consumed if grows else path.stat().st_size
                table.end("done", result.inserted, result.corrected, result.rejected, size,
                          digest_of(path, size)[0])  # fmt: skip
    except mysql.connector.Error as error:
        raise LmError(f"the import stopped after {result.inserted} calls: {error}") from error
    result.reject_file = str(reject_file) if result.rejected else None
    result.seconds = time.monotonic() - began
    return result


def can_grow(content: Content, stream: CallStream) -> bool:
    """Whether a longer version of the file can be read on from a byte."""
    with content.path.open("rb") as raw:
        packed = raw.read(2) in (b"\x1f\x8b", b"PK", b"BZ", b"\xfd7")
    return (
        content.kind == TEXT and not packed and "16" not in content.encoding
        and stream.legs is None and not stream.mapping.events
    )  # fmt: skip


def resumed(
    table: Table, content: Content, stream: CallStream, file_key: str, mapping: MappingFile,
    result: Result,
) -> int | None:  # fmt: skip
    """The byte to read from; None when an earlier import has read the whole file."""
    earlier = table.earlier(file_key, mapping.fingerprint)
    size = content.path.stat().st_size
    if earlier is None or earlier.bytes_read > size:
        return 0
    same = earlier.bytes_read == size
    if not same and not can_grow(content, stream):
        return 0
    digest, lines = digest_of(content.path, earlier.bytes_read)
    if digest != earlier.content_key:
        return 0
    result.went_on_after_line = lines
    content.lines_before = lines
    if same:
        result.notes[f"nothing new: import {earlier.import_id} has read the file to its end"] = 1
        return None
    return earlier.bytes_read


def load(
    table: Table, stream: CallStream, result: Result, rejects: Rejects, offset: int, update: bool,
    chunk: int, scores: str,
) -> None:  # fmt: skip
    shown = time.monotonic()
    batch: list[Call] = []
    try:
        for call in stream.calls(result, rejects, offset):
            batch.append(call)
            if len(batch) >= chunk:
                add(table, stream, batch, result, rejects, update)
                batch = []
                if time.monotonic() - shown > PROGRESS_SEC:
                    shown = time.monotonic()
                    end = "\r" if sys.stderr.isatty() else "\n"
                    print(f"{result.lines} records read, {result.inserted} calls in", end=end,
                          file=sys.stderr, flush=True)  # fmt: skip
        add(table, stream, batch, result, rejects, update)
    except (ConfigurationError, LmError) as error:
        table.end("failed", result.inserted, result.corrected, result.rejected, 0, None)
        if isinstance(error, ConfigurationError):
            table.undo(table.import_id, scores)
        raise


def add(
    table: Table, stream: CallStream, batch: list[Call], result: Result, rejects: Rejects,
    update: bool,
) -> None:  # fmt: skip
    """Insert the calls of a chunk that are not there yet, correct those that have changed."""
    stream.check_operators()
    rows = [stream.reader.row(call) for call in batch]
    there = table.there([row[KEY] for row in rows])
    new: dict[str, tuple[Any, ...]] = {}
    compared = [i for i in COMPARED if COLUMNS[i] in table.columns]
    for call, row in zip(batch, rows, strict=True):
        key = row[KEY]
        stored = there.get(key)
        if key in new or (stored and stored[0] > table.before):
            # Loaded by this very run: two lines of the file share a key.
            result.rejected += 1
            rejects.add(call.line, "key: an earlier line of the file has the same one")
            continue
        result.transferred += call.transfers > 0
        if stored is None:
            new[key] = row
        elif all(stored[1][i] == row[i] for i in compared):
            result.already_there += 1
        elif update:
            table.correct(stored[0], row)
            result.corrected += 1
        else:
            result.already_there += 1
            result.changed += 1
    fresh = list(new.values())
    if table.before and not result.inserted and fresh:
        same = table.same_calls(fresh)
        if 2 * same > len(fresh):
            raise ConfigurationError(
                f"{stream.content.name}: {same} of {len(fresh)} calls are there already under "
                "another id: the mapping's name or key is not that of the earlier "
                "import. Give it the same name and key, or take that import back first "
                "(lm import --log, --undo ID)"
            )
    result.inserted += table.insert(fresh)
