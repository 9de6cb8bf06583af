"""Files of any kind as numbered records: csv, tsv, gz, zip, workbooks, JSON, standard input."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

from python_calamine import CalamineError, CalamineWorkbook

from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.importing.encoding import encoding_of

HEAD = 65_536
LONGEST_LINE = 1_000_000
# A quoted field may hold newlines, but a stray quote must not swallow the file.
LONGEST_RECORD = 100
WORKBOOK, JSON_LINES, JSON_ARRAY, TEXT = "workbook", "JSON lines", "JSON array", "text"


@dataclass
class Record:
    """One record; `bad` says why it could not be split, `open` that the file ends within it."""

    line: int
    fields: list[str]
    bad: str | None = None
    unfinished: bool = False


@dataclass
class Content:
    """A file's kind and how its text is written."""

    path: Path
    kind: str
    encoding: str = "utf-8"
    member: str | None = None
    head: str = ""
    # Bytes up to the end of the last whole line that was read.
    consumed: int = 0
    lines_before: int = 0

    @property
    def name(self) -> str:
        return f"{self.path}::{self.member}" if self.member else str(self.path)


def opened(path: Path, member: str | None = None) -> IO[bytes]:
    """The bytes of a file, unpacked on the way."""
    with path.open("rb") as raw:
        magic = raw.read(6)
    if member is not None:
        return zipfile.ZipFile(path).open(member)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if magic[:3] == b"BZh":
        return bz2.open(path, "rb")
    if magic == b"\xfd7zXZ\0":
        return lzma.open(path, "rb")
    return path.open("rb")


def inspect(path: Path, encoding: str | None = None, member: str | None = None) -> Content:
    """What a file is; ConfigurationError names what was found when it is no call log."""
    try:
        with opened(path, member) as stream:
            head = stream.read(HEAD)
    except FileNotFoundError:
        raise ConfigurationError(f"no file {path}") from None
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise LmError(f"{path}: cannot read on after line 0: {error}") from error
    if head[:4] == b"PK\x03\x04" and member is None:
        return archive(path, encoding)
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return Content(path, WORKBOOK, member=member)
    if head[:5] == b"%PDF-":
        raise ConfigurationError(f"{path} is a PDF: export the calls as csv or xlsx instead")
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\r\n \t"):
        raise ConfigurationError(f"{path} is empty: export it again, or choose a longer period")
    encoding = encoding or encoding_of(head, len(head) < HEAD)
    text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    start = text.lstrip()
    if re.match(r"<(?:!doctype html|html|table|\?xml)", start, re.IGNORECASE):
        raise ConfigurationError(
            f"{path} is an HTML or XML page, whatever its name says: "
            "open it in a spreadsheet and save it as .xlsx or csv"
        )
    kind = TEXT
    if start.startswith("{"):
        kind = JSON_LINES if is_json_lines(start.splitlines()) else JSON_ARRAY
    elif re.match(r"\[\s*[{\]]", start):
        kind = JSON_ARRAY
    elif "\0" in text:
        raise ConfigurationError(f"{path} is no text and no workbook: export it as csv or xlsx")
    return Content(path, kind, encoding, member, text)


def is_json_lines(lines: list[str]) -> bool:
    """Whether each line is an object; one line with lists in it is a web service's answer."""
    try:
        first = json.loads(lines[0])
    except ValueError:
        return False
    return len(lines) > 1 or not lists_in(first)


def archive(path: Path, encoding: str | None) -> Content:
    """A zip file: a workbook, or one call log inside."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = [
                n for n in packed.namelist()
                if not n.endswith("/") and not Path(n).name.startswith((".", "__"))
                and not n.startswith("__MACOSX")
            ]  # fmt: skip
    except zipfile.BadZipFile:
        raise ConfigurationError(f"{path} is a damaged zip file: copy or export it again") from None
    if any(n.startswith(("xl/", "content.xml")) for n in names):
        return Content(path, WORKBOOK)
    if len(names) != 1:
        raise ConfigurationError(
            f"{path} holds {len(names)} files ({', '.join(names[:5])}): "
            "unpack it into a folder and import the folder"
        )
    return inspect(path, encoding, names[0])


def records(content: Content, delimiter: str, quotes: bool, sheet: str | None = None,
            offset: int = 0) -> Iterator[Record]:  # fmt: skip
    """The records of a file with the numbers of their first lines; JSON begins with its keys."""
    if content.kind == WORKBOOK:
        yield from workbook_records(content, sheet)
        return
    number = 0
    try:
        with opened(content.path, content.member) as stream:
            if content.kind == TEXT:
                lines = text_lines(stream, content, offset)
                for record in split(lines, delimiter, quotes, content.encoding):
                    number = record.line
                    yield record
            else:
                yield from json_records(stream, content)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise LmError(f"{content.name}: cannot read on after line {number}: {error}") from error


Line = tuple[int, str | None, bool]


def text_lines(stream: IO[bytes], content: Content, offset: int = 0) -> Iterator[Line]:
    """(number, text or None where it is none in this encoding, whether the line has its end)."""
    encoding = content.encoding
    if "16" in encoding or "32" in encoding:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding, newline="\n"), 1):
            yield number, line.lstrip("\ufeff") if number == 1 else line, line.endswith("\n")
        return
    plain = "utf-8" if encoding == "utf-8-sig" else encoding
    if offset:
        stream.seek(offset)
    content.consumed = offset
    number = content.lines_before if offset else 0
    while raw := stream.readline(LONGEST_LINE):
        number += 1
        if raw.endswith(b"\n"):
            content.consumed += len(raw)
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, raw.decode(plain), raw.endswith(b"\n")
        except UnicodeDecodeError:
            yield number, None, True


def split(
    lines: Iterator[Line], delimiter: str, quotes: bool, encoding: str = "utf-8"
) -> Iterator[Record]:
    """Lines as records; a quoted field may go on over several lines."""
    waiting: list[Line] = []

    def following() -> Line | None:
        return waiting.pop(0) if waiting else next(lines, None)

    while (taken := following()) is not None:
        number, text, ended = taken
        if text is None:
            yield Record(number, [], f"not {encoding} text")
            continue
        if len(text) >= LONGEST_LINE - 1:
            yield Record(number, [], f"longer than {LONGEST_LINE} bytes")
            continue
        if not quotes:
            fields = [part.strip() for part in text.rstrip("\r\n").split(delimiter)]
            yield Record(number, fields, unfinished=not ended)
            continue
        if '"' not in text:
            fields = [part.strip() for part in text.rstrip("\r\n").split(delimiter)]
            yield Record(number, fields, unfinished=not ended)
            continue
        more: list[Line] = []
        whole = text
        while is_open(whole, delimiter):
            line = following() if len(more) < LONGEST_RECORD else None
            if line is None or line[1] is None:
                if line is not None:
                    more.append(line)
                # The quote never closes: this line is bad, the others speak for themselves.
                waiting[:0] = more
                yield Record(number, [], "quotes do not close", unfinished=not more and not ended)
                break
            more.append(line)
            whole += line[1]
            ended = line[2]
        else:
            rows = list(
                csv.reader(io.StringIO(whole.rstrip("\r\n"), newline=""), delimiter=delimiter)
            )
            fields = [part.strip() for part in rows[0]] if rows else [""]
            yield Record(number, fields, unfinished=not ended)


def is_open(text: str, delimiter: str) -> bool:
    """Whether the text ends within quotes."""
    try:
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def json_records(stream: IO[bytes], content: Content) -> Iterator[Record]:
    """Objects as records; nested keys are joined by a full stop. The first record is the keys."""
    text = io.TextIOWrapper(stream, content.encoding.replace("utf-8-sig", "utf-8"))
    columns: dict[str, int] = {}
    kept: list[tuple[int, dict[str, str]]] = []

    def record(number: int, flat: dict[str, str]) -> Record:
        return Record(number, [flat.get(column, "") for column in columns])

    told = False
    for number, item in objects(text, content.kind):
        if isinstance(item, str):
            yield from () if told else header(columns, kept)
            told = True
            yield Record(number, [], item)
            continue
        flat = flattened(item)
        if not told:
            columns.update(dict.fromkeys(flat, 0))
            kept.append((number, flat))
            if len(kept) >= 1_000:
                yield from header(columns, kept)
                told = True
            continue
        yield record(number, flat)
    if not told:
        yield from header(columns, kept)


def header(columns: dict[str, int], kept: list[tuple[int, dict[str, str]]]) -> Iterator[Record]:
    yield Record(0, list(columns))
    for number, flat in kept:
        yield Record(number, [flat.get(column, "") for column in columns])


def objects(text: IO[str], kind: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(line or place, object), or what is wrong with it."""
    if kind == JSON_LINES:
        for number, line in enumerate(text, 1):
            if not line.strip("\ufeff \r\n\t"):
                continue
            try:
                item = json.loads(line.lstrip("\ufeff"))
            except ValueError:
                yield number, "not JSON"
                continue
            yield number, item if isinstance(item, dict) else "not a JSON object"
        return
    decoder = json.JSONDecoder()
    buffer = text.read(HEAD).lstrip("\ufeff \r\n\t")
    if buffer.startswith("{"):
        # An answer of a web service: the calls are its one list of objects.
        try:
            whole = json.loads(buffer + text.read())
        except ValueError as error:
            raise ConfigurationError(f"not JSON: {error}") from None
        lists = lists_in(whole)
        calls = max(lists, key=lambda part: len(part)) if lists else [whole]
        yield from enumerate(calls, 1)
        return
    buffer, number = buffer[1:], 0
    while True:
        buffer = buffer.lstrip(" \r\n\t,")
        if buffer.startswith("]"):
            return
        try:
            item, end = decoder.raw_decode(buffer)
        except ValueError:
            more = text.read(HEAD)
            if not more:
                yield number + 1, "the list of calls does not end"
                return
            buffer += more
            continue
        number += 1
        buffer = buffer[end:]
        yield number, item if isinstance(item, dict) else "not a JSON object"


def lists_in(item: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The lists of objects in an answer, its own or those of an object in it."""
    found: list[list[dict[str, Any]]] = []
    for value in item.values():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found.append(value)
        elif isinstance(value, dict):
            found += lists_in(value)
    return found


def flattened(item: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested keys as a.b; lists of objects by their place as a.0.b."""
    flat: dict[str, str] = {}
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flattened(value, f"{name}."))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, part in enumerate(value[:9]):
                flat.update(flattened(part, f"{name}.{place}."))
        else:
            flat[name] = cell_text(value)
    return flat


def workbook_records(content: Content, sheet: str | None) -> Iterator[Record]:
    """The rows of a sheet: the named one, else the first with anything in it."""
    try:
        book = CalamineWorkbook.from_path(str(content.path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise ConfigurationError(f"{content.path} has no sheet {sheet!r}: {', '.join(names)}")
        for name in [sheet] if sheet else names:
            found = False
            for number, row in enumerate(book.get_sheet_by_name(name).iter_rows(), 1):
                found = True
                yield Record(number, [cell_text(cell).strip() for cell in row])
            if found:
                return
    except (CalamineError, OSError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"{content.path} looks like a workbook and cannot be read as one ({error}): "
            "open it in a spreadsheet and save it as .xlsx or csv"
        ) from None
    raise ConfigurationError(f"{content.path} is empty: export it again, or choose a longer period")


def cell_text(value: Any) -> str:
    """A typed value as a file of text would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat(sep=" ")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}".rstrip("0").rstrip(".") + " s"
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def delimiter_of(lines: Sequence[str]) -> str:
    """The sign that splits most lines into the same number of fields, two at least."""

    def score(sign: str) -> tuple[float, int]:
        counts = [line.count(sign) for line in lines if line.strip()]
        if not counts:
            return (0.0, 0)
        most = max(set(counts), key=lambda n: (counts.count(n), n))
        return (counts.count(most) / len(counts) if most else 0.0, most)

    return max((";", ",", "\t", "|"), key=score)
