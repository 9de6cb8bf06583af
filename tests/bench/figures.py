"""The benchmark's figures as one table: a line a figure, a column a database and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from python_scoring.base.text_table import format_table

Result = dict[str, Any]
# Models of less are told together.
LEAST_SHARE = 0.02


def table(results: Sequence[Result], before: Sequence[Result] = ()) -> str:
    """With figures of an earlier commit, each beside its own, in brackets."""
    known = {(old["target"], old["calls"]): dict(lines(old)) for old in before}
    columns = [dict(lines(result)) for result in results]
    heads = [f"{result['target']}, {result['calls']:,}" for result in results]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = []
    for name in names:
        cells = []
        for result, column in zip(results, columns, strict=True):
            old = known.get((result["target"], result["calls"]), {}).get(name)
            cells.append(column.get(name, "-") + (f" ({old})" if old else ""))
        rows.append((name, *cells))
    return format_table(["figure", *heads], rows)


def lines(result: Result) -> Iterator[tuple[str, str]]:
    first, copies = result["runs"]["first load"], result["copies"]
    copied = sum(copy["seconds"] for copy in copies.values())
    yield "plain copy of all tables, s", f"{copied:.1f}"
    yield "first load, s", f"{first['models_seconds']:.1f}"
    yield "first load in copies", f"{first['models_seconds'] / copied:.1f}"
    for name, copy in copies.items():
        seconds = first["models"].get(name, 0)
        if seconds >= LEAST_SHARE * first["models_seconds"] and copy["seconds"]:
            yield f"  {name}, s (its copy)", f"{seconds:.1f} ({copy['seconds']:.1f})"
    value, value_copy = first["models"]["lm_value"], copies["lm_value"]["seconds"]
    yield "lm_value: share of the copy's speed", f"{value_copy / value:.2f}"
    for name, run in result["runs"].items():
        if name == "first load":
            continue
        yield f"{name}: models, s", f"{run['models_seconds']:.1f}"
        for model, seconds in sorted(run["models"].items(), key=lambda pair: -pair[1]):
            if seconds >= 1:
                yield f"  {name}: {model}, s", f"{seconds:.1f}"
        yield f"{name}: whole process, s", f"{run['seconds']:.1f}"
    for name, seconds in result["views"].items():
        yield f"{name}, s", f"{seconds:.2f}"
    for name, tool in result["tools"].items():
        yield f"lm {name}, s", f"{tool['seconds']:.1f}"
        if "rows" in tool:
            speed, server = tool["rows_a_second"], tool["server_rows_a_second"]
            yield "  rows/s (the server takes)", f"{speed:,} ({server:,})"
            yield "  share of the server's speed", f"{speed / server:.2f}"
    for name in ("train", "score"):
        yield f"lm {name}: most memory, MB", f"{result['tools'][name]['memory_mb']}"
    yield "dbt, first load: most memory, MB", f"{first['memory_mb']}"
