"""Bring the forecast metrics up to date: calls that are new, changed, or scored by an older model.

The work goes in chunks of calls, each a transaction: a killed run goes on where it stopped, two at
once take turns, and only rows that differ are written. With --call, one call alone: its rule
metrics by dbt, its forecasts, and all of them shown with their reasons.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM
from python_scoring.base.profile import Target
from python_scoring.base.progress import Tell, progress
from python_scoring.base.settings import whole_number
from python_scoring.base.watermarks import Watermarks, prepare_session, writing_values
from python_scoring.model_registry import model_runs
from python_scoring.scoring import chunks, score_call
from python_scoring.scoring import drift as model_drift
from python_scoring.scoring import inputs as model_inputs
from python_scoring.scoring.chunks import CALLS, PASS, Chunk
from python_scoring.scoring.live_models import (
    Models,
    ModelsChanged,
    load_models,
    require_same_models,
    write_calls,
)
from python_scoring.scoring.rows import Key, Row

STEP = "python_scoring"
SECONDS_BETWEEN_LINES = 10


@dataclass
class Tally:
    """What a run did."""

    calls: int = 0
    rows_written: int = 0
    chunks: int = 0
    chunks_left: int = 0
    warnings: list[str] = field(default_factory=list)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "score",
        help="bring the forecast metrics up to date; with --call all metrics of one call",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit code 1 when base rates had to stand in for a model that could not be loaded,"
        " 2 for a call that the source does not have.",
    )
    profile.add_arguments(parser)
    parser.add_argument("--call", type=int, metavar="HISTORY_ID", help="only this call")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.call is not None:
        return score_call.run(args)
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        tally = score(connection, target)
    if args.json:
        print(json.dumps({"status": "warn" if tally.warnings else "ok", **summary(tally)}))
    else:
        print(render(tally))
    return EXIT_PROBLEM if tally.warnings else EXIT_OK


def render(tally: Tally) -> str:
    left = f", {tally.chunks_left} chunks left (lm_max_batches)" if tally.chunks_left else ""
    return f"{tally.calls:,} calls read, {tally.rows_written:,} rows written{left}"


def summary(tally: Tally) -> dict[str, Any]:
    return {
        "calls": tally.calls,
        "rows_written": tally.rows_written,
        "chunks": tally.chunks,
        "chunks_left": tally.chunks_left,
        "warnings": tally.warnings,
    }


def score(connection: MySQLConnectionAbstract, target: Target, tell: Tell | None = None) -> Tally:
    """Score what is not up to date, with the models of the last training."""
    tell = tell or progress
    probe = Probe(connection)
    model_runs.require(probe, target)
    prepare_session(probe, target)
    tally = Tally()
    while True:
        models = load_models(connection, target, tally.warnings, tell)
        try:
            _score_all(connection, target, models, tally, tell)
        except ModelsChanged:
            tell("the models were trained anew meanwhile: starting over with the new ones")
            continue
        if tally.rows_written or not model_drift.is_measured(probe, target, models.versions):
            model_drift.measure(connection, target, models.models, models.versions)
        return tally


def _score_all(
    connection: MySQLConnectionAbstract, target: Target, models: Models, tally: Tally, tell: Tell
) -> None:
    """Every chunk there is to do, what is new before what an older model has scored."""
    probe = Probe(connection)
    marks = Watermarks(probe, target, STEP)
    size = whole_number(target, "lm_batch_calls")
    limit = whole_number(target, "lm_max_batches", least=0)
    _begin_pass(probe, target, models, marks)
    # The days before any calls are read, or a change in between would be taken for done.
    before = marks.get(CALLS).position
    days = list(chunks.changed_days(probe, target, marks, before, size))
    calls = list(chunks.changed_calls(probe, target, marks, size))
    _score_chunks(connection, target, models, marks, [*calls, *days], tally, tell)
    cursor = marks.get(PASS).cursor
    if cursor is None:
        return
    pieces = list(chunks.all_calls(probe, target, cursor, size))
    done_now = pieces[: limit or None]
    tally.chunks_left = len(pieces) - len(done_now)
    _score_chunks(connection, target, models, marks, done_now, tally, tell)
    if not tally.chunks_left:
        with writing_values(marks):
            if marks.get(PASS).fingerprint == models.fingerprint:
                marks.put(PASS, fingerprint=models.fingerprint)


def _begin_pass(probe: Probe, target: Target, models: Models, marks: Watermarks) -> None:
    """With other models than the last time, everything is to be scored once; what is new by now
    is in it."""
    if marks.get(PASS).fingerprint == models.fingerprint:
        return
    with writing_values(marks):
        if marks.get(PASS).fingerprint == models.fingerprint:
            return
        for feed, position in chunks.newest(probe, target, marks).items():
            marks.put(feed, position)
        marks.put(PASS, cursor="", fingerprint=models.fingerprint)


def _score_chunks(
    connection: MySQLConnectionAbstract,
    target: Target,
    models: Models,
    marks: Watermarks,
    chunks: Sequence[Chunk],
    tally: Tally,
    tell: Tell,
) -> None:
    """While the server writes a chunk, the next is read and computed on a connection of its own.

    What changes between is numbered higher than what the run had found, and read by the next one.
    """
    if not chunks:
        return
    last_line = time.monotonic()
    with (
        contextlib.closing(profile.connect(target)) as beside,
        ThreadPoolExecutor(max_workers=1) as thread,
    ):
        prepare_session(Probe(beside), target)
        ahead = thread.submit(_compute, beside, target, models, chunks[0])
        for number, chunk in enumerate(chunks, start=1):
            frame, rows = ahead.result()
            if number < len(chunks):
                ahead = thread.submit(_compute, beside, target, models, chunks[number])
            _write_chunk(target, models, marks, chunk, frame, rows, tally)
            if time.monotonic() - last_line > SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                rows_written = f"{tally.rows_written:,} rows written"
                tell(f"lm_value: chunk {number} of {len(chunks)}, {rows_written}")


def _compute(
    connection: MySQLConnectionAbstract, target: Target, models: Models, chunk: Chunk
) -> tuple[pd.DataFrame, dict[Key, Row]]:
    """The chunk's calls, and the rows that they should have."""
    frame = model_inputs.read(connection, target, chunk.where, chunk.parameters)
    return frame, models.rows(frame)


def _write_chunk(
    target: Target,
    models: Models,
    marks: Watermarks,
    chunk: Chunk,
    frame: pd.DataFrame,
    rows: Mapping[Key, Row],
    tally: Tally,
) -> None:
    """One transaction: write what differs, note how far it came."""
    with writing_values(marks):
        if chunks.is_done(chunk, marks, models.fingerprint):
            return
        require_same_models(marks.probe, target, models)
        written = write_calls(marks, target, frame, rows)
        if chunk.feed == PASS:
            marks.put(PASS, cursor=chunk.cursor, fingerprint=models.fingerprint)
        else:
            marks.put(chunk.feed, chunk.position)
    tally.calls += len(frame)
    tally.rows_written += written
    tally.chunks += 1
