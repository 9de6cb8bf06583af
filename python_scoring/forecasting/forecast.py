"""All series of a run: wholes first, parts shared out of them, then hours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from python_scoring.forecasting.calendar import Calendar
from python_scoring.forecasting.counts import forecast_counts
from python_scoring.forecasting.hours import Hourly, forecast_hours
from python_scoring.forecasting.notes import note, note_rows
from python_scoring.forecasting.rates import forecast_rate
from python_scoring.forecasting.result import (
    BACKTEST_COLUMNS,
    NOTE_COLUMNS,
    ROW_COLUMNS,
    TOTAL_COLUMNS,
    Result,
    total_rows,
    value_rows,
)
from python_scoring.forecasting.series import Key, Series, regular
from python_scoring.forecasting.settings import Settings
from python_scoring.forecasting.shares import partition, shared_out
from python_scoring.forecasting.values import WORTH_OF, forecast_values

ALL = "all"
# Fewer series than this are quicker without other processes.
PARALLEL_FROM = 16
# Reviews may come weeks later; a series that ends earlier than that is worth a note.
EARLY_DAYS = 28

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Forecasts:
    """rows, backtest, notes, totals: see ROW_COLUMNS, BACKTEST_COLUMNS, NOTE_COLUMNS and
    TOTAL_COLUMNS in result.py. `horizon` of a row is days after its `trained_through`; that
    of a backtest row is the last day of its part of the window (7: days 1 to 7).
    """

    rows: pd.DataFrame
    backtest: pd.DataFrame
    notes: pd.DataFrame
    totals: pd.DataFrame


@dataclass(frozen=True)
class Task:
    """One series to forecast, with the whole it is a part of."""

    series: Series
    total: Result | None


def forecast(
    series: Sequence[Series],
    hourly: pd.DataFrame,
    calendar: Calendar,
    settings: Settings,
    on_progress: Progress | None = None,
) -> Forecasts:
    """Forecast every series; a series that cannot be is in the notes, and stops nothing.

    hourly: columns day, hour (0..23) and one a target, sums of all calls; may be empty.
    The parts of a dimension (other than 'all') of a target of kind count or amount add
    up to the target's whole, with a part 'other' for what is too small or not given. What
    the bookings are worth follows from their forecast (values.py).
    Nothing is drawn at random: the same input gives the same output, whatever `jobs` is.
    """
    notes: list[dict[str, str]] = []
    readable_ones = [s for one in series for s in readable(one, settings, notes)]
    usable = [s for s in readable_ones if s.key.target not in WORTH_OF]
    values = [s for s in readable_ones if s.key.target in WORTH_OF]
    wholes = [s for s in usable if s.key.dimension == ALL]
    by_target = {s.key.target: s for s in wholes}
    parts, loose = parts_of(usable, by_target, settings, notes)
    count = len(wholes) + sum(len(p) for p in parts.values()) + len(loose)
    done = Counter(count, on_progress)
    whole_results = run([Task(s, None) for s in wholes], calendar, settings, done)
    totals = {r.key.target: r for r in whole_results if isinstance(r, Result)}
    tasks = [Task(s, None) for s in loose]
    tasks += [Task(s, totals.get(s.key.target)) for group in parts.values() for s in group]
    part_results = run(tasks, calendar, settings, done)
    failures = [r for r in [*whole_results, *part_results] if not isinstance(r, Result)]
    notes += [note(key, "failed", {"error": error}) for key, error in failures]
    results = list(totals.values())
    results += coherent([r for r in part_results if isinstance(r, Result)], totals)
    results += forecast_values(values, results, settings)
    for result in results:
        notes += [note(result.key, code, figures) for code, figures in result.notes]
    hours = hours_of(hourly, totals, calendar, settings, notes)
    return Forecasts(
        rows=joined([value_rows(r) for r in results] + [h.rows for h in hours], ROW_COLUMNS),
        backtest=joined(
            [keyed(r.backtest, r.key) for r in results] + [h.backtest for h in hours],
            BACKTEST_COLUMNS,
        ),
        notes=joined([note_rows(notes)], NOTE_COLUMNS),
        totals=joined([total_rows(r) for r in results], TOTAL_COLUMNS),
    )


class Counter:
    """Counts finished series and tells of it."""

    def __init__(self, total: int, tell: Progress | None) -> None:
        self.total, self.tell, self.done = total, tell, 0

    def step(self) -> None:
        self.done += 1
        if self.tell is not None:
            self.tell(self.done, self.total)


def readable(one: Series, settings: Settings, notes: list[dict[str, str]]) -> Iterable[Series]:
    """The series as a regular one, or nothing and a note."""
    try:
        series = regular(one, settings.first_day)
        late = int((pd.to_datetime(one.values.index) >= pd.Timestamp(settings.first_day)).sum())
    except (ValueError, TypeError) as error:
        notes.append(note(one.key, "failed", {"error": error}))
        return
    if late:
        notes.append(note(one.key, "future_days", {"days": late}))
    if series.values.empty:
        notes.append(note(one.key, "no_history", {}))
        return
    missing = (settings.first_day - series.last_day).days - 1
    if missing > settings.max_missing_days:
        notes.append(note(one.key, "ended", {"days": missing}))
        return
    if missing > EARLY_DAYS:
        notes.append(note(one.key, "ends_early", {"days": missing}))
    yield series


def parts_of(
    usable: list[Series],
    wholes: dict[str, Series],
    settings: Settings,
    notes: list[dict[str, str]],
) -> tuple[dict[tuple[str, str], list[Series]], list[Series]]:
    """Parts by target and dimension, made to add up; and series that are parts of nothing."""
    groups: dict[tuple[str, str], list[Series]] = {}
    loose = []
    for one in usable:
        if one.key.dimension == ALL:
            continue
        if one.key.target in wholes and one.additive:
            groups.setdefault((one.key.target, one.key.dimension), []).append(one)
        elif one.additive:
            loose.append(one)
        else:
            groups.setdefault((one.key.target, one.key.dimension), []).append(one)
    for (target, _), group in groups.items():
        if not group[0].additive:
            continue
        kept, other = partition(wholes[target], group, settings)
        for key, recent in other:
            figures: dict[str, object] = {"total": f"{recent:g}", "days": settings.part_days}
            notes.append(note(key, "joined_other", figures))
        group[:] = kept
    return groups, loose


def run(
    tasks: list[Task], calendar: Calendar, settings: Settings, done: Counter
) -> list[Result | tuple[Key, str]]:
    """Results in the order of the tasks; a failure is the key and what went wrong."""
    results: list[Result | tuple[Key, str]] = []
    if settings.jobs == 1 or len(tasks) < PARALLEL_FROM:
        for task in tasks:
            results.append(one_result(task, calendar, settings))
            done.step()
        return results
    with parallel_config(backend="loky", inner_max_num_threads=1):
        work = Parallel(n_jobs=settings.jobs, return_as="generator")
        for result in work(delayed(one_result)(t, calendar, settings) for t in tasks):
            results.append(result)
            done.step()
    return results


def one_result(task: Task, calendar: Calendar, settings: Settings) -> Result | tuple[Key, str]:
    """Forecast of one series; no error leaves it, no warning reaches the screen."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
            warnings.simplefilter("ignore")
            if task.series.additive:
                return forecast_counts(task.series, calendar, settings, task.total)
            return forecast_rate(task.series, settings, task.total)
    except Exception as error:  # a series that fails must not stop the others
        return task.series.key, f"{type(error).__name__}: {error}"


def coherent(parts: list[Result], totals: dict[str, Result]) -> list[Result]:
    """Parts of counts and amounts scaled to their whole; the others as they are."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for part in parts:
        groups.setdefault((part.key.target, part.key.dimension), []).append(part)
    result = []
    for (target, _), group in groups.items():
        if target in totals and group[0].kind in ("count", "amount"):
            group = shared_out(totals[target], group)
        result += group
    return result


def hours_of(
    hourly: pd.DataFrame,
    totals: dict[str, Result],
    calendar: Calendar,
    settings: Settings,
    notes: list[dict[str, str]],
) -> list[Hourly]:
    """Hours of the wholes that have a column in `hourly`."""
    hours = []
    for target, day in totals.items():
        if hourly.empty or target not in hourly or day.kind not in ("count", "amount"):
            continue
        try:
            assert day.values is not None
            days = pd.date_range(day.values.index[0], periods=len(day.values) + len(day.yhat))
            special = calendar.labels(days)[0] != ""
            passes = calendar.clock_hours(days)
            hour = forecast_hours(hourly, target, day, special, settings, passes)
        except ValueError as error:
            notes.append(note(replace(day.key, grain="hour"), "failed", {"error": error}))
            continue
        key = replace(day.key, grain="hour")
        hours.append(replace(hour, backtest=keyed(hour.backtest, key)))
    return hours


def keyed(frame: pd.DataFrame, key: Key) -> pd.DataFrame:
    """The frame with the key's columns in front."""
    return frame.assign(**key.as_dict())


def joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """All frames below each other, with these columns even where there is no row."""
    filled = [frame[columns] for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
