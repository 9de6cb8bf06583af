"""The lines of a file after its header, read one by one: extras left out, bad lines told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TextIO, TypeVar

from python_scoring.base.errors import ConfigurationError
from python_scoring.importing.lines import BadLine, LineReader, SkippedLine
from python_scoring.importing.mapping import MappingFile, flat
from python_scoring.importing.queue_log import calls_of
from python_scoring.importing.reading import Content, Record, delimiter_of, records

HEADER_WITHIN = 50
Reader = TypeVar("Reader", bound=LineReader)
Read = TypeVar("Read")


class Tally(Protocol):
    """What is counted of the lines of a file."""

    lines: int
    rejected: int
    waiting: int
    skipped: Counter[str]


class Rejects:
    """The reject file; it comes into being with the first bad line."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.stream: TextIO | None = None
        self.first: list[str] = []

    def __enter__(self) -> Rejects:
        if self.path is not None:
            # A list of an earlier import would be taken for this one's.
            self.path.unlink(missing_ok=True)
        return self

    def add(self, line: int, reason: str) -> None:
        if len(self.first) < 5:
            self.first.append(f"line {line}: {reason}")
        if self.path is None:
            return
        if self.stream is None:
            self.stream = self.path.open("w", encoding="utf-8")
            self.stream.write("line\treason\n")
        self.stream.write(f"{line}\t{reason}\n")

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            self.stream.close()


class RecordStream(Generic[Reader]):
    """The records of one file and the reader that knows its columns."""

    def __init__(self, content: Content, mapping: MappingFile, reader: Reader) -> None:
        self.content = content
        self.mapping = mapping
        self.reader = reader
        self.delimiter = mapping.delimiter or told_delimiter(content)
        self.header_line = 0
        self.padding: list[str] = []
        parts = mapping.sections.get("start", {})
        self.identifying = {str(parts.get("column")), *map(str, flat(mapping.key))}

    def records(self, offset: int = 0) -> Iterator[Record]:
        """The records after the header, whose columns the reader then knows."""
        found = self.after_header()
        if not offset:
            return found
        return records(self.content, self.delimiter, self.mapping.quotes, offset=offset)

    def after_header(self) -> Iterator[Record]:
        mapping, where = self.mapping, self.content.name
        found = records(self.content, self.delimiter, mapping.quotes and not mapping.events,
                        mapping.sheet)  # fmt: skip
        if mapping.events:
            found = calls_of(found)
        found = islice(found, mapping.skip_lines, None)
        if mapping.columns:
            self.reader.set_columns(mapping.columns, where)
            return found
        needed = {column.partition("#")[0] for _, column in mapping.named_columns()}
        best: Record | None = None
        for record in islice(found, HEADER_WITHIN):
            names = set(record.fields)
            if self.content.kind.startswith("JSON"):
                # A key that no call has is empty in all of them.
                absent = sorted(needed - names - self.identifying)
                self.padding = [""] * len(absent)
                record.fields = record.fields + absent
                names |= set(absent)
            if needed <= names:
                self.header_line = record.line
                self.reader.set_columns(record.fields, where)
                return found
            if best is None or len(needed & names) > len(needed & set(best.fields)):
                best = record
        if best is None:
            raise ConfigurationError(
                f"{where} is empty: export it again, or choose a longer period"
            )
        if best.bad:
            raise ConfigurationError(f"{where}: line {best.line}: {best.bad}")
        self.reader.set_columns(best.fields, where)
        raise ConfigurationError(f"{where}: no header line")

    def understood(
        self, read: Callable[[int, Sequence[str]], Read], tally: Tally, rejects: Rejects,
        offset: int = 0,
    ) -> Iterator[Read]:  # fmt: skip
        """What `read` makes of each line (number, fields); the others are counted and told."""
        for record in self.records(offset):
            fields = record.fields + self.padding if self.padding else record.fields
            if not record.bad:
                if not any(fields) or (len(fields) == 1 and fields[0].startswith("sep=")):
                    continue
                if not fields[0] or not fields[0][0].isdigit():
                    extra = self.reader.is_extra(fields)
                    if extra:
                        tally.skipped[extra] += 1
                        continue
            tally.lines += 1
            try:
                if record.bad:
                    raise BadLine(record.bad)
                found = read(record.line, fields)
            except SkippedLine as skipped:
                tally.skipped[str(skipped)] += 1
            except BadLine as bad:
                if record.unfinished:
                    # Somebody is still writing it.
                    tally.lines -= 1
                    tally.waiting += 1
                else:
                    tally.rejected += 1
                    rejects.add(record.line, str(bad))
            except ConfigurationError as error:
                raise type(error)(f"{self.content.name}, line {record.line}: {error}") from None
            else:
                yield found


def told_delimiter(content: Content) -> str:
    lines = content.head.splitlines()
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) > 4:
        return lines[0][4]
    return delimiter_of(lines[:50])
