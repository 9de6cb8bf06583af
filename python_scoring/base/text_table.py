"""A table on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MAX_WIDTH = 60


def format_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """An aligned table; numbers to the right, long texts cut."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [
        all(
            value is None or isinstance(value, int | float) or _is_decimal(value)
            for value in column
        )
        for column in zip(*rows, strict=True)
    ] or [False] * len(columns)
    lines = ["  ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True))]
    lines.append("  ".join("-" * width for width in widths))
    for row in cells:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        )
        lines.append("  ".join(padded))
    return "\n".join(line.rstrip() for line in lines)


def _text(value: Any) -> str:
    if value is None:
        return "NULL"
    text = value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
    text = " ".join(text.splitlines())
    return text if len(text) <= MAX_WIDTH else text[: MAX_WIDTH - 1] + "…"


def _is_decimal(value: Any) -> bool:
    return type(value).__name__ == "Decimal"
