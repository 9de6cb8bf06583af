"""A clinic's life with faults in it ends with the tables of a quiet one, times and ids apart.

A few moments by a fixed seed; `tests/bench/kills.py` tries as many as one likes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import TestTarget
from fault_cases import NOTHING_YET, Ended, Life, State, cut_after, killed_after, life, moments
from pipeline_cases import BUILD, END, NOW, read, run
from servers import SERVERS

from python_scoring.base import engine
from python_scoring.base.errors import EXIT_BUSY, EXIT_OK

SEED = 18


@dataclass(frozen=True)
class Calm:
    """What one run over everything leaves, and the seconds that it takes."""

    state: State
    seconds: float


@pytest.fixture(scope="module")
def own(target: TestTarget) -> Iterator[TestTarget]:
    """The target; of the embedded engine one of its own, which may be killed.

    A life takes minutes: where there are servers, theirs will do.
    """
    if target.name != "embedded":
        yield target
        return
    if SERVERS:
        pytest.skip("the servers show it")
    folder = Path(tempfile.mkdtemp(prefix="lm-"))
    try:
        engine.start(folder)
        socket = str(engine.socket_of(folder))
        yield replace(target, settings={**target.settings, "LM_SOCKET": socket})
    finally:
        engine.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def calm(own: TestTarget) -> Iterator[Calm]:
    with life(own, "calm") as one:
        one.arrive(0)
        one.arrive(1)
        end = one.run(1, None, "--no-forecast")
        assert end.code == EXIT_OK, end.said
        yield Calm(one.state(), end.seconds)


@dataclass(frozen=True)
class Disturbed:
    """One life with a fault in every run but the last of each part."""

    one: Life
    ends: dict[str, Ended]


@pytest.fixture(scope="module")
def disturbed(own: TestTarget, calm: Calm) -> Iterator[Disturbed]:
    with life(own, "disturbed") as one:
        ends = {}
        one.arrive(0)
        # A night is shorter than the load of everything.
        night = calm.seconds * 0.7
        (early,) = moments(SEED, 1, calm.seconds)
        cut, late = moments(SEED + 1, 2, night)
        ends["killed load"] = one.run(0, killed_after(one, early), "--no-forecast")
        with locked_sources(one.target):
            ends["load"] = one.run(0, None, "--no-forecast")
        one.arrive(1)
        ends["cut night"] = one.run(1, cut_after(one, cut), "--no-forecast")
        ends["killed night"] = one.run(1, killed_after(one, late), "--no-forecast")
        ends["night"] = one.run(1, None, "--no-forecast")
        yield Disturbed(one, ends)


@contextmanager
def locked_sources(here: TestTarget) -> Iterator[None]:
    """Every row of the sources is being edited, in a transaction that does not end.

    Not on the embedded engine: it locks what a key refers to, and nobody else writes there.
    """
    if here.name == "embedded":
        yield
        return
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("start transaction")
        cursor.execute("update call_history set recall_status = 1")
        cursor.execute("update call_scores set call_success = 'x'")
        yield
        cursor.execute("rollback")


def test_a_killed_run_says_nothing_and_the_next_goes_on(disturbed: Disturbed) -> None:
    for name in ("killed load", "killed night"):
        end = disturbed.ends[name]
        assert end.code == -9 or end.in_flight == "ended before", end.said
    killed = [end.in_flight for end in disturbed.ends.values() if end.code == -9]
    assert killed and NOTHING_YET not in killed, "no kill came while the run was at work"
    for name in ("load", "night"):
        assert disturbed.ends[name].code == EXIT_OK, disturbed.ends[name].said


def test_tables_are_those_of_a_quiet_life(disturbed: Disturbed, calm: Calm) -> None:
    assert calm.state.tables["lm_value"] and calm.state.tables["lm_daily_stats"]
    in_flight = {name: end.in_flight for name, end in disturbed.ends.items()}
    assert calm.state.differences(disturbed.one.state()) == {}, in_flight


def test_a_lost_database_is_told_with_its_exit_code(disturbed: Disturbed) -> None:
    end = disturbed.ends["cut night"]
    if end.in_flight == "ended before":
        pytest.skip("it was faster than the fault")
    assert "Traceback" not in end.said
    assert end.code == EXIT_BUSY, end.said
    assert end.last_line.startswith("lm: ")
    assert "run again" in end.last_line


def test_the_log_tells_of_the_killed(disturbed: Disturbed) -> None:
    rows = disturbed.one.target.rows("select step, status from lm_run_log order by id")
    assert "killed" in {status for _, status in rows}
    assert rows[-1][1] == "done" and "running" not in {status for _, status in rows}


def test_a_clock_that_goes_back_and_forth_leaves_no_trace(disturbed: Disturbed, calm: Calm) -> None:
    """Windows that were closed open again and close again."""
    one = disturbed.one
    run(one.target, *BUILD, as_of=END)
    early = read(one.target, "lm_value")
    run(one.target, *BUILD, as_of=NOW)
    later = read(one.target, "lm_value")
    assert early != later, "the two moments should differ in something"
    assert calm.state.differences(one.state()) == {}


def test_rows_that_are_locked_all_along_hold_nothing_up(disturbed: Disturbed) -> None:
    assert disturbed.ends["load"].code == EXIT_OK
    assert "1205" not in disturbed.ends["load"].said
