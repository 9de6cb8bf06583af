"""YAML of files and arguments that people write: bounded before it is built, and never code.

A few hundred bytes of aliases can stand for gigabytes, and brackets in brackets end in Python's
recursion limit: both are refused while the text is only being scanned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LONGEST_TEXT = 1_000_000
LONGEST_SCALAR = 10_000
DEEPEST = 30
LARGEST_NUMBER = 10**40
# As they are once every alias is written out.
MOST_NODES = 50_000

# What PyYAML raises besides its own errors, for `!!int x`, 2026-02-31 and the like.
NO_VALUE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _Loader(yaml.SafeLoader):
    """PyYAML's, without whole numbers that nothing else takes, or that cannot even be printed."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = int(super().construct_yaml_int(node))
        if abs(number) > LARGEST_NUMBER:
            raise ValueError("the number is too large")
        return number


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


class YamlError(ValueError):
    """The text is no YAML that is read here; `line`, from 1, where it is known."""

    def __init__(self, problem: str, mark: Any = None) -> None:
        self.problem = problem
        self.line = mark.line + 1 if mark else None
        super().__init__(f"line {self.line}: {problem}" if self.line else problem)


def text_of(path: Path) -> str:
    """A file's text, without a byte-order mark. OSError, or YamlError for what is no such text."""
    with path.open("rb") as stream:
        content = stream.read(LONGEST_TEXT + 1)
    if len(content) > LONGEST_TEXT:
        raise YamlError(f"is longer than {LONGEST_TEXT:,} bytes; write less")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise YamlError("is no UTF-8 text; save it as UTF-8") from None


def node_of(text: str) -> yaml.Node | None:
    """The text's one document as PyYAML's node; None for an empty one. Raises YamlError."""
    if len(text) > LONGEST_TEXT:
        raise YamlError(f"is longer than {LONGEST_TEXT:,} characters; write less")
    try:
        _require_bounds(text)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise YamlError(f"is no YAML: {error.problem}", error.problem_mark) from error
    except (yaml.YAMLError, *NO_VALUE) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"is no YAML: {_one_line(error)}") from error


def value_of(node: yaml.Node) -> Any:
    """What a node of `node_of` stands for, in plain Python values. Raises YamlError."""
    try:
        return _Loader("").construct_document(node)
    except (yaml.YAMLError, RecursionError, *NO_VALUE) as error:
        problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else _one_line(error)
        mark = getattr(error, "problem_mark", None) or node.start_mark
        raise YamlError(f"is no value that can be read ({problem})", mark) from error


def load(text: str) -> Any:
    """The text's value, as yaml.safe_load gives it; None for an empty text. Raises YamlError."""
    node = node_of(text)
    return None if node is None else value_of(node)


def load_file(path: Path) -> Any:
    """`load` of a file. OSError where it can't be read, else YamlError."""
    return load(text_of(path))


def _require_bounds(text: str) -> None:
    """YamlError for what is too deep or too much, aliases written out, or holds itself.

    The events come one by one and build nothing: the first that goes too far ends the scan.
    """
    sizes: dict[str, int] = {}
    heights: dict[str, int] = {}
    # Of every collection that is open: its anchor, the nodes in it so far, and their height.
    opened: list[list[Any]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        size, height = 0, 0
        anchor: Any = getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append([anchor, 1, 0])
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size, height = opened.pop()
            height += 1
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > LONGEST_SCALAR:
                raise YamlError(
                    f"has a value of more than {LONGEST_SCALAR:,} characters", event.start_mark
                )
            total, size, height = total + 1, 1, 1
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == one[0] for one in opened):
                raise YamlError(f"the alias {anchor} holds itself", event.start_mark)
            # One that is not there is the composer's to tell.
            size, height, anchor = sizes.get(anchor, 1), heights.get(anchor, 1), None
            total += size
        if anchor and size:
            sizes[anchor], heights[anchor] = size, height
        if opened and size:
            opened[-1][1] += size
            opened[-1][2] = max(opened[-1][2], height)
        if len(opened) + (height if isinstance(event, yaml.AliasEvent) else 0) > DEEPEST:
            raise YamlError(f"is nested deeper than {DEEPEST} levels", event.start_mark)
        if total > MOST_NODES:
            raise YamlError(
                f"holds more than {MOST_NODES:,} values once its aliases are written out",
                event.start_mark,
            )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
