"""A YAML file as plain values that remember their lines; a key written twice is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from python_scoring.base import yaml_text
from python_scoring.base.yaml_text import YamlError

# Of a key, in the path that a message names.
LONGEST_NAME = 80


@dataclass
class Document:
    """The file's value, the line (from 1) of every key path, and what is wrong with the YAML."""

    name: str
    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def error(self, path: str, message: str) -> None:
        """Note what is wrong at a key path, with the line of it or of the nearest one above."""
        at = path
        while at not in self.lines and at:
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        line = self.lines.get(at, 1)
        self.errors.append(f"{self.name}, line {line}, {path or 'the file'}: {message}")


def read(path: Path) -> Document:
    """The file as a document; what can't be read is an error in it, never an exception."""
    document = Document(path.name)
    try:
        node = yaml_text.node_of(yaml_text.text_of(path))
    except OSError as error:
        document.errors.append(f"{path}: can't be read ({error.strerror})")
    except YamlError as error:
        line = f", line {error.line}" if error.line else ""
        document.errors.append(f"{path.name}{line}: {error.problem}")
    else:
        if node is None:
            document.errors.append(f"{path.name}: is empty; `lm what-if --example` shows a file")
        else:
            document.value = _value(document, node, "")
    return document


def _value(document: Document, node: yaml.Node, path: str) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            name = key[:LONGEST_NAME]
            inner = f"{path}.{name}" if path else name
            if key in found:
                first = document.lines[inner]
                document.lines[inner] = key_node.start_mark.line + 1
                document.error(inner, f"is there twice, see line {first}; write it once")
                document.lines[inner] = first
                continue
            found[key] = _value(document, value_node, inner)
            document.lines[inner] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(document, item, f"{path}[{i + 1}]") for i, item in enumerate(node.value)]
    try:
        return yaml_text.value_of(node)
    except YamlError as error:
        document.error(path, error.problem)
        return None
