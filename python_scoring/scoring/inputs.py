"""Calls as the probability models take them: rows of int_forecast_inputs in frames."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract
from mysql.connector.constants import FieldType

from python_scoring.base.database import built_view, quoted
from python_scoring.base.profile import Target
from python_scoring.probability.features import INPUT_COLUMNS

VIEW = "int_forecast_inputs"
ROWS_AT_ONCE = 10_000
NUMBERS = set(FieldType.get_number_types())
MOMENTS = {FieldType.DATETIME, FieldType.TIMESTAMP}


def read(
    connection: MySQLConnectionAbstract, target: Target, where: str, parameters: Sequence[Any] = ()
) -> pd.DataFrame:
    """The calls that meet the condition: numbers as floats, codes as shared texts.

    A million calls take about half a gigabyte; as Python's own objects they would take four.
    """
    statement = (
        f"select {', '.join(INPUT_COLUMNS)} from {quoted(target.schema, VIEW)} where {where}"
    )
    texts: dict[Any, Any] = {}
    frames: list[pd.DataFrame] = []
    with contextlib.closing(connection.cursor()) as cursor:
        with built_view(target.schema, VIEW):
            cursor.execute(statement, tuple(parameters))
        kinds = [column[1] for column in cursor.description or ()]
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            columns = zip(INPUT_COLUMNS, kinds, zip(*rows, strict=True), strict=True)
            frames.append(
                pd.DataFrame({name: _column(kind, cells, texts) for name, kind, cells in columns})
            )
    if not frames:
        return pd.DataFrame(columns=list(INPUT_COLUMNS))
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _column(kind: int, cells: Sequence[Any], texts: dict[Any, Any]) -> Any:
    """One column of a block in the narrowest form that models read."""
    if kind in NUMBERS:
        if None in cells:
            return np.array([np.nan if cell is None else float(cell) for cell in cells])
        if all(isinstance(cell, int) for cell in cells):
            return np.array(cells, dtype=np.int64)
        return np.array([float(cell) for cell in cells])
    if kind in MOMENTS:
        return pd.to_datetime(pd.Series(list(cells), dtype=object)).astype("datetime64[us]")
    return pd.Series([texts.setdefault(cell, cell) for cell in cells], dtype=object)


def blocks(frame: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """The frame in pieces of `size` rows."""
    for start in range(0, len(frame), size):
        yield frame.iloc[start : start + size]
