"""Which calls `lm score` reads, in which pieces: what is new or changed, else everything once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.base.watermarks import VALUES, Watermarks

# A call's row there changes with the call and with what else its rule metrics are made of.
CALLS = "int_metric_inputs"
CALLS_BY_DAY = "fct_call"
DAYS = "lm_value_changes"
PASS = "full_pass"  # noqa: S105 (a pass through the table)


@dataclass(frozen=True)
class Chunk:
    """Calls of one transaction: a condition on the view, the last change among them, and where
    they leave the feed."""

    feed: str
    where: str
    parameters: tuple[Any, ...]
    change: int = 0
    position: int = 0
    cursor: str = ""


def newest(probe: Probe, target: Target, marks: Watermarks) -> dict[str, int]:
    """The last change of each feed; of the calls, the last that the rule metrics follow."""
    table = quoted(target.schema, DAYS)
    return {
        CALLS: marks.get(CALLS, VALUES).position,
        DAYS: int(probe.one(f"select coalesce(max(rule_change_id), 0) from {table}")[0]),
    }


def changed_calls(probe: Probe, target: Target, marks: Watermarks, size: int) -> Iterator[Chunk]:
    """New and changed calls, in the order of their changes."""
    rows = probe.rows(
        f"select change_id, count(*) from {quoted(target.schema, CALLS)}"
        " where change_id > %s and change_id <= %s group by change_id order by change_id",
        (marks.get(CALLS).position, newest(probe, target, marks)[CALLS]),
    )
    for low, high in runs(((int(change), int(calls)) for change, calls in rows), size):
        yield Chunk(CALLS, "change_id between %s and %s", (low, high), change=high, position=high)


def changed_days(
    probe: Probe, target: Target, marks: Watermarks, before: int, size: int
) -> Iterator[Chunk]:
    """Days whose rule metrics changed by themselves: inputs may have. Calls changed after `before`
    are read by their own feed."""
    rows = probe.rows(
        f"select days.rule_change_id, days.call_date, (select count(*) from"
        f" {quoted(target.schema, CALLS_BY_DAY)} as calls where calls.call_date = days.call_date)"
        " from (select call_date, max(rule_change_id) as rule_change_id"
        f" from {quoted(target.schema, DAYS)} where rule_change_id > %s group by call_date) as days"
        " order by days.rule_change_id, days.call_date",
        (marks.get(DAYS).position,),
    )
    days: list[Any] = []
    calls = 0
    for place, (change, day, count) in enumerate(rows):
        days.append(day)
        calls += int(count)
        is_last = place + 1 == len(rows)
        if is_last or calls + int(rows[place + 1][2]) > size:
            # With half of a change done, the one before it is.
            is_whole = is_last or rows[place + 1][0] > change
            where = f"call_date in ({', '.join(['%s'] * len(days))}) and change_id <= %s"
            yield Chunk(DAYS, where, (*days, before), int(change), int(change) - (not is_whole))
            days, calls = [], 0


def all_calls(probe: Probe, target: Target, cursor: str, size: int) -> Iterator[Chunk]:
    """Every call after `cursor`, in the order of history_id."""
    low = int(cursor or -1)
    table = quoted(target.schema, CALLS)
    while True:
        high = probe.one(
            f"select max(history_id) from (select history_id from {table} where history_id > %s"
            f" order by history_id limit {int(size)}) as calls",
            (low,),
        )[0]
        if high is None:
            return
        yield Chunk(
            PASS, "history_id > %s and history_id <= %s", (low, int(high)), cursor=str(high)
        )
        low = int(high)


def is_done(chunk: Chunk, marks: Watermarks, fingerprint: str) -> bool:
    """Whether a run beside this one has done it. To be asked under the lock."""
    mark = marks.get(chunk.feed)
    if chunk.feed != PASS:
        return mark.known and mark.position >= chunk.change
    if mark.fingerprint != fingerprint:
        return False
    return mark.cursor is None or (mark.cursor != "" and int(mark.cursor) >= int(chunk.cursor))


def runs(counts: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Runs of consecutive numbers, first and last, of about `size` rows; no number is cut."""
    low = high = None
    rows = 0
    for number, count in counts:
        if low is not None and high is not None and rows + count > size:
            yield low, high
            low, rows = None, 0
        low = number if low is None else low
        high, rows = number, rows + count
    if low is not None and high is not None:
        yield low, high
