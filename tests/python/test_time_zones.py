"""The var timezone: the hour that comes twice and the one that is left out, in Berlin, by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from conftest import TestTarget
from oracle_compare import plain
from oracle_data import Source
from pipeline_cases import BUILD, Row, fill, own_schema, run

from python_scoring.base import settings
from python_scoring.base.errors import ConfigurationError
from python_scoring.forecasting.calendar import Calendar
from python_scoring.forecasting.hours import profile

BERLIN = "Europe/Berlin"
AUTUMN, SPRING = "2025-10-26", "2026-03-29"  # both a Sunday; clocks change at 1:00 UTC
COLUMNS = "history_id, call_started_at, call_date, call_hour, has_start_conflict"


def a_call(number: int, utc: str | None, wall: str | None = None, **changes: Any) -> Row:
    """An answered incoming call, by its UNIX time, the wall clock or both."""
    start = None if utc is None else datetime.fromisoformat(f"{utc}+00:00")
    return {
        "history_id": number,
        "context_type": 1,
        "caller_number": f"7999000{number:04d}",
        "called_number": "74950000000",
        "caller_info": None,
        "called_info": "Иванова Анна",
        "talk_duration": 60,
        "await_sec": 10,
        "context_start_time": None if start is None else int(start.timestamp()),
        "context_start_time_dt": wall,
        "entry_id": f"call-{number}",
        "created_at": (utc or wall or "")[:19],
        **changes,
    }


CALLS = [
    a_call(1, f"{AUTUMN} 00:50:00", caller_number="79990000000", talk_duration=0),
    # Called back twenty minutes later: on the wall clock that was forty minutes before.
    a_call(
        2,
        f"{AUTUMN} 01:10:00",
        f"{AUTUMN} 02:10:00",
        context_type=2,
        caller_number="74950000000",
        called_number="79990000000",
        caller_info="Иванова Анна",
        called_info=None,
    ),
    a_call(3, f"{AUTUMN} 01:30:00"),
    a_call(4, f"{AUTUMN} 02:05:00", f"{AUTUMN} 03:05:00"),
    a_call(5, "2025-10-25 22:30:00"),
    a_call(6, f"{AUTUMN} 23:30:00"),
    # Two minutes apart; between them the wall clock left an hour out.
    a_call(7, f"{SPRING} 00:59:00", caller_number="79990000007"),
    a_call(8, f"{SPRING} 01:01:00", f"{SPRING} 03:01:00", caller_number="79990000007"),
    # Without a UNIX time; the second is of a time that never was.
    a_call(9, None, f"{SPRING} 12:00:00"),
    a_call(10, None, f"{SPRING} 02:30:00"),
    a_call(11, f"{SPRING} 10:30:00", caller_number="79990000007"),
]
LOCAL = {
    1: f"{AUTUMN} 02:50:00",
    2: f"{AUTUMN} 02:10:00",
    3: f"{AUTUMN} 02:30:00",
    4: f"{AUTUMN} 03:05:00",
    5: f"{AUTUMN} 00:30:00",
    6: "2025-10-27 00:30:00",
    7: f"{SPRING} 01:59:00",
    8: f"{SPRING} 03:01:00",
    9: f"{SPRING} 12:00:00",
    10: f"{SPRING} 02:30:00",
    11: f"{SPRING} 12:30:00",
}
NOW = datetime(2026, 4, 10)


@pytest.fixture(scope="module")
def built(target: TestTarget) -> Iterator[TestTarget]:
    with own_schema(target, "berlin") as here:
        fill(here, Source(CALLS, []))
        views = ("+vw_lm_hourly_profile", "+vw_lm_kpi_daily")
        run(here, *BUILD, "--select", "resource_type:seed", *views, as_of=NOW, timezone=BERLIN)
        yield here


def test_local_times(built: TestTarget) -> None:
    rows = built.rows(f"select {COLUMNS} from fct_call order by history_id")
    assert {row[0]: str(row[1]) for row in rows} == LOCAL
    assert all(str(row[2]) == LOCAL[row[0]][:10] for row in rows)
    assert all(row[3] == int(LOCAL[row[0]][11:13]) for row in rows)
    assert {row[4] for row in rows} == {0}


def test_order_and_time_between_calls(built: TestTarget) -> None:
    rows = built.rows(
        "select history_id, next_outgoing_answered_at, next_call_at,"
        " days_since_last_call * 86400 from fct_call order by history_id"
    )
    found = {row[0]: (str(row[1]), str(row[2]), plain(row[3])) for row in rows}
    assert found[1][:2] == (f"{AUTUMN} 02:10:00",) * 2
    assert found[2] == ("None", "None", pytest.approx(20 * 60, abs=9))
    assert found[7][1] == f"{SPRING} 03:01:00"
    assert found[8][1:] == (f"{SPRING} 12:30:00", pytest.approx(2 * 60, abs=9))
    assert found[11][2] == pytest.approx(9.5 * 3600 - 60, abs=9)
    seconds = dict(built.rows("select history_id, start_epoch from fct_call"))
    # A UNIX time is exact; a wall clock alone, in the hour left out, goes by the old offset.
    moments = {c["history_id"]: c["context_start_time"] for c in CALLS if c["context_start_time"]}
    for number, wall in ((9, f"{SPRING} 10:00:00"), (10, f"{SPRING} 01:30:00")):
        moments[number] = int(datetime.fromisoformat(f"{wall}+00:00").timestamp())
    assert seconds == moments


def test_days_have_their_calls(built: TestTarget) -> None:
    rows = built.rows(
        "select stat_date, calls_offered from vw_lm_kpi_daily where dimension = 'all'"
    )
    found = {str(day): int(calls) for day, calls in rows if calls}
    assert found == {AUTUMN: 4, "2025-10-27": 1, SPRING: 5}


def heat_map(here: TestTarget, weeks: int) -> dict[int, tuple[Any, Any]]:
    """(days observed, calls a day) of Sunday's hours."""
    rows = here.rows(
        "select call_hour, days_observed, calls_per_day from vw_lm_hourly_profile"
        " where span_weeks = %s and call_weekday = 7",
        (weeks,),
    )
    return {int(row[0]): (int(row[1]), plain(row[2])) for row in rows}


def test_heat_map(built: TestTarget) -> None:
    # One Sunday of eight weeks, without its hour from 2 to 3.
    spring = heat_map(built, 8)
    assert (spring[1], spring[3], spring[4]) == ((1, 1), (1, 1), (1, 0))
    assert spring[2] == (0, None)
    run(built, "run", "--select", "vw_lm_hourly_profile", as_of=datetime(2025, 11, 1),
        timezone=BERLIN)  # fmt: skip
    autumn = heat_map(built, 8)
    # Three calls in the two hours from 2 to 3.
    assert (autumn[0], autumn[2], autumn[3]) == ((1, 1), (2, 1.5), (1, 1))


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Asia/Kolkata"])
def test_sql_agrees_with_zoneinfo(target: TestTarget, zone: str) -> None:
    """Of moments all over the years, and on both sides of changes."""
    rng = random.Random(zone)
    epochs = [rng.randrange(946_684_800, 2_140_000_000) for _ in range(150)]
    for year in range(2000, 2037, 6):
        first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        hours = [first + 3600 * hour for hour in range(366 * 24)]
        offsets = [datetime.fromtimestamp(hour, ZoneInfo(zone)).utcoffset() for hour in hours]
        for hour, before, after in zip(hours[1:], offsets, offsets[1:], strict=False):
            if before != after:
                epochs += [hour - 3601, hour - 1, hour, hour + 3601]
    inline = "{{ local_from_epoch('e') }} /**/ {{ contact_epoch('local_time', '0') }}"
    compiled = target.dbt("compile", "--quiet", "--inline", inline, vars={"timezone": zone})
    local_sql, back_sql = compiled.stdout.split("/**/")
    given = " union all select ".join(f"{epoch} as e" for epoch in epochs)
    rows = target.rows(
        f"select e, local_time, {back_sql} as back"
        f" from (select e, {local_sql} as local_time from (select {given}) as given) as moments"
    )
    assert len(rows) == len(epochs)
    for epoch, local, back in rows:
        wanted = datetime.fromtimestamp(epoch, ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        assert str(local) == str(wanted), epoch
        # The first pass of an hour that comes twice.
        assert back == wanted.replace(tzinfo=ZoneInfo(zone)).timestamp(), epoch


def test_now_is_the_zone_s(target: TestTarget) -> None:
    loaded = target.load(timezone=BERLIN)
    now = datetime.now(ZoneInfo(BERLIN))
    assert abs(settings.as_of(loaded) - now.replace(tzinfo=None)) < timedelta(seconds=5)
    assert loaded.utc_offset == f"{now:%z}"[:3] + ":00"
    told = target.dbt("compile", "--quiet", "--inline", "{{ as_of_text() }} {{ session_offset() }}",
                      vars={"timezone": BERLIN}).stdout.split()  # fmt: skip
    assert abs(datetime.fromisoformat(" ".join(told[:2])) - now.replace(tzinfo=None)) < timedelta(
        minutes=2
    )
    assert told[2] == loaded.utc_offset
    with pytest.raises(ConfigurationError, match="Europe/Berlin"):
        _ = target.load(timezone="Berlin").zone
    wrong = target.dbt("compile", "--inline", "{{ as_of_text() }}", vars={"timezone": "Berlin"},
                       check=False)  # fmt: skip
    assert "write it as 'Europe/Berlin'" in " ".join(wrong.stdout.split())


def test_forecasts_know_the_length_of_the_hours() -> None:
    """Ten calls in each hour that clocks pass: 250 on the autumn day, 230 on the spring one."""
    calendar = Calendar(pd.Series(dtype=object), pd.Series(dtype=object), ZoneInfo(BERLIN))
    days = pd.date_range("2025-10-06", "2026-04-05")
    passes = calendar.clock_hours(days)
    assert passes is not None
    assert passes.sum() == 24 * len(days)  # one more, one less
    assert passes[days.get_loc(AUTUMN)][:4].tolist() == [1, 1, 2, 1]
    assert passes[days.get_loc(SPRING)][:4].tolist() == [1, 1, 0, 1]
    for last, coming in (("2025-10-19", AUTUMN), ("2026-03-22", SPRING), ("2026-03-29", None)):
        known = int(days.get_loc(last)) + 1
        shares = profile(10 * passes[:known], 7, np.zeros(len(days), bool), passes)
        wanted = passes[known : known + 7] / passes[known : known + 7].sum(axis=1, keepdims=True)
        assert shares == pytest.approx(wanted)
        assert coming is None or wanted[-1].max() != wanted[-1].min()
