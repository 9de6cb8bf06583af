"""A YAML file as plain values that remember their lines; a key written twice is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


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
        text = path.read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        document.errors.append(f"{path}: can't be read ({error.strerror})")
    except UnicodeDecodeError:
        document.errors.append(f"{path.name}: is no UTF-8 text; save it as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        document.errors.append(f"{path.name}, line {line}: is no YAML: {error.problem}")
    except yaml.YAMLError as error:
        document.errors.append(f"{path.name}: is no YAML: {error}")
    else:
        if node is None:
            document.errors.append(f"{path.name}: is empty; `lm what-if --example` shows a file")
        else:
            document.value = _value(document, node, "", set())
    return document


def _value(document: Document, node: yaml.Node, path: str, above: set[int]) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if id(node) in above:
        document.error(path, "an alias holds itself")
        return None
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in found:
                first = document.lines[inner]
                document.lines[inner] = key_node.start_mark.line + 1
                document.error(inner, f"is there twice, see line {first}; write it once")
                document.lines[inner] = first
                continue
            found[key] = _value(document, value_node, inner, above)
            document.lines[inner] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(document, item, f"{path}[{i + 1}]", above) for i, item in enumerate(node.value)
        ]
    try:
        loader = yaml.SafeLoader("")
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        document.error(path, f"is no value that can be read ({error})")
        return None
