"""Reads small made-up call logs for the tests of the import, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

from python_scoring.importing import mapping as import_mapping
from python_scoring.importing.calls import Call
from python_scoring.importing.loading import CallStream, Result
from python_scoring.importing.reading import inspect
from python_scoring.importing.streams import Rejects

CLINIC = timezone(timedelta(hours=3))
PLAIN: dict[str, Any] = {
    "name": "plain",
    "key": ["id"],
    "start": {"column": "start"},
    "direction": {"value": "incoming"},
    "client": {"column": "from"},
    "wait": {"column": "wait"},
    "talk": {"column": "talk"},
}
NAMES = {1: "in", 2: "out", 3: "internal"}


def mapping_of(folder: Path, content: Mapping[str, Any] | str) -> import_mapping.MappingFile:
    """A mapping by its content, or by the name of one that comes with lm."""
    if isinstance(content, str):
        return import_mapping.load(Path(content))
    path = folder / "mapping.yml"
    path.write_text(yaml.safe_dump(dict(content), allow_unicode=True), encoding="utf-8")
    return import_mapping.load(path)


class Log:
    """A call log as it is understood."""

    def __init__(
        self,
        folder: Path,
        text: str | bytes,
        content: Mapping[str, Any] | str,
        name: str = "log.csv",
    ) -> None:
        path = folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        mapping = mapping_of(folder, content)
        self.result = Result(schema="")
        self.rejects = Rejects(folder / "rejects.tsv")
        self.stream = CallStream(inspect(path, mapping.encoding or None), mapping, CLINIC)
        with self.rejects:
            self.calls: list[Call] = list(self.stream.calls(self.result, self.rejects))

    def starts(self) -> list[str]:
        return [str(self.stream.reader.clock.local(call.start)) for call in self.calls]

    def rows(self) -> list[tuple[Any, ...]]:
        """(direction, client, operator, wait, talk, answered) of each call."""
        return [
            (NAMES[c.direction], c.client, c.operator, c.wait, c.talk, c.answered)
            for c in self.calls
        ]
